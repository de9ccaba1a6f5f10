#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_aliases
short_description: Manage the e-mail aliases of Odoo as a list
version_added: 0.1.0
description:
  - Creates and changes any number of aliases (C(mail.alias)) with a constant number of reads and batched writes.
  - An alias that a sales team or a project owns is changed in place, not created a second time. O(prune) never deletes one of
    those, nor one without a name.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.mail_alias.list
  - mailops.odoo.state.prune
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_alias
  - module: mailops.odoo.mail_alias_info
  - module: mailops.odoo.alias_domains
"""

EXAMPLES = r"""
- name: The addresses of the company
  mailops.odoo.mail_aliases:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    aliases:
      - alias_name: sales
        alias_domain: acme.example
        alias_model: crm.lead
      - alias_name: offers
        alias_domain: acme.example
        alias_model: crm.lead
        alias_defaults:
          type: opportunity
        alias_contact: followers
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_alias import MAIL_ALIAS


def main() -> None:
    """Run the module."""
    run_many(MAIL_ALIAS)


if __name__ == "__main__":
    main()
