# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One question to one DNS server, and what its answer is worth."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.mailops.odoo.plugins.module_utils._dns import values

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.rrset
except ImportError:
    # Told by values.
    pass

# What passes every network in one packet (DNS Flag Day 2020).
PAYLOAD = 1232
# A packet may get lost: the question is put a second time, and waits longer then.
FIRST_TRY = 1 / 3
NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class Trouble(Exception):
    """No answer that says anything of the record.

    `kind` is `unreachable` (not a word came), `unrouted` (this machine has no way there), `servfail` (the server could
    not answer) or `lame` (it does not answer for this zone).
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class Referral(Exception):
    """The servers of a zone pointed to those of a zone below: their names, and their addresses if these came too."""

    def __init__(self, zone: dns.name.Name, servers: dict[dns.name.Name, tuple[str, ...]]) -> None:
        super().__init__(str(zone))
        self.zone = zone
        self.servers = servers


@dataclass(frozen=True)
class Content:
    """What a server has: `kind` is `found`, `nodata`, `nxdomain` or `cname` (then that is in `values`).

    `ttl` is for how many seconds a cache may keep it; of nothing too (RFC 2308, 5). None if the answer does not say.
    """

    kind: str
    values: tuple[str, ...] = ()
    ttl: int | None = None


class Questions:
    """Puts questions; `timeout` is in seconds, for each. After `budget` seconds in all nothing is asked any more.

    Who has not answered once is not asked again.
    """

    def __init__(self, timeout: float, budget: float, port: int) -> None:
        self._timeout = timeout
        self._until = time.monotonic() + budget
        self._port = port
        self._silent: set[str] = set()

    def ask(self, address: str, at: dns.name.Name, record_type: str, recursive: bool) -> dns.message.Message:
        """Return the answer of the server at an address, whatever it says; Trouble if there is none."""
        question = dns.message.make_query(at, record_type, use_edns=0, payload=PAYLOAD)
        if not recursive:
            question.flags &= ~dns.flags.RD
        answer = self._send(address, question)
        if answer.rcode() in (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS):
            # Perhaps it is too old for EDNS (RFC 6891, 6.2.2).
            question.use_edns(False)
            answer = self._send(address, question)
        return answer

    def _send(self, address: str, question: dns.message.Message) -> dns.message.Message:
        for share in (FIRST_TRY, 1 - FIRST_TRY):
            seconds = min(self._timeout * share, self._until - time.monotonic())
            if address in self._silent:
                break
            if seconds <= 0:
                raise Trouble("unreachable", "not asked: the time was up")
            try:
                return dns.query.udp_with_fallback(
                    question, address, seconds, self._port, ignore_unexpected=True, ignore_errors=True
                )[0]
            except dns.exception.Timeout:
                continue
            except OSError as error:
                kind = "unrouted" if error.errno in NO_WAY else "unreachable"
                raise Trouble(kind, error.strerror or str(error)) from None
            except (dns.exception.DNSException, EOFError) as error:
                raise Trouble("unreachable", f"no usable answer ({type(error).__name__})") from None
        self._silent.add(address)
        raise Trouble("unreachable", f"no answer within {self._timeout:g} s")


def content(answer: dns.message.Message, zone: dns.name.Name, at: dns.name.Name, record_type: str) -> Content:
    """Return what a server of the zone has at a name (RFC 1034, 4.3.2; RFC 2308, 2).

    Raises Referral if the name is in a zone below, and Trouble if it is no server of the zone or cannot answer.
    """
    code = answer.rcode()
    if code == dns.rcode.SERVFAIL:
        raise Trouble("servfail", "SERVFAIL: the server cannot answer")
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise Trouble("lame", f"lame: it does not answer for {values.shown(zone)} ({dns.rcode.to_text(code)})")
    if not answer.flags & dns.flags.AA:
        below = _cut(answer, zone, at)
        if below is None:
            raise Trouble("lame", f"lame: it has no authority for {values.shown(zone)}")
        raise Referral(below.name, {server.target: glue(answer, server.target) for server in below})
    return _said(answer, at, record_type)


def remembered(answer: dns.message.Message, at: dns.name.Name, record_type: str) -> Content:
    """Return what a resolver has for a name; `ttl` is what is left of it. Trouble if it did not resolve it."""
    code = answer.rcode()
    if code == dns.rcode.SERVFAIL:
        raise Trouble("servfail", "SERVFAIL: it could not resolve the name")
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) or not answer.flags & (dns.flags.RA | dns.flags.AA):
        raise Trouble("lame", f"it does not resolve for this machine ({dns.rcode.to_text(code)})")
    return _said(answer, at, record_type)


def _said(answer: dns.message.Message, at: dns.name.Name, record_type: str) -> Content:
    for kind, wanted in (("found", record_type), ("cname", "CNAME")):
        rrset = answer.get_rrset(dns.message.ANSWER, at, dns.rdataclass.IN, dns.rdatatype.from_text(wanted))
        if rrset:
            return Content(kind, _canonical(rrset), rrset.ttl)
    kind = "nxdomain" if answer.rcode() == dns.rcode.NXDOMAIN else "nodata"
    for rrset in answer.authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            return Content(kind, ttl=min(rrset.ttl, rrset[0].minimum))
    return Content(kind)


def records(answer: dns.message.Message, at: dns.name.Name, record_type: str) -> tuple[str, ...]:
    """Return the values that an answer has for a name, in canonical form and sorted."""
    rrset = answer.get_rrset(dns.message.ANSWER, at, dns.rdataclass.IN, dns.rdatatype.from_text(record_type))
    return _canonical(rrset or ())


def _canonical(rrset: Iterable[dns.rdata.Rdata]) -> tuple[str, ...]:
    return tuple(sorted({values.found(rdata) for rdata in rrset}))


def glue(answer: dns.message.Message, host: dns.name.Name) -> tuple[str, ...]:
    """Return the addresses of a host that an answer adds."""
    kinds = (dns.rdatatype.A, dns.rdatatype.AAAA)
    return tuple(
        rdata.address for rrset in answer.additional if rrset.name == host and rrset.rdtype in kinds for rdata in rrset
    )


def _cut(answer: dns.message.Message, zone: dns.name.Name, at: dns.name.Name) -> dns.rrset.RRset | None:
    """Return the NS records of the zone below to which the answer refers."""
    for rrset in answer.authority:
        if rrset.rdtype == dns.rdatatype.NS and rrset.name != zone and rrset.name.is_subdomain(zone):
            return rrset if at.is_subdomain(rrset.name) else None
    return None
