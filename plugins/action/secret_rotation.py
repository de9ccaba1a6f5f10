# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, ClassVar

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._rotation import state
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import (
    GENERATED,
    KINDS,
    PAIR,
    STRATEGIES,
    Secret,
)
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.steps import remaining
from ansible_collections.mailops.odoo.plugins.plugin_utils._rotation.process import lives, this_run
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.action import VaultAction
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.recipe import generated
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.task import check_text, path_of, shown
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.value import read_all, update_all
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.vault import Vault

# As many letters and digits as Mailgun takes; they mean nothing to any file that a token is written into.
LENGTH, ALPHABET = 32, ("ascii_letters", "digits")


class ActionModule(VaultAction):
    """Moves a rotation on by a step."""

    SPEC: ClassVar[dict[str, Any]] = {
        "secret": {"type": "dict", "required": True, "no_log": False},
        "move": {
            "type": "str",
            "choices": ["look", "begin", "made", "switch", "finish", "undo"],
            "default": "look",
        },
        "value": {"type": "str", "no_log": True},
        "take_over": {"type": "bool", "default": False},
        "known": {"type": "dict", "no_log": True, "default": {}},
        "vault_id": {"type": "str", "default": ""},
    }

    def check_arguments(self) -> None:
        """Raise ValidationError for a value that is not a text."""
        if self._task.args.get("value") is not None:
            check_text(self._task.args["value"], "value", "Quote it.")

    def done(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the options say, and return what came of it."""
        move = str(options["move"])
        if (move == "made") != (options["value"] is not None):
            raise ValidationError("value is for the move made", "Give both, or neither.")
        secret = _secret(options["secret"])
        path, vault_id = path_of(secret.file, task_vars), str(options["vault_id"])
        vault, check = Vault.of(self._loader), bool(self._task.check_mode)
        held = read_all(path, secret.variables.all(), vault, vault_id)
        state.check_known(held, {str(name): str(value or "") for name, value in options["known"].items()})
        write = _write(secret, held, options)
        if write is None:
            return {"changed": False, **self._told(secret, held)}
        outcomes = update_all(path, write.changes, write.expected, vault, vault_id, check=check)
        after = held if check else state.applied(held, write)
        return {**shown(path, outcomes), **self._told(secret, after)}

    def _told(self, secret: Secret, held: state.Held) -> dict[str, Any]:
        names, found = secret.variables, state.rotation(secret, held)
        told: dict[str, Any] = {
            "phase": state.phase(secret, held),
            "active": state.active(secret, held),
            "next_active": state.next_active(secret, held),
            "former": held.get(names.former) or "",
            "by_hand": state.by_administrator(secret, held),
            "rotated": held.get(names.rotated) or "",
            "by": str(found or ""),
            "in_force": state.in_force(secret, held),
            "steps": remaining(secret, held),
        }
        if self._task.no_log:
            told["current"] = held.get(names.current) or ""
            told["next"] = held.get(names.next) or ""
            told["previous"] = held.get(names.previous) or ""
        return told


def _secret(given: Mapping[str, Any]) -> Secret:
    """Return the secret that the option names; what a move has no need of is left out."""
    texts = {key: str(given.get(key) or "") for key in ("name", "kind", "file", "strategy", "base")}
    texts["strategy"] = texts["strategy"] or PAIR
    for key, values in (("kind", KINDS), ("strategy", STRATEGIES)):
        if texts[key] not in values:
            raise ValidationError(f"secret.{key} is {texts[key]!r}, and none of {', '.join(values)}")
    for key in ("name", "file"):
        if not texts[key]:
            raise ValidationError(f"secret.{key} is missing", "Give secret as the filter mail_secrets returns it.")
    return Secret(**texts, places=(), about=dict(given.get("about") or {}))


def _write(secret: Secret, held: state.Held, options: Mapping[str, Any]) -> state.Write | None:
    """Return what the move writes, None for nothing."""
    me, now, move = this_run(), datetime.now(timezone.utc), str(options["move"])
    if move == "look":
        return None
    if move == "begin":
        return _begin(secret, held, me, now, bool(options["take_over"]))
    if move == "made":
        return state.made(secret, held, me, str(options["value"]))
    if move == "switch":
        return state.switch(secret, held, me, now)
    return state.finish(secret, held, me) if move == "finish" else state.undo(secret, held, me)


def _begin(secret: Secret, held: state.Held, me: state.Run, now: datetime, take_over: bool) -> state.Write | None:
    """Begin, or carry on with what has begun; nothing is written for one that is this run's already."""
    value = generated(LENGTH, ALPHABET) if secret.kind in GENERATED else None
    at, found = state.phase(secret, held), state.rotation(secret, held)
    if at in (state.IDLE, state.OFFERED):
        return state.begin(secret, held, me, now, value)
    if found:
        state.check_free(found, me, found.by.host == me.host and lives(found.by), now, take_over)
        if found.by == me and not (at == state.BEGUN and value):
            return None
    return state.take(secret, held, me, now, value)
