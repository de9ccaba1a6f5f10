#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: allowed_sender_info
short_description: Read the senders to whom Odoo's loop limit does not apply
version_added: 0.1.0
description:
  - Returns the allowed senders (C(mail.gateway.allowed), Odoo 16 and later).
author:
  - The mailops.odoo authors (@mailops)
options:
  names:
    description: Only these addresses. Omitted means all.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.allowed_sender
  - module: mailops.odoo.allowed_senders
"""

EXAMPLES = r"""
- name: Who is exempt?
  mailops.odoo.allowed_sender_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: allowed
"""

RETURN = r"""
records:
  description: The senders.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 1
      email: monitoring@acme.example
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_info
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.allowed_sender import ALLOWED_SENDER


def main() -> None:
    """Run the module."""
    run_info(ALLOWED_SENDER)


if __name__ == "__main__":
    main()
