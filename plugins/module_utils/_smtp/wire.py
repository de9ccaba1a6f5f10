# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP's lines over a socket, each step within a time of its own and with a text of its own (RFC 5321)."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.mailops.odoo.plugins.module_utils._smtp.connection import protocol
from ansible_collections.mailops.odoo.plugins.module_utils._smtp.text import Hider, one_line

# RFC 5321 allows 512 (4.5.3.1.5); servers write more.
LINE_BYTES = 8192
LINES = 100
REPLY = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
WRONG_PORT = {
    "tls": "this port speaks TLS from the start: encryption: ssl",
    "smtp": "this port greets without TLS: encryption: starttls, or none",
    "http": "this port speaks HTTP",
}


class StepError(Exception):
    """A step failed, and the detail says how. `broken` is true when no further word can be said to the server."""

    def __init__(self, step: str, detail: str, broken: bool = False) -> None:
        super().__init__(detail)
        self.step = step
        self.detail = detail
        self.broken = broken


@dataclass(frozen=True)
class Reply:
    """A server's answer: its code, and its lines without it."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return it in one line, as the server said it."""
        return one_line(f"{self.code} {' '.join(self.lines)}")


class Wire:
    """One connection. `begin` starts a step, which then has `timeout` seconds; what fails raises StepError.

    `silent` is true when a step ended without a word of the server. What a server repeats of the secrets is hidden.
    """

    def __init__(self, connection: socket.socket, timeout: float, secrets: Iterable[str]) -> None:
        self.step = ""
        self.silent = False
        self._connection = connection
        self._timeout = timeout
        self._hider = Hider(secrets)
        self._buffer = b""
        self._seconds = timeout
        self._until = 0.0

    def begin(self, step: str, timeout: float | None = None) -> None:
        """Start a step."""
        self.step = step
        self._seconds = timeout or self._timeout
        self._until = time.monotonic() + self._seconds

    def ask(self, command: str) -> Reply:
        """Send a command and return the answer."""
        try:
            self._wait()
            self._connection.sendall(command.encode() + b"\r\n")
        except OSError as error:
            raise self._broken(error) from None
        return self.reply()

    def reply(self) -> Reply:
        """Return the next answer, all its lines."""
        code = 0
        lines: list[str] = []
        while len(lines) < LINES:
            line = self._line()
            found = REPLY.fullmatch(line)
            if not found:
                detail = WRONG_PORT.get(protocol(line), f"no SMTP: {one_line(repr(line)[1:])}")
                raise self.failure(detail, broken=True)
            if lines and int(found[1]) != code:
                raise self.failure(f"an answer with two codes, {code} and {int(found[1])}", broken=True)
            code = int(found[1])
            lines.append(one_line((found[3] or b"").decode("utf-8", "replace")))
            if found[2] != b"-":
                return Reply(code, tuple(lines))
        raise self.failure(f"an answer of more than {LINES} lines", broken=True)

    def expect_silence(self) -> None:
        """StepError if the server has said more than it was asked for."""
        said = bool(self._buffer)
        self._connection.setblocking(False)
        with contextlib.suppress(OSError):
            said = said or bool(self._connection.recv(1, socket.MSG_PEEK))
        if said:
            raise self.failure("the server said more before TLS than it was asked for: put there by another?", True)

    def secure(self, context: ssl.SSLContext, host: str) -> tuple[str, bytes]:
        """Make the connection a TLS one; return the version and cipher, and the certificate (DER).

        Raises StepError, and ssl.SSLCertVerificationError where the context verifies.
        """
        try:
            self._wait()
            tls = context.wrap_socket(self._connection, server_hostname=host)
        except ssl.SSLCertVerificationError:
            raise
        except ssl.SSLError as error:
            raise self.failure(
                f"the TLS handshake failed: {error.reason or one_line(str(error))}", broken=True
            ) from None
        except OSError as error:
            raise self._broken(error) from None
        self._connection = tls
        cipher = tls.cipher()
        if cipher is None:
            # Python leaves the handshake out where the server has closed the connection meanwhile.
            raise self.failure("the server closed the connection", broken=True)
        return f"{tls.version()}, {cipher[0]}", tls.getpeercert(binary_form=True) or b""

    def failure(self, detail: str, broken: bool = False) -> StepError:
        """Return the error of this step."""
        return StepError(self.step, detail, broken)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @property
    def own_address(self) -> str:
        """Return this end's address."""
        return str(self._connection.getsockname()[0])

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > LINE_BYTES:
                raise self.failure(f"a line of more than {LINE_BYTES} bytes", broken=True)
            try:
                self._wait()
                read = self._connection.recv(LINE_BYTES)
            except OSError as error:
                raise self._broken(error) from None
            if not read:
                said = f" after {self._excerpt()}" if self._buffer else ""
                raise self.failure(f"the server closed the connection{said}", broken=True)
            self._buffer += read
            if protocol(self._buffer) in ("tls", "http"):
                raise self.failure(WRONG_PORT[protocol(self._buffer)], broken=True)
        line, _end, self._buffer = self._buffer.partition(b"\n")
        return self._hider.hide(line[:-1] if line.endswith(b"\r") else line)

    def _excerpt(self) -> str:
        return one_line(repr(self._hider.hide(self._buffer))[1:])

    def _wait(self) -> None:
        """Give the next call on the socket what is left of the step's time; TimeoutError if nothing is."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)

    def _broken(self, error: OSError) -> StepError:
        if time.monotonic() >= self._until:
            self.silent = not self._buffer
            said = f"; until then came {self._excerpt()}" if self._buffer else ""
            return self.failure(f"no answer within {self._seconds:g} s{said}", broken=True)
        return self.failure(f"the connection broke: {one_line(error.strerror or str(error))}", broken=True)
