#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odoo_modules
short_description: Install apps and addons of Odoo
version_added: 0.1.0
description:
  - Makes sure that addons are installed in a database, one after the other, and waits until Odoo has done with each.
  - What is installed is found out with one read. Nothing is upgraded or uninstalled.
author:
  - The mailops.odoo authors (@mailops)
options:
  names:
    description: Technical names of the addons, such as V(crm).
    type: list
    elements: str
    required: true
  wait_timeout:
    description: How long to wait until one of them is installed, in seconds.
    type: int
    default: 300
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.odoo_module
"""

EXAMPLES = r"""
- name: The apps that our mail is for
  mailops.odoo.odoo_modules:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    names: [crm, mass_mailing]
"""

RETURN = r"""
installed:
  description: The addons that were installed, or would be in check mode.
  returned: always
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
            "names": {"type": "list", "elements": "str", "required": True},
            "wait_timeout": {"type": "int", "default": 300},
        }
    )
    done: list[str] = []
    sent = False
    try:
        client = connect(module.params)
        missing = addon.missing(client, module.params["names"])
        if missing and not module.check_mode:
            snapshot.before_writing(client, module.params)
            sent = True
        for name in missing if not module.check_mode else ():
            # One that was installed with another meanwhile is left alone.
            if addon.action(addon.find(client, name), "present"):
                addon.carry_out(client, name, "install", module.params["wait_timeout"])
            done.append(name)
    except MailopsError as error:
        module.fail_json(
            msg=f"{error.text()} Installed before that: {', '.join(done) or 'none'}.",
            error=error.kind,
            changed=bool(done) or (sent and not error.definite),
            installed=done,
        )
        return
    diff = {"before": "", "after": "".join(f"{name}: install\n" for name in missing)}
    module.exit_json(changed=bool(missing), installed=missing, diff=diff)


if __name__ == "__main__":
    main()
