# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge's back ends in the test's own process, and what they need in a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import apikeys
from odoo_lmtp_bridge.config import Database
from odoo_lmtp_bridge.message import with_trace
from odoo_lmtp_bridge.odoo import Backend, Result
from odoo_lmtp_bridge.rpc import RpcBackend

from support.machines import Odoo

DOMAIN = "acme.example"
# Together the least that the back end rpc needs where aliases make leads and Email Marketing is installed.
SETTINGS = "base.group_system"
ALL_LEADS = "sales_team.group_sale_salesman_all_leads"
MAILINGS = "mass_mailing.group_mass_mailing_user"


def group_field(odoo: Odoo) -> str:
    """Return the name of the field with a user's groups."""
    return "groups_id" if odoo.name == "odoo14" else "group_ids"


def rpc_user(odoo: Odoo, login: str, *groups: str) -> tuple[str, str]:
    """Make an internal user with these groups; return its login and an API key."""
    ids = []
    for group in ("base.group_user", *groups):
        module, name = group.split(".")
        domain = [("module", "=", module), ("name", "=", name)]
        (found,) = odoo.call("ir.model.data", "search_read", domain, ["res_id"])
        ids.append(found["res_id"])
    values = {"name": login, "login": login, "email": f"{login}@internal.example", group_field(odoo): [(6, 0, ids)]}
    user = odoo.call("res.users", "create", values)
    key = apikeys.made()
    odoo.sql(apikeys.statement(key, "bridge", user))
    return login, key


def lead_model(odoo: Odoo) -> int:
    """Return the id of the model crm.lead."""
    (model,) = odoo.call("ir.model", "search", [("model", "=", "crm.lead")])
    return int(model)


def alias_domain(odoo: Odoo, name: str = DOMAIN) -> int:
    """Make the alias domain, which is in parameters before Odoo 17; return its id, or 0."""
    if odoo.name != "odoo14":
        return int(odoo.call("mail.alias.domain", "create", {"name": name}))
    for key, value in {"domain": name, "alias": "catchall"}.items():
        odoo.call("ir.config_parameter", "set_param", f"mail.catchall.{key}", value)
    odoo.call("ir.config_parameter", "set_param", "mail.bounce.alias", "bounce")
    return 0


def alias(odoo: Odoo, name: str, **values: object) -> int:
    """Make an alias for leads; return its id."""
    return int(odoo.call("mail.alias", "create", {"alias_name": name, "alias_model_id": lead_model(odoo), **values}))


def database(odoo: Odoo, backend: str = "addon", login: str | None = None) -> Database:
    """Return the bridge's configuration of this database."""
    ca_file = Path(odoo.ca_file) if odoo.url.startswith("https:") else None
    return Database("prod", odoo.url, odoo.database, ca_file, backend, login)


@asynccontextmanager
async def rpc_backend(odoo: Odoo, user: tuple[str, str]) -> AsyncIterator[RpcBackend]:
    """Yield the back end rpc as a user, given by login and key."""
    backend = RpcBackend(database(odoo, "rpc", user[0]), (user[1],), 8)
    try:
        yield backend
    finally:
        await backend.close()


async def post(backend: Backend, content: bytes, *recipients: str) -> list[Result]:
    """Hand a message to Odoo, as the bridge does it."""
    return await backend.post(
        with_trace(content, "customer@customer.example", recipients), "customer@customer.example", recipients
    )


def codes(results: Sequence[Result]) -> list[int]:
    """Return the codes of the replies."""
    return [result.reply.code for result in results]
