# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures over the sandbox's `test` namespace; `sandbox/sandbox up test` brings it up."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / ".ansible" / "collections"))
sys.path.insert(0, str(ROOT / "sandbox" / "lib"))

from support.machines import Internet, Machine, Odoo  # noqa: E402


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
    """A fresh database of this test module's own, reached with an API key.

    A test module chooses protocols by `pytest.mark.parametrize("odoo", PROTOCOLS, indirect=True, scope="module")`.
    """
    database = _database(request, protocol=getattr(request, "param", "auto"))
    database.give_key()
    yield database
    database.drop()


@pytest.fixture(scope="module")
def odoo14(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """As `odoo`, of Odoo 14."""
    database = _database(request, machine="odoo14")
    database.give_key()
    yield database
    database.drop()


@pytest.fixture(scope="module", params=["odoo", "odoo14"], ids=["19", "14"])
def any_odoo(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """As `odoo`, of each version of Odoo that runs here: the test runs once with each."""
    database = _database(request, "_any", machine=request.param)
    database.give_key()
    yield database
    database.drop()


@pytest.fixture(scope="session", params=["odoo", "odoo14"], ids=["19", "14"])
def common_odoo(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """As `any_odoo`, one database for all test modules that leave the others' records alone.

    Making a database known to Odoo's workers takes longer than most of these modules' tests.
    """
    # Each of the processes that run the tests has its own.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    database = Odoo(f"t_common{worker}", "admin", machine=request.param)
    database.clone()
    database.give_key()
    yield database
    database.drop()


@pytest.fixture(scope="module")
def odoo_with_password(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """A fresh database of this test module's own, reached with the administrator's password."""
    database = _database(request, "_password")
    yield database
    database.drop()


def _database(request: pytest.FixtureRequest, suffix: str = "", protocol: str = "auto", machine: str = "odoo") -> Odoo:
    name = "t_" + request.module.__name__.rpartition(".")[2].removeprefix("test_")
    database = Odoo(name + suffix, "admin", protocol, machine)
    database.clone()
    return database
