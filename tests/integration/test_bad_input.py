# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong is told in one clear message, and nothing is written; no secret is ever shown."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.machines import Machine, Odoo
from support.modules import recorded, run_module
from support.playbooks import ROOT, ansible_playbook, local_play, run_playbook

pytestmark = pytest.mark.integration

SERVER = {"name": "S", "smtp_host": "mail.zoho.com", "smtp_port": 465, "encryption": "ssl"}

UNUSABLE: dict[str, tuple[dict[str, Any], str, str]] = {
    "password": (
        {"odoo_password": "canary-wrong"},
        "authentication",
        "Odoo refused the login 'admin' on database '{database}' at https://10.90.2.20. Check odoo_login and",
    ),
    "database": (
        {"odoo_database": "nowhere"},
        "not_found",
        "the Odoo at https://10.90.2.20 has no usable database 'nowhere'. Check odoo_database.",
    ),
    "URL with a path": (
        {"odoo_url": "https://10.90.2.20/web"},
        "protocol",
        "https://10.90.2.20/web/jsonrpc answered HTTP",
    ),
    "URL without scheme": ({"odoo_url": "10.90.2.20"}, "validation", "'10.90.2.20' is no usable URL"),
    "certificate": (
        {"odoo_ca_file": None},
        "certificate",
        "https://10.90.2.20: its TLS certificate was not accepted",
    ),
    "CA file that is not there": ({"odoo_ca_file": "/nonexistent.pem"}, "certificate", "Check odoo_ca_file"),
    "host name": ({"odoo_url": "https://nowhere.invalid"}, "unreachable", "https://nowhere.invalid cannot be reached"),
    "port": ({"odoo_url": "https://10.90.2.20:81"}, "unreachable", "https://10.90.2.20:81 cannot be reached"),
}


@pytest.mark.parametrize("case", sorted(UNUSABLE))
def test_an_unusable_connection(odoo_with_password: Odoo, case: str) -> None:
    options, kind, text = UNUSABLE[case]
    given = {key: value for key, value in {**odoo_with_password.connection(), **options}.items() if value is not None}
    result = run_module("mail_server", {**given, **SERVER})
    assert result["failed"], result
    assert (result["error"], result["changed"]) == (kind, False), result["msg"]
    assert text.format(database=odoo_with_password.database) in result["msg"]
    assert result["msg"].endswith("Nothing was written.")
    assert "canary" not in result["msg"]
    assert odoo_with_password.call("ir.mail_server", "search_count", []) == 0


def test_an_unreachable_host_that_drops_packets(odoo: Odoo) -> None:
    """The sandbox's network has no machine at .99: connecting runs into the time-out."""
    result = run_module(
        "mail_server", {**odoo.connection(), **SERVER, "odoo_url": "https://10.90.2.99", "odoo_timeout": 2}
    )
    assert result["error"] == "unreachable"
    assert "https://10.90.2.99" in result["msg"]


def test_a_user_without_rights(odoo_with_password: Odoo) -> None:
    odoo_with_password.call("res.users", "create", {"name": "Clerk", "login": "clerk", "password": "canary-clerk"})
    connection = {**odoo_with_password.connection(), "odoo_login": "clerk", "odoo_password": "canary-clerk"}
    result = run_module("mail_server", {**connection, **SERVER})
    assert result["error"] == "authentication"
    assert "needs Settings rights" in result["msg"]


WRONG_VALUES: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown model": (
        "mail_alias",
        {"alias_name": "x", "alias_model": "crm.laed"},
        "alias x: alias_model is 'crm.laed': this Odoo has no ir.model 'crm.laed'",
    ),
    "wrong defaults": (
        "mail_alias",
        {"alias_name": "x", "alias_model": "crm.lead", "alias_defaults": {"taem_id": 1}},
        "alias_defaults names fields that crm.lead does not have: taem_id",
    ),
    "unknown alias domain": (
        "mail_alias",
        {"alias_name": "x", "alias_model": "crm.lead", "alias_domain": "other.example"},
        "this Odoo has no mail.alias.domain 'other.example'",
    ),
    "@domain filter": ("mail_server", {**SERVER, "from_filter": ["@acme.example"]}, "never matches in Odoo"),
    "port against encryption": (
        "mail_server",
        {**SERVER, "smtp_port": 587},
        "port 587 does not go with encryption ssl",
    ),
    "no host": ("mail_server", {"name": "new", "smtp_port": 25, "encryption": "none"}, "these are needed: smtp_host"),
}


@pytest.mark.parametrize("case", sorted(WRONG_VALUES))
def test_a_wrong_value_is_refused_before_anything_is_written(odoo: Odoo, case: str) -> None:
    module, options, text = WRONG_VALUES[case]
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        result = run_module(module, {**odoo.connection(), "odoo_url": url, **options})
    assert result["failed"], result
    assert text in result["msg"]
    assert not {method for _model, method in calls} & {"create", "write", "unlink"}


def test_check_mode_takes_a_planned_alias_domain_for_granted(odoo: Odoo) -> None:
    """On an empty database the task that creates the domain has only said that it would."""
    alias = {"alias_name": "x", "alias_model": "crm.lead", "alias_domain": "planned.example"}
    result = run_module("mail_alias", {**odoo.connection(), **alias}, check=True)
    assert [change["action"] for change in result["changes"]] == ["create"]
    assert "planned.example" in str(result["warnings"])


def test_what_was_applied_before_a_failure_is_told(odoo: Odoo) -> None:
    """The database itself refuses one: seen only when the batch is written."""
    domain = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"}
    run_module("alias_domain", {**odoo.connection(), **domain})
    odoo.sql("ALTER TABLE mail_alias ADD CHECK (alias_name <> 'refused')")
    names = ["one", "two", "refused", "three"]
    aliases = [{"alias_name": name, "alias_domain": "acme.example", "alias_model": "crm.lead"} for name in names]
    result = run_module("mail_aliases", {**odoo.connection(), "aliases": aliases})
    assert result["failed"]
    assert result["changed"]
    assert result["applied"] == ["one @ acme.example", "two @ acme.example"]
    assert result["failed_name"] == "refused @ acme.example"
    assert result["remaining"] == ["three @ acme.example"]
    stored = odoo.call("mail.alias", "search_read", [["alias_name", "in", names]], ["alias_name"])
    assert sorted(record["alias_name"] for record in stored) == ["one", "two"]


def test_a_wrong_policy_stops_the_site_before_any_change(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    shutil.copytree(ROOT / "inventories" / "sandbox", inventory, symlinks=False)
    policy = inventory / "group_vars/acme/mail_policy.yml"
    policy.write_text(policy.read_text().replace("from_filter: [mg.acme.example,", "from_filter: ['@mg.acme.example',"))
    done = ansible_playbook(
        "site.yml", "--inventory", str(inventory), "--extra-vars", f"sandbox_cache={ROOT}/.cache/sandbox"
    )
    assert done.returncode != 0
    assert "odoo.servers[1].from_filter" in done.stdout + done.stderr
    assert "write the domain without @: mg.acme.example" in done.stdout + done.stderr
    assert "changed=0" in done.stdout
    assert "changed=1" not in done.stdout


def test_an_empty_password_is_not_given_to_odoo(tmp_path: Path) -> None:
    """It is one that the vault does not have; Odoo is not even asked."""
    role = {
        "ansible.builtin.include_role": {"name": "mailops.odoo.odoo_mail"},
        "vars": {
            "odoo_mail_policy": {"odoo": {"servers": [{**SERVER, "smtp_pass": ""}, {"name": "Other"}]}},
            "odoo_mail_connection": {"odoo_url": "https://nowhere.invalid", "odoo_database": "x"},
        },
    }
    done = run_playbook([local_play([role], {})], tmp_path)
    printed = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2
    assert "The password (smtp_pass) of S is empty." in printed


def test_secrets_show_nowhere(odoo_with_password: Odoo, tmp_path: Path) -> None:
    """Old and new passwords, and the administrator's, in nothing that -vvv --diff prints, nor in a temporary file."""
    words = {"first": "canary-pw-first", "second": "canary-pw-second"}
    name = {"name": "Canary"}
    untested = {"test": "never"}
    tasks: list[dict[str, Any]] = [
        {"mailops.odoo.mail_server": {**SERVER, **name, **untested, "smtp_pass": "{{ first }}"}},
        {"mailops.odoo.mail_server": {**name, "smtp_user": "no-reply@acme.example", "smtp_pass": "{{ second }}"},
         "ignore_errors": True},
        {"mailops.odoo.mail_servers": {"servers": [{**SERVER, **name, "smtp_pass": "{{ second }}"}], **untested}},
        {"mailops.odoo.mail_server": {**name, "smtp_port": 587, "smtp_pass": "{{ second }}", "encryption": "ssl"},
         "ignore_errors": True},
        {"mailops.odoo.mail_server_info": {}, "register": "all"},
        {"ansible.builtin.debug": {"var": "all"}},
        {"mailops.odoo.system_parameter": {"key": "canary", "secret_value": "{{ first }}"}},
        {"mailops.odoo.system_parameter": {"key": "canary", "secret_value": "{{ second }}"}},
        {"mailops.odoo.mail_server": {**name, **untested, "smtp_pass": None}},
        {"mailops.odoo.mail_server": {**name, "state": "absent"}},
    ]  # fmt: skip
    odoo_with_password.call("res.users", "write", [2], {"password": "canary-pw-admin"})
    connection = {**odoo_with_password.connection(), "odoo_password": "{{ admin }}"}
    try:
        done = run_playbook(
            [local_play(tasks, connection)], tmp_path, "-vvv", "--diff", variables={**words, "admin": "canary-pw-admin"}
        )
    finally:
        odoo_admin = Odoo(odoo_with_password.database, "canary-pw-admin")
        odoo_admin.call("res.users", "write", [2], {"password": "admin"})
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "smtp_pass: (hidden, changed)" in output
    assert "canary-pw" not in output
    log = odoo_with_password.run("grep", "-c", "canary-pw", "/var/log/odoo/odoo-server.log").stdout.strip()
    assert log == "0"
    left = [path for path in Path(os.path.expanduser("~/.ansible")).rglob("*") if path.is_file()]
    assert not [path for path in left if b"canary-pw" in path.read_bytes()]


def test_the_passwords_in_odoo_conf_show_nowhere(tmp_path: Path) -> None:
    """odoo.conf holds the database's password and Odoo's own; the role that edits it prints neither.

    One run for a file with an addons path and one without, as two hosts that are the same machine.
    """
    machine = Machine("odoo")
    folders = {"given": "/var/tmp/canary-given", "none": "/var/tmp/canary-none"}
    paths = {"given": "addons_path = /usr/share/odoo\n", "none": ""}
    for name, folder in folders.items():
        text = f"[options]\nadmin_passwd = canary-pw-master\n{paths[name]}db_password = canary-pw-database\n"
        machine.run("install", "-d", "-m", "0700", folder, check=True)
        machine.run("tee", f"{folder}/odoo.conf", input=text, check=True)
    variables = {
        "ansible_connection": "ansible.builtin.ssh",
        "ansible_ssh_executable": str(ROOT / "sandbox/podman-as-ssh"),
        "ansible_ssh_transfer_method": "piped",
        "ansible_host": machine.container,
        "ansible_python_interpreter": "/usr/bin/python3",
        "odoo_addons_url": "http://127.0.0.1:8069",
        "odoo_addons_restart": "command",
        "odoo_addons_command": ["true"],
    }
    hosts = {
        name: {"odoo_addons_config": f"{folder}/odoo.conf", "odoo_addons_path": f"{folder}/addons"}
        for name, folder in folders.items()
    }
    inventory, playbook = tmp_path / "inventory.yml", tmp_path / "playbook.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}))
    playbook.write_text(
        yaml.safe_dump([{"hosts": "all", "gather_facts": False, "roles": ["mailops.odoo.odoo_addons"]}])
    )
    try:
        done = ansible_playbook(str(playbook), "--inventory", str(inventory), "-vvv", "--diff")
        edited = {name: machine.run("cat", f"{folder}/odoo.conf").stdout for name, folder in folders.items()}
    finally:
        machine.run("rm", "-r", *folders.values(), check=True)
    assert done.returncode == 0, done.stdout
    assert all(f"{folder}/addons" in edited[name] for name, folder in folders.items())
    assert "canary-pw" not in done.stdout + done.stderr
