# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the authoritative servers of a zone have, each asked itself: no cache stands between; then what caches keep."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import mistakes, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.finding import (
    Finding,
    Query,
    Reply,
    Server,
    cached,
    judged,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns.question import (
    Content,
    Questions,
    Referral,
    Trouble,
    content,
    records,
    remembered,
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
# Zone, its servers, their addresses, the records, likely mistakes or caches: so many questions follow one another.
ROUNDS = 5


def system_resolvers() -> list[str]:
    """Return the addresses of this machine's resolvers; ValidationError if it has none."""
    try:
        return [str(server) for server in dns.resolver.Resolver().nameservers]
    except dns.resolver.NoResolverConfiguration as error:
        raise ValidationError(f"this machine has no resolver: {error}", "Name one in resolver.") from None


def look_up(
    queries: Sequence[Query],
    resolvers: Sequence[str],
    timeout: float = 3.0,
    port: int = 53,
    caches: Sequence[str] = (),
) -> list[Finding]:
    """Ask the authoritative servers and return what came of each query, in the same order.

    `resolvers` are addresses; they tell where the zones and their servers are. `caches` are addresses of resolvers that
    are asked for the records afterwards, where the servers are right: who asks too early has them remember what is
    wrong. `timeout` is in seconds, for each question; all of it takes about ROUNDS times that at most. Raises
    ValidationError.
    """
    for resolver in (*resolvers, *caches):
        try:
            ipaddress.ip_address(resolver)
        except ValueError:
            raise ValidationError(f"resolver {resolver!r} is no address", "Name it by its IP address.") from None
    if not 0 < timeout <= 300:
        raise ValidationError(f"timeout is {timeout:g} s", "It must be more than 0 and at most 300.")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        look = _LookUp(pool, resolvers, Questions(timeout, ROUNDS * timeout, port))
        findings = look.findings(queries)
        look.suspect(findings)
        look.compare(findings, caches)
        return findings


class _LookUp:
    """One look-up: first where to ask, then all questions at once."""

    def __init__(self, pool: ThreadPoolExecutor, resolvers: Sequence[str], questions: Questions) -> None:
        self._pool = pool
        self._resolvers = resolvers
        self._questions = questions
        self._known: dict[dns.name.Name, list[str]] = {}

    def findings(self, queries: Sequence[Query]) -> list[Finding]:
        """Return what came of each query."""
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

    def suspect(self, findings: Sequence[Finding]) -> None:
        """See which mistakes are behind what is not as wanted."""
        asked = [(finding, one) for finding in findings for one in mistakes.suspects(finding)]
        replies = list(self._pool.map(lambda each: self._suspected(*each), asked))
        for finding in findings:
            mine = {
                one: reply for (of, one), reply in zip(asked, replies, strict=True) if of is finding and reply.usable
            }
            finding.hints = mistakes.hints(finding, mine)

    def _suspected(self, finding: Finding, one: Query) -> Reply:
        zone = dns.name.from_text(finding.zone)
        reply = self._reply(one, zone, finding.told[0].server)
        # What is in a zone below is no wildcard of this one, nor made by appending it.
        return Reply(finding.told[0].server, "lame") if isinstance(reply, Referral) else reply

    def compare(self, findings: Sequence[Finding], caches: Sequence[str]) -> None:
        """See what caches keep of that in which the zone's servers are right."""
        asked = [(finding, cache) for finding in findings if finding.right for cache in caches]
        replies = self._pool.map(lambda each: self._cached(each[0].query, each[1]), asked)
        for (finding, _cache), reply in zip(asked, replies, strict=True):
            finding.caches.append(cached(finding, reply))

    def _cached(self, one: Query, cache: str) -> Reply:
        server = Server(cache, cache)
        try:
            has = remembered(self._questions.ask(cache, one.name, one.type, recursive=True), one.name, one.type)
        except Trouble as trouble:
            return Reply(server, trouble.kind, detail=trouble.detail)
        return Reply(server, has.kind, has.values, ttl=has.ttl)

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
        return Reply(server, has.kind, has.values, ttl=has.ttl)

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

        A label with an underscore begins no zone, or one to which the zone above refers. Such a name is often about to
        be published, and is not asked for: resolvers would remember for a while that there is none.

        Where resolvers fail the servers of the zone above are asked; they refer to those below.
        """
        failed = None
        at = name
        while any(label.startswith(b"_") for label in at.labels):
            at = at.parent()
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
