# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError, ValidationError
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.action import VaultAction
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.task import RECIPE, check_text, made, path_of, shown
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.value import read, remove, update, write
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.vault import Vault


class ActionModule(VaultAction):
    """Reads, writes or removes a variable."""

    SPEC: ClassVar[dict[str, Any]] = {
        "file": {"type": "str", "required": True},
        "key": {"type": "str", "required": True, "no_log": False},
        "value": {"type": "str", "no_log": True},
        "generate": {"type": "dict", "options": RECIPE},
        "regenerate": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "vault_id": {"type": "str", "default": ""},
    }
    EXCLUSIVE: ClassVar[list[tuple[str, ...]]] = [("value", "generate")]

    def done(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the options say, and return what came of it."""
        self._check_together(options)
        # ansible-core 2.19 tags texts: these are plain ones.
        path, key, vault_id = path_of(str(options["file"]), task_vars), str(options["key"]), str(options["vault_id"])
        place = (path, key)
        vault = Vault.of(self._loader)
        check = bool(self._task.check_mode)
        if options["state"] == "absent":
            return shown(path, {key: remove(*place, vault, vault_id, check=check)})
        if options["value"] is not None:
            return shown(path, {key: write(*place, str(options["value"]), vault, vault_id, check=check)})
        if not self._task.no_log:
            raise ValidationError("the value would be printed", "Set no_log: true on the task.")
        if options["generate"] is None:
            value = read(*place, vault, vault_id)
            if value is None:
                raise NotFoundError(f"{key} is not in {path}", "Correct file or key, or give value or generate.")
            return {"changed": False, "generated": False, "value": value}
        # Made first, so that a bad recipe shows at every run.
        new = made(options["generate"])
        keep = not options["regenerate"]
        outcome = update(*place, lambda old: old if old and keep else new, vault, vault_id, check=check)
        value = outcome.before if check else outcome.after
        known = {"value": value} if value else {}
        return {**shown(path, {key: outcome}), **known, "generated": outcome.changed}

    def check_arguments(self) -> None:
        """Raise ValidationError unless `value` is left out or a text; the usual conversion would take anything."""
        if "value" not in self._task.args:
            return
        value = self._task.args["value"]
        check_text(value, "value", "Quote it; leave it out to read what is there.")
        if str(value) == "":
            raise ValidationError(
                "value is empty", "Leave it out to read what is there, or use state absent to remove the variable."
            )

    def _check_together(self, options: Mapping[str, Any]) -> None:
        given = options["value"] is not None or options["generate"] is not None
        if options["state"] == "absent" and given:
            raise ValidationError("state absent takes neither value nor generate", "Leave it out.")
        if options["regenerate"] and options["generate"] is None:
            raise ValidationError("regenerate is for generate", "Give generate too.")
