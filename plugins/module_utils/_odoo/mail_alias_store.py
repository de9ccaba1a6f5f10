# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing aliases: those that a record owns, and Odoo 14 to 16, where there is one alias domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.facts import KEYS
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.former_addresses import MODEL as PARAMETERS
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Loaded, OdooResource
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.store import OdooStore


class MailAliasStore(OdooStore):
    """Adds the reads that an owner's alias needs: the owners, by model, and their aliases."""

    def __init__(self, client: OdooClient, resource: OdooResource) -> None:
        super().__init__(client, resource)
        self._owned: set[int] = set()

    def load(self, items: Sequence[Record], *, every: bool = False, check_mode: bool = False) -> Loaded:
        """Read what the items name; the alias of an item's owner is found whatever its name is."""
        loaded = super().load(items, every=every, check_mode=check_mode)
        owners = [item.get("owner") for item in items]
        current = {record.id: record for record in loaded.current}
        if any(owners):
            aliases = self._aliases_of([owner for owner in owners if owner])
            unread = sorted({*aliases.values()} - set(current))
            current.update({record.id: record for record in self._read([("id", "in", unread)])} if unread else {})
            for owner, wanted in zip(owners, loaded.desired, strict=True):
                if owner:
                    loaded.warnings.extend(self._claim(aliases[owner["model"], owner["name"]], wanted, owner, current))
        self._owned = {record.id for record in current.values() if record.values["alias_parent_thread_id"]}
        return Loaded(loaded.desired, list(current.values()), loaded.warnings, loaded.known)

    def delete(self, ids: Sequence[int]) -> None:
        """Delete the aliases; a record's own one, which Odoo would not delete, loses its name instead."""
        own = self._own(sorted(self._owned.intersection(ids)))
        if own:
            self._client.write(self._resource.model, own, {"alias_name": False})
        if rest := [number for number in ids if number not in own]:
            super().delete(rest)

    def _own(self, ids: Sequence[int]) -> list[int]:
        """Return those of the aliases that their parent has as its own."""
        if not ids:
            return []
        parents = self._client.search_read(self._resource.model, [("id", "in", ids)], ["alias_parent_model_id"])
        models = sorted({record["alias_parent_model_id"][0] for record in parents if record["alias_parent_model_id"]})
        own = []
        for model in self._client.search_read("ir.model", [("id", "in", models)], ["model"]):
            if "alias_id" in self._client.fields_get(model["model"]):
                having = self._client.search_read(model["model"], [("alias_id", "in", ids)], ["alias_id"])
                own += [record["alias_id"][0] for record in having]
        return own

    def _read_known(self, items: Sequence[Record], every: bool) -> None:
        super()._read_known(items, every)
        if "alias_domain" not in self._known.details:
            self._known.details["alias_domain"] = self._only_domain()

    def _only_domain(self) -> dict[str, Mapping[str, Any]]:
        """Return name → local parts of the alias domain of 14 to 16; the name is empty while it is not set."""
        rows = self._client.search_read(PARAMETERS, [("key", "in", list(KEYS.values()))], ["key", "value"])
        values = {row["key"]: row["value"] for row in rows}
        domain = {field: values.get(key) for field, key in KEYS.items()}
        return {str(domain["name"] or "").lower(): domain}

    def _fitted(self, item: Record, check_mode: bool) -> tuple[Record, list[str]]:
        if self._known.has(self._resource.field("alias_domain")):
            return super()._fitted(item, check_mode)
        # Up to 16 aliases have no domain of their own: they are at the only one.
        (only,) = self._known.details["alias_domain"]
        given = item.get("alias_domain")
        rest = {name: value for name, value in item.items() if name != "alias_domain"}
        prepared, warnings = super()._fitted(rest, check_mode)
        if given not in (None, only):
            told = (
                f"alias {item['alias_name']}: alias_domain is {given!r}: this Odoo has one alias domain only, and that "
                f"is {only or 'not set yet'}"
            )
            if not check_mode:
                raise NotFoundError(told, "Leave it out, or set that domain with the module alias_domain.")
            warnings.append(f"{told}; check mode takes it for granted that the run would have set it")
        return prepared, warnings

    def _aliases_of(self, owners: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], int]:
        """Return (model, name) → id of the alias, for all owners; the reads go by model."""
        names: dict[str, set[str]] = {}
        for owner in owners:
            names.setdefault(owner["model"], set()).add(owner["name"])
        there = self._client.search_read("ir.model", [("model", "in", sorted(names))], ["model"])
        having = {record["model"] for record in there if "alias_id" in self._client.fields_get(record["model"])}
        aliases: dict[tuple[str, str], int] = {}
        for model, wanted in names.items():
            if model not in having:
                raise ValidationError(f"owner: this Odoo has no model {model} whose records have an alias")
            found: dict[str, list[dict[str, Any]]] = {}
            for record in self._client.search_read(model, [("name", "in", sorted(wanted))], ["name", "alias_id"]):
                found.setdefault(record["name"], []).append(record)
            for name in sorted(wanted):
                aliases[model, name] = _alias_of(model, name, found.get(name, []))
        return aliases

    def _claim(
        self, alias_id: int, wanted: Record, owner: Mapping[str, str], current: dict[int, Existing]
    ) -> list[str]:
        """Have the desired alias mean the owner's; raise ConflictError if it is another one or claimed already."""
        key, name, record = self._resource.key_of(wanted), self._resource.name_of(wanted), current[alias_id]
        for other in current.values():
            if other.id != alias_id and self._resource.key_of(other.values) == key:
                raise ConflictError(
                    f"alias {name} exists (id {other.id}), and is not that of {owner['model']} {owner['name']!r}",
                    "Delete or rename it first.",
                )
        if record.key not in (None, key):
            raise ConflictError(
                f"alias {name}: {owner['model']} {owner['name']!r} has one alias, and two are given for it"
            )
        current[alias_id] = replace(record, key=key)
        if record.values["alias_name"] in (None, wanted["alias_name"]):
            return []
        return [
            f"alias {self._resource.name_of(record.values)} becomes {name}: mail to the old address is not taken any "
            "more, unless it gets an alias of its own"
        ]


def _alias_of(model: str, name: str, found: Sequence[Mapping[str, Any]]) -> int:
    if not found:
        raise NotFoundError(f"owner: this Odoo has no {model} {name!r}")
    if len(found) > 1:
        ids = ", ".join(str(record["id"]) for record in found)
        raise ConflictError(f"owner: {model} {name!r} exists {len(found)} times (ids {ids})", "Rename all but one.")
    if not found[0]["alias_id"]:
        raise ValidationError(f"owner: {model} {name!r} has no alias yet", "Give it one in Odoo once, of any name.")
    return int(found[0]["alias_id"][0])
