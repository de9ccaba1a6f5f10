# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that was looked at, and what a task's result amounts to where it does not have what was asked for.

The rule: what could not be looked at because something was not given (credentials, a variable, a library) or was left
out (tags) is skipped; what is wrong, and who does not answer, is failed. Nothing that was not seen is passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
# How Ansible begins the message of a module whose library is not installed (missing_required_lib).
NO_LIBRARY = "Failed to import the required Python library"
UNDEFINED = ("is undefined", "undefined variable", "Undefined variable")


@dataclass(frozen=True)
class Check:
    """What was found, in one line (`detail`), and what to do about it (`fix`).

    `id` stays the same from run to run; `subject` is the host or the domain that it is about. `asked` is false for what
    is skipped because nobody asked for it: left out by tags, or there is nothing of the kind. `pending` is true where a
    failure is only that a domain is new: somebody has yet to publish its records, and Mailgun to find them.
    """

    id: str
    subject: str
    status: str
    detail: str
    fix: str = ""
    asked: bool = True
    pending: bool = False

    def shown(self) -> dict[str, Any]:
        """Return it as the report has it."""
        return asdict(self)


def line(text: Any) -> str:
    """Return a text in one line, without blanks at its ends."""
    return " ".join(str(text).split())


def passed(name: str, subject: str, detail: str) -> Check:
    """Return a check of what is as it should be."""
    return Check(name, subject, PASSED, line(detail))


def failed(name: str, subject: str, detail: str, fix: str = "", pending: bool = False) -> Check:
    """Return a check of what is wrong."""
    return Check(name, subject, FAILED, line(detail), line(fix), pending=pending)


def skipped(name: str, subject: str, reason: str, fix: str = "", asked: bool = True) -> Check:
    """Return a check that could not be made, and why."""
    return Check(name, subject, SKIPPED, line(reason), line(fix), asked)


def unseen(name: str, subject: str, result: Any, key: str, fix: str) -> Check | None:
    """Return the check for a task's result that lacks `key`; None if it is there.

    `result` is what Ansible registered; None if the task was not come to. `fix` goes with a module's own message.
    """
    if not isinstance(result, Mapping) or result.get("skipped"):
        return failed(name, subject, "not looked at: the run did not come to it", "See what the playbook says before.")
    if key in result:
        return None
    told = line(result.get("msg") or "the task said nothing")
    if told.startswith(NO_LIBRARY):
        return skipped(name, subject, told, "Install it where Ansible runs: pip install -r requirements.txt.")
    if any(words in told for words in UNDEFINED):
        return skipped(name, subject, told, "Define the variable, or unlock the vault that has it.")
    return failed(name, subject, told, fix)
