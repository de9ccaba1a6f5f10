#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alias_domain_info
short_description: Read the alias domains of Odoo
version_added: 0.1.0
description:
  - Returns the alias domains with the companies that use them, and the former addresses whose mail still goes to them.
  - On Odoo 14 to 16 there is at most one, in system parameters.
author:
  - The mailops.odoo authors (@mailops)
options:
  names:
    description: Only the alias domains with these names. Omitted means all.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.alias_domain
  - module: mailops.odoo.alias_domains
"""

EXAMPLES = r"""
- name: Which alias domains are there?
  mailops.odoo.alias_domain_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: domains

- name: Show where replies go
  ansible.builtin.debug:
    msg: "{{ item.catchall_alias }}@{{ item.name }}"
  loop: "{{ domains.records }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
records:
  description: The records.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 1
      name: acme.example
      bounce_alias: bounce
      catchall_alias: replies
      default_from: no-reply
      sequence: 10
      companies: [Acme, Acme Shop]
      former_addresses:
        catchall@acme.example: replies@acme.example
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_info
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.alias_domain import ALIAS_DOMAIN


def main() -> None:
    """Run the module."""
    run_info(ALIAS_DOMAIN)


if __name__ == "__main__":
    main()
