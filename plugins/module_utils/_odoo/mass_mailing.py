# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Email Marketing's dedicated server: two system parameters that only work together (mass_mailing, 14 to 19)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, plan
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource, OdooSide

# The policy's key.
KEY = "mass_mailing_server"
ENABLED = "mass_mailing.outgoing_mail_server"
SERVER = "mass_mailing.mail_server_id"
# The parameters as plain records: what holds for others of them is no matter here.
PARAMETER = OdooResource(
    model="ir.config_parameter",
    label="system parameter",
    plural="system_parameters",
    key=("key",),
    fields=(Field("key"), Field("value", required=True)),
)


def parameters(server: int | str) -> list[Record]:
    """Return the parameters as Odoo's settings write them; `server` is the id."""
    return [{"key": ENABLED, "value": "True"}, {"key": SERVER, "value": str(server)}]


def is_chosen(server: int, values: Mapping[str, Any]) -> bool:
    """Whether mailings leave by the server with this id; `values` are the system parameters by key."""
    return all(values.get(item["key"]) == item["value"] for item in parameters(server))


def plan_server(client: OdooClient, name: str | None, check_mode: bool) -> tuple[OdooSide, list[Change], list[str]]:
    """Return where the parameters are, the changes after which mailings leave by the server, and warnings.

    Without a name they leave like any other mail. In check mode a server that is not there is taken for granted.
    Raises as `server_id` does, and NotFoundError for a server that is not there.
    """
    number: int | str | None = server_id(client, name) if name else ""
    warnings = []
    if number is None:
        missing = f"this Odoo has no mail server {name!r}"
        if not check_mode:
            raise NotFoundError(missing, "Make it first (mail_server).")
        warnings.append(f"{missing}; check mode takes it for granted that the run would have created it")
        number = "the new server's id"
    side = PARAMETER.open(client)
    loaded = side.load(parameters(number))
    return side, plan(PARAMETER, loaded.desired, loaded.current, absent=not name), warnings


def server_id(client: OdooClient, name: str) -> int | None:
    """Return the id of the server that mailings are to leave by; None if there is none of that name.

    Reads: whether Email Marketing is there, and the server. Raises NotFoundError without Email Marketing, ConflictError
    for several of the name, ValidationError for a server that cannot be used.
    """
    if not client.search_read("ir.model", [("model", "=", "mailing.mailing")], ["model"]):
        raise NotFoundError("this Odoo has no Email Marketing", "Install its app mass_mailing first (odoo_module).")
    fields = ["active", *({"owner_user_id"} & client.fields_get("ir.mail_server").keys())]
    found = client.search_read("ir.mail_server", [("name", "=", name)], fields)
    if len(found) > 1:
        ids = ", ".join(str(record["id"]) for record in found)
        raise ConflictError(f"mail server {name!r} exists {len(found)} times (ids {ids})", "Rename all but one.")
    for record in found:
        if not record["active"]:
            raise ValidationError(f"mail server {name!r} is archived, and Odoo would send by another one")
        if record.get("owner_user_id"):
            raise ValidationError(f"mail server {name!r} belongs to {record['owner_user_id'][1]} alone")
        return int(record["id"])
    return None
