# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which record an item renames, and which addresses mail was sent from before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.former_addresses import FormerAddresses, remembered
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Loaded

ROLES = ("catchall", "bounce")
FORMER = "former_addresses"


def address(local_part: str, domain: str) -> str:
    """Return an address in lower case; a `local_part` that is a whole address stands for itself."""
    return (local_part if "@" in local_part else f"{local_part}@{domain}").lower()


class Renames:
    """Finds the record that an item renames, and keeps the addresses that mail was sent from before."""

    def __init__(self, client: OdooClient, domain_field: str) -> None:
        """`domain_field` is the field by which an alias has its domain, empty where there is only one."""
        self._client = client
        self._domain_field = domain_field
        self._former = FormerAddresses(client)
        self._of_record: dict[int, dict[str, str]] = {}
        self._records: dict[int, Existing] = {}

    def followed(self, items: Sequence[Record], loaded: Loaded) -> Loaded:
        """Return what was loaded with `former_addresses`, and with the key of the item that renames a record."""
        self._former.read()
        current = {record.id: record for record in loaded.current}
        desired = []
        for item, wanted in zip(items, loaded.desired, strict=True):
            record = _meant(item, loaded.current)
            if record is not None:
                if current[record.id].key:
                    raise ConflictError(f"two items mean the alias domain {record.values['name']} (id {record.id})")
                current[record.id] = Existing(record.id, record.values, (item["name"],))
            desired.append({**wanted, **self._to_remember(item, wanted, record)})
        for record in current.values():
            former = self._of_record.setdefault(record.id, self._former.into({record.values["name"].lower()}))
            record.values[FORMER] = former
        self._records = current
        return Loaded(desired, list(current.values()), loaded.warnings, loaded.known)

    def remember(self, record_id: int, values: Mapping[str, Any]) -> None:
        """Write the former addresses of a record that gets these values, if there are new ones; 0 is a new record."""
        known, record = self._of_record.get(record_id, {}), self._records.get(record_id)
        former = values.get(FORMER)
        if former is None and record:
            former = remembered(known, self._moved(record, {**record.values, **values}, ROLES))
        if former is not None and former != known:
            self._former.replace(known, former)

    def _to_remember(self, item: Mapping[str, Any], wanted: Mapping[str, Any], record: Existing | None) -> Record:
        """Return the field `former_addresses` for a desired record, nothing if it stays as it is."""
        before = record.values if record else {}
        after = {**before, **{name: value for name, value in wanted.items() if value is not None}}
        names = {item["name"], str(before.get("name", item["name"])).lower()}
        known, moved = self._former.into(names), {}
        if record:
            self._of_record[record.id] = known
            renamed = before["name"].lower() != item["name"]
            roles = [
                role
                for role in ROLES
                if renamed or before[f"{role}_alias"] in (item.get(f"former_{role}_aliases") or [])
            ]
            moved = self._moved(record, after, roles)
        live = {address(after[f"{role}_alias"], item["name"]) for role in ROLES if after.get(f"{role}_alias")}
        told = {old: new for old, new in _told(item, after).items() if old not in live}
        former = dict(sorted({**remembered(known, moved), **told}.items()))
        return {FORMER: former} if former != known else {}

    def _moved(self, record: Existing, after: Mapping[str, Any], roles: Sequence[str]) -> dict[str, str]:
        """Return old address → new one, for these roles and, if the domain is renamed, all other addresses."""
        before, name = record.values, after["name"]
        moved = {}
        if before["name"].lower() != name:
            moved = {address(local, before["name"]): address(local, name) for local in self._aliases(record.id)}
            if before["default_from"] and after["default_from"]:
                moved[address(before["default_from"], before["name"])] = address(after["default_from"], name)
        for role in roles:
            old, new = before[f"{role}_alias"], after[f"{role}_alias"]
            if old and new:
                moved[address(old, before["name"])] = address(new, name)
        return moved

    def _aliases(self, domain_id: int) -> list[str]:
        condition: list[Any] = [("alias_name", "!=", False)]
        if self._domain_field:
            # One that is detected by its local part takes mail at every domain.
            condition += ["|", (self._domain_field, "=", domain_id), ("alias_incoming_local", "=", True)]
        names = (alias["alias_name"] for alias in self._client.search_read("mail.alias", condition, ["alias_name"]))
        return [name for name in names if name]  # 14 stores an empty one, which it does not take for False


def _meant(item: Mapping[str, Any], current: Sequence[Existing]) -> Existing | None:
    """Return the record that an item is about: of its name, or else one that it renames."""
    exact = [record for record in current if record.values["name"] == item["name"]]
    former = set(item.get("former_names") or [])
    renamed = [record for record in current if record.values["name"].lower() in former]
    if exact and renamed:
        names = ", ".join(record.values["name"] for record in renamed)
        raise ConflictError(
            f"alias domain {item['name']}: former_names has {names}, which exists beside it",
            "Delete that one, or leave it out.",
        )
    # 17-19 never match mail to a name with capitals, so such a record is put right, not doubled.
    found = exact or renamed or [record for record in current if record.values["name"].lower() == item["name"]]
    if len(found) > 1:
        ids = ", ".join(str(record.id) for record in found)
        raise ConflictError(f"alias domain {item['name']} may be any of {len(found)} records (ids {ids})")
    return found[0] if found else None


def _told(item: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """Return former address → current one, by what the item says of its former names and local parts."""
    told = {}
    for role in ROLES:
        given, local_part = item.get(f"former_{role}_aliases") or [], after.get(f"{role}_alias")
        if not local_part:
            continue
        current = address(local_part, item["name"])
        for domain in (item["name"], *(item.get("former_names") or [])):
            told.update({address(old, domain): current for old in (local_part, *given)})
        del told[current]
    return told
