# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

DOCUMENTATION = r"""
name: policy_problems
short_description: Check a mail policy
version_added: 0.1.0
description:
  - Returns everything that is wrong with a mail policy, each with its place, without asking any server.
  - Unknown keys, wrong types and values, names given twice, ports that do not fit their encryption,
    C(from_filter) parts that never match, presets that are not known.
  - Where all that is in order, also the errors that the filter P(mailops.odoo.mail_lint#filter) finds.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The policy.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: The policy is sound
  ansible.builtin.assert:
    that: mail_policy | mailops.odoo.policy_problems | length == 0
    fail_msg: "{{ mail_policy | mailops.odoo.policy_problems }}"
"""

RETURN = r"""
_value:
  description: The problems, one text each; empty if the policy is sound.
  type: list
  elements: str
"""


def policy_problems(policy: Any) -> list[str]:
    """Return everything that is wrong with a policy."""
    from ansible_collections.mailops.odoo.plugins.module_utils._policy import problems

    return problems(policy)


class FilterModule:
    """Provides the filter policy_problems."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"policy_problems": policy_problems}
