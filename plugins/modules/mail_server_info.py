#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_server_info
short_description: Read the outgoing mail servers of Odoo
version_added: 0.1.0
description:
  - Returns the outgoing mail servers (C(ir.mail_server)), archived ones included. Passwords, keys and tokens are never returned.
author:
  - The mailops.odoo authors (@mailops)
options:
  names:
    description: Only the servers with these names. Omitted means all.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.mail_server
  - module: mailops.odoo.mail_servers
"""

EXAMPLES = r"""
- name: What servers are there?
  mailops.odoo.mail_server_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: servers

- name: Show which senders each is for
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.from_filter | default(['any'], true) | join(', ') }}"
  loop: "{{ servers.records }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
records:
  description:
    - The records, archived ones included, with every field that this Odoo has; a secret that is set is shown as V((hidden)).
    - C(encryption) is Odoo's own value, which ends in C(_strict) where the certificate is verified.
    - Up to Odoo 15 OAuth is told by C(use_google_gmail_service) and C(use_microsoft_outlook_service).
  returned: success
  type: list
  elements: dict
  sample:
    - id: 3
      name: Zoho Mail
      sequence: 1
      active: true
      smtp_host: mail.zoho.com
      smtp_port: 465
      encryption: ssl_strict
      smtp_authentication: login
      smtp_user: no-reply@acme.example
      smtp_pass: (hidden)
      smtp_ssl_certificate: null
      smtp_ssl_private_key: null
      google_gmail_refresh_token: null
      google_gmail_access_token: null
      microsoft_outlook_refresh_token: null
      microsoft_outlook_access_token: null
      from_filter: [bounce@acme.example, no-reply@acme.example]
      max_email_size: null
      smtp_debug: false
      owner: null
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_info
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER


def main() -> None:
    """Run the module."""
    run_info(MAIL_SERVER)


if __name__ == "__main__":
    main()
