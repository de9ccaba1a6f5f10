# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """A scheduled action's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  xmlid:
    description:
      - External id of the action, such as V(mass_mailing.ir_cron_mass_mailing_queue).
      - V(email_queue) is the action that sends mail, V(fetchmail) the one that fetches it, whatever this version calls them.
      - The action must exist; it comes with its app.
    type: str
    required: true
  active:
    description:
      - Whether it runs. Odoo itself switches V(fetchmail) on and off with the first and last confirmed incoming server.
    type: bool
  interval_number:
    description:
      - How many of O(interval_type) lie between two runs; 1 or more. The module warns below 5 minutes.
    type: int
  interval_type:
    description: The unit of O(interval_number).
    type: str
    choices: [minutes, hours, days, weeks, months]
  nextcall:
    description:
      - The next run, as V(YYYY-MM-DD HH:MM:SS) in UTC.
      - A moment that is over is left alone, because Odoo moves it on with every run.
    type: str
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "scheduled_actions", "The actions.")

    RUN = r"""
options:
  neutralized:
    description:
      - What to do about an action that would be switched on in a neutralised database, as a test copy of a live one is
        (system parameter C(database.is_neutralized), Odoo 16 and later).
      - V(refuse) changes nothing and fails. V(allow) goes ahead.
    type: str
    choices: [refuse, allow]
    default: refuse
  wait_timeout:
    description: How long to wait for an action that is running, which Odoo does not let anyone change, in seconds.
    type: int
    default: 60
"""
