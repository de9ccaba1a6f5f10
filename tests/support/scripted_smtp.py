# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP servers that do what a script says, decent or not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


class Talk:
    """One connection, as a script has it; `heard` are the lines that came, of all of a server's connections."""

    def __init__(self, connection: socket.socket, heard: list[str], ended: threading.Event) -> None:
        self.connection = connection
        self.ended = ended
        self._heard = heard
        self._lines = connection.makefile("rb")

    def say(self, *lines: str) -> None:
        """Send lines."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.connection.sendall(data)

    def hear(self) -> str:
        """Return the next line; ConnectionError if there is none."""
        line = self._lines.readline().decode(errors="replace").rstrip("\r\n")
        if not line:
            raise ConnectionError
        self._heard.append(line)
        return line

    def hear_text(self) -> str:
        """Return the next line of a mail, which may be empty and is not kept; ConnectionError if there is none."""
        line = self._lines.readline()
        if not line:
            raise ConnectionError
        return line.decode(errors="replace").rstrip("\r\n")

    def secure(self, context: ssl.SSLContext) -> None:
        """Go on over TLS."""
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self._lines = self.connection.makefile("rb")


Script = Callable[[Talk], None]


@dataclass
class Server:
    """A server that runs: its port, and the lines that it heard."""

    port: int
    heard: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(script: Script, host: str = "127.0.0.1") -> Iterator[Server]:
    """Play the script to each connection while the `with` block lasts; an error ends the connection."""
    ended = threading.Event()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        server = Server(listener.getsockname()[1])

        def play(connection: socket.socket) -> None:
            talk = Talk(connection, server.heard, ended)
            with contextlib.suppress(OSError):
                script(talk)
            with contextlib.suppress(OSError):
                talk.connection.shutdown(socket.SHUT_RDWR)
            talk.connection.close()

        def accept() -> None:
            while True:
                try:
                    connection, _address = listener.accept()
                except OSError:
                    return
                threading.Thread(target=play, args=[connection], daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(5)


def smtp(
    tls: ssl.SSLContext | None = None,
    offers: tuple[str, ...] = (),
    secure_offers: tuple[str, ...] | None = None,
    answers: Mapping[str, str | list[str]] | None = None,
    from_the_start: bool = False,
) -> Script:
    """Return the script of a decent server.

    It offers these extensions to EHLO, others when TLS is on if `secure_offers` has them, and answers commands by their
    verb as `answers` says, from a list one after the other (`AUTH` has the answers to its further lines too).
    """

    def script(talk: Talk) -> None:
        left = {verb: [said] if isinstance(said, str) else list(said) for verb, said in (answers or {}).items()}
        offered = offers
        if from_the_start:
            assert tls
            talk.secure(tls)
        talk.say("220 server.example ESMTP")
        authenticating = False
        while True:
            line = talk.hear()
            verb = "AUTH" if authenticating else line.partition(" ")[0].upper()
            if verb == "EHLO":
                lines = ["server.example", *offered]
                talk.say(*(f"250-{one}" for one in lines[:-1]), f"250 {lines[-1]}")
            elif verb == "STARTTLS" and verb not in left:
                assert tls
                talk.say("220 go on")
                talk.secure(tls)
                offered = offers if secure_offers is None else secure_offers
            else:
                usual = {"AUTH": "235 welcome", "QUIT": "221 bye"}.get(verb, "250 ok")
                said = left[verb].pop(0) if left.get(verb) else usual
                talk.say(said)
                authenticating = verb == "AUTH" and said.startswith("334")

    return script
