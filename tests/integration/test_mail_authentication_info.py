# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails as receivers judge them: keys, SPF and DMARC records are BIND's, signatures real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.test_examples import examples
from support.machines import Internet
from support.modules import run_module
from support.playbooks import ROOT, run_playbook
from support.signing import KeyPair, signed

pytestmark = pytest.mark.integration

SELECTOR = "receivers"
NAME = f"{SELECTOR}._domainkey.mg.acme.example"
MAIL = b"Return-Path: <bounce@mg.acme.example>\r\n"
TEXT = b"From: Sales <sales@acme.example>\nTo: x@customer.example\nSubject: News\n\nHello.\n"


@pytest.fixture(scope="module")
def key(internet: Internet) -> Iterator[KeyPair]:
    """The key of a selector of mg.acme.example; it is too long for one string of a TXT record."""
    key = KeyPair(2048)
    internet.run("sandbox-dns", "add", NAME, "TXT", key.record, check=True)
    yield key
    internet.run("sandbox-dns", "delete", NAME, "TXT", check=True)


@pytest.fixture
def mail(tmp_path: Path, key: KeyPair) -> Path:
    """A signed mail, as the receiver saved it."""
    path = tmp_path / "newsletter.eml"
    path.write_bytes(MAIL + signed(TEXT, key, "mg.acme.example", SELECTOR))
    return path


def judged(internet: Internet, **options: Any) -> dict[str, Any]:
    result = run_module("mail_authentication_info", {"resolver": [internet.ip], **options}, check=True)
    assert not result.get("failed"), result
    assert result["changed"] is False
    return result


def test_a_mail_that_passes(internet: Internet, mail: Path) -> None:
    found = judged(internet, path=str(mail), ip=internet.ip)
    assert found["spf"] == {
        "result": "pass",
        "explanation": f"mg.acme.example: {internet.ip} matches include:mailgun.org",
        "domain": "mg.acme.example",
        "mechanism": "include:mailgun.org",
        "lookups": 1,
        "void_lookups": 0,
    }
    signature = {"domain": "mg.acme.example", "selector": SELECTOR, "result": "pass", "reason": "", "bits": 2048}
    assert found["dkim"] == [signature]
    assert found["dmarc"] == {
        "result": "pass",
        "reason": "DKIM passes for mg.acme.example, which is aligned",
        "domain": "acme.example",
        "policy": "none",
        "record": "_dmarc.acme.example",
        "spf_aligned": True,
        "dkim_aligned": True,
    }


def test_a_mail_that_was_changed_and_forwarded(internet: Internet, mail: Path) -> None:
    mail.write_bytes(mail.read_bytes().replace(b"Hello", b"Good day"))
    found = judged(internet, path=str(mail), ip="192.0.2.1")
    assert (found["spf"]["result"], found["dkim"][0]["result"], found["dmarc"]["result"]) == (
        "softfail",
        "fail",
        "fail",
    )
    assert found["dmarc"]["reason"] == "DKIM of mg.acme.example: fail; SPF of mg.acme.example: softfail"


def test_a_route_without_a_mail(internet: Internet) -> None:
    network = internet.ip.rpartition(".")[0]
    found = judged(internet, ip=f"{network}.30", mail_from="bounce@acme.example", header_from="sales@acme.example")
    assert (found["spf"]["result"], found["dkim"], found["dmarc"]["result"]) == ("pass", [], "pass")
    found = judged(internet, ip=f"{network}.30", mail_from="", helo="mx.acme.example", header_from="customer.example")
    assert (found["spf"]["domain"], found["spf"]["result"]) == ("mx.acme.example", "pass")
    assert (found["dmarc"]["result"], found["dmarc"]["policy"]) == ("fail", "reject")
    found = judged(internet, ip=f"{network}.99", mail_from="a@nowhere.test")
    assert (found["spf"]["result"], found["dmarc"]) == ("none", None)


def test_a_resolver_that_is_none(internet: Internet, mail: Path) -> None:
    found = judged(internet, path=str(mail), ip=internet.ip, resolver=["127.0.0.99"], timeout=0.2)
    assert (found["spf"]["result"], found["dkim"][0]["result"], found["dmarc"]["result"]) == ("temperror",) * 3
    told = "_dmarc.acme.example TXT could not be looked up: resolver 127.0.0.99: no answer within 0.2 s"
    assert found["dmarc"]["reason"] == told


def test_the_examples_run(internet: Internet, mail: Path) -> None:
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "module_defaults": {"mailops.odoo.mail_authentication_info": {"resolver": [internet.ip]}},
        "tasks": examples(ROOT / "plugins" / "modules" / "mail_authentication_info.py"),
    }
    done = run_playbook([play], mail.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
