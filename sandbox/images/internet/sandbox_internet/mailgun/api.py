# SPDX-License-Identifier: GPL-3.0-or-later
"""The API over HTTP: one application for each region, and one for control that listens inside only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from ..api.replies import Reply
from ..api.server import Routes, Server
from . import credentials, dkim, domains, faults, keys
from .calls import Call, refused
from .simulator import Simulator
from .state import REGIONS

Handler = Callable[[Simulator, Call], Awaitable[Reply]]
ROUTES: Routes[Handler] = Routes([
    ("GET", "/v4/domains", domains.listed),
    ("POST", "/v4/domains", domains.created),
    ("GET", "/v4/domains/{name}", domains.read),
    ("PUT", "/v4/domains/{name}", domains.updated),
    ("PUT", "/v4/domains/{name}/verify", domains.verified),
    ("DELETE", "/v3/domains/{name}", domains.deleted),
    ("GET", "/v3/domains/{name}/tracking", domains.tracking),
    ("PUT", "/v3/domains/{name}/tracking/{kind:open|click|unsubscribe}", domains.tracked),
    ("GET", "/v3/domains/{name}/credentials", credentials.listed),
    ("POST", "/v3/domains/{name}/credentials", credentials.created),
    ("DELETE", "/v3/domains/{name}/credentials", credentials.all_deleted),
    ("PUT", "/v3/domains/{name}/credentials/{login}", credentials.changed),
    ("DELETE", "/v3/domains/{name}/credentials/{login}", credentials.deleted),
    ("GET", "/v1/dkim/keys", dkim.listed),
    ("POST", "/v1/dkim/keys", dkim.created),
    ("DELETE", "/v1/dkim/keys", dkim.deleted),
    ("GET", "/v4/domains/{name}/keys", dkim.of_domain),
    ("PUT", "/v4/domains/{name}/keys/{selector}/activate", dkim.activated),
    ("PUT", "/v4/domains/{name}/keys/{selector}/deactivate", dkim.deactivated),
])  # fmt: skip


class Api(Server):
    """All regions of a simulator."""

    forms = faults.FORMS

    def __init__(self, simulator: Simulator, api_keys: Sequence[keys.ApiKey]) -> None:
        super().__init__()
        self.simulator = simulator
        self._keys = api_keys

    def reset(self) -> None:
        """Forget calls, faults and domains."""
        super().reset()
        self.simulator.state.clear()
        self.simulator.state.save()

    def disable(self, region: str, name: str, reason: str) -> bool:
        """Disable a domain, or enable it with an empty reason; return whether there is such a domain."""
        domain = self.simulator.state.find(region, name)
        if domain is None:
            return False
        facts = {"code": "disabled", "note": "", "permanently": False, "reason": reason}
        domain.disabled = facts if reason else None
        self.simulator.state.save()
        return True

    def control(self) -> web.Application:
        """Return what answers `sandbox-mailgun`."""
        application = super().control()
        application.router.add_post("/disabled", self._disable)
        return application

    async def noted(self, place: str, request: web.Request) -> dict[str, Any]:
        """Return what is written down of a call: of a form its names only."""
        return {
            "region": place,
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "form": sorted(await _form(request)),
        }

    async def answer(self, place: str, request: web.Request) -> Reply:
        """Carry a call out."""
        authorization = request.headers.get("Authorization", "")
        account = keys.account(self._keys, authorization, request.method, request.path)
        route = ROUTES.find(request.method, request.path)
        if route is None:
            raise refused(404, "Not found")
        handler, parts = route
        return await handler(self.simulator, Call(place, account, parts, dict(request.query), await _form(request)))

    async def _disable(self, request: web.Request) -> web.Response:
        given = await request.json()
        done = given["region"] in REGIONS and self.disable(**given)
        return web.Response() if done else web.Response(text="no such domain", status=404)


async def _form(request: web.Request) -> dict[str, list[str]]:
    posted = await request.post()
    return {name: [value for value in posted.getall(name) if isinstance(value, str)] for name in posted}
