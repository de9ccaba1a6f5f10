# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What receivers find of a domain: whom its SPF record lets send, its DKIM keys and its DMARC policy."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dkim, dmarc, evaluate, spf
from ansible_collections.mailops.odoo.plugins.module_utils._dns.alignment import organizational
from ansible_collections.mailops.odoo.plugins.module_utils._dns.fresh import Fresh
from ansible_collections.mailops.odoo.plugins.module_utils._dns.limits import excess
from ansible_collections.mailops.odoo.plugins.module_utils._dns.spf import Resolve

PRESENT, MISSING, PERMERROR, TEMPERROR = "present", "missing", "permerror", "temperror"
REVOKED, UNKNOWN = "revoked", "unknown"
# Of what a term lets send so many addresses are tried until one is not excluded by the term's own record.
TRIED = 20


@dataclass(frozen=True)
class Sender:
    """What receivers make of a host that a term lets send: `result` as that of evaluate.SpfResult.

    It is `unknown`, and there is no `ip`, where the addresses depend on the mail (macros), or the term names none.
    """

    term: str
    ip: str
    result: str
    explanation: str


@dataclass
class SpfRecord:
    """An SPF record: `status` is `present`, `missing`, `permerror` or `temperror`, and `detail` says why.

    `lookups` and `void_lookups` are what it costs at most (spf.cost).
    """

    status: str
    detail: str = ""
    record: str = ""
    lookups: list[str] = field(default_factory=list)
    void_lookups: list[str] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)


@dataclass(frozen=True)
class KeyRecord:
    """A DKIM key: `status` is `present`, `missing`, `revoked`, `permerror` or `temperror`, and `detail` says why.

    `type` is empty and `bits` 0 if there is no key.
    """

    name: str
    status: str
    detail: str = ""
    type: str = ""
    bits: int = 0


@dataclass(frozen=True)
class Report:
    """Whether another organisation lets reports be sent to it: None if that could not be looked up."""

    host: str
    name: str
    authorised: bool | None
    detail: str = ""


@dataclass
class DmarcRecord:
    """The DMARC record that counts for a domain: `status` is `present`, `missing`, `permerror` or `temperror`.

    `record` is its name, that of the organisation's if the domain has none; `policy` is what it asks for of the
    domain's mail.
    """

    status: str
    detail: str = ""
    record: str = ""
    policy: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)


@dataclass(frozen=True)
class Domain:
    """What there is of a domain."""

    name: str
    spf: SpfRecord
    dkim: list[KeyRecord]
    dmarc: DmarcRecord


def spf_record(domain: str, terms: Iterable[str], resolve: Resolve) -> SpfRecord:
    """Return what the SPF record of a domain is worth to hosts that send by these terms; ValueError if one is none."""
    read = [spf.term(text) for text in terms]
    try:
        text = spf.published(domain, resolve)
        if not text:
            return SpfRecord(MISSING, f"{domain} has no SPF record")
        cost = spf.cost(text, domain, resolve)
    except MailopsError as error:
        return SpfRecord(TEMPERROR, error.message)
    except ValueError as error:
        return SpfRecord(PERMERROR, str(error))
    too_much = excess(cost)
    found = SpfRecord(PERMERROR if too_much else PRESENT, f"it {too_much}" if too_much else "", text)
    found.lookups, found.void_lookups = cost.lookups, cost.voids
    found.senders = [_sender(term, domain, resolve) for term in read if term.result == "+"]
    return found


def _sender(term: spf.Term, domain: str, resolve: Resolve) -> Sender:
    try:
        ip = next(
            (one for one in islice(addresses(term, domain, resolve), TRIED) if _is_let(term, one, resolve)),
            "",
        )
    except MailopsError as error:
        return Sender(term.text, "", TEMPERROR, error.message)
    except ValueError as error:
        return Sender(term.text, "", PERMERROR, str(error))
    if not ip:
        return Sender(term.text, "", UNKNOWN, f"{term.text} names no address that could be tried")
    judged = evaluate.spf(ip, f"postmaster@{domain}", domain, resolve)
    return Sender(term.text, ip, judged.result, judged.explanation)


def _is_let(term: spf.Term, ip: str, resolve: Resolve) -> bool:
    """Whether an address is one that a term matches: the record that it includes may exclude what it seems to name."""
    if term.name != "include":
        return True
    return evaluate.spf(ip, f"postmaster@{term.argument}", term.argument, resolve).result == "pass"


def addresses(term: spf.Term, domain: str, resolve: Resolve, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield addresses that a term of a domain's record names, the first one of each network.

    Where they depend on the mail (macros, ptr, exists) there is none. `path` are the domains whose records led here.
    MailopsError if something cannot be looked up, ValueError if something included is no record.
    """
    target = term.argument or domain
    if term.name in ("ip4", "ip6"):
        yield str(ipaddress.ip_network(target).network_address)
    elif term.name in ("a", "mx") and "%" not in target:
        hosts = [target] if term.name == "a" else [value.split()[1] for value in resolve(target, "MX")]
        for host in hosts:
            yield from (*resolve(host, "A"), *resolve(host, "AAAA"))
    elif term.name in ("include", "redirect") and "%" not in target and target not in path:
        record = spf.published(target, resolve)
        if not record:
            raise ValueError(f"{term.text}: {target} has no SPF record (RFC 7208, sections 5.2 and 6.1)")
        for one in spf.parse(record):
            if one.name == "redirect" or (not one.modifier and one.result == "+"):
                yield from addresses(one, target, resolve, (*path, target))


def key_record(name: str, resolve: Resolve) -> KeyRecord:
    """Return what there is of a DKIM key at `<selector>._domainkey.<domain>`; aliases are followed."""
    try:
        found = [value for value in resolve(name, "TXT") if dkim.is_dkim(value)]
        if not found:
            return KeyRecord(name, MISSING, "there is no key")
        if len(found) > 1:
            return KeyRecord(name, PERMERROR, f"there are {len(found)} keys (RFC 6376, section 3.6.2.2)")
        key = dkim.parse(found[0])
    except MailopsError as error:
        return KeyRecord(name, TEMPERROR, error.message)
    except ValueError as error:
        return KeyRecord(name, PERMERROR, str(error))
    if not key.bits:
        return KeyRecord(name, REVOKED, "the key was revoked (its p is empty)", key.type)
    return KeyRecord(name, PRESENT, "", key.type, key.bits)


def dmarc_record(domain: str, resolve: Resolve) -> DmarcRecord:
    """Return the DMARC record that counts for mail from a domain, without its reports."""
    try:
        at, text, instead = evaluate.dmarc_record(domain, organizational(domain), resolve)
        if not text:
            return DmarcRecord(MISSING, f"{domain} has no DMARC record{instead}")
        tags = dmarc.parse(text)
    except MailopsError as error:
        return DmarcRecord(TEMPERROR, error.message)
    except ValueError as error:
        return DmarcRecord(PERMERROR, str(error))
    policy = tags["p"] if at == f"_dmarc.{domain}" else tags.get("sp", tags["p"])
    return DmarcRecord(PRESENT, "", at, policy.lower(), tags)


def reports(found: DmarcRecord, resolve: Resolve) -> list[Report]:
    """Return whether the other organisations that reports go to allow it."""
    return [_report(host, name, resolve) for host, name in external(found).items()]


def external(found: DmarcRecord) -> dict[str, str]:
    """Return the names with which other organisations allow that a record's reports go to them, by their domains."""
    reported_to = [found.tags[tag] for tag in dmarc.OF_URIS if tag in found.tags]
    # Reports are sent for the domain that has the record.
    return dmarc.external(found.record.removeprefix("_dmarc."), reported_to) if reported_to else {}


def _report(host: str, name: str, resolve: Resolve) -> Report:
    try:
        there = resolve(name, "TXT")
    except MailopsError as error:
        return Report(host, name, None, error.message)
    authorised = any(dmarc.is_dmarc(value) for value in there)
    return Report(host, name, authorised, "" if authorised else f"{name} has no TXT record {dmarc.AUTHORISED}")


def domains(asked: Iterable[Mapping[str, Any]], look: Fresh) -> list[Domain]:
    """Return what there is of domains, each `{name, terms, keys}` with names in canonical form.

    Raises ValidationError if nothing can be asked for.
    """
    asked = list(asked)
    policies = [f"_dmarc.{one}" for domain in asked for one in (domain["name"], organizational(domain["name"]))]
    look.ask([*(name for domain in asked for name in (domain["name"], *domain["keys"])), *policies])
    found = [
        Domain(
            domain["name"],
            spf_record(domain["name"], domain["terms"], look),
            [key_record(name, look) for name in domain["keys"]],
            dmarc_record(domain["name"], look),
        )
        for domain in asked
    ]
    look.ask(name for one in found for name in external(one.dmarc).values())
    for one in found:
        one.dmarc.reports = reports(one.dmarc, look)
    return found
