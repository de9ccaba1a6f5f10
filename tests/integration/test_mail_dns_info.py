# SPDX-License-Identifier: GPL-3.0-or-later
"""Records as BIND publishes them, with several zones on one server."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from integration.test_examples import examples
from support.machines import Internet
from support.modules import run_module
from support.playbooks import ROOT, run_playbook

pytestmark = pytest.mark.integration


def looked_up(internet: Internet, *records: dict[str, Any]) -> list[dict[str, Any]]:
    result = run_module("mail_dns_info", {"records": list(records), "resolver": [internet.ip]}, check=True)
    assert not result.get("failed"), result
    assert result["changed"] is False
    found: list[dict[str, Any]] = result["records"]
    return found


def record(name: str, record_type: str, *values: str) -> dict[str, Any]:
    return {"name": name, "type": record_type, **({"values": list(values)} if values else {})}


def test_what_is_published(internet: Internet) -> None:
    network = internet.ip.rpartition(".")[0]
    spf = "v=spf1 include:mailgun.org ~all"
    found = looked_up(
        internet,
        record("acme.example", "MX", "10 MX.acme.example."),
        record("mg.acme.example", "TXT", '"v=spf1 " "include:mailgun.org ~all"'),
        record("_dmarc.acme.example", "TXT"),
        record("mx.acme.example", "A", f"{network}.30"),
        record(f"30.{'.'.join(reversed(network.split('.')))}.in-addr.arpa", "PTR", "mx.acme.example"),
        {**record("mg.acme.example", "TXT", spf), "ttl": None, "valid": False, "state": "unknown"},
    )
    assert [(one["status"], one["detail"], one["problems"]) for one in found] == [("present", "", [])] * 6
    assert [one["zone"] for one in found[:2]] == ["acme.example", "mg.acme.example"]
    assert found[1]["found"] == [spf]
    assert found[0]["servers"] == [
        {
            "name": "ns1.acme.example",
            "address": internet.ip,
            "answer": "found",
            "values": ["10 mx.acme.example"],
            "ttl": 60,
            "detail": "",
        }
    ]


def test_what_is_not(internet: Internet) -> None:
    found = looked_up(
        internet,
        record("mg.acme.example", "MX"),
        record("nowhere.mg.acme.example", "CNAME", "mailgun.org"),
        record("mg.acme.example", "TXT", "v=spf1 include:eu.mailgun.org ~all"),
        record("_domainkey.nowhere.test", "TXT"),
    )
    assert [(one["status"], one["zone"], one["servers"][0]["answer"]) for one in found] == [
        ("missing", "mg.acme.example", "nodata"),
        ("missing", "mg.acme.example", "nxdomain"),
        ("different", "mg.acme.example", "found"),
        ("missing", ".", "nxdomain"),
    ]


def test_waiting_for_what_is_published_meanwhile(internet: Internet) -> None:
    """The task is waiting when it comes; then the resolver has it too, as it was not asked too early."""
    name, wanted = "waited-for.mg.acme.example", "v=spf1 -all"
    threading.Timer(1, internet.run, ("sandbox-dns", "add", name, "TXT", wanted)).start()
    options = {
        "records": [record(name, "TXT", wanted), record("mg.acme.example", "MX") | {"values": []}],
        "resolver": [internet.ip],
        "caches": [internet.ip],
        "wait": True,
        "wait_timeout": 60,
    }
    try:
        result = run_module("mail_dns_info", options)
    finally:
        internet.run("sandbox-dns", "delete", name, "TXT", check=True)
    assert not result.get("failed"), result
    assert [one["status"] for one in result["records"]] == ["present", "absent"]
    assert [cached["status"] for one in result["records"] for cached in one["caches"]] == ["present", "absent"]
    assert 0 < result["waited"] < 60


def test_waiting_in_vain(internet: Internet) -> None:
    """What is wrong is told with all that was found; in check mode nothing is waited for."""
    wanted = [record("nowhere.mg.acme.example", "TXT", "x"), record("acme.example", "MX", "10 mx.acme.example")]
    options = {"records": wanted, "resolver": [internet.ip], "wait": True, "wait_timeout": 1}
    result = run_module("mail_dns_info", options)
    assert (result["failed"], result["error"]) == (True, "not_published")
    assert result["msg"] == (
        "after 1 s DNS is not as wanted: nowhere.mg.acme.example TXT: missing, there is no such name (NXDOMAIN). "
        "Running again goes on waiting."
    )
    assert [one["status"] for one in result["records"]] == ["missing", "present"]
    looked = run_module("mail_dns_info", options | {"wait_timeout": 300}, check=True)
    assert (looked.get("failed", False), looked["waited"]) == (False, 0.0)
    assert [one["status"] for one in looked["records"]] == ["missing", "present"]


def test_mistakes_as_bind_answers_them(internet: Internet) -> None:
    appended, wildcard = "k1._domainkey.hint.mg.acme.example.mg.acme.example", "*.stars.mg.acme.example"
    internet.run("sandbox-dns", "add", appended, "TXT", "v=DKIM1; p=AAAA", check=True)
    internet.run("sandbox-dns", "add", wildcard, "TXT", "v=spf1 -all", check=True)
    try:
        found = looked_up(
            internet,
            record("k1._domainkey.hint.mg.acme.example", "TXT", "v=DKIM1; p=AAAA"),
            record("a.b.stars.mg.acme.example", "TXT", "v=spf1 mx -all"),
        )
    finally:
        internet.run("sandbox-dns", "delete", appended, "TXT", check=True)
        internet.run("sandbox-dns", "delete", wildcard, "TXT", check=True)
    assert [one["status"] for one in found] == ["missing", "different"]
    assert f"it is published at {appended}: " in found[0]["hints"][0]
    assert f"likely it is of the wildcard {wildcard}: " in found[1]["hints"][0]


def test_many_records_take_no_longer_than_few(internet: Internet) -> None:
    started = time.monotonic()
    found = looked_up(internet, *(record(f"{number}.acme.example", "TXT") for number in range(200)))
    assert time.monotonic() - started < 5
    assert {one["status"] for one in found} == {"missing"}


def test_a_resolver_that_is_none(internet: Internet) -> None:
    options = {"records": [record("acme.example", "MX")], "resolver": ["127.0.0.99"], "timeout": 0.2}
    (found,) = run_module("mail_dns_info", options)["records"]
    assert found["status"] == "unreachable"
    assert found["detail"] == "its zone could not be found: resolver 127.0.0.99: no answer within 0.2 s"


def test_the_examples_run(internet: Internet, tmp_path: Path) -> None:
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "public_resolvers": [internet.ip],
        },
        "module_defaults": {"mailops.odoo.mail_dns_info": {"resolver": [internet.ip]}},
        "tasks": examples(ROOT / "plugins" / "modules" / "mail_dns_info.py"),
    }
    done = run_playbook([play], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
