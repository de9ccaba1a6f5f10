# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Odoo's JSON-RPC (`/jsonrpc`), 14 to 19, with a password or an API key in its place.

An error comes as HTTP 200 with `error.data.name` (the Python exception's full name) and `error.data.message`;
`error.code` is 200 up to 18 and 0 on 19 (both seen), so it is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ansible_collections.mailops.odoo.plugins.module_utils._core import errors
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import refusal
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import CONTEXT, Domain
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.version import series

# The page of Werkzeug, Odoo's web library, for an exception that nobody caught. nginx writes its own differently.
UNCAUGHT = "<title>500 Internal Server Error</title> <h1>Internal Server Error</h1>"


class JsonRpcClient:
    """Logs in once, at the first call that needs it."""

    def __init__(self, http: Http, database: str, login: str, password: str) -> None:
        self.database = database
        self._http = http
        self._login = login
        self._password = password
        self._uid: int | None = None
        self._calls = 0
        self._chosen = False

    def version(self) -> str:
        """Return the series, such as `19.0`; needs no login."""
        return series(self._http)

    def fields_get(self, model: str) -> dict[str, dict[str, Any]]:
        """Return field name → {type, selection, relation, readonly} of a model."""
        wanted = ["type", "selection", "relation", "readonly"]
        result: dict[str, dict[str, Any]] = self._execute(model, "fields_get", [], {"attributes": wanted})
        return result

    def search_read(self, model: str, domain: Domain, fields: Sequence[str]) -> list[dict[str, Any]]:
        """Return the matching records, ordered by id."""
        kwargs = {"domain": list(domain), "fields": list(fields), "order": "id"}
        result: list[dict[str, Any]] = self._execute(model, "search_read", [], kwargs)
        return result

    def create(self, model: str, records: Sequence[Mapping[str, Any]]) -> list[int]:
        """Create records in one call; return their ids."""
        result: list[int] = self._execute(model, "create", [list(records)], {})
        return result

    def write(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> None:
        """Write the same values to all these records in one call."""
        self._execute(model, "write", [list(ids), dict(values)], {})

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        """Delete records in one call."""
        self._execute(model, "unlink", [list(ids)], {})

    def call(self, model: str, method: str, ids: Sequence[int], **kwargs: Any) -> Any:
        """Call a method of records (or of the model, with no ids)."""
        # It may commit midway, as sending mail does, so it must not come to being called again.
        self._choose_database()
        return self._execute(model, method, [list(ids)] if ids else [], kwargs)

    def _execute(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        context = {**CONTEXT, **kwargs.pop("context", {})}
        if self._uid is None:
            self._uid = self._authenticate()
        call = (self.database, self._uid, self._password, model, method, args, {**kwargs, "context": context})
        try:
            return self._service("object", "execute_kw", *call)
        except errors.ProtocolError as error:
            if UNCAUGHT not in error.message or not self._choose_database():
                raise
        return self._service("object", "execute_kw", *call)

    def _choose_database(self) -> bool:
        """Tie the session to the database; return whether that is new.

        An Odoo 14 with several databases (seen) answers a refusal with a bare 500 unless it knows by the session which
        database is meant. A refused read, creation, write or deletion was rolled back, so it may be made again to hear
        why.
        """
        first, self._chosen = not self._chosen, True
        return first and self._http.visit(f"/web/login?db={quote(self.database)}")

    def _authenticate(self) -> int:
        uid = self._service("common", "authenticate", self.database, self._login, self._password, {})
        if not uid:
            raise errors.AuthenticationError(
                f"Odoo refused the login {self._login!r} on database {self.database!r} at {self._http.base_url}",
                "Check odoo_login and odoo_password (a password, or an API key of that user).",
            )
        return int(uid)

    def _service(self, service: str, method: str, *args: Any) -> Any:
        self._calls += 1
        body = {
            "jsonrpc": "2.0",
            "id": self._calls,
            "method": "call",
            "params": {"service": service, "method": method, "args": args},
        }
        status, answer = self._http.post_json("/jsonrpc", body)
        if not isinstance(answer, dict) or "jsonrpc" not in answer:
            raise errors.ProtocolError(
                f"{self._http.base_url}/jsonrpc answered HTTP {status} with JSON that is no JSON-RPC answer",
                "Check that the URL is Odoo's.",
            )
        if "error" in answer:
            what = f"{args[3]}.{args[4]}" if service == "object" else method
            raise self._error(what, answer["error"])
        # 19 leaves out the result of a method that returns nothing (seen with mail.mail.send).
        return answer.get("result")

    def _error(self, what: str, error: Mapping[str, Any]) -> errors.MailopsError:
        data = error.get("data") or {}
        if data.get("name") == "werkzeug.exceptions.NotFound":
            # So 14 answers for a path it does not have; 19 answers with a page.
            return errors.ProtocolError(
                f"{self._http.base_url}/jsonrpc answered that there is no such page",
                "Check that the URL is Odoo's.",
                404,
            )
        message = str(data.get("message") or error.get("message"))
        return refusal.missing_database(message, self._http.base_url) or refusal.explained(
            what, str(data.get("name", "")), message, [self._password], f"The user {self._login!r}"
        )
