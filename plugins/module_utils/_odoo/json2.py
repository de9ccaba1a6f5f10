# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Odoo's JSON-2 (`/json/2/<model>/<method>`), 19 and later, with an API key; each call is one transaction.

Arguments are named as in the method's signature. An error has a status of 400 or more and
`{name, message, arguments, context, debug}`; a database that does not exist is an HTML 404.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core import errors
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import refusal
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import CONTEXT, Domain
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.version import series

# What both a key and a database's name are made of. Anything else could not be sent, and requests quotes it.
SENDABLE = re.compile(r"[!-~]+")


class Json2Client:
    """Sends the key with every call; there is no login.

    Raises AuthenticationError or NotFoundError for a key or a database that cannot be one.
    """

    def __init__(self, http: Http, database: str, key: str) -> None:
        if not SENDABLE.fullmatch(key):
            raise errors.AuthenticationError(
                "odoo_api_key cannot be an API key: it has a space, a line break or a letter that is not ASCII in it",
                "In YAML, write a key without the | of a text of several lines.",
            )
        if not SENDABLE.fullmatch(database):
            raise refusal.no_database(http.base_url, database)
        self.database = database
        self._http = http
        self._key = key
        self._headers = {"Authorization": f"bearer {key}", "X-Odoo-Database": database}

    def version(self) -> str:
        """Return the series, such as `19.0`; needs no key."""
        return series(self._http)

    def fields_get(self, model: str) -> dict[str, dict[str, Any]]:
        """Return field name → {type, selection, relation, readonly} of a model."""
        wanted = ["type", "selection", "relation", "readonly"]
        result: dict[str, dict[str, Any]] = self.call(model, "fields_get", [], attributes=wanted)
        return result

    def search_read(self, model: str, domain: Domain, fields: Sequence[str]) -> list[dict[str, Any]]:
        """Return the matching records, ordered by id."""
        result: list[dict[str, Any]] = self.call(
            model, "search_read", [], domain=list(domain), fields=list(fields), order="id"
        )
        return result

    def create(self, model: str, records: Sequence[Mapping[str, Any]]) -> list[int]:
        """Create records in one call; return their ids."""
        result: list[int] = self.call(model, "create", [], vals_list=list(records))
        return result

    def write(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> None:
        """Write the same values to all these records in one call."""
        self.call(model, "write", ids, vals=dict(values))

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        """Delete records in one call."""
        self.call(model, "unlink", ids)

    def call(self, model: str, method: str, ids: Sequence[int], **kwargs: Any) -> Any:
        """Call a method of records (or of the model, with no ids)."""
        body: dict[str, Any] = {**kwargs, "context": {**CONTEXT, **kwargs.get("context", {})}}
        if ids:
            body["ids"] = list(ids)
        try:
            status, answer = self._http.post_json(f"/json/2/{model}/{method}", body, self._headers)
        except errors.ProtocolError as error:
            if error.status == 404:
                raise refusal.no_database(self._http.base_url, self.database) from None
            raise
        if status < 400:
            return answer
        raise self._error(f"{model}.{method}", status, answer)

    def _error(self, what: str, status: int, answer: Any) -> errors.MailopsError:
        if not isinstance(answer, dict) or "name" not in answer:
            return errors.ProtocolError(f"{self._http.base_url} answered {what} with HTTP {status} and no Odoo error")
        if status == 401:
            return errors.AuthenticationError(
                f"Odoo refused the API key on database {self.database!r} at {self._http.base_url}",
                "Check odoo_api_key: it may have expired or been removed.",
            )
        return refusal.explained(what, answer["name"], answer.get("message"), [self._key], "The API key's user")
