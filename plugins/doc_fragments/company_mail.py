# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """A company's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  name:
    description: Name of the company, which must exist.
    type: str
    required: true
  email:
    description:
      - Its e-mail address, which Odoo names to people who write to the catchall.
      - A warning is given when it is, or stays, empty or one of Odoo's examples.
    type: str
  alias_domain:
    description: Its alias domain (Odoo 17 and later), which must exist.
    type: str
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "companies", "The companies.")
