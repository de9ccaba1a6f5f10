#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_drift_info
short_description: Tell where Odoo's mail settings differ from a policy
version_added: 0.1.0
description:
  - Compares what M(mailops.odoo.mail_settings) would make so with what is in the database, and changes nothing.
  - An option that is not given is not compared, and neither is a setting that is not given.
  - A server that is in Odoo under another name is reported as missing, and the other one as undeclared.
author:
  - The mailops.odoo authors (@mailops)
options:
  mass_mailing_server:
    description: Name of the server by which Email Marketing sends; null if it has none of its own.
    type: str
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.mail_settings
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.mail_settings
  - module: mailops.odoo.mail_settings_info
"""

EXAMPLES = r"""
- name: Has somebody changed a server by hand?
  mailops.odoo.mail_drift_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    servers:
      - name: Mailgun
        sequence: 2
        smtp_host: smtp.mailgun.org
        smtp_port: 2525
        encryption: starttls
        from_filter: [mg.acme.example, bounce@acme.example]
"""

RETURN = r"""
drift:
  description: Every record that is not as given; empty if all are.
  returned: success
  type: list
  elements: dict
  contains:
    setting:
      description: The option, such as V(servers).
      type: str
    name:
      description: Which record.
      type: str
    what:
      description:
        - V(missing) is not in Odoo, V(different) has other values there.
        - V(undeclared) is an active outgoing or incoming server in Odoo that is not in the list, if there is a list of them.
          A user's own server and the one that Odoo puts into a neutralised database are no such.
      type: str
    fields:
      description: The options that differ, in alphabetical order.
      type: list
      elements: str
    before:
      description: What they are in Odoo; empty for a missing record. Secrets are hidden.
      type: dict
    after:
      description: What they are to be; empty for an undeclared record. Secrets are hidden.
      type: dict
  sample:
    - setting: servers
      name: Mailgun
      what: different
      fields: [sequence]
      before: {sequence: 20}
      after: {sequence: 2}
"""

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import drift, settings
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec


def main() -> None:
    """Run the module."""
    module = glue.make_module({**connection_spec(), **settings.SPEC})
    try:
        found = drift.read(connect(module.params), settings.given(module.params))
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    module.exit_json(changed=False, drift=found)


if __name__ == "__main__":
    main()
