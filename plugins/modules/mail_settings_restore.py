#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_settings_restore
short_description: Put all mail settings of Odoo back to a snapshot
version_added: 0.1.0
description:
  - Makes the mail settings of a database what they were when the snapshot was saved (O(odoo_snapshot) of any module that
    changes them). Everything is planned and checked before anything is written.
  - A record that is still there keeps its password, even if it was renamed. One that was deleted since is made again
    without, as a snapshot holds no secrets; RV(missing_secrets) and a warning name it.
  - A record that was made since is deleted, within O(prune_limit).
  - A record that refers to what was deleted since, such as an alias whose team is gone, or that needs an app which was uninstalled,
    is left as it is and named in a warning. Apps are not installed again.
author:
  - The mailops.odoo authors (@mailops)
options:
  path:
    description: The snapshot, a file on the controller. It must be one of this database.
    type: path
    required: true
  prune_limit:
    description: How many records of one kind may be deleted. If there are more, nothing is written.
    type: int
    default: 10
  force:
    description: Whether to delete or archive a mail server even if something in Odoo is set to send by it.
    type: bool
    default: false
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.state.neutralized
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_settings_info
"""

EXAMPLES = r"""
- name: An alias too many
  mailops.odoo.mail_aliases:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    odoo_snapshot: "{{ playbook_dir }}/snapshots/prod.json"
    aliases:
      - alias_name: oops
        alias_domain: acme.example
        alias_model: crm.lead

- name: All is as it was before
  mailops.odoo.mail_settings_restore:
    path: "{{ playbook_dir }}/snapshots/prod.json"
"""

RETURN = r"""
changes:
  description: What was changed, or would be in check mode; secrets are hidden.
  returned: always
  type: list
  elements: dict
  contains:
    setting:
      description: The policy's key, such as V(servers).
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
missing_secrets:
  description: The secrets that were there and are not, as C(setting, name, option).
  returned: always
  type: list
  elements: str
  sample: ["servers: Mailgun SMTP: smtp_pass"]
remaining:
  description: The changes that were not made, or of which it is not known.
  returned: on failure
  type: list
  elements: str
"""

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import neutralized, snapshot
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.restore import Restore
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.settings import report


def main() -> None:
    """Run the module."""
    module = glue.make_module(
        {
            **connection_spec(),
            "path": {"type": "path", "required": True},
            "prune_limit": {"type": "int", "default": 10},
            "force": {"type": "bool", "default": False},
            **neutralized.OPTION,
        }
    )
    try:
        saved = snapshot.load(module.params["path"], module.params["odoo_database"])
        client = connect(module.params)
        restore = Restore(client, saved, module.params)
        parts = restore.plan()
        if not module.check_mode and any(part.changes for part in parts):
            snapshot.before_writing(client, module.params)
    except MailopsError as error:
        glue.fail(module, error)
        return
    missing = [f"{part.key}: {name}" for part in parts for name in part.missing]
    if missing:
        module.warn(f"A snapshot holds no secrets. These were there and are not: {'; '.join(missing)}")
    report(module, parts, None if module.check_mode else restore.carry_out(parts), missing_secrets=missing)


if __name__ == "__main__":
    main()
