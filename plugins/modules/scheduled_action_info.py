#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scheduled_action_info
short_description: Read the scheduled actions of Odoo
version_added: 0.1.0
description:
  - Returns the scheduled actions (C(ir.cron)), archived ones included.
author:
  - The mailops.odoo authors (@mailops)
options:
  names:
    description: Only the actions with these external ids; V(email_queue) and V(fetchmail) are known too. Omitted means all.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.scheduled_action
  - module: mailops.odoo.scheduled_actions
"""

EXAMPLES = r"""
- name: How often is mail sent and fetched?
  mailops.odoo.scheduled_action_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    names: [email_queue, fetchmail]
"""

RETURN = r"""
records:
  description:
    - The actions. The two that mail needs are shown with their short names; an action without an external id has none.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 3
      xmlid: email_queue
      name: "Mail: Email Queue Manager"
      active: true
      interval_number: 1
      interval_type: hours
      nextcall: "2026-01-31 10:00:00"
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_info
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.scheduled_action import SCHEDULED_ACTION


def main() -> None:
    """Run the module."""
    run_info(SCHEDULED_ACTION)


if __name__ == "__main__":
    main()
