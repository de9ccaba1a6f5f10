# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._policy import expand

DOCUMENTATION = r"""
name: policy_expanded
short_description: Fill in what a mail policy leaves to presets
version_added: 0.1.0
description:
  - Returns the policy as it is applied. Each server gets the host, port and encryption of its C(provider) and
    C(region), as far as they are not given; of the provider's ports it gets one that C(odoo.platform) lets through.
  - What a server says only to the policy (C(purpose), C(provider), C(region), C(intent)) is taken out.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The policy.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Where do the servers connect?
  ansible.builtin.debug:
    msg: "{{ (mail_policy | mailops.odoo.policy_expanded).odoo.servers | map(attribute='smtp_host') }}"
"""

RETURN = r"""
_value:
  description: The policy.
  type: dict
"""


class FilterModule:
    """Provides the filter policy_expanded."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"policy_expanded": expand}
