# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks.report import GROUPS, merged

DOCUMENTATION = r"""
name: mail_check_report
short_description: Make one report of all hosts' checks
version_added: 0.1.0
description:
  - Returns the checks of all hosts, what is wrong first, and their counts.
author:
  - The mailops.odoo authors (@mailops)
positional: hostvars, in_run
options:
  _input:
    description:
      - The inventory's groups. The hosts of C(odoo_databases), C(mail_gateways) and C(odoo_hosts) are to have checks.
    type: dict
    required: true
  hostvars:
    description:
      - The hosts' variables, of which C(verify_checks) has what P(mailops.odoo.mail_checks#filter) returned for a host.
        One that has none did not come to its end, and failed.
    type: dict
    required: true
  in_run:
    description: The hosts that the run is for; others were left out by C(--limit).
    type: list
    elements: str
    required: true
seealso:
  - plugin: mailops.odoo.mail_check_table
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the report
  ansible.builtin.copy:
    content: "{{ groups | mailops.odoo.mail_check_report(hostvars, ansible_play_hosts_all) | to_nice_json }}"
    dest: report.json
    mode: "0644"
"""

RETURN = r"""
_value:
  description:
    - C(result), which is V(failed) if a check failed, V(incomplete) if none did but one that was asked for was skipped,
      or else V(passed).
    - C(counts), with C(total), C(passed), C(failed), C(skipped) and C(skipped_though_asked_for).
    - C(checks), the checks of all hosts.
    - C(version) of this form, V(1).
  type: dict
"""


def mail_check_report(
    groups: Mapping[str, Sequence[str]], hostvars: Mapping[str, Mapping[str, Any]], in_run: Collection[str]
) -> dict[str, Any]:
    """Return the report."""
    # Not by items(): that would evaluate every variable of every host.
    hosts = {host for group in GROUPS for host in groups.get(group, ())}
    found = {host: hostvars[host]["verify_checks"] for host in hosts if "verify_checks" in hostvars[host]}
    return merged(groups, found, in_run)


class FilterModule:
    """Provides the filter mail_check_report."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_check_report": mail_check_report}
