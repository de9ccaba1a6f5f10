#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_lint_info
short_description: Find what is amiss with the mail settings in Odoo
version_added: 0.1.0
description:
  - Reads outgoing servers, alias domains, parameters and senders, and returns what would keep mail from arriving, from being
    sent by the server it is meant for, or from coming back. C(docs/lint.md) explains the rules.
  - The filter P(mailops.odoo.mail_lint#filter) does the same for a policy, by the same rules.
author:
  - The mailops.odoo authors (@mailops)
options:
  platform:
    description: Where Odoo runs, which decides what ports it cannot connect to. Nothing is known to be blocked if omitted.
    type: str
    choices: [aws, digitalocean, google-cloud]
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.mail_route_info
"""

EXAMPLES = r"""
- name: What is amiss with the mail settings?
  mailops.odoo.mail_lint_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: lint
"""

RETURN = r"""
findings:
  description: What is amiss, errors first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The rule.
      type: str
      sample: B01
    severity:
      description: V(error), V(warning) or V(info).
      type: str
    place:
      description: The record it is about.
      type: str
      sample: mail server Mailgun.from_filter
    message:
      description: What is amiss.
      type: str
    fix:
      description: What to do.
      type: str
"""

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint import lint
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint_setup import read
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.presets import PLATFORMS


def main() -> None:
    """Run the module."""
    module = glue.make_module({**connection_spec(), "platform": {"type": "str", "choices": list(PLATFORMS)}})
    try:
        found = lint(read(connect(module.params), module.params["platform"] or ""))
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    module.exit_json(changed=False, findings=[finding.shown() for finding in found])


if __name__ == "__main__":
    main()
