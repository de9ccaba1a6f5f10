#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: company_mail
short_description: Manage the mail settings of a company in Odoo
version_added: 0.1.0
description:
  - Sets the e-mail address and the alias domain of a company (C(res.company)). A company is never created or deleted.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.company_mail
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.companies_mail
  - module: mailops.odoo.company_mail_info
  - module: mailops.odoo.alias_domain
"""

EXAMPLES = r"""
- name: The company's address and domain
  mailops.odoo.company_mail:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    name: My Company
    email: office@acme.example
    alias_domain: acme.example
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.company_mail import COMPANY_MAIL


def main() -> None:
    """Run the module."""
    run_one(COMPANY_MAIL)


if __name__ == "__main__":
    main()
