# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Which mails of the queue are meant."""

    DOCUMENTATION = r"""
options:
  states:
    description: Only mails in these states. V(exception) is Odoo's Delivery Failed.
    type: list
    elements: str
    choices: [outgoing, sent, received, exception, cancel]
  older_than:
    description: Only mails made longer ago than this, a number and a unit (s, m, h, d, w), such as V(2h).
    type: str
  changed_since:
    description: Only mails that were made, or changed their state, since this moment, as V(YYYY-MM-DD HH:MM:SS) in UTC.
    type: str
  failure:
    description: Only mails with this text in the reason of their failure, whatever its case.
    type: str
  server:
    description:
      - Only mails that were bound to the outgoing mail server of this name. Most are not bound to any; Odoo picks a server when
        it sends them.
    type: str
  email_from:
    description: Only mails with this text in their sender, whatever its case.
    type: str
  email_to:
    description: Only mails with this text in one of their recipients' addresses, whatever its case.
    type: str
"""
