# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan: batched, and truthful about what was done when something fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record

CHUNK = 500


class Store(Protocol):
    """The side that is written to. Each method is one call, wholly done or (a definite error) not at all."""

    def create(self, records: Sequence[Record]) -> list[int]:
        """Create the records; return their ids in the same order."""

    def write(self, ids: Sequence[int], values: Record) -> None:
        """Give all these records the same values."""

    def delete(self, ids: Sequence[int]) -> None:
        """Delete the records."""


@dataclass
class Outcome:
    """What a run did: `uncertain` holds changes whose call failed without saying whether it was carried out.

    An applied creation carries the id of its record.
    """

    applied: list[Change] = field(default_factory=list)
    failed: Change | None = None
    uncertain: list[Change] = field(default_factory=list)
    remaining: list[Change] = field(default_factory=list)
    error: MailopsError | None = None


def apply(changes: Sequence[Change], store: Store) -> Outcome:
    """Carry out the changes in order; stop at the first error and report where.

    A batch that is refused is wholly unapplied and its error may not name the record, so it is replayed one by
    one. A call whose outcome is unknown is never repeated.
    """
    outcome = Outcome()
    batches = list(_batches(changes))
    for number, batch in enumerate(batches):
        _carry_out(batch, store, outcome)
        if outcome.error:
            outcome.remaining.extend(change for rest in batches[number + 1 :] for change in rest)
            break
    return outcome


def apply_each(changes: Sequence[Change], carry_out: Callable[[Change], bool]) -> Outcome:
    """Carry out the changes one by one where there are no batches; stop at the first error and report where.

    `carry_out` makes one call and returns whether anything was written: a change that was none is not reported.
    """
    outcome = Outcome()
    for number, change in enumerate(changes):
        try:
            if carry_out(change):
                outcome.applied.append(change)
        except MailopsError as error:
            outcome.error = error
            if error.definite:
                outcome.failed = change
            else:
                outcome.uncertain.append(change)
            outcome.remaining.extend(changes[number + 1 :])
            break
    return outcome


def _carry_out(batch: Sequence[Change], store: Store, outcome: Outcome) -> None:
    try:
        outcome.applied.extend(_call(batch, store))
        return
    except MailopsError as error:
        if not error.definite:
            outcome.error = error
            outcome.uncertain.extend(batch)
            return
        if len(batch) == 1:
            outcome.error = error
            outcome.failed = batch[0]
            return
    for position, change in enumerate(batch):
        _carry_out([change], store, outcome)
        if outcome.error:
            outcome.remaining.extend(batch[position + 1 :])
            return


def _call(batch: Sequence[Change], store: Store) -> Sequence[Change]:
    action = batch[0].action
    if action == "create":
        ids = store.create([change.values for change in batch])
        return [replace(change, id=number) for change, number in zip(batch, ids, strict=True)]
    if action == "update":
        store.write([change.id for change in batch], batch[0].values)
    else:
        store.delete([change.id for change in batch])
    return batch


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Yield runs of changes that one call can carry out: chunks, and updates grouped by equal values."""
    yield from _chunks([change for change in changes if change.action == "create"])
    groups: dict[str, list[Change]] = {}
    for change in changes:
        if change.action == "update":
            groups.setdefault(_fingerprint(change.values), []).append(change)
    for group in groups.values():
        yield from _chunks(group)
    yield from _chunks([change for change in changes if change.action == "delete"])


def _chunks(changes: Sequence[Change]) -> Iterator[list[Change]]:
    for start in range(0, len(changes), CHUNK):
        yield list(changes[start : start + CHUNK])


def _fingerprint(values: Mapping[str, Any]) -> str:
    return repr(sorted(values.items()))
