# SPDX-License-Identifier: GPL-3.0-or-later
"""All hosts' checks as one report: what counts, in which order, and how it looks in a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.filter.mail_check_report import mail_check_report
from ansible_collections.mailops.odoo.plugins.filter.mail_check_table import mail_check_table
from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check, failed, passed, skipped
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import PARTS
from ansible_collections.mailops.odoo.plugins.module_utils._checks.report import WIDTH, merged
from support.playbooks import ROOT

GROUPS = {"odoo_databases": ["acme_prod"], "mail_gateways": ["mx"], "odoo_hosts": ["mx"]}
GOOD = passed("DNS.TXT.mg.acme.example", "mg.acme.example", "published")
BAD = failed("GATEWAY.mx.postfix", "mx", "no main.cf", "Run site.yml --tags postfix.")
NEW = failed("MAILGUN.mg.acme.example.state", "mg.acme.example", "unverified", "Publish its records.", pending=True)
NO_KEY = skipped("MAILGUN.mg.acme.example.state", "mg.acme.example", "there is no API key")
LEFT_OUT = skipped("ODOO", "acme_prod", "left out by --skip-tags odoo", asked=False)


def report(
    *checks: Check, gateway: tuple[Check, ...] = (GOOD,), groups: Any = None, in_run: Any = None
) -> dict[str, Any]:
    found = {"acme_prod": [check.shown() for check in checks], "mx": [check.shown() for check in gateway]}
    return merged(groups or GROUPS, found, in_run or ["acme_prod", "mx"])


def last(of: dict[str, Any]) -> str:
    return mail_check_table(of).splitlines()[-1]


@pytest.mark.parametrize(
    ("checks", "result", "told"),
    [
        ([GOOD], "passed", "Result: passed"),
        ([GOOD, LEFT_OUT], "passed", "Result: passed"),
        (
            [GOOD, NO_KEY],
            "incomplete",
            "Result: incomplete. Nothing failed, but 1 of what was asked for could not be looked at.",
        ),
        ([GOOD, NO_KEY, BAD], "failed", "Result: failed"),
        ([GOOD, NEW], "failed", "Result: failed, but only what awaits the records of a new domain."),
        ([NEW, BAD], "failed", "Result: failed"),
    ],
)
def test_the_result(checks: list[Check], result: str, told: str) -> None:
    made = report(*checks)
    assert (made["result"], last(made)) == (result, told)


def test_nothing_that_was_looked_at_is_no_pass() -> None:
    made = report(LEFT_OUT, gateway=())
    assert made["result"] == "incomplete"
    assert last(made) == "Result: incomplete. Nothing failed, but all of what was asked for could not be looked at."


def test_what_is_wrong_comes_first_and_all_is_counted() -> None:
    made = report(GOOD, LEFT_OUT, NO_KEY, BAD)
    assert [check["status"] for check in made["checks"]] == ["failed", "skipped", "skipped", "passed"]
    assert [check["asked"] for check in made["checks"]] == [True, True, False, True]
    # Both databases of a policy, and here its gateway, saw the same record: one check.
    assert made["counts"] == {"total": 4, "passed": 1, "failed": 1, "skipped": 2, "skipped_though_asked_for": 1}
    assert json.loads(json.dumps(made)) == made


def test_what_two_hosts_see_differently_is_told_of_both() -> None:
    other = failed(GOOD.id, GOOD.subject, "missing")
    made = report(GOOD, gateway=(other,))
    assert [check["status"] for check in made["checks"]] == ["failed", "passed"]


def test_one_check_of_two_databases_is_told_apart() -> None:
    servers = [passed("ODOO.servers.Main", database, "as the policy says") for database in ("acme_prod", "acme_test")]
    lines = mail_check_table(report(*servers)).splitlines()
    assert [line.strip() for line in lines if line.strip().startswith("of ")] == ["of acme_prod", "of acme_test"]
    assert sum("ODOO.servers.Main" in line for line in lines) == 2


def test_a_host_without_checks() -> None:
    (lost, *_others) = merged(GROUPS, {"mx": [GOOD.shown()]}, ["acme_prod", "mx"])["checks"]
    assert (lost["id"], lost["status"]) == ("HOST.acme_prod", "failed")
    limited = merged(GROUPS, {"mx": [GOOD.shown()]}, ["mx"])
    assert [(one["id"], one["status"], one["asked"]) for one in limited["checks"]] == [
        ("HOST.acme_prod", "skipped", False),
        (GOOD.id, "passed", True),
    ]
    assert limited["result"] == "passed"


def test_groups_without_hosts_are_told() -> None:
    made = report(GOOD, groups={"odoo_databases": ["acme_prod"], "odoo_hosts": []})
    told = {one["id"]: one["status"] for one in made["checks"]}
    assert told == {GOOD.id: "passed", "PORT.odoo_hosts": "skipped", "GATEWAY.mail_gateways": "skipped"}
    assert made["result"] == "passed"
    made = report(groups={"mail_gateways": ["mx"], "odoo_hosts": ["mx"]})
    assert {one["id"]: one["status"] for one in made["checks"]} == {GOOD.id: "passed", "ODOO.odoo_databases": "skipped"}


def test_the_filter_takes_only_the_checks_of_the_hosts_variables() -> None:
    class Variables(dict[str, Any]):
        def items(self) -> Any:
            raise AssertionError("this would evaluate every variable")

    hosts = {"acme_prod": Variables(verify_checks=[GOOD.shown()], mail_policy="{{ undefined }}"), "mx": Variables()}
    made = mail_check_report(GROUPS, hosts, ["acme_prod", "mx"])
    assert {one["id"]: one["status"] for one in made["checks"]} == {"HOST.mx": "failed", GOOD.id: "passed"}


def test_the_table_fits_a_terminal() -> None:
    key = failed(
        "DNS.TXT.pdk1._domainkey.mg.a-rather-long-name-of-a-company.example",
        "mg.acme.example",
        "missing: there is no such name (NXDOMAIN)",
        f"Publish pdk1._domainkey.mg.acme.example TXT k=rsa; p={'A' * 400}",
    )
    made = report(key, BAD, GOOD)
    lines = mail_check_table(made).splitlines()
    assert max(len(line) for line in lines) <= WIDTH
    assert lines[0].split() == ["Status", "Check", "What", "was", "found"]
    assert any("Fix: Publish" in line for line in lines)
    # The whole key is in the data.
    assert "A" * 400 in made["checks"][0]["fix"]
    assert lines[-2] == "3 checks: 1 passed, 2 failed, 0 skipped."


def test_what_comes_from_elsewhere_cannot_move_the_cursor() -> None:
    table = mail_check_table(report(failed("PORT.mx.a:25", "mx", "banner: \x1b[2Jgone")))
    assert "\x1b" not in table


def test_a_report_of_nothing() -> None:
    made = merged({}, {}, [])
    assert made["result"] == "incomplete"
    assert "PORT.odoo_hosts" in mail_check_table(made)


def test_the_documentation_names_every_part_and_every_result() -> None:
    page = (ROOT / "docs" / "verify.md").read_text("utf-8")
    rows = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")}
    assert {f"`{part}`" for part in PARTS} <= rows
    results = [line.split("|")[2].strip() for line in page.splitlines() if line.startswith(("| 0", "| 1", "| 2"))]
    assert results == ["`passed`", "`failed`", "`incomplete`, or no report"]
    names = ("POLICY", "DNS", "MAILGUN", "ODOO", "PORT", "GATEWAY", "HOST")
    assert all(any(row.startswith(f"`{name}.") for row in rows) for name in names)
