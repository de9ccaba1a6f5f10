# SPDX-License-Identifier: GPL-3.0-or-later
"""The addon's own tests, run by each Odoo in a database of their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.addon import ADDON, clone_without_assets, command, placed
from support.machines import Odoo

pytestmark = pytest.mark.integration

# Not the port of Odoo's service.
PORT = "8169"
# What there is to test only where a company can have several alias domains.
SKIPPED = {"odoo": set(), "odoo14": {"TestAddresses.test_domains", "TestPush.test_alias_domain"}}


@pytest.fixture(params=["odoo", "odoo14"], ids=["19", "14"])
def database(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """A database without the addon."""
    clone = Odoo("t_addon_in_odoo", "admin", machine=request.param)
    clone_without_assets(clone)
    yield clone
    clone.drop()


def methods(folder: Path) -> list[str]:
    """Return the names of the test methods in a folder's files."""
    return [
        node.name
        for path in folder.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    ]


def test_the_addons_own_tests(database: Odoo) -> None:
    options = ["--init", "mail_delivery", "--test-tags", "/mail_delivery", "--stop-after-init"]
    options += ["--http-port", PORT, "--workers", "0"]
    with placed(database, database.database) as folder:
        done = database.run(*command(database, folder, *options))
    log = done.stdout + done.stderr
    print(log)
    assert done.returncode == 0
    found = re.search(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests", log)
    assert found, "Odoo ran no tests"
    failed, errors, run = map(int, found.groups())
    assert (failed, errors) == (0, 0)
    assert run >= len(methods(ADDON / "tests"))
    assert set(re.findall(r": skipped ([\w.]+)", log)) == SKIPPED[database.name]
