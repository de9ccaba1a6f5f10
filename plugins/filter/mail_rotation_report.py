# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.report import report

DOCUMENTATION = r"""
name: mail_rotation_report
short_description: Make the report of a rotation of secrets
version_added: 0.1.0
description:
  - Returns what became of the secrets, what is wrong first, and their counts. No value is in it.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The rows of P(mailops.odoo.mail_rotations#filter), with what became of each as C(result).
    type: list
    elements: dict
    required: true
seealso:
  - plugin: mailops.odoo.mail_rotation_table
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the report
  ansible.builtin.copy:
    content: "{{ rows | mailops.odoo.mail_rotation_report | to_nice_json }}"
    dest: rotation.json
    mode: "0644"
  vars:
    rows: "{{ groups | mailops.odoo.mail_secrets(hostvars) | mailops.odoo.mail_rotations({}) }}"
"""

RETURN = r"""
_value:
  description:
    - C(result), which is V(failed) if a rotation failed or was refused, V(due) if none did but a secret is due, or else
      V(done).
    - C(counts), with C(total) and a count for each result.
    - C(secrets), the rows.
    - C(version) of this form, V(1).
  type: dict
"""


def mail_rotation_report(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the report."""
    try:
        return report(rows)
    except MailopsError as error:
        raise AnsibleFilterError(error.text()) from None


class FilterModule:
    """Provides the filter mail_rotation_report."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_rotation_report": mail_rotation_report}
