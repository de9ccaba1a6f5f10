# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until DNS has what is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.finding import Finding, Query

# Seconds between two looks; the last is repeated.
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class NotPublishedError(MailopsError):
    """DNS has not what is wanted, or caches keep something else."""

    kind = "not_published"


def wait(
    look: Callable[[Sequence[Query]], list[Finding]], queries: Sequence[Query], seconds: float
) -> tuple[list[Finding], float]:
    """Look until everything is settled, for so many seconds at most.

    What is settled is not looked at again. Returns the findings in the order of the queries, and how many seconds the
    waiting took, from the first look to the last.
    """
    found = dict(zip(queries, look(queries), strict=True))
    begun, looks = time.monotonic(), 0
    while True:
        unsettled = [one for one in found if not found[one].settled]
        waited = time.monotonic() - begun
        if not unsettled or waited >= seconds:
            return [found[one] for one in queries], waited
        time.sleep(min(PAUSES[min(looks, len(PAUSES) - 1)], seconds - waited))
        looks += 1
        found.update(zip(unsettled, look(unsettled), strict=True))


def unsettled(findings: Sequence[Finding], waited: float) -> NotPublishedError | None:
    """Return the error that says what is not as wanted, and where; None if all is."""
    lacking = [f"{_name(finding)}: {_why(finding)}" for finding in findings if not finding.settled]
    if not lacking:
        return None
    return NotPublishedError(
        f"after {waited:.0f} s DNS is not as wanted: {'; '.join(lacking)}", "Running again goes on waiting."
    )


def _name(finding: Finding) -> str:
    return f"{values.shown(finding.query.name)} {finding.query.type}"


def _why(finding: Finding) -> str:
    if not finding.right:
        return ", ".join([f"{finding.status}, {finding.detail}" if finding.detail else finding.status, *finding.hints])
    late = [cached for cached in finding.caches if cached.detail]
    return ", ".join(f"resolver {cached.reply.server.address}: {cached.detail}" for cached in late)
