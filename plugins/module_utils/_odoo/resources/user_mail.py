# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user (`res.users`) has to do with mail."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, OdooSide
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.standing import Standing, email_from_wire
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.store import OdooStore

ODOOBOT = "__system__"


def login(value: str) -> str:
    """Return a user's login as Odoo has it; OdooBot may be called by its name."""
    return ODOOBOT if value.strip().lower() == "odoobot" else value.strip()


def called(login: str) -> str:
    """Return what people call the user with this login."""
    return "OdooBot" if login == ODOOBOT else login


class UserMail(Standing):
    """A user is named by the login; OdooBot's is archived."""

    def open(self, client: OdooClient) -> OdooSide:
        """Return the store, which spares placeholders a mail."""
        return UserStore(client, self)

    def exported(self, record: Record, known: Known) -> Record | None:
        """Leave out who only has the portal: there may be thousands."""
        return None if record["share"] else super().exported(record, known)

    def remarks(self, client: OdooClient, desired: Sequence[Record], current: Sequence[Existing]) -> list[str]:
        """Warn of placeholders: those that are given, and those Odoo gave its administrator and OdooBot."""
        domain = [("module", "=", "base"), ("name", "in", ["user_root", "user_admin"])]
        own = {record["res_id"] for record in client.search_read("ir.model.data", domain, ["res_id"])}
        given = {item["login"]: item for item in desired}
        warnings = []
        for record in current:
            item = given.get(record.values["login"], {})
            email = item.get("email", record.values["email"])
            if addresses.is_placeholder(email) and ("email" in item or record.id in own):
                warnings.append(
                    f"user {called(record.values['login'])}: its e-mail address is {email or 'empty'}, no real one; "
                    "Odoo sends mail in its name"
                )
        return warnings


class UserStore(OdooStore):
    """Writes a first real address where Odoo keeps it, on the partner.

    Written on the user, Odoo (seen on 19) mails the former address about it, a placeholder included: a sure bounce.
    """

    def write(self, ids: Sequence[int], values: Record) -> None:
        """Write the same values to all the users in one call."""
        if set(values) == {"email"}:
            users = self._client.search_read("res.users", [("id", "in", list(ids))], ["email", "partner_id"])
            if all(addresses.is_placeholder(user["email"]) for user in users):
                self._client.write("res.partner", [user["partner_id"][0] for user in users], self._encode(values))
                return
        super().write(ids, values)


USER_MAIL = UserMail(
    model="res.users",
    label="user",
    plural="users",
    key=("login",),
    fields=(
        Field("login", normalize=login),
        Field("email", normalize=addresses.address, from_wire=email_from_wire),
        Field("notification_type", choices=("email", "inbox")),
        Field("share", "bool", internal=True),
    ),
)
