# SPDX-License-Identifier: GPL-3.0-or-later
"""mail-verify on the converged site, with Mailgun and its zone on loopback: what it prints, and with what it exits."""

from __future__ import annotations

import inspect
import json
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.message
import pytest
import secretfiles
from support.machines import Internet, Odoo
from support.mailgun_modules import Modules, simulated
from support.modules import clean_environment
from support.playbooks import ROOT, ansible_playbook
from support.scripted_dns import Zones, answering

pytestmark = pytest.mark.e2e

NAME, LOGIN = "mg.acme.example", "no-reply@mg.acme.example"
COMMAND = ROOT / "playbooks" / "files" / "mail-verify"
# No other test's, and not that of this machine's own resolver.
DNS_ADDRESS = "127.9.53.1"


@dataclass
class Report:
    """What the command printed, and the report that the playbook wrote, if it came to one."""

    done: subprocess.CompletedProcess[str]
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        return {check["id"]: check for check in self.data["checks"]}

    def ids(self, status: str) -> list[str]:
        return [check["id"] for check in self.data["checks"] if check["status"] == status]


# What an administrator has published beside Mailgun's records, and what the providers have.
ZONES = {
    ".": "",
    "acme.example.": """
        @ TXT "site-verification=a1b2c3"
        @ TXT "v=spf1 mx include:zoho.com include:mailgun.org ~all"
        @ MX 10 mx
        mx A 192.0.2.30
        _dmarc TXT "v=DMARC1; p=none; rua=mailto:postmaster@acme.example"
    """,
    "zoho.com.": '@ TXT "v=spf1 ip4:192.0.2.40/30 -all"',
    "mailgun.org.": '@ TXT "v=spf1 ip4:192.0.2.64/26 -all"',
}


class Zone:
    """The policy's zones and those of its providers at one address, which answers as resolver and as their server."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records = records
        self.others = dict(ZONES)

    def __call__(self, question: dns.message.Message) -> dns.message.Message | bytes | None:
        lines = []
        for record in self.records:
            for value in record["values"]:
                data = json.dumps(value) if record["type"] == "TXT" else f"{value}."
                lines.append(f"{record['name']}. {record['type']} {data}")
        zones = {**self.others, f"{NAME}.": "\n".join(lines)}
        served = {name: f"@ NS ns\nns A {DNS_ADDRESS}\n{inspect.cleandoc(text)}" for name, text in zones.items()}
        return Zones(served).both(*served)(question)


class Site:
    """The sandbox's inventory, its Mailgun replaced by the one on loopback."""

    def __init__(self, folder: Path, modules: Modules, zone: Zone, password: str) -> None:
        self.folder = folder
        self.zone = zone
        self.secrets = {**secretfiles.values(), "API key": modules.mailgun.key, "password": password}
        self.variables = folder / "variables.json"
        self.variables.touch(mode=0o600)
        self.variables.write_text(
            json.dumps(
                {
                    "vault_mailgun_api_key": modules.mailgun.key,
                    "mailgun_api_url": modules.mailgun.us,
                    "mailgun_smtp_host": modules.smtp["smtp_host"],
                    "mailgun_smtp_port": modules.smtp["smtp_port"],
                    "mailgun_ca_file": modules.smtp["smtp_ca_file"],
                    "mail_dns_resolver": [DNS_ADDRESS],
                    "mail_policy_document": str(folder / "MAIL.md"),
                }
            )
        )

    def verified(self, *arguments: str, environment: dict[str, str] | None = None, **variables: Any) -> Report:
        """Run the command and return what came of it."""
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        given = json.dumps({"mail_verify_report": report.name, **variables})
        done = subprocess.run(
            [COMMAND, "--extra-vars", f"@{self.variables}", "--extra-vars", given, *arguments],
            cwd=self.folder,
            env={
                **clean_environment(),
                "PWD": str(self.folder),
                "ANSIBLE_INVENTORY": str(ROOT / "inventories" / "sandbox"),
                "MAILOPS_NAMESPACE": "test",
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                **(environment or {}),
            },
            text=True,
            capture_output=True,
            check=False,
        )
        told = done.stdout + done.stderr + (report.read_text() if report.exists() else "")
        assert [name for name, secret in self.secrets.items() if secret in told] == []
        return Report(done, json.loads(report.read_text()) if report.exists() else {})


@pytest.fixture(scope="module")
def site_of(tmp_path_factory: pytest.TempPathFactory, internet: Internet) -> Iterator[Site]:
    """The site with a verified domain at Mailgun, its login and its records, and the policy's document."""
    folder = tmp_path_factory.mktemp("verify")
    with simulated(folder) as modules:
        made = modules.run("domain", name=NAME, use_automatic_sender_security=True)
        password = internet.accounts[LOGIN]
        modules.run("credential", domain=NAME, login="no-reply", password=password)
        records = made["dns_records"]
        for record in records:
            modules.mailgun.dns.records[record["name"], record["type"]] = record["values"]
        modules.run("domain", name=NAME, verify=True)
        zone = Zone(records)
        with answering({DNS_ADDRESS: zone}, port=53):
            site = Site(folder, modules, zone, password)
            done = ansible_playbook("playbooks/document.yml", "--extra-vars", f"@{site.variables}")
            assert done.returncode == 0, done.stdout
            yield site


def last_line(report: Report) -> str:
    return report.done.stdout.splitlines()[-1]


def test_everything_passes(site_of: Site) -> None:
    log = site_of.folder / "ansible.log"
    report = site_of.verified("-vvv", "--diff", environment={"ANSIBLE_LOG_PATH": str(log)})
    assert report.done.returncode == 0, report.done.stdout + report.done.stderr
    assert [name for name, secret in site_of.secrets.items() if secret in log.read_text()] == []
    assert last_line(report) == "Result: passed"
    assert report.done.stderr == ""
    assert report.ids("failed") == []
    # The gateway needs not all, and Mailgun's keys are not of this world; nothing else was skipped.
    skipped = report.ids("skipped")
    assert all(name.startswith(("PORT.gateway.", "DKIM.pdk")) for name in skipped), skipped
    passed = set(report.ids("passed"))
    assert {
        f"DNS.TXT.{NAME}",
        f"DNS.MX.{NAME}",
        "DNS.TXT.acme.example",
        "DNS.TXT._dmarc.acme.example",
        "DNS.MX.acme.example",
        "SPF.acme.example",
        f"SPF.{NAME}",
        "DMARC.acme.example",
        f"DMARC.{NAME}",
        f"MAILGUN.{NAME}.state",
        f"MAILGUN.{NAME}.records",
        f"MAILGUN.{LOGIN}.auth",
        "ODOO.servers.Mailgun SMTP",
        "ODOO.document",
        "PORT.odoo.smtp.mailgun.org:2525",
        "PORT.gateway.smtp.mailgun.org:2525",
        "PORT.gateway.mx.zoho.com:2525",
        "GATEWAY.gateway.units",
        "GATEWAY.gateway.bridge.socket",
        "GATEWAY.gateway.postfix",
    } <= passed
    assert sum(name.startswith("DNS.CNAME.pdk") for name in passed) == 2
    assert max(len(line) for line in report.done.stdout.splitlines()) <= 100


def test_a_record_that_is_gone_is_named_and_one_too_many(site_of: Site) -> None:
    right = site_of.zone.records
    removed = right[0]
    site_of.zone.records = [*right[1:], {"name": NAME, "type": "MX", "values": ["10 mxa.mailgun.org"]}]
    try:
        report = site_of.verified("--tags", "dns")
    finally:
        site_of.zone.records = right
    assert report.done.returncode == 1, report.done.stdout
    name = f"DNS.{removed['type']}.{removed['name']}"
    assert report.ids("failed") == [name, f"DNS.MX.{NAME}", f"SPF.{NAME}"]
    assert "missing" in report.checks[name]["detail"]
    assert removed["values"][0] in report.checks[name]["fix"]
    assert name in report.done.stdout


def test_an_spf_record_that_costs_too_much(site_of: Site) -> None:
    """It has what the policy wants, and receivers give up over it all the same."""
    site_of.zone.others["zoho.com."] = "\n".join(
        [f'@ TXT "v=spf1 {" ".join(f"include:s{number}.zoho.com" for number in range(9))} -all"']
        + [f's{number} TXT "v=spf1 ip4:192.0.2.4{number} -all"' for number in range(9)]
    )
    try:
        report = site_of.verified("--tags", "dns")
    finally:
        site_of.zone.others["zoho.com."] = ZONES["zoho.com."]
    assert (report.done.returncode, report.ids("failed")) == (1, ["SPF.acme.example"])
    assert "it makes receivers ask 12 times, and after 10 they give up" in report.checks["SPF.acme.example"]["detail"]


def test_a_server_that_somebody_changed(site_of: Site, site: Odoo) -> None:
    (server,) = site.call("ir.mail_server", "search", [["name", "=", "Zoho SMTP Notifications"]])
    site.call("ir.mail_server", "write", [server], {"sequence": 77})
    try:
        report = site_of.verified("--tags", "odoo")
    finally:
        site.call("ir.mail_server", "write", [server], {"sequence": 10})
    assert report.done.returncode == 1, report.done.stdout
    assert report.ids("failed") == ["ODOO.servers.Zoho SMTP Notifications"]
    assert report.checks[report.ids("failed")[0]]["detail"] == "different: sequence is 77, not 10"


def test_no_api_key(site_of: Site) -> None:
    report = site_of.verified("--tags", "mailgun,dns", vault_mailgun_api_key="{{ not_defined_at_all }}")
    assert report.done.returncode == 2, report.done.stdout + report.done.stderr
    assert report.ids("failed") == []
    asked = [check for check in report.data["checks"] if check["status"] == "skipped" and check["asked"]]
    assert [check["id"] for check in asked] == [
        f"DNS.{NAME}",
        f"MAILGUN.{NAME}.state",
        f"MAILGUN.{NAME}.records",
    ]
    assert all("there is no API key" in check["detail"] for check in asked)
    assert f"DNS.MX.{NAME}" in report.ids("passed")
    assert last_line(report).startswith("Result: incomplete")


def test_without_odoo(site_of: Site) -> None:
    report = site_of.verified(
        "--skip-tags", "odoo", odoo_connection={"odoo_url": "https://127.0.0.1:1", "odoo_api_key": "canary"}
    )
    assert report.done.returncode == 0, report.done.stdout
    assert report.checks["ODOO"]["detail"] == "left out by --skip-tags odoo"
    assert f"MAILGUN.{LOGIN}.auth" in report.ids("passed")


def test_a_password_that_mailgun_does_not_know(site_of: Site) -> None:
    report = site_of.verified("--tags", "mailgun", vault_mailgun_smtp_password="another-password")
    assert (report.done.returncode, report.ids("failed")) == (1, [f"MAILGUN.{LOGIN}.auth"])
    assert "another-password" not in report.done.stdout + report.done.stderr + json.dumps(report.data)


def test_a_gateway_that_does_not_answer(site_of: Site) -> None:
    # As ssh(1) says it.
    dead = site_of.folder / "dead-to-the-gateway"
    dead.write_text(
        '#!/bin/sh\ncase "$*" in *-gateway*) echo "ssh: connect to host: No route to host" >&2; exit 255;; esac\n'
        f'exec {ROOT}/sandbox/podman-as-ssh "$@"\n'
    )
    dead.chmod(0o700)
    report = site_of.verified("--tags", "ports,gateway", ansible_ssh_executable=str(dead))
    assert report.done.returncode == 1, report.done.stdout
    assert report.ids("failed") == ["HOST.gateway"]
    assert "No route to host" in report.checks["HOST.gateway"]["detail"]
    # The others are looked at all the same.
    assert "PORT.odoo.smtp.mailgun.org:2525" in report.ids("passed")


def test_a_host_that_was_left_out(site_of: Site) -> None:
    report = site_of.verified("--limit", "gateway", "--tags", "gateway")
    assert report.done.returncode == 0, report.done.stdout
    assert report.checks["HOST.acme_prod"]["detail"] == "left out by --limit"


def test_a_playbook_that_cannot_run(site_of: Site, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("not the vault's password\n")
    report = site_of.verified("--tags", "dns", environment={"ANSIBLE_VAULT_PASSWORD_FILE": str(wrong)})
    assert (report.done.returncode, report.data, report.done.stdout) == (2, {}, "")
    assert "Decryption failed" in report.done.stderr
    assert "mail-verify: the playbook came to no report" in report.done.stderr


def test_an_inventory_without_hosts(site_of: Site, tmp_path: Path) -> None:
    empty = tmp_path / "hosts.yml"
    empty.write_text("all: {}\n")
    report = site_of.verified("--inventory", str(empty))
    # Ansible has nothing to complain about; nothing was looked at all the same.
    assert (report.done.returncode, report.data, report.done.stdout) == (2, {}, "")


def test_without_ansible(tmp_path: Path) -> None:
    for program in ("bash", "dirname", "readlink", "mktemp", "rm"):
        found = shutil.which(program)
        assert found
        (tmp_path / program).symlink_to(found)
    done = subprocess.run([COMMAND], env={"PATH": str(tmp_path)}, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no ansible-playbook" in done.stderr
    assert COMMAND.stat().st_mode & stat.S_IXOTH


def test_site_yml_verifies_when_it_is_asked_to() -> None:
    done = ansible_playbook("site.yml", "--tags", "none_of_its_parts")
    assert done.returncode == 0, done.stdout
    assert "What was found" not in done.stdout
