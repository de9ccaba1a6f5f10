#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: system_parameters
short_description: Manage system parameters of Odoo as a list
version_added: 0.1.0
description:
  - Creates, changes or deletes any number of system parameters with a constant number of reads and batched writes.
  - Parameters that bear on mail are known. A value that Odoo could not use is refused, and so is a parameter that this
    version of Odoo does not read, with the hint at what to use instead.
  - A parameter that turns something on, such as C(web.base.url.freeze), counts as on whatever its text. V(False) is refused; O(state=absent) turns it off.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.system_parameter.list
  - mailops.odoo.state
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.system_parameter
  - module: mailops.odoo.system_parameter_info
"""

EXAMPLES = r"""
- name: Odoo's address stays as it is, whoever logs in, and servers of our own send
  mailops.odoo.system_parameters:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    parameters:
      - key: web.base.url
        value: https://odoo.acme.example
      - key: web.base.url.freeze
        value: "True"
      - key: base_setup.default_external_email_server
        value: "True"
      - key: mail.catchall.domain.allowed
        value: acme.example,acme.net

- name: No limits of our own
  mailops.odoo.system_parameters:
    parameters:
      - key: mail.gateway.loop.minutes
      - key: mail.gateway.loop.threshold
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

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import WITH_STATE, run_many
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.system_parameter import SYSTEM_PARAMETER


def main() -> None:
    """Run the module."""
    run_many(SYSTEM_PARAMETER, WITH_STATE)


if __name__ == "__main__":
    main()
