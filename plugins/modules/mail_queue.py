#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_queue
short_description: Retry, cancel or send mails in Odoo's queue
version_added: 0.1.0
description:
  - Does with mails in the queue (C(mail.mail)) what the buttons of Odoo's form do.
  - This is an action; when no mail is left for it to act on, it changes nothing.
author:
  - The mailops.odoo authors (@mailops)
options:
  action:
    description:
      - V(retry) puts failed mails (V(exception)) back among those that Odoo will send (V(outgoing)).
      - V(cancel) cancels mails that wait or have failed.
      - V(send) sends waiting mails at once. Those that are scheduled for later are left alone. The task fails if a mail could
        not be sent, with the reasons.
    type: str
    choices: [retry, cancel, send]
    required: true
  limit:
    description: The most mails to act on. If more match, nothing is done and the error tells how many there are.
    type: int
    default: 100
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.mail_queue
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_queue_info
  - module: mailops.odoo.scheduled_action
"""

EXAMPLES = r"""
- name: What failed since the provider was down is tried again
  mailops.odoo.mail_queue:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    action: retry
    email_to: "@customer.example"
    limit: 500

- name: And sent now instead of at the next run of the queue
  mailops.odoo.mail_queue:
    action: send

- name: What has failed for a month is given up
  mailops.odoo.mail_queue:
    action: cancel
    states: [exception]
    older_than: 30d
"""

RETURN = r"""
mails:
  description: The mails it acted on, as they are now; in check mode those it would act on, as they are.
  returned: success, and on failure if any was acted on
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
    action_spec = {"type": "str", "choices": list(mail_queue.ACTIONS), "required": True}
    module = glue.make_module({**connection_spec(), **mail_queue.filter_spec(), "action": action_spec})
    action = module.params["action"]
    try:
        client = connect(module.params)
        chosen = mail_queue.selected(client, action, module.params)
    except MailopsError as error:
        glue.fail(module, error)
        return
    if module.check_mode or not chosen:
        diff = mail_queue.difference(chosen, mail_queue.predicted(action, chosen))
        module.exit_json(changed=bool(chosen), mails=chosen, diff=diff)
        return
    try:
        after, error = mail_queue.act(client, action, chosen)
    except MailopsError as lost:
        told = f"{action}: {lost.text()} What became of the {len(chosen)} mails is not known."
        module.fail_json(msg=told, error=lost.kind, changed=True)
        return
    done = sum(mail["state"] != former["state"] for mail, former in zip(after, chosen, strict=True))
    result = {"changed": done > 0, "mails": after, "diff": mail_queue.difference(chosen, after)}
    reasons = mail_queue.reasons(after) if action == "send" else []
    if error is not None:
        told = f"{action}: {error.text()} The states of {done} of {len(chosen)} mails have changed."
        module.fail_json(msg=told, error=error.kind, **result)
    elif reasons:
        failed = sum(mail["state"] == "exception" for mail in after)
        told = f"{failed} of {len(chosen)} mails could not be sent: {'; '.join(reasons)}"
        module.fail_json(msg=told, error="delivery", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
