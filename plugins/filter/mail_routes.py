# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError

DOCUMENTATION = r"""
name: mail_routes
short_description: Tell from a mail policy alone which server takes which mail
version_added: 0.1.0
description:
  - Says for each sender which of the policy's servers Odoo would choose, with which From and envelope sender the mail
    would leave, and why. No server is asked.
  - What only the database knows is not seen - its users, templates and mailings, servers that the policy does not name.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The policy, as M(mailops.odoo.mail_settings) and C(site.yml) take it.
    type: dict
    required: true
  senders:
    description:
      - The senders, each an address with a name or without.
      - If left out, those that the policy names - default senders, companies, users, what the servers' filters are
        for - and a customer whose mail Odoo passes on.
    type: list
    elements: str
  version:
    description: The series of Odoo whose rules apply, 14 to 19. If left out, the policy's C(odoo.version), or else 19.
    type: int
seealso:
  - module: mailops.odoo.mail_route_info
"""

EXAMPLES = r"""
- name: Which server takes the shop's mail?
  ansible.builtin.debug:
    msg: "{{ (mail_policy | mailops.odoo.mail_routes(senders=['shop@acme.example'])).routes }}"
"""

RETURN = r"""
_value:
  description: C(routes) and C(version) as RV(mailops.odoo.mail_route_info#module:routes) has them, and C(unknown), a
    sentence for each thing that the policy leaves open, with what was assumed.
  type: dict
"""


def mail_routes(
    policy: Mapping[str, Any], senders: Sequence[str] | None = None, version: int | None = None
) -> dict[str, Any]:
    """Return the routes by a policy; AnsibleFilterError for a sender that is no address."""
    from ansible_collections.mailops.odoo.plugins.module_utils._odoo import explain

    try:
        return explain.by_policy(policy, senders, version)
    except MailopsError as error:
        raise AnsibleFilterError(error.text()) from None


class FilterModule:
    """Provides the filter mail_routes."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_routes": mail_routes}
