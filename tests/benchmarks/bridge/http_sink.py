# SPDX-License-Identifier: GPL-3.0-or-later
"""In Odoo's place: takes every mail at once and forgets it. Arguments: port, addresses in the list, seconds for a mail.

Answers the addon's interface, and XML-RPC for Odoo's mailgate script. On plain sockets and uvloop, so that it costs as
little as it can beside what is measured.
"""

import asyncio
import json
import re
import sys
import xmlrpc.client
from collections.abc import Callable

import uvloop

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_RECIPIENTS = re.compile(rb"(?i)\r\nx-mail-recipients: *([^\r]*)")
_DONE = xmlrpc.client.dumps((True,), methodresponse=True).encode()


def _answer(body: bytes, kind: str = "application/json") -> bytes:
    head = f'HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nETag: "1"\r\nContent-Length: {len(body)}\r\n\r\n'
    return head.encode() + body


def address_list(count: int) -> bytes:
    """The addon's answer with so many addresses, of which one is sales@acme.example."""
    addresses = ["sales@acme.example", *(f"address-{number:08d}@acme.example" for number in range(count - 1))]
    entries = [{"address": address, "kind": "alias"} for address in sorted(addresses)]
    return json.dumps({"version": 1, "database": "prod", "series": 19, "addresses": entries}).encode()


class Connection(asyncio.Protocol):
    """Answers one request after another."""

    def __init__(self, listing: bytes, delay: float) -> None:
        self._listing = _answer(listing)
        self._delay = delay
        self._buffer = bytearray()
        self._needed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write: Callable[[bytes], None] = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) < self._needed:
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, end)
        self._needed = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < self._needed:
            return
        self._needed = 0
        answer = self._respond(bytes(self._buffer[: end + 2]))
        self._buffer.clear()
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._write, answer)
        else:
            self._write(answer)

    def _respond(self, head: bytes) -> bytes:
        if head.startswith(b"GET"):
            return self._listing
        if b" /mail_delivery/" not in head.partition(b"\r\n")[0]:
            return _answer(_DONE, "text/xml")
        match = _RECIPIENTS.search(head)
        results = [
            {"recipient": recipient, "code": 250, "enhanced": "2.0.0", "text": "delivered"}
            for recipient in (json.loads(match[1]) if match else [])
        ]
        return _answer(json.dumps({"version": 1, "message_id": "<x@y>", "results": results}).encode())


async def main(port: int, addresses: int, delay: float) -> None:
    listing = address_list(addresses)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(listing, delay), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
