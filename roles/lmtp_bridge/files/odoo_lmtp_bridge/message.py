# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bridge reads in a message's header, and the trace fields it puts there. Pure.

Lines end here where Python's ``email`` package, which Odoo uses, ends them: at CRLF, LF or CR.
Otherwise a field could hide from the bridge behind a lone CR and still be seen by Odoo.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

_EOL = rb"(?>\r\n|\r|\n)"
_VALUE = rb"[^\r\n]*(?:" + _EOL + rb"[ \t][^\r\n]*)*"
_HEADER = re.compile(rb"(?>(?:[!-9;-~]*:|From )" + _VALUE + rb"(?:" + _EOL + rb"|\Z))*")
_FIELD = re.compile(rb"[!-9;-~]*:(" + _VALUE + rb")(?:" + _EOL + rb"|\Z)")
# odoo.addons.mail: message_parse
_RECIPIENT_FIELDS = (b"to", b"cc", b"resent-to", b"resent-cc")
_WORD = rb"[^\s<>()\[\],;:\"@]"
# Begins where a word does: tried at each letter, a long one without "@" would take minutes.
_ADDRESS = re.compile(rb"(?<!" + _WORD + rb")" + _WORD + rb"++@" + _WORD + rb"+")
_COMMENT = re.compile(rb"\([^()]*\)")
_BY = re.compile(rb"(?:^|\s)by\s+([^\s;]+)", re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"<[^<>\s]+>")


@dataclass(frozen=True)
class Message:
    """A message in three parts, so that a large one need not be copied: the bridge's trace fields,
    the rest of the header, and what comes after it, with the empty line."""

    trace: bytes
    header: bytes
    body: memoryview

    @property
    def parts(self) -> tuple[bytes, bytes, memoryview]:
        return self.trace, self.header, self.body

    def __len__(self) -> int:
        return len(self.trace) + len(self.header) + len(self.body)

    def __bytes__(self) -> bytes:
        return b"".join(self.parts)


@dataclass(frozen=True)
class Header:
    """The fields that delivery needs.

    `key` names the message: its Message-Id if that is ``<…>``, or else the SHA-256 of its bytes,
    as other messages may have the same broken one. `message_id` is what there is, for the log;
    `thread` the conversation: the first of its References, or else itself.
    `received` are the values of the Received fields, the latest first; `delivered_to` has the
    addresses in Delivered-To fields, lower-case, and how many Received fields stand above.
    """

    message_id: str
    key: str
    thread: str
    received: tuple[bytes, ...]
    delivered_to: Mapping[str, int]

    @cached_property
    def _received_by(self) -> tuple[str, ...]:
        return tuple(map(_received_by, self.received))

    def is_loop(self, address: str, host: str) -> bool:
        """Whether it passed the gateway `host` before it was delivered to `address`, and now
        comes again.

        A Delivered-To alone proves nothing: a mailbox of the same address elsewhere, which
        forwards its mail or is fetched from, has put it there, and Odoo never sends a message on.
        """
        above = self.delivered_to.get(address)
        if above is None or not host:
            return False
        passed = [by == host.lower() for by in self._received_by]
        return sum(passed) > 1 and any(passed[above:])


def _fields(content: bytes, *names: bytes) -> Iterator[tuple[bytes, bytes, int, int]]:
    """(name, raw value, start, end) of each field with one of the lower-case names, in order."""
    lower = content[: _header_end(content)].lower()
    starts = []
    for name in names:
        field = name + b":"
        start = lower.find(field)
        while start >= 0:
            # A line that continues another begins with a blank.
            if start == 0 or lower[start - 1] in b"\r\n":
                starts.append((start, name))
            start = lower.find(field, start + 1)
    for start, name in sorted(starts):
        match = _FIELD.match(content, start)
        assert match, "the header consists of fields"
        yield name, match[1], start, match.end()


def _header_end(content: bytes) -> int:
    match = _HEADER.match(content)
    return match.end() if match else 0


def read_header(content: bytes) -> Header:
    """The Header of the message `content`."""
    message_id = references = b""
    received: list[bytes] = []
    delivered_to: dict[str, int] = {}
    for name, value, _start, _end in _fields(
        content, b"message-id", b"references", b"received", b"delivered-to"
    ):
        if name == b"message-id":
            message_id = message_id or value.strip()
        elif name == b"references":
            references = references or value
        elif name == b"received":
            received.append(value)
        else:
            for part in value.decode("utf-8", "replace").lower().split(","):
                delivered_to.setdefault(part.strip(" \t\r\n<>"), len(received))
    found = _MESSAGE_ID.search(message_id)
    message_id = found[0] if found else message_id
    key = message_id.decode("latin-1") if found else hashlib.sha256(content).hexdigest()
    root = _MESSAGE_ID.search(references)
    return Header(
        message_id=message_id.decode("latin-1"),
        key=key,
        thread=root[0].decode("latin-1") if root else key,
        received=tuple(received),
        delivered_to=delivered_to,
    )


def _received_by(value: bytes) -> str:
    """The lower-case name after ``by`` in a Received field (RFC 5321, 4.4), or nothing."""
    value = value[:2000]
    while (bare := _COMMENT.sub(b" ", value)) != value:
        value = bare
    found = _BY.search(value)
    return found[1].decode("ascii", "replace").lower() if found else ""


def with_trace(content: bytes, sender: str, recipients: Sequence[str]) -> Message:
    """The message as Odoo gets it: Return-Path and one comma-separated Delivered-To before it,
    its own Delivered-To fields taken out, every other byte as it came.

    Odoo finds its recipients in headers only, so the envelope's must stand there; several
    Delivered-To fields break Odoo 15.
    """
    return Message(trace(sender, recipients), *_without(b"delivered-to", content))


def trace(sender: str, recipients: Sequence[str]) -> bytes:
    """The fields that tell Odoo the envelope."""
    return f"Return-Path: <{sender}>\r\nDelivered-To: {', '.join(recipients)}\r\n".encode()


def with_message_id(content: bytes, message_id: str) -> bytes:
    """The message with another Message-Id, or with one where there was none."""
    field = f"Message-Id: {message_id}\r\n".encode("latin-1")
    return b"".join((field, *_without(b"message-id", content)))


def named_recipients(content: bytes) -> frozenset[str]:
    """The lower-case addresses in the fields that Odoo takes recipients from, next to our
    Delivered-To."""
    return frozenset(
        address
        for _name, value, _start, _end in _fields(content, *_RECIPIENT_FIELDS)
        for address in _addresses(value)
    )


def without_recipients(content: bytes, unwanted: Collection[str]) -> bytes:
    """The message with ``X-Original-`` before the name of each field that Odoo takes recipients
    from and that names an address with one of these local parts (lower-case)."""
    parts: list[bytes | memoryview] = []
    done = 0
    for _name, value, start, _end in _fields(content, *_RECIPIENT_FIELDS):
        if any(address.partition("@")[0] in unwanted for address in _addresses(value)):
            parts += (content[done:start], b"X-Original-")
            done = start
    return b"".join((*parts, memoryview(content)[done:])) if parts else content


def _addresses(value: bytes) -> list[str]:
    return [found.decode("utf-8", "replace").lower() for found in _ADDRESS.findall(value)]


def _without(dropped: bytes, content: bytes) -> tuple[bytes, memoryview]:
    """The header without the fields of one name, to stand below other fields, and the rest."""
    header = bytearray()
    done = 0
    for _name, _value, start, after in _fields(content, dropped):
        header += content[done:start]
        done = after
    end = _header_end(content)
    header += content[done:end]
    if end == 0 and content[:1] in (b" ", b"\t"):
        # Not a header (Postfix sees it so too), and it must not continue the line above.
        header += b"\r\n"
    elif header.endswith(b"\r") and content[end : end + 1] == b"\n":
        # Brought together they would be one end of line, where there were two.
        header += b"\n"
    return bytes(header), memoryview(content)[end:]


def printable(text: str, limit: int) -> str:
    """`text` as one line of printable ASCII of at most `limit` characters, for an SMTP answer
    or the log."""
    flat = " ".join(text[: 4 * limit].split())
    if flat.isascii() and flat.isprintable():
        return flat[:limit]
    return "".join(c if " " <= c <= "~" else "?" for c in flat)[:limit]
