#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: company_mail_info
short_description: Read the mail settings of the companies in Odoo
version_added: 0.1.0
description:
  - Returns the e-mail address and the alias domain of the companies, and warns of addresses that are empty or Odoo's examples.
author:
  - The mailops.odoo authors (@mailops)
options:
  names:
    description: Only the companies with these names. Omitted means all.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.company_mail
  - module: mailops.odoo.companies_mail
"""

EXAMPLES = r"""
- name: Which company has which domain?
  mailops.odoo.company_mail_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: companies
"""

RETURN = r"""
records:
  description: The records, archived ones included.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 1
      name: My Company
      email: office@acme.example
      alias_domain: acme.example
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_info
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.company_mail import COMPANY_MAIL


def main() -> None:
    """Run the module."""
    run_info(COMPANY_MAIL)


if __name__ == "__main__":
    main()
