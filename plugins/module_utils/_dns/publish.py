# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read, plan, apply; and anew where another writer was faster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import (
    Backend,
    Change,
    Key,
    Raced,
    RecordSet,
    Wish,
    plan,
)

# So often another writer may be faster.
TRIES = 5


@dataclass
class Outcome:
    """What was planned and done. `applied` are the changes carried out, `remaining` those that were not.

    `there` is what there is after that for each key that a wish was for; in check mode what there would be.
    """

    applied: list[Change] = field(default_factory=list)
    remaining: list[Change] = field(default_factory=list)
    there: dict[Key, RecordSet] = field(default_factory=dict)
    error: MailopsError | None = None


def publish(backend: Backend, wishes: Sequence[Wish], check_mode: bool) -> Outcome:
    """Fulfil wishes. In check mode nothing is written, and `applied` is what would be.

    What fails for certain before the first write is raised; after that it is in the outcome, with what was done.
    """
    outcome = Outcome()
    # What was there before something was written that is not among what is done.
    begun: dict[Key, RecordSet] = {}
    keys = list(dict.fromkeys(wish.key for wish in wishes))
    for _try in range(TRIES):
        try:
            there = backend.read(keys)
            changes = plan(wishes, there)
            backend.check(changes)
        except MailopsError as error:
            if not outcome.applied and not begun:
                raise
            return _failed(outcome, error, bool(begun))
        outcome.there = dict(there)
        outcome.remaining = list(changes)
        try:
            for change in changes if check_mode else backend.apply(changes):
                outcome.applied.append(change)
                outcome.remaining.remove(change)
                outcome.there[change.key] = change.after
        except Raced as raced:
            for change in raced.begun:
                begun.setdefault(change.key, change.before)
            continue
        except MailopsError as error:
            return _failed(outcome, error, bool(begun))
        _add_begun(outcome, begun)
        return outcome
    lost = ConflictError(
        f"another writer changed the same record sets {TRIES} times while this task wrote: "
        f"{', '.join(change.key.shown() for change in outcome.remaining)}",
        "Run the task again.",
    )
    return _failed(outcome, lost, bool(begun))


def _add_begun(outcome: Outcome, begun: Mapping[Key, RecordSet]) -> None:
    """Add what was begun, lost a race, and turned out to be all there was to do when it was planned anew."""
    done = {change.key for change in outcome.applied}
    for key, before in begun.items():
        now = outcome.there[key]
        if key not in done and (now.values, now.ttl) != (before.values, before.ttl):
            outcome.applied.append(Change(key, before, now))


def _failed(outcome: Outcome, error: MailopsError, uncertain: bool) -> Outcome:
    """Return the outcome with the error, which is raised if it is certain that nothing was written."""
    error.definite = error.definite and not uncertain
    if error.definite and not outcome.applied:
        raise error
    outcome.error = error
    return outcome
