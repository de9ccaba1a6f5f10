# SPDX-License-Identifier: GPL-3.0-or-later
"""What receivers find of a domain: the records are BIND's, which is its server and a resolver."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.test_examples import examples
from support.machines import Internet
from support.modules import run_module
from support.playbooks import ROOT, run_playbook
from support.scripted_dns import Zones, answering
from support.signing import KeyPair

pytestmark = pytest.mark.integration

NAME = "receivers.mg.acme.example"
KEY, ALIAS = f"s1._domainkey.{NAME}", f"s2._domainkey.{NAME}"
REPORTS = f"{NAME}._report._dmarc.customer.example"
# No other test's, and not that of this machine's own resolver.
DNS_ADDRESS = "127.9.53.3"


@pytest.fixture(scope="module")
def records(internet: Internet) -> Iterator[None]:
    """The domain's records; its key is too long for one string of a TXT record."""
    published = [
        (NAME, "TXT", "v=spf1 include:mailgun.org a:mx.acme.example -all"),
        (KEY, "TXT", KeyPair(2048).record),
        (ALIAS, "CNAME", f"{KEY}."),
        (f"_dmarc.{NAME}", "TXT", "v=DMARC1; p=quarantine; rua=mailto:a@customer.example"),
    ]
    for name, record_type, value in published:
        internet.run("sandbox-dns", "add", name, record_type, value, check=True)
    yield
    for name, record_type, _value in published:
        internet.run("sandbox-dns", "delete", name, record_type, check=True)


def found(internet: Internet, **domain: Any) -> dict[str, Any]:
    result = run_module("mail_domain_info", {"domains": [{"name": NAME, **domain}], "resolver": [internet.ip]})
    assert not result.get("failed"), result
    assert result["changed"] is False
    (shown,) = result["domains"]
    return dict(shown)


def test_a_domain_in_order(internet: Internet, records: None) -> None:
    gateway = internet.ip.rpartition(".")[0] + ".30"
    domain = found(internet, terms=["include:mailgun.org", "a:mx.acme.example", "include:zoho.com"], keys=[KEY, ALIAS])
    assert [(one["ip"], one["result"]) for one in domain["spf"]["senders"]] == [
        (internet.ip, "pass"),
        (gateway, "pass"),
        # Zoho's hosts are those of Mailgun here.
        (internet.ip, "pass"),
    ]
    assert domain["spf"]["lookups"] == ["include:mailgun.org", "a:mx.acme.example"]
    assert [(key["name"], key["status"], key["bits"]) for key in domain["dkim"]] == [
        (KEY, "present", 2048),
        (ALIAS, "present", 2048),
    ]
    assert (domain["dmarc"]["record"], domain["dmarc"]["policy"]) == (f"_dmarc.{NAME}", "quarantine")
    assert [(one["name"], one["authorised"]) for one in domain["dmarc"]["reports"]] == [(REPORTS, False)]


def test_a_host_that_the_domain_does_not_name(internet: Internet, records: None) -> None:
    domain = found(internet, terms=["ip4:192.0.2.1"], keys=[f"s3._domainkey.{NAME}"])
    (sender,) = domain["spf"]["senders"]
    assert (sender["result"], sender["explanation"]) == ("fail", f"{NAME}: 192.0.2.1 matches -all")
    assert domain["dkim"][0]["status"] == "missing"


def test_the_examples_run(tmp_path: Path) -> None:
    zones = {"mg.acme.example.": "v=spf1 include:mailgun.org ~all", "mailgun.org.": "v=spf1 ip4:192.0.2.1 -all"}
    world = Zones(
        {".": "", "acme.example.": f"@ NS ns\nns A {DNS_ADDRESS}"}
        | {name: f'@ NS ns\nns A {DNS_ADDRESS}\n@ TXT "{text}"' for name, text in zones.items()}
    )
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "module_defaults": {"mailops.odoo.mail_domain_info": {"resolver": [DNS_ADDRESS]}},
        "tasks": examples(ROOT / "plugins" / "modules" / "mail_domain_info.py"),
    }
    with answering({DNS_ADDRESS: world.both("acme.example.", *zones)}, port=53):
        done = run_playbook([play], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
