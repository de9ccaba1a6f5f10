# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of a pair of logins that is killed after each of its steps, or in which a part fails at each."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from support.conductor import Broken, killed_after, noting
from support.machines import Odoo
from support.rotating_login import KEY, System
from support.rotating_login import system as made
from support.rotation import breaking

pytestmark = pytest.mark.integration

# What changes something, in order: between two of them a run can be killed.
BEGUN = "A pending value is in the vault, or that of a dead run is taken over"
AT_MAILGUN = "Mailgun has the other login, with the pending password"
IN_ODOO = "The servers get login and password in one write in acme_prod"
SWITCHED = "The pending value becomes the current one in the vault"
REMOVED = "Mailgun does not have it any more"
OVER = "The rotation is over"
STEPS = (BEGUN, AT_MAILGUN, IN_ODOO, SWITCHED, REMOVED, OVER)
# What fails before which task, and the step that the report names. Each run carries on with what the one before it has
# left, and so gets to the task before which it fails itself.
FAILURES = (
    ("mailgun", "Look whether Mailgun has the other login", "Look whether Mailgun has the other login"),
    ("odoo", "Read the servers", "Read the servers of acme_prod"),
    ("vault", BEGUN, "The rotation can begin"),
    ("mailgun", AT_MAILGUN, AT_MAILGUN),
    ("odoo", IN_ODOO, IN_ODOO),
    ("vault", SWITCHED, SWITCHED),
    ("odoo", "No server of Odoo uses it", "Read the servers of acme_prod"),
    ("mailgun", REMOVED, REMOVED),
    ("vault", OVER, OVER),
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, odoo: Odoo) -> Iterator[System]:
    """One for all tests: each begins with what the one before it has left."""
    with made(tmp_path_factory.mktemp("pair"), odoo) as found:
        yield found


def mail_flows(system: System, waiting: int) -> bool:
    """Whether what is to be sent at once is sent, and a mail that has waited."""
    at_once = system.sent_at_once()
    return system.states(at_once) == ["sent"] and system.sent(waiting)


def test_the_steps_are_all_there_are(system: System) -> None:
    changed: list[str] = []
    assert system.run(step=noting(changed)).returncode == 0
    assert tuple(changed) == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_is_completed_by_the_next(system: System, step: str) -> None:
    before, waiting = system.kept()[KEY], system.mail()
    assert system.run(step=killed_after(step)).returncode == -signal.SIGKILL
    assert system.has_lost_nothing()
    assert mail_flows(system, waiting)
    system.applied(due=False)
    assert system.is_rotated()
    assert system.kept()[KEY] != before


@pytest.mark.parametrize(("what", "task", "told"), FAILURES)
def test_what_fails_at_a_step(system: System, what: str, task: str, told: str) -> None:
    waiting = system.mail()
    with Broken(task, breaking(what, system.mailgun, system.odoo, system.vault)) as broken:
        printed = system.failed(step=broken)
    assert told in printed[printed.index("What was rotated, and when") :], printed[-5000:]
    assert system.has_lost_nothing()
    assert mail_flows(system, waiting)


def test_the_next_run_completes_it_and_the_one_after_changes_nothing(system: System) -> None:
    waiting = system.mail()
    system.applied()
    assert system.is_rotated()
    assert mail_flows(system, waiting)
    assert system.unchanged()
    assert system.told() == []
