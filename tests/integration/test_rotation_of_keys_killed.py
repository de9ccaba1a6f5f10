# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of API keys that is killed after each of its steps, or in which a part fails at each."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from support.conductor import CHANGED, Broken, killed_after
from support.machines import Odoo
from support.mailgun_modules import Modules, simulated
from support.rotating_keys import Case, account
from support.rotation import Vaulted, away, failing, result, without_connections

pytestmark = pytest.mark.integration

# Users of Odoo have names of their own.
NUMBERS = itertools.count()
BEGUN = "A pending value is in the vault, or that of a dead run is taken over"
MADE = "Odoo makes the key"
KEPT = "It is kept, before anything uses it"
SWITCHED = "The pending value becomes the current one in the vault"
OVER = "The rotation is over"
# What changes something, in order: after each of them a run can be killed.
STEPS = {"odoo": (BEGUN, MADE, KEPT, SWITCHED, "Remove it", OVER), "given": (BEGUN, SWITCHED, OVER)}
# What fails before which task, and what the report says of it.
FAILURES = {
    "odoo": (
        ("vault", BEGUN, "The rotation can begin"),
        ("odoo", MADE, "Odoo made it"),
        ("vault", KEPT, "The vault has it"),
        ("odoo", "Odoo is asked with the new key", "Odoo is asked with the new key"),
        ("vault", SWITCHED, SWITCHED),
        ("odoo", "Look for it", "Look for it"),
        ("vault", OVER, OVER),
    ),
    "given": (
        ("mailgun", "Mailgun is asked for a domain", "Mailgun is asked for a domain of the policy"),
        ("vault", SWITCHED, SWITCHED),
    ),
}
KILLED = [(kind, step) for kind, steps in STEPS.items() for step in steps]
FAILED = [(kind, *failure) for kind, failures in FAILURES.items() for failure in failures]


class System:
    """An inventory of one host with a key that is rotated, its vault, and what takes the key."""

    def __init__(self, folder: Path, odoo: Odoo, modules: Modules, kind: str) -> None:
        self.odoo, self.mailgun = odoo, modules.mailgun
        self.case = Case(f"user{next(NUMBERS)}", odoo, ("mailops",)) if kind == "odoo" else None
        if self.case:
            hosts = {"acme_prod": {"odoo_connection": self.case.connection}}
            values = {self.key: self.case.made[0]}
        else:
            hosts = {"acme_prod": account("mailgun")}
            values = {self.key: self.mailgun.key, f"{self.key}_next": self.mailgun.read_key}
        self.first = values[self.key]
        self.vault = Vaulted.made(folder, hosts, values, mailgun_api_url=self.mailgun.us)

    @property
    def key(self) -> str:
        """The variable of the vault that has the key."""
        return f"vault_{self.case.name}" if self.case else "vault_mailgun"

    def breaking(self, what: str) -> AbstractContextManager[None]:
        """Return what breaks a part of it."""
        parts: dict[str, AbstractContextManager[None]] = {
            "vault": away(self.vault),
            "odoo": without_connections(self.odoo),
            "mailgun": failing(self.mailgun),
        }
        return parts[what]

    def works(self) -> bool:
        """Whether the vault's key is taken."""
        value = self.vault.values()[self.key]
        return self.case.takes(value) if self.case else value in (self.mailgun.key, self.mailgun.read_key)

    def is_rotated(self) -> bool:
        """Whether a new key is in force, and nothing is left of the first or of the rotation."""
        values = self.vault.values()
        names = {self.key, f"{self.key}_rotated"}
        if not self.case:
            return values == {**values, self.key: self.mailgun.read_key} and values.keys() == names
        named = self.case.named() == [values.get(f"{self.key}_name")]
        return named and values.keys() == {*names, f"{self.key}_name"} and values[self.key] != self.first

    def completed(self) -> None:
        """Assert that the next run completes the rotation, and that the one after changes nothing; no key was told."""
        keys = {self.vault.values()[self.key], self.first} - {self.mailgun.key}
        self.vault.applied()
        assert self.is_rotated()
        assert self.works()
        before = self.vault.file.read_bytes()
        assert self.vault.applied() == 0
        assert self.vault.file.read_bytes() == before
        assert self.vault.tells({*keys, self.vault.values()[self.key]} - {self.mailgun.read_key}) == []


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modules]:
    with simulated(tmp_path_factory.mktemp("simulator")) as found:
        found.run("domain", name="mg.acme.example")
        yield found


Making = Callable[[str], System]


@pytest.fixture
def system(tmp_path: Path, modules: Modules, shared: Callable[[str, str], Odoo]) -> Making:
    odoo = shared("common", "odoo")
    if not odoo.key:
        odoo.give_key()
    return lambda kind: System(tmp_path, odoo, modules, kind)


@pytest.mark.parametrize("kind", STEPS)
def test_the_steps_are_all_there_are(system: Making, kind: str) -> None:
    changed: list[str] = []

    def noted(what: str, name: str) -> bool:
        if what == CHANGED:
            changed.append(name)
        return False

    assert system(kind).vault.rotate(step=noted).returncode == 0
    assert tuple(changed) == STEPS[kind]


@pytest.mark.parametrize(("kind", "step"), KILLED)
def test_a_run_that_is_killed(system: Making, kind: str, step: str) -> None:
    made = system(kind)
    assert made.vault.rotate(step=killed_after(step)).returncode == -signal.SIGKILL
    assert made.works()
    made.completed()


@pytest.mark.parametrize(("kind", "what", "task", "told"), FAILED)
def test_what_fails_at_a_step(system: Making, kind: str, what: str, task: str, told: str) -> None:
    made = system(kind)
    with Broken(task, made.breaking(what)) as broken:
        done = made.vault.rotate(step=broken)
    assert done.returncode == 2
    assert told in result(done, made.key)
    assert made.works()
    made.completed()
