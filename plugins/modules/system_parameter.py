#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: system_parameter
short_description: Manage a system parameter of Odoo
version_added: 0.1.0
description:
  - Creates, changes or deletes one system parameter (C(ir.config_parameter)).
  - Parameters that bear on mail are known. A value that Odoo could not use is refused, and so is a parameter that this
    version of Odoo does not read, with the hint at what to use instead.
  - A parameter that turns something on, such as C(web.base.url.freeze), counts as on whatever its text. V(False) is refused; O(state=absent) turns it off.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.system_parameter
  - mailops.odoo.state
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.system_parameters
  - module: mailops.odoo.system_parameter_info
  - module: mailops.odoo.alias_domain
"""

EXAMPLES = r"""
- name: The 20 mails in 120 minutes that one sender may turn into records become 50
  mailops.odoo.system_parameter:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    key: mail.gateway.loop.threshold
    value: "50"

- name: The token by which the gateway is known
  mailops.odoo.system_parameter:
    key: mail_delivery.token
    secret_value: "{{ vault_mail_delivery_token }}"

- name: Back to Odoo's own limit
  mailops.odoo.system_parameter:
    key: mail.gateway.loop.threshold
    state: absent
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.system_parameter import SYSTEM_PARAMETER


def main() -> None:
    """Run the module."""
    run_one(SYSTEM_PARAMETER)


if __name__ == "__main__":
    main()
