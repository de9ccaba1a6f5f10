# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Allowed senders: `mail.gateway.allowed` (16 and later), to whom the gateway's loop limits do not apply."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Loaded, OdooResource, OdooSide
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.store import OdooStore


class AllowedSender(OdooResource):
    """An allowed sender is nothing but an address, found by the form in which Odoo compares it."""

    def open(self, client: OdooClient) -> OdooSide:
        """Return the store, which writes the address that Odoo then normalises."""
        return AllowedSenderStore(client, self)


class AllowedSenderStore(OdooStore):
    """Looks for the normalised address, which Odoo computes, and writes the plain one."""

    def load(self, items: Sequence[Record], *, every: bool = False, check_mode: bool = False) -> Loaded:
        """Read the senders; NotFoundError where this Odoo has none."""
        # Asked first: 14 answers a call to a model that it does not have with an HTML page.
        model = self._resource.model
        if not self._client.search_read("ir.model", [("model", "=", model)], ["model"]):
            raise NotFoundError(
                f"this Odoo has no allowed senders ({model}): 16 and later have them",
                "Earlier versions have no loop limit from which a sender could be exempt.",
            )
        return super().load(items, every=every, check_mode=check_mode)

    def create(self, records: Sequence[Record]) -> list[int]:
        """Create the records in one call."""
        return self._client.create(self._resource.model, [{"email": record["email"]} for record in records])


ALLOWED_SENDER = AllowedSender(
    model="mail.gateway.allowed",
    label="allowed sender",
    plural="senders",
    key=("email",),
    fields=(Field("email", wire="email_normalized", normalize=addresses.address),),
)
