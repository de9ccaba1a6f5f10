# SPDX-License-Identifier: GPL-3.0-or-later
"""A login's rotation that is killed after each of its steps, or in which a part fails at each: nothing is lost."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from support.conductor import CHANGED, Broken, killed_after
from support.machines import Odoo
from support.rotating_login import BASE, FIRST, KEY, System
from support.rotating_login import system as made
from support.rotation import away, failing, without_connections

pytestmark = pytest.mark.integration

# What changes something, in order: between two of them a run can be killed.
BEGUN = "A pending value is in the vault, or that of a dead run is taken over"
AT_MAILGUN = "Mailgun has the other login, with the pending password"
IN_ODOO = "The servers get login and password in one write in acme_prod"
SWITCHED = "The pending value becomes the current one in the vault"
OVER = "The rotation is over"
MARKED = "Mark the queue as held in acme_prod"
HELD = "Odoo sends nothing from the queue of acme_prod"
AGAIN = "What was refused meanwhile waits again in acme_prod"
RELEASED = "Odoo sends its queue in acme_prod"
UNMARKED = "The queue is not marked any more in acme_prod"
STEPS = {
    "pair": (BEGUN, AT_MAILGUN, IN_ODOO, SWITCHED, "Mailgun does not have it any more", OVER),
    "in_place": (BEGUN, MARKED, HELD, AT_MAILGUN, IN_ODOO, SWITCHED, AGAIN, RELEASED, RELEASED, UNMARKED, OVER),
}


@pytest.fixture
def system(tmp_path: Path, odoo: Odoo) -> Iterator[System]:
    with made(tmp_path, odoo) as found:
        yield found


@pytest.fixture
def refused(system: System) -> int:
    """A mail that was refused because of the login: one that a rotation in place sends again."""
    return system.refused_mail("(535, b'5.7.8 authentication failed')")


def nothing_is_lost(system: System) -> bool:
    """Whether Mailgun takes a value of the vault, and Odoo has such a one."""
    kept = system.kept()
    active = kept.get(f"{KEY}_login", BASE)
    values = {(active, kept[KEY]), (kept.get(f"{KEY}_next_login", active), kept.get(f"{KEY}_next", kept[KEY]))}
    (server,) = system.odoo.call("ir.mail_server", "search_read", [], ["smtp_user", "smtp_pass"])
    works = any(system.works(login, password) for login, password in values)
    return works and (server["smtp_user"], server["smtp_pass"]) in values


def completed(system: System, mails: list[int], due: bool = False) -> None:
    """Assert that the next run completes the rotation, the one after changes nothing, and all mails have been sent."""
    system.applied(due=due)
    assert system.is_rotated()
    system.odoo.call("mail.mail", "process_email_queue")
    assert set(system.states(*mails)) == {"sent"}
    assert system.unchanged()
    assert system.told() == []


@pytest.mark.parametrize("strategy", STEPS)
@pytest.mark.usefixtures("refused")
def test_the_steps_are_all_there_are(system: System, strategy: str) -> None:
    system.credential["strategy"] = strategy
    changed: list[str] = []

    def noted(what: str, name: str) -> bool:
        if what == CHANGED:
            changed.append(name)
        return False

    assert system.run(step=noted).returncode == 0
    assert tuple(changed) == STEPS[strategy]


@pytest.mark.parametrize(
    ("strategy", "number"), [(strategy, number) for strategy, steps in STEPS.items() for number in range(len(steps))]
)
def test_a_run_that_is_killed(system: System, refused: int, strategy: str, number: int) -> None:
    system.credential["strategy"] = strategy
    waiting = system.mail()
    step, before = STEPS[strategy][number], STEPS[strategy][:number]
    assert system.run(step=killed_after(step, before.count(step) + 1)).returncode == -signal.SIGKILL
    assert nothing_is_lost(system)
    sent = system.sent_at_once()
    if strategy == "pair":
        assert system.states(sent) == ["sent"]
    completed(system, [waiting, sent, *([refused] if strategy == "in_place" else [])])


def mailgun_fails(system: System) -> AbstractContextManager[None]:
    return failing(system.mailgun)


def odoo_fails(system: System) -> AbstractContextManager[None]:
    return without_connections(system.odoo)


def the_vault_fails(system: System) -> AbstractContextManager[None]:
    return away(system.vault)


Breaking = Callable[[System], AbstractContextManager[None]]
FAILURES: list[tuple[str, Breaking, str, str]] = [
    # The strategy, what fails, before which task, and the step that the report names.
    ("pair", mailgun_fails, "Look whether Mailgun has the other login", "Look whether Mailgun has the other login"),
    ("pair", mailgun_fails, AT_MAILGUN, AT_MAILGUN),
    ("pair", mailgun_fails, "Mailgun does not have it any more", "Mailgun does not have it any more"),
    ("pair", odoo_fails, "Read the servers", "Read the servers of acme_prod"),
    ("pair", odoo_fails, IN_ODOO, IN_ODOO),
    ("pair", odoo_fails, "No server of Odoo uses it", "Read the servers of acme_prod"),
    ("pair", the_vault_fails, BEGUN, "The rotation can begin"),
    ("pair", the_vault_fails, SWITCHED, SWITCHED),
    ("pair", the_vault_fails, OVER, OVER),
    ("in_place", mailgun_fails, AT_MAILGUN, AT_MAILGUN),
    ("in_place", odoo_fails, MARKED, MARKED),
    ("in_place", odoo_fails, IN_ODOO, IN_ODOO),
    ("in_place", the_vault_fails, SWITCHED, SWITCHED),
    ("in_place", odoo_fails, AGAIN, AGAIN),
    ("in_place", odoo_fails, UNMARKED, UNMARKED),
    ("in_place", the_vault_fails, OVER, OVER),
]


@pytest.mark.parametrize(("strategy", "breaking", "task", "step"), FAILURES)
def test_what_fails_at_a_step(system: System, strategy: str, breaking: Breaking, task: str, step: str) -> None:
    system.credential["strategy"] = strategy
    waiting = system.mail()
    # The mark stays, where the queue is released first, until the grace is over.
    with Broken(task, breaking(system), time=2 if task == UNMARKED else 1) as broken:
        printed = system.failed(step=broken)
    assert step in printed[printed.index("What was rotated, and when") :], printed[-5000:]
    assert nothing_is_lost(system)
    sent = system.sent_at_once()
    if strategy == "pair":
        assert system.states(sent) == ["sent"]
    kept = system.kept()
    # What was undone is rotated when it is due, and what was begun in any case.
    completed(system, [waiting, sent], due=kept == {KEY: FIRST})
