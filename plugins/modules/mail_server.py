#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_server
short_description: Manage an outgoing mail server of Odoo
version_added: 0.1.0
description:
  - Creates, changes or deletes one outgoing mail server (C(ir.mail_server)).
  - An option that is omitted is left as it is; an explicit null clears it.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.mail_server
  - mailops.odoo.mail_server.run
  - mailops.odoo.state
  - mailops.odoo.state.neutralized
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_servers
  - module: mailops.odoo.mail_server_info
"""

EXAMPLES = r"""
- name: Orders and invoices leave through Zoho
  mailops.odoo.mail_server:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    name: Zoho Mail
    sequence: 1
    smtp_host: mail.zoho.com
    smtp_port: 465
    encryption: ssl
    smtp_user: no-reply@acme.example
    smtp_pass: "{{ vault_zoho_smtp_password }}"
    from_filter:
      - no-reply@acme.example
      - bounce@acme.example

- name: Any sender may use the relay in our own network, which cannot be reached yet
  mailops.odoo.mail_server:
    name: Relay
    smtp_host: relay.acme.example
    smtp_port: 25
    encryption: none
    from_filter: null
    test: never

- name: Mail from sales@acme.example leaves by its Gmail account; host, port, encryption and from_filter follow from that
  mailops.odoo.mail_server:
    name: Sales
    smtp_authentication: gmail
    smtp_user: sales@acme.example

- name: The server that was made by hand gets the name it has in the policy, and is not made twice
  mailops.odoo.mail_server:
    name: Zoho
    smtp_host: mail.zoho.com
    smtp_port: 465
    encryption: ssl
    smtp_user: no-reply@acme.example
    adopt: true

- name: The old server is gone, whatever still names it
  mailops.odoo.mail_server:
    name: Relay
    state: absent
    force: true
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
tests:
  description: The connection tests that were run.
  returned: when O(test) is not V(never), outside check mode
  type: list
  elements: dict
  contains:
    name:
      description: Which server.
      type: str
    result:
      description: V(passed), V(failed) or V(skipped).
      type: str
    message:
      description: What Odoo said, or why the test was skipped.
      type: str
"""

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import run_one
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER


def main() -> None:
    """Run the module."""
    run_one(MAIL_SERVER)


if __name__ == "__main__":
    main()
