# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._odoo import tables

DOCUMENTATION = r"""
name: mail_route_table
short_description: Write the routes of mail as a table for a terminal
version_added: 0.1.0
description:
  - Returns routes as columns that line up - sender, server, From, envelope sender, why - at most 150 characters wide.
  - Below them are the warnings. Senders that are alike in every column share a row.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The routes, as RV(mailops.odoo.mail_route_info#module:routes) has them.
    type: list
    elements: dict
    required: true
seealso:
  - module: mailops.odoo.mail_route_info
  - plugin: mailops.odoo.mail_routes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which server takes which mail, as a table
  ansible.builtin.debug:
    msg: "{{ (mail_policy | mailops.odoo.mail_routes).routes | mailops.odoo.mail_route_table }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""


def mail_route_table(routes: Sequence[Mapping[str, Any]]) -> str:
    """Return the table."""
    return "\n".join(tables.routes(routes))


class FilterModule:
    """Provides the filter mail_route_table."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_route_table": mail_route_table}
