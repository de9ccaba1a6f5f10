# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy, database and document: verify.yml tells where they differ, document.yml writes the last of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.odoo.plugins.filter.mail_checks import mail_checks
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.document import render
from support.machines import Odoo
from support.mailgun_modules import simulated
from support.modules import recorded, run_module
from support.playbooks import ansible_playbook
from support.scripted_dns import Zones, answering
from support.steps import READS

pytestmark = pytest.mark.integration

SERVER = {
    "name": "Main",
    "sequence": 5,
    "smtp_host": "mail.acme.example",
    "smtp_port": 587,
    "encryption": "starttls",
    "smtp_user": "no-reply@acme.example",
    "smtp_pass": "canary-password",
    "from_filter": ["no-reply@acme.example", "bounce@acme.example"],
}
DOMAIN = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall", "default_from": "no-reply"}
POLICY: dict[str, Any] = {
    "version": 1,
    "odoo": {"alias_domains": [DOMAIN], "servers": [SERVER]},
    "inbound": {"domains": [{"name": "acme.example", "others": "reject"}]},
}
# No other test's, and not that of this machine's own resolver.
DNS_ADDRESS = "127.9.53.2"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


class Inventory:
    """A folder with the databases' inventory, and the document in it."""

    def __init__(self, folder: Path, connection: dict[str, Any]) -> None:
        self.folder = folder
        self.document = folder / "MAIL.md"
        (folder / "group_vars").mkdir()
        (folder / "host_vars").mkdir()
        (folder / "group_vars" / "odoo_databases.yml").write_text(yaml.safe_dump({"odoo_connection": connection}))

    def say(self, **policies: Any) -> None:
        """Let each of these databases have its policy."""
        hosts = {"odoo_databases": {"hosts": dict.fromkeys(policies, LOCAL)}}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(hosts))
        for host, policy in policies.items():
            # JSON is YAML without anchors.
            (self.folder / "host_vars" / f"{host}.yml").write_text(json.dumps({"mail_policy": policy}))

    def run(self, playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = ansible_playbook(f"playbooks/{playbook}.yml", *arguments, "--inventory", str(self.folder / "hosts.yml"))
        assert "canary" not in done.stdout + done.stderr
        return done


@pytest.fixture
def inventory(tmp_path: Path, odoo: Odoo) -> Inventory:
    return Inventory(tmp_path, odoo.connection())


def with_odoo(**options: Any) -> dict[str, Any]:
    return {**POLICY, "odoo": {**POLICY["odoo"], **options}}


def failure(done: subprocess.CompletedProcess[str], *texts: str) -> None:
    """See that a run failed, and that it says why; the callback may break its lines anywhere."""
    assert done.returncode == 2, done.stdout + done.stderr
    told = "".join(done.stdout.split())
    for text in texts:
        assert "".join(text.split()) in told, done.stdout


def test_the_document_is_written(inventory: Inventory) -> None:
    inventory.say(prod=POLICY, copy=POLICY)
    looked = inventory.run("document", "--check", "--diff")
    assert looked.returncode == 0, looked.stdout
    assert "+# How mail flows at acme.example" in looked.stdout
    assert not inventory.document.exists()
    done = inventory.run("document")
    assert done.returncode == 0, done.stdout
    assert inventory.document.read_text("utf-8") == render(POLICY)
    # Both databases have the same policy, and the second one found its document written.
    assert (done.stdout.count("changed=1"), done.stdout.count("changed=0")) == (1, 1)


def test_two_policies_in_one_document(inventory: Inventory) -> None:
    inventory.say(prod=POLICY, shop=with_odoo(modules=["crm"]))
    failure(inventory.run("document"), "prod and shop have different policies and the same document")
    assert not inventory.document.exists()


def test_policy_database_and_document(inventory: Inventory, odoo: Odoo) -> None:
    inventory.say(prod=POLICY)
    # Check mode of site.yml on an empty host ends with this.
    looked = inventory.run("verify", "--check")
    assert looked.returncode == 0, looked.stdout
    done = run_module("mail_settings", {**odoo.connection(), **POLICY["odoo"], "test": "never"})
    assert not done.get("failed"), done
    # Of a server that somebody adds, site.yml warns.
    odoo.call("ir.mail_server", "create", {"name": "By hand", "smtp_host": "old.acme.example", "smtp_port": 25})
    inventory.document.write_text(render(POLICY), "utf-8")
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        arguments = ["--extra-vars", json.dumps({"odoo_connection": {**odoo.connection(), "odoo_url": url}})]
        verified = inventory.run("verify", *arguments)
    assert verified.returncode == 0, verified.stdout
    assert calls
    assert {method for _model, method in calls} <= READS

    inventory.document.write_text(render(POLICY).replace("Main", "Other"), "utf-8")
    (server,) = odoo.call("ir.mail_server", "search", [["name", "=", "Main"]])
    odoo.call("ir.mail_server", "write", [server], {"sequence": 50})
    inventory.say(prod=with_odoo(unmanaged_servers="archive"))
    failure(
        inventory.run("verify"),
        "3 of 9 checks failed: ODOO.servers.Main: different: sequence is 50, not 5; ODOO.servers.By hand: in Odoo and "
        "active, but not in the policy; ODOO.document:",
        "MAIL.md is not what the policy says any more",
    )
    # Without Odoo the document is looked at all the same.
    failure(inventory.run("verify", "--skip-tags", "odoo"), "1 of 7 checks failed: ODOO.document:")


def test_what_cannot_be_looked_at_is_told(inventory: Inventory) -> None:
    other = {**POLICY, "odoo": {"servers": [{**SERVER, "smtp_pass": "{{ not_there }}"}]}}
    inventory.say(prod=POLICY, shop=other)
    done = inventory.run("verify", "--extra-vars", json.dumps({"odoo_connection": {"odoo_url": "https://127.0.0.1:1"}}))
    assert done.returncode == 0, done.stdout
    told = " ".join(done.stdout.split())
    assert "there is no login to Odoo: odoo_connection has no odoo_password" in told
    assert "the policy's section odoo cannot be read: 'not_there' is undefined" in told
    assert "Result: incomplete. Nothing failed, but 2 of what was asked for could not be looked at." in told


def test_a_database_that_does_not_answer_is_a_failure(inventory: Inventory) -> None:
    inventory.say(prod=POLICY, shop=POLICY)
    nowhere = {"odoo_url": "https://127.0.0.1:1", "odoo_database": "prod", "odoo_login": "a", "odoo_password": "canary"}
    done = inventory.run("verify", "--extra-vars", json.dumps({"odoo_connection": nowhere}))
    failure(done, "2 of 12 checks failed: ODOO: ", "Connection refused")


# Without what Odoo 14 does not have: filters.
def test_a_new_domain_fails_verify_yml_and_not_site_yml(inventory: Inventory, tmp_path: Path) -> None:
    """Of records that are known only after the run nobody can have published one before it."""
    zone = Zones({"mg.acme.example.": f"@ NS ns\nns A {DNS_ADDRESS}"})
    with simulated(tmp_path) as modules, answering({DNS_ADDRESS: zone.both("mg.acme.example.")}, port=53):
        modules.run("domain", name="mg.acme.example")
        modules.mailgun.calls()
        where = {"mailgun_api_url": modules.mailgun.us, "mailgun_resolver": [DNS_ADDRESS]}
        account = {"provider": "mailgun", "api_key": modules.mailgun.key, "domains": [{"name": "mg.acme.example"}]}
        inventory.say(prod={**POLICY, "providers": [account]})
        arguments = ["--tags", "mailgun,dns", "--extra-vars", json.dumps(where)]
        failure(
            inventory.run("verify", *arguments),
            "DNS.TXT.mg.acme.example: missing",
            "MAILGUN.mg.acme.example.state: unverified: Mailgun does not send for it",
            "Result: failed, but only what awaits the records of a new domain.",
        )
        arguments[-1] = json.dumps({**where, "verify_pending_allowed": True})
        at_the_end = inventory.run("verify", *arguments)
        assert at_the_end.returncode == 0, at_the_end.stdout
        assert "Result: failed, but only what awaits" in at_the_end.stdout
        assert {method for method, _path in modules.mailgun.calls()} == {"GET"}


EVERYTHING: dict[str, Any] = {
    "parameters": [{"key": "web.base.url.freeze", "value": "True"}],
    "alias_domains": [DOMAIN],
    "companies": [{"name": "My Company", "email": "office@acme.example"}],
    "users": [{"login": "OdooBot", "email": "odoobot@acme.example"}],
    "servers": [{name: value for name, value in SERVER.items() if name != "from_filter"}],
    "mass_mailing_server": "Main",
    "aliases": [
        {"alias_name": "Sales", "alias_model": "crm.lead"},
        {"alias_name": "offers", "alias_model": "crm.lead", "alias_domain": "Acme.example"},
    ],
    "incoming_servers": [
        {"name": "Inbox", "server_type": "imap", "server": "i.acme.example", "user": "a", "password": "canary-inbox"}
    ],
    "allowed_senders": [{"email": "Shop@customer.example"}],
    "scheduled_actions": [{"xmlid": "email_queue", "interval_number": 7, "interval_type": "minutes"}],
}


def test_a_record_has_one_id_whether_it_differs_or_not(any_odoo: Odoo) -> None:
    older = {name: value for name, value in EVERYTHING.items() if name != "allowed_senders"}
    settings = older if any_odoo.name == "odoo14" else EVERYTHING
    found = run_module("mail_drift_info", {**any_odoo.connection(), **settings})
    assert not found.get("failed"), found
    here = {"host": "prod", "groups": ["odoo_databases"], "run_tags": ["odoo"], "skip_tags": [], "check_mode": False}
    looked = {"connection": any_odoo.connection(), "document": {"path": "", "exists": False, "text": ""}}

    def ids(drift: list[dict[str, Any]], status: str) -> set[str]:
        checks = mail_checks({**POLICY, "odoo": settings}, here, {**looked, "drift": {"drift": drift}})
        return {check["id"] for check in checks if check["status"] == status and check["id"].startswith("ODOO.")}

    assert {drift["setting"] for drift in found["drift"]} == set(settings)
    assert ids(found["drift"], "failed") == ids([], "passed")
    assert len(ids([], "passed")) == sum(len(one) if isinstance(one, list) else 1 for one in settings.values())
