# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """A system parameter's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  key:
    description: Name of the parameter.
    type: str
    required: true
  value:
    description:
      - Its value, as text; shown in differences. Use O(secret_value) for a secret.
      - The values of known mail parameters are checked, and compared by what they mean; a list of domains in another order is no change.
    type: str
  secret_value:
    description: Its value when it is a secret, which is compared but never shown.
    type: str
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "parameters", "The parameters.")
