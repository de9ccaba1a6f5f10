# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the mail of a policy leaves, as far as SPF, DKIM and DMARC go: from which domains, and by whom. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._dns import dmarc, values
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import policy as mailgun
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import (
    explain,
    mail_address,
    presets,
    registry,
    senders,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain, Router
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.senders import CUSTOMER

# What Odoo S.A. asks for where its own servers send (its documentation, "Using your own domain").
ODOO = "odoo.com"
ODOO_SPF = "include:_spf.odoo.com"
ODOO_KEY = "odoo._domainkey"
ODOO_CONF = "the server of odoo.conf"
# Stands for those whose mail Odoo passes on: no domain of the policy's.
FOREIGN = mail_address.domain_of(CUSTOMER.email_from)


@dataclass(frozen=True)
class Path:
    """How the mail of one sender leaves.

    `from_domain` is that of the header From, `envelope` that of Odoo's envelope sender; either is empty where it is
    that of somebody whose mail is passed on. `place` is the server's in the policy, empty for that of odoo.conf.
    `terms` are the SPF terms that let the server send, None if they are not known. `spf_domain` is where a receiver
    looks SPF up: empty if at a domain of the provider's own. `signed_by` is the domain that surely signs (DKIM's `d=`),
    empty if none does. `of_odoo`: it is a server of Odoo S.A.
    """

    sender: str
    from_domain: str
    envelope: str
    server: str
    place: str = ""
    terms: tuple[str, ...] | None = None
    spf_domain: str = ""
    signed_by: str = ""
    of_odoo: bool = False


def paths(policy: Mapping[str, Any]) -> list[Path]:
    """Return how each sender's mail leaves by a sound policy, as the administrator wrote it.

    Raises ValidationError as `registry.from_policy` does.
    """
    section = policy.get("odoo") or {}
    servers = {str(item["name"]): (f"odoo.servers[{number}]", item) for number, item in enumerate(_servers(section))}
    series = _series(section)
    router = Router(registry.from_policy(section, series))
    found = []
    for mail in senders.from_policy(section, series, every_company=True):
        taken = router.route(mail)
        # Another that Odoo may take gets the same header, and its own filter decides on the envelope.
        others = [router.route(replace(mail, email_from=taken.email_from, server=name)) for name in taken.tied]
        for route in map(explain.shown, [taken, *others]):
            place, server = servers.get(str(route["server"]), ("", {}))
            path = _path({**route, "sender": mail.email_from}, place, server)
            # Odoo refuses to send what has neither.
            if path.from_domain or path.envelope:
                found.append(path)
    return found


def _path(route: Mapping[str, Any], place: str, server: Mapping[str, Any]) -> Path:
    sending, envelope = (_ours(domain(route[key])) for key in ("from", "envelope_from"))
    preset = presets.of(server)
    of_odoo = is_of_odoo(server)
    terms = presets.spf(server)
    login = domain(str(server.get("smtp_user") or ""))
    by_login = preset is not None and preset.envelope == presets.LOGIN
    at = {presets.LOGIN: login, presets.OWN: ""}.get(preset.envelope if preset else presets.KEPT, envelope)
    return Path(
        sender=str(route["sender"]),
        from_domain=sending,
        envelope=envelope,
        server=str(route["server"] or ODOO_CONF),
        place=place,
        terms=(ODOO_SPF,) if terms is None and of_odoo else terms,
        spf_domain=at,
        signed_by=sending if of_odoo else login if by_login else "",
        of_odoo=of_odoo,
    )


def _ours(name: str) -> str:
    return "" if name == FOREIGN else name


def _servers(section: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(section.get("servers") or [])


def is_of_odoo(server: Mapping[str, Any]) -> bool:
    """Whether a server of the policy is one of Odoo S.A."""
    host = str(server.get("smtp_host") or "").lower().rstrip(".")
    return host == ODOO or host.endswith(f".{ODOO}")


def is_odoos_key(record: Mapping[str, Any]) -> bool:
    """Whether a further record is the alias of Odoo S.A.'s key; at its selector may be a key of one's own as well."""
    names = [str(value) for value in record["values"]] if record["type"] == "CNAME" else []
    return str(record["name"]).startswith(f"{ODOO_KEY}.") and any(name.endswith(f".{ODOO}") for name in names)


def domain(text: str) -> str:
    """Return the domain of an address, with a name or without, in canonical form; empty if it has none."""
    where = text.rpartition("@")[2].strip("> ") if "@" in text else ""
    try:
        return values.shown(values.name(where)) if where else ""
    except ValueError:
        return ""


def provider_domains(policy: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield each domain that the policy has at a provider, and whether the provider receives mail for it."""
    for account in policy.get("providers") or []:
        for item in mailgun.filled(account)["domains"]:
            yield str(item["name"]).lower(), bool(item.get("inbound_routes"))


def receiving(policy: Mapping[str, Any]) -> set[str]:
    """Return the domains at which mail is to arrive for Odoo.

    These are alias domains, former ones too, what the gateway takes, and mailboxes that Odoo fetches.
    """
    section, inbound = policy.get("odoo") or {}, policy.get("inbound") or {}
    named = [one.name for one in alias_domains(section)]
    named += [item["name"] for item in inbound.get("domains") or []]
    named += [name for item in section.get("alias_domains") or [] for name in item.get("former_names") or []]
    fetched = [domain(str(item.get("user") or "")) for item in section.get("incoming_servers") or []]
    return {str(name).lower() for name in [*named, *fetched] if name}


def alias_domains(section: Mapping[str, Any]) -> tuple[AliasDomain, ...]:
    """Return the alias domains of the policy's section `odoo`; up to 16 a parameter may name the one."""
    return registry.from_policy(section, _series(section)).alias_domains


def _series(section: Mapping[str, Any]) -> int:
    return int(section.get("version") or registry.LAST)


def addressed(policy: Mapping[str, Any]) -> set[str]:
    """Return the domains at which users, companies or those who read DMARC reports have their addresses."""
    section = policy.get("odoo") or {}
    people = [*(section.get("users") or []), *(section.get("companies") or [])]
    tags = [item.get("dmarc", {}) for item in policy["dns"]["domains"]]
    reports = [host for each in tags for tag in dmarc.OF_URIS for uri in each.get(tag, []) for host in dmarc.hosts(uri)]
    return {domain(str(person.get("email") or "")) for person in people} | set(reports)
