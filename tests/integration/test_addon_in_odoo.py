# SPDX-License-Identifier: GPL-3.0-or-later
"""The addon's own tests, run by Odoo in a database of their own."""

from __future__ import annotations

import ast
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.machines import Odoo

pytestmark = pytest.mark.integration

ADDON = Path(__file__).resolve().parents[2] / "roles" / "odoo_addons" / "files" / "mail_delivery"
FOLDER = "/tmp/addon-in-odoo"
ODOO_ADDONS = "/usr/lib/python3/dist-packages/odoo/addons"
# Not the port of Odoo's service.
PORT = "8169"
# Before its first test over HTTP, Odoo builds every script and style sheet that a page of this database may want,
# which takes it 40 seconds. The addon has no page: with the references out of the way there is nothing to build.
NO_ASSETS = """
    UPDATE ir_ui_view SET arch_db = replace(arch_db::text, 't-call-assets', 't-no-assets')::jsonb WHERE type = 'qweb'
"""


@pytest.fixture
def database() -> Iterator[Odoo]:
    """A database, and this checkout's addon in FOLDER."""
    clone = Odoo("t_addon_in_odoo", "admin")
    clone.clone()
    clone.sql(NO_ASSETS)
    clone.run("mkdir", "-p", FOLDER, check=True)
    clone.run("tar", "--directory", FOLDER, "--extract", input=packed(ADDON), check=True)
    yield clone
    clone.run("rm", "-r", FOLDER, check=True)
    clone.drop()


def packed(folder: Path) -> bytes:
    """Return a folder as a tar archive, owned by root and without compiled files."""

    def cleaned(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return None if member.name.endswith("__pycache__") else member

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(folder, folder.name, filter=cleaned)
    return buffer.getvalue()


def methods(folder: Path) -> list[str]:
    """Return the names of the test methods in a folder's files."""
    return [
        node.name
        for path in folder.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    ]


def test_the_addons_own_tests(database: Odoo) -> None:
    done = database.run(
        "runuser", "-u", "odoo", "--", "odoo", "--config", "/etc/odoo/odoo.conf", "--database", database.database,
        "--addons-path", f"{ODOO_ADDONS},{FOLDER}", "--http-port", PORT, "--workers", "0", "--max-cron-threads", "0",
        "--test-tags", "/mail_delivery", "--init", "mail_delivery", "--stop-after-init",
    )  # fmt: skip
    log = done.stdout + done.stderr
    print(log)
    assert done.returncode == 0
    found = re.search(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests", log)
    assert found, "Odoo ran no tests"
    failed, errors, run = map(int, found.groups())
    assert (failed, errors) == (0, 0)
    assert run >= len(methods(ADDON / "tests"))
    assert [line for line in log.splitlines() if ": skipped " in line] == []
