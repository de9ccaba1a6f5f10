# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks that change a vaulted file have in common: options, the file's path, the result."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import CHANGED, HIDDEN
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.recipe import generated
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.value import Outcome

# The options of a recipe.
RECIPE = {
    "length": {"type": "int", "default": 32},
    "alphabet": {"type": "list", "elements": "str", "default": ["ascii_letters", "digits"]},
}


def check_text(value: Any, name: str, remedy: str) -> None:
    """Raise ValidationError unless this is a text or a whole number; the usual conversion would take anything."""
    if value is None or isinstance(value, (bool, float, list, tuple, dict)):
        raise ValidationError(f"{name} is not a text", remedy)


def made(recipe: Mapping[str, Any]) -> str:
    """Return a secret by a recipe whose options are complete; ValidationError for a bad one."""
    return generated(recipe["length"], [str(part) for part in recipe["alphabet"]])


def path_of(file: str, task_vars: Mapping[str, Any]) -> str:
    """Return the file's path; a relative one starts in the inventory's folder."""
    path = os.path.expanduser(file)
    if os.path.isabs(path):
        return path
    folder = str(task_vars.get("inventory_dir", ""))
    # Ansible says "None" for hosts given on the command line.
    if not os.path.isabs(folder):
        raise ValidationError(f"{file} is relative, and this inventory is in no folder", "Give the whole path.")
    return os.path.join(folder, path)


def shown(path: str, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """Return the result of a change; its difference names the variables and hides the values."""
    changed = {key: outcome for key, outcome in outcomes.items() if outcome.changed}
    if not changed:
        return {"changed": False}
    before = "".join(f"{key}: {HIDDEN}\n" for key, outcome in changed.items() if outcome.before is not None)
    after = "".join(
        f"{key}: {HIDDEN if outcome.before is None else CHANGED}\n"
        for key, outcome in changed.items()
        if outcome.after is not None
    )
    return {
        "changed": True,
        "diff": {"before_header": path, "after_header": path, "before": before, "after": after},
    }
