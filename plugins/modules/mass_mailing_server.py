#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mass_mailing_server
short_description: Choose the outgoing mail server of Odoo's Email Marketing
version_added: 0.1.0
description:
  - Sets or unsets the dedicated server of Email Marketing, which campaigns leave by (the setting Dedicated Server).
  - New mailings take it over; those that exist keep the server they have.
  - These are two system parameters. Odoo ignores the one that switches the setting on when it reads the one that has the
    server, so both are written, and both are deleted.
author:
  - The mailops.odoo authors (@mailops)
options:
  server:
    description: Name of the outgoing mail server, which must exist and be active. Needed with O(state=present).
    type: str
  state:
    description: Whether Email Marketing has a server of its own. If not, Odoo chooses one for mailings as for any mail.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_server
"""

EXAMPLES = r"""
- name: There is a server for bulk mail
  mailops.odoo.mail_server:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    name: Mailgun
    smtp_host: smtp.mailgun.org
    smtp_port: 2525
    encryption: starttls
    smtp_user: no-reply@mg.acme.example
    smtp_pass: "{{ vault_mailgun_smtp_password }}"
    from_filter:
      - mg.acme.example

- name: Campaigns leave by it
  mailops.odoo.mass_mailing_server:
    server: Mailgun

- name: Campaigns leave like any other mail
  mailops.odoo.mass_mailing_server:
    state: absent
"""

RETURN = r"""
changes:
  description: What was changed in the system parameters, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(update) or V(delete).
      type: str
    name:
      description: Which parameter.
      type: str
    before:
      description: Its values before; empty for a new record.
      type: dict
    after:
      description: Its values after; empty for a deleted record.
      type: dict
"""

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome, apply
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.mass_mailing import PARAMETER, plan_server
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.snapshot import before_writing


def main() -> None:
    """Run the module."""
    module = glue.make_module(
        {
            **connection_spec(),
            "server": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["server"])],
    )
    name = module.params["server"] if module.params["state"] == "present" else None
    try:
        client = connect(module.params)
        side, changes, warnings = plan_server(client, name, module.check_mode)
        if changes and not module.check_mode:
            before_writing(client, module.params)
    except MailopsError as error:
        glue.fail(module, error)
        return
    for warning in warnings:
        module.warn(warning)
    glue.report(module, PARAMETER, changes, Outcome() if module.check_mode else apply(changes, side))


if __name__ == "__main__":
    main()
