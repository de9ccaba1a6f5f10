#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odoo_api_key
short_description: Make an API key of an Odoo user from its password
version_added: 0.1.0
description:
  - Makes an API key that does not expire, or removes the keys with a name.
  - Odoo shows a key once, when it is made. Keep it in the vault and give it back in O(odoo_api_key) the next time. While
    Odoo accepts it nothing changes; where it is empty, omitted or refused, a new one is made.
  - Set C(no_log) on the task. Without it the key would be printed, so the module refuses to make one.
author:
  - The mailops.odoo authors (@mailops)
options:
  name:
    description: What the key is for, as the user's preferences in Odoo show it.
    type: str
    required: true
  state:
    description: V(present) makes a key unless O(odoo_api_key) works; V(absent) removes every key of this user with this name.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.odoo_module
"""

EXAMPLES = r"""
- name: The key with which this controller talks to Odoo
  mailops.odoo.odoo_api_key:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
    name: mailops
    odoo_api_key: "{{ vault_odoo_api_key | default('') }}"
  no_log: true
  register: made

- name: The controller of last year is gone
  mailops.odoo.odoo_api_key:
    name: mailops 2025
    state: absent
"""

RETURN = r"""
api_key:
  description: The new key. It cannot be read again.
  returned: when a key was made
  type: str
removed:
  description: How many keys were removed, or would be in check mode.
  returned: with O(state=absent)
  type: int
"""

from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.api_key import Keys, refuse_without_password, works
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connection_spec


def main() -> None:
    """Run the module."""
    module = glue.make_module(
        {
            **connection_spec(),
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        }
    )
    try:
        result = _absent(module) if module.params["state"] == "absent" else _present(module)
    except MailopsError as error:
        glue.fail(module, error)
        return
    module.exit_json(**result)


def _present(module: glue.AnsibleModule) -> dict[str, Any]:
    if works(module.params):
        return {"changed": False}
    refuse_without_password(module.params)
    if not module.no_log:
        raise ValidationError("a key made now would be printed", "Set no_log: true on the task.")
    if module.check_mode:
        return {"changed": True}
    return {"changed": True, "api_key": Keys(module.params).make(module.params["name"])}


def _absent(module: glue.AnsibleModule) -> dict[str, Any]:
    keys = Keys(module.params)
    ids = keys.ids(module.params["name"])
    if ids and not module.check_mode:
        keys.remove(ids)
    return {"changed": bool(ids), "removed": len(ids)}


if __name__ == "__main__":
    main()
