# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """An alias domain's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  name:
    description: The domain. It is written in lower case, because Odoo 17 to 19 never match mail to another spelling.
    type: str
    required: true
  bounce_alias:
    description: Local part of the address at which delivery failures come back. Needed to create a record.
    type: str
  catchall_alias:
    description: Local part of the address at which replies come back. Needed to create a record.
    type: str
  default_from:
    description:
      - Local part of the sender that Odoo uses when no server takes the real one; Odoo itself puts V(notifications) in a new record.
      - A full address makes it the sender of mail for every domain.
    type: str
  sequence:
    description: Lower comes first when Odoo picks a domain for a new company.
    type: int
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "alias_domains", "The alias domains.")
