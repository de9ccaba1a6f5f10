# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resource in Odoo adds to the engine's: fitting items to what this database can express."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome, Store, apply
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Resource
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient


@dataclass
class Known:
    """What was read about the database: the model's fields, and per referencing option name → id.

    `details` has, per referencing option, name → the fields that its reference asks for (`also`).
    """

    fields: Mapping[str, Mapping[str, Any]]
    references: dict[str, dict[str, int]]
    details: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)

    def has(self, field: Field) -> bool:
        """Whether this Odoo has the field behind an option."""
        return not field.option_only and field.wire_name in self.fields

    def choices(self, field: Field) -> list[str]:
        """Return the values a selection field may have on this Odoo."""
        return [value for value, _label in self.fields.get(field.wire_name, {}).get("selection") or []]


@dataclass(frozen=True)
class Loaded:
    """The desired items made fit for this database, what is there, and what is known about the database."""

    desired: list[Record]
    current: list[Existing]
    warnings: list[str]
    known: Known = field(default_factory=lambda: Known({}, {}))


class OdooSide(Store, Protocol):
    """Where a resource's records are: read and written in canonical form."""

    def load(self, items: Sequence[Record], *, every: bool = False, check_mode: bool = False) -> Loaded:
        """Read what the items name (with `every`: all records)."""


@dataclass(frozen=True)
class OdooResource(Resource):
    """A Resource whose records live in an Odoo model; the methods are where a version's quirks go."""

    def prepare(self, item: Record, known: Known) -> tuple[Record, list[str]]:
        """Return the item as this database can express it, and warnings about what it cannot do."""
        return item, []

    def exported(self, record: Record, known: Known) -> Record | None:
        """Return the record as a task would give it; None if no task can (a record without a name).

        What this returns for a record, `prepare` turns into the record's values again.
        """
        if not record.get(self.key[0]):
            return None
        return {option: record[option] for option in self.item_spec() if option in record}

    def domain(self, items: Sequence[Record]) -> list[Any]:
        """Return which records the plan for these (at least one) items needs to know."""
        field = self.field(self.key[0])
        return [(field.wire_name, "in", sorted({item[field.name] for item in items}))]

    def check_with(self, client: OdooClient, items: Sequence[Record]) -> None:
        """Check the items with further questions to Odoo; raise ValidationError."""

    def remarks(self, client: OdooClient, desired: Sequence[Record], current: Sequence[Existing]) -> list[str]:
        """Return warnings about the records as the run leaves them; the `_info` module gives them too."""
        return []

    def options(self) -> dict[str, dict[str, Any]]:
        """Return the argument spec of what the modules take beside the records and their state."""
        return {}

    def open(self, client: OdooClient) -> OdooSide:
        """Return where this database keeps the records: the model, unless a version has none."""
        from ansible_collections.mailops.odoo.plugins.module_utils._odoo.store import OdooStore

        return OdooStore(client, self)

    def guard(self, client: OdooClient, changes: Sequence[Change], options: Mapping[str, Any]) -> list[str]:
        """Refuse changes that would break mail flow (raise a MailopsError); return warnings.

        Runs in check mode too, before anything is written; `options` are the module's parameters, with `restoring` when
        a snapshot is put back: what was there before may be so again.
        """
        return []

    def carry_out(self, side: Store, changes: Sequence[Change], options: Mapping[str, Any]) -> Outcome:
        """Carry out the changes; a resource whose records may be busy waits for them here."""
        return apply(changes, side)

    def settle(
        self, client: OdooClient, side: OdooSide, outcome: Outcome, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Do what must follow the writes, such as a test; return further results of the module.

        What has to be undone is undone through `side` and taken out of `outcome.applied`, with `outcome.error` and
        `outcome.failed` saying why.
        """
        return {}


def make(
    resource: OdooResource,
    client: OdooClient,
    side: OdooSide,
    changes: Sequence[Change],
    options: Mapping[str, Any],
) -> tuple[Outcome, dict[str, Any]]:
    """Make the changes and do what must follow; return the outcome, and further results of the module.

    What is to go goes last, when what takes its place has passed its test.
    """
    deletions = [change for change in changes if change.action == "delete"]
    outcome = resource.carry_out(side, [change for change in changes if change.action != "delete"], options)
    further = resource.settle(client, side, outcome, options)
    if outcome.error:
        outcome.remaining.extend(deletions)
        return outcome, further
    gone = resource.carry_out(side, deletions, options)
    return replace(gone, applied=outcome.applied + gone.applied), further
