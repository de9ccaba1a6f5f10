# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is amiss with mail settings though Odoo would take them, in a policy as in a database."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ansible_collections.mailops.odoo.plugins.module_utils._dns import lint_rules as of_dns
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import lint_rules
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint_rules import ERROR, INFO, WARNING
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint_setup import Setup

SEVERITIES = (ERROR, WARNING, INFO)
RULES = dict(sorted({**lint_rules.RULES, **of_dns.RULES}.items()))


@dataclass(frozen=True)
class Finding:
    """One thing that is amiss: what, where, and what to do. `severity` is one of SEVERITIES."""

    id: str
    severity: str
    place: str
    message: str
    fix: str

    def text(self) -> str:
        """Return it as one line."""
        return f"{self.id} {self.place}: {self.message}. {self.fix}"

    def shown(self) -> dict[str, str]:
        """Return it as a module or filter does."""
        return asdict(self)


def lint(setup: Setup) -> list[Finding]:
    """Return what is amiss, errors first, then in the order of the rules."""
    found = [Finding(number, *finding) for number, rule in RULES.items() for finding in rule(setup)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
