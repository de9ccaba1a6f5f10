#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_alias
short_description: Manage an e-mail alias of Odoo
version_added: 0.1.0
description:
  - Creates, changes or deletes one alias (C(mail.alias)), an address at which mail becomes a record.
  - An alias that a sales team or a project owns is changed in place, not created a second time. Odoo does not let it be deleted;
    O(state=absent) takes its name away, so that it takes no mail.
  - The address must not be the catchall or bounce address of its alias domain.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.mail_alias
  - mailops.odoo.state
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_alias_info
  - module: mailops.odoo.mail_aliases
  - module: mailops.odoo.alias_domain
"""

EXAMPLES = r"""
- name: Mail to sales@ becomes a lead
  mailops.odoo.mail_alias:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    alias_name: sales
    alias_domain: acme.example
    alias_model: crm.lead
    alias_defaults:
      type: lead
    alias_contact: everyone

- name: Mail to contact@ becomes a lead of the team Sales, from partners only
  mailops.odoo.mail_alias:
    alias_name: contact
    alias_domain: acme.example
    owner:
      model: crm.team
      name: Sales
    alias_contact: partners
    alias_bounced_content: Please write to <a href="mailto:info@acme.example">info@acme.example</a>.

- name: Nobody writes to fax@ any more
  mailops.odoo.mail_alias:
    alias_name: fax
    alias_domain: acme.example
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_alias import MAIL_ALIAS


def main() -> None:
    """Run the module."""
    run_one(MAIL_ALIAS)


if __name__ == "__main__":
    main()
