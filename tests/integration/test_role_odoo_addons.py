# SPDX-License-Identifier: GPL-3.0-or-later
"""The role that places the addon on Odoo's machine and installs it in a database, and takes it away again."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.addon import addon_odoo
from support.machines import Machine, Odoo
from support.playbooks import ansible_playbook

pytestmark = pytest.mark.integration

FOLDER = "/var/tmp/role-odoo-addons"
PATH, RESTARTS = f"{FOLDER}/addons", f"{FOLDER}/restarts"
# What may stand in odoo.conf, and what then does with the addons placed, and after they were taken away.
ADDONS_PATHS = [
    ("", f"addons_path = {PATH}\n", ""),
    (f"addons_path={PATH} , /srv/one\n", f"addons_path={PATH} , /srv/one\n", "addons_path=/srv/one\n"),
    (
        f"addons_path = /srv/one,{PATH}-other\n",
        f"addons_path = /srv/one,{PATH}-other,{PATH}\n",
        f"addons_path = /srv/one,{PATH}-other\n",
    ),
]
TOKEN, PENDING = "canary-token-of-this-test", "canary-pending-of-this-test"
BRIDGES = ["http://10.0.0.5:8025/webhook", "https://mx2.acme.example/webhook"]


def apply(
    folder: Path, hosts: str, tasks_from: str, variables: dict[str, Any], *arguments: str, loop: Sequence[int] = (0,)
) -> subprocess.CompletedProcess[str]:
    """Run an entry point of the role on a group of the sandbox's inventory; assert that it told no secret.

    It runs once with each of `loop` as `item`.
    """
    role = {"name": "mailops.odoo.odoo_addons", "tasks_from": tasks_from}
    tasks = [{"name": "Apply the role", "ansible.builtin.include_role": role, "loop": list(loop)}]
    playbook = folder / "playbook.yml"
    playbook.touch(mode=0o600)
    play = {"hosts": hosts, "gather_facts": False, "vars": variables, "tasks": tasks}
    playbook.write_text(yaml.safe_dump([play], sort_keys=False))
    done = ansible_playbook(str(playbook), "--inventory", "inventories/sandbox", "-vvv", "--diff", *arguments)
    assert "canary" not in done.stdout + done.stderr
    return done


def changed(done: subprocess.CompletedProcess[str]) -> int:
    """Return how many tasks changed something."""
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"changed=(\d+)", done.stdout)
    assert found
    return int(found[1])


@pytest.fixture
def machine() -> Iterator[Machine]:
    """The machine with Odoo, and a scratch folder for the addons and for Odoo's configuration."""
    machine = Machine("odoo")
    # A run that was interrupted may have left something.
    machine.run("rm", "-rf", FOLDER, check=True)
    machine.run("install", "-d", FOLDER, check=True)
    yield machine
    machine.run("rm", "-r", FOLDER, check=True)


def place(folder: Path, state: str, *arguments: str, configurations: Sequence[int] = (0,)) -> int:
    """Place the addons for each of these configurations, or take them away; return how many tasks changed something."""
    variables = {
        "odoo_addons_state": state,
        "odoo_addons_path": PATH,
        "odoo_addons_config": f"{FOLDER}/{{{{ item }}}}.conf",
        "odoo_addons_restart": "command",
        "odoo_addons_command": ["sh", "-c", f"echo once >> {RESTARTS}"],
    }
    return changed(apply(folder, "odoo_hosts", "main", variables, *arguments, loop=configurations))


def content(machine: Machine) -> str:
    """Return all names in the scratch folder, and the content of the files in it."""
    return machine.run("sh", "-c", f"cd {FOLDER} && find . | sort && tail -n +1 *.conf restarts; true").stdout


def write(machine: Machine) -> None:
    """Write the configurations."""
    for number, (before, _during, _after) in enumerate(ADDONS_PATHS):
        text = f"[options]\n{before}db_password = canary-database\n"
        machine.run("tee", f"{FOLDER}/{number}.conf", input=text, check=True)


def assert_paths(machine: Machine, stage: int) -> None:
    """Assert what the configurations have, for the stage's index in ADDONS_PATHS."""
    for number, stages in enumerate(ADDONS_PATHS):
        text = machine.run("cat", f"{FOLDER}/{number}.conf").stdout
        assert text == f"[options]\n{stages[stage]}db_password = canary-database\n"


def test_placed_and_taken_away(machine: Machine, tmp_path: Path) -> None:
    write(machine)
    begin = content(machine)
    assert place(tmp_path, "present", "--check") > 0
    assert content(machine) == begin

    assert place(tmp_path, "present", configurations=(0, 2, 2)) > 0
    placed = content(machine)
    assert_paths(machine, 1)
    assert "mail_delivery/__manifest__.py" in placed
    # The first brought the files; the others restart Odoo where its configuration changed, the last one not.
    assert placed.count("once\n") == 2

    assert place(tmp_path, "absent", "--check") > 0
    assert content(machine) == placed
    assert place(tmp_path, "absent", configurations=range(3)) > 0
    gone = content(machine)
    assert_paths(machine, 2)
    assert "mail_delivery" not in gone
    assert "./addons" not in gone
    assert gone.count("once\n") == 5
    assert place(tmp_path, "absent") == 0
    assert content(machine) == gone


def test_a_folder_with_somebody_elses_addon_stays(machine: Machine, tmp_path: Path) -> None:
    write(machine)
    machine.run("mkdir", "-p", f"{PATH}/theirs", f"{PATH}/mail_delivery", check=True)
    assert place(tmp_path, "absent") > 0
    gone = content(machine)
    assert "./addons/theirs" in gone
    assert "mail_delivery" not in gone
    assert gone.count("once\n") == 1
    assert_paths(machine, 0)


@pytest.fixture(scope="module")
def database() -> Iterator[Odoo]:
    """A database without the addon, in an Odoo that has its files."""
    with addon_odoo("t_role_odoo_addons", "odoo14", installed=False) as odoo:
        odoo.sql("DELETE FROM ir_config_parameter WHERE key LIKE 'mail_delivery.%'")
        yield odoo


def parameters(odoo: Odoo) -> dict[str, str]:
    """Return the addon's system parameters."""
    domain = [("key", "=like", "mail_delivery.%")]
    return {
        row["key"]: row["value"] for row in odoo.call("ir.config_parameter", "search_read", domain, ["key", "value"])
    }


def state(odoo: Odoo) -> str:
    """Return the addon's state."""
    (row,) = odoo.call("ir.module.module", "search_read", [("name", "=", "mail_delivery")], ["state"]) or [
        {"state": ""}
    ]
    return str(row["state"])


def test_installed_and_uninstalled(database: Odoo, tmp_path: Path) -> None:
    def run(entry: str, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        connection = {"odoo_addons_connection": database.connection()}
        return apply(tmp_path, "odoo_databases", entry, {**connection, **variables}, *arguments)

    given = {"odoo_addons_token": TOKEN, "odoo_addons_pending_token": PENDING, "odoo_addons_bridges": BRIDGES}
    run("install", "--check", **given)
    assert (state(database), parameters(database)) == ("", {})
    assert changed(run("install", **given)) == 2
    assert state(database) == "installed"
    full = {
        "mail_delivery.token": TOKEN,
        "mail_delivery.token_pending": PENDING,
        "mail_delivery.bridges": " ".join(BRIDGES),
    }
    assert parameters(database) == full

    # The pending token becomes the token, and nobody is told of changes any more.
    assert changed(run("install", odoo_addons_token=PENDING)) == 2
    assert parameters(database) == {"mail_delivery.token": PENDING}
    assert changed(run("install", odoo_addons_token=PENDING)) == 0

    refused = run("install", odoo_addons_token=PENDING, odoo_addons_bridges=["http://user:pass@mx1/webhook"])
    assert refused.returncode != 0
    assert "not the URL of a bridge" in refused.stdout

    database.call("ir.config_parameter", "set_param", "mail_delivery.former_addresses", "{}")
    assert changed(run("uninstall", "--check")) == 2
    assert state(database) == "installed"
    assert changed(run("uninstall")) == 2
    assert state(database) == "uninstalled"
    assert parameters(database) == {"mail_delivery.former_addresses": "{}"}
    assert changed(run("uninstall")) == 0
