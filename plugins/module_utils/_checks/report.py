# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: all hosts' checks as one, counted, as data and as a text for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import (
    FAILED,
    PASSED,
    SKIPPED,
    Check,
    failed,
    skipped,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import tables

VERSION = 1
# The groups whose hosts are looked at, and the part and the reason to tell where there are none.
GROUPS = {
    "odoo_databases": ("ODOO", "the inventory has no odoo_databases, so DNS, Mailgun and Odoo are not looked at"),
    "mail_gateways": ("GATEWAY", "the inventory has no mail_gateways"),
    "odoo_hosts": ("PORT", "the inventory has no odoo_hosts, so ports cannot be tried from where Odoo runs"),
}
WIDTH = 100  # columns
# Of a cell: what is longer, a DKIM key say, is whole in the report's data.
SHOWN = 240
INCOMPLETE = "incomplete"
ORDER = (FAILED, SKIPPED, PASSED)


def merged(groups: Mapping[str, Sequence[str]], found: Mapping[str, Any], in_run: Collection[str]) -> dict[str, Any]:
    """Return the report of all hosts.

    `groups` are the inventory's, with their hosts. `found` has the checks, as `Check.shown` gives them, of each host
    for which the run came to its end. Hosts that are not `in_run` were left out by --limit.
    """
    hosts = dict.fromkeys(host for group in GROUPS for host in groups.get(group, ()))
    checks = [check for host in hosts for check in _of(host, found.get(host), host in in_run)]
    for group, (part, why) in GROUPS.items():
        if not groups.get(group):
            checks.append(skipped(f"{part}.{group}", group, why, asked=False).shown())
    distinct = list({(one["id"], one["subject"], one["status"], one["detail"]): one for one in checks}.values())
    distinct.sort(key=_rank)
    counts = Counter(one["status"] for one in distinct)
    asked = [one for one in distinct if one["status"] == SKIPPED and one["asked"]]
    return {
        "version": VERSION,
        "result": FAILED if counts[FAILED] else INCOMPLETE if asked or not counts[PASSED] else PASSED,
        "counts": {
            "total": len(distinct),
            **{status: counts[status] for status in (PASSED, FAILED, SKIPPED)},
            "skipped_though_asked_for": len(asked),
        },
        "checks": distinct,
    }


def _of(host: str, checks: Any, in_run: bool) -> list[dict[str, Any]]:
    if checks is not None:
        return [dict(check) for check in checks]
    if not in_run:
        return [skipped(f"HOST.{host}", host, "left out by --limit", asked=False).shown()]
    lost: Check = failed(
        f"HOST.{host}", host, "the run ended for it before the end", "See what the playbook says before."
    )
    return [lost.shown()]


def _rank(check: Mapping[str, Any]) -> tuple[int, bool]:
    return ORDER.index(check["status"]), not check["asked"]


def text(report: Mapping[str, Any]) -> list[str]:
    """Return the report as lines: a table, what is wrong first, then the counts and, last, the result."""
    checks, counts = report["checks"], report["counts"]
    subjects: dict[str, set[str]] = {}
    for check in checks:
        subjects.setdefault(check["id"], set()).add(check["subject"])
    rows = [[check["status"], _name(check, len(subjects[check["id"]]) > 1), _found(check)] for check in checks]
    lines = tables.table(["Status", "Check", "What was found"], rows, WIDTH) if rows else ["Nothing was looked at."]
    numbers = ", ".join(f"{counts[status]} {status}" for status in (PASSED, FAILED, SKIPPED))
    return [*lines, "", f"{counts['total']} checks: {numbers}.", f"Result: {_result(report)}"]


def _result(report: Mapping[str, Any]) -> str:
    if report["result"] == FAILED and all(check["pending"] for check in report["checks"] if check["status"] == FAILED):
        return f"{FAILED}, but only what awaits the records of a new domain."
    missing = report["counts"]["skipped_though_asked_for"]
    if report["result"] != INCOMPLETE:
        return str(report["result"])
    return f"{INCOMPLETE}. Nothing failed, but {missing or 'all'} of what was asked for could not be looked at."


def _name(check: Mapping[str, Any], several: bool) -> str:
    return f"{check['id']}\n  of {check['subject']}" if several else str(check["id"])


def _found(check: Mapping[str, Any]) -> str:
    parts = [check["detail"], f"Fix: {check['fix']}" if check["fix"] else ""]
    return "\n".join(part if len(part) <= SHOWN else f"{part[:SHOWN]}…" for part in parts if part)
