#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alias_domain
short_description: Manage an alias domain of Odoo
version_added: 0.1.0
description:
  - Creates, changes or deletes one alias domain with its bounce, catchall and default-from addresses.
  - The first alias domain that is created in a database is given to all its companies and aliases; later ones to none.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.alias_domain
  - mailops.odoo.alias_domain.safety
  - mailops.odoo.state
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.alias_domain_info
  - module: mailops.odoo.alias_domains
  - module: mailops.odoo.mail_alias
"""

EXAMPLES = r"""
- name: Replies to catchall@, bounces to bounce@, notifications from no-reply@
  mailops.odoo.alias_domain:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    name: acme.example
    bounce_alias: bounce
    catchall_alias: catchall
    default_from: no-reply

- name: Replies come to replies@ now; those to mail that was sent before still arrive
  mailops.odoo.alias_domain:
    name: shop.example
    bounce_alias: bounce
    catchall_alias: replies
    former_catchall_aliases: [catchall]

- name: The domain itself got another name
  mailops.odoo.alias_domain:
    name: trade.example
    former_names: [wholesale.example]
    bounce_alias: bounce
    catchall_alias: catchall

- name: A domain that was never used goes
  mailops.odoo.alias_domain:
    name: old.acme.example
    state: absent
    allow_delete: true
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.alias_domain import ALIAS_DOMAIN


def main() -> None:
    """Run the module."""
    run_one(ALIAS_DOMAIN)


if __name__ == "__main__":
    main()
