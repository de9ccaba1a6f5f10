# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe against the providers and Postfix, from the controller and from the hosts with old and new Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.test_examples import examples
from support.machines import Internet, Machine
from support.modules import run_module
from support.playbooks import ROOT, ansible_playbook

pytestmark = pytest.mark.integration

ZOHO, MAILGUN = "no-reply@acme.example", "no-reply@mg.acme.example"
PROVIDERS = [(465, "ssl", ZOHO), (587, "starttls", ZOHO), (2525, "starttls", MAILGUN)]
CANARY = "canary-wrong-password"


def probe(machine: Machine, port: int, encryption: str, **options: Any) -> dict[str, Any]:
    target = {"host": machine.ip, "port": port, "encryption": encryption, "ca_file": machine.ca_file}
    return run_module("smtp_probe", {**target, **options})


@pytest.mark.parametrize(("port", "encryption", "login"), PROVIDERS)
def test_providers_take_the_right_password_and_no_other(
    internet: Internet, port: int, encryption: str, login: str
) -> None:
    password = internet.accounts[login]
    right = probe(internet, port, encryption, login=login, password=password, mail_from=login, rcpt_to=["x@a.example"])
    assert (right["problem"], right["authenticated"]) == ("", True)
    assert right["size_limit"] == 33554432
    assert internet.ip in right["certificate"]["names"]
    assert right["certificate"]["days_left"] > 0
    wrong = probe(internet, port, encryption, login=login, password=CANARY, mail_from=login)
    assert (wrong["authenticated"], wrong["problem"][:16]) == (False, "auth: 535 5.7.8 ")
    assert password not in str(right)
    assert CANARY not in str(wrong)


@pytest.mark.parametrize(("port", "encryption", "login"), PROVIDERS)
def test_without_a_login_providers_take_no_sender(internet: Internet, port: int, encryption: str, login: str) -> None:
    assert probe(internet, port, encryption, mail_from=login)["problem"].startswith("mail: 530 5.7.0 ")


def test_a_certificate_that_this_machine_does_not_trust(internet: Internet) -> None:
    result = probe(internet, 587, "starttls", ca_file=None, login=ZOHO, password=internet.accounts[ZOHO])
    assert "certificate: not accepted: this machine knows no CA that signed it" in result["problem"]
    assert result["authenticated"] is None
    assert result["certificate"]["issuer"] == "CN=mailops sandbox CA"


def test_recipients_at_a_mail_exchanger(internet: Internet) -> None:
    known = ["bob@customer.example", "full@customer.example", "unknown-1@customer.example", "x@elsewhere.example"]
    result = probe(internet, 25, "starttls", mail_from="", rcpt_to=known)
    assert [step["detail"] for step in result["steps"] if step["step"] == "rcpt"] == [
        "bob@customer.example: 250 2.1.5 recipient ok",
        "full@customer.example: 552 5.2.2 mailbox is full",
        "unknown-1@customer.example: 550 5.1.1 no such mailbox",
        "x@elsewhere.example: 554 5.7.1 relay access denied",
    ]
    again = probe(internet, 25, "starttls", login=ZOHO, password=internet.accounts[ZOHO])
    assert again["problem"] == "auth: the server offers no AUTH here"
    clear = probe(internet, 25, "none", login=ZOHO, password=internet.accounts[ZOHO])
    assert clear["problem"] == "auth: a login goes over TLS only, except to this machine itself"


def test_postfix(gateway: Machine) -> None:
    result = probe(gateway, 25, "none", mail_from="", rcpt_to=["x@elsewhere.example"])
    assert result["problem"].startswith("rcpt: x@elsewhere.example: 554 5.7.1 ")
    assert result["size_limit"] > 0
    journal = gateway.run("journalctl", "--unit", "postfix*", "--since", "-1min", "--no-pager").stdout
    assert "improper command" not in journal


def test_from_the_hosts_by_name(internet: Internet, tmp_path: Path) -> None:
    """The examples as they stand, and what the hosts' own resolver and CA store are for; Python 3.9 is among them."""
    module = "mailops.odoo.smtp_probe"
    found = examples(ROOT / "plugins" / "modules" / "smtp_probe.py")
    nowhere = {"host": "nowhere.example", "port": 2525}
    wrong = {"host": "smtp.mailgun.org", "port": 2525, "login": MAILGUN, "password": CANARY}
    other = {"host": "ns1.mailgun.org", "port": 2525, "login": MAILGUN, "password": "{{ vault_mailgun_smtp_password }}"}
    conditions = [
        "ways.results[0].problem == ''",
        "ways.results | length == 2",
        "not asked.results[0].reachable",
        "asked.results[0].problem == 'tcp: there is no host nowhere.example'",
        "asked.results[1].authenticated is false",
        "'it is not for ns1.mailgun.org, the host name' in asked.results[2].problem",
        "asked.results[2].authenticated is none",
        "asked.problem is search('nowhere.example:2525: tcp: .*; smtp.mailgun.org:2525: auth: 535')",
    ]
    tasks = [
        *found,
        {"name": "Ask for several", module: {"targets": [nowhere, wrong, other]}, "register": "asked"},
        {"name": "Compare", "ansible.builtin.assert": {"that": conditions}},
    ]
    over_podman = {
        "ansible_connection": "ansible.builtin.ssh",
        "ansible_ssh_executable": str(ROOT / "sandbox" / "podman-as-ssh"),
        "ansible_ssh_transfer_method": "piped",
        "ansible_python_interpreter": "/usr/bin/python3",
        "vault_mailgun_smtp_password": "{{ lookup('ansible.builtin.file', playbook_dir ~ '/password') }}",
    }
    hosts = {name: {"ansible_host": Machine(name).container} for name in ("odoo14", "gateway")}
    (tmp_path / "password").write_text(internet.accounts[MAILGUN])
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": over_podman}}))
    (tmp_path / "playbook.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    done = ansible_playbook(str(tmp_path / "playbook.yml"), "-i", str(tmp_path / "hosts.yml"), "-vvv", "--diff")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
    for secret in (CANARY, internet.accounts[MAILGUN]):
        assert secret not in done.stdout + done.stderr
        for name in hosts:
            assert secret not in Machine(name).run("journalctl", "--since", "-5min", "--no-pager").stdout
