# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side against a server that answers like Odoo, a proxy, or something broken."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from odoo_lmtp_bridge.config import ConfigError, Database
from odoo_lmtp_bridge.delivery import Deliverer
from odoo_lmtp_bridge.directory import MalformedList
from odoo_lmtp_bridge.odoo import AddonBackend, Forbidden, Unavailable, current_list
from unit.bridge.harness import (
    TOKEN,
    Front,
    OdooStandIn,
    accepted,
    backend,
    front,
    known,
    list_document,
    odoo_stand_in,
)

MESSAGE = b"Message-Id: <1@x>\r\nSubject: \xe9t\xe9\r\n\r\n\0" + b"y" * 2000 + b"\r\n.\r\n\xff\r\n"
RCPTS = ["a@x", "b@x", "a@x"]


def deliver(
    respond: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None, timeout: float = 5
) -> tuple[list[str], OdooStandIn]:
    """The answers that Postfix gets for a message to RCPTS, and the stand-in afterwards."""

    async def scenario() -> tuple[list[str], OdooStandIn]:
        async with odoo_stand_in() as odoo, backend(odoo.url) as addon:
            odoo.respond = respond
            deliverer = Deliverer(known("a@x", "b@x"), {"prod": addon}, 4, timeout)
            bridge: Front
            async with front(deliverer) as bridge:
                client = await bridge.connect()
                await client.greet()
                client.transaction(RCPTS, MESSAGE, "jos\u00e9@y")
                await client.codes(2 + len(RCPTS))
                answers = [line.decode().strip() for line in await client.lines(len(RCPTS))]
                client.send(b"QUIT\r\n")
                assert (await client.rest()).startswith(b"221 ")
                return answers, odoo

    return asyncio.run(scenario())


def test_the_post() -> None:
    answers, odoo = deliver()
    assert answers == ["250 2.0.0 lead created"] * 3
    (post,) = odoo.posts
    assert post.message == b"Return-Path: <jos\xc3\xa9@y>\r\nDelivered-To: a@x, b@x\r\n" + MESSAGE
    assert (post.sender, post.recipients) == ("jos\u00e9@y", ["a@x", "b@x"])
    assert post.headers["Content-Type"] == "message/rfc822"
    assert post.headers["X-Mail-Token"] == TOKEN
    assert post.headers["X-Odoo-Database"] == "prod"
    assert post.headers["Content-Length"] == str(len(post.message))


async def login_page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Log in</html>", content_type="text/html")


async def bad_gateway(request: web.Request) -> web.StreamResponse:
    return web.Response(status=502, text="<h1>502</h1>", content_type="text/html")


async def empty(request: web.Request) -> web.StreamResponse:
    return web.Response()


async def redirect(request: web.Request) -> web.StreamResponse:
    return web.Response(status=303, headers={"Location": str(request.url)})


async def wrong_token(request: web.Request) -> web.StreamResponse:
    return web.json_response({"version": 1, "error": "forbidden"}, status=403)


async def truncated(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "5000"})
    await response.prepare(request)
    await response.write(b'{"version": 1, "results": [')
    assert request.transport
    request.transport.close()
    return response


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _chunk in range(64):
        await response.write(b" " * 65536)
    return response


async def silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(2)
    return web.Response()


async def html_404(request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


@pytest.mark.parametrize(
    "respond",
    [login_page, bad_gateway, empty, redirect, wrong_token, truncated, cut, endless, silent, html_404],
)
def test_no_proof_no_refusal(
    respond: Callable[[web.Request], Awaitable[web.StreamResponse]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers, odoo = deliver(respond, timeout=0.5)
    assert len(answers) == len(RCPTS)
    assert all(line.startswith("451 4.3.0 Odoo: ") for line in answers), answers
    assert len(odoo.posts) == 1
    assert TOKEN not in caplog.text and TOKEN not in "".join(answers)
    assert "127.0.0.1" not in "".join(answers)


def test_text_of_odoo_does_not_break_the_protocol() -> None:
    async def respond(request: web.Request) -> web.StreamResponse:
        return accepted(["a@x", "b@x"], text="done\r\n550 5.0.0 smuggled \u00e9")

    answers, _odoo = deliver(respond)
    assert answers == ["250 2.0.0 done 550 5.0.0 smuggled ?"] * 3


def test_nobody_listens() -> None:
    async def scenario() -> list[str]:
        async with odoo_stand_in() as gone:
            url = gone.url
        async with backend(url) as addon:
            bridge = Deliverer(known("a@x"), {"prod": addon}, 4)
            async with front(bridge) as lmtp:
                client = await lmtp.connect()
                await client.greet()
                client.transaction(["a@x"], MESSAGE)
                return await client.codes(4)

    assert asyncio.run(scenario()) == ["250", "250", "354", "451"]


def test_alias_list_and_its_etag() -> None:
    async def scenario() -> None:
        async with odoo_stand_in("b@x", "a@x") as odoo, backend(odoo.url) as addon:
            first = await addon.alias_list(None)
            assert first is not None
            assert (first.addresses, first.etag) == (("a@x", "b@x"), '"1"')
            assert await addon.alias_list('"1"') is None
            odoo.etag, odoo.document = '"2"', list_document("c@x")
            second = await addon.alias_list('"1"')
            assert second is not None
            assert (second.addresses, second.etag) == (("c@x",), '"2"')

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("respond", "error"),
    [
        (login_page, Unavailable),
        (bad_gateway, Unavailable),
        (empty, Unavailable),
        (redirect, Unavailable),
        (truncated, Unavailable),
        (cut, Unavailable),
        (html_404, Unavailable),
        (wrong_token, Forbidden),
    ],
)
def test_no_alias_list(respond: Callable[[web.Request], Awaitable[web.StreamResponse]], error: type[Exception]) -> None:
    async def scenario() -> None:
        async with odoo_stand_in("a@x") as odoo:
            odoo.respond = respond
            with pytest.raises(error, match="prod: ") as caught:
                await current_list(Database("prod", odoo.url, "prod"), (TOKEN,))
            assert TOKEN not in str(caught.value)

    asyncio.run(scenario())


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"[]", b'{"version": 1}'])
def test_a_malformed_alias_list(body: bytes) -> None:
    async def respond(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    async def scenario() -> None:
        async with odoo_stand_in() as odoo:
            odoo.respond = respond
            with pytest.raises(MalformedList):
                await current_list(Database("prod", odoo.url, "prod"), (TOKEN,))

    asyncio.run(scenario())


def test_a_ca_file_that_is_none(tmp_path: object) -> None:
    async def scenario() -> None:
        AddonBackend(Database("prod", "https://x", "prod", tmp_path / "ca.pem"), TOKEN, 1)  # type: ignore[operator]

    with pytest.raises(ConfigError, match="ca_file of prod"):
        asyncio.run(scenario())
