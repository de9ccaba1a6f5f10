# SPDX-License-Identifier: GPL-3.0-or-later
"""Records as BIND publishes them, with several zones on one server."""

from __future__ import annotations

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
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "module_defaults": {"mailops.odoo.mail_dns_info": {"resolver": [internet.ip]}},
        "tasks": examples(ROOT / "plugins" / "modules" / "mail_dns_info.py"),
    }
    done = run_playbook([play], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
