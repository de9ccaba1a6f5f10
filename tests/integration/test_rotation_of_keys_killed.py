# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of API keys that is killed after each of its steps, or in which a part fails at each."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.conductor import Broken, Step, killed_after, noting, on
from support.machines import Odoo
from support.mailgun_modules import Modules, simulated
from support.rotating_keys import Case, account
from support.rotation import Vaulted, breaking, result

pytestmark = pytest.mark.integration

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
        self.case = Case("killed", odoo, ("mailops",)) if kind == "odoo" else None
        hosts = {"acme_prod": {"odoo_connection": self.case.connection} if self.case else account("mailgun")}
        self.key = f"vault_{self.case.name}" if self.case else "vault_mailgun"
        self.old = self.case.made[0] if self.case else self.mailgun.key
        self.vault = Vaulted.made(folder, hosts, {self.key: self.old}, mailgun_api_url=self.mailgun.us)
        self.secrets: set[str] = set()

    def run(self, step: Step = on) -> subprocess.CompletedProcess[str]:
        """Rotate the key, or carry on with what the run before this one has left."""
        values = self.vault.values()
        if f"{self.key}_rotation" not in values:
            self.old = values[self.key]
            if not self.case:
                # The administrator makes it at the provider.
                other = {self.mailgun.key, self.mailgun.read_key} - {self.old}
                self.vault.write({**values, f"{self.key}_next": other.pop()})
        done = self.vault.rotate("-e", "rotate_older_than=0d", step=step)
        if self.vault.file.exists():
            self.secrets |= {
                value for name, value in self.vault.values().items() if name in (self.key, f"{self.key}_next")
            }
        return done

    def works(self) -> bool:
        """Whether the vault's key is taken."""
        value = self.vault.values()[self.key]
        return self.case.takes(value) if self.case else value in (self.mailgun.key, self.mailgun.read_key)

    def is_rotated(self) -> bool:
        """Whether a new key is in force, and nothing is left of the old one or of the rotation."""
        values = self.vault.values()
        name = {f"{self.key}_name": values.get(f"{self.key}_name")} if self.case else {}
        return (
            values.keys() == {self.key, f"{self.key}_rotated", *name}
            and values[self.key] != self.old
            and self.works()
            and (not self.case or self.case.named() == [*name.values()])
        )


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modules]:
    with simulated(tmp_path_factory.mktemp("simulator")) as found:
        found.run("domain", name="mg.acme.example")
        yield found


@pytest.fixture(scope="module")
def systems(
    tmp_path_factory: pytest.TempPathFactory, modules: Modules, shared: Callable[[str, str], Odoo]
) -> dict[str, System]:
    """One of each kind for all tests: each begins with what the one before it has left."""
    odoo = shared("common", "odoo")
    if not odoo.key:
        odoo.give_key()
    return {kind: System(tmp_path_factory.mktemp(kind), odoo, modules, kind) for kind in STEPS}


@pytest.mark.parametrize("kind", STEPS)
def test_the_steps_are_all_there_are(systems: dict[str, System], kind: str) -> None:
    changed: list[str] = []
    assert systems[kind].run(noting(changed)).returncode == 0
    assert tuple(changed) == STEPS[kind]
    assert systems[kind].is_rotated()


@pytest.mark.parametrize(("kind", "step"), KILLED)
def test_a_run_that_is_killed(systems: dict[str, System], kind: str, step: str) -> None:
    """It carries on with what the one before it has left, until it is killed one step later."""
    assert systems[kind].run(killed_after(step)).returncode == -signal.SIGKILL
    assert systems[kind].works()


@pytest.mark.parametrize(("kind", "what", "task", "told"), FAILED)
def test_what_fails_at_a_step(systems: dict[str, System], kind: str, what: str, task: str, told: str) -> None:
    """It carries on as well, until something fails."""
    system = systems[kind]
    with Broken(task, breaking(what, system.mailgun, system.odoo, system.vault)) as broken:
        done = system.run(broken)
    assert done.returncode == 2
    assert told in result(done, system.key)
    assert system.works()


@pytest.mark.parametrize("kind", STEPS)
def test_the_next_run_completes_it_and_the_one_after_changes_nothing(systems: dict[str, System], kind: str) -> None:
    system = systems[kind]
    assert system.run().returncode == 0
    assert system.is_rotated()
    before = system.vault.file.read_bytes()
    assert system.vault.applied() == 0
    assert system.vault.file.read_bytes() == before
    assert system.vault.tells(system.secrets) == []
