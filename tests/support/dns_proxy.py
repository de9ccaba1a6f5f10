# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy before a DNS server: notes each message over TCP, and does what a network does at the wrong moment."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

import dns.name
import dns.opcode
import dns.rdatatype


class Call(NamedTuple):
    """A message: `QUERY` or `UPDATE`, and the name and type of its question, which is the zone of an update."""

    opcode: str
    name: str
    type: str


class Proxy:
    """`before_update` is called before an update is passed on, with its number from 0.

    `lose` says what is lost of every update: its `question`, which then never arrives, or its `answer`.
    """

    def __init__(self, address: str, port: int) -> None:
        self.calls: list[Call] = []
        self.before_update: Callable[[int], None] | None = None
        self.lose = ""
        self._target = (address, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def updates(self) -> int:
        """Return how many updates were asked for."""
        return sum(call.opcode == "UPDATE" for call in self.calls)

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=[client], daemon=True).start()

    def _connection(self, client: socket.socket) -> None:
        # A client may be gone before it has its answer.
        with contextlib.suppress(ConnectionError), client, socket.create_connection(self._target) as server:
            asked, told = client.makefile("rb"), server.makefile("rb")
            while message := _frame(asked):
                call = _call(message)
                self.calls.append(call)
                losing = call.opcode == "UPDATE" and self.lose
                if call.opcode == "UPDATE" and self.before_update:
                    self.before_update(self.updates() - 1)
                if losing == "question":
                    return
                server.sendall(message)
                answer = _frame(told)
                if losing or not answer:
                    return
                client.sendall(answer)


@contextmanager
def proxied(address: str, port: int) -> Iterator[Proxy]:
    """Yield a proxy on the loopback."""
    proxy = Proxy(address, port)
    try:
        yield proxy
    finally:
        proxy.close()


def _frame(stream: BinaryIO) -> bytes:
    """Return a message with its length before it; empty if the connection has ended."""
    length = stream.read(2)
    return length + stream.read(struct.unpack("!H", length)[0]) if len(length) == 2 else b""


def _call(frame: bytes) -> Call:
    wire = frame[2:]
    name, used = dns.name.from_wire(wire, 12)
    (record_type,) = struct.unpack_from("!H", wire, 12 + used)
    opcode = dns.opcode.from_flags(int.from_bytes(wire[2:4], "big"))
    return Call(dns.opcode.to_text(opcode), name.to_text(True), dns.rdatatype.to_text(record_type))
