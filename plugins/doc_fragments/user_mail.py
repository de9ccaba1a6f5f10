# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """A user's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  login:
    description: Login of the user, who must exist. V(OdooBot) is Odoo's own user (C(__system__)), in whose name it sends what nobody wrote.
    type: str
    required: true
  email:
    description:
      - The user's e-mail address. Odoo may tell the former address of the change (19 does), unless that was an example.
      - A warning is given when it is an example or empty, or stays so for the administrator or OdooBot.
    type: str
  notification_type:
    description: Whether the user gets notifications by e-mail or in Odoo. Only internal users can have V(inbox).
    type: str
    choices: [email, inbox]
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "users", "The users.")
