# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._rotation.report import text

DOCUMENTATION = r"""
name: mail_rotation_table
short_description: Write the report of a rotation as a table for a terminal
version_added: 0.1.0
description:
  - Returns for each secret what became of it, when it was rotated, when it is due and what there is to say, as columns
    that line up, at most 150 characters wide; below them the counts.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The report, as P(mailops.odoo.mail_rotation_report#filter) returns it.
    type: dict
    required: true
seealso:
  - plugin: mailops.odoo.mail_rotation_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the report of the last rotation
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'rotation.json') | from_json | mailops.odoo.mail_rotation_table }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""


def mail_rotation_table(report: Mapping[str, Any]) -> str:
    """Return the table."""
    return "\n".join(text(report))


class FilterModule:
    """Provides the filter mail_rotation_table."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_rotation_table": mail_rotation_table}
