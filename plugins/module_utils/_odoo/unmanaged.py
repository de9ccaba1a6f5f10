# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers in the database that the policy does not name: what they take from those it does, and archiving them.

A user's own server (19) and the placeholder that Odoo puts into a neutralised database are left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import server_guards
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.registry import (
    FIRST_WITH_ALIAS_DOMAINS,
    NEW_DEFAULT_FROM,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource, OdooSide
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain, Registry, Server
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.shadow import Shadow

# The option, and the key under which changes are reported.
KEY = "unmanaged_servers"
MODES = ("report", "archive", "ignore")
OPTION: Mapping[str, Any] = {KEY: {"type": "str", "choices": list(MODES), "default": "report"}}
SHOWN = 5


@dataclass(frozen=True)
class Undeclared(OdooResource):
    """The records whose names are not among the items'. Only what tells them apart is read, and nothing secret."""

    def domain(self, items: Sequence[Record]) -> list[Any]:
        """Return a condition for the others."""
        return [("name", "not in", sorted(item["name"] for item in items))]


OUTGOING = Undeclared(
    model="ir.mail_server",
    label="mail server",
    plural="servers",
    key=("name",),
    fields=(
        Field("name"),
        Field("active", "bool"),
        Field("sequence", "int"),
        Field("smtp_host"),
        Field("smtp_port", "int"),
        Field("smtp_user"),
        Field("from_filter"),
        Field("owner", wire="owner_user_id", from_wire=lambda owner: owner[1]),
    ),
)
INCOMING = Undeclared(
    model="fetchmail.server",
    label="incoming server",
    plural="incoming_servers",
    key=("name",),
    fields=(
        Field("name"),
        Field("active", "bool"),
        Field("server_type"),
        Field("server"),
        Field("port", "int"),
        Field("user"),
    ),
)


def read(client: OdooClient, resource: Undeclared, declared: Collection[str]) -> tuple[OdooSide, list[Existing]]:
    """Return where the records are and those with other names than these, archived ones too; two reads."""
    side = resource.open(client)
    # A record whose name was emptied by other means has none to be called by.
    found = side.load([{"name": name} for name in declared]).current
    return side, [record for record in found if record.values["name"] and not _left_alone(record.values)]


def _left_alone(record: Mapping[str, Any]) -> bool:
    return bool(record.get("owner")) or record.get("smtp_host") == server_guards.PLACEHOLDER_HOST


def archive(servers: Sequence[Existing]) -> list[Change]:
    """Return the changes that archive those which are active."""
    return [
        Change("update", server.values["name"], {"active": False}, server.values, server.id)
        for server in servers
        if server.values["active"]
    ]


def planned(registry: Registry, servers: Sequence[Change], domains: Sequence[Change]) -> Registry:
    """Return the registry as it is once these creations and updates of servers and alias domains are made."""
    return replace(registry, servers=_servers(registry, servers), **_domains(registry, domains))


def _servers(registry: Registry, changes: Sequence[Change]) -> tuple[Server, ...]:
    written = {change.id: _server(change.values) for change in changes if change.action == "update"}
    there = [replace(server, **written.get(server.id, {})) for server in registry.servers]
    # Odoo numbers new ones upwards, and the number decides between equals.
    first = max((server.id for server in there), default=0) + 1
    created = [_server(change.values) for change in changes if change.action == "create"]
    return (*there, *(Server(**{**values, "id": number}) for number, values in enumerate(created, first)))


def _server(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a change bears on the choice of a server, as a Server has it."""
    found = {name: values[name] for name in ("name", "sequence", "active") if name in values}
    if "from_filter" in values:
        found["from_filter"] = ",".join(values["from_filter"] or [])
    if "owner" in values:
        found["owner"] = values["owner"] or ""
    if values.get("smtp_authentication"):
        found["authentication"] = values["smtp_authentication"]
    return found


def _domains(registry: Registry, changes: Sequence[Change]) -> dict[str, Any]:
    """Return the alias domains, and which company has which of them."""
    written = {change.before["name"]: _domain(change.values) for change in changes if change.action == "update"}
    there = [replace(domain, **written.get(domain.name, {})) for domain in registry.alias_domains]
    unsaid = {"default_from": NEW_DEFAULT_FROM} if registry.series >= FIRST_WITH_ALIAS_DOMAINS else {}
    created = [AliasDomain(**{**unsaid, **_domain(change.values)}) for change in changes if change.action == "create"]
    names = {old.name: new.name for old, new in zip(registry.alias_domains, there, strict=True)}
    if not there and created:
        names[""] = created[0].name  # Odoo gives its first alias domain to every company
    companies = {company: names.get(domain, domain) for company, domain in registry.companies.items()}
    return {"alias_domains": (*there, *created), "companies": companies}


def _domain(values: Mapping[str, Any]) -> dict[str, str]:
    options = ("name", "bounce_alias", "catchall_alias", "default_from")
    return {name: values[name] or "" for name in options if name in values}


def told(servers: Sequence[Existing], shadows: Sequence[Shadow]) -> list[dict[str, Any]]:
    """Return the servers as a result shows them: `name`, `active`, and in `takes` each `sender` and `from` whom."""
    taken = {shadow.server.id: shadow.takes for shadow in shadows}
    return [
        {
            "name": server.values["name"],
            "active": server.values["active"],
            "takes": [
                {"sender": sender, "from": loser}
                for sender, loser in dict.fromkeys((one.mail.email_from, one.loser) for one in taken.get(server.id, ()))
            ],
        }
        for server in servers
    ]


def warnings(shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each active server of `told`."""
    return [_warning(server["name"], server["takes"]) for server in shown if server["active"]]


def _warning(name: str, takes: Sequence[Mapping[str, str]]) -> str:
    if not takes:
        return f"mail server {name} is active and not in the policy; it takes no mail of a known sender from another"
    named = ", ".join(f"{one['sender']} ({one['from']})" for one in takes[:SHOWN])
    more = f" and {len(takes) - SHOWN} more" if len(takes) > SHOWN else ""
    return (
        f"mail server {name} is active and not in the policy, and takes mail that another server is meant to send: "
        f"{named}{more}. Name it in the policy, or say unmanaged_servers: archive"
    )
