# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies as they go over the wire, right or spoilt by a fault."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from .faults import Fault, Form
from .replies import Reply


def response(given: Reply) -> web.Response:
    """Return a reply as it goes over the wire."""
    if given.body is None:
        return web.Response(status=given.status, headers=given.headers)
    if isinstance(given.body, str):
        return web.Response(
            text=given.body, status=given.status, headers=given.headers, content_type=given.content_type
        )
    return web.json_response(given.body, status=given.status, headers=given.headers)


async def spoilt(fault: Fault, form: Form, request: web.Request, answer: Reply | None) -> web.StreamResponse:
    """Return what the client gets; `answer` is the right one, if the call was carried out."""
    if form.reply:
        return response(form.reply(fault))
    if fault.form == "truncated" and answer:
        text = json.dumps(answer.body)
        return web.Response(text=text[: len(text) // 2], status=answer.status, content_type="application/json")
    if fault.form == "timeout":
        while request.transport and not request.transport.is_closing():
            await asyncio.sleep(0.05)
    if request.transport:
        request.transport.abort()
    return web.Response()
