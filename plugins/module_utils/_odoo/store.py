# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing the records of one model, in canonical form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Reference
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, Loaded, OdooResource


class OdooStore:
    """Implements the engine's Store for one resource of one database.

    Reads, whatever the number of items: one `fields_get`, one read per referenced model, the main read; a resource
    may add reads per model its items name.
    """

    def __init__(self, client: OdooClient, resource: OdooResource) -> None:
        self._client = client
        self._resource = resource
        self._known = Known({}, {})

    def load(self, items: Sequence[Record], *, every: bool = False, check_mode: bool = False) -> Loaded:
        """Read what the items name (with `every`: all records).

        In check mode a record that an earlier task would have created is taken for granted, with a warning.
        Raises ValidationError for a value that this version of Odoo cannot express.
        """
        self._read_known(items, every)
        desired: list[Record] = []
        warnings: list[str] = []
        for item in items:
            prepared, told = self._fitted(item, check_mode)
            desired.append(prepared)
            warnings.extend(warning for warning in told if warning not in warnings)
        self._resource.check_with(self._client, desired)
        current = self._read([] if every else self._resource.domain(desired))
        warnings.extend(self._resource.remarks(self._client, desired, current))
        return Loaded(desired, current, warnings, self._known)

    def _fitted(self, item: Record, check_mode: bool) -> tuple[Record, list[str]]:
        prepared, warnings = self._resource.prepare(item, self._known)
        return prepared, warnings + self._check_known(prepared, check_mode)

    def _read(self, domain: Sequence[Any]) -> list[Existing]:
        fields = [field for field in self._resource.fields if self._known.has(field)]
        records = self._client.search_read(
            self._resource.model, domain, list(dict.fromkeys(field.wire_name for field in fields))
        )
        return [Existing(record["id"], self._decode(record, fields)) for record in records]

    def create(self, records: Sequence[Record]) -> list[int]:
        """Create the records in one call."""
        return self._client.create(self._resource.model, [self._encode(record) for record in records])

    def write(self, ids: Sequence[int], values: Record) -> None:
        """Write the same values to all the records in one call."""
        self._client.write(self._resource.model, ids, self._encode(values))

    def delete(self, ids: Sequence[int]) -> None:
        """Delete the records in one call."""
        self._client.unlink(self._resource.model, ids)

    def _read_known(self, items: Sequence[Record], every: bool) -> None:
        fields = self._client.fields_get(self._resource.model)
        self._known = Known(fields, {})
        pointing: dict[Reference, list[Field]] = {}
        for field in self._resource.fields:
            if field.reference and self._known.has(field):
                pointing.setdefault(field.reference, []).append(field)
        for reference, options in pointing.items():
            given = (_names(item.get(option.name)) for item in items for option in options)
            wanted = sorted({name for names in given for name in names})
            domain = [] if every or reference.read_all else [(reference.key, "in", wanted)]
            records = self._client.search_read(reference.model, domain, [reference.key, *reference.also])
            for option in options:
                self._known.references[option.name] = {record[reference.key]: record["id"] for record in records}
                self._known.details[option.name] = {record[reference.key]: record for record in records}

    def _check_known(self, item: Mapping[str, Any], check_mode: bool) -> list[str]:
        resource, known, warnings = self._resource, self._known, []
        for name, value in item.items():
            field = resource.field(name)
            place = f"{resource.label} {resource.name_of(item)}: {name}"
            if not known.has(field):
                shown = "" if field.secret else f" to {value!r}"
                raise ValidationError(
                    f"{place} cannot be set{shown}: Odoo {self._client.version()}'s {resource.model} has no field "
                    + field.wire_name,
                    "Leave it out for this version.",
                )
            choices = known.choices(field)
            if value is not None and choices and value not in choices:
                raise ValidationError(
                    f"{place} is {value!r}: Odoo {self._client.version()} knows only {', '.join(choices)}",
                    "A further value may come with another app: employees with Employees, gmail with google_gmail.",
                )
            if field.reference:
                for missing in (key for key in _names(value) if key not in known.references[name]):
                    told = f"this Odoo has no {field.reference.model} {missing!r}"
                    if not (check_mode and field.reference.planned):
                        raise NotFoundError(f"{place} is {value!r}: {told}")
                    warnings.append(f"{told}; check mode takes it for granted that the run would have created it")
        return warnings

    def _decode(self, record: Mapping[str, Any], fields: Sequence[Field]) -> Record:
        return {field.name: self._decoded(field, record[field.wire_name]) for field in fields}

    def _decoded(self, field: Field, value: Any) -> Any:
        if field.reference:
            if not value:
                return [] if field.type == "list" else None
            references = self._known.references[field.name]
            names = {number: name for name, number in references.items()}
            if field.type == "list":
                return sorted(names[number] for number in value if number in names)
            if value[0] not in names:
                # Not one that an item names, so its name was not read. Known from here on, to be written back.
                names[value[0]] = f"{value[1]} (id {value[0]})"
                references[names[value[0]]] = value[0]
            return names[value[0]]
        if value is False and field.type != "bool":
            return None
        return field.from_wire(value)

    def _encode(self, values: Mapping[str, Any]) -> dict[str, Any]:
        wire: dict[str, Any] = {}
        for name, value in values.items():
            field = self._resource.field(name)
            if value is None:
                wire[field.wire_name] = field.clear
            elif field.reference:
                ids = [self._known.references[name][key] for key in _names(value)]
                # (6, 0, ids) is Odoo's command for "these and no others".
                wire[field.wire_name] = [[6, 0, ids]] if field.type == "list" else ids[0]
            else:
                wire[field.wire_name] = field.to_wire(value)
        return wire


def _names(value: Any) -> list[str]:
    """Return the names in a reference's value: none, one or several."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
