# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS servers on loopback addresses, all on one port, that do what a test wants, decent or not."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

# Returns the answer to a question: a message, bytes to send as they are, or nothing to stay silent.
Handler = Callable[[dns.message.Message], "dns.message.Message | bytes | None"]
UDP_BYTES = 512


class Zones:
    """The zones of a small world, from their texts: authoritative servers and a resolver that know them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._zones = {
            dns.name.from_text(origin): dns.zone.from_text(
                f"@ 60 SOA ns hostmaster 1 60 60 60 60\n{text}",
                origin,
                relativize=False,
                check_origin=False,
            )
            for origin, text in texts.items()
        }

    def server(self, *origins: str) -> Handler:
        """Return an authoritative server of these zones."""
        zones = {dns.name.from_text(origin) for origin in origins}

        def handle(question: dns.message.Message) -> dns.message.Message:
            answer = dns.message.make_response(question)
            mine = [zone for zone in zones if question.question[0].name.is_subdomain(zone)]
            if mine:
                self._fill(answer, max(mine, key=len), delegating=True)
            else:
                answer.set_rcode(dns.rcode.REFUSED)
            return answer

        return handle

    def resolver(self, broken: tuple[str, ...] = ()) -> Handler:
        """Return a resolver that knows all zones; for names in the broken ones it has SERVFAIL."""

        def handle(question: dns.message.Message) -> dns.message.Message:
            answer = dns.message.make_response(question, recursion_available=True)
            name = question.question[0].name
            if any(name.is_subdomain(dns.name.from_text(zone)) for zone in broken):
                answer.set_rcode(dns.rcode.SERVFAIL)
                return answer
            self._fill(answer, max((zone for zone in self._zones if name.is_subdomain(zone)), key=len), False)
            answer.flags &= ~dns.flags.AA
            return answer

        return handle

    def both(self, *origins: str) -> Handler:
        """Return a server of these zones that is a resolver too, for who asks it to be one."""
        resolver, server = self.resolver(), self.server(*origins)
        return lambda question: (resolver if question.flags & dns.flags.RD else server)(question)

    def _fill(self, answer: dns.message.Message, origin: dns.name.Name, delegating: bool) -> None:
        """Answer from a zone, or refer to one below it."""
        zone, name, wanted = self._zones[origin], answer.question[0].name, answer.question[0].rdtype
        cut = self._cut(zone, origin, name) if delegating else None
        if cut:
            answer.authority.append(cut)
            for server in cut:
                glue = zone.get_rrset(server.target, "A")
                if glue:
                    answer.additional.append(glue)
            return
        answer.flags |= dns.flags.AA
        source = self._source(zone, name)
        there = source and (zone.get_rrset(source, wanted) or zone.get_rrset(source, "CNAME"))
        if there:
            answer.answer.append(dns.rrset.from_rdata_list(name, there.ttl, there))
            return
        answer.authority.append(zone.get_rrset(origin, "SOA"))
        if source is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)

    @staticmethod
    def _source(zone: dns.zone.Zone, name: dns.name.Name) -> dns.name.Name | None:
        """Return the name whose records are the answer: itself, or a wildcard (RFC 4592); None if there is none."""
        encloser = name
        while not any(known.is_subdomain(encloser) for known in zone.nodes):
            encloser = encloser.parent()
        if encloser == name:
            return name
        wildcard = dns.name.Name((b"*", *encloser.labels))
        return wildcard if wildcard in zone.nodes else None

    @staticmethod
    def _cut(zone: dns.zone.Zone, origin: dns.name.Name, name: dns.name.Name) -> dns.rrset.RRset | None:
        while name != origin:
            found = zone.get_rrset(name, "NS")
            if found:
                return found
            name = name.parent()
        return None


@contextlib.contextmanager
def answering(handlers: Mapping[str, Handler], tcp: bool = True, port: int = 0) -> Iterator[int]:
    """Serve at each address by its handler while the `with` block lasts; yield the port, by default any that is free.

    Long UDP answers are cut.
    """
    with contextlib.ExitStack() as stack:
        port, sockets = _bound(list(handlers), tcp, port)
        for udp, listener, handler in zip(*sockets, handlers.values(), strict=True):
            threads = [threading.Thread(target=_serve_udp, args=[udp, handler], daemon=True)]
            if listener:
                threads.append(threading.Thread(target=_serve_tcp, args=[listener, handler], daemon=True))
            for thread in threads:
                thread.start()
            stack.callback(_end, [udp, listener], threads)
        yield port


def _bound(
    addresses: list[str], tcp: bool, wanted: int
) -> tuple[int, tuple[list[socket.socket], list[socket.socket | None]]]:
    """Return the wanted port, or one that is free at all addresses, and sockets there."""
    while True:
        udps: list[socket.socket] = []
        listeners: list[socket.socket | None] = []
        port = wanted
        try:
            for address in addresses:
                udps.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                udps[-1].bind((address, port))
                port = udps[-1].getsockname()[1]
                listeners.append(socket.create_server((address, port)) if tcp else None)
            return port, (udps, listeners)
        except OSError:
            for one in [*udps, *listeners]:
                if one:
                    one.close()
            if wanted:
                raise


def _end(sockets: list[socket.socket | None], threads: list[threading.Thread]) -> None:
    for one in sockets:
        if one:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
    # The port is in use for as long as one of them still waits there.
    for thread in threads:
        thread.join(10)
    for one in sockets:
        if one:
            one.close()


def _serve_udp(udp: socket.socket, handler: Handler) -> None:
    while True:
        try:
            data, client = udp.recvfrom(4096)
        except OSError:
            return
        if not data:
            return
        question = dns.message.from_wire(data)
        answer = handler(question)
        if isinstance(answer, dns.message.Message):
            limit = question.payload or UDP_BYTES
            wire = answer.to_wire(max_size=65535)
            if len(wire) > limit:
                cut = dns.message.make_response(question)
                cut.flags |= dns.flags.TC | dns.flags.AA
                wire = cut.to_wire()
            answer = wire
        if answer is not None:
            with contextlib.suppress(OSError):
                udp.sendto(answer, client)


def _serve_tcp(listener: socket.socket, handler: Handler) -> None:
    while True:
        try:
            connection, _client = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError, struct.error):
            stream = connection.makefile("rb")
            (length,) = struct.unpack("!H", stream.read(2))
            answer = handler(dns.message.from_wire(stream.read(length)))
            if answer is not None:
                wire = answer if isinstance(answer, bytes) else answer.to_wire(max_size=65535)
                connection.sendall(struct.pack("!H", len(wire)) + wire)
