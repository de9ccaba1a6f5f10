# SPDX-License-Identifier: GPL-3.0-or-later
"""The two web servers: the webhook, with which Odoo wakes the poll, and, on loopback, health and
metrics."""

import asyncio
import hmac
import json
import logging
import re
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from .config import Database
from .metrics import Metrics

_log = logging.getLogger(__name__)

WEBHOOK_PATH = "/webhook"
_MAX_BODY = 4096
# How far Odoo's clock may be from this one's, seconds.
_MAX_SKEW = 300
# What a webhook that is not trusted may take up: so many connections, each for so many seconds.
_MAX_CONNECTIONS = 64
_CONNECTION_TIME = 30.0


class Server:
    """An aiohttp application on a socket that listens already."""

    def __init__(self, application: web.Application, listener: socket.socket) -> None:
        self._runner = web.AppRunner(application, access_log=None)
        self._listener = listener
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, sock=self._listener)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
        self._listener.close()

    def _connection(self) -> asyncio.Protocol:
        server = self._runner.server
        assert server is not None
        if len(server.connections) >= _MAX_CONNECTIONS:
            return _Refusal()
        connection = server()
        asyncio.get_running_loop().call_later(_CONNECTION_TIME, connection.force_close)
        return connection


class _Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class Webhook:
    """``POST /webhook``: Odoo says, signed with a token, that a database's list may have changed.

    It only ever wakes the poll. The token does not travel and the request holds no addresses, so
    that plain HTTP is enough.
    """

    def __init__(
        self,
        databases: Mapping[Database, tuple[str, ...]],
        wake: Callable[[str], None],
        metrics: Metrics,
        path: str = WEBHOOK_PATH,
    ) -> None:
        """`databases`: each with its tokens; `wake` gets the configured name of one."""
        self._databases = databases
        self._wake = wake
        self._metrics = metrics
        self.application = web.Application(
            client_max_size=_MAX_BODY, middlewares=[_counted(metrics)]
        )
        self.application.router.add_post(path, self._post)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        stamp = request.headers.get("X-Mail-Timestamp", "")
        signature = request.headers.get("X-Mail-Signature", "")
        # Every token is tried, so that the time taken tells nothing of which it was.
        tried = [
            (database, is_signed(stamp, body, token, signature))
            for database, tokens in self._databases.items()
            for token in tokens
        ]
        signed = {database for database, good in tried if good}
        if not signed or not _is_recent(stamp):
            raise web.HTTPForbidden(text="forbidden\n")
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise web.HTTPBadRequest(text="not JSON\n") from None
        asked = document.get("database") if isinstance(document, dict) else None
        if not isinstance(asked, str):
            raise web.HTTPBadRequest(text="no database\n")
        names = [one.name for one in signed if one.database in (None, asked)]
        if not names:
            raise web.HTTPForbidden(text="forbidden\n")
        for name in names:
            _log.debug("webhook: %s is polled", name)
            self._wake(name)
        return web.Response(status=202, text="accepted\n")


def is_signed(stamp: str, body: bytes, token: str, signature: str) -> bool:
    """Whether `signature` is the hex HMAC-SHA256 of ``<stamp>.<body>`` with `token` as the key."""
    message = stamp.encode("utf-8", "surrogateescape") + b"." + body
    expected = hmac.new(token.encode(), message, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape"))


def _is_recent(stamp: str) -> bool:
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        return False
    return abs(time.time() - int(stamp)) <= _MAX_SKEW


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _counted(metrics: Metrics) -> Any:
    @web.middleware
    async def count(request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            metrics.webhook.labels(str(refusal.status)).inc()
            raise
        metrics.webhook.labels(str(response.status)).inc()
        return response

    return count


def health_application(
    problems: Callable[[], Mapping[str, str]], metrics: Metrics
) -> web.Application:
    """``/healthz``, ``/readyz`` and ``/metrics``. `problems` gives what keeps mail from flowing:
    part → reason."""

    async def healthz(request: web.Request) -> web.StreamResponse:
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.StreamResponse:
        found = dict(problems())
        document = {"ready": not found, "problems": found}
        return web.json_response(document, status=503 if found else 200)

    async def numbers(request: web.Request) -> web.StreamResponse:
        metrics.show(problems())
        text = generate_latest(metrics.registry)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/metrics", numbers)
    return application
