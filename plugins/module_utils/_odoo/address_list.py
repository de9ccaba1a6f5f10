# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses at which a database takes mail, those that the addon tells the gateway, and its mailboxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._odoo import facts
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.former_addresses import FormerAddresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.inbound import Address, of_domain

INCOMING_SERVERS = "fetchmail.server"


def read(client: OdooClient) -> list[Address]:
    """Return the addresses, in a constant number of reads."""
    parameters = facts.read_parameters(client, list(facts.KEYS.values()))
    domains = facts.read_alias_domains(client, parameters)
    if domains is None:
        domains = [domain for domain in facts.of_parameters(parameters) if domain.name]
    names = [domain.name.lower() for domain in domains]
    found = [
        address
        for domain in domains
        for address in of_domain(domain.name, domain.catchall_alias, domain.bounce_alias, domain.default_from)
    ]
    found += _aliases(client, names)
    found += _former(client, {address.address for address in found})
    found += _mailboxes(client)
    return found


def _aliases(client: OdooClient, domains: Sequence[str]) -> Iterator[Address]:
    fields = {"alias_full_name", "alias_incoming_local"} & client.fields_get("mail.alias").keys()
    aliases = client.search_read(
        "mail.alias", [("alias_name", "not in", [False, ""])], ["alias_name", "alias_model_id", *sorted(fields)]
    )
    ids = sorted({alias["alias_model_id"][0] for alias in aliases if alias["alias_model_id"]})
    names = {model["id"]: model["model"] for model in client.search_read("ir.model", [("id", "in", ids)], ["model"])}
    for alias in aliases:
        target = names.get(alias["alias_model_id"][0], "") if alias["alias_model_id"] else ""
        whole = str(alias.get("alias_full_name") or "")
        # Before 17 there is no such field, and every alias is found by its local part.
        if alias.get("alias_incoming_local", True):
            for domain in domains:
                yield Address(f"{alias['alias_name']}@{domain}".lower(), "alias", target)
        elif "@" in whole:
            yield Address(whole.lower(), "alias", target)


def _former(client: OdooClient, present: set[str]) -> list[Address]:
    former = FormerAddresses(client)
    former.read()
    domains = {address.rpartition("@")[2] for address in present}
    return [
        Address(old, "former", new)
        for old, new in former.into(domains).items()
        if new in present and old not in present
    ]


def _mailboxes(client: OdooClient) -> list[Address]:
    """Return the mailboxes that Odoo fetches; none where it lacks the app for that (14 and 15)."""
    if not facts.models(client, [INCOMING_SERVERS]):
        return []
    condition = [("active", "=", True), ("state", "=", "done"), ("server_type", "!=", "local"), ("user", "!=", False)]
    servers = client.search_read(INCOMING_SERVERS, condition, ["name", "server_type", "server", "user"])
    return [
        Address(str(server["user"]).lower(), "mailbox", str(server["server"] or server["server_type"]), server["name"])
        for server in servers
    ]
