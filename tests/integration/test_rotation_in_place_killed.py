# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of a login in place that is killed after each of its steps, or in which a part fails at each."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from support.conductor import Broken, killed_after, noting
from support.machines import Odoo
from support.rotating_login import System
from support.rotating_login import system as made
from support.rotation import breaking
from support.waiting import until

pytestmark = pytest.mark.integration

# What changes something, in order: between two of them a run can be killed.
BEGUN = "A pending value is in the vault, or that of a dead run is taken over"
MARKED = "Mark the queue as held in acme_prod"
HELD = "Odoo sends nothing from the queue of acme_prod"
AT_MAILGUN = "Mailgun has the other login, with the pending password"
IN_ODOO = "The servers get login and password in one write in acme_prod"
SWITCHED = "The pending value becomes the current one in the vault"
AGAIN = "What was refused meanwhile waits again in acme_prod"
RELEASED = "Odoo sends its queue in acme_prod"
UNMARKED = "The queue is not marked any more in acme_prod"
OVER = "The rotation is over"
STEPS = (BEGUN, MARKED, HELD, AT_MAILGUN, IN_ODOO, SWITCHED, AGAIN, RELEASED, RELEASED, UNMARKED, OVER)
# What fails before which task, and is named by the report.
FAILURES = (
    ("odoo", MARKED),
    ("mailgun", AT_MAILGUN),
    ("odoo", IN_ODOO),
    ("vault", SWITCHED),
    ("odoo", AGAIN),
    ("odoo", UNMARKED),
    ("vault", OVER),
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, odoo: Odoo) -> Iterator[System]:
    """One for all tests: each begins with what the one before it has left."""
    with made(tmp_path_factory.mktemp("place"), odoo) as found:
        found.credential["strategy"] = "in_place"
        yield found


@pytest.fixture(scope="module")
def mails() -> list[int]:
    """All mails that Odoo was to send: in the end they are sent, whatever became of them at first."""
    return []


def test_the_steps_are_all_there_are(system: System, mails: list[int]) -> None:
    mails.append(system.refused_mail("(535, b'5.7.8 authentication failed')"))
    changed: list[str] = []
    assert system.run(step=noting(changed)).returncode == 0
    assert tuple(changed) == STEPS
    assert system.is_rotated()


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_run_that_is_killed(system: System, mails: list[int], number: int) -> None:
    """It carries on with what the one before it has left, until it is killed one step later."""
    step, earlier = STEPS[number], STEPS[:number]
    done = system.run(step=killed_after(step, earlier.count(step) + 1))
    assert done.returncode == -signal.SIGKILL
    assert system.has_lost_nothing()
    mails += [system.mail(), system.sent_at_once()]


@pytest.mark.parametrize(("what", "task"), FAILURES)
def test_what_fails_at_a_step(system: System, mails: list[int], what: str, task: str) -> None:
    # The queue is released twice: the mark stays until the grace is over.
    with Broken(
        task, breaking(what, system.mailgun, system.odoo, system.vault), time=2 if task == UNMARKED else 1
    ) as broken:
        printed = system.failed(step=broken)
    assert task in printed[printed.index("What was rotated, and when") :], printed[-5000:]
    assert system.has_lost_nothing()
    mails += [system.mail(), system.sent_at_once()]


def test_the_next_run_completes_it_and_the_one_after_changes_nothing(system: System, mails: list[int]) -> None:
    system.applied()
    assert system.is_rotated()
    until(lambda: system.sent(*mails), "all mails are sent")
    assert system.unchanged()
    assert system.told() == []
