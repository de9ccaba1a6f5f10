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
      - Its alias domain, which must exist. May be omitted while the database has only one.
      - On Odoo 14 to 16 every alias is at the only one, and no other can be given.
    type: str
  owner:
    description:
      - The record whose own alias is meant, such as a sales team or a project, by its C(model) and its C(name).
      - Odoo makes an alias with such a record, often without a name. That one gets the name and the other values, and no second
        one is created.
    type: dict
  alias_model:
    description:
      - Technical name of the model whose record a mail creates, such as V(crm.lead). Needed to create an alias.
      - It must take mail (inherit C(mail.thread)).
    type: str
  alias_defaults:
    description:
      - Values for the fields of the new record, by field name; V(team_id) with V(3), for one.
      - Names, types and the ids of records are checked, because Odoo itself would fail only when a mail arrives.
        Needs O(alias_model) beside it. Null empties it.
    type: dict
  alias_contact:
    description: Who may write to the alias. Odoo puts V(everyone) in a new one.
    type: str
    choices: [everyone, partners, followers, employees]
  alias_force_thread_id:
    description: The id of the one record of O(alias_model) that takes all mail to this alias; none is created then.
    type: int
  alias_parent_model:
    description: Technical name of the model of the record that the alias belongs to; its followers are those of O(alias_contact).
    type: str
  alias_parent_thread_id:
    description: The id of that record of O(alias_parent_model).
    type: int
  alias_bounced_content:
    description:
      - What a sender is told whom O(alias_contact) keeps out, instead of Odoo's own words, as text or simple HTML
        (p, ul, ol, li, br, b, strong, i, em, u, and a with href).
    type: str
  alias_user:
    description: Login of the user in whose name records are created (Odoo 14 to 16).
    type: str
  alias_incoming_local:
    description: Whether the local part alone is looked at, whatever the domain (Odoo 17 and later).
    type: bool
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "aliases", "The aliases.")
