# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._odoo import inbound

DOCUMENTATION = r"""
name: mail_arrivals
short_description: Tell how mail to each address of a mail policy arrives
version_added: 0.1.0
description:
  - Says for each address by which way mail to it comes to Odoo, and which redirects its provider needs for that.
  - No server is asked.
  - The addresses are those that the policy names, and those of the database where they are given.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The policy.
    type: dict
    required: true
  addresses:
    description: The database's addresses, as RV(mailops.odoo.mail_address_info#module:addresses) has them.
    type: list
    elements: dict
seealso:
  - module: mailops.odoo.mail_address_info
"""

EXAMPLES = r"""
- name: Which addresses need a redirect at their provider?
  ansible.builtin.debug:
    msg: "{{ mail_policy | mailops.odoo.mail_arrivals | selectattr('redirect') | map(attribute='address') }}"
"""

RETURN = r"""
_value:
  description:
    - The addresses, by domain. Each has C(address), where V(*@domain) stands for all others of a domain of the gateway;
      C(kind), which is V(alias), V(catchall), V(bounce), V(default_from), V(former), V(mailbox) or V(others);
      C(way), which is V(gateway), V(fetched), V(relayed), V(redirect), V(refused) or V(not needed);
      C(how), the same as a sentence; and C(redirect), what the provider has to do, empty where nothing is needed.
  type: list
  elements: dict
  sample:
    - address: sales@acme.example
      kind: alias
      way: gateway
      how: "MX: gateway, bridge, Odoo; Odoo makes a record of crm.lead"
      redirect: ""
"""


def mail_arrivals(
    policy: Mapping[str, Any], addresses: Iterable[Mapping[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Return how mail to each address arrives."""
    there = None if addresses is None else [inbound.Address(**address) for address in addresses]
    said = inbound.from_policy(policy.get("odoo") or {})
    return [asdict(arrival) for arrival in inbound.arrivals(policy.get("inbound") or {}, said, there)]


class FilterModule:
    """Provides the filter mail_arrivals."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_arrivals": mail_arrivals}
