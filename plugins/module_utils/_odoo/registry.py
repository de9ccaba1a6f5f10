# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Odoo chooses a server by, read from a database or taken from a policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.facts import (
    KEYS,
    label,
    of_parameters,
    read_alias_domains,
    read_parameters,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.alias_domain import ALIAS_DOMAIN
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.user_mail import ODOOBOT
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain, Registry, Server
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.version import major

FIRST, LAST = 14, 19
FIRST_WITH_ALIAS_DOMAINS = 17
FROM_FILTER = "mail.default.from_filter"
NO_PERSONAL_SERVERS = "mail.disable_personal_mail_servers"
# What a new alias domain has where nobody says otherwise (mail.alias.domain, 17 to 19).
NEW_DEFAULT_FROM = "notifications"
NEW_SEQUENCE = 10
# Stands for the companies where the policy names none.
EVERY_COMPANY = "every company"
# What is said of a server in a policy that its choice depends on.
CHOSEN_BY = ("name", "sequence", "from_filter", "active", "smtp_authentication", "owner")


def supported(series: int) -> int:
    """Return the series; ValidationError if its rules are not known here."""
    if not FIRST <= series <= LAST:
        raise ValidationError(
            f"this is Odoo {series}, and how it chooses a server is not known here", f"Known are {FIRST} to {LAST}."
        )
    return series


def read(client: OdooClient) -> Registry:
    """Return what the database chooses by, in a constant number of reads. What odoo.conf says cannot be read.

    Raises ValidationError for an Odoo whose rules are not known.
    """
    series = supported(major(client.version()))
    parameters = read_parameters(client, [*KEYS.values(), FROM_FILTER, NO_PERSONAL_SERVERS])
    alias_domains = read_alias_domains(client, parameters)
    servers = _read_servers(client)
    owners = sorted({server["owner_user_id"][0] for server in servers if server.get("owner_user_id")})
    # Servers with owners and the users' field for theirs came together, with 19.
    wanted = ["login", "company_id", *(["outgoing_mail_server_id"] if owners else [])]
    users = client.search_read("res.users", ["|", ("login", "=", ODOOBOT), ("id", "in", owners)], wanted)
    of_id = {user["id"]: user for user in users}
    companies = {}
    if alias_domains is not None:
        records = client.search_read("res.company", [], ["name", "alias_domain_id"])
        companies = {str(record["name"]): label(record["alias_domain_id"]) for record in records}
    return Registry(
        series=series,
        servers=tuple(_server(record, of_id) for record in servers),
        alias_domains=tuple(of_parameters(parameters) if alias_domains is None else alias_domains),
        companies=companies,
        company=next((label(user["company_id"]) for user in users if user["login"] == ODOOBOT), ""),
        default_from_filter=parameters.get(FROM_FILTER),
        personal_servers=not parameters.get(NO_PERSONAL_SERVERS),
    )


def _read_servers(client: OdooClient) -> list[dict[str, Any]]:
    wanted = {"name", "sequence", "active", "from_filter", "smtp_authentication", "owner_user_id"}
    fields = client.fields_get(MAIL_SERVER.model)
    return client.search_read(MAIL_SERVER.model, [], sorted(wanted & fields.keys()))


def _server(record: Mapping[str, Any], users: Mapping[int, Mapping[str, Any]]) -> Server:
    owner = users[record["owner_user_id"][0]] if record.get("owner_user_id") else None
    own: Any = owner["outgoing_mail_server_id"] if owner else False
    return Server(
        name=str(record["name"]),
        sequence=record["sequence"],
        from_filter=record.get("from_filter") or "",
        active=record["active"],
        id=record["id"],
        authentication=record.get("smtp_authentication") or "login",
        owner=str(owner["login"]) if owner else "",
        in_use=not owner or bool(own and own[0] == record["id"]),
    )


def from_policy(section: Mapping[str, Any], series: int, configuration: Mapping[str, str] | None = None) -> Registry:
    """Return what an Odoo of the series would choose by if it had the policy's section `odoo` and nothing else.

    The ids of the servers follow their order in the list, as those of new servers do. What the policy leaves open is as
    a new record has it; `unsaid` tells what that is. Raises ValidationError for a value that cannot be.
    """
    supported(series)
    parameters = _said_parameters(section)
    said = [_said_domain(item, number, series) for number, item in enumerate(_records(section, "alias_domains"))]
    domains = [domain for _sequence, domain in sorted(said, key=lambda pair: pair[0])]
    companies = company_domains(section)
    company = next(iter(companies), "")
    if series < FIRST_WITH_ALIAS_DOMAINS:
        domains, companies = domains or of_parameters(parameters), {}
    elif domains and not companies:
        companies, company = {EVERY_COMPANY: domains[0].name}, EVERY_COMPANY
    return Registry(
        series=series,
        servers=tuple(_said_server(item, number) for number, item in enumerate(_records(section, "servers"))),
        alias_domains=tuple(domains),
        companies=companies,
        company=company,
        configuration=dict(configuration or {}),
        default_from_filter=parameters.get(FROM_FILTER),
        personal_servers=not parameters.get(NO_PERSONAL_SERVERS),
    )


def unsaid(section: Mapping[str, Any], series: int) -> list[str]:
    """Return what the policy leaves open although the choice depends on it, a sentence each, with what was assumed."""
    told = []
    servers, domains = list(_records(section, "servers")), list(_records(section, "alias_domains"))
    if not servers:
        told.append("The policy names no server: what Odoo has, or odoo.conf, is not seen.")
    for item in servers:
        if item.get("sequence") is None:
            assumed = f"Odoo's own for a new one, {NEW_SEQUENCE}, is assumed."
            told.append(f"Server {item['name']} has no sequence in the policy: {assumed}")
    if not domains and not _said_parameters(section).get(KEYS["name"]):
        told.append("The policy names no alias domain: there is no default sender, and no bounce address.")
    for item in domains:
        if "default_from" not in item and series >= FIRST_WITH_ALIAS_DOMAINS:
            told.append(
                f"Alias domain {item['name']} has no default_from in the policy: Odoo's own for a new one, "
                f"{NEW_DEFAULT_FROM}, is assumed."
            )
        elif "default_from" not in item:
            told.append(f"Alias domain {item['name']} has no default_from in the policy: none is assumed.")
    return told


def _records(section: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    return section.get(key) or []


def _said_parameters(section: Mapping[str, Any]) -> dict[str, str]:
    return {str(item["key"]): str(item["value"]) for item in _records(section, "parameters") if item.get("value")}


def _said_server(item: Mapping[str, Any], number: int) -> Server:
    chosen_by = {name: item[name] for name in CHOSEN_BY if item.get(name) is not None}
    checked = MAIL_SERVER.check(chosen_by, f"odoo.servers[{number}]")
    return Server(
        name=str(checked["name"]),
        sequence=_sequence(checked),
        from_filter=",".join(checked.get("from_filter", [])),
        active=checked.get("active", True),
        id=number + 1,
        authentication=checked.get("smtp_authentication", Server.authentication),
        owner=str(checked.get("owner", "")),
    )


def _said_domain(item: Mapping[str, Any], number: int, series: int) -> tuple[int, AliasDomain]:
    """Return an alias domain of the policy, after its sequence."""
    checked = ALIAS_DOMAIN.check({key: item[key] for key in KEYS if key in item}, f"odoo.alias_domains[{number}]")
    if series >= FIRST_WITH_ALIAS_DOMAINS:
        checked.setdefault("default_from", NEW_DEFAULT_FROM)
    return _sequence(item), AliasDomain(**{key: value or "" for key, value in checked.items()})


def _sequence(item: Mapping[str, Any]) -> int:
    """Return a record's sequence: 10, which Odoo gives to new alias domains and servers, where the policy has none."""
    return int(item["sequence"]) if item.get("sequence") is not None else NEW_SEQUENCE


def company_domains(section: Mapping[str, Any]) -> dict[str, str]:
    """Return company → name of its alias domain, for the companies that the policy names.

    Where it does not say which, the first one: Odoo gives that to every company.
    """
    domains = list(_records(section, "alias_domains"))
    first = min(domains, key=_sequence, default={}).get("name", "")
    found = {str(item["name"]): str(item.get("alias_domain") or first) for item in _records(section, "companies")}
    for item in domains:
        found.update({str(company): str(item["name"]) for company in item.get("companies") or []})
    return {company: domain.lower() for company, domain in found.items()}
