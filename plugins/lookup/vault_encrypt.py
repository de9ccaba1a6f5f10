# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: vault_encrypt
short_description: Encrypt a text with the vault password of this run
version_added: 0.1.0
description:
  - Returns each text encrypted as C(ansible-vault encrypt) does, with the vault password that Ansible was given, in
    whatever way (a file, a script, C(--ask-vault-pass), vault ids). The filter P(ansible.builtin.vault#filter) has to
    be told the password itself.
  - Of several vault ids the one that Ansible's setting C(vault_encrypt_identity) names is taken, else the first.
author:
  - The mailops.odoo authors (@mailops)
options:
  _terms:
    description: The texts.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: A password goes to the disk encrypted only
  ansible.builtin.copy:
    content: "{{ lookup('mailops.odoo.vault_encrypt', {'vault_smtp_password': password} | to_yaml) }}"
    dest: group_vars/acme/vault_smtp.yml
    mode: "0600"
    decrypt: false  # or else copy would write it in clear
  no_log: true
"""

RETURN = r"""
_raw:
  description: The encrypted texts, each beginning with C($ANSIBLE_VAULT).
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.vault import Vault


class LookupModule(LookupBase):
    """Encrypts with the secrets that the command line and the configuration gave to this run."""

    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[str]:
        """Return the terms encrypted."""
        self.set_options(var_options=variables, direct=kwargs)
        try:
            vault = Vault.of(self._loader)
            seal = vault.seal_for()
        except MailopsError as error:
            raise AnsibleError(error.text()) from error
        return [vault.seal(str(term), seal) for term in terms]
