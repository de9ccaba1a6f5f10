# SPDX-License-Identifier: GPL-3.0-or-later
"""The Mailgun modules in playbooks: their examples, and what is printed of secrets."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import secretfiles
from integration.test_examples import MAILGUN, examples
from support.machines import Internet
from support.mailgun_modules import Modules, simulated
from support.modules import run_module
from support.playbooks import ROOT, local_play, run_playbook

pytestmark = pytest.mark.integration

NAME = "mg.acme.example"


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[Modules]:
    with simulated(tmp_path) as ours:
        yield ours


def play(modules: Modules, tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a play for the simulator; where to log in is for the credentials' modules alone."""
    connection = {"api_key": "{{ vault_mailgun_api_key }}", "api_url": modules.mailgun.us}
    made = local_play(tasks, connection, "mailgun")
    for name in ("mailgun_credential", "mailgun_credentials"):
        made["module_defaults"][f"mailops.odoo.{name}"] = {**connection, **modules.smtp}
    return made


def test_the_examples_run(modules: Modules, tmp_path: Path) -> None:
    """In the order in which one does it: the domain with its records in DNS, what it is, its credentials."""
    made = modules.run("domain", name=NAME, use_automatic_sender_security=True)
    for record in made["dns_records"]:
        modules.mailgun.dns.records[record["name"], record["type"]] = record["values"]
    names = sorted(MAILGUN, key=lambda name: ("domain" not in name, name))
    tasks = [task for name in names for task in examples(ROOT / "plugins" / "modules" / f"{name}.py")]
    passwords = {"vault_mailgun_smtp_password": "from-the-vault", "vault_mailgun_news_password": "also-from-there"}
    variables = {"vault_mailgun_api_key": modules.mailgun.key, **passwords}
    done = run_playbook([play(modules, tasks)], tmp_path, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mg.acme.example waits for nothing" in done.stdout


def test_secrets_show_nowhere(modules: Modules, tmp_path: Path) -> None:
    """Neither the key nor old and new passwords in what -vvv --diff prints, of what goes well and what fails."""
    words = {"first": "canary-pw-first", "second": "canary-pw-second"}
    key = modules.mailgun.key
    credential = {"domain": NAME, "login": "no-reply"}
    one = {"login": "no-reply", "password": "{{ second }}"}
    tasks: list[dict[str, Any]] = [
        {"mailops.odoo.mailgun_domain": {"name": NAME}, "register": "domain"},
        {"ansible.builtin.debug": {"var": "domain"}},
        {"mailops.odoo.mailgun_credential": {**credential, "password": "{{ first }}"}, "register": "made"},
        {"ansible.builtin.debug": {"var": "made"}},
        {"mailops.odoo.mailgun_credentials": {"domain": NAME, "credentials": [one]}},
        {"mailops.odoo.mailgun_credential": {**credential, "password": "{{ second * 4 }}"}, "ignore_errors": True},
        {"mailops.odoo.mailgun_credential": {**credential, "password": "{{ first }}", "smtp_port": 0},
         "ignore_errors": True},
        {"mailops.odoo.mailgun_credential": {**credential, "domain": "other.example", "password": "{{ first }}"},
         "ignore_errors": True},
        {"mailops.odoo.mailgun_domain": {"name": NAME, "api_key": "{{ key }}-wrong"}, "ignore_errors": True},
        {"mailops.odoo.mailgun_domain_info": {}, "register": "all"},
        {"ansible.builtin.debug": {"var": "all"}},
    ]  # fmt: skip
    variables = {**words, "key": key, "vault_mailgun_api_key": key}
    done = run_playbook([play(modules, tasks)], tmp_path, "-vvv", "--diff", variables=variables)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "password: (hidden, changed)" in output
    assert output.count("fatal: ") == 4
    left = [path for path in Path(os.path.expanduser("~/.ansible")).rglob("*") if path.is_file()]
    for secret in ("canary-pw", key):
        assert secret not in output
        assert not [path for path in left if secret.encode() in path.read_bytes()]


def test_from_nothing_to_a_verified_sender(internet: Internet) -> None:
    """In the sandbox: its Mailgun over TLS, its DNS and its submission server."""
    name = f"t{uuid.uuid4().hex[:8]}.{NAME}"
    key = secretfiles.values()["vault_mailgun_api_key"]
    connection = {"api_key": key, "api_url": f"https://{internet.ip}", "ca_file": internet.ca_file}
    domain = {**connection, "name": name, "use_automatic_sender_security": True}
    credential = {
        **connection, "domain": name, "login": "no-reply", "password": "canary-password",
        "smtp_host": internet.ip, "smtp_ca_file": internet.ca_file,
    }  # fmt: skip
    made = run_module("mailgun_domain", domain)
    assert made.get("changed"), made
    try:
        for record in made["dns_records"]:
            internet.run("sandbox-dns", "add", record["name"], record["type"], *record["values"], check=True)
        verified = run_module("mailgun_domain", {**domain, "verify": True})
        assert verified["domain"]["verified"], verified
        proved = run_module("mailgun_credential", credential)
        assert (proved["changed"], proved["proved"]) == (True, True), proved
        for module, options in (("mailgun_domain", {**domain, "verify": True}), ("mailgun_credential", credential)):
            assert run_module(module, options)["changed"] is False
    finally:
        for record in made["dns_records"]:
            internet.run("sandbox-dns", "delete", record["name"], record["type"], *record["values"], check=True)
        gone = run_module("mailgun_domain", {**connection, "name": name, "state": "absent"})
    assert gone["changed"], gone
