# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed conversations with the primary server of a zone: TCP, and TSIG on every message (RFC 8945)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
import struct
import time
from collections.abc import Iterator, Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    ProtocolError,
    TemporaryError,
    UnreachableError,
    ValidationError,
)

try:
    import dns.exception
    import dns.message
    import dns.name
    import dns.rcode
    import dns.tsig
except ImportError:
    # Told by values.
    pass

ALGORITHMS = ("hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
# So many questions are on their way at once; the answers may come in any order (RFC 7766, 6.2.1).
WINDOW = 100
LARGEST = 65535  # bytes of a message
HEADER = 12  # bytes


def key(name: str, secret: str, algorithm: str) -> dns.tsig.Key:
    """Return a TSIG key; `secret` is in base64, as servers are configured with it. ValidationError if it is none."""
    try:
        decoded = base64.b64decode(secret.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ValidationError(
            "key_secret is not base64", "Give it as the configuration of the server has it, without quotation marks."
        ) from None
    try:
        return dns.tsig.Key(name.strip().lower(), decoded, algorithm)
    except dns.exception.DNSException as error:
        raise ValidationError(f"key_name {name!r} is no name: {error}") from None


class Primary:
    """A server at `host` and `port`. `timeout` is in seconds, for the connection and for each answer."""

    def __init__(self, host: str, port: int, tsig: dns.tsig.Key, timeout: float) -> None:
        self.shown = host if port == 53 else f"{host} port {port}"
        self.key_name = tsig.name.to_text(omit_final_dot=True)
        self._address = (host, port)
        self._key = tsig
        self._timeout = timeout

    def exchange(self, messages: Sequence[dns.message.Message]) -> list[dns.message.Message]:
        """Send messages and return their answers, in the same order.

        Raises UnreachableError if nothing was sent, TemporaryError if the connection broke after that,
        AuthenticationError if the server refuses the key, ProtocolError if an answer is of no use.
        """
        if not messages:
            return []
        answers = []
        with self._connected() as connection:
            for start in range(0, len(messages), WINDOW):
                window = messages[start : start + WINDOW]
                connection.settimeout(self._timeout)
                connection.sendall(self.signed(window))
                answers += self._answers(connection, window)
        return answers

    @contextlib.contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        try:
            connection = socket.create_connection(self._address, self._timeout)
        # The second of what cannot be the name of a host.
        except (OSError, UnicodeError) as error:
            raise UnreachableError(
                f"{self.shown} cannot be reached: {getattr(error, 'strerror', '') or error}",
                "Is server the zone's primary, and does it listen for TCP there?",
            ) from None
        with connection:
            try:
                yield connection
            except (OSError, EOFError) as error:
                told = f"no answer within {self._timeout:g} s" if isinstance(error, TimeoutError) else str(error)
                raise TemporaryError(f"the connection to {self.shown} broke: {told}", "Run the task again.") from None

    def signed(self, messages: Sequence[dns.message.Message]) -> bytes:
        """Return the messages as they are sent, signed. dns.exception.TooBig if one does not fit into 64 KiB."""
        wires = []
        for number, message in enumerate(messages):
            # Unlike chance, this tells them apart for certain. Who may answer is settled by the signature.
            message.id = number
            message.use_tsig(self._key)
            wires.append(message.to_wire(max_size=LARGEST))
        return b"".join(struct.pack("!H", len(wire)) + wire for wire in wires)

    def _answers(self, connection: socket.socket, messages: Sequence[dns.message.Message]) -> list[dns.message.Message]:
        answers: dict[int, dns.message.Message] = {}
        while len(answers) < len(messages):
            until = time.monotonic() + self._timeout
            (length,) = struct.unpack("!H", _read(connection, 2, until))
            wire = _read(connection, length, until)
            number = int.from_bytes(wire[:2], "big")
            if length < HEADER or number >= len(messages):
                raise ProtocolError(f"{self.shown} sends what is no answer")
            answers[number] = self._answer(wire, messages[number])
        return [answers[number] for number in range(len(messages))]

    def _answer(self, wire: bytes, message: dns.message.Message) -> dns.message.Message:
        """Return an answer whose signature is right."""
        try:
            answer = dns.message.from_wire(wire, keyring=message.keyring, request_mac=message.mac)
        except dns.tsig.PeerError as error:
            raise self._refused(error) from None
        except (dns.tsig.BadTime, dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm) as error:
            raise ProtocolError(f"{self.shown} does not sign its answer with the key: {error}") from None
        except dns.exception.DNSException as error:
            # An answer without a signature ends here too; it may be a refusal of its own kind.
            code = dns.rcode.to_text(dns.rcode.Rcode(wire[3] & 0xF))
            raise ProtocolError(f"{self.shown} gives no usable answer: {code}, {error}") from None
        if not answer.had_tsig:
            code = dns.rcode.to_text(answer.rcode())
            raise ProtocolError(f"{self.shown} does not sign its answer, {code}", "Does it know TSIG (RFC 8945)?")
        if not message.is_response(answer):
            raise ProtocolError(f"{self.shown} answers what was not asked")
        return answer

    def _refused(self, error: dns.tsig.PeerError) -> AuthenticationError:
        """Return what the server said of the key, with what to do (RFC 8945, 5.3)."""
        told, remedy = "refuses it", "Check key_name, key_algorithm and key_secret."
        if isinstance(error, dns.tsig.PeerBadKey):
            told = "knows no such key (BADKEY)"
            remedy = "Check key_name and key_algorithm against the server's configuration."
        elif isinstance(error, dns.tsig.PeerBadSignature):
            told = "has another secret for it (BADSIG)"
            remedy = "Check key_secret against the server's configuration."
        elif isinstance(error, dns.tsig.PeerBadTime):
            told = "has another time than this machine (BADTIME)"
            remedy = "A signature is good for some minutes: set both clocks right."
        algorithm = self._key.algorithm.to_text(omit_final_dot=True)
        return AuthenticationError(f"TSIG key {self.key_name} ({algorithm}): {self.shown} {told}", remedy)


def _read(connection: socket.socket, length: int, until: float) -> bytes:
    """Return so many bytes. EOFError if there are not so many, TimeoutError if they are not there `until` then."""
    data = bytearray()
    while len(data) < length:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        more = connection.recv(length - len(data))
        if not more:
            raise EOFError("it was closed before the answer was there")
        data += more
    return bytes(data)
