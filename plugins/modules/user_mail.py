#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: user_mail
short_description: Manage the mail settings of a user in Odoo
version_added: 0.1.0
description:
  - Sets the e-mail address of a user (C(res.users)), and how notifications come. A user is never created or deleted.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.user_mail
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.users_mail
  - module: mailops.odoo.user_mail_info
"""

EXAMPLES = r"""
- name: The administrator reads mail at a real address
  mailops.odoo.user_mail:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    login: admin
    email: postmaster@acme.example
    notification_type: inbox
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.user_mail import USER_MAIL


def main() -> None:
    """Run the module."""
    run_one(USER_MAIL)


if __name__ == "__main__":
    main()
