# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply: batched, and truthful when something fails half-way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import CHUNK, apply
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import TemporaryError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change


class Table:
    """A store that refuses some names, as a database does: a refused call leaves nothing behind."""

    def __init__(self, refused: Sequence[str] = (), breaks_at: str = "") -> None:
        self.refused = refused
        self.breaks_at = breaks_at
        self.names: list[str] = []
        self.calls: list[tuple[str, int]] = []

    def create(self, records: Sequence[dict[str, Any]]) -> list[int]:
        self.calls.append(("create", len(records)))
        names = [record["name"] for record in records]
        if self.breaks_at in names:
            raise TemporaryError("no answer")
        if any(name in self.refused for name in names):
            raise ValidationError("one of them is wrong")
        self.names += names
        return [ord(name[0]) for name in names]

    def write(self, ids: Sequence[int], values: dict[str, Any]) -> None:
        self.calls.append(("write", len(ids)))

    def delete(self, ids: Sequence[int]) -> None:
        self.calls.append(("delete", len(ids)))


def creations(*names: str) -> list[Change]:
    return [Change("create", name, {"name": name}) for name in names]


def test_creations_go_in_chunks() -> None:
    table = Table()
    outcome = apply(creations(*(str(number) for number in range(2 * CHUNK + 1))), table)
    assert table.calls == [("create", CHUNK), ("create", CHUNK), ("create", 1)]
    assert outcome.error is None
    assert len(outcome.applied) == 2 * CHUNK + 1


def test_updates_with_equal_values_are_one_write() -> None:
    table = Table()
    apply([Change("update", str(number), {"size": number % 2}, {}, number) for number in range(1, 7)], table)
    assert table.calls == [("write", 3), ("write", 3)]


def test_a_refused_chunk_is_replayed_to_the_first_error_and_reported() -> None:
    table = Table(refused=["c"])
    outcome = apply([*creations("a", "b", "c", "d"), Change("delete", "z", id=9)], table)
    assert table.names == ["a", "b"] == [change.name for change in outcome.applied]
    assert [change.id for change in outcome.applied] == [ord("a"), ord("b")]
    assert outcome.failed is not None
    assert outcome.failed.name == "c"
    assert [change.name for change in outcome.remaining] == ["d", "z"]
    assert table.calls == [("create", 4), ("create", 1), ("create", 1), ("create", 1)]


def test_a_call_whose_outcome_is_unknown_is_not_repeated() -> None:
    table = Table(breaks_at="b")
    outcome = apply(creations("a", "b"), table)
    assert table.calls == [("create", 2)]
    assert [change.name for change in outcome.uncertain] == ["a", "b"]
    assert outcome.applied == []
