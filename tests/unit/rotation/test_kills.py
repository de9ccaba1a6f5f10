# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations of each kind against a small model of who knows which secret, killed and failing at any step.

A rotation is a generator that stops after each thing that it does, as the process may there. After each stop mail must
flow, also once site.yml has applied what the vault says; and from each a further run must come to the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._rotation import state
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import IN_PLACE, PAIR, Secret
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.state import Run, applied
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=timezone.utc)
LONGEST = 14  # steps that a rotation has at most, with its undoing
Stops = Iterator[None]


class Refused(Exception):
    """A step fails: the provider or Odoo says no, or does not answer."""


@dataclass
class World:
    """A vault, and what each kind of a world adds: who accepts which value, and who uses which."""

    held: dict[str, str | None] = field(default_factory=lambda: {"k": "old"})
    made: int = 0
    carried_on: bool = False

    secret = Secret("k", "given", "vault.yml", ())

    def new(self) -> str:
        self.made += 1
        return f"new-{self.made}"

    def write(self, write: state.Write) -> None:
        self.held = applied(self.held, write)

    def phase(self) -> str:
        return state.phase(self.secret, self.held)

    def active(self) -> str:
        return state.active(self.secret, self.held)

    def next_active(self) -> str:
        return state.next_active(self.secret, self.held)

    def begin(self, me: Run, value: str | None) -> None:
        self.carried_on = self.phase() not in ("idle", "offered")
        if not self.carried_on:
            self.write(state.begin(self.secret, self.held, me, NOW, value))
        else:
            self.write(state.take(self.secret, self.held, me, NOW, value))

    def rotate(self, me: Run, failing: int | None) -> Stops:
        """Rotate; the step of this number fails, and what was done is undone if that can be."""
        numbers = itertools.count()

        def stopping(steps: Stops) -> Stops:
            for _stop in steps:
                yield
                if next(numbers) == failing:
                    raise Refused

        self.begin(me, self.value())
        yield
        try:
            if self.phase() in ("begun", "pending"):
                yield from stopping(self.pending(me))
                self.write(state.switch(self.secret, self.held, me, NOW))
                yield
            yield from stopping(self.switched())
            self.write(state.finish(self.secret, self.held, me))
            yield
        except Refused:
            if self.phase() in ("begun", "pending"):
                yield from self.undone()
                self.write(state.undo(self.secret, self.held, me))
                yield

    def value(self) -> str | None:
        return self.new()

    def pending(self, me: Run) -> Stops:
        raise NotImplementedError

    def switched(self) -> Stops:
        yield from ()

    def undone(self) -> Stops:
        yield from ()

    def site(self) -> None:
        """Apply the inventory, as site.yml does between two rotations."""

    def check(self) -> None:
        """What is in force works."""
        raise NotImplementedError

    def check_over(self) -> None:
        """Nothing is left of a rotation."""
        names = self.secret.variables
        left = {name for name, value in self.held.items() if value}
        assert left - {names.active} == {names.current, names.rotated}


class Login(World):
    """Mailgun has logins, Odoo sends by one of them; `reads` are those that requests have read that still go on."""

    secret = Secret("k", "mailgun_login", "vault.yml", (), PAIR, "no-reply@mg.x")

    def __init__(self) -> None:
        super().__init__()
        self.mailgun = {"no-reply@mg.x": "old"}
        self.odoo = ("no-reply@mg.x", "old")
        self.reads = {self.odoo}

    def use(self, login: str, value: str) -> bool:
        """Let Odoo send by a login; return whether that is another one."""
        former, self.odoo = self.odoo, (login, value)
        self.reads.add(self.odoo)
        return former != self.odoo

    def wait(self) -> None:
        """Let all requests come to their end, the grace."""
        self.reads = {self.odoo}

    def pending(self, me: Run) -> Stops:
        login, value = self.next_active(), str(self.held["k_next"])
        self.mailgun[login] = value
        yield
        self.use(login, value)
        yield

    def switched(self) -> Stops:
        former = self.held.get("k_former_login")
        if former:
            self.wait()
            self.mailgun.pop(former, None)
            yield

    def undone(self) -> Stops:
        changed = self.use(self.active(), str(self.held["k"]))
        yield
        if changed or self.carried_on:
            self.wait()
        self.mailgun.pop(self.next_active(), None)
        yield

    def site(self) -> None:
        self.mailgun[self.active()] = str(self.held["k"])
        self.use(self.active(), str(self.held["k"]))

    def check(self) -> None:
        assert self.reads <= self.mailgun.items()
        assert self.mailgun[self.active()] == self.held["k"]
        assert self.odoo[1] in (self.held["k"], self.held.get("k_next"))

    def check_over(self) -> None:
        super().check_over()
        assert self.mailgun == {self.active(): self.held["k"]} and self.odoo == (self.active(), self.held["k"])


class InPlace(World):
    """Mailgun has one login; between its change and Odoo's the queue is held."""

    secret = Secret("k", "mailgun_login", "vault.yml", (), IN_PLACE, "no-reply@mg.x")

    def __init__(self) -> None:
        super().__init__()
        self.mailgun = self.odoo = "old"
        self.queue_held = False

    def pending(self, me: Run) -> Stops:
        self.queue_held = True
        yield
        self.mailgun = str(self.held["k_next"])
        yield
        self.odoo = str(self.held["k_next"])
        yield

    def switched(self) -> Stops:
        self.queue_held = False
        yield

    def undone(self) -> Stops:
        self.mailgun = str(self.held["k"])
        yield
        self.odoo = str(self.held["k"])
        yield
        self.queue_held = False
        yield

    def site(self) -> None:
        self.mailgun = self.odoo = str(self.held["k"])

    def check(self) -> None:
        assert self.queue_held or self.mailgun == self.odoo
        assert {self.mailgun, self.odoo} <= {self.held["k"], self.held.get("k_next")}
        assert self.phase() in ("begun", "pending") or self.mailgun == self.held["k"]

    def check_over(self) -> None:
        super().check_over()
        assert self.mailgun == self.odoo == self.held["k"] and not self.queue_held


class Token(World):
    """Odoo and the bridge have a token, maybe two; Odoo signs by its first, the bridge sends any that Odoo takes."""

    secret = Secret("k", "bridge_token", "vault.yml", ())

    def __init__(self) -> None:
        super().__init__()
        self.odoo, self.bridge = ["old"], ["old"]

    def inventory(self) -> list[str]:
        """Return the tokens as the inventory says them."""
        second = self.held.get("k_next") or self.held.get("k_previous")
        return [token for token in (self.held["k"], second) if token]

    def pending(self, me: Run) -> Stops:
        self.odoo = self.inventory()
        yield
        self.bridge = self.inventory()
        yield

    def switched(self) -> Stops:
        self.odoo = self.inventory()
        yield
        self.bridge = self.inventory()[:1]
        yield
        self.odoo = self.inventory()[:1]
        yield

    def undone(self) -> Stops:
        self.bridge = self.inventory()[:1]
        yield
        self.odoo = self.inventory()[:1]
        yield

    def site(self) -> None:
        self.odoo = self.inventory()
        self.check()
        self.bridge = self.inventory()

    def check(self) -> None:
        assert set(self.bridge) & set(self.odoo) and self.odoo[0] in self.bridge

    def check_over(self) -> None:
        super().check_over()
        assert self.odoo == self.bridge == [self.held["k"]]


class Key(World):
    """Odoo makes keys and says each once."""

    secret = Secret("k", "odoo_api_key", "vault.yml", (), PAIR, "mailops")

    def __init__(self) -> None:
        super().__init__()
        self.odoo = {"mailops": "old"}

    def value(self) -> None:
        return None

    def pending(self, me: Run) -> Stops:
        # Begun, or its key was removed by an undoing that was killed.
        if not self.held.get("k_next") or self.odoo.get(self.next_active()) != self.held["k_next"]:
            self.odoo.pop(self.next_active(), None)
            yield
            made = self.odoo[self.next_active()] = self.new()
            yield
            self.write(state.made(self.secret, self.held, me, made))
            yield

    def switched(self) -> Stops:
        former = self.held.get("k_former_name")
        if former:
            self.odoo.pop(former, None)
            yield

    def undone(self) -> Stops:
        self.odoo.pop(self.next_active(), None)
        yield

    def check(self) -> None:
        assert self.odoo[self.active()] == self.held["k"]

    def check_over(self) -> None:
        super().check_over()
        assert self.odoo == {self.active(): self.held["k"]}


class ByHand(World):
    """The provider takes both keys until somebody deletes one."""

    secret = Secret("k", "given", "vault.yml", (), PAIR, "mailops")

    def __init__(self) -> None:
        super().__init__({"k": "old", "k_next": "given", "k_next_name": "mailops 2027"})

    def value(self) -> None:
        return None

    def pending(self, me: Run) -> Stops:
        yield

    def check(self) -> None:
        assert {self.held["k"], self.held.get("k_next")} >= {"given"}

    def check_over(self) -> None:
        super().check_over()
        assert (self.held["k"], self.active()) == ("given", "mailops 2027")


WORLDS = (Login, InPlace, Token, Key, ByHand)


def run(world: World, number: int, stops: int | None = None, failing: int | None = None) -> int:
    """Let a run go on for so many stops (None: to its end), looking at the world at each; return their number."""
    steps = world.rotate(Run(f"1-{number}", "here", number), failing)
    count = 0
    for _stop in itertools.islice(steps, stops):
        count += 1
        world.check()
    return count


def to_the_end(world: World, number: int) -> None:
    """Let a whole run follow, after which nothing is left, and nothing is to do."""
    run(world, number)
    world.check()
    world.check_over()
    before = dict(world.held)
    world.site()
    world.check_over()
    assert world.held == before and world.phase() == "idle"


@pytest.mark.parametrize("kind", WORLDS)
def test_a_run_that_is_killed_at_any_step(kind: type[World]) -> None:
    """And the one that carries on too; with site.yml in between, or without it."""
    steps = run(kind(), 0)
    assert steps >= 4
    for first, second, between in itertools.product(range(1, steps), range(LONGEST), (False, True)):
        world = kind()
        run(world, 1, first)
        if between:
            world.site()
            world.check()
        run(world, 2, second)
        if world.phase() in ("idle", "offered"):  # the second came to the end
            continue
        to_the_end(world, 3)


@pytest.mark.parametrize("kind", WORLDS)
def test_a_step_that_fails_and_an_undoing_that_is_killed(kind: type[World]) -> None:
    for failing, stops, carried_on in itertools.product(range(LONGEST), range(1, LONGEST), (False, True)):
        world = kind()
        run(world, 1, stops, failing)
        if carried_on and world.phase() not in ("idle", "offered"):
            run(world, 2)
            world.check_over()
        if world.phase() == "idle" and kind is ByHand:
            continue
        to_the_end(world, 3)


@pytest.mark.parametrize("kind", WORLDS)
def test_an_undone_rotation_leaves_what_was(kind: type[World]) -> None:
    world = kind()
    before = dict(world.held)
    run(world, 1, None, 0)
    assert {name: value for name, value in world.held.items() if value} == before


@given(
    st.sampled_from(WORLDS[:-1]),
    st.lists(st.tuples(st.integers(1, LONGEST), st.none() | st.integers(0, 8), st.booleans()), max_size=8),
)
def test_any_history(kind: type[World], history: list[tuple[int, int | None, bool]]) -> None:
    """Runs that are killed or fail wherever, site.yml now and then, and then one that nothing disturbs."""
    world = kind()
    for number, (stops, failing, between) in enumerate(history):
        run(world, number, stops, failing)
        if between:
            world.site()
            world.check()
    to_the_end(world, len(history))
