# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the policy wants in DNS, with what Mailgun told of its domains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks import mailgun
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import CHECK_MODE, Place, Policy
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import policy as policies
from ansible_collections.mailops.odoo.plugins.module_utils._dns import wanted

SECTION = "dns"
NOTHING = f"no records are known: the policy has no section dns, and {mailgun.NO_ACCOUNT.removeprefix('the policy ')}"


@dataclass(frozen=True)
class Wanted:
    """The entries of `_dns.wanted`, and Mailgun's answers for its domains, by their names.

    `policy` is what they follow from, its section `dns` with canonical names; without that section it has no servers,
    and only what Mailgun wants is looked at. `why_not` says why there are no entries, `asked` whether somebody asked
    for them. `wrong`: it is the policy's fault.
    """

    policy: Mapping[str, Any]
    entries: list[dict[str, Any]]
    told: Mapping[str, Any]
    why_not: str = ""
    asked: bool = True
    wrong: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the policy says what is to be published."""
        return SECTION in self.policy

    def is_new(self, domain: str) -> bool:
        """Whether Mailgun has yet to verify a domain for the first time: then its records may be about to come."""
        return mailgun.is_new(mailgun.shown(self.told.get(domain)))


def of(policy: Policy, place: Place, domain_result: Any) -> Wanted:
    """Return what is wanted; `domain_result` is that of the loop of mailgun_domain_info."""
    out = place.left_out("dns")
    if not place.is_database:
        return Wanted({}, [], {}, "it is looked at in the name of the database", asked=False)
    if out:
        return Wanted({}, [], {}, out, asked=False)
    if place.check_mode:
        return Wanted({}, [], {}, CHECK_MODE)
    if policy.trouble:
        return Wanted({}, [], {}, policy.trouble)
    if SECTION not in policy.given and not policy.accounts:
        return Wanted({}, [], {}, NOTHING, asked=False)
    if policies.lacking():
        return Wanted({}, [], {}, policies.lacking())
    if SECTION in policy.given:
        given = {**policy.given, SECTION: policies.filled(policy.given[SECTION])}
    else:
        given = {**policy.given, "odoo": _without_servers(policy.given["odoo"])}
    told = mailgun.answers(policy, place, domain_result)
    try:
        shown = [mailgun.shown(answer) for answer in told.values()]
        entries = wanted.wanted(given, [one for one in shown if one])
    except MailopsError as error:
        return Wanted(given, [], told, error.text(), wrong=True)
    return Wanted(given, entries, told)


def _without_servers(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section `odoo` without who sends: what is left says at which domains mail arrives."""
    return {name: value for name, value in section.items() if name not in ("servers", "mass_mailing_server")}
