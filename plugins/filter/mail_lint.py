# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

DOCUMENTATION = r"""
name: mail_lint
short_description: Find what is amiss with a mail policy though Odoo would take it
version_added: 0.1.0
description:
  - Returns what would keep mail from arriving, from being sent by the server it is meant for, or from coming back,
    without asking any server. C(docs/lint.md) explains the rules.
  - The rules are those of Odoo C(odoo.version), or 19 if the policy does not say it.
  - M(mailops.odoo.mail_lint_info) does the same for a database.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The policy.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: What is amiss?
  ansible.builtin.debug:
    msg: "{{ item.id }} {{ item.place }}: {{ item.message }}. {{ item.fix }}"
  loop: "{{ mail_policy | mailops.odoo.mail_lint }}"
  loop_control:
    label: "{{ item.id }}"
"""

RETURN = r"""
_value:
  description:
    - The findings, errors first. Each has the rule's C(id), its C(severity) (C(error), C(warning) or C(info)), the
      C(place) in the policy, the C(message) and the C(fix).
  type: list
  elements: dict
"""


def _shown(policy: Any) -> list[dict[str, str]]:
    from ansible_collections.mailops.odoo.plugins.module_utils._policy import findings

    return [finding.shown() for finding in findings(policy)]


class FilterModule:
    """Provides the filter mail_lint."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_lint": _shown}
