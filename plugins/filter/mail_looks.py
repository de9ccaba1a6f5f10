# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: mail_looks
short_description: Tell what there is to look at, by a mail policy
version_added: 0.1.0
description:
  - Returns what this collection's modules are to be asked to verify a policy, for the playbook C(mailops.odoo.verify).
  - What was left out by tags, needs what is not given (an API key, a password), or is perhaps not applied yet (check
    mode), is not in it. A variable of the policy that is not defined counts as not given.
author:
  - The mailops.odoo authors (@mailops)
positional: here, found
options:
  _input:
    description: The policy; null if there is none.
    type: dict
  here:
    description: Where it is looked from.
    type: dict
    required: true
    suboptions:
      host:
        description: The host's name in the inventory.
        type: str
        required: true
      groups:
        description: Its groups, of which V(odoo_databases), V(odoo_hosts) and V(mail_gateways) count.
        type: list
        elements: str
        required: true
      run_tags:
        description: The tags that are run.
        type: list
        elements: str
        required: true
      skip_tags:
        description: The tags that are skipped.
        type: list
        elements: str
        required: true
      check_mode:
        description: Whether it is check mode.
        type: bool
        required: true
      smtp:
        description: The C(host), C(port) and C(ca_file) of a submission server to try logins at, in place of Mailgun's.
        type: dict
      relay_tls_verify:
        description: Whether a gateway passes mail on over TLS with a valid certificate only.
        type: bool
        default: true
      active_logins:
        description: The logins that are active in place of the policy's, from P(mailops.odoo.active_logins#filter).
        type: dict
  found:
    description: What was found before. O(found.mailgun) is what M(mailops.odoo.mailgun_domain_info) returned in a loop.
    type: dict
    default: {}
    suboptions:
      mailgun:
        description: The registered result.
        type: dict
      connection:
        description: The connection to Odoo.
        type: dict
seealso:
  - plugin: mailops.odoo.mail_checks
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which ports does this host need?
  ansible.builtin.debug:
    msg: "{{ (mail_policy | mailops.odoo.mail_looks(here)).ports }}"
  vars:
    here:
      host: "{{ inventory_hostname }}"
      groups: "{{ group_names }}"
      run_tags: "{{ ansible_run_tags }}"
      skip_tags: "{{ ansible_skip_tags }}"
      check_mode: "{{ ansible_check_mode }}"
"""

RETURN = r"""
_value:
  description:
    - C(ports) and C(logins), targets for M(mailops.odoo.smtp_probe); C(domains), each with C(name), C(region),
      C(inbound_routes) and C(account) (its number in the policy); C(records) for M(mailops.odoo.mail_dns_info) and
      C(senders) for M(mailops.odoo.mail_domain_info); C(odoo) and C(gateway), whether these are to be looked at.
  type: dict
"""


def mail_looks(policy: Any, here: Mapping[str, Any], found: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what is to be looked at."""
    from ansible_collections.mailops.odoo.plugins.module_utils._checks.collect import looks
    from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import Place

    return looks(policy, Place.of(here, os.environ), found or {})


class FilterModule:
    """Provides the filter mail_looks."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_looks": mail_looks}
