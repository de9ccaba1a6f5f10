# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of a task that changes a vaulted file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError


class VaultAction(ActionBase):  # type: ignore[misc]
    """Works on the controller alone, where the vault passwords are; nothing is sent to the host."""

    TRANSFERS_FILES = False
    _requires_connection = False
    SPEC: ClassVar[dict[str, Any]] = {}
    EXCLUSIVE: ClassVar[list[tuple[str, ...]]] = []

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the task's result; what is wrong makes the task fail, and then nothing was written."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            self.check_arguments()
            _validation, options = self.validate_argument_spec(self.SPEC, mutually_exclusive=self.EXCLUSIVE)
            result.update(self.done(options, task_vars or {}))
        except MailopsError as error:
            result.update(failed=True, changed=False, error=error.kind, msg=f"{error.text()} Nothing was written.")
        return result

    def check_arguments(self) -> None:
        """Raise ValidationError for an argument that the usual conversion would take, whatever it is."""

    @abstractmethod
    def done(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the options say, and return what came of it; MailopsError if nothing was written."""
