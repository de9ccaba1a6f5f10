#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: allowed_senders
short_description: Manage the senders to whom Odoo's loop limit does not apply, as a list
version_added: 0.1.0
description:
  - From Odoo 16 on a sender may make only so many records in a while (C(mail.gateway.loop.threshold)), which stops mail loops.
    An allowed sender (C(mail.gateway.allowed)) is exempt; a monitoring system, for one.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.allowed_sender.list
  - mailops.odoo.state.prune
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.allowed_sender
  - module: mailops.odoo.allowed_sender_info
"""

EXAMPLES = r"""
- name: These senders and no others are exempt
  mailops.odoo.allowed_senders:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    senders:
      - email: monitoring@acme.example
      - email: shop@customer.example
    prune: true
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.allowed_sender import ALLOWED_SENDER


def main() -> None:
    """Run the module."""
    run_many(ALLOWED_SENDER)


if __name__ == "__main__":
    main()
