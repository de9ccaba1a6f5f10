# SPDX-License-Identifier: GPL-3.0-or-later
"""A bridge's webhook as Odoo sees it: it keeps what was posted, and answers what it is told to."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass(frozen=True)
class Push:
    """One POST: when it came (time.monotonic, seconds), its path, headers (names in lower case) and body."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes


def address_towards(peer: str) -> str:
    """Return this machine's address on the way to `peer`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        route.connect((peer, 9))  # sends nothing
        return str(route.getsockname()[0])


class Webhook:
    """Listens while the `with` block lasts, at this machine's address on the way to `peer`.

    It answers the statuses in `answers`, one after the other, and then 202; while `open` is cleared, a post waits.
    """

    def __init__(self, peer: str, *answers: int) -> None:
        self.pushes: list[Push] = []
        self.open = threading.Event()
        self.open.set()
        left = list(answers)
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                webhook.pushes.append(Push(time.monotonic(), self.path, headers, body))
                webhook.open.wait(60)
                self.send_response(left.pop(0) if left else 202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer((address_towards(peer), 0), Handler)
        self.url = f"http://{self._server.server_address[0]!s}:{self._server.server_port}/webhook"

    def __enter__(self) -> Webhook:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
