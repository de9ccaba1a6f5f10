#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incoming_server_info
short_description: Read the incoming mail servers of Odoo
version_added: 0.1.0
description:
  - Returns the incoming mail servers (C(fetchmail.server)), archived ones included. A password or token is never returned.
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
  - module: mailops.odoo.incoming_server
  - module: mailops.odoo.incoming_servers
"""

EXAMPLES = r"""
- name: What mailboxes does Odoo fetch?
  mailops.odoo.incoming_server_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: incoming

- name: None may wait for its confirmation
  ansible.builtin.assert:
    that: incoming.records | rejectattr('confirmed') | selectattr('active') | length == 0
"""

RETURN = r"""
records:
  description:
    - The records, archived ones included; a secret that is set is shown as V((hidden)). C(confirmed) is whether
      Odoo has logged in and fetches.
    - On Odoo 15 the types V(gmail) and V(outlook) are shown as that version has them, C(server_type) V(imap) with
      C(use_google_gmail_service) or C(use_microsoft_outlook_service).
  returned: success
  type: list
  elements: dict
  sample:
    - id: 2
      name: Catchall
      active: true
      server_type: imap
      server: imap.acme.example
      port: 993
      is_ssl: true
      user: catchall@acme.example
      password: (hidden)
      object_id: null
      attach: true
      original: false
      priority: 5
      confirmed: true
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_info
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.incoming_server import INCOMING_SERVER


def main() -> None:
    """Run the module."""
    run_info(INCOMING_SERVER)


if __name__ == "__main__":
    main()
