# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """An alias's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  alias_name:
    description: Local part of the address, such as V(sales). Together with O(alias_domain) it identifies the record.
    type: str
    required: true
  alias_domain:
    description:
      - Its alias domain (Odoo 17 and later), which must exist. May be omitted while the database has only one.
    type: str
  alias_model:
    description: Technical name of the model whose record a mail creates, such as V(crm.lead). Needed to create an alias.
    type: str
  alias_defaults:
    description:
      - Values for the fields of the new record, by field name; V(team_id) with V(3), for one.
      - The names are checked against the model, because Odoo itself would fail only when a mail arrives. Null empties it.
    type: dict
  alias_contact:
    description: Who may write to the alias. Odoo puts V(everyone) in a new one.
    type: str
    choices: [everyone, partners, followers, employees]
  alias_incoming_local:
    description: Whether the local part alone is looked at, whatever the domain (Odoo 17 and later).
    type: bool
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "aliases", "The aliases.")
