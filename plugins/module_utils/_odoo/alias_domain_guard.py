# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of alias domains that would lose mail, or that Odoo would refuse only while it writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addon
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.alias_domain_renames import FORMER, ROLES, address
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient

ADDON = "mail_delivery"
SHOWN = 20


def check_kept(change: Change) -> None:
    """Refuse a change of catchall or bounce after which mail to the old address would be lost."""
    if change.action != "update":
        return
    before, after = change.before, {**change.before, **change.values}
    for role in ROLES:
        old, new = before.get(f"{role}_alias"), after[f"{role}_alias"]
        if old and address(old, before["name"]) not in (address(new, after["name"]), *(after[FORMER] or {})):
            raise ConflictError(
                f"alias domain {change.name}: {role}_alias would change from {old!r} to {new!r}, and mail to the old "
                "address, to which mail that was sent before still leads, would be lost",
                f"Say former_{role}_aliases: [{old}]; mail to it then goes to the new one.",
            )


def check_deleted(change: Change, allowed: bool) -> None:
    """Refuse a deletion unless it is allowed."""
    if change.action == "delete" and not allowed:
        raise ConflictError(
            f"alias domain {change.name} would be deleted, and replies to mail that was sent from it would be lost",
            "Say allow_delete: true if that is meant, or rename it with former_names.",
        )


def check_only_one(client: OdooClient, changes: Sequence[Change], current: Sequence[Existing]) -> None:
    """Refuse a second alias domain where Odoo has room for one."""
    there = [record.values["name"] for record in current]
    new = [change.name for change in changes if change.action == "create"]
    if new and len(there + new) > 1:
        raise ValidationError(
            f"alias domain {new[-1]}: Odoo {client.version()} has one alias domain only, "
            f"and that is {(there + new)[0]}",
            f"Say former_names: [{(there + new)[0]}] to rename it; several need Odoo 17 or later.",
        )


def check_companies(changes: Sequence[Change], current: Sequence[Existing]) -> None:
    """Refuse to leave a company without an alias domain: its mail would have no address for replies."""
    before = {name: record for record in current for name in record.values["companies"]}
    after: dict[int | str, set[str]] = {record.id: set(record.values["companies"]) for record in current}
    for change in changes:
        if change.action == "delete":
            for name in after.pop(change.id):
                before.pop(name)
        elif "companies" in change.values:
            after[change.id or change.name] = set(change.values["companies"])
    for name in sorted(before.keys() - set[str]().union(*after.values())):
        raise ConflictError(
            f"the company {name!r} would be left without an alias domain: it uses {before[name].values['name']}",
            "Name it among the companies of another one, or take its alias domain away with company_mail.",
        )


def check_aliases(client: OdooClient, changes: Sequence[Change], *, several: bool, first: bool) -> list[str]:
    """Refuse a catchall or bounce that is an alias; return warnings. One read.

    `several`: aliases have an alias domain; `first`: none exists yet, so Odoo gives the new one to all aliases.
    """
    wanted = list(_new_addresses(changes))
    if not wanted:
        return []
    condition: list[Any] = [("alias_name", "in", sorted({local_part for _change, _role, local_part in wanted}))]
    if first and several:
        condition = [("alias_name", "!=", False)]
    fields = ["alias_name", "alias_domain_id"] if several else ["alias_name"]
    aliases = client.search_read("mail.alias", condition, fields)
    # A new domain has no aliases but those that Odoo gives to the first.
    taken = {(alias["alias_name"], (alias.get("alias_domain_id") or [0])[0]) for alias in aliases}
    for change, role, local_part in wanted:
        if (local_part, change.id if several else 0) in taken and (change.id or first or not several):
            raise ConflictError(
                f"alias domain {change.name}: {role}_alias is {local_part!r}, which is an alias already",
                "Mail to it would never make a record: rename or delete one of the two.",
            )
    unassigned = sorted(alias["alias_name"] for alias in aliases if several and not alias["alias_domain_id"])
    if first and unassigned:
        domain = next(change.name for change in changes if change.action == "create")
        return [f"Odoo gives its first alias domain, {domain}, to all aliases without one: {_shown(unassigned)}"]
    return []


def _new_addresses(changes: Sequence[Change]) -> Iterator[tuple[Change, str, str]]:
    for change in changes:
        for role in ROLES:
            if change.values.get(f"{role}_alias"):
                yield change, role, change.values[f"{role}_alias"]


def redirects(client: OdooClient, changes: Sequence[Change]) -> list[str]:
    """Return a warning that names what must be redirected by hand, where no gateway learns of former addresses."""
    new = [
        f"{old} to {current}"
        for change in changes
        for old, current in change.values.get(FORMER, {}).items()
        if change.before.get(FORMER, {}).get(old) != current
    ]
    if not new:
        return []
    found = addon.find(client, ADDON)
    if found is not None and found.state in addon.PRESENT:
        return []
    return [
        f"the addon {ADDON}, from which mail gateways learn former addresses, is not installed: redirect by hand, at "
        f"your mail provider, {_shown(new)}"
    ]


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
