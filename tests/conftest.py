# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures over the sandbox's `test` namespace; `sandbox/sandbox up test` brings it up."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / ".ansible" / "collections"))
sys.path.insert(0, str(ROOT / "sandbox" / "lib"))

from support.machines import Internet, Machine, Odoo  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def packed_modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the tests' runs of Ansible share the modules that they pack, which takes each a second for each module."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PACKED_MODULES", str(tmp_path_factory.mktemp("packed")))
        environment.setenv("ANSIBLE_CALLBACK_PLUGINS", str(ROOT / "tests/support/callback_plugins"))
        environment.setenv("ANSIBLE_CALLBACKS_ENABLED", "packed_modules")
        yield


@pytest.fixture(scope="session")
def internet() -> Internet:
    """The outside: DNS, the providers' submission servers, customers' mailboxes."""
    return Internet()


@pytest.fixture(scope="session")
def gateway() -> Machine:
    """The mail gateway."""
    return Machine("gateway")


@pytest.fixture(scope="session")
def site() -> Odoo:
    """The database `prod`, to which site.yml was applied."""
    return Odoo("prod", json.loads((ROOT / ".cache/sandbox/secrets.json").read_text())["vault_odoo_admin_password"])


@pytest.fixture(scope="module")
def odoo(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """A fresh database of this test module's own, reached with an API key."""
    database = _database(request)
    yield database
    database.drop()


@pytest.fixture(scope="module", params=["odoo", "odoo14"], ids=["19", "14"])
def any_odoo(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """As `odoo`, of each version of Odoo that runs here: the test runs once with each."""
    database = _database(request, "_any", machine=request.param)
    yield database
    database.drop()


@pytest.fixture(scope="session")
def shared() -> Iterator[Callable[[str, str], Odoo]]:
    """Return the database of a use and machine that several test modules share; it is made when first asked for.

    It is no parametrized fixture: pytest ends such a one at each change of its parameter.
    """
    # Each of the processes that run the tests has its own.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    made: dict[tuple[str, str], Odoo] = {}

    def database(use: str, machine: str) -> Odoo:
        if (use, machine) not in made:
            made[use, machine] = Odoo(f"t_{use}{worker}", "admin", machine=machine)
            made[use, machine].clone()
        return made[use, machine]

    yield database
    for one in made.values():
        one.drop()


@pytest.fixture(scope="module", params=["odoo", "odoo14"], ids=["19", "14"])
def common_odoo(request: pytest.FixtureRequest, shared: Callable[[str, str], Odoo]) -> Odoo:
    """As `any_odoo`, one database for all test modules that leave the others' records alone or begin with clearing.

    Making a database known to Odoo's workers takes longer than most of these modules' tests.
    """
    database = shared("common", request.param)
    if not database.key:
        database.give_key()
    return database


@pytest.fixture(scope="module")
def odoo_with_password(shared: Callable[[str, str], Odoo]) -> Odoo:
    """A database reached with the administrator's password; test modules leave nothing behind in it."""
    return shared("password", "odoo")


def _database(request: pytest.FixtureRequest, suffix: str = "", machine: str = "odoo") -> Odoo:
    name = "t_" + request.module.__name__.rpartition(".")[2].removeprefix("test_")
    database = Odoo(name + suffix, "admin", machine=machine)
    database.clone()
    database.give_key()
    return database
