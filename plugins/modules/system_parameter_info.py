#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: system_parameter_info
short_description: Read the system parameters of Odoo
version_added: 0.1.0
description:
  - Returns the system parameters (C(ir.config_parameter)). The value of one whose name speaks of a secret, token, password or key is never returned.
author:
  - The mailops.odoo authors (@mailops)
options:
  names:
    description: Only the parameters with these keys. Omitted means all.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.system_parameter
  - module: mailops.odoo.system_parameters
"""

EXAMPLES = r"""
- name: Which address does Odoo put in its links?
  mailops.odoo.system_parameter_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    names: [web.base.url, web.base.url.freeze]
  register: parameters
"""

RETURN = r"""
records:
  description: The parameters.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 4
      key: database.secret
      secret_value: (hidden)
    - id: 5
      key: web.base.url
      value: https://odoo.acme.example
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_info
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.system_parameter import SYSTEM_PARAMETER


def main() -> None:
    """Run the module."""
    run_info(SYSTEM_PARAMETER)


if __name__ == "__main__":
    main()
