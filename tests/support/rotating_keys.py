# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of an inventory whose API keys are rotated: of Odoo, and of Mailgun."""

from __future__ import annotations

from typing import Any

from support.machines import Odoo
from support.modules import run_module


class Case:
    """A host of the inventory: the user of an Odoo with its password and its keys."""

    def __init__(self, name: str, odoo: Odoo, keys: tuple[str, ...], password: bool = True) -> None:
        self.name, self.odoo = name, odoo
        field = "group_ids" if odoo.name == "odoo" else "groups_id"
        named = [["module", "=", "base"], ["name", "in", ["group_user", "group_system"]]]
        groups = [record["res_id"] for record in odoo.call("ir.model.data", "search_read", named, ["res_id"])]
        user = {"name": name, "login": name, "password": f"canary-{name}-password", field: [[6, 0, groups]]}
        odoo.call("res.users", "create", user)
        self.with_password = {
            **{key: value for key, value in odoo.connection().items() if key != "odoo_api_key"},
            "odoo_login": name,
            "odoo_password": f"canary-{name}-password",
        }
        self.made = [self.make(key) for key in keys]
        self.connection = {**self.with_password, "odoo_api_key": f"{{{{ vault_{name} }}}}"}
        if not password:
            del self.connection["odoo_password"]

    def make(self, name: str) -> str:
        """Make a key of this name."""
        made = run_module("odoo_api_key", {**self.with_password, "name": name}, no_log=True)
        return str(made["api_key"])

    def takes(self, key: str) -> bool:
        """Tell whether Odoo takes a key."""
        connection = {**self.with_password, "odoo_password": "", "odoo_api_key": key}
        return "records" in run_module("mail_server_info", connection)

    def named(self) -> list[str]:
        """Return the names of the user's keys."""
        domain = [["user_id.login", "=", self.name]]
        return sorted(key["name"] for key in self.odoo.call("res.users.apikeys", "search_read", domain, ["name"]))


def account(name: str) -> dict[str, Any]:
    """Return the variables of a host whose policy has a Mailgun account with the API key `vault_<name>`."""
    given = {"provider": "mailgun", "api_key": f"{{{{ vault_{name} }}}}", "domains": [{"name": "mg.acme.example"}]}
    return {"mail_policy": {"version": 1, "odoo": {}, "providers": [given]}}
