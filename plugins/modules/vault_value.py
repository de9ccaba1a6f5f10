#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_value
short_description: Read, generate or change one secret in a vaulted file
version_added: 0.1.0
description:
  - Keeps one variable in a file that C(ansible-vault) encrypted as a whole, or in a file of variables of which some
    are encrypted (C(!vault)). The vault passwords are those that this run was given.
  - The value is decrypted and compared first; a value that is the same is not encrypted anew. Comments, order, quoting,
    vault ids and every other value stay as they are, as do the file's mode and owner. A symbolic link is followed and
    stays a link.
  - The file is replaced in one step; at no moment does the disk hold a secret in clear. Other tasks that change a file
    in the same folder wait meanwhile.
  - Refused before anything is changed are a wrong vault password, a value under another vault id than O(vault_id), a
    value that is not encrypted, is a template, or shares an anchor with others, a file that is not a mapping with a
    line for each variable, and a file that somebody else changes at the same time.
  - It works on the controller. Variables that Ansible has loaded already keep their value for the rest of the run; use
    M(ansible.builtin.set_fact), with C(no_log), where it is needed before.
author:
  - The mailops.odoo authors (@mailops)
options:
  file:
    description:
      - The file. A relative path starts in the inventory's folder.
      - If it does not exist, a value makes it, with mode C(0600) and encrypted as a whole. Its folder must exist.
    type: str
    required: true
  key:
    description: The name of the variable, at the top level of the file. A new one goes to its end.
    type: str
    required: true
  value:
    description:
      - What the variable shall be. Without O(value) and O(generate) the variable is read, and must be there.
      - In a file that is encrypted as a whole a value that looks like a template is marked C(!unsafe), so that Ansible
        takes it literally.
    type: str
  generate:
    description: Makes up a value if the variable is not there or is empty. O(generate={}) takes the defaults.
    type: dict
    suboptions:
      length:
        description: How many characters.
        type: int
        default: 32
      alphabet:
        description:
          - Of which characters. Each element is C(ascii_letters), C(ascii_lowercase), C(ascii_uppercase), C(digits),
            C(hexdigits), C(punctuation), or the characters themselves, each once; only visible ASCII.
          - The first character is always a letter or a digit, so that no program takes it for the start of something
            else. A recipe that leaves fewer than 64 bits to chance is refused.
        type: list
        elements: str
        default: [ascii_letters, digits]
  regenerate:
    description: Makes up a new value even if there is one. It is another one at each run.
    type: bool
    default: false
  state:
    description: V(absent) removes the variable. Comments above it stay.
    type: str
    choices: [present, absent]
    default: present
  vault_id:
    description:
      - The vault id for what is new. Without it a new value in a file that is not encrypted as a whole is encrypted as
        the other values in it; a new file as C(ansible-vault encrypt) would, under the vault id that Ansible's setting
        C(vault_encrypt_identity) names, else the first.
      - A file or value that is encrypted already keeps its vault id; if that is another than this one, the task fails.
    type: str
    default: ""
notes:
  - Set C(no_log) on every task whose value comes from the file, or is made up. Without it the value would be printed,
    so such a task is refused. A task that gives O(value) returns none and needs no C(no_log) for its result.
  - In check mode a value that would be made up is not returned, as it would not be kept; one that is there is.
extends_documentation_fragment:
  - mailops.odoo.attributes
seealso:
  - plugin: mailops.odoo.vault_encrypt
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: The password of an account, made up at the first run
  mailops.odoo.vault_value:
    file: group_vars/acme/vault.yml
    key: vault_mailgun_smtp_password
    generate:
      length: 32
  no_log: true
  register: smtp_password

- name: A password that came from elsewhere
  mailops.odoo.vault_value:
    file: group_vars/acme/vault.yml
    key: vault_zoho_smtp_password
    value: "{{ zoho_smtp_password }}"

- name: Another password, for a program that is particular about characters
  mailops.odoo.vault_value:
    file: group_vars/acme/vault.yml
    key: vault_mailgun_smtp_password_next
    generate:
      length: 24
      alphabet: [ascii_lowercase, digits, "-_"]
    regenerate: true
  no_log: true
  register: next_password

- name: What is in the file
  mailops.odoo.vault_value:
    file: group_vars/acme/vault.yml
    key: vault_zoho_smtp_password
  no_log: true
  register: zoho

- name: A password that nobody uses any more
  mailops.odoo.vault_value:
    file: group_vars/acme/vault.yml
    key: vault_mailgun_smtp_password_next
    state: absent
"""

RETURN = r"""
value:
  description: The value, as it is in the file now. Numbers are returned as text.
  returned: with O(state=present) and without O(value); in check mode what is there, if anything is
  type: str
generated:
  description: Whether the value was made up by this task, or would be in check mode.
  returned: with O(state=present) and without O(value)
  type: bool
diff:
  description: The name of the variable if it changed, its values hidden.
  returned: changed
  type: dict
"""
