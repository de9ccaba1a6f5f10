# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure heart: what must change so that the records are as desired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import CHANGED, HIDDEN, redact_record
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record, Resource, duplicates


@dataclass(frozen=True)
class Existing:
    """A record as it is: its id on the other side, and its values in canonical form.

    `key` is that of the item which means this record, where the record's own differs: it is about to be renamed.
    """

    id: int
    values: Record
    key: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Change:
    """One step. `values` holds what is written (create: all, update: only what differs, delete: nothing)."""

    action: str
    name: str
    values: Record = field(default_factory=dict)
    before: Record = field(default_factory=dict)
    id: int = 0

    def shown(self, resource: Resource) -> dict[str, Any]:
        """Return the change as results show it, without secrets."""
        before = redact_record(self.before, resource.secrets)
        after: Record = {}
        if self.action != "delete":
            after = {**before, **redact_record(self.values, resource.secrets)}
            for name in resource.secrets:
                if name in self.values and self.before.get(name):
                    after[name] = CHANGED if self.values[name] else None
        return {"action": self.action, "name": self.name, "before": before, "after": after}


def plan(
    resource: Resource,
    desired: Sequence[Mapping[str, Any]],
    current: Sequence[Existing],
    *,
    absent: bool = False,
    prune: bool = False,
    prune_limit: int = 0,
    adopt: bool | None = None,
) -> list[Change]:
    """Return the changes that make `current` as `desired`; creations first, deletions last.

    A desired value that is missing is left alone, None clears. With `absent` the desired records are deleted.
    With `prune` every current record in the resource's scope that is not desired is deleted, at most `prune_limit`.
    A new record that is there under another name (the resource's `twin`) is an error, unless `adopt` says whether that
    one is renamed and changed (true) or a second one created (false).
    Raises ConflictError for a key that occurs twice on either side or a twin, ValidationError for a new record that
    lacks a required value or a prune over its limit.
    """
    keys = [resource.key_of(item) for item in desired]
    for key in duplicates(keys):
        raise ConflictError(f"{resource.plural}: {_text(key)} is given more than once", "Keep one of them.")
    by_key: dict[tuple[Any, ...], list[Existing]] = {}
    for record in current:
        by_key.setdefault(record.key or resource.key_of(record.values), []).append(record)
    twins = _Twins(resource, current, set(keys), adopt)
    changes: list[Change] = []
    for item, key in zip(desired, keys, strict=True):
        found = by_key.get(key, [])
        if len(found) > 1:
            ids = ", ".join(str(record.id) for record in found)
            raise ConflictError(
                f"{resource.label} {_text(key)} exists {len(found)} times (ids {ids})",
                "Rename or delete all but one of them, archived ones included.",
            )
        existing = found[0] if found else None
        if existing is None and not absent:
            existing = twins.adopted(item)
        changes.extend(_change(resource, item, existing, absent))
    if prune:
        changes.extend(_pruned(resource, by_key, set(keys) | twins.taken, prune_limit))
    order = {"create": 0, "update": 1, "delete": 2}
    return sorted(changes, key=lambda change: order[change.action])


class _Twins:
    """The current records that nobody asks for by name, by what else tells them; `taken` has the adopted ones' keys."""

    def __init__(
        self, resource: Resource, current: Sequence[Existing], wanted: set[tuple[Any, ...]], adopt: bool | None
    ) -> None:
        self.taken: set[tuple[Any, ...]] = set()
        self._resource = resource
        self._adopt = adopt
        self._known: dict[tuple[Any, ...], list[Existing]] = {}
        for record in current:
            identity = resource.identity(record.values)
            if adopt is not False and identity and resource.key_of(record.values) not in wanted:
                self._known.setdefault(identity, []).append(record)

    def adopted(self, item: Mapping[str, Any]) -> Existing | None:
        """Return the record that the new item adopts, if there is one."""
        resource = self._resource
        identity = resource.identity(resource.complete(item, None))
        found = self._known.pop(identity, []) if identity else []
        if not found:
            return None
        if self._adopt and len(found) == 1:
            self.taken.add(resource.key_of(found[0].values))
            return found[0]
        names = ", ".join(f"{resource.name_of(record.values)!r} (id {record.id})" for record in found)
        raise ConflictError(
            f"{resource.label} {resource.name_of(item)!r} does not exist yet, but {names} "
            + f"{'have' if len(found) > 1 else 'has'} the same {', '.join(resource.twin)}",
            "Which of them is meant? Rename that one in Odoo, or say adopt: false for one more."
            if len(found) > 1
            else "Say adopt: true to rename and change that one, or adopt: false for one more beside it.",
        )


def _change(resource: Resource, item: Mapping[str, Any], found: Existing | None, absent: bool) -> list[Change]:
    name = resource.name_of(item)
    if absent:
        return [_deletion(resource, found)] if found and not resource.is_gone(found.values) else []
    wanted = resource.complete(item, found.values if found else None)
    if found is None:
        record = {key: value for key, value in wanted.items() if value is not None}  # nothing to clear yet
        missing = [option for option in resource.needed(record) if record.get(option) in (None, "")]
        if missing:
            raise ValidationError(
                f"{resource.label} {name} does not exist yet, and to create it these are needed: {', '.join(missing)}"
            )
        resource.check_change(record, record, f"{resource.label} {name}")
        return [Change("create", name, record)]
    differing = {key: value for key, value in wanted.items() if value != found.values.get(key)}
    if not differing:
        return []
    resource.check_change(wanted, {**found.values, **wanted}, f"{resource.label} {name}")
    return [Change("update", name, differing, found.values, found.id)]


def _deletion(resource: Resource, record: Existing) -> Change:
    return Change("delete", resource.name_of(record.values), {}, record.values, record.id)


def _pruned(
    resource: Resource, by_key: Mapping[tuple[Any, ...], Sequence[Existing]], kept: set[tuple[Any, ...]], limit: int
) -> list[Change]:
    surplus = [
        record
        for key, records in by_key.items()
        if key not in kept
        for record in records
        if resource.prunable(record.values)
    ]
    if len(surplus) > limit:
        names = ", ".join(resource.name_of(record.values) for record in surplus[:20])
        raise ValidationError(
            f"prune would delete {len(surplus)} {resource.plural}, more than prune_limit ({limit}): {names}",
            "Look at the list; raise prune_limit if all of them should go.",
        )
    return [_deletion(resource, record) for record in surplus]


def difference(resource: Resource, changes: Sequence[Change]) -> dict[str, str]:
    """Return Ansible's `diff` for the changes: one block a record, secrets hidden."""
    sides: dict[str, list[str]] = {"before": [], "after": []}
    for change in changes:
        shown = change.shown(resource)
        for side, lines in sides.items():
            values = shown[side]
            if not values:
                continue
            names = sorted(change.values) if change.action == "update" else sorted(values)
            lines.append(f"{resource.label} {change.name}:\n")
            lines.extend(f"  {name}: {_shown(values.get(name))}\n" for name in names)
    return {side: "".join(lines) for side, lines in sides.items()}


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value if value in (HIDDEN, CHANGED) else repr(value)
    return "(not set)" if value is None else str(value)


def _text(key: Sequence[Any]) -> str:
    return " @ ".join(str(part) for part in key if part is not None)
