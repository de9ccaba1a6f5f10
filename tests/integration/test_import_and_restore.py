# SPDX-License-Identifier: GPL-3.0-or-later
"""A live database is taken over without changing it, a run keeps what was there, and a restore brings it back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.catalogue import CATALOGUE
from support.machines import Odoo
from support.modules import recorded, run_module
from support.playbooks import ROOT, ansible_playbook

pytestmark = pytest.mark.integration

WRITES = {"create", "write", "unlink"}
CANARY = "canary-{{ 7 * 7 }}-password"
SERVERS: list[dict[str, Any]] = [
    {
        "name": "Mailgun: bulk",
        "sequence": 2,
        "smtp_host": "smtp.mailgun.org",
        "smtp_port": 2525,
        "smtp_encryption": "starttls_strict",
        "smtp_user": "no-reply@mg.acme.example",
        "smtp_pass": CANARY,
        "from_filter": "bounce@acme.example,mg.acme.example",
    },
    {
        "name": "mailgun bulk",
        "smtp_host": "smtp.eu.mailgun.org",
        "smtp_port": 465,
        "smtp_encryption": "ssl",
        "smtp_user": "other",
        "smtp_pass": CANARY + "-2",
        "active": False,
    },
    {
        "name": "{{ lookup('pipe', 'id') }}",
        "smtp_host": "relay.acme.example",
        "smtp_port": 25,
        "sequence": 1,
        "from_filter": "Relay@ACME.example",
    },
    {"name": "Never", "smtp_host": "never.example", "smtp_port": 25, "from_filter": "@acme.example"},
    {"name": "Twin", "smtp_host": "a.example", "smtp_port": 25},
    {"name": "Twin", "smtp_host": "b.example", "smtp_port": 25},
]
ALIASES = [
    {"alias_name": "sales", "alias_model": "crm.lead", "alias_defaults": {"type": "lead", "tag_ids": [[6, 0, []]]}},
    {"alias_name": "partners", "alias_model": "crm.lead", "alias_contact": "partners"},
]
MODULES = {
    "parameters": "system_parameters",
    "alias_domains": "alias_domains",
    "companies": "companies_mail",
    "users": "users_mail",
    "servers": "mail_servers",
    "aliases": "mail_aliases",
    "allowed_senders": "allowed_senders",
    "incoming_servers": "incoming_servers",
    "scheduled_actions": "scheduled_actions",
}
# model → what a restore must bring back
FIELDS = {
    "ir.mail_server": [
        "name", "sequence", "active", "smtp_host", "smtp_port", "smtp_encryption", "smtp_authentication", "smtp_user",
        "smtp_pass", "from_filter",
    ],
    "mail.alias.domain": ["name", "bounce_alias", "catchall_alias", "default_from", "sequence"],
    "mail.alias": [
        "alias_name", "alias_domain_id", "alias_model_id", "alias_defaults", "alias_contact", "alias_incoming_local",
        "alias_parent_model_id", "alias_parent_thread_id",
    ],
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def seeded(odoo: Odoo) -> None:
    """What an administrator clicked together over the years."""
    domain = {"bounce_alias": "bounce", "catchall_alias": "catchall", "default_from": "no-reply"}
    for name in ("acme.example", "brand.example"):
        odoo.call("mail.alias.domain", "create", {"name": name, **domain})
    odoo.call("ir.mail_server", "create", SERVERS)
    run_module(
        "mail_aliases",
        {**odoo.connection(), "aliases": [{**alias, "alias_domain": "acme.example"} for alias in ALIASES]},
    )
    odoo.call("crm.team", "create", [{"name": "Exports", "alias_name": "exports"}, {"name": "Without an alias"}])


@pytest.fixture
def inventory(odoo: Odoo, tmp_path: Path) -> Path:
    """An inventory in which the database stands, without a policy."""
    hosts = {"acme": {"children": {"odoo_databases": {"hosts": {"acme_prod": {
        "ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }}}}}}  # fmt: skip
    folder = tmp_path / "inventory"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts))
    (folder / "group_vars" / "odoo_databases.yml").write_text(yaml.safe_dump({"odoo_connection": odoo.connection()}))
    return folder


def play(playbook: str, inventory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return ansible_playbook(playbook, *arguments, "--inventory", str(inventory / "hosts.yml"))


def state(odoo: Odoo) -> dict[str, list[dict[str, Any]]]:
    """Return everything a restore must bring back, passwords included; records and references by name, not by id."""
    found = {}
    for model, fields in FIELDS.items():
        records = odoo.call(model, "search_read", [], fields, context={"active_test": False})
        named = [
            {name: value[1] if isinstance(value, list) else value for name, value in record.items() if name != "id"}
            for record in records
        ]
        found[model] = sorted(named, key=str)
    return found


def decrypted(path: Path) -> str:
    # In a process of its own: where the controller's code is imported, modules run in-process return no warnings.
    return subprocess.run(["ansible-vault", "view", path], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def the_server(odoo: Odoo, name: str) -> list[int]:
    found: list[int] = odoo.call("ir.mail_server", "search", [["name", "=", name]], context={"active_test": False})
    return found


def test_a_live_database_is_taken_over_and_applying_the_policy_changes_nothing(
    odoo: Odoo, inventory: Path, tmp_path: Path
) -> None:
    before = state(odoo)
    # Twice, which saves a start of Ansible: the second time it stops at what the first one wrote.
    done = play("playbooks/import.yml", inventory, "playbooks/import.yml", "-vvv", "--diff")
    assert done.returncode == 2, done.stdout + done.stderr
    told = " ".join(done.stdout.split())
    assert "mail_policy.yml and /" in told
    assert "vault_odoo.yml exists. Move it away, name another folder with -e import_dir=…" in told
    assert " changed=3 unreachable=0 failed=1 " in told
    policy, vault = (inventory / "group_vars" / "acme" / name for name in ("mail_policy.yml", "vault_odoo.yml"))
    assert "canary" not in done.stdout + done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]
    assert vault.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256")
    assert vault.stat().st_mode & 0o777 == 0o600
    assert f'vault_odoo_servers_mailgun_bulk_smtp_pass_2: !unsafe "{CANARY}-2"' in decrypted(vault)
    text = policy.read_text()
    assert 'smtp_pass: "{{ vault_odoo_servers_mailgun_bulk_smtp_pass }}"' in text
    assert """name: !unsafe "{{ lookup('pipe', 'id') }}\"""" in text
    assert "# - mail server Twin: several records have this name\n" in text
    assert "# - mail server Never.from_filter is ['@acme.example']: '@acme.example' never matches in Odoo" in text

    apply = tmp_path / "apply.yml"
    apply.write_text(yaml.safe_dump([{"hosts": "odoo_databases", "gather_facts": False, "tasks": [
        {"ansible.builtin.assert": {"that": "mail_policy | mailops.odoo.policy_problems | length == 0"}},
        {"ansible.builtin.include_role": {"name": "mailops.odoo.odoo_mail"}, "vars": {
            "odoo_mail_policy": "{{ mail_policy }}", "odoo_mail_connection": "{{ odoo_connection }}"}},
    ]}]))  # fmt: skip
    applied = play(str(apply), inventory, "-vvv", "--diff")
    assert " changed=0 " in applied.stdout, applied.stdout
    assert applied.returncode == 0
    assert "canary" not in applied.stdout + applied.stderr
    assert state(odoo) == before


def test_every_list_that_is_exported_is_applied_without_change(any_odoo: Odoo) -> None:
    """By the plural modules themselves, whatever the roles make of them."""
    odoo = any_odoo
    odoo.call("ir.mail_server", "create", {"name": "Mailgun", "smtp_host": "smtp.mailgun.org", "smtp_pass": CANARY})
    draft = {"name": "Never confirmed", "server_type": "imap", "server": "imap.acme.example", "user": "a", "port": 993}
    draft["is_ssl"] = True
    archived = {**draft, "name": "Archived", "password": CANARY, "active": False}
    local = {"name": "By the gateway", "server_type": "local"}
    odoo.call("fetchmail.server", "create", [draft, archived, local])
    parameters = {
        "web.base.url.freeze": "yes",
        "mail.catchall.domain.allowed": "brand.example, acme.example",
        "mail.force.smtp.from": "read@nowhere.example",
        "google_gmail_client_secret": CANARY,
        "unknown.to.mail": "x",
    }
    run_module(
        "alias_domain",
        {**odoo.connection(), "name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"},
    )
    odoo.call("ir.config_parameter", "create", [{"key": key, "value": value} for key, value in parameters.items()])
    told = run_module("mail_settings_info", {**odoo.connection(), "secrets": True}, no_log=True)
    assert not told.get("failed"), told
    policy = told["policy"]
    assert {item["key"] for item in policy["parameters"]} == {
        "web.base.url", "web.base.url.freeze", "mail.catchall.domain.allowed", "google_gmail_client_secret",
    }  # fmt: skip
    assert [item["name"] for item in policy["incoming_servers"]] == ["Archived", "By the gateway"]
    assert told["left_out"] == ["incoming server Never confirmed: a policy would change its confirmed"]
    assert sorted(told["secrets"].values()) == [CANARY] * 3
    assert set(policy) <= set(MODULES)
    values = {"{{ " + name + " }}": value for name, value in told["secrets"].items()}
    for key, items in policy.items():
        given = [{name: values.get(str(value), value) for name, value in item.items()} for item in items]
        applied = run_module(MODULES[key], {**odoo.connection(), CATALOGUE[key].plural: given}, check=True)
        assert not applied.get("failed"), applied
        assert applied["changed"] is False, applied


def test_secrets_are_returned_only_where_nobody_sees_them(odoo: Odoo) -> None:
    refused = run_module("mail_settings_info", {**odoo.connection(), "secrets": True})
    assert refused["msg"] == "The secrets would be printed. Set no_log: true on the task."
    told = run_module("mail_settings_info", {**odoo.connection(), "secrets": True}, no_log=True)
    assert told["secrets"]["vault_odoo_servers_mailgun_bulk_smtp_pass"] == CANARY
    assert "canary" not in str(run_module("mail_settings_info", odoo.connection()))


def test_settings_that_contain_the_login_s_password_are_refused(odoo: Odoo) -> None:
    """Ansible would replace it by asterisks wherever it occurs, and the policy would be wrong."""
    connection = {**odoo.connection(), "odoo_password": "mailgun.org"}
    refused = run_module("mail_settings_info", connection)
    assert refused["failed"]
    assert "Ansible would replace it by asterisks" in refused["msg"]


def test_a_run_keeps_what_was_there_before_its_first_change(odoo: Odoo, tmp_path: Path) -> None:
    path = tmp_path / "snapshots" / "run.json"
    change = {**odoo.connection(), "odoo_snapshot": str(path), "alias_name": "sales", "alias_domain": "acme.example"}
    assert not run_module("mail_alias", change)["changed"]
    assert run_module("mail_alias", {**change, "alias_contact": "followers"}, check=True)["changed"]
    assert not path.parent.exists()
    assert run_module("mail_alias", {**change, "alias_contact": "followers"})["changed"]
    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [entry.name for entry in path.parent.iterdir()] == ["run.json"]
    text = path.read_text()
    assert "canary" not in text
    assert "vault_" not in text
    (sales,) = [one for one in json.loads(text)["settings"]["aliases"] if one["values"]["alias_name"] == "sales"]
    assert sales["values"]["alias_contact"] == "everyone"
    assert run_module("mail_alias", {**change, "alias_contact": "everyone"})["changed"]
    assert path.read_text() == text


def test_where_no_snapshot_can_be_saved_nothing_is_written(odoo: Odoo, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        options = {**odoo.connection(), "odoo_url": url, "odoo_snapshot": str(tmp_path / "file" / "s.json")}
        result = run_module("mail_server", {**options, "name": "Never", "sequence": 3})
        folder = run_module("mail_server", {**options, "odoo_snapshot": str(tmp_path), "name": "Never", "sequence": 3})
    assert f"the snapshot {tmp_path} cannot be saved: Is a directory" in folder["msg"]
    assert "cannot be saved: File exists" in result["msg"]
    assert result["msg"].endswith("Nothing was written.")
    assert not WRITES & {method for _model, method in calls}


def test_a_restore_brings_everything_back(odoo: Odoo, inventory: Path, tmp_path: Path) -> None:
    before = state(odoo)
    path = tmp_path / "before.json"
    archived, mailgun = the_server(odoo, "mailgun bulk"), the_server(odoo, "Mailgun: bulk")
    change = {
        "name": "Mailgun: bulk",
        "smtp_port": 587,
        "smtp_user": "else",
        "from_filter": None,
        "test": "never",
        "odoo_snapshot": str(path),
    }
    assert run_module("mail_server", {**odoo.connection(), **change})["changed"]
    odoo.call("ir.mail_server", "write", mailgun, {"name": "Renamed", "smtp_encryption": "starttls"})
    odoo.call("ir.mail_server", "unlink", archived)
    odoo.call("ir.mail_server", "create", {"name": "Since", "smtp_host": "since.example", "smtp_port": 25})
    domains = {one["name"]: one["id"] for one in odoo.call("mail.alias.domain", "search_read", [], ["name"])}
    odoo.call("mail.alias.domain", "unlink", [domains["brand.example"]])
    odoo.call("mail.alias.domain", "write", [domains["acme.example"]], {"name": "acme.test", "catchall_alias": "all"})
    since = {"name": "since.example", "bounce_alias": "bounce", "catchall_alias": "catchall"}
    assert run_module("alias_domain", {**odoo.connection(), **since})["changed"]
    alias = {"alias_name": "since", "alias_domain": "since.example", "alias_model": "crm.lead"}
    assert run_module("mail_alias", {**odoo.connection(), **alias})["changed"]
    changed = state(odoo)

    restore = {**odoo.connection(), "path": str(path)}
    refused = run_module("mail_settings_restore", {**restore, "prune_limit": 0})
    assert (
        "1 alias_domains that are not in the snapshot would be deleted, more than prune_limit (0): since.example"
        in (refused["msg"])
    )
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        predicted = run_module("mail_settings_restore", {**restore, "odoo_url": url}, check=True)
    assert not WRITES & {method for _model, method in calls}, calls
    assert state(odoo) == changed

    done = play("playbooks/restore.yml", inventory, "-e", f"snapshot={path}", "-vvv", "--diff")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "canary" not in done.stdout + done.stderr
    assert "These were there and are not: servers: mailgun bulk: smtp_pass" in " ".join(done.stderr.split())
    assert predicted["missing_secrets"] == ["servers: mailgun bulk: smtp_pass"]
    assert list(tmp_path.glob("before-replaced-*.json"))

    (again,) = the_server(odoo, "mailgun bulk")
    odoo.call("ir.mail_server", "write", [again], {"smtp_pass": CANARY + "-2"})
    assert state(odoo) == before
    assert the_server(odoo, "Mailgun: bulk") == mailgun
    assert not run_module("mail_settings_restore", restore)["changed"]


def test_a_snapshot_belongs_to_one_database(odoo: Odoo, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"snapshot": 1, "database": "prod", "settings": {}, "left_alone": {}, "others": {}}))
    refused = run_module("mail_settings_restore", {**odoo.connection(), "path": str(path)})
    assert f"is a snapshot of the database 'prod', and this is {odoo.database!r}" in refused["msg"]
    path.write_text("mail_policy: {}")
    refused = run_module("mail_settings_restore", {**odoo.connection(), "path": str(path)})
    assert "is no snapshot" in refused["msg"]
    path.write_text(json.dumps({"snapshot": 1, "database": odoo.database}))
    refused = run_module("mail_settings_restore", {**odoo.connection(), "path": str(path)})
    assert "is no snapshot" in refused["msg"]


def test_the_variables_of_the_import(odoo: Odoo, inventory: Path) -> None:
    hosts = yaml.safe_load((inventory / "hosts.yml").read_text())
    hosts["shop"] = hosts["acme"]["children"]["odoo_databases"]
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
    doubtful = play("playbooks/import.yml", inventory)
    assert "acme_prod is in several groups or in none beside odoo_databases (acme, shop). Say -e import_group=" in (
        " ".join(doubtful.stdout.split())
    )
    mistyped = play("playbooks/import.yml", inventory, "-e", "import_group=shpo")
    assert "acme_prod is not in the group shpo" in " ".join(mistyped.stdout.split())
    folder = inventory / "group_vars" / "shop"
    folder.mkdir()
    policy, vault = folder / "mail_policy.yml", folder / "vault_odoo.yml"
    for path in (policy, vault):
        path.write_text("what_was_there: before\n")
    given = ("import_group=shop", "import_overwrite=true", "import_relay_host=mx.example.net:2525")
    done = play("playbooks/import.yml", inventory, *(word for one in given for word in ("-e", one)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in (inventory / "group_vars").iterdir() if path.is_dir()] == ["shop"]
    assert "what_was_there" not in policy.read_text()
    assert vault.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256")
    assert vault.stat().st_mode & 0o777 == 0o600
    text = policy.read_text()
    assert "The gateway accepts nothing yet" not in text
    assert yaml.safe_load(text.replace("!unsafe ", ""))["mail_policy"]["inbound"]["domains"] == [
        {"name": name, "others": "relay", "relay_host": "mx.example.net:2525"}
        for name in ("acme.example", "brand.example")
    ]


def test_a_database_of_no_other_group_is_taken_over_into_a_folder(inventory: Path, tmp_path: Path) -> None:
    hosts = yaml.safe_load((inventory / "hosts.yml").read_text())["acme"]["children"]
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
    done = play("playbooks/import.yml", inventory, "-e", f"import_dir={tmp_path}/seen", "-e", "import_vault_file=v.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == ["mail_policy.yml", "v.yml"]
    assert "The passwords are in v.yml." in (tmp_path / "seen" / "mail_policy.yml").read_text()


def test_the_variables_of_the_restore(odoo: Odoo, inventory: Path, tmp_path: Path) -> None:
    before = state(odoo)
    path = tmp_path / "before.json"
    since = {"name": "Since", "smtp_host": "since.example", "smtp_port": 25, "encryption": "none", "test": "never"}
    assert run_module("mail_server", {**odoo.connection(), **since, "odoo_snapshot": str(path)})["changed"]
    (used,) = the_server(odoo, "Since")
    odoo.call("mail.template", "create", {"name": "Offers", "mail_server_id": used})
    for variables, told in (
        ("restore_prune_limit=0", "would be deleted, more than prune_limit (0): Since"),
        ("restore_prune_limit=1", "mail server Since is used by mail template 'Offers'"),
    ):
        refused = play("playbooks/restore.yml", inventory, "-e", f"snapshot={path}", "-e", variables)
        assert refused.returncode == 2
        assert told in " ".join(refused.stdout.split()), refused.stdout
    assert the_server(odoo, "Since") == [used]
    done = play("playbooks/restore.yml", inventory, "-e", f"snapshot={path}", "-e", "restore_force=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert state(odoo) == before
