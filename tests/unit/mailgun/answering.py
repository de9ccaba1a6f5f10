# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of given answers, and a clock that passes only when somebody waits."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.calls import Clock
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.client import Elsewhere, Mailgun

KEY = "key-canary"
HTML = "<html><head><title>Sign in</title></head></html>"


class PatientClock(Clock):
    """Waiting takes no time and is noted."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def epoch(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


@dataclass
class Said:
    """An answer: a body that is no text goes out as JSON; `breaks` closes the connection instead."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    breaks: bool = False


@dataclass
class Server:
    """Where it listens, and what it was asked: method and path, and the body."""

    url: str
    asked: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)


@contextmanager
def serving(*answers: Said) -> Iterator[Server]:
    """Yield a server that gives these answers in turn, the last one again and again."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        """Answers whatever is asked."""

        def handle_any(self) -> None:
            server.asked.append(f"{self.command} {self.path}")
            server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
            said = left.pop(0) if len(left) > 1 else left[0]
            if said.breaks:
                self.close_connection = True
                return
            text = said.body if isinstance(said.body, str) else json.dumps(said.body)
            self.send_response(said.status)
            default = "text/html" if text.startswith("<") else "text/plain" if text is said.body else "application/json"
            for name, value in {"Content-Type": default, "Content-Length": str(len(text)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            """Stay quiet."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{listener.server_address[1]}")
    threading.Thread(target=listener.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()


def client(url: str, clock: Clock | None = None, patience: float = 120.0, elsewhere: str = "") -> Mailgun:
    """Return a client of region us; `elsewhere` is the URL of region eu."""
    other = Elsewhere("eu", Http(elsewhere, timeout=5, login=("api", KEY), options="")) if elsewhere else None
    http = Http(url, timeout=5, login=("api", KEY), options="")
    return Mailgun(http, KEY, patience, other, clock or PatientClock())
