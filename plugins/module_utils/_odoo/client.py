# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one interface to Odoo's external API, whatever the protocol behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.version import major, series

Domain = Sequence[Any]
# English error texts whatever the user's language; archived records count as existing.
CONTEXT = {"lang": "en_US", "active_test": False}
FIRST_WITH_JSON2 = 19


class OdooClient(Protocol):
    """What the collection asks of an Odoo database. Every method may raise a MailopsError.

    Archived records count as existing: reads set `active_test` to false.
    """

    database: str

    def version(self) -> str:
        """Return the series, such as `19.0`."""

    def fields_get(self, model: str) -> dict[str, dict[str, Any]]:
        """Return field name → {type, selection, relation, …} of a model."""

    def search_read(self, model: str, domain: Domain, fields: Sequence[str]) -> list[dict[str, Any]]:
        """Return the matching records, ordered by id; many2one values are `[id, display name]` or false."""

    def create(self, model: str, records: Sequence[Mapping[str, Any]]) -> list[int]:
        """Create records in one call; return their ids."""

    def write(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> None:
        """Write the same values to all these records in one call."""

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        """Delete records in one call."""

    def call(self, model: str, method: str, ids: Sequence[int], **kwargs: Any) -> Any:
        """Call a method of records (or of the model, with no ids)."""


def connection_spec() -> dict[str, dict[str, Any]]:
    """Return the argument spec of the connection; the doc fragment `mailops.odoo.connection` describes it."""
    from ansible.module_utils.basic import env_fallback

    def environment(name: str) -> dict[str, Any]:
        return {"fallback": (env_fallback, [name])}

    return {
        "odoo_url": {"type": "str", "required": True, **environment("ODOO_URL")},
        "odoo_database": {"type": "str", "required": True, **environment("ODOO_DATABASE")},
        "odoo_login": {"type": "str", **environment("ODOO_LOGIN")},
        "odoo_password": {"type": "str", "no_log": True, **environment("ODOO_PASSWORD")},
        "odoo_api_key": {"type": "str", "no_log": True, **environment("ODOO_API_KEY")},
        "odoo_protocol": {"type": "str", "choices": ["auto", "jsonrpc", "json2"], "default": "auto"},
        "odoo_ca_file": {"type": "path", **environment("ODOO_CA_FILE")},
        "odoo_timeout": {"type": "int", "default": 60},
        "odoo_snapshot": {"type": "path"},
    }


def connect(params: Mapping[str, Any]) -> OdooClient:
    """Return a client for the connection options of a module.

    With an API key and the protocol left to us the server is asked for its version; otherwise nothing is sent before
    the first call. Raises ValidationError for options that do not go together.
    """
    from ansible_collections.mailops.odoo.plugins.module_utils._odoo.json2 import Json2Client
    from ansible_collections.mailops.odoo.plugins.module_utils._odoo.jsonrpc import JsonRpcClient

    http = Http(params["odoo_url"], params["odoo_ca_file"], params["odoo_timeout"])
    key, login = params["odoo_api_key"], params["odoo_login"]
    if _speaks_json2(params["odoo_protocol"], key, http):
        return Json2Client(http, params["odoo_database"], key)
    secret = key or params["odoo_password"]
    if not secret:
        raise ValidationError(
            "no way to log in to Odoo is given", "Give odoo_api_key, or odoo_login and odoo_password."
        )
    if not login:
        raise ValidationError("odoo_login is missing", "JSON-RPC needs the login of the password's or key's user.")
    return JsonRpcClient(http, params["odoo_database"], login, secret)


def _speaks_json2(protocol: str, key: str | None, http: Http) -> bool:
    if protocol == "json2" and not key:
        raise ValidationError("odoo_protocol json2 needs odoo_api_key", "The module odoo_api_key makes one.")
    if protocol == "auto":
        return bool(key) and major(series(http)) >= FIRST_WITH_JSON2
    return protocol == "json2"
