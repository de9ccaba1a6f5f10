# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway: its units, its bridge and its Postfix."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import (
    PASSED,
    Check,
    failed,
    passed,
    skipped,
    unseen,
)
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import Place

UNITS = ("odoo-lmtp-bridge.socket", "odoo-lmtp-bridge.service", "postfix.service")
# What ends the output of a command in verify.yml: its name, and with what it exited.
END = re.compile(r"== (units|bridge|postfix) (\d+)")
# A line of `odoo-lmtp-bridge check`: what came of it, what it is about, what was found.
LINE = re.compile(r"(ok|WARNING|FAILED) +([^:]+?(?:://[^ ]*)?): (.*)")
NOT_FOUND = 127  # of a shell
NOT_APPLIED = "check mode: the bridge is not installed yet"


class Said(NamedTuple):
    """What a command printed, on both streams, and with what it exited."""

    lines: list[str]
    code: int


def checks(place: Place, result: Any) -> list[Check]:
    """Return the checks of a gateway; `result` is that of the task that runs the commands."""
    name = f"GATEWAY.{place.host}"
    out = place.left_out("gateway")
    if out:
        return [skipped(name, place.host, out, asked=False)]
    lacking = unseen(name, place.host, result, "stdout", "Check that Ansible may run commands as root there.")
    if lacking:
        return [lacking]
    said = _said(result["stdout"])
    if place.check_mode and said.get("bridge", Said([], NOT_FOUND)).code == NOT_FOUND:
        return [skipped(name, place.host, NOT_APPLIED)]
    found = []
    for command, look in (("units", _units), ("bridge", _bridge), ("postfix", _postfix)):
        one = f"{name}.{command}"
        if command not in said:
            found.append(
                failed(one, place.host, f"the task ended before it: {result.get('stderr') or result['stdout']}")
            )
        elif said[command].code == NOT_FOUND:
            told = f"the command is not there: {' '.join(said[command].lines)}"
            found.append(failed(one, place.host, told, "Run site.yml --tags bridge,postfix."))
        else:
            found += look(one, place.host, said[command])
    return found


def _said(output: Any) -> dict[str, Said]:
    found: dict[str, Said] = {}
    lines: list[str] = []
    for line in str(output).splitlines():
        end = END.fullmatch(line)
        if end:
            found[end[1]] = Said(lines, int(end[2]))
            lines = []
        elif line.strip():
            lines.append(line.strip())
    return found


def _units(name: str, host: str, said: Said) -> list[Check]:
    states = dict(zip(UNITS, said.lines, strict=False))
    down = [f"{unit} is {states.get(unit, 'unknown')}" for unit in UNITS if states.get(unit) != "active"]
    if not down and said.code == 0:
        return [passed(name, host, f"{', '.join(UNITS)} are active")]
    return [failed(name, host, ", ".join(down), "On the gateway: systemctl status, journalctl -u.")]


def _bridge(name: str, host: str, said: Said) -> list[Check]:
    """Return a check for each line; a warning keeps no mail from flowing."""
    found, others = [], []
    for line in said.lines:
        told = LINE.fullmatch(line)
        if told is None:
            others.append(line)
            continue
        status, about, text = told.groups()
        one, detail = f"{name}.{about.split()[0].lower()}", f"{about}: {text}"
        if status == "FAILED":
            found.append(failed(one, host, detail, "docs/bridge.md says what each line means."))
        else:
            found.append(passed(one, host, f"{'warning: ' if status == 'WARNING' else ''}{detail}"))
    if not found or (said.code != 0 and all(check.status == PASSED for check in found)):
        told_else = "; ".join(others) or "nothing"
        found.append(failed(name, host, f"odoo-lmtp-bridge check exited with {said.code} and said: {told_else}"))
    return found


def _postfix(name: str, host: str, said: Said) -> list[Check]:
    if said.code == 0 and not said.lines:
        return [passed(name, host, "postfix check finds nothing to complain about")]
    told = "; ".join(said.lines) or f"postfix check exited with {said.code}"
    return [failed(name, host, told, "Run site.yml --tags postfix.")]
