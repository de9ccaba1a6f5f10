# SPDX-License-Identifier: GPL-3.0-or-later
"""The SMTP settings in odoo.conf, set by the role on a machine with Odoo; in a scratch folder, not in its real file."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.test_examples import examples
from support.machines import Machine
from support.modules import run_module
from support.playbooks import ROOT, ansible_playbook

pytestmark = pytest.mark.integration

FOLDER = "/var/tmp/odoo-conf"
FILE = "[options]\ndb_password = canary-database\nsmtp_user = former\n"
SETTINGS = {"smtp_server": "mx.acme.example", "smtp_port": 587, "smtp_password": "canary-smtp", "smtp_user": None}


@pytest.fixture
def machine() -> Iterator[Machine]:
    """The machine with Odoo, with a configuration file of this test's."""
    machine = Machine("odoo")
    machine.run("install", "-d", FOLDER, check=True)
    machine.run("install", "-o", "odoo", "-g", "adm", "-m", "0640", "/dev/null", f"{FOLDER}/odoo.conf", check=True)
    machine.run("tee", f"{FOLDER}/odoo.conf", input=FILE, check=True)
    yield machine
    machine.run("rm", "-r", FOLDER, check=True)


def configure(tmp_path: Path, settings: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Apply the role's entry point `configuration`; its restart leaves a line in the folder."""
    variables = {
        "odoo_mail_configuration": settings,
        "odoo_mail_configuration_file": f"{FOLDER}/odoo.conf",
        "odoo_addons_restart": "command",
        "odoo_addons_command": ["sh", "-c", f"echo once >> {FOLDER}/restarts"],
    }
    role = {"name": "mailops.odoo.odoo_mail", "tasks_from": "configuration"}
    play = {
        "hosts": "odoo_hosts",
        "gather_facts": False,
        "vars": variables,
        "tasks": [{"name": "Configure", "ansible.builtin.include_role": role}],
    }
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(yaml.safe_dump([play], sort_keys=False))
    return ansible_playbook(str(playbook), "--inventory", "inventories/sandbox", *arguments)


def test_the_role_sets_them_and_restarts_odoo_once(machine: Machine, tmp_path: Path) -> None:
    done = configure(tmp_path, SETTINGS, "-vvv", "--diff")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+smtp_port = 587" in done.stdout
    assert "canary" not in done.stdout + done.stderr
    written = "[options]\ndb_password = canary-database\n"
    written += "smtp_server = mx.acme.example\nsmtp_port = 587\nsmtp_password = canary-smtp\n"
    assert machine.run("cat", f"{FOLDER}/odoo.conf", check=True).stdout == written
    assert machine.run("stat", "-c", "%U %G %a", f"{FOLDER}/odoo.conf").stdout == "odoo adm 640\n"
    again = configure(tmp_path, SETTINGS)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "changed=0" in again.stdout
    assert machine.run("cat", f"{FOLDER}/restarts", check=True).stdout == "once\n"


def test_the_examples_run(tmp_path: Path) -> None:
    conf = tmp_path / "odoo.conf"
    conf.write_text("[options]\n")
    for task in examples(ROOT / "plugins" / "modules" / "odoo_conf.py"):
        options = {**task["mailops.odoo.odoo_conf"], "path": str(conf)}
        assert run_module("odoo_conf", options)["changed"]
    assert "smtp_user" not in conf.read_text()
    assert "smtp_server = mx.acme.example" in conf.read_text()
