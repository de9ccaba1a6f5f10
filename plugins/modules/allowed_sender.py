#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: allowed_sender
short_description: Manage a sender to whom Odoo's loop limit does not apply
version_added: 0.1.0
description:
  - From Odoo 16 on a sender may make only so many records in a while (C(mail.gateway.loop.threshold)), which stops mail loops.
    An allowed sender (C(mail.gateway.allowed)) is exempt; a monitoring system, for one.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.allowed_sender
  - mailops.odoo.state
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.allowed_senders
  - module: mailops.odoo.allowed_sender_info
  - module: mailops.odoo.system_parameter
"""

EXAMPLES = r"""
- name: The monitoring may open as many tickets as it likes
  mailops.odoo.allowed_sender:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    email: monitoring@acme.example
"""

RETURN = r"""
changes:
  description: What was changed, or would be in check mode; secrets are hidden.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(update) or V(delete).
      type: str
    name:
      description: Which record.
      type: str
    before:
      description: Its values before; empty for a new record.
      type: dict
    after:
      description: Its values after; empty for a deleted record.
      type: dict
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_one
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.allowed_sender import ALLOWED_SENDER


def main() -> None:
    """Run the module."""
    run_one(ALLOWED_SENDER)


if __name__ == "__main__":
    main()
