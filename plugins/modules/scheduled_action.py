#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scheduled_action
short_description: Set a scheduled action of Odoo
version_added: 0.1.0
description:
  - Sets how often a scheduled action (C(ir.cron)) runs, and whether it does. An action that is running is waited for.
  - An option that is omitted is left as it is.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.scheduled_action
  - mailops.odoo.scheduled_action.run
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.scheduled_actions
  - module: mailops.odoo.scheduled_action_info
"""

EXAMPLES = r"""
- name: The queue of outgoing mail is processed every 15 minutes instead of every hour
  mailops.odoo.scheduled_action:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    xmlid: email_queue
    active: true
    interval_number: 15
    interval_type: minutes
"""

RETURN = r"""
changes:
  description: What was changed, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: Always V(update).
      type: str
    name:
      description: Which action.
      type: str
    before:
      description: Its values before.
      type: dict
    after:
      description: Its values after.
      type: dict
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_one
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.scheduled_action import SCHEDULED_ACTION


def main() -> None:
    """Run the module."""
    run_one(SCHEDULED_ACTION)


if __name__ == "__main__":
    main()
