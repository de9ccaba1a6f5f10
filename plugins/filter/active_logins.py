# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: active_logins
short_description: Tell which logins are active in place of those that a mail policy names
version_added: 0.1.0
description:
  - A rotation exchanges a login for the other one of its pair. The policy goes on naming the first; which one is active
    is in the vault, beside the password, as the variable C(<vault_key>_login).
  - Returns each login that is not active itself, with the one that is, for the filter
    P(mailops.odoo.policy_expanded#filter).
  - Variables of the policy that are not defined do no harm.
author:
  - The mailops.odoo authors (@mailops)
positional: variables
options:
  _input:
    description: The policy; null if there is none.
    type: dict
  variables:
    description: The host's variables.
    type: dict
    required: true
seealso:
  - plugin: mailops.odoo.policy_expanded
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which logins did a rotation exchange?
  ansible.builtin.debug:
    msg: "{{ mail_policy | mailops.odoo.active_logins(hostvars[inventory_hostname]) }}"
"""

RETURN = r"""
_value:
  description: The policy's login with the one that is active, both as addresses.
  type: dict
  sample: {no-reply@mg.acme.example: no-reply-2@mg.acme.example}
"""


def _found(policy: Any, variables: Mapping[str, Any]) -> dict[str, str]:
    from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import known
    from ansible_collections.mailops.odoo.plugins.module_utils._policy import active_logins

    return active_logins(known(policy), variables)


class FilterModule:
    """Provides the filter active_logins."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"active_logins": _found}
