#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_route_info
short_description: Tell which server of Odoo takes which mail
version_added: 0.1.0
description:
  - Says for each sender which outgoing server Odoo chooses, with which From, envelope sender and Reply-To the mail leaves, and
    why. No mail is sent; Odoo's own rules (14 to 19) are applied to what is in the database.
  - What C(odoo.conf) says cannot be read by this way. Where no server is active, the mail leaves by the one named there.
author:
  - The mailops.odoo authors (@mailops)
options:
  senders:
    description:
      - The senders, each an address with a name or without.
      - If left out, every sender that the database knows - default senders, OdooBot, companies, internal users, templates,
        mailings that are not done - and a customer whose mail Odoo passes on.
    type: list
    elements: str
  author:
    description:
      - Login of the user who writes the mail of O(senders), for whom a personal server (19) counts.
    type: str
  alias_domain:
    description: The alias domain of the company whose record the mail of O(senders) is about (17 and later).
    type: str
  server:
    description: Name of the server that a template or a mailing demands for the mail of O(senders).
    type: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - plugin: mailops.odoo.mail_routes
    plugin_type: filter
  - plugin: mailops.odoo.mail_route_table
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which server takes which mail?
  mailops.odoo.mail_route_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: mail

- name: Show it
  ansible.builtin.debug:
    msg: "{{ mail.routes | mailops.odoo.mail_route_table }}"

- name: And this sender's?
  mailops.odoo.mail_route_info:
    senders: ['"The shop" <shop@acme.example>']
"""

RETURN = r"""
routes:
  description: How each mail leaves, in the order of O(senders).
  returned: success
  type: list
  elements: dict
  contains:
    sender:
      description: The sender.
      type: str
    what:
      description: What sends so, such as V(user admin) or V(template Invoice); empty for those of O(senders).
      type: str
    server:
      description: Name of the server; null for the one of C(odoo.conf).
      type: str
    from:
      description: The header From as the recipient sees it; empty where Odoo refuses to send.
      type: str
    envelope_from:
      description: The envelope sender, to which failures are reported. On 14 V(<id>) stands for the number of the mail.
      type: str
    reply_to:
      description: The header Reply-To of a mail that is not about a record.
      type: str
    step:
      description: Which of Odoo's rules decided.
      type: str
    reason:
      description: The same as a sentence.
      type: str
    warnings:
      description: What is amiss with it.
      type: list
      elements: str
  sample:
    - sender: '"Mary" <mary@customer.example>'
      what: ""
      server: Zoho Mail
      from: '"Mary" <no-reply@acme.example>'
      envelope_from: bounce@acme.example
      reply_to: '"My Company" <catchall@acme.example>'
      step: notification_address
      reason: >-
        No from_filter takes mary@customer.example; that of Zoho Mail has the notification address no-reply@acme.example.
      warnings: []
unknown:
  description: A sentence for each sender that cannot be told beforehand, such as a template's that depends on the record.
  returned: success
  type: list
  elements: str
version:
  description: The series of Odoo whose rules were applied.
  returned: success
  type: int
  sample: 19
"""

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import explain
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec


def main() -> None:
    """Run the module."""
    of_senders = ("author", "alias_domain", "server")
    spec = {"senders": {"type": "list", "elements": "str"}, **{name: {"type": "str"} for name in of_senders}}
    module = glue.make_module({**connection_spec(), **spec}, required_by=dict.fromkeys(of_senders, ("senders",)))
    try:
        asked = None
        if module.params["senders"] is not None:
            asked = explain.given(module.params["senders"], *(module.params[name] or "" for name in of_senders))
        result = explain.by_database(connect(module.params), asked)
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
