# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declaring an object once: its fields, its key, and how a value looks on the other side.

From one Resource come the argument specs of the singular and the plural module, the output of the `_info`
module, the plan and the calls that carry it out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError

Record = dict[str, Any]

LARGEST = 2**31 - 1  # of PostgreSQL's integer, which Odoo stores whole numbers in


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Reference:
    """A field that points at a record of another model, named by that model's `key` field; a list points at several.

    `also` names fields of that model which are read along with the key. With `read_all` every record of the model is
    read, not only those named: for short lists of which the whole must be known. With `planned` the record may be one
    that an earlier task of the same run creates, so check mode, where that task created nothing, takes it for granted.
    """

    model: str
    key: str
    also: tuple[str, ...] = ()
    read_all: bool = False
    planned: bool = False


@dataclass(frozen=True)
class Field:
    """One option and the field behind it.

    `name` is the option's name. `wire` is the other side's field name where it differs.
    `normalize` turns a given value into its canonical form, or raises ValueError saying what is wrong.
    `to_wire` and `from_wire` convert a canonical value. `clear` is the wire value of an explicit null.
    `default` is what a new record gets where the option is left out, on every version that has the field.
    `required` means: needed to create a record. `option_only` marks an option that says how another is meant.
    `internal` marks what is no option: the resource itself reads and writes it.
    """

    name: str
    type: str = "str"
    wire: str = ""
    elements: str = ""
    choices: tuple[Any, ...] = ()
    required: bool = False
    option_only: bool = False
    internal: bool = False
    secret: bool = False
    clear: Any = False
    default: Any = None
    reference: Reference | None = None
    normalize: Callable[[Any], Any] = _same
    to_wire: Callable[[Any], Any] = _same
    from_wire: Callable[[Any], Any] = _same

    @property
    def wire_name(self) -> str:
        """Return the field's name on the other side."""
        return self.wire or self.name

    @property
    def always(self) -> bool:
        """Return whether a record always has a value here: clearing it would store no, 0 or an impossible choice."""
        unset = self.type in _NUMBERS or self.type == "bool" or bool(self.choices)
        return self.required or (unset and self.clear is False and not self.option_only)

    def argument(self) -> dict[str, Any]:
        """Return the option's entry in an Ansible argument spec."""
        spec: dict[str, Any] = {"type": self.type}
        if self.elements:
            spec["elements"] = self.elements
        if self.choices:
            spec["choices"] = list(self.choices)
        if self.secret:
            spec["no_log"] = True
        elif "pass" in self.name or "key" in self.name:
            spec["no_log"] = False
        return spec


@dataclass(frozen=True)
class Resource:
    """An object that is managed: where it lives, its fields, and which of them identify it.

    `twin` names fields by which two records are the same thing under different names: a new one that has such a twin
    may adopt it. A subclass adds what holds between options (`check_item`) and what a version needs. `standing` records
    are made and deleted by others, and only changed here.
    """

    standing: ClassVar[bool] = False

    model: str
    label: str
    plural: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    twin: tuple[str, ...] = ()

    def field(self, name: str) -> Field:
        """Return a field by its option name."""
        return next(field for field in self.fields if field.name == name)

    @property
    def secrets(self) -> list[str]:
        """Return the option names that are secret."""
        return [field.name for field in self.fields if field.secret]

    @property
    def given(self) -> list[Field]:
        """Return the fields that are options."""
        return [field for field in self.fields if not field.internal]

    def item_spec(self) -> dict[str, dict[str, Any]]:
        """Return the argument spec of one record; the key's first field is required."""
        spec = {field.name: field.argument() for field in self.given}
        spec[self.key[0]]["required"] = True
        return spec

    def check(self, item: Mapping[str, Any], place: str) -> Record:
        """Return the item in canonical form, without asking any server.

        `item` holds only what was given; None means "clear". `place` names the item in errors, such as
        `servers[2]`. Raises ValidationError for an unknown option, a wrong type or value.
        """
        known = {field.name: field for field in self.given}
        checked: Record = {}
        for name, value in item.items():
            if name not in known:
                raise ValidationError(
                    f"{place}.{name}: a {self.label} has no such option", f"It has: {', '.join(sorted(known))}."
                )
            if value is None and (name in self.key or known[name].always):
                raise ValidationError(f"{place}.{name} cannot be empty")
            checked[name] = None if value is None else self._checked(known[name], value, f"{place}.{name}")
        if not checked.get(self.key[0]):
            raise ValidationError(f"{place} has no {self.key[0]}")
        self.check_item(checked, place)
        return checked

    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Check what must hold between the options of one item; raise ValidationError naming `place`."""

    def check_change(self, given: Mapping[str, Any], record: Mapping[str, Any], place: str) -> None:
        """Check the record as the change would leave it, `given` being what the task says; raise ValidationError.

        A new record holds only what is given.
        """

    def complete(self, item: Mapping[str, Any], record: Mapping[str, Any] | None) -> Record:
        """Return the item with the values that follow from it, given the record as it is (None for a new one)."""
        return dict(item)

    def needed(self, item: Mapping[str, Any]) -> list[str]:
        """Return the options without which this item cannot be created."""
        return [field.name for field in self.fields if field.required]

    def is_gone(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is deleted as far as it can be: the other side keeps it."""
        return False

    def prunable(self, record: Mapping[str, Any]) -> bool:
        """Whether a prune may delete this record at all."""
        return not self.standing

    def _checked(self, field: Field, value: Any, place: str) -> Any:
        number = field.type in _NUMBERS
        if not isinstance(value, _TYPES[field.type]) or (number and isinstance(value, bool)):
            shown = "a secret" if field.secret else repr(value)
            raise ValidationError(f"{place} is {shown}, which is no {_TYPE_NAMES[field.type]}")
        if number and not _storable(field, value):
            raise ValidationError(f"{place} is {value}, which cannot be stored")
        if field.choices and value not in field.choices:
            raise ValidationError(f"{place} is {value!r}", f"It must be one of: {', '.join(map(str, field.choices))}.")
        try:
            return field.normalize(value)
        except ValueError as error:
            # A private key may have been given by mistake where something public belongs.
            shown = "" if field.secret or "PRIVATE KEY" in str(value) else f" is {value!r}:"
            raise ValidationError(f"{place}{shown} {error}") from None

    def key_of(self, item: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the values that identify an item."""
        return tuple(item.get(name) for name in self.key)

    def identity(self, item: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the values of `twin`, whatever their case; None if the first is not set."""
        if not self.twin or item.get(self.twin[0]) is None:
            return None
        values = (item.get(name) for name in self.twin)
        return tuple(value.casefold() if isinstance(value, str) else value for value in values)

    def name_of(self, item: Mapping[str, Any]) -> str:
        """Return how messages name an item."""
        return " @ ".join(str(part) for part in self.key_of(item) if part is not None)


_NUMBERS = ("int", "float")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict,
}  # fmt: skip
_TYPE_NAMES = {
    "str": "text", "int": "whole number", "float": "number", "bool": "yes/no value", "list": "list",
    "dict": "dictionary",
}  # fmt: skip


def _storable(field: Field, value: Any) -> bool:
    return bool(abs(value) <= (LARGEST if field.type == "int" else sys.float_info.max))


def duplicates(keys: Iterable[Any]) -> list[Any]:
    """Return the keys that occur more than once, in order of their second occurrence."""
    seen: set[Any] = set()
    twice: list[Any] = []
    for key in keys:
        if key in seen and key not in twice:
            twice.append(key)
        seen.add(key)
    return twice


def unknown_keys(section: Mapping[str, Any], place: str, known: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each key of a section that is not known; `place` is what stands before the key."""
    for key in section:
        if key not in known:
            yield f"{place}{key} is unknown; known are: {', '.join(sorted(known))}"
