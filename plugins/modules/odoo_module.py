#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odoo_module
short_description: Install, upgrade or uninstall an app or addon of Odoo
version_added: 0.1.0
description:
  - Makes sure that an addon is installed in a database, or that it is not, and waits until Odoo has done with it.
  - Odoo refuses while a scheduled action or another such operation runs; the module tries again within O(wait_timeout).
  - An addon that Odoo's list does not have yet is looked for in the folders of C(addons_path) first.
author:
  - The mailops.odoo authors (@mailops)
options:
  name:
    description: Technical name of the addon, such as V(crm).
    type: str
    required: true
  state:
    description:
      - V(present) installs it if it is not installed.
      - V(latest) also upgrades it when the version in its files is another than the installed one.
      - V(absent) uninstalls it. Odoo deletes all its data with it.
    type: str
    choices: [present, latest, absent]
    default: present
  force:
    description:
      - Uninstall the addons that need this one as well. Without it that is an error which names them.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait until all is done, in seconds.
    type: int
    default: 300
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.system_parameter
"""

EXAMPLES = r"""
- name: Leads and opportunities
  mailops.odoo.odoo_module:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    name: crm

- name: No website chat here
  mailops.odoo.odoo_module:
    name: im_livechat
    state: absent
"""

RETURN = r"""
action:
  description: What was done, or would be in check mode; V(install), V(upgrade), V(uninstall), or empty.
  returned: success
  type: str
  sample: install
version:
  description: The installed version; in check mode the one before.
  returned: success
  type: str
  sample: 19.0.1.0.0
dependents:
  description: With RV(action=uninstall), the addons that were uninstalled with it.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addon, snapshot
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec


def main() -> None:
    """Run the module."""
    module = glue.make_module(
        {
            **connection_spec(),
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "latest", "absent"], "default": "present"},
            "force": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 300},
        }
    )
    name = module.params["name"]
    sent = False
    others: list[str] = []
    try:
        client = connect(module.params)
        found = addon.find(client, name)
        wanted = addon.action(found, module.params["state"])
        before = f"{name}: {found.version or found.state}\n" if found else f"{name}: not in Odoo's list\n"
        if wanted == "uninstall":
            others = addon.dependents(client, name)
            if not module.params["force"]:
                addon.refuse_if_needed(name, others)
        if wanted and not module.check_mode:
            snapshot.before_writing(client, module.params)
            sent = True
            found = addon.carry_out(client, name, wanted, module.params["wait_timeout"])
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind, changed=sent and not error.definite)
        return
    after = before
    if wanted:
        done = found.version or found.state if found and not module.check_mode else wanted
        after = f"{name}: {done}\n" + "".join(f"{other}: uninstall\n" for other in others)
    module.exit_json(
        changed=bool(wanted),
        action=wanted,
        version=found.version if found else "",
        dependents=others,
        diff={"before": before, "after": after},
    )


if __name__ == "__main__":
    main()
