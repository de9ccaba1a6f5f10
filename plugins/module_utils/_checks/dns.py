# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records that are to be in DNS, and what the zones' own servers say of them.

They are looked at by the wishes that publish them: a record is right if publishing would change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks import mailgun
from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check, failed, passed, skipped, unseen
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import Place, Policy
from ansible_collections.mailops.odoo.plugins.module_utils._checks.wanted import Wanted
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import mail, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key, Wish
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wishes import AbsentWish

# Answers of a server that say something of a record.
TOLD = ("found", "nodata", "nxdomain", "cname")
PUBLISH = "Run site.yml --tags dns, which publishes"


@dataclass(frozen=True)
class Record:
    """A record set to look at. `ours`: a zone of the policy holds it. `pending` is as in Check."""

    key: Key
    domain: str
    wishes: tuple[Wish, ...]
    ours: bool
    pending: bool = False

    @property
    def forbidden(self) -> bool:
        """Whether there are to be no records at all."""
        return all(isinstance(wish, AbsentWish) for wish in self.wishes)

    def question(self) -> dict[str, Any]:
        """Return what the module mail_dns_info is to ask. The values serve its hints; they are judged here."""
        try:
            new = self.after(())
        except MailopsError:
            new = ()
        asked = {"name": values.shown(self.key.name), "type": self.key.type}
        return {**asked, **({"values": list(new)} if new else {})}

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return the values that publishing would leave there; MailopsError if it would refuse to."""
        for wish in self.wishes:
            there = wish.after(there)
        return there


def records(wanted: Wanted) -> list[Record]:
    """Return what is to be asked for, each record set once."""
    found: dict[Key, Record] = {}
    for entry in wanted.entries:
        wishes, _refused = _wishes(entry)
        for wish in wishes:
            new = Record(wish.key, entry["domain"], (), entry["zone"] is not None)
            record = found.get(wish.key, new)
            found[wish.key] = replace(record, wishes=(*record.wishes, wish))
    return [replace(record, pending=wanted.is_new(record.domain) and not record.forbidden) for record in found.values()]


def _wishes(entry: Mapping[str, Any]) -> tuple[list[Wish], str]:
    """Return the wishes of an entry, or why it could not be published."""
    try:
        return mail.of_domain(mail.filled(entry)), ""
    except MailopsError as error:
        return [], error.message


def checks(policy: Policy, place: Place, wanted: Wanted, result: Any) -> list[Check]:
    """Return the checks of all records; `result` is that of mail_dns_info."""
    if wanted.wrong:
        return [failed("DNS", place.host, wanted.why_not, "Correct the policy.")]
    if wanted.why_not:
        return [skipped("DNS", place.host, wanted.why_not, asked=wanted.asked)]
    asked = records(wanted)
    lacking = unseen("DNS", place.host, result, "records", "Check this machine's resolver.") if asked else None
    found = [] if lacking or not asked else [_check(*pair) for pair in zip(asked, result["records"], strict=True)]
    return [*([lacking] if lacking else []), *found, *_refused(wanted), *_untold(policy, place, wanted)]


def _refused(wanted: Wanted) -> Iterator[Check]:
    for entry in wanted.entries:
        _made, refused = _wishes(entry)
        if refused:
            domain = entry["domain"]
            yield failed(f"DNS.{domain}", domain, f"what is wanted cannot be published: {refused}", "Correct it.")


def _untold(policy: Policy, place: Place, wanted: Wanted) -> Iterator[Check]:
    """Yield the domains of which Mailgun did not tell what it wants."""
    for domain in mailgun.domains(policy, place):
        answer = wanted.told.get(domain.name)
        if not mailgun.shown(answer):
            why = domain.no_key or f"see MAILGUN.{domain.name}.state"
            if place.left_out("mailgun") and not domain.no_key:
                # There is no such check then.
                lacking = unseen("", "", answer, "domains", "")
                why = lacking.detail if lacking else "Mailgun has no such domain"
            yield skipped(f"DNS.{domain.name}", domain.name, f"only Mailgun knows its records: {why}")


def _check(record: Record, found: Mapping[str, Any]) -> Check:
    name, domain = f"DNS.{record.key.type}.{values.shown(record.key.name)}", record.domain
    told = [server for server in found["servers"] if server["answer"] in TOLD]
    if not told:
        fix = "See whether the zone's name servers run, and are delegated."
        return failed(name, domain, found["detail"], fix)
    wrong = [one for one in (_wrong(record, server) for server in told) if one]
    if wrong:
        what, fix = wrong[0]
        return failed(name, domain, "; ".join([what, *found["problems"], *found["hints"]]), fix, record.pending)
    return passed(name, domain, "; but ".join([_state(record, told), *found["problems"]]))


def _state(record: Record, told: Sequence[Mapping[str, Any]]) -> str:
    wanted = list(dict.fromkeys(value for server in told for value in _wished(record, server["values"])))
    if wanted:
        return f"published: {', '.join(wanted)}"
    return "there is none, as the domain only sends" if record.forbidden else "nothing is there that is not to be"


def _wrong(record: Record, server: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is wrong with what a server has, and what to do; None if nothing is."""
    if server["answer"] == "cname" and record.key.type != "CNAME":
        return f"different: a CNAME is there, to {', '.join(server['values'])}", "Remove the CNAME."
    there = server["values"]
    if record.forbidden and there:
        return (
            f"there is {', '.join(there)}, and there is to be none, as the domain only sends",
            "Remove it: mail would go there. If that is right say inbound_routes: true, or name it under dns.domains.",
        )
    try:
        then = record.after(there)
    except MailopsError as error:
        return error.message, _mend(record, error)
    new = ", ".join(value for value in then if value not in there)
    old = ", ".join(value for value in there if value not in then)
    if old and not new:
        return f"there is {old}, and it is not to be there", "Remove it."
    if not new:
        return None
    fix = f"{PUBLISH if record.ours else 'Publish'} {record.key.shown()} {new}"
    if old:
        return f"different: there is {old}", f"{fix} in place of {old}"
    if there:
        return f"missing: there is only {', '.join(there)}", fix
    nothing = "there is no such name (NXDOMAIN)" if server["answer"] == "nxdomain" else "the name has none of the type"
    return f"missing: {nothing}", fix


def _mend(record: Record, error: MailopsError) -> str:
    """Return what to do where publishing would refuse; an MX host that nobody wants is removed only if that is said."""
    if record.key.type != "MX":
        return error.remedy or "Correct the record."
    if not record.ours:
        new = ", ".join(record.after(()))
        return f"Name it in mx if it is right; else publish {record.key.shown()} {new} in its place"
    if values.shown(record.key.name) != record.domain:
        return "Name it in the policy's record if it is right, or remove it by hand."
    removed = json.dumps({"mail_dns_mx_remove": [record.domain]})
    return f"Name it in mx if it is right. If no mail is to go there: site.yml --tags dns -e '{removed}'"


def _wished(record: Record, there: Sequence[str]) -> list[str]:
    """Return the values of those that are there which are wanted; others at the name are of no concern."""
    found = []
    for value in there:
        others = [one for one in there if one != value]
        if list(record.after(others)) != others:
            found.append(value)
    return found
