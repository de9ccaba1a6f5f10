# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API keys of a user: proved by using them, made and removed with the user's password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import AuthenticationError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.web_session import WebSession

KEYS = "res.users.apikeys"
WIZARD = "res.users.apikeys.description"


def works(params: Mapping[str, Any]) -> bool:
    """Whether Odoo accepts the connection's API key, tried with one harmless call."""
    if not params["odoo_api_key"]:
        return False
    try:
        connect(params).call("res.users", "context_get", [])
    except AuthenticationError:
        return False
    return True


def refuse_without_password(params: Mapping[str, Any]) -> None:
    """Raise ValidationError if the connection has no login and password."""
    if not params["odoo_login"] or not params["odoo_password"]:
        raise ValidationError("odoo_login and odoo_password are needed", "Only a password makes an API key.")


class Keys:
    """The keys of the user whose password is given."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        refuse_without_password(params)
        http = Http(params["odoo_url"], params["odoo_ca_file"], params["odoo_timeout"])
        self._web = WebSession(http, params["odoo_database"], params["odoo_login"], params["odoo_password"])

    def ids(self, name: str) -> list[int]:
        """Return the ids of the user's keys with this name."""
        domain = [("user_id", "=", self._web.uid), ("name", "=", name)]
        found: list[int] = self._web.call(KEYS, "search", domain)
        return found

    def make(self, name: str) -> str:
        """Make a key that does not expire; only its maker ever sees it."""
        values: dict[str, Any] = {"name": name}
        # From 18 on a key made without saying so lives for a day.
        if "duration" in self._web.call(WIZARD, "fields_get", ["duration"]):
            values["duration"] = "0"
        wizard = self._web.call(WIZARD, "create", [values])
        shown = self._web.confirmed(WIZARD, "make_key", wizard)
        return str(shown["context"]["default_key"])

    def remove(self, ids: list[int]) -> None:
        """Remove keys."""
        self._web.confirmed(KEYS, "remove", ids)
