#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_queue_info
short_description: Read Odoo's queue of outgoing mail
version_added: 0.1.0
description:
  - Counts the mails in the queue (C(mail.mail)) by state, and the failed ones by reason, and returns the oldest.
  - Bodies are never read.
author:
  - The mailops.odoo authors (@mailops)
options:
  limit:
    description: The most mails to return. The counts are of all that match.
    type: int
    default: 100
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.mail_queue
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.mail_queue
"""

EXAMPLES = r"""
- name: Does mail leave?
  mailops.odoo.mail_queue_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    states: [outgoing, exception]
    older_than: 2h
  register: queue

- name: Nothing may wait for two hours
  ansible.builtin.assert:
    that: queue.total == 0
    fail_msg: "{{ queue.failures }}"
"""

RETURN = r"""
total:
  description: How many mails match.
  returned: success
  type: int
  sample: 3
states:
  description: How many of them are in each state; a state that does not occur is left out.
  returned: success
  type: dict
  sample: {outgoing: 1, exception: 2}
failures:
  description: Why the failed ones failed, the commonest first. Addresses are left out, so that one cause is one reason.
  returned: success
  type: list
  elements: dict
  sample:
    - reason: "550 5.1.1 (address): Recipient address rejected"
      count: 2
mails:
  description: The oldest of them.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Number of the record (C(mail.mail)).
      type: int
    state:
      description: Its state.
      type: str
    created:
      description: When it was made, in UTC.
      type: str
    email_from:
      description: Its sender.
      type: str
    recipients:
      description: The addresses it goes to.
      type: list
      elements: str
    subject:
      description: Its subject.
      type: str
    server:
      description: The outgoing server it is bound to, or none.
      type: str
    failure_reason:
      description: What Odoo noted when it failed.
      type: str
"""

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import mail_queue
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec


def main() -> None:
    """Run the module."""
    module = glue.make_module({**connection_spec(), **mail_queue.filter_spec()})
    try:
        mail_queue.check(module.params)
        client = connect(module.params)
        terms = mail_queue.domain(client, module.params)
        states = mail_queue.counts(client, terms)
        failures = mail_queue.failures(client, terms) if states.get("exception") else []
        mails = mail_queue.mails(client, terms, module.params["limit"])
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    module.exit_json(changed=False, total=sum(states.values()), states=states, failures=failures, mails=mails)


if __name__ == "__main__":
    main()
