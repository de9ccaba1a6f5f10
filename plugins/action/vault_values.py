# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.action import VaultAction
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.task import RECIPE, check_text, made, path_of, shown
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.value import Wanted, update_all
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.vault import Vault


class ActionModule(VaultAction):
    """Changes several variables in one write."""

    SPEC: ClassVar[dict[str, Any]] = {
        "file": {"type": "str", "required": True},
        "values": {"type": "dict", "no_log": True, "default": {}},
        "absent": {"type": "list", "elements": "str", "default": []},
        "generate": {"type": "dict", "default": {}},
        "expected": {"type": "dict", "no_log": True, "default": {}},
        "vault_id": {"type": "str", "default": ""},
    }

    def done(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the options say, and return what came of it."""
        changes, expected = _changes(options), _expected(options["expected"])
        path, vault_id = path_of(str(options["file"]), task_vars), str(options["vault_id"])
        check = bool(self._task.check_mode)
        if options["generate"] and not self._task.no_log:
            raise ValidationError("the values would be printed", "Set no_log: true on the task.")
        outcomes = update_all(path, changes, expected, Vault.of(self._loader), vault_id, check=check)
        result = {**shown(path, outcomes), "generated": sorted(n for n in options["generate"] if outcomes[n].changed)}
        if not self._task.no_log:
            return result
        known = {name: outcome.before if check else outcome.after for name, outcome in outcomes.items()}
        return {**result, "values": {name: value for name, value in known.items() if value is not None}}


def _changes(options: Mapping[str, Any]) -> dict[str, Wanted]:
    """Return what each variable shall be; ansible-core 2.19 tags texts, and these are plain ones."""
    for name, value in options["values"].items():
        check_text(value, f"values.{name}", "Quote it; name it in absent to remove it.")
    names = [str(name) for part in ("values", "absent", "generate") for name in options[part]]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise ValidationError(f"{', '.join(twice)}: given in more than one of values, absent, generate", "Leave one.")
    if not names:
        raise ValidationError("no variable is named", "Give values, absent or generate.")
    given: dict[str, Wanted] = {str(name): str(value) for name, value in options["values"].items()}
    return (
        given
        | dict.fromkeys(map(str, options["absent"]))
        | {str(name): _unless_there(made(_recipe(str(name), recipe))) for name, recipe in options["generate"].items()}
    )


def _unless_there(new: str) -> Callable[[str | None], str | None]:
    return lambda before: before or new


def _recipe(name: str, given: Any) -> Mapping[str, Any]:
    """Return a recipe with its defaults."""
    if not isinstance(given, (dict, type(None))):
        raise ValidationError(f"generate.{name} is no dictionary", "Give length and alphabet, or {} for the defaults.")
    checked = ArgumentSpecValidator(RECIPE).validate(dict(given or {}))
    if checked.error_messages:
        raise ValidationError(f"generate.{name}: {'; '.join(checked.error_messages)}")
    recipe: Mapping[str, Any] = checked.validated_parameters
    return recipe


def _expected(given: Mapping[str, Any]) -> dict[str, str | None]:
    for name, value in given.items():
        if value is not None:
            check_text(value, f"expected.{name}", "Quote it; null means that it is not there.")
    return {str(name): None if value is None else str(value) for name, value in given.items()}
