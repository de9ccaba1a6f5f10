# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError

DOCUMENTATION = r"""
name: mail_policy_document
short_description: Write a mail policy as a document for people
version_added: 0.1.0
description:
  - Returns a mail policy as Markdown - its servers and what they are for, which sender leaves by which of them, where
    answers come back, which addresses make records, and the rules of Odoo behind it.
  - It asks no server and holds no password. The same policy gives the same text.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The policy, which P(mailops.odoo.policy_problems#filter) finds nothing wrong with.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: The document beside the policy
  ansible.builtin.copy:
    content: "{{ mail_policy | mailops.odoo.mail_policy_document }}"
    dest: "{{ inventory_dir }}/MAIL.md"
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""


def mail_policy_document(policy: Mapping[str, Any]) -> str:
    """Return the document of a policy; AnsibleFilterError for a policy that is not sound."""
    from ansible_collections.mailops.odoo.plugins.module_utils._odoo.document import render

    try:
        return render(policy)
    except MailopsError as error:
        raise AnsibleFilterError(error.text()) from None


class FilterModule:
    """Provides the filter mail_policy_document."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_policy_document": mail_policy_document}
