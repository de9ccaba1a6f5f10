#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scheduled_actions
short_description: Set scheduled actions of Odoo as a list
version_added: 0.1.0
description:
  - Sets how often scheduled actions (C(ir.cron)) run, and whether they do, with a constant number of reads and batched writes.
  - An option that is omitted is left as it is.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.scheduled_action.list
  - mailops.odoo.scheduled_action.run
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.scheduled_action
  - module: mailops.odoo.scheduled_action_info
"""

EXAMPLES = r"""
- name: How often mail is sent and fetched
  mailops.odoo.scheduled_actions:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    scheduled_actions:
      - xmlid: email_queue
        interval_number: 15
        interval_type: minutes
      - xmlid: fetchmail
        interval_number: 5
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
applied:
  description: Names of the records whose change was carried out before the failure.
  returned: on failure
  type: list
  elements: str
failed_name:
  description: Name of the record whose change was refused.
  returned: on failure
  type: str
uncertain:
  description: Names of the records of a call that broke without an answer. The next run looks at them before it writes.
  returned: on failure
  type: list
  elements: str
remaining:
  description: Names of the records whose change was not tried.
  returned: on failure
  type: list
  elements: str
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_many
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.scheduled_action import SCHEDULED_ACTION


def main() -> None:
    """Run the module."""
    run_many(SCHEDULED_ACTION)


if __name__ == "__main__":
    main()
