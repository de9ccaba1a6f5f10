#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_servers
short_description: Manage the outgoing mail servers of Odoo as a list
version_added: 0.1.0
description:
  - Creates and changes any number of outgoing mail servers (C(ir.mail_server)) with a constant number of reads and batched writes.
  - An option that is omitted is left as it is; an explicit null clears it.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.mail_server.list
  - mailops.odoo.mail_server.run
  - mailops.odoo.state.neutralized
  - mailops.odoo.state.prune
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_server
  - module: mailops.odoo.mail_server_info
"""

EXAMPLES = r"""
- name: The servers of the routing policy
  mailops.odoo.mail_servers:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    servers:
      - name: Zoho Mail
        sequence: 1
        smtp_host: mail.zoho.com
        smtp_port: 465
        encryption: ssl
        smtp_user: no-reply@acme.example
        smtp_pass: "{{ vault_zoho_smtp_password }}"
        from_filter: [no-reply@acme.example, bounce@acme.example]
      - name: Mailgun
        sequence: 2
        smtp_host: smtp.mailgun.org
        smtp_port: 2525
        encryption: starttls
        smtp_user: no-reply@mg.acme.example
        smtp_pass: "{{ vault_mailgun_smtp_password }}"
        from_filter: [mg.acme.example, bounce@acme.example]
    adopt: true

- name: These and no others, and all of them work
  mailops.odoo.mail_servers:
    servers:
      - name: Zoho Mail
    test: always
    prune: true
    prune_limit: 2
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
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER


def main() -> None:
    """Run the module."""
    run_many(MAIL_SERVER)


if __name__ == "__main__":
    main()
