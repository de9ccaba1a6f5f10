# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lint's rules about DNS, over a whole policy that has a section `dns` (see `_odoo.lint_rules`). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._dns import dmarc, guard, sending, spf
from ansible_collections.mailops.odoo.plugins.module_utils._dns import policy as policies
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint_rules import (
    ERROR,
    INFO,
    WARNING,
    Findings,
    Rule,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint_setup import Setup

Policy = Mapping[str, Any]


def _domains(policy: Policy) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, item in enumerate(policy["dns"]["domains"]):
        yield f"dns.domains[{number}]", item


def _servers(policy: Policy) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, item in enumerate(policy["odoo"].get("servers") or []):
        yield f"odoo.servers[{number}]", item


def _odoos_records(setup: Setup) -> Findings:
    policy = setup.policy
    if policy is None or any(sending.is_of_odoo(server) for _place, server in _servers(policy)):
        return
    lists = [(f"{place}.spf", server.get("spf") or []) for place, server in _servers(policy)]
    lists += [(f"{place}.spf.terms", item.get("spf", {}).get("terms", [])) for place, item in _domains(policy)]
    for place, terms in lists:
        if any(_same(term, sending.ODOO_SPF) for term in terms):
            yield (
                WARNING,
                place,
                f"{sending.ODOO_SPF} lets the servers of Odoo S.A. send, and none of them does; it costs receivers "
                "look-ups, of which there may be ten",
                "Leave it out.",
            )
    for place, item in _domains(policy):
        for number, record in enumerate(item.get("records", [])):
            if sending.is_odoos_key(record):
                yield (
                    WARNING,
                    f"{place}.records[{number}]",
                    f"{record['name']} is the key of Odoo S.A.'s servers, and none of them sends",
                    "Leave it out; the key of the provider that sends is the right one.",
                )


def _same(one: str, other: str) -> bool:
    return spf.term(one).matches == spf.term(other).matches


def _lacking_terms(setup: Setup) -> Findings:
    if setup.policy is None:
        return
    ways = sending.paths(setup.policy)
    said = {item["name"] for _place, item in _domains(setup.policy) if "spf" in item}
    zones = setup.policy["dns"]["zones"]
    lacking: dict[tuple[str, str], list[str]] = {}
    for path in ways:
        if path.terms is None and (path.envelope in said or policies.zone_of(zones, path.envelope)):
            lacking.setdefault((path.place, path.server), []).append(path.envelope)
    for (place, server), domains in lacking.items():
        yield (
            WARNING,
            f"{place}.spf" if place else setup.servers_place,
            f"{server} sends for {', '.join(dict.fromkeys(domains))}, and by which terms of SPF is not known",
            "Say them, such as spf: [a:mx.acme.example], or spf: [] if it needs none."
            if place
            else "Name the server, with spf, in the policy.",
        )
    for place, item in _domains(setup.policy):
        for term in item.get("spf", {}).get("remove", []):
            users = [
                path.server
                for path in ways
                if item["name"] in (path.envelope, path.spf_domain)
                and any(spf.is_named(spf.term(needed), spf.term(term)) for needed in path.terms or ())
            ]
            if users:
                yield (
                    ERROR,
                    f"{place}.spf.remove",
                    f"{term} is to be removed, and {', '.join(dict.fromkeys(users))} sends by it for {item['name']}",
                    "Leave it there, or let another server send.",
                )


def _harmful_dmarc(setup: Setup) -> Findings:
    if setup.policy is None:
        return
    ways = sending.paths(setup.policy)
    for place, item in _domains(setup.policy):
        failing = guard.failing(setup.policy, item, ways) if "dmarc" in item else []
        if failing:
            yield (
                ERROR,
                f"{place}.dmarc",
                f"receivers would refuse or put aside mail that fails DMARC, and some of the policy's would: "
                f"{'; '.join(failing)}",
                "Keep p: none until it passes: give the server an envelope sender at the domain of From, or have it "
                "sign as that domain.",
            )


def _reports(setup: Setup) -> Findings:
    if setup.policy is None:
        return
    zones, addresses = setup.policy["dns"]["zones"], _addresses(setup.policy)
    refusing = {
        item["name"].lower()
        for item in (setup.policy.get("inbound") or {}).get("domains") or []
        if item["others"] == "reject"
    }
    for place, item in _domains(setup.policy):
        for tag in dmarc.OF_URIS:
            for number, uri in enumerate(item.get("dmarc", {}).get(tag, [])):
                here, address = f"{place}.dmarc.{tag}[{number}]", _address(uri)
                (host,) = dmarc.hosts(uri)
                if host in refusing and address not in addresses:
                    yield (
                        WARNING,
                        here,
                        f"the policy has no {address}, and the gateway refuses what Odoo does not have",
                        "Make an alias of it, or name an address that somebody reads.",
                    )
                for name in dmarc.external(item["name"], [uri]).values():
                    if not policies.zone_of(zones, name):
                        yield (
                            INFO,
                            here,
                            f"reports of {item['name']} go to {host} only if {name} has a TXT record "
                            f"{dmarc.AUTHORISED}, and that zone is not the policy's",
                            f"See that {host} publishes it.",
                        )


def _address(uri: str) -> str:
    return uri.partition(":")[2].partition("!")[0].lower()


def _addresses(policy: Policy) -> set[str]:
    """Return the addresses that Odoo has by the policy."""
    section = policy["odoo"]
    domains = sending.alias_domains(section)
    found = [one for each in domains for one in (each.bounce_email, each.catchall_email, each.default_from_email)]
    for item in section.get("aliases") or []:
        # One that is looked up by its local part alone is there in every domain.
        anywhere = item.get("alias_incoming_local") or not item.get("alias_domain")
        where = [domain.name for domain in domains] if anywhere else [item["alias_domain"]]
        found += [f"{item['alias_name']}@{name}" for name in where]
    return {address.lower() for address in found if address}


def _mx_against_use(setup: Setup) -> Findings:
    if setup.policy is None:
        return
    at_provider, receiving = dict(sending.provider_domains(setup.policy)), sending.receiving(setup.policy)
    for place, item in _domains(setup.policy):
        domain = item["name"]
        receives = domain in receiving or at_provider.get(domain, False)
        if item.get("mx") and domain in at_provider and not receives:
            yield (
                ERROR,
                f"{place}.mx",
                f"{domain} only sends, and mail to it would go to {', '.join(item['mx'])}, where nobody waits for it",
                "Leave mx out. If mail is to arrive, say inbound_routes: true at the provider's domain, or name the "
                "domain under inbound.domains.",
            )
        elif item.get("mx") == [] and receives:
            yield (
                ERROR,
                f"{place}.mx",
                f"mail to {domain} is to arrive, by the policy's other sections, and without an MX record it does not",
                "Name its MX, or leave mx out: then it stays as it is.",
            )


RULES: dict[str, Rule] = {
    "I08": _odoos_records,
    "I12": _lacking_terms,
    "K03": _harmful_dmarc,
    "K05": _reports,
    "L02": _mx_against_use,
}
