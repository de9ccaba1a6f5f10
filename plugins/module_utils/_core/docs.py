# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that follows from other documentation."""

from __future__ import annotations

import textwrap


def as_list(documentation: str, name: str, description: str, required: bool = True) -> str:
    """Return the options of a singular module as the suboptions of the option `name`, a list."""
    options = documentation.strip().removeprefix("options:\n").replace("O(", f"O({name}[].")
    return (
        f"options:\n  {name}:\n    description: {description}\n    type: list\n    elements: dict\n"
        f"    required: {str(required).lower()}\n    suboptions:\n{textwrap.indent(options, '    ')}\n"
    )
