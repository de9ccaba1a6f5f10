# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a database keeps its alias domains: records from 17 on, four system parameters of one domain before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    MailopsError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record, duplicates
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.alias_domain_renames import FORMER, Renames
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.facts import KEYS
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.former_addresses import MODEL as PARAMETERS
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Loaded, OdooResource
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.store import OdooStore


class AliasDomainStore(OdooStore):
    """The records of `mail.alias.domain`, with the former addresses of each."""

    def __init__(self, client: OdooClient, resource: OdooResource) -> None:
        super().__init__(client, resource)
        self._renames = Renames(client, "alias_domain_id")
        self._is_first = False

    def load(self, items: Sequence[Record], *, every: bool = False, check_mode: bool = False) -> Loaded:
        """Read all alias domains; an item that renames one is matched with it."""
        loaded = super().load(items, every=every, check_mode=check_mode)
        self._is_first = not loaded.current
        if self._is_first and loaded.desired:
            self._give_the_rest_to_the_first(loaded.desired)
        _check_companies(loaded.desired)
        return self._renames.followed(items, loaded)

    def create(self, records: Sequence[Record]) -> list[int]:
        """Create the records in one call, and take back what Odoo does beyond that for the first ones."""
        for record in records:
            self._renames.remember(0, record)
        ids = super().create([_without_former(record) for record in records])
        named = {name for record in records for name in record.get("companies") or []}
        if self._is_first and named != set(self._known.references["companies"]):
            # Odoo gave the first domain to every company that had none.
            try:
                super().write(ids[:1], {"companies": records[0]["companies"]})
            except MailopsError as error:
                error.definite = False
                raise
        self._is_first = False
        return ids

    def write(self, ids: Sequence[int], values: Record) -> None:
        """Write the same values to all the records; former addresses first, so that none is lost if this breaks off."""
        for number in ids:
            self._renames.remember(number, values)
        if rest := _without_former(values):
            super().write(ids, rest)

    def _give_the_rest_to_the_first(self, desired: Sequence[Record]) -> None:
        """State what Odoo does: the first alias domain is that of every company, unless told otherwise."""
        named = {name for item in desired for name in item.get("companies") or []}
        desired[0].setdefault("companies", sorted(set(self._known.references["companies"]) - named))


def _check_companies(desired: Sequence[Record]) -> None:
    for company in duplicates(name for item in desired for name in item.get("companies") or []):
        raise ConflictError(f"the company {company!r} is named by two alias domains", "A company uses one.")


def _without_former(values: Mapping[str, Any]) -> Record:
    return {name: value for name, value in values.items() if name != FORMER}


class AliasDomainParameters:
    """The one alias domain of Odoo 14 to 16, in system parameters."""

    def __init__(self, client: OdooClient, resource: OdooResource) -> None:
        self._client = client
        self._resource = resource
        self._renames = Renames(client, "")
        self._ids: dict[str, int] = {}

    def load(self, items: Sequence[Record], *, every: bool = False, check_mode: bool = False) -> Loaded:
        """Read the parameters; raises ValidationError for what they cannot express."""
        for item in items:
            for option in set(item) & {"companies", "sequence"}:
                raise ValidationError(
                    f"alias domain {item['name']}: {option} cannot be set: this Odoo has no model "
                    f"{self._resource.model}, but one alias domain for all companies",
                    "Leave it out for this version.",
                )
        rows = self._client.search_read(PARAMETERS, [("key", "in", list(KEYS.values()))], ["key", "value"])
        self._ids = {row["key"]: row["id"] for row in rows}
        values = {row["key"]: row["value"] or None for row in rows}
        domain = {field: values.get(key) for field, key in KEYS.items()}
        current = [Existing(self._ids[KEYS["name"]], domain)] if domain["name"] else []
        desired = [{name: item[name] for name in item if name in KEYS} for item in items]
        return self._renames.followed(items, Loaded(desired, current, []))

    def create(self, records: Sequence[Record]) -> list[int]:
        """Set the parameters of the domain."""
        for record in records:
            self._renames.remember(0, record)
            self._put(record)
        return [self._ids[KEYS["name"]]] * len(records)

    def write(self, ids: Sequence[int], values: Record) -> None:
        """Change parameters; former addresses first."""
        self._renames.remember(ids[0], values)
        self._put(values)

    def delete(self, ids: Sequence[int]) -> None:
        """Delete the domain's name, as Odoo's settings do: by the local parts it still tells bounces and replies."""
        self._client.unlink(PARAMETERS, [self._ids.pop(KEYS["name"])])

    def _put(self, values: Mapping[str, Any]) -> None:
        wanted = {KEYS[name]: value for name, value in values.items() if name in KEYS}
        new = [{"key": key, "value": value} for key, value in wanted.items() if value and key not in self._ids]
        # A parameter cannot be empty.
        empty = [key for key, value in wanted.items() if not value and key in self._ids]
        written = False
        try:
            for key in sorted(wanted.keys() & self._ids.keys() - set(empty)):
                self._client.write(PARAMETERS, [self._ids[key]], {"value": wanted[key]})
                written = True
            if empty:
                self._client.unlink(PARAMETERS, [self._ids.pop(key) for key in empty])
                written = True
            if new:
                created = self._client.create(PARAMETERS, new)
                self._ids.update(zip((row["key"] for row in new), created, strict=True))
        except MailopsError as error:
            # Each parameter is a call of its own, so a later one's refusal leaves the earlier ones written.
            error.definite = error.definite and not written
            raise
