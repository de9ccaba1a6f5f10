# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the authoritative servers of a zone have, each asked itself: no cache stands between."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.question import (
    Content,
    Questions,
    Referral,
    Trouble,
    content,
    records,
)

try:
    import dns.message
    import dns.name
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.resolver
except ImportError:
    # Told by values.
    pass

AT_ONCE = 32
# Zone, its servers, their addresses, the records: so many questions follow one another.
ROUNDS = 4


@dataclass(frozen=True)
class Query:
    """A record: its name, its type, and the values that it is to have, in canonical form; None asks what there is."""

    name: dns.name.Name
    type: str
    values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Server:
    """An authoritative server at one of its addresses; without one if it has none."""

    name: str
    address: str | None


@dataclass(frozen=True)
class Reply:
    """What one server said: `kind` is that of the content or of the trouble."""

    server: Server
    kind: str
    values: tuple[str, ...] = ()
    detail: str = ""

    @property
    def usable(self) -> bool:
        """Whether it says something of the record."""
        return self.kind in ("found", "nodata", "nxdomain", "cname")

    def shown(self) -> dict[str, Any]:
        """Return it as results have it."""
        return {
            "name": self.server.name,
            "address": self.server.address,
            "answer": self.kind,
            "values": list(self.values),
            "detail": self.detail,
        }


@dataclass
class Finding:
    """What came of a query.

    `status` is `present`, `extra`, `different` or `missing` (see values.compare; without wanted values `present` or
    `missing`), or, where no server told, `servfail` or `unreachable`. `problems` are the servers', whatever the status.
    """

    query: Query
    status: str
    detail: str
    zone: str = ""
    found: tuple[str, ...] = ()
    replies: list[Reply] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """Return it as results have it."""
        return {
            "name": values.shown(self.query.name),
            "type": self.query.type,
            "wanted": None if self.query.values is None else list(self.query.values),
            "found": list(self.found),
            "status": self.status,
            "detail": self.detail,
            "zone": self.zone,
            "servers": [reply.shown() for reply in self.replies],
            "problems": self.problems,
        }


def query(name: str, record_type: str, wished: Iterable[str] | None = None) -> Query:
    """Return a query in canonical form; ValidationError if name or values cannot be."""
    try:
        wanted = None if wished is None else tuple(sorted({values.wanted(record_type, value) for value in wished}))
        asked = Query(values.name(name), record_type, wanted)
    except ValueError as error:
        raise ValidationError(f"record {name} {record_type}: {error}") from None
    if wanted == ():
        raise ValidationError(f"record {name} {record_type}: values is empty", "Leave it out to see what there is.")
    return asked


def system_resolvers() -> list[str]:
    """Return the addresses of this machine's resolvers; ValidationError if it has none."""
    try:
        return [str(server) for server in dns.resolver.Resolver().nameservers]
    except dns.resolver.NoResolverConfiguration as error:
        raise ValidationError(f"this machine has no resolver: {error}", "Name one in resolver.") from None


def look_up(queries: Sequence[Query], resolvers: Sequence[str], timeout: float = 3.0, port: int = 53) -> list[Finding]:
    """Ask the authoritative servers and return what came of each query, in the same order.

    `resolvers` are addresses; they tell where the zones and their servers are. `timeout` is in seconds, for each
    question; all of it takes about ROUNDS times that at most. Raises ValidationError.
    """
    for resolver in resolvers:
        try:
            ipaddress.ip_address(resolver)
        except ValueError:
            raise ValidationError(f"resolver {resolver!r} is no address", "Name it by its IP address.") from None
    if not 0 < timeout <= 300:
        raise ValidationError(f"timeout is {timeout:g} s", "It must be more than 0 and at most 300.")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return _LookUp(pool, resolvers, Questions(timeout, ROUNDS * timeout, port)).findings(queries)


class _LookUp:
    """One look-up: first where to ask, then all questions at once."""

    def __init__(self, pool: ThreadPoolExecutor, resolvers: Sequence[str], questions: Questions) -> None:
        self._pool = pool
        self._resolvers = resolvers
        self._questions = questions
        self._known: dict[dns.name.Name, list[str]] = {}

    def findings(self, queries: Sequence[Query]) -> list[Finding]:
        names = list(dict.fromkeys(one.name for one in queries))
        zones = dict(zip(names, self._pool.map(self._zone, names), strict=True))
        known = list(dict.fromkeys(zone for zone in zones.values() if isinstance(zone, dns.name.Name)))
        servers = dict(zip(known, self._pool.map(self._servers, known), strict=True))
        places: dict[Query, tuple[dns.name.Name, list[Server]]] = {}
        findings: dict[Query, Finding] = {}
        for one in queries:
            zone = zones[one.name]
            if isinstance(zone, Trouble):
                findings[one] = Finding(one, zone.kind, f"its zone could not be found: {zone.detail}")
                continue
            hosts = servers[zone]
            if isinstance(hosts, Trouble):
                detail = f"the servers of {values.shown(zone)} could not be found: {hosts.detail}"
                findings[one] = Finding(one, hosts.kind, detail)
            else:
                places[one] = (zone, hosts)
        while places:
            places = self._round(places, findings)
        return [findings[one] for one in queries]

    def _round(
        self, places: dict[Query, tuple[dns.name.Name, list[Server]]], findings: dict[Query, Finding]
    ) -> dict[Query, tuple[dns.name.Name, list[Server]]]:
        """Ask the servers of each query; return those queries that were referred to others, which are below."""
        asked = [(one, zone, server) for one, (zone, servers) in places.items() for server in servers]
        replies = list(self._pool.map(lambda each: self._reply(*each), asked))
        referred = {}
        for one, (zone, _servers) in places.items():
            mine = [reply for (of, _zone, _server), reply in zip(asked, replies, strict=True) if of == one]
            below = next((reply for reply in mine if isinstance(reply, Referral)), None)
            if below:
                referred[one] = (below.zone, self._addressed(below.servers))
            else:
                findings[one] = judged(one, zone, [reply for reply in mine if isinstance(reply, Reply)])
        return referred

    def _reply(self, one: Query, zone: dns.name.Name, server: Server) -> Reply | Referral:
        if server.address is None:
            return Reply(server, "unreachable", detail="it has no address")
        try:
            answer = self._questions.ask(server.address, one.name, one.type, recursive=False)
            has: Content = content(answer, zone, one.name, one.type)
        except Trouble as trouble:
            return Reply(server, trouble.kind, detail=trouble.detail)
        except Referral as referral:
            return referral
        return Reply(server, has.kind, has.values)

    def _resolved(self, at: dns.name.Name, record_type: str) -> dns.message.Message:
        """Return the answer of the first resolver that has one, be it a no; Trouble if none has."""
        troubles = []
        for resolver in self._resolvers:
            try:
                answer = self._questions.ask(resolver, at, record_type, recursive=True)
            except Trouble as trouble:
                troubles.append(Trouble(trouble.kind, f"resolver {resolver}: {trouble.detail}"))
                continue
            if answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return answer
            told = dns.rcode.to_text(answer.rcode())
            troubles.append(Trouble("servfail", f"resolver {resolver} answers {told} for {at} {record_type}"))
        kind = "servfail" if any(trouble.kind == "servfail" for trouble in troubles) else "unreachable"
        raise Trouble(kind, "; ".join(trouble.detail for trouble in troubles))

    def _zone(self, name: dns.name.Name) -> dns.name.Name | Trouble:
        """Return the zone that a name is in, or why it is not known.

        Where resolvers fail the servers of the zone above are asked; they refer to those below.
        """
        failed = None
        at = name
        while True:
            try:
                answer = self._resolved(at, "SOA")
            except Trouble as trouble:
                if trouble.kind != "servfail" or at == dns.name.root:
                    return failed or trouble
                failed = failed or trouble
            else:
                if records(answer, at, "SOA"):
                    return at
                # A no has the SOA of the zone that says so; but what follows an alias is of the alias's zone.
                if not answer.answer:
                    for rrset in answer.authority:
                        if rrset.rdtype == dns.rdatatype.SOA and at.is_subdomain(rrset.name):
                            return rrset.name
                if at == dns.name.root:
                    return failed or Trouble("servfail", "the resolver knows no zone")
            at = at.parent()

    def _servers(self, zone: dns.name.Name) -> list[Server] | Trouble:
        """Return a zone's servers, each as often as it has addresses."""
        try:
            answer = self._resolved(zone, "NS")
        except Trouble as trouble:
            return trouble
        named = answer.get_rrset(dns.message.ANSWER, zone, dns.rdataclass.IN, dns.rdatatype.NS)
        if not named:
            return Trouble("servfail", "the resolver knows no NS records")
        return self._addressed({server.target: () for server in named})

    def _addressed(self, given: dict[dns.name.Name, tuple[str, ...]]) -> list[Server]:
        servers = []
        for name, addresses in sorted(given.items()):
            found = addresses or self._addresses(name)
            servers += [Server(values.shown(name), address) for address in found]
            if not found:
                servers.append(Server(values.shown(name), None))
        return servers

    def _addresses(self, host: dns.name.Name) -> list[str]:
        if host in self._known:
            return self._known[host]
        found = []
        for record_type in ("A", "AAAA"):
            try:
                answer = self._resolved(host, record_type)
            except Trouble:
                continue
            wished = dns.rdatatype.from_text(record_type)
            found += [rdata.address for rrset in answer.answer if rrset.rdtype == wished for rdata in rrset]
        self._known[host] = found
        return found


def judged(one: Query, zone: dns.name.Name, replies: Sequence[Reply]) -> Finding:
    """Return what the servers' answers amount to. What no server told is never taken for missing."""
    heard = _with_a_way(replies)
    usable = [reply for reply in heard if reply.usable]
    finding = Finding(one, "", "", values.shown(zone), replies=list(heard))
    finding.problems = [f"{_who(reply)}: {reply.detail}" for reply in heard if not reply.usable]
    if not usable:
        answered = any(reply.kind in ("servfail", "lame") for reply in heard)
        finding.status = "servfail" if answered else "unreachable"
        finding.detail = f"no server of {values.shown(zone)} told: {'; '.join(finding.problems)}"
        return finding
    finding.found = tuple(sorted({value for reply in usable if reply.kind == "found" for value in reply.values}))
    verdicts = [_verdict(one, reply) for reply in usable]
    finding.status, finding.detail = verdicts[0]
    if len({(reply.kind, reply.values) for reply in usable}) > 1:
        statuses = {status for status, _detail in verdicts}
        # Without wanted values any two are a difference.
        if len(statuses) > 1 or (one.values is None and statuses == {"present"}):
            finding.status, finding.detail = "different", "the servers disagree"
        each = "; ".join(f"{_who(reply)}: {_had(one, reply)}" for reply in usable)
        finding.problems.append(f"the servers disagree: {each}")
    return finding


def _verdict(one: Query, reply: Reply) -> tuple[str, str]:
    if reply.kind == "cname":
        return "different", f"a CNAME is there, to {reply.values[0]}"
    if reply.kind == "nxdomain":
        return "missing", "there is no such name (NXDOMAIN)"
    if reply.kind == "nodata":
        return "missing", f"the name has no {one.type} record (NODATA)"
    if one.values is None:
        return "present", ""
    return values.compare(one.name, one.type, one.values, reply.values)


def _with_a_way(replies: Sequence[Reply]) -> list[Reply]:
    """Return the replies without addresses of a kind that this machine has not (IPv6), if the server has another."""
    reached = {reply.server.name for reply in replies if reply.kind != "unrouted"}
    return [reply for reply in replies if reply.kind != "unrouted" or reply.server.name not in reached]


def _who(reply: Reply) -> str:
    return f"{reply.server.name} ({reply.server.address or 'no address'})"


def _had(one: Query, reply: Reply) -> str:
    if reply.kind == "found":
        return ", ".join(repr(value) for value in reply.values)
    return _verdict(one, reply)[1]
