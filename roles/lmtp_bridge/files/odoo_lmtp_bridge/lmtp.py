# SPDX-License-Identifier: GPL-3.0-or-later
"""LMTP (RFC 2033) on an asyncio Protocol: exactly one answer per accepted recipient after DATA,
whatever happens in between."""

import asyncio
import logging
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from .budget import ByteBudget
from .directory import Recipient
from .message import printable

_log = logging.getLogger(__name__)

# RFC 5321 has 512 octets; SMTPUTF8 addresses and parameters make lines longer.
_MAX_COMMAND = 4096
# The addresses of one transaction travel in one HTTP header line, for which proxies have 8 KiB.
_MAX_RECIPIENT_BYTES = 6000
# How long a connection outside a transaction may stay quiet while the service stops. A client
# that has just had its banner or its RSET answered sends MAIL at once.
_DRAIN_QUIET = 0.5

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PATH = re.compile(rf"\s*<((?:[^\">]++|{_QUOTED})*+)>(?:\s+(.*))?\s*")
_ROUTE = re.compile(r"@[^:]*:")


@dataclass(frozen=True)
class Reply:
    """One answer of one line. `enhanced` is an RFC 3463 status; `text` may be anything."""

    code: int
    enhanced: str
    text: str

    def line(self) -> bytes:
        return f"{self.code} {self.enhanced} {printable(self.text, 200)}\r\n".encode("ascii")


@dataclass(frozen=True)
class Envelope:
    """A whole message. `recipients` as accepted at RCPT: in order, with duplicates;
    `content` as sent, unstuffed, without the terminator. `client` is the name that the client
    gave itself with LHLO, which for Postfix is its own myhostname; empty if there was none."""

    sender: str
    recipients: tuple[Recipient, ...]
    content: bytes
    client: str = ""


class Handler(Protocol):
    """What decides and delivers behind the protocol."""

    def recipient(self, address: str) -> Recipient | Reply:
        """The known recipient that an RCPT address means, or the refusal."""

    async def deliver(self, envelope: Envelope) -> Sequence[Reply]:
        """One Reply per recipient of the envelope, in order."""


@dataclass(frozen=True)
class Limits:
    """Bytes and seconds."""

    message_size: int
    idle_timeout: float = 300


class Session(asyncio.Protocol):
    """One connection. `sessions` holds it while it is open."""

    def __init__(
        self,
        handler: Handler,
        limits: Limits,
        budget: ByteBudget,
        sessions: "set[Session]",
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_close` is called when the connection is gone."""
        self._handler = handler
        self._limits = limits
        self._budget = budget
        self._sessions = sessions
        self._on_close = on_close
        self._buffer = bytearray()
        self._replies: list[bytes] = []
        self._client = ""
        self._sender: str | None = None
        self._recipients: list[Recipient] = []
        self._recipient_bytes = 0
        self._receiving = False
        self._scanned = 0
        self._stuffed = False
        self._oversize = False
        self._skipping_line = False
        self._delivery: asyncio.Task[None] | None = None
        self._paused = False
        self._eof = False
        self._draining = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._loop = asyncio.get_running_loop()
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._last_activity = self._loop.time()
        self._idle_timer = self._loop.call_later(self._limits.idle_timeout, self._check_idle)
        self._sessions.add(self)
        self._answer(f"220 {socket.gethostname()} LMTP odoo-lmtp-bridge")
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._last_activity = self._loop.time()
        self._buffer += data
        if self._receiving:
            self._budget.charge(self, len(data))
        if self._delivery is not None:
            # Nothing is read ahead of the answers but what came with the message.
            self.pause_reading()
            return
        self._consume()

    def eof_received(self) -> bool:
        # A client may half-close after its QUIT and still wait for the answers.
        self._eof = True
        return self._delivery is not None

    def connection_lost(self, exc: Exception | None) -> None:
        self._idle_timer.cancel()
        self._sessions.discard(self)
        self._buffer.clear()
        if self._delivery is None:
            self._budget.release(self)
        # A delivery under way goes on: Odoo may have the mail already. The client did not get
        # its answers and comes again; the addon's ledger knows what was done.
        self._on_close()

    # Closing down

    @property
    def delivery(self) -> asyncio.Task[None] | None:
        """The delivery under way, if any."""
        return self._delivery

    def drain(self) -> None:
        """Close as soon as no transaction is under way."""
        if not self._draining:
            self._draining = True
            self._close_when_quiet()

    def close(self) -> None:
        self._transport.close()

    def _close_when_quiet(self) -> None:
        if self._transport.is_closing():
            return
        quiet = self._loop.time() - self._last_activity
        if self._sender is None and quiet >= _DRAIN_QUIET:
            self._transport.close()
        else:
            self._loop.call_later(_DRAIN_QUIET, self._close_when_quiet)

    def _check_idle(self) -> None:
        waiting_for_client = self._delivery is None and not self._paused
        idle = self._loop.time() - self._last_activity if waiting_for_client else 0
        if idle >= self._limits.idle_timeout:
            # No 421: Postfix takes one for a dead destination.
            _log.info("closing a connection that was idle for %d s", idle)
            self._transport.close()
            return
        self._idle_timer = self._loop.call_later(self._limits.idle_timeout - idle, self._check_idle)

    # Flow control

    def pause_reading(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            self._last_activity = self._loop.time()
            if not self._transport.is_closing():
                self._transport.resume_reading()

    # Reading

    def _consume(self) -> None:
        while self._buffer and self._delivery is None and not self._transport.is_closing():
            if not (self._read_message() if self._receiving else self._read_command()):
                break
        self._flush()

    def _read_message(self) -> bool:
        """Takes the message out of the buffer if it is whole. The buffer starts with the CRLF
        of the DATA line, so that an empty message ends like any other."""
        # Mostly the first line that begins with a dot is the last of all: one search is enough.
        dot = self._buffer.find(b"\r\n.", self._scanned)
        end = self._buffer.find(b"\r\n.\r\n", dot) if dot >= 0 else -1
        self._stuffed = self._stuffed or dot != end
        if end < 0:
            self._scanned = max(0, len(self._buffer) - 4)
            # Dot-stuffing makes a message longer by a third at the most (RFC 5321, 4.5.2).
            if len(self._buffer) > self._limits.message_size * 4 // 3 + 8:
                self._oversize = True
            if self._oversize:
                del self._buffer[: self._scanned]
                self._scanned = 0
                self._budget.refund(self, len(self._buffer))
            return False
        content = b""
        if not self._oversize:
            content = bytes(memoryview(self._buffer)[2 : end + 2])
            if self._stuffed:
                content = content.replace(b"\r\n.", b"\r\n")
                content = content[1:] if self._buffer[2:3] == b"." else content
        del self._buffer[: end + 5]
        self._receiving = False
        self._budget.received(self)
        if self._oversize or len(content) > self._limits.message_size:
            self._finish([_TOO_LARGE] * len(self._recipients))
        else:
            recipients = tuple(self._recipients)
            envelope = Envelope(self._sender or "", recipients, content, self._client)
            self._delivery = self._loop.create_task(self._deliver(envelope))
        return True

    async def _deliver(self, envelope: Envelope) -> None:
        expected = len(envelope.recipients)
        try:
            replies = list(await self._handler.deliver(envelope))
            if len(replies) != expected:
                raise RuntimeError(f"{len(replies)} answers for {expected} recipients")
        except asyncio.CancelledError:
            replies = [Reply(451, "4.3.2", "Service is stopping, try again")] * expected
        except Exception:
            _log.exception("delivery failed")
            replies = [Reply(451, "4.3.0", "Internal error, try again")] * expected
        self._delivery = None
        self._finish(replies)
        if self._transport.is_closing():
            return
        self._consume()
        if self._delivery is None and (self._eof or (self._draining and self._sender is None)):
            self._transport.close()

    def _finish(self, replies: Sequence[Reply]) -> None:
        """The answers to a transaction, which ends with them."""
        self._replies.extend(reply.line() for reply in replies)
        self._reset()
        self._flush()
        self._budget.release(self)
        self._last_activity = self._loop.time()
        self.resume_reading()

    def _read_command(self) -> bool:
        end = self._buffer.find(b"\n")
        # The CR of a line that is just not too long may be there already.
        if end < 0 and len(self._buffer) <= _MAX_COMMAND + 1:
            return False
        if end < 0:
            self._skipping_line = True
            self._buffer.clear()
            return False
        line = bytes(memoryview(self._buffer)[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        if self._skipping_line or len(line) > _MAX_COMMAND:
            self._skipping_line = False
            self._answer("500 5.5.2 Line too long")
            return True
        self._command(line)
        return True

    # Commands

    def _command(self, line: bytes) -> None:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            self._answer("500 5.5.2 Not UTF-8")
            return
        if not text.isprintable():
            self._answer("500 5.5.2 Control character in a command")
            return
        verb, _blank, argument = text.partition(" ")
        method = _COMMANDS.get(verb.upper())
        if method is None:
            self._answer("500 5.5.1 Unknown command, this is LMTP")
        else:
            method(self, argument)

    def _lhlo(self, argument: str) -> None:
        if not argument.strip():
            self._answer("501 5.5.4 LHLO needs a name")
            return
        self._client = argument.strip()
        self._reset()
        self._answer(f"250-{socket.gethostname()}")
        for extension in ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"):
            self._answer(f"250-{extension}")
        self._answer(f"250 SIZE {self._limits.message_size}")

    def _mail(self, argument: str) -> None:
        if not self._client:
            self._answer("503 5.5.1 LHLO first")
            return
        if self._sender is not None:
            self._answer("503 5.5.1 A transaction is open")
            return
        path = _path(argument, "FROM:")
        if path is None:
            self._answer("501 5.5.4 MAIL FROM:<address> is needed")
            return
        sender, parameters = path
        refusal = _refused_parameter(parameters, self._limits.message_size)
        if refusal is not None:
            self._replies.append(refusal.line())
            return
        self._sender = sender
        self._answer("250 2.1.0 Sender accepted")

    def _rcpt(self, argument: str) -> None:
        if self._sender is None:
            self._answer("503 5.5.1 MAIL first")
            return
        path = _path(argument, "TO:")
        if path is None or not path[0]:
            self._answer("501 5.5.4 RCPT TO:<address> is needed")
            return
        address, parameters = path
        if parameters:
            self._answer("555 5.5.4 No RCPT parameter is known here")
            return
        decision = self._handler.recipient(address)
        if isinstance(decision, Reply):
            self._replies.append(decision.line())
            return
        if self._recipient_bytes + len(decision.address) > _MAX_RECIPIENT_BYTES:
            self._answer("452 4.5.3 Too many recipients at once, send the rest separately")
            return
        self._recipient_bytes += len(decision.address)
        self._recipients.append(decision)
        self._answer("250 2.1.5 Recipient accepted")

    def _data(self, argument: str) -> None:
        if argument:
            self._answer("501 5.5.4 DATA takes no argument")
        elif not self._recipients:
            self._answer("503 5.5.1 No valid recipients")
        else:
            self._answer("354 End with <CR><LF>.<CR><LF>")
            self._receiving = True
            self._stuffed = False
            self._scanned = 0
            self._buffer[:0] = b"\r\n"
            self._budget.begin(self, len(self._buffer))

    def _rset(self, argument: str) -> None:
        self._reset()
        self._answer("250 2.0.0 Reset")

    def _noop(self, argument: str) -> None:
        self._answer("250 2.0.0 OK")

    def _vrfy(self, argument: str) -> None:
        self._answer("252 2.1.5 Try RCPT")

    def _quit(self, argument: str) -> None:
        self._answer("221 2.0.0 Bye")
        self._flush()
        self._transport.close()

    # Answers

    def _answer(self, line: str) -> None:
        self._replies.append(f"{line}\r\n".encode("ascii", "replace"))

    def _flush(self) -> None:
        """One write for the answers to all that was pipelined."""
        if self._replies and not self._transport.is_closing():
            self._transport.write(b"".join(self._replies))
        self._replies.clear()

    def _reset(self) -> None:
        self._sender = None
        self._recipients = []
        self._recipient_bytes = 0
        self._oversize = False


_TOO_LARGE = Reply(552, "5.3.4", "Message too large")

_COMMANDS = {
    "LHLO": Session._lhlo,
    "MAIL": Session._mail,
    "RCPT": Session._rcpt,
    "DATA": Session._data,
    "RSET": Session._rset,
    "NOOP": Session._noop,
    "VRFY": Session._vrfy,
    "QUIT": Session._quit,
}


def _path(argument: str, keyword: str) -> tuple[str, list[str]] | None:
    """(address, parameters) of ``FROM:<address> parameters``; None if it is not that."""
    if argument[: len(keyword)].upper() != keyword:
        return None
    match = _PATH.fullmatch(argument[len(keyword) :])
    if match is None:
        return None
    address = _ROUTE.sub("", match[1], count=1) if match[1].startswith("@") else match[1]
    return address, (match[2] or "").split()


def _refused_parameter(parameters: Sequence[str], message_size: int) -> Reply | None:
    """The refusal of a MAIL command's parameters (RFC 1870, 6152, 6531), if there is one."""
    for parameter in parameters:
        key, _equals, value = parameter.upper().partition("=")
        if key == "SIZE":
            if not re.fullmatch(r"[0-9]{1,20}", value):
                return Reply(501, "5.5.4", "SIZE needs a number")
            if int(value) > message_size:
                return _TOO_LARGE
        elif key == "BODY":
            if value not in ("7BIT", "8BITMIME"):
                return Reply(501, "5.5.4", "BODY is 7BIT or 8BITMIME")
        elif key != "SMTPUTF8" or value:
            return Reply(555, "5.5.4", "Unknown MAIL parameter")
    return None
