# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options that singular and plural modules share."""

    DOCUMENTATION = r"""
options:
  state:
    description: Whether the record exists.
    type: str
    choices: [present, absent]
    default: present
"""

    PRUNE = r"""
options:
  prune:
    description: Also delete every record of this kind that is not in the list.
    type: bool
    default: false
  prune_limit:
    description:
      - The most records that O(prune) may delete in one run. If there are more, nothing is changed and the error lists them.
    type: int
    default: 10
"""

    NEUTRALIZED = r"""
options:
  neutralized:
    description:
      - What to do about a server that would be active on a neutralised database, as a test copy of a live one is
        (system parameter C(database.is_neutralized), Odoo 16 and later).
      - V(refuse) changes nothing and fails, so that a copy does not mail customers by accident. V(allow) goes ahead.
      - Odoo 14 and 15 do not mark a copy. There nothing tells it from the live database, and nothing is refused.
    type: str
    choices: [refuse, allow]
    default: refuse
"""
