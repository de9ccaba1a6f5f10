#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: user_mail_info
short_description: Read the mail settings of the users in Odoo
version_added: 0.1.0
description:
  - Returns the e-mail address and the notification type of the users, archived ones included, and warns when those of the
    administrator or OdooBot are empty or Odoo's examples.
author:
  - The mailops.odoo authors (@mailops)
options:
  names:
    description: Only the users with these logins; V(OdooBot) stands for Odoo's own. Omitted means all.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.user_mail
  - module: mailops.odoo.users_mail
"""

EXAMPLES = r"""
- name: Who gets notifications by e-mail?
  mailops.odoo.user_mail_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: users
"""

RETURN = r"""
records:
  description: The records, archived ones included.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 2
      login: admin
      email: postmaster@acme.example
      notification_type: inbox
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_info
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.user_mail import USER_MAIL


def main() -> None:
    """Run the module."""
    run_info(USER_MAIL)


if __name__ == "__main__":
    main()
