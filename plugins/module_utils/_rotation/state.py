# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the rotation of a secret is, read from the vault alone, and what each move writes there. Pure.

    idle ──begin──▶ pending ──switch──▶ switched ──finish──▶ idle
                       └──undo──▶ idle

`K_rotation` is there from the first write to the last, so it is also what keeps two runs apart. Two ways lead in beside
this: an administrator writes `K_next` by hand (offered), and a value that only its provider can make is missing until
it was made (begun, then the move `made`). All that is done in a phase may be done again.

`held` has a secret's variables by name, None or "" where one is not there. A move returns what to write, and what must
be there still, which is all that was read: it is one write of several variables, compared first.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import (
    BRIDGE_TOKEN,
    GIVEN,
    IN_PLACE,
    NAMED,
    ODOO_API_KEY,
    PAIR,
    Secret,
    alternate,
)

Held = Mapping[str, "str | None"]

IDLE, OFFERED, BEGUN, PENDING, SWITCHED = "idle", "offered", "begun", "pending", "switched"
# What K_rotation says beside these: the pending value was written by hand, so an undo leaves it.
BY_HAND = "by-hand"
STEPS = (BEGUN, PENDING, BY_HAND, SWITCHED)
# How long a run on another host, of which nobody here can tell whether it lives, keeps others out.
PATIENCE = timedelta(hours=1)


@dataclass(frozen=True)
class Run:
    """A run: `run` tells it from others that had the same process id on this host."""

    run: str
    host: str
    pid: int


@dataclass(frozen=True)
class Rotation:
    """What K_rotation says: who rotates, since when (RFC 3339), and how far (one of STEPS)."""

    by: Run
    started: str
    step: str

    def __str__(self) -> str:
        return f"{self.by.run} {self.by.host} {self.by.pid} {self.started} {self.step}"


@dataclass(frozen=True)
class Write:
    """One write: the variables' new values (None: removed), and what must be there before it."""

    changes: dict[str, str | None] = field(repr=False)
    expected: dict[str, str | None] = field(repr=False)


def timestamp(now: datetime) -> str:
    """Return a time as RFC 3339 has it, in UTC, to the second."""
    return now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str, name: str) -> datetime:
    """Return the time that a variable holds; ValidationError, naming the variable, if it holds none."""
    try:
        # Python 3.10 does not know the Z.
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise ValidationError(f"{name} is not a time like 2026-01-31T12:00:00Z", "Correct it.") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def rotation(secret: Secret, held: Held) -> Rotation | None:
    """Return who rotates the secret, None if nobody does; ValidationError for a text of another form."""
    name = secret.variables.rotation
    text = held.get(name)
    if not text:
        return None
    parts = text.split()
    if len(parts) != 5 or not parts[2].isdecimal() or parts[4] not in STEPS:
        raise ValidationError(
            f"{name} is not what a rotation writes", "Restore the file from a backup, or look what is in force."
        )
    moment(parts[3], name)
    return Rotation(Run(parts[0], parts[1], int(parts[2])), parts[3], parts[4])


def phase(secret: Secret, held: Held) -> str:
    """Return how far the rotation is.

    Raises NotFoundError where there is no current value, ValidationError where K_rotation is of another form.
    """
    names = secret.variables
    if not held.get(names.current):
        raise NotFoundError(f"{names.current} is not in {secret.file}", "Correct the file's name; site.yml goes first.")
    found = rotation(secret, held)
    left = held.get(names.previous) or (names.former and held.get(names.former))
    # Without K_rotation, which somebody removed, what is left is still put away first.
    if (found and found.step == SWITCHED) or (not found and left):
        return SWITCHED
    if found:
        return PENDING if held.get(names.next) else BEGUN
    return OFFERED if held.get(names.next) else IDLE


def active(secret: Secret, held: Held) -> str:
    """Return the name that the current value is for, "" for a kind without names."""
    names = secret.variables
    return (held.get(names.active) or secret.base) if names.active else ""


def next_active(secret: Secret, held: Held) -> str:
    """Return the name that the next value is or would be for, "" for a kind without names and one that is not known."""
    names = secret.variables
    if not names.active:
        return ""
    if secret.strategy != PAIR:
        return active(secret, held)
    given = held.get(names.next_active) or ""
    by_hand = phase(secret, held) == OFFERED or by_administrator(secret, held)
    # Under which name somebody made a key cannot be guessed; a login is made by this run.
    if given or secret.kind == GIVEN or (by_hand and secret.kind == ODOO_API_KEY):
        return given
    return alternate(secret.base, active(secret, held))


def by_administrator(secret: Secret, held: Held) -> bool:
    """Return whether the pending value was written by hand."""
    found = rotation(secret, held)
    return bool(found and found.step == BY_HAND)


def check_free(found: Rotation, me: Run, alive: bool, now: datetime, take_over: bool = False) -> None:
    """Raise ConflictError unless this run may carry on with a rotation.

    It may if it is its own, if the run that did it is dead (`alive`: a process of this host has its id and is the same
    one), and if that ran on another host more than an hour ago, or `take_over` says that it is dead.
    """
    if found.by == me:
        return
    since = moment(found.started, "K_rotation")
    who = f"it is being rotated already, by process {found.by.pid} on {found.by.host} since {found.started}"
    if found.by.host == me.host:
        if alive:
            raise ConflictError(who, "Wait until that has come to its end.")
    elif now - since < PATIENCE and not take_over:
        raise ConflictError(
            f"{who}, and whether that still runs cannot be seen from here",
            f"Wait until {timestamp(since + PATIENCE)}, or say take_over (-e rotate_take_over=true) if it does not.",
        )


def check_known(held: Held, known: Mapping[str, str]) -> None:
    """Raise ConflictError if a variable is not what a run knows of it any more ("" for one that is not there)."""
    changed = [name for name, value in known.items() if not _same(held.get(name) or "", value)]
    if changed:
        raise ConflictError(
            f"somebody has changed {', '.join(changed)} since this run looked",
            "See who else writes there, and run again.",
        )


def begin(secret: Secret, held: Held, me: Run, now: datetime, value: str | None = None) -> Write:
    """Begin a rotation with `value`, or with the one that is offered; None where the provider makes it.

    Raises ConflictError where one has begun, ValidationError where there is no new value.
    """
    names, at = secret.variables, _phase(secret, held, IDLE, OFFERED)
    if at == IDLE and secret.kind == GIVEN:
        raise ValidationError(
            f"{names.next} is not in {secret.file}", "Have the provider make a new one and write it there."
        )
    new = held.get(names.next) if at == OFFERED else value
    if not new and secret.kind != ODOO_API_KEY:
        raise ValidationError(f"there is no new value for {names.current}")
    if new and _same(new, held.get(names.current) or ""):
        raise ValidationError(f"{names.next} is the same as {names.current}", "Write a new one there, or remove it.")
    step = BY_HAND if at == OFFERED else PENDING if new else BEGUN
    changes = {names.rotation: str(Rotation(me, timestamp(now), step)), names.next: new or None}
    if secret.kind in NAMED:
        other = next_active(secret, held)
        changes[names.next_active] = other if other and secret.strategy == PAIR else None
    return _write(secret, held, changes)


def take(secret: Secret, held: Held, me: Run, now: datetime, value: str | None = None) -> Write:
    """Carry on with a rotation that has begun, in the name of this run; `check_free` is asked before.

    `value` is for one whose pending value is not there, because somebody removed it.
    """
    at, names = _phase(secret, held, BEGUN, PENDING, SWITCHED), secret.variables
    found = rotation(secret, held)
    step = found.step if found else at
    if at != BEGUN or not value:
        return _write(secret, held, {names.rotation: str(Rotation(me, timestamp(now), step))})
    return _write(secret, held, {names.rotation: str(Rotation(me, timestamp(now), PENDING)), names.next: value})


def made(secret: Secret, held: Held, me: Run, value: str) -> Write:
    """Keep the key that Odoo made, before anything uses it.

    It may take the place of one that Odoo takes no more, as an undoing that was killed leaves it.
    """
    _phase(secret, held, BEGUN, PENDING)
    found, names = _own(secret, held, me), secret.variables
    if secret.kind != ODOO_API_KEY or by_administrator(secret, held):
        raise ConflictError(f"the pending value of {secret.name} is not one that Odoo makes")
    if not value or _same(value, held.get(names.current) or ""):
        raise ValidationError(f"there is no new value for {secret.name}")
    return _write(secret, held, {names.next: value, names.rotation: str(replace(found, step=PENDING))})


def switch(secret: Secret, held: Held, me: Run, now: datetime) -> Write:
    """Make the pending value the current one, once all that uses it has it and it was proved.

    What is to be put away is kept until `finish`: a token that both sides still accept, the name of a login or key.
    """
    _phase(secret, held, PENDING)
    found, names = _own(secret, held, me), secret.variables
    changes: dict[str, str | None] = {
        names.current: held[names.next],
        names.next: None,
        names.rotated: timestamp(now),
        names.rotation: str(replace(found, step=SWITCHED)),
    }
    if secret.kind == BRIDGE_TOKEN:
        changes[names.previous] = held[names.current]
    if names.active:
        old, new = active(secret, held), held.get(names.next_active) or ""
        changes[names.next_active] = None
        if new:
            changes[names.active] = new
        # A name that is the same, or not known, may be what is in force now: nothing is removed under it.
        changes[names.former] = old if new and new != old else None
    return _write(secret, held, changes)


def finish(secret: Secret, held: Held, me: Run) -> Write:
    """End a rotation of which nothing is left to put away."""
    _phase(secret, held, SWITCHED)
    _own(secret, held, me)
    names = secret.variables
    left = [name for name in (names.previous, names.former, names.rotation) if name]
    return _write(secret, held, dict.fromkeys(left))


def undo(secret: Secret, held: Held, me: Run) -> Write:
    """End a rotation that nothing has of any more; a value that was written by hand stays."""
    _phase(secret, held, BEGUN, PENDING)
    _own(secret, held, me)
    names = secret.variables
    kept = by_administrator(secret, held)
    gone = [names.rotation, *([] if kept else [name for name in (names.next, names.next_active) if name])]
    return _write(secret, held, dict.fromkeys(gone))


def applied(held: Held, write: Write) -> dict[str, str | None]:
    """Return the variables after a write; ConflictError if something else is there than it expects."""
    if any((held.get(name) or None) != (value or None) for name, value in write.expected.items()):
        raise ConflictError("the vault is not what this run knows of")
    return {**held, **write.changes}


def in_force(secret: Secret, held: Held) -> str:
    """Return as a sentence what is in force, for the report of a failure."""
    name, at = active(secret, held), phase(secret, held)
    current = f"{secret.name} of {secret.file}" + (f", for {name}" if name else "")
    if at == SWITCHED:
        return f"In force is the new {current}; what is left of the old one is put away by the next run."
    if at in (BEGUN, PENDING) and secret.strategy == IN_PLACE:
        return f"In force is the old or the pending {current}; the next run finds out which, and carries on."
    if at in (BEGUN, PENDING):
        return f"In force is still the old {current}; the next run carries on."
    return f"In force is {current}."


def _write(secret: Secret, held: Held, changes: dict[str, str | None]) -> Write:
    return Write(changes, {name: held.get(name) or None for name in secret.variables.all()})


def _phase(secret: Secret, held: Held, *wanted: str) -> str:
    at = phase(secret, held)
    if at not in wanted:
        raise ConflictError(f"the rotation of {secret.name} is {at}, and not {' or '.join(wanted)}", "Run again.")
    return at


def _own(secret: Secret, held: Held, me: Run) -> Rotation:
    found = rotation(secret, held)
    if found is None or found.by != me:
        raise ConflictError(f"another run has taken over the rotation of {secret.name}", "Wait for its end.")
    return found


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
