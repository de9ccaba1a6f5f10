# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.report import rows
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import KINDS

DOCUMENTATION = r"""
name: mail_rotations
short_description: Tell which secrets a run has to rotate
version_added: 0.1.0
description:
  - Returns a row for each secret, with its age, whether it is due, and whether this run rotates it.
  - A run rotates the secrets that it names. Where it names none it rotates those that are older than they may be,
    those of which nobody knows the age, and those of which the rotation has begun.
author:
  - The mailops.odoo authors (@mailops)
positional: looks
options:
  _input:
    description: The secrets, as the filter P(mailops.odoo.mail_secrets#filter) returns them.
    type: list
    elements: dict
    required: true
  looks:
    description:
      - What M(mailops.odoo.secret_rotation) returned for each, by the secret's name; with C(msg) where it failed.
    type: dict
    required: true
  older_than:
    description:
      - How old a secret may be of which the inventory says no C(max_age). A number with V(d), V(w), V(h), V(m) or
        V(s), or a number of days.
    type: str
    default: 90d
  names:
    description: The secrets to rotate, however old they are.
    type: list
    elements: str
    default: []
  kinds:
    description: The kinds to rotate. All by default.
    type: list
    elements: str
    default: [mailgun_login, bridge_token, odoo_api_key, given]
seealso:
  - plugin: mailops.odoo.mail_rotation_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which secrets are due?
  ansible.builtin.debug:
    msg: >-
      {{ groups | mailops.odoo.mail_secrets(hostvars) | mailops.odoo.mail_rotations(looks, older_than='60d')
      | selectattr('due') | map(attribute='name') }}
  vars:
    # What mailops.odoo.secret_rotation returned for each.
    looks: {}
"""

RETURN = r"""
_value:
  description:
    - The rows. Each has of the secret C(name), C(kind), C(file), C(strategy) and C(hosts); C(phase) and C(rotated) as
      they were seen; C(age) in days, null if nobody knows; C(due), C(next_due), C(chosen).
    - C(result) is V(refused) for a chosen one that cannot be rotated, V(due) or V(kept), until the caller sets it to
      what became of it, V(rotated), V(planned) or V(failed). C(detail) says why, and C(remains) lists the steps.
  type: list
  elements: dict
"""


def mail_rotations(
    secrets: Sequence[Mapping[str, Any]],
    looks: Mapping[str, Mapping[str, Any]],
    older_than: Any = "90d",
    names: Collection[str] = (),
    kinds: Collection[str] = KINDS,
) -> list[dict[str, Any]]:
    """Return the rows."""
    try:
        return rows(secrets, looks, datetime.now(timezone.utc), older_than, names, kinds)
    except MailopsError as error:
        raise AnsibleFilterError(error.text()) from None


class FilterModule:
    """Provides the filter mail_rotations."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_rotations": mail_rotations}
