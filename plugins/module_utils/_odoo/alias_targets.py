# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an alias names in other models, checked before it is written: Odoo itself would fail only when mail arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient

# fields_get's type → what a literal of it is, and how that is called; other types take anything.
LITERALS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "boolean": (bool, "yes/no value"),
    "integer": (int, "whole number"),
    "float": ((int, float), "number"),
    "monetary": ((int, float), "number"),
    "many2one": (int, "id of a record"),
    "char": (str, "text"),
    "text": (str, "text"),
    "html": (str, "text"),
    "date": (str, "text"),
    "datetime": (str, "text"),
    "selection": (str, "text"),
    "many2many": (list, "list"),
    "one2many": (list, "list"),
}


class Targets:
    """Collects the records that aliases point at, to look for each model's in one read."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._fields: dict[str, dict[str, dict[str, Any]]] = {}
        self._places: dict[str, dict[int, str]] = {}

    def check(self, items: Sequence[Record], name_of: Callable[[Mapping[str, Any]], str]) -> None:
        """Raise an error for the first default that does not fit its field, or record that does not exist.

        One `fields_get` per model that has defaults, and one read per model of which records are named.
        """
        for item in items:
            place = f"alias {name_of(item)}"
            self._add(item.get("alias_model"), item.get("alias_force_thread_id"), f"{place}: alias_force_thread_id")
            self._add(item.get("alias_parent_model"), item.get("alias_parent_thread_id"), f"{place}: its parent")
            if item.get("alias_model") and item.get("alias_defaults"):
                self._check_defaults(item["alias_model"], item["alias_defaults"], place)
        for model, places in self._places.items():
            found = self._client.search_read(model, [("id", "in", sorted(places))], ["id"])
            for missing in sorted(places.keys() - {record["id"] for record in found}):
                raise NotFoundError(f"{places[missing]} is {missing}: this Odoo has no such record of {model}")

    def _add(self, model: str | None, number: int | None, place: str) -> None:
        if model and number:
            self._places.setdefault(model, {}).setdefault(number, place)

    def _check_defaults(self, model: str, defaults: Any, place: str) -> None:
        if not isinstance(defaults, Mapping):
            raise ValidationError(f"{place}: alias_defaults is {defaults!r}, which no task can give")
        if model not in self._fields:
            self._fields[model] = self._client.fields_get(model)
        fields = self._fields[model]
        unknown = sorted(set(defaults) - set(fields))
        if unknown:
            raise NotFoundError(
                f"{place}: alias_defaults names fields that {model} does not have: {', '.join(unknown)}"
            )
        for name, value in defaults.items():
            if value is None or value is False:
                continue
            here = f"{place}: alias_defaults.{name}"
            _check_literal(fields[name], value, here)
            for number in _ids(fields[name]["type"], value):
                self._add(fields[name].get("relation"), number, here)


def _ids(kind: str, value: Any) -> list[int]:
    """Return the ids of the records that a relation's value names, in the commands 4 (this one) and 6 (these) too."""
    if kind == "many2one":
        return [value]
    if kind not in ("many2many", "one2many"):
        return []
    found: list[Any] = []
    for part in value:
        if isinstance(part, list):
            linked = part[1:2] if part[:1] == [4] else part[-1] if part[:1] == [6] else []
            found += linked if isinstance(linked, list) else []
        else:
            found.append(part)
    return [number for number in found if isinstance(number, int)]


def _check_literal(field: Mapping[str, Any], value: Any, place: str) -> None:
    accepted, called = LITERALS.get(field["type"], (object, ""))
    if not isinstance(value, accepted) or (value is True and field["type"] != "boolean" and called):
        raise ValidationError(f"{place} is {value!r}, which is no {called}: its type is {field['type']}")
    choices = [choice for choice, _label in field.get("selection") or []]
    if field["type"] == "selection" and choices and value not in choices:
        raise ValidationError(f"{place} is {value!r}: this Odoo knows only {', '.join(map(str, choices))}")
