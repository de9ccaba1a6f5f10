#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_values
short_description: Change several secrets in a vaulted file in one write
version_added: 0.1.0
description:
  - Gives several variables their values in one write, so that at no moment the file has some of them and not the others.
    With O(expected) it writes only if what is there is still what the caller knows of.
  - The file, and what becomes of everything else in it, is as with M(mailops.odoo.vault_value), and the same is refused.
author:
  - The mailops.odoo authors (@mailops)
options:
  file:
    description:
      - The file. A relative path starts in the inventory's folder.
      - If it does not exist, a value makes it, with mode C(0600) and encrypted as a whole. Its folder must exist.
    type: str
    required: true
  values:
    description: What variables shall be, by name. New ones go to the file's end.
    type: dict
    default: {}
  absent:
    description: Names of variables to remove. Comments above them stay.
    type: list
    elements: str
    default: []
  generate:
    description:
      - Makes up values for variables that are not there or are empty, by name. Each has the options C(length) and
        C(alphabet) of O(mailops.odoo.vault_value#module:generate), or is V({}) for their defaults.
    type: dict
    default: {}
  expected:
    description:
      - What variables must be, by name, whether they are changed or not; null for one that is not there or is empty. If
        one is something else, nothing is written and the task fails.
    type: dict
    default: {}
  vault_id:
    description: The vault id for what is new, as O(mailops.odoo.vault_value#module:vault_id).
    type: str
    default: ""
notes:
  - Set C(no_log) on a task with O(generate), which is refused otherwise. Values are returned with C(no_log) alone.
  - In check mode a value that would be made up is not returned, as it would not be kept; one that is there is.
extends_documentation_fragment:
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.vault_value
"""

EXAMPLES = r"""
- name: A new password, beside the one in force
  mailops.odoo.vault_values:
    file: group_vars/acme/vault.yml
    values:
      vault_shop_password_next_login: shop-2@mg.acme.example
    generate:
      vault_shop_password_next: {length: 32}
    expected:
      vault_shop_password_next_login: null
  no_log: true
  register: next_login

- name: It is in force now
  mailops.odoo.vault_values:
    file: group_vars/acme/vault.yml
    values:
      vault_shop_password: "{{ next_login['values'].vault_shop_password_next }}"
      vault_shop_password_login: shop-2@mg.acme.example
    absent: [vault_shop_password_next, vault_shop_password_next_login]
    expected:
      vault_shop_password_next: "{{ next_login['values'].vault_shop_password_next }}"
  no_log: true
"""

RETURN = r"""
values:
  description:
    - The values of the variables that the task names in O(values), O(absent) and O(generate), as they are in the file
      now; in check mode as they were. One that is not there is left out.
  returned: with C(no_log)
  type: dict
generated:
  description: The variables whose values were made up by this task, or would be in check mode.
  returned: success
  type: list
  elements: str
diff:
  description: The names of the variables that changed, their values hidden.
  returned: changed
  type: dict
"""
