# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting the mail settings back to a snapshot, as a whole: planned and checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    MailopsError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record, Resource
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.catalogue import CATALOGUE
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Loaded, OdooSide
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.settings import Done, Part, options_for


@dataclass(frozen=True)
class Wanted:
    """A record as it was: its id then, its values without secrets, and which secrets it had."""

    id: int
    values: Record
    secrets: Sequence[str]


class Restore:
    """The way back of one database; `options` are the module's."""

    def __init__(self, client: OdooClient, snapshot: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self._client = client
        self._snapshot = snapshot
        self._options = {**options, "restoring": True}

    def plan(self) -> list[Part]:
        """Return everything that must change, in the catalogue's order; raise a MailopsError if some of it cannot.

        A record that is referred to may be one that is made again here, so it is taken for granted as in check mode.
        """
        unknown = set(self._snapshot["settings"]) - set(CATALOGUE)
        if unknown:
            raise ValidationError(f"the snapshot has settings this release does not know: {', '.join(sorted(unknown))}")
        return [self._planned(key) for key in CATALOGUE if key in self._snapshot["settings"]]

    def carry_out(self, planned: Sequence[Part]) -> list[Done]:
        """Make the changes: what is referred to is made first and deleted last; stop at the first error."""
        done: list[Done] = []
        # Read again one after the other: now what an earlier one made is there to be referred to.
        parts = []
        for part in planned:
            if done and done[-1].outcome.error:
                break
            try:
                fresh = self._part(part.key, check_mode=False) if part.changes else part
            except MailopsError as error:
                done.append(Done(part, Outcome(error=error)))
                break
            parts.append(fresh)
            done.append(self._apply(fresh, [step for step in fresh.changes if step.action != "delete"]))
        for part in reversed(parts):
            if done[-1].outcome.error:
                break
            done.append(self._apply(part, [step for step in part.changes if step.action == "delete"]))
        return done

    def _apply(self, part: Part, changes: Sequence[Change]) -> Done:
        options = options_for(part.resource, self._options)
        outcome = part.resource.carry_out(part.side, changes, options)
        # Without its password no server could log in; and to send a test is nothing that a way back should depend on.
        if changes and not part.missing:
            part.resource.settle(self._client, part.side, outcome, {**options, "test": "never"})
        return Done(part, outcome)

    def _planned(self, key: str) -> Part:
        """Return what must change of one entry: nothing, with warnings, if its model has gone with its app."""
        try:
            return self._part(key, check_mode=True)
        except MailopsError as error:
            resource = CATALOGUE[key]
            there = self._client.search_read("ir.model", [("model", "=", resource.model)], ["model"])
            # Up to 16, alias domains have no model; what is wrong with their values is no matter of apps.
            if there or isinstance(error, (ValidationError, ConflictError)):
                raise
            names = [resource.name_of(record["values"]) for record in self._snapshot["settings"][key]]
            warnings = [
                f"{resource.label} {name} cannot be put back: this Odoo has no {resource.model} any more. "
                "Is the app that brings it installed?"
                for name in names
            ]
            return Part(key, resource, resource.open(self._client), [], warnings)

    def _part(self, key: str, *, check_mode: bool) -> Part:
        resource = CATALOGUE[key]
        side = resource.open(self._client)
        wanted = [Wanted(**record) for record in self._snapshot["settings"][key]]
        warnings = []
        if resource.standing:
            wanted, gone = _still_there(resource, wanted, side.load([], every=True).current)
            warnings = [f"{resource.label} {name} is not there any more, and is not made here" for name in gone]
        loaded, fitting, unfit = _load(side, wanted, check_mode)
        warnings += [
            f"{resource.label} {resource.name_of(record.values)} cannot be put back, and is left as it is: {why}"
            for record, why in unfit
        ]
        prepared = [
            Wanted(record.id, values, record.secrets) for record, values in zip(fitting, loaded.desired, strict=True)
        ]
        concerned = self._concerned(key, loaded, prepared, [record for record, _why in unfit])
        changes, missing = way_back(resource, prepared, concerned, self._options["prune_limit"])
        warnings += resource.guard(self._client, changes, options_for(resource, self._options))
        return Part(key, resource, side, changes, warnings, missing)

    def _concerned(self, key: str, loaded: Loaded, wanted: Sequence[Wanted], unfit: Sequence[Wanted]) -> list[Existing]:
        """Return the present records that are put back, or deleted because they were made since."""
        resource = CATALOGUE[key]
        names = {resource.key_of(record.values) for record in loaded.current}
        meant = {resource.key_of(record.values) for record in wanted}
        renamed = {record.id for record in wanted if resource.key_of(record.values) not in names}
        left = {tuple(name) for name in self._snapshot["left_alone"].get(key, [])}
        left |= {resource.key_of(record.values) for record in unfit}
        left_ids = {*self._snapshot["others"].get(key, []), *(record.id for record in unfit)}
        return [
            record
            for record in loaded.current
            if resource.key_of(record.values) in meant
            or record.id in renamed
            or (
                resource.key_of(record.values) not in left
                and record.id not in left_ids
                and resource.exported(record.values, loaded.known) is not None
            )
        ]


def _load(
    side: OdooSide, wanted: Sequence[Wanted], check_mode: bool
) -> tuple[Loaded, list[Wanted], list[tuple[Wanted, str]]]:
    """Return what was loaded, the records that this database can still take, and each of the others with the reason.

    What one refers to may have been deleted since: the record that an alias belongs to, or a model with its app. One
    load where all are fine; otherwise halves are tried, down to the records that are refused.
    """

    def load(records: Sequence[Wanted]) -> Loaded:
        return side.load([record.values for record in records], every=True, check_mode=check_mode)

    try:
        return load(wanted), list(wanted), []
    except (NotFoundError, ValidationError) as error:
        if not wanted:
            raise
        if len(wanted) == 1:
            return load([]), [], [(wanted[0], error.text())]
    half = len(wanted) // 2
    _loaded, first, unfit = _load(side, wanted[:half], check_mode)
    _loaded, second, further = _load(side, wanted[half:], check_mode)
    return load(first + second), first + second, unfit + further


def _still_there(
    resource: Resource, wanted: Sequence[Wanted], current: Sequence[Existing]
) -> tuple[list[Wanted], list[str]]:
    """Return the records that still exist, if under another name, and the names of the others."""
    keys, ids = {resource.key_of(record.values) for record in current}, {record.id for record in current}
    there = [record for record in wanted if resource.key_of(record.values) in keys or record.id in ids]
    return there, [resource.name_of(record.values) for record in wanted if record not in there]


def way_back(
    resource: Resource, wanted: Sequence[Wanted], current: Sequence[Existing], limit: int
) -> tuple[list[Change], list[str]]:
    """Return the changes that make `current` as it was, and the secrets that are missing then (`name: option`).

    A record is known by its key, and one that was renamed by its id. It keeps its secrets. Others are deleted, at most
    `limit`; raises ValidationError if there are more. The values were in Odoo before, so they are not checked again.
    """
    ids = {record.id for record in wanted}
    # Of several under one key the one that the snapshot knows comes last, and so is the one that is found.
    by_key = {resource.key_of(record.values): record for record in sorted(current, key=lambda one: one.id in ids)}
    taken = {by_key[key].id for key in map(resource.key_of, (record.values for record in wanted)) if key in by_key}
    by_id = {record.id: record for record in current if record.id not in taken}
    changes, missing = [], []
    for record in wanted:
        found = by_key.get(resource.key_of(record.values)) or by_id.pop(record.id, None)
        values = record.values
        if found and resource.standing:
            # A login or a company's name is no mail setting, whoever changed it since.
            values = {**values, **{key: found.values[key] for key in resource.key}}
        name = resource.name_of(values)
        missing += [f"{name}: {secret}" for secret in record.secrets if not (found and found.values.get(secret))]
        if found is None and record.secrets and set(record.values) <= set(resource.key):
            continue  # without its secret there is nothing to make
        if found is None:
            values = {key: value for key, value in values.items() if value is not None}
            changes.append(Change("create", name, values))
            continue
        differing = {key: value for key, value in values.items() if value != found.values.get(key)}
        if differing:
            changes.append(Change("update", name, differing, found.values, found.id))
    surplus = [record for record in current if record.id in by_id and resource.prunable(record.values)]
    if len(surplus) > limit:
        names = ", ".join(resource.name_of(record.values) for record in surplus[:20])
        raise ValidationError(
            f"{len(surplus)} {resource.plural} that are not in the snapshot would be deleted, "
            + f"more than prune_limit ({limit}): {names}",
            "Look at the list; raise prune_limit if all of them should go.",
        )
    changes += [Change("delete", resource.name_of(gone.values), {}, gone.values, gone.id) for gone in surplus]
    return changes, missing
