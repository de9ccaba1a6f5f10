# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules support."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
  diff_mode:
    description: Returns details on what has changed (or would change in C(check_mode)); secrets are hidden.
    support: full
"""

    INFO = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode); the module only reads.
    support: full
  diff_mode:
    description: Nothing changes, so there is no difference to show.
    support: N/A
"""
