# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DOCUMENTATION = r"""
name: mail_secrets
short_description: Find the secrets of the mail system that can be rotated
version_added: 0.1.0
description:
  - Returns the secrets that are variables of the vault, wherever a setting is such a variable. These are the SMTP
    passwords at Mailgun of the policies, the token that Odoo and the bridge share, the API key of C(odoo_connection),
    and the keys at Mailgun and of the DNS zones.
  - The settings are read as they are written, so that the variables' names are seen. A setting that is more than one
    variable, with a default maybe, is none of these.
  - No value is in what is returned.
author:
  - The mailops.odoo authors (@mailops)
positional: hostvars
options:
  _input:
    description:
      - The inventory's groups. The hosts of C(odoo_databases) have policies, connections and tokens, those of
        C(mail_gateways) the tokens of the bridge.
    type: dict
    required: true
  hostvars:
    description:
      - The hosts' variables. Beside the settings C(mail_vault_file) is read, the vaulted file that holds a host's
        secrets where the policy's C(vault_file) does not say it; and C(mail_secrets), a dictionary of what is to be
        said of single secrets, by the names of their variables, with C(file), C(max_age) such as V(30d), and C(base),
        the name that an API key has in Odoo, by default V(mailops).
    type: dict
    required: true
seealso:
  - plugin: mailops.odoo.mail_rotations
    plugin_type: filter
  - module: mailops.odoo.secret_rotation
"""

EXAMPLES = r"""
- name: Which secrets are there?
  ansible.builtin.debug:
    msg: "{{ groups | mailops.odoo.mail_secrets(hostvars) | map(attribute='name') }}"
"""

RETURN = r"""
_value:
  description:
    - The secrets. Each has C(name), its variable; C(kind), which is V(mailgun_login), V(bridge_token), V(odoo_api_key)
      or V(given); C(file), in which it is; C(places), where it is used, each with C(host) and C(path); C(hosts);
      C(strategy), V(pair) or V(in_place); C(base), the login or the name of a key that the policy says; C(max_age) in
      days, or null; C(about), what beside this a rotation needs; C(variables), the names of the variables for it; and
      C(problem), why it cannot be rotated, empty where it can.
    - C(about) has for a login C(domain), C(region) and C(servers), for a token C(databases), for an API key of Odoo
      C(url), C(database) and C(login), and for what is given C(service), C(zones), and for a TSIG key C(renamed),
      whether the policy takes its name from the vault.
  type: list
  elements: dict
"""


def mail_secrets(groups: Mapping[str, Sequence[str]], hostvars: Any) -> list[dict[str, Any]]:
    """Return the secrets, as Secret.shown does."""
    from ansible_collections.mailops.odoo.plugins.module_utils._rotation.catalogue import (
        SAID_OF_ONE,
        SETTINGS,
        VAULT_FILE,
        Host,
        secrets,
    )

    hosts = []
    for group, settings in SETTINGS.items():
        for name in groups.get(group, ()):
            # Ansible's own way to the variables before they are templated; hostvars[name] is templated.
            raw = hostvars.raw_get(name)
            said = {key: hostvars[name][key] for key in (*settings, VAULT_FILE, SAID_OF_ONE) if key in raw}
            hosts.append(Host(str(name), group, raw, said))
    return [secret.shown() for secret in secrets(hosts)]


class FilterModule:
    """Provides the filter mail_secrets."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_secrets": mail_secrets}
