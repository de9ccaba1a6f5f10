# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one interface to Odoo's external API, whatever the protocol behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http

Domain = Sequence[Any]


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
        "odoo_login": {"type": "str", "required": True, **environment("ODOO_LOGIN")},
        "odoo_password": {"type": "str", "required": True, "no_log": True, **environment("ODOO_PASSWORD")},
        "odoo_ca_file": {"type": "path", **environment("ODOO_CA_FILE")},
        "odoo_timeout": {"type": "int", "default": 60},
    }


def connect(params: Mapping[str, Any]) -> OdooClient:
    """Return a client for the connection options of a module; nothing is sent before the first call."""
    from ansible_collections.mailops.odoo.plugins.module_utils._odoo.jsonrpc import JsonRpcClient

    http = Http(params["odoo_url"], params["odoo_ca_file"], params["odoo_timeout"])
    return JsonRpcClient(http, params["odoo_database"], params["odoo_login"], params["odoo_password"])
