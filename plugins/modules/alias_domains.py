#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: alias_domains
short_description: Manage the alias domains of Odoo as a list
version_added: 0.1.0
description:
  - Creates and changes any number of alias domains with a constant number of reads and batched writes.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.alias_domain.list
  - mailops.odoo.alias_domain.safety
  - mailops.odoo.state.prune
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.alias_domain
  - module: mailops.odoo.alias_domain_info
  - module: mailops.odoo.mail_aliases
"""

EXAMPLES = r"""
- name: Two domains
  mailops.odoo.alias_domains:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    alias_domains:
      - name: acme.example
        bounce_alias: bounce
        catchall_alias: catchall
        default_from: no-reply
      - name: shop.acme.example
        bounce_alias: bounce
        catchall_alias: catchall
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.alias_domain import ALIAS_DOMAIN


def main() -> None:
    """Run the module."""
    run_many(ALIAS_DOMAIN)


if __name__ == "__main__":
    main()
