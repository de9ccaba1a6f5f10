# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._odoo import tables

DOCUMENTATION = r"""
name: mail_arrival_table
short_description: Write how mail arrives as a table for a terminal
version_added: 0.1.0
description:
  - Returns arrivals as columns that line up, at most 150 characters wide, and the redirects that are needed below.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The arrivals, as the filter P(mailops.odoo.mail_arrivals#filter) returns them.
    type: list
    elements: dict
    required: true
seealso:
  - plugin: mailops.odoo.mail_arrivals
    plugin_type: filter
"""

EXAMPLES = r"""
- name: How mail to each address arrives, as a table
  ansible.builtin.debug:
    msg: "{{ mail_policy | mailops.odoo.mail_arrivals | mailops.odoo.mail_arrival_table }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""


def mail_arrival_table(arrivals: Sequence[Mapping[str, Any]]) -> str:
    """Return the table."""
    return "\n".join(tables.arrivals(arrivals))


class FilterModule:
    """Provides the filter mail_arrival_table."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_arrival_table": mail_arrival_table}
