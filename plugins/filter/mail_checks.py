# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: mail_checks
short_description: Turn what was found on a host into checks
version_added: 0.1.0
description:
  - Returns a check for everything that there was to look at, as the filter P(mailops.odoo.mail_looks#filter) tells it.
    What could not be looked at because something is not given or was left out is skipped. What is wrong, and who does
    not answer, is failed.
author:
  - The mailops.odoo authors (@mailops)
positional: here, found
options:
  _input:
    description: The policy; null if there is none.
    type: dict
  here:
    description: Where it was looked from, as the option of P(mailops.odoo.mail_looks#filter).
    type: dict
    required: true
  found:
    description: What the tasks registered, nothing where they did not run.
    type: dict
    required: true
    suboptions:
      mailgun:
        description: Of M(mailops.odoo.mailgun_domain_info), in a loop.
        type: dict
      logins:
        description: Of M(mailops.odoo.smtp_probe), for the logins.
        type: dict
      dns:
        description: Of M(mailops.odoo.mail_dns_info).
        type: dict
      receivers:
        description: Of M(mailops.odoo.mail_domain_info).
        type: dict
      drift:
        description: Of M(mailops.odoo.mail_drift_info).
        type: dict
      connection:
        description: The connection to Odoo.
        type: dict
      document:
        description: The policy's document, C(path), C(exists) and C(text); of hosts that stand for a database.
        type: dict
      ports:
        description: Of M(mailops.odoo.smtp_probe), for the ports.
        type: dict
      gateway:
        description:
          - Of the task that runs C(systemctl is-active), C(odoo-lmtp-bridge check) and C(postfix check). After each its
            output has a line with C(==), the name (units, bridge or postfix) and the exit code.
        type: dict
seealso:
  - plugin: mailops.odoo.mail_check_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Keep what was found
  ansible.builtin.set_fact:
    verify_checks: "{{ mail_policy | mailops.odoo.mail_checks(here, {'gateway': gateway}) }}"
"""

RETURN = r"""
_value:
  description:
    - The checks, each with C(id), C(subject), C(status) (V(passed), V(failed) or V(skipped)), C(detail) and C(fix);
      C(asked), which is false for what is skipped because nobody asked for it; and C(pending), which is true for what
      fails only because the records of a new domain are not published or not found yet.
  type: list
  elements: dict
"""


def mail_checks(policy: Any, here: Mapping[str, Any], found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the checks."""
    from ansible_collections.mailops.odoo.plugins.module_utils._checks.collect import collect
    from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import Place

    return [check.shown() for check in collect(policy, Place.of(here, os.environ), found)]


class FilterModule:
    """Provides the filter mail_checks."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_checks": mail_checks}
