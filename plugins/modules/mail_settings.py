#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_settings
short_description: Make all mail settings of Odoo as a policy says
version_added: 0.1.0
description:
  - Does in one task what the modules for the single settings do, which are listed below. It takes what
    M(mailops.odoo.mail_settings_info) returns.
  - Everything is planned and checked before anything is written. Then what is referred to is made first, in the order
    O(parameters), O(alias_domains), O(companies), O(users), O(servers), O(mass_mailing_server), O(aliases),
    O(incoming_servers), O(allowed_senders), O(scheduled_actions). The first failure ends it.
  - A setting that is not given is left alone, and so is a record that is not listed, unless O(unmanaged_servers) says otherwise.
author:
  - The mailops.odoo authors (@mailops)
options:
  mass_mailing_server:
    description:
      - Name of the server by which Email Marketing sends, as M(mailops.odoo.mass_mailing_server) takes it. It may be one of
        O(servers).
      - Null lets it send by the server that suits each sender, like any other mail.
    type: str
  version:
    description: The version of Odoo that the settings are for. In a database of another one nothing is changed.
    type: int
    choices: [14, 15, 16, 17, 18, 19]
  test:
    description:
      - When to run Odoo's connection test of outgoing servers. A changed server that fails it is put back as it was.
        See M(mailops.odoo.mail_servers).
    type: str
    choices: [on_change, always, never]
    default: on_change
  adopt:
    description:
      - What to do about a new outgoing or incoming server which is there already under another name.
      - V(true) renames and changes that one, V(false) makes a second one. If omitted it is an error that names both.
    type: bool
  unmanaged_servers:
    description:
      - What to do about outgoing servers that are active and not in O(servers). Such a server takes mail from those that are
        listed if it matches a sender better, or as well and with a lower sequence. Without O(servers) nothing is done.
      - V(report) warns of each, with the senders that it takes and the servers from which it takes them.
      - V(archive) archives them, as the last change of the run. A server in use is refused, naming what uses it.
      - V(ignore) does not look.
      - A user's own server and the one that Odoo puts into a neutralised database are left alone.
    type: str
    choices: [report, archive, ignore]
    default: report
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.mail_settings
  - mailops.odoo.state.neutralized
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_settings_info
  - module: mailops.odoo.mail_settings_restore
"""

EXAMPLES = r"""
- name: Mail as one document says
  mailops.odoo.mail_settings:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    parameters:
      - key: mail.catchall.domain.allowed
        value: acme.example
    servers:
      - name: Mailgun
        sequence: 2
        smtp_host: smtp.mailgun.org
        smtp_port: 2525
        encryption: starttls
        smtp_user: no-reply@mg.acme.example
        smtp_pass: "{{ vault_mailgun_smtp_password }}"
        from_filter: [mg.acme.example, bounce@acme.example]
    mass_mailing_server: Mailgun
    aliases:
      - alias_name: info
        alias_domain: acme.example
        alias_model: crm.lead
"""

RETURN = r"""
changes:
  description: What was changed, or would be in check mode; secrets are hidden.
  returned: always
  type: list
  elements: dict
  contains:
    setting:
      description: The option, such as V(servers).
      type: str
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
  description: The connection tests of outgoing servers that were run.
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
unmanaged_servers:
  description: The outgoing servers that are not in O(servers), as they were before the run.
  returned: with O(servers), unless O(unmanaged_servers=ignore)
  type: list
  elements: dict
  contains:
    name:
      description: Which server.
      type: str
    active:
      description: Whether it was active.
      type: bool
    takes:
      description: The senders whose mail it took from a listed server, of those that the database knows.
      type: list
      elements: dict
      contains:
        sender:
          description: The sender.
          type: str
        from:
          description: The listed server that sends this mail otherwise.
          type: str
  sample:
    - name: Old relay
      active: true
      takes:
        - sender: no-reply@acme.example
          from: Zoho Mail
remaining:
  description: The changes that were not made, or of which it is not known.
  returned: on failure
  type: list
  elements: str
  sample: ["aliases: info @ acme.example"]
"""

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import neutralized, unmanaged
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.registry import FIRST, LAST
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.settings import SPEC, Settings, given, report
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.snapshot import before_writing
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.version import require


def main() -> None:
    """Run the module."""
    module = glue.make_module(
        {
            **connection_spec(),
            **SPEC,
            "version": {"type": "int", "choices": list(range(FIRST, LAST + 1))},
            "test": {"type": "str", "choices": ["on_change", "always", "never"], "default": "on_change"},
            "adopt": {"type": "bool"},
            **unmanaged.OPTION,
            **neutralized.OPTION,
        }
    )
    params = module.params
    try:
        wanted = given(params)
        client = connect(params)
        if params["version"]:
            require(params["version"], client.version())
        settings = Settings(client, wanted, params)
        parts = settings.plan()
        if not module.check_mode and any(part.changes for part in parts):
            before_writing(client, params)
    except MailopsError as error:
        glue.fail(module, error)
        return
    report(module, parts, None if module.check_mode else settings.carry_out(parts))


if __name__ == "__main__":
    main()
