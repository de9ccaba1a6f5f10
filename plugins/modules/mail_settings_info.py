#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_settings_info
short_description: Read all mail settings of Odoo as the section of a policy
version_added: 0.1.0
description:
  - Returns what a database holds of everything that a mail policy can list, in the policy's own form. Applying the policy
    made of it changes nothing.
  - What a new record has anyway is left out. So are records that a policy cannot hold; those that have a name are
    reported in RV(left_out).
  - In place of each secret there is a reference to a variable, whose name is made of the record's.
author:
  - The mailops.odoo authors (@mailops)
options:
  secrets:
    description:
      - Whether to return the secrets too, by variable.
      - Set C(no_log) on the task. Without it the secrets would be printed, so the module refuses.
    type: bool
    default: false
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.mail_settings_restore
"""

EXAMPLES = r"""
- name: What is in Odoo, as a policy would say it?
  mailops.odoo.mail_settings_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: settings

- name: The passwords that belong to it
  mailops.odoo.mail_settings_info:
    secrets: true
  register: settings_with_secrets
  no_log: true
"""

RETURN = r"""
policy:
  description: The policy's section C(odoo). A list that would be empty is missing.
  returned: success
  type: dict
  sample:
    servers:
      - name: Mailgun SMTP
        sequence: 2
        smtp_host: smtp.mailgun.org
        smtp_port: 2525
        encryption: starttls
        smtp_user: no-reply@mg.acme.example
        smtp_pass: "{{ vault_odoo_servers_mailgun_smtp_smtp_pass }}"
        from_filter: [bounce@acme.example, mg.acme.example]
variables:
  description: The names of the variables that RV(policy) refers to.
  returned: success
  type: list
  elements: str
  sample: [vault_odoo_servers_mailgun_smtp_smtp_pass]
secrets:
  description: The value of each of RV(variables).
  returned: with O(secrets=true)
  type: dict
left_out:
  description: The records that a policy cannot hold as they are, and why, a sentence each. Applying the policy leaves them alone.
  returned: success
  type: list
  elements: str
  sample: ["mail server Backup: several records have this name"]
"""

from ansible.module_utils.common.parameters import remove_values
from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import export
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec


def main() -> None:
    """Run the module."""
    module = glue.make_module({**connection_spec(), "secrets": {"type": "bool", "default": False, "no_log": False}})
    if module.params["secrets"] and not module.no_log:
        module.fail_json(msg="The secrets would be printed. Set no_log: true on the task.")
    try:
        section = export.section(export.read(connect(module.params)))
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    result = {"policy": section.policy, "variables": list(section.secrets), "left_out": section.left_out}
    if module.params["secrets"]:
        result["secrets"] = section.secrets
    if remove_values(result, module.no_log_values) != result:
        module.fail_json(
            msg="The settings contain the very password with which this module logged in to Odoo, and Ansible would "
            "replace it by asterisks. Give odoo_api_key in its place (the module odoo_api_key makes one)."
        )
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
