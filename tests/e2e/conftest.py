# SPDX-License-Identifier: GPL-3.0-or-later
"""The site as site.yml left it; on a failure, what the machines say."""

from __future__ import annotations

import itertools
import time

import pytest
from support.machines import Internet, Machine, Odoo


@pytest.fixture(scope="session", autouse=True)
def ready(site: Odoo, gateway: Machine) -> None:
    """State what the tests build on, so that a missing site fails at once and clearly."""
    assert site.call(
        "ir.module.module", "search_count", [["name", "=", "mail_delivery"], ["state", "=", "installed"]]
    ), "site.yml was not applied to the namespace `test`: run `make site` first"
    for unit in ("odoo-lmtp-bridge.service", "postfix.service"):
        assert gateway.run("systemctl", "is-active", unit).stdout.strip() == "active", unit


@pytest.fixture(scope="session")
def numbers() -> itertools.count[int]:
    """Numbers that differ between runs: Odoo takes 20 mails from one sender in 120 minutes, so senders vary."""
    return itertools.count(int(time.time() * 10) % 10**8)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Add journals, queue and Odoo's log to the report of a failed test."""
    report = yield
    if report.when == "call" and report.failed:
        gateway, odoo = Machine("gateway"), Machine("odoo")
        report.sections += [
            ("gateway journal", gateway.run("journalctl", "-n", "60", "--no-pager", "-o", "short-precise").stdout),
            ("queue", gateway.run("postqueue", "-p").stdout),
            ("Odoo's log", odoo.run("tail", "-n", "40", "/var/log/odoo/odoo-server.log").stdout),
            ("submissions", Internet().run("sandbox-mail", "list").stdout),
        ]
    return report
