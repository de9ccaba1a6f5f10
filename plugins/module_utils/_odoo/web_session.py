# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web client's own calls, for the few methods Odoo offers only within a session (14 to 19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core import errors
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import refusal
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import CONTEXT

IDENTITY_CHECK = "res.users.identitycheck"


class WebSession:
    """A session of one user, opened with the password; a user with a second factor cannot be used here."""

    def __init__(self, http: Http, database: str, login: str, password: str) -> None:
        self._http = http
        self._login = login
        self._password = password
        answer = self._post("authenticate", {"db": database, "login": login, "password": password})
        if not answer.get("uid"):
            raise errors.AuthenticationError(
                f"Odoo asks {login!r} for a second factor",
                "Make the API key in the user's preferences by hand, or use a user without it.",
            )
        self.uid = int(answer["uid"])

    def call(self, model: str, method: str, *args: Any, context: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        """Call a method with its arguments; ids come first where the method is one of records."""
        kwargs["context"] = {**CONTEXT, **(context or {})}
        return self._post("call_kw", {"model": model, "method": method, "args": list(args), "kwargs": kwargs})

    def confirmed(self, model: str, method: str, ids: Sequence[int]) -> Any:
        """Call a method that asks for the password again, and answer it."""
        result = self.call(model, method, list(ids))
        if not isinstance(result, dict) or result.get("res_model") != IDENTITY_CHECK:
            return result
        check = [result["res_id"]]
        # Up to 17 the password is a field of the question, later a value of the context.
        self.call(IDENTITY_CHECK, "write", check, {"password": self._password})
        return self.call(IDENTITY_CHECK, "run_check", check, context={"password": self._password})

    def _post(self, what: str, params: dict[str, Any]) -> Any:
        path = "/web/session/authenticate" if what == "authenticate" else "/web/dataset/call_kw"
        _status, answer = self._http.post_json(path, {"jsonrpc": "2.0", "id": 1, "method": "call", "params": params})
        if not isinstance(answer, dict) or "jsonrpc" not in answer:
            raise errors.ProtocolError(f"{self._http.base_url}{path} gave no JSON-RPC answer")
        if "error" not in answer:
            return answer.get("result")
        data = answer["error"].get("data") or {}
        message = str(data.get("message") or answer["error"].get("message"))
        if what == "authenticate" and str(data.get("name", "")).endswith("AccessDenied"):
            raise errors.AuthenticationError(
                f"Odoo refused the login {self._login!r} at {self._http.base_url}",
                "Check odoo_login and odoo_password: making an API key takes the password itself.",
            )
        called = f"{params['model']}.{params['method']}" if what == "call_kw" else "the login"
        raise refusal.missing_database(message, self._http.base_url) or refusal.explained(
            called, str(data.get("name", "")), message, [self._password], f"The user {self._login!r}"
        )
