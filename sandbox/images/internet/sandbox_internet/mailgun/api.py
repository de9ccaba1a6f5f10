# SPDX-License-Identifier: GPL-3.0-or-later
"""The API over HTTP: one application for each region, and one for control that listens inside only."""

from __future__ import annotations

import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from . import credentials, dkim, domains, keys, wire
from .calls import Call, Refused, Reply, refused
from .faults import Fault
from .simulator import Simulator
from .state import REGIONS

Handler = Callable[[Simulator, Call], Awaitable[Reply]]
ROUTES: list[tuple[str, str, Handler]] = [
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
]


def _pattern(template: str) -> re.Pattern[str]:
    """Return the expression for a path with parts in braces: `{name}`, or `{name:expression}`."""
    return re.compile(re.sub(r"{(\w+)(?::([^}]*))?}", lambda part: f"(?P<{part[1]}>{part[2] or '[^/]+'})", template))


PATTERNS = [(method, _pattern(template), handler) for method, template, handler in ROUTES]


class Api:
    """All regions of a simulator. `calls` has every call that came, `faults` what the next ones get."""

    def __init__(self, simulator: Simulator, api_keys: Sequence[keys.ApiKey]) -> None:
        self.simulator = simulator
        self.faults: list[Fault] = []
        self.calls: list[dict[str, Any]] = []
        self._keys = api_keys

    def reset(self) -> None:
        """Forget calls, faults and domains."""
        self.calls.clear()
        self.faults.clear()
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

    async def start(self, region: str, host: str, port: int, tls: ssl.SSLContext | None = None) -> web.AppRunner:
        """Listen for one region's calls; what is returned has the port in its `addresses`."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(region, request)

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handle)
        return await _listen(application, host, port, tls)

    async def start_control(self, host: str, port: int) -> web.AppRunner:
        """Listen for `sandbox-mailgun`. Whoever reaches this may do everything."""
        application = web.Application()
        application.router.add_get("/calls", self._show_calls)
        application.router.add_post("/faults", self._add_fault)
        application.router.add_post("/disabled", self._disable)
        application.router.add_post("/reset", self._reset)
        return await _listen(application, host, port, None)

    async def _handle(self, region: str, request: web.Request) -> web.StreamResponse:
        posted = await request.post()
        form = {name: [value for value in posted.getall(name) if isinstance(value, str)] for name in posted}
        entry: dict[str, Any] = {
            "region": region,
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "form": sorted(form),
        }
        self.calls.append(entry)
        fault = self._fault(request.method, request.path)
        answer = None
        if fault is None or fault.carried_out:
            answer = await self._answer(region, request, form)
        if fault:
            entry["fault"] = fault.form
            return await wire.spoilt(fault, request, answer)
        assert answer
        entry["status"] = answer.status
        return wire.response(answer)

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.meets(method, path):
                fault.count -= 1
                return fault
        return None

    async def _answer(self, region: str, request: web.Request, form: dict[str, list[str]]) -> Reply:
        try:
            authorization = request.headers.get("Authorization", "")
            account = keys.account(self._keys, authorization, request.method, request.path)
            handler, parts = _route(request.method, request.path)
            return await handler(self.simulator, Call(region, account, parts, dict(request.query), form))
        except Refused as refusal:
            return refusal.reply

    async def _show_calls(self, request: web.Request) -> web.Response:
        return web.json_response(self.calls)

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            self.faults.append(Fault(**await request.json()))
        except (TypeError, ValueError) as error:
            return web.Response(text=str(error), status=400)
        return web.Response()

    async def _disable(self, request: web.Request) -> web.Response:
        given = await request.json()
        done = given["region"] in REGIONS and self.disable(**given)
        return web.Response() if done else web.Response(text="no such domain", status=404)

    async def _reset(self, request: web.Request) -> web.Response:
        self.reset()
        return web.Response()


def _route(method: str, path: str) -> tuple[Handler, dict[str, str]]:
    """Return who answers a call, and what stands in the variable parts of its path."""
    for verb, pattern, handler in PATTERNS:
        match = pattern.fullmatch(path)
        if match and verb == method:
            return handler, match.groupdict()
    raise refused(404, "Not found")


async def _listen(application: web.Application, host: str, port: int, tls: ssl.SSLContext | None) -> web.AppRunner:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=tls).start()
    return runner
