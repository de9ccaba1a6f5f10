# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: policy_expanded
short_description: Fill in what a mail policy leaves to presets
version_added: 0.1.0
description:
  - Returns the policy as it is applied. Each server gets the host, port and encryption of its C(provider) and
    C(region), as far as they are not given; of the provider's ports it gets one that C(odoo.platform) lets through.
  - What a server says only to the policy (C(purpose), C(provider), C(region), C(intent)) is taken out.
  - Logins at providers are whole addresses. Where a rotation has exchanged a login for the other one of its pair,
    accounts and servers get the active one, if O(active) says so.
author:
  - The mailops.odoo authors (@mailops)
positional: active
options:
  _input:
    description: The policy.
    type: dict
    required: true
  active:
    description:
      - What the filter P(mailops.odoo.active_logins#filter) returns. Without it the logins are those that the policy
        names.
    type: dict
    default: {}
seealso:
  - plugin: mailops.odoo.active_logins
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Where do the servers connect?
  ansible.builtin.debug:
    msg: "{{ (mail_policy | mailops.odoo.policy_expanded).odoo.servers | map(attribute='smtp_host') }}"

- name: Which logins do they have, whatever was rotated?
  ansible.builtin.debug:
    msg: "{{ (mail_policy | mailops.odoo.policy_expanded(active)).odoo.servers | map(attribute='smtp_user') }}"
  vars:
    active: "{{ mail_policy | mailops.odoo.active_logins(hostvars[inventory_hostname]) }}"
"""

RETURN = r"""
_value:
  description: The policy.
  type: dict
"""


def policy_expanded(policy: Mapping[str, Any], active: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the policy as it is applied."""
    from ansible_collections.mailops.odoo.plugins.module_utils._policy import expand

    return expand(policy, active)


class FilterModule:
    """Provides the filter policy_expanded."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"policy_expanded": policy_expanded}
