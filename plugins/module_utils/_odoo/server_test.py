# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Odoo's own connection test of outgoing servers, and undoing a change that fails it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import redact_text
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import oauth
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooSide
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.server_guards import MODEL, active_after

# A change of these alone says nothing new to the provider.
BESIDE_THE_POINT = {"name", "sequence", "max_email_size", "smtp_debug"}
SECRETS = ("smtp_pass", "smtp_ssl_private_key", *(service.consent for service in oauth.SERVICES.values()))


class ServerTest:
    """One module's tests: `results` says of each server `{name, result, message}`.

    A server that is archived is not tested, nor one that waits for consent to OAuth. Failures end up in the outcome.
    """

    def __init__(self, client: OdooClient, side: OdooSide, outcome: Outcome) -> None:
        self.results: list[dict[str, Any]] = []
        self._client = client
        self._side = side
        self._outcome = outcome
        self._tested: set[int] = set()

    def changed(self) -> None:
        """Test what was changed. What fails is put back, and taken out of what was applied."""
        for change in list(self._outcome.applied):
            if not active_after(change) or (change.action == "update" and not change.values.keys() - BESIDE_THE_POINT):
                continue
            problem = self._problem(change.id, {**change.before, **change.values}, change.before)
            if problem:
                self._failed(change, f"{problem} {self._put_back(change)}")

    def others(self, items: Sequence[Record]) -> None:
        """Test those of the servers that were not tested yet; nothing is put back."""
        try:
            found = self._side.load(items).current
        except MailopsError as error:
            error.message = f"The servers could not be read, so those not changed were not tested: {error.message}"
            self._outcome.error = self._outcome.error or error
            return
        for record in found:
            if record.id not in self._tested and record.values["active"]:
                problem = self._problem(record.id, record.values, {})
                if problem:
                    self._failed(None, f"mail server {record.values['name']}: {problem} It is as it was.")

    def _problem(self, number: int, values: Mapping[str, Any], before: Mapping[str, Any]) -> str:
        """Return what Odoo says is wrong with a server, or nothing."""
        self._tested.add(number)
        if oauth.lacks_consent(values):
            self.results.append({"name": values["name"], "result": "skipped", "message": "it waits for consent"})
            return ""
        try:
            self._client.call(MODEL, "test_smtp_connection", [number])
        except MailopsError as error:
            secrets = [record.get(name) for record in (values, before) for name in SECRETS]
            told = redact_text(error.message.rstrip("."), secrets)
            self.results.append({"name": values["name"], "result": "failed", "message": told})
            return f"Odoo's connection test ({_way(values)}) failed: {told}."
        self.results.append({"name": values["name"], "result": "passed", "message": ""})
        return ""

    def _put_back(self, change: Change) -> str:
        """Undo a change; return what became of it, as a sentence."""
        try:
            if change.action == "create":
                self._side.delete([change.id])
                done = "The new record was deleted again."
            else:
                self._side.write([change.id], {name: change.before.get(name) for name in change.values})
                done = "The former values were put back."
        except MailopsError as error:
            return f"Putting it back failed too, so it is as changed: {error.message.rstrip('.')}."
        self._outcome.applied = [other for other in self._outcome.applied if other is not change]
        return done

    def _failed(self, change: Change | None, message: str) -> None:
        """Add a failure to the outcome, whatever failed before."""
        outcome = self._outcome
        if outcome.error is None:
            outcome.failed = change
            outcome.error = ValidationError(
                message, "Correct it, or say test: never if Odoo cannot reach it from here."
            )
            return
        name = f"mail server {change.name}: " if change else ""
        outcome.error.message = f"{outcome.error.message.rstrip('.')}. Also, {name}{message.rstrip('.')}"


def _way(values: Mapping[str, Any]) -> str:
    """Return how the server is reached, without secrets."""
    if values.get("smtp_authentication") == "cli":
        return "by the SMTP server of odoo.conf"
    user = f", user {values['smtp_user']}" if values.get("smtp_user") else ""
    return f"{values.get('smtp_host')}:{values.get('smtp_port')}, encryption {values.get('encryption')}{user}"
