# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses there are, how mail to each arrives, and where a redirect is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

# Ways by which mail arrives, or does not.
GATEWAY, FETCHED, RELAYED, REDIRECT, REFUSED, NOT_NEEDED = (
    "gateway", "fetched", "relayed", "redirect", "refused", "not needed",
)  # fmt: skip


@dataclass(frozen=True)
class Address:
    """An address that Odoo has to do with.

    `kind` is alias, catchall, bounce, default_from, former or mailbox. `target` is the model an alias makes records of,
    the present address of a former one, or the host of a mailbox. `server` is the incoming server that fetches it.
    """

    address: str
    kind: str
    target: str = ""
    server: str = ""


@dataclass(frozen=True)
class Arrival:
    """How mail to an address arrives: `way` in a word, `how` as a sentence.

    `address` is `*@domain` for all others of a domain of the gateway. `redirect` says where the provider of the domain
    has to pass the mail on to, empty where that is not needed.
    """

    address: str
    kind: str
    way: str
    how: str
    redirect: str = ""


def from_policy(section: Mapping[str, Any]) -> list[Address]:
    """Return the addresses that the policy's section `odoo` names."""
    domains = [{**item, "name": str(item["name"]).lower()} for item in section.get("alias_domains") or []]
    names = [domain["name"] for domain in domains]
    found = [address for domain in domains for address in _of_domain(domain)]
    for alias in section.get("aliases") or []:
        own = str(alias.get("alias_domain") or "").lower()
        # By its local part alone an alias is found at every alias domain; without one of its own it is at the only one.
        where = names if alias.get("alias_incoming_local") or not own else [own]
        target = str(alias.get("alias_model") or "")
        found += [Address(f"{alias['alias_name']}@{name}".lower(), "alias", target) for name in where]
    for server in section.get("incoming_servers") or []:
        if server.get("active") is not False and server.get("server_type") != "local" and server.get("user"):
            host = str(server.get("server") or server.get("server_type") or "")
            found.append(Address(str(server["user"]).lower(), "mailbox", host, str(server["name"])))
    return found


def of_domain(name: str, catchall: str, bounce: str, default_from: str) -> list[Address]:
    """Return the addresses of an alias domain itself; what is not set is empty."""
    roles = {"catchall": catchall, "bounce": bounce, "default_from": default_from}
    return [
        Address((local if "@" in local else f"{local}@{name}").lower(), role) for role, local in roles.items() if local
    ]


def _of_domain(domain: Mapping[str, Any]) -> Iterator[Address]:
    """Yield the addresses of an alias domain of a policy, those that it had before too."""
    name, catchall, bounce = domain["name"], domain.get("catchall_alias") or "", domain.get("bounce_alias") or ""
    yield from of_domain(name, catchall, bounce, domain.get("default_from") or "")
    for role, present in (("catchall", catchall), ("bounce", bounce)):
        locals_before = [present, *(domain.get(f"former_{role}_aliases") or [])]
        names_before = [name, *(domain.get("former_names") or [])]
        for where in names_before:
            for local in locals_before:
                if present and (local, where) != (present, name):
                    yield Address(f"{local}@{where}".lower(), "former", f"{present}@{name}".lower())


def arrivals(
    section: Mapping[str, Any], said: Iterable[Address], there: Iterable[Address] | None = None
) -> list[Arrival]:
    """Return how mail to each address arrives, sorted by domain, then the rest of each domain of the gateway.

    `section` is the policy's `inbound`, `said` the policy's addresses, `there` those of Odoo; None where Odoo was not
    asked. An address that is said but not there is marked so.
    """
    taken = {str(item["name"]).lower(): item for item in section.get("domains") or []}
    known = {address.address for address in there or ()}
    merged = _merged([*(there or ()), *said])
    mailboxes = [address for address in merged if address.kind == "mailbox"]
    found = []
    for address in merged:
        domain = address.address.rpartition("@")[2]
        arrival = (
            _by_gateway(address, taken[domain]) if domain in taken else _elsewhere(address, mailboxes, list(taken))
        )
        if there is not None and address.address not in known:
            arrival = Arrival(**{**asdict(arrival), "how": f"{arrival.how} (not in Odoo yet)"})
        found.append(arrival)
    found.extend(_others(name, item) for name, item in taken.items())
    return sorted(found, key=lambda arrival: (arrival.address.rpartition("@")[2], arrival.address[0] == "*"))


def _merged(addresses: Sequence[Address]) -> list[Address]:
    """Return the addresses, each once: an alias goes before a mailbox, and what is in use is not former."""
    weight = {"mailbox": 1, "former": 2, "default_from": 3}
    best: dict[str, Address] = {}
    for address in addresses:
        held = best.get(address.address)
        if held is None or weight.get(address.kind, 4) > weight.get(held.kind, 4):
            best[address.address] = address
    return [best[name] for name in sorted(best)]


def _by_gateway(address: Address, domain: Mapping[str, Any]) -> Arrival:
    ends = {
        "alias": f"Odoo makes a record of {address.target}" if address.target else "Odoo makes a record",
        "catchall": "Odoo finds the thread of a reply",
        "bounce": "Odoo notes the failure",
        "default_from": "Odoo finds the thread of a reply",
        "former": f"rewritten to {address.target}",
    }
    if address.kind in ends:
        return Arrival(address.address, address.kind, GATEWAY, f"MX: gateway, bridge, Odoo; {ends[address.kind]}")
    if domain.get("others") == "relay":
        how = f"MX: gateway, {domain['relay_host']}; fetched by {address.server} from {address.target}"
        return Arrival(address.address, address.kind, FETCHED, how)
    how = f"MX: gateway, which refuses it (others: reject), so {address.server} never gets any at {address.target}"
    return Arrival(address.address, address.kind, REFUSED, how)


def _elsewhere(address: Address, mailboxes: Sequence[Address], gateway: Sequence[str]) -> Arrival:
    """Return how mail arrives whose domain's MX is not the gateway."""
    if address.kind == "mailbox":
        how = f"its own provider; fetched by {address.server} from {address.target}"
        return Arrival(address.address, address.kind, FETCHED, how)
    if address.kind == "default_from":
        return Arrival(address.address, address.kind, NOT_NEEDED, "only sent from; no mail has to arrive")
    domain = address.address.rpartition("@")[2]
    to = next((mailbox.address for mailbox in mailboxes if "@" in mailbox.address), "")
    if to:
        redirect = f"to {to}, which Odoo fetches"
    elif gateway:
        redirect = f"or the MX of {domain} pointed at the gateway, and {domain} in inbound.domains"
    else:
        redirect = "to a mailbox that Odoo fetches (incoming_servers), or a gateway (inbound.domains)"
    how = f"nothing brings it here: {domain} is no domain of the gateway, and no incoming server fetches it"
    return Arrival(address.address, address.kind, REDIRECT, how, redirect)


def _others(name: str, item: Mapping[str, Any]) -> Arrival:
    if item.get("others") == "relay":
        return Arrival(f"*@{name}", "others", RELAYED, f"MX: gateway, relayed to {item['relay_host']}")
    return Arrival(f"*@{name}", "others", REFUSED, "MX: gateway, which refuses it (550)")
