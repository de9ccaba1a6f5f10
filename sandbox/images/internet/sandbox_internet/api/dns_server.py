# SPDX-License-Identifier: GPL-3.0-or-later
"""An API for zones and records: JSON in, JSON out, a token with each call."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from .replies import Reply
from .server import Routes, Server
from .tokens import Token, bearer
from .zones import Zones


@dataclasses.dataclass(frozen=True)
class Call:
    """A call; `path` holds what stands in the path's variable parts, `body` its JSON, None if it is none."""

    zones: Zones
    token: Token
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


Handler = Callable[[Call], Awaitable[Reply]]


class DnsServer(Server):
    """A provider's API for its zones. `before` is called with each call that changes something, before it does."""

    routes: Routes[Handler]

    def __init__(self, zones: Zones, tokens: Sequence[Token]) -> None:
        super().__init__()
        self.zones = zones
        self.before: Callable[[str, str], None] = lambda method, path: None
        self._tokens = tokens

    def refuse(self, token: Token | None, request: web.Request) -> Token:
        """Return the token if it may make this call. Raises Refused as this provider does."""
        raise NotImplementedError

    def unknown(self) -> Reply:
        """Return the reply to a call that there is none of."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget calls and faults, and go back to the zones of the start."""
        super().reset()
        self.zones.reset()

    async def noted(self, place: str, request: web.Request) -> dict[str, Any]:
        """Return what is written down of a call: records are no secrets."""
        return {
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "body": await _json(request),
        }

    async def answer(self, place: str, request: web.Request) -> Reply:
        """Carry a call out."""
        token = self.refuse(bearer(self._tokens, request.headers.get("Authorization", "")), request)
        route = self.routes.find(request.method, request.path)
        if route is None:
            return self.unknown()
        handler, parts = route
        if request.method != "GET":
            self.before(request.method, request.path)
        return await handler(Call(self.zones, token, parts, dict(request.query), await _json(request)))


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        return None
