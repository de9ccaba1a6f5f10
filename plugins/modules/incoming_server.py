#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: incoming_server
short_description: Manage an incoming mail server of Odoo
version_added: 0.1.0
description:
  - Creates, changes or deletes one incoming mail server (C(fetchmail.server)), and makes Odoo log in to it.
  - An option that is omitted is left as it is; an explicit null clears it.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.incoming_server
  - mailops.odoo.incoming_server.confirmed
  - mailops.odoo.state
  - mailops.odoo.state.neutralized
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.incoming_servers
  - module: mailops.odoo.incoming_server_info
  - module: mailops.odoo.scheduled_action
"""

EXAMPLES = r"""
- name: Replies come from the catchall's mailbox
  mailops.odoo.incoming_server:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    name: Catchall
    server_type: imap
    server: imap.acme.example
    user: inbox@acme.example
    password: "{{ vault_inbox_password }}"

- name: The mailbox is no longer fetched
  mailops.odoo.incoming_server:
    name: Catchall
    active: false

- name: The server is gone
  mailops.odoo.incoming_server:
    name: Catchall
    state: absent
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.incoming_server import INCOMING_SERVER


def main() -> None:
    """Run the module."""
    run_one(INCOMING_SERVER)


if __name__ == "__main__":
    main()
