# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """An allowed sender's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  email:
    description: The sender's address. It is compared as Odoo does, in lower case.
    type: str
    required: true
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "senders", "The senders.")
