#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_alias_info
short_description: Read the e-mail aliases of Odoo
version_added: 0.1.0
description:
  - Returns the aliases (C(mail.alias)), those without a name and those that a record owns included.
author:
  - The mailops.odoo authors (@mailops)
options:
  names:
    description: Only the aliases with these names (C(alias_name)), in any alias domain. Omitted means all.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.mail_alias
  - module: mailops.odoo.mail_aliases
"""

EXAMPLES = r"""
- name: Which aliases are there?
  mailops.odoo.mail_alias_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: aliases

- name: No mail failed because of an alias's values
  ansible.builtin.assert:
    that: aliases.records | selectattr('alias_status', 'defined') | selectattr('alias_status', 'equalto', 'invalid') | length == 0
"""

RETURN = r"""
records:
  description: The records; what this version of Odoo does not have is left out.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 4
      alias_name: sales
      alias_domain: acme.example
      alias_model: crm.lead
      alias_defaults:
        type: lead
      alias_contact: everyone
      alias_force_thread_id: null
      alias_parent_model: crm.team
      alias_parent_thread_id: 1
      alias_bounced_content: null
      alias_incoming_local: false
      alias_status: valid
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_info
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_alias import MAIL_ALIAS


def main() -> None:
    """Run the module."""
    run_info(MAIL_ALIAS)


if __name__ == "__main__":
    main()
