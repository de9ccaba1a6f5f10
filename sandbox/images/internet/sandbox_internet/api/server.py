# SPDX-License-Identifier: GPL-3.0-or-later
"""An API over HTTP, and the port for its control that listens inside only."""

from __future__ import annotations

import dataclasses
import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from aiohttp import web

from . import wire
from .faults import Fault, Form
from .replies import Refused, Reply

Handler = TypeVar("Handler")


class Routes(Generic[Handler]):
    """Who answers which call: methods, paths with parts in braces (`{name}`, or `{name:expression}`), handlers."""

    def __init__(self, routes: Sequence[tuple[str, str, Handler]]) -> None:
        self._routes = [(method, _pattern(template), handler) for method, template, handler in routes]

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
        """Return who answers a call, and what stands in the variable parts of its path."""
        for verb, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and verb == method:
                return handler, match.groupdict()
        return None


class Server:
    """A provider's API. `calls` has every call that came, `faults` what the next ones get."""

    # By name, see faults.FORMS.
    forms: Mapping[str, Form]

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.calls: list[dict[str, Any]] = []

    async def noted(self, place: str, request: web.Request) -> dict[str, Any]:
        """Return what is written down of a call, without secrets."""
        raise NotImplementedError

    async def answer(self, place: str, request: web.Request) -> Reply:
        """Carry a call out. Raises Refused."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget calls and faults."""
        self.calls.clear()
        self.faults.clear()

    def fail(self, form: str, **how: Any) -> None:
        """Let the next calls fail, see Fault. ValueError if there is no such form."""
        if form not in self.forms:
            raise ValueError(f"no fault is called {form!r}: {', '.join(self.forms)}")
        fault = Fault(form, **how)
        self.faults.append(dataclasses.replace(fault, carried_out=fault.carried_out or form == "truncated"))

    async def start(self, place: str, host: str, port: int, tls: ssl.SSLContext | None = None) -> web.AppRunner:
        """Listen for calls; what is returned has the port in its `addresses`. `place` tells several apart."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(place, request)

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handle)
        return await listen(application, host, port, tls)

    def control(self) -> web.Application:
        """Return what answers the command. Whoever reaches this may do everything."""
        application = web.Application()
        application.router.add_get("/calls", self._show_calls)
        application.router.add_post("/faults", self._add_fault)
        application.router.add_post("/reset", self._reset)
        return application

    async def start_control(self, host: str, port: int) -> web.AppRunner:
        """Listen for the command."""
        return await listen(self.control(), host, port, None)

    async def _handle(self, place: str, request: web.Request) -> web.StreamResponse:
        entry = await self.noted(place, request)
        self.calls.append(entry)
        fault = next((fault for fault in self.faults if fault.meets(request.method, request.path)), None)
        answer = None
        if fault is None or fault.carried_out:
            try:
                answer = await self.answer(place, request)
            except Refused as refusal:
                answer = refusal.reply
        if fault:
            entry["fault"] = fault.form
            return await wire.spoilt(fault, self.forms[fault.form], request, answer)
        assert answer
        entry["status"] = answer.status
        return wire.response(answer)

    async def _show_calls(self, request: web.Request) -> web.Response:
        return web.json_response(self.calls)

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            self.fail(**await request.json())
        except (TypeError, ValueError) as error:
            return web.Response(text=str(error), status=400)
        return web.Response()

    async def _reset(self, request: web.Request) -> web.Response:
        self.reset()
        return web.Response()


async def listen(application: web.Application, host: str, port: int, tls: ssl.SSLContext | None) -> web.AppRunner:
    """Listen; what is returned has the port in its `addresses`."""
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=tls).start()
    return runner


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{(\w+)(?::([^}]*))?}", lambda part: f"(?P<{part[1]}>{part[2] or '[^/]+'})", template))
