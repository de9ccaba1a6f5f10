# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP server that takes every mail and every login, on several ports, and tells by which one it came."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType


@dataclass(frozen=True)
class Received:
    """One mail: the port it came to, the envelope's sender and recipients, and the message."""

    port: int
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


class SmtpSink:
    """Listens while the `with` block lasts, at this machine's address on the way to `peer`.

    A mail is in `received` before its sender is told that it was taken, so nobody has to wait for it.
    """

    def __init__(self, peer: str, ports: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
            route.connect((peer, 9))  # sends nothing
            self.host: str = route.getsockname()[0]
        self._listening = [socket.create_server((self.host, 0)) for _number in range(ports)]
        self.ports: list[int] = [one.getsockname()[1] for one in self._listening]
        self.received: list[Received] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._servers: list[asyncio.Server] = []

    def __enter__(self) -> SmtpSink:
        self._thread.start()
        for one in self._listening:
            starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._session, sock=one), self._loop)
            self._servers.append(starting.result())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for server in self._servers:
            self._loop.call_soon_threadsafe(server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        sender, recipients = "", []
        writer.write(b"220 sink\r\n")
        while line := (await reader.readline()).decode().strip():
            verb, _space, rest = line.partition(" ")
            answer = b"250 ok\r\n"
            match verb.upper():
                case "EHLO":
                    answer = b"250-sink\r\n250 AUTH PLAIN\r\n"
                case "AUTH":
                    answer = b"235 ok\r\n"
                case "MAIL":
                    sender, recipients = _path(rest), []
                case "RCPT":
                    recipients.append(_path(rest))
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    message = email.message_from_bytes(data[:-3].replace(b"\r\n..", b"\r\n."), policy=email.policy.SMTP)
                    assert isinstance(message, EmailMessage)
                    self.received.append(Received(port, sender, tuple(recipients), message))
                case "QUIT":
                    answer = b"221 bye\r\n"
            writer.write(answer)
            await writer.drain()
        writer.close()


def _path(argument: str) -> str:
    """Return the address in `FROM:<address> SIZE=1` and the like."""
    return argument.partition("<")[2].partition(">")[0]
