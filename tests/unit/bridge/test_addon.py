# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side against a server that answers like Odoo, a proxy, or something broken."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from odoo_lmtp_bridge.addon import AddonBackend, classify
from odoo_lmtp_bridge.backend import Answer
from odoo_lmtp_bridge.config import ConfigError, Database
from odoo_lmtp_bridge.delivery import Deliverer
from odoo_lmtp_bridge.directory import MalformedList
from odoo_lmtp_bridge.health import Health
from odoo_lmtp_bridge.lmtp import Reply
from odoo_lmtp_bridge.message import with_trace
from odoo_lmtp_bridge.odoo import Forbidden, Result, Unavailable, current_list
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

JSON = "application/json"


def answer(*results: dict[str, object], **document: object) -> Answer:
    body = {"version": 1, "message_id": "<1@x>", "results": list(results)} | document
    return Answer(200, JSON, json.dumps(body).encode())


def result(recipient: str, code: int = 250, enhanced: str = "2.0.0", **more: object) -> dict[str, object]:
    return {"recipient": recipient, "code": code, "enhanced": enhanced, "text": "t"} | more


def test_results_are_given_as_they_are() -> None:
    given = answer(
        result("a@x", new="key"),
        result("b@x", 550, "5.1.1"),
        result("c@x", 451, "4.3.0"),
        result("d@x", 451, "4.3.0", quarantine_after=3),
        result("e@x", 552, "5.3.4"),
    )
    assert classify(given, ["a@x", "b@x", "c@x", "d@x", "e@x"]) == [
        Result(Reply(250, "2.0.0", "t")),
        Result(Reply(550, "5.1.1", "t")),
        Result(Reply(451, "4.3.0", "t")),
        Result(Reply(451, "4.3.0", "t"), 3),
        Result(Reply(552, "5.3.4", "t")),
    ]


GOOD = json.dumps({"version": 1, "results": [result("a@x")]}).encode()


@pytest.mark.parametrize(
    "given",
    [
        *(Answer(status, JSON, GOOD) for status in (201, 301, 302, 400, 401, 403, 404, 413, 429, 500, 502, 503)),
        Answer(200, "text/html", GOOD),
        Answer(200, "", GOOD),
        Answer(200, JSON, b""),
        Answer(200, JSON, GOOD[:-1]),
        Answer(200, JSON, b"\xff"),
        Answer(200, JSON, b"[" * 100_000),
        Answer(200, JSON, b"[]"),
        Answer(200, JSON, b"null"),
        answer(result("a@x"), version=2),
        answer(),
        answer(result("b@x")),
        answer(result("a@x"), result("a@x")),
        answer(result("a@x", 250.0)),  # type: ignore[arg-type]
        answer(result("a@x", 354)),
        answer(result("a@x", 599)),
        answer(result("a@x", 250, "5.1.1")),
        answer(result("a@x", 250, "2.0.0\r\n250")),
        answer(result("a@x", text=None)),
        answer(result("a@x", code=None)),
        *(answer(result("a@x", 451, "4.3.0", quarantine_after=n)) for n in (0, -1, True, 1.0, "1")),
        answer(result("a@x", quarantine_after=1)),
        answer(results={"a@x": 250}),
        answer(results=[None]),
    ],
)
def test_all_else_proves_nothing(given: Answer) -> None:
    with pytest.raises(Unavailable):
        classify(given, ["a@x"])


MESSAGE = b"Message-Id: <1@x>\r\nSubject: \xe9t\xe9\r\n\r\n\0" + b"y" * 2000 + b"\r\n.\r\n\xff\r\n"
RCPTS = ["a@x", "b@x", "a@x"]


def deliver(
    respond: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None,
    timeout: float = 5,
    health: Health | None = None,
    message: bytes = MESSAGE,
) -> tuple[list[str], OdooStandIn]:
    """The answers that Postfix gets for a message to RCPTS, and the stand-in afterwards."""

    async def scenario() -> tuple[list[str], OdooStandIn]:
        async with odoo_stand_in() as odoo, backend(odoo.url) as addon:
            odoo.respond = respond
            deliverer = Deliverer(known("a@x", "b@x"), {"prod": addon}, 4, health=health, timeout=timeout)
            bridge: Front
            async with front(deliverer) as bridge:
                client = await bridge.connect()
                await client.greet()
                client.transaction(RCPTS, message, "jos\u00e9@y")
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


@pytest.mark.parametrize("size", [1 << 17, 1 << 18, (1 << 20) - 3000])
def test_a_large_message_arrives_as_it_is(size: int) -> None:
    message = MESSAGE + bytes(range(33, 127)) * (size // 94)
    answers, odoo = deliver(message=message)
    assert answers == ["250 2.0.0 lead created"] * 3
    (post,) = odoo.posts
    assert post.message == b"Return-Path: <jos\xc3\xa9@y>\r\nDelivered-To: a@x, b@x\r\n" + message + b"\r\n"
    assert post.headers["Content-Length"] == str(len(post.message))
    assert "Transfer-Encoding" not in post.headers


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


async def forbidden_by_a_proxy(request: web.Request) -> web.StreamResponse:
    return web.Response(status=403, text="<h1>403</h1>", content_type="text/html")


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


async def truncated_json(request: web.Request) -> web.StreamResponse:
    return web.Response(body=GOOD[:-1], content_type="application/json")


async def one_result_too_few(request: web.Request) -> web.StreamResponse:
    return accepted(["a@x"])


async def one_result_too_many(request: web.Request) -> web.StreamResponse:
    return accepted(["a@x", "b@x", "c@x"])


async def results_of_others(request: web.Request) -> web.StreamResponse:
    return accepted(["b@x", "a@x"])


async def another_shape(request: web.Request) -> web.StreamResponse:
    return web.json_response({"jsonrpc": "2.0", "id": None, "result": {"a@x": 550}})


async def not_http(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.write(b"\0\xff SSH-2.0-x\r\n\r\n")
    request.transport.close()
    return web.Response()


async def compressed_garbage(request: web.Request) -> web.StreamResponse:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return web.Response(body=GOOD, headers=headers)


async def silent(request: web.Request) -> web.StreamResponse:
    # Until the other side has given up.
    while request.transport is not None:
        await asyncio.sleep(0.01)
    return web.Response()


async def html_404(request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


@pytest.mark.parametrize(
    "respond",
    [
        login_page,
        bad_gateway,
        empty,
        redirect,
        wrong_token,
        forbidden_by_a_proxy,
        truncated,
        truncated_json,
        cut,
        endless,
        not_http,
        compressed_garbage,
        one_result_too_few,
        one_result_too_many,
        results_of_others,
        another_shape,
        silent,
        html_404,
    ],
)
def test_no_proof_no_refusal(
    respond: Callable[[web.Request], Awaitable[web.StreamResponse]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    health = Health(["prod"])
    health.well("prod")
    answers, odoo = deliver(respond, timeout=0.5, health=health)
    assert len(answers) == len(RCPTS)
    assert all(line.startswith("451 4.3.0 Odoo: ") for line in answers), answers
    assert len(odoo.posts) == 1
    assert health.problems["prod"]
    assert TOKEN not in caplog.text + "".join(answers) + health.problems["prod"]
    assert "127.0.0.1" not in "".join(answers)


def test_an_answer_of_the_addon_is_good_health() -> None:
    async def refused(request: web.Request) -> web.StreamResponse:
        return accepted(["a@x", "b@x"], code=550, enhanced="5.1.1")

    health = Health(["prod"])
    answers, _odoo = deliver(refused, health=health)
    assert [line[:3] for line in answers] == ["550"] * 3
    assert not health.problems


class Rotation:
    """A stand-in's respond that takes one token, and notes what it was offered."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.offered: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.offered.append(request.headers["X-Mail-Token"])
        if self.offered[-1] != self.token:
            return await wrong_token(request)
        if request.method == "GET":
            return web.json_response(list_document("a@x"), headers={"ETag": '"1"'})
        return accepted(json.loads(request.headers["X-Mail-Recipients"]))


def test_the_token_that_works_is_found_and_kept() -> None:
    async def scenario() -> None:
        async with odoo_stand_in() as odoo, backend(odoo.url, tokens=("old", "new")) as addon:
            odoo.respond = rotation = Rotation("new")
            message = with_trace(MESSAGE, "s@y", ["a@x"])
            assert await addon.post(message, "s@y", ["a@x"]) == [Result(Reply(250, "2.0.0", "lead created"))]
            assert rotation.offered == ["old", "new"]
            # The refused post was whole, and so was the repeated one.
            assert [post.message for post in odoo.posts] == [bytes(message)] * 2
            assert await addon.alias_list(None) is not None
            assert rotation.offered == ["old", "new", "new"]
            rotation.token = "old"
            assert await addon.alias_list(None) is not None
            assert rotation.offered[3:] == ["new", "old"]
            rotation.token = "another"
            with pytest.raises(Forbidden):
                await addon.post(message, "s@y", ["a@x"])
            assert rotation.offered[5:] == ["old", "new"]

    asyncio.run(scenario())


def test_a_proxys_403_is_not_asked_twice() -> None:
    async def scenario() -> None:
        async with odoo_stand_in() as odoo, backend(odoo.url, tokens=("old", "new")) as addon:
            odoo.respond = forbidden_by_a_proxy
            with pytest.raises(Unavailable) as caught:
                await addon.post(with_trace(MESSAGE, "", ["a@x"]), "", ["a@x"])
            assert not isinstance(caught.value, Forbidden)
            assert len(odoo.posts) == 1

    asyncio.run(scenario())


def test_what_the_bridge_says_of_itself() -> None:
    async def scenario() -> None:
        async with odoo_stand_in("a@x") as odoo:
            seen: list[str | None] = []

            async def respond(request: web.Request) -> web.StreamResponse:
                seen.append(request.headers.get("X-Mail-Bridge"))
                assert request.headers.get("X-Odoo-Database") is None
                return web.json_response(list_document("a@x"), headers={"ETag": '"1"'})

            odoo.respond = respond
            addon = AddonBackend(Database("prod", odoo.url, None), (TOKEN,), 1, lambda: 7)
            alias_list = await addon.alias_list(None)
            await addon.close()
            # The database's name is Odoo's, where none is configured.
            assert alias_list is not None and alias_list.database == "prod"
            # By hand it is not the bridge that asks.
            await current_list(Database("prod", odoo.url, None), (TOKEN,))
            assert json.loads(seen[0] or "") == {"name": socket.gethostname(), "quarantine": 7}
            assert seen[1] is None

    asyncio.run(scenario())


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
        AddonBackend(Database("prod", "https://x", "prod", tmp_path / "ca.pem"), (TOKEN,), 1)  # type: ignore[operator]

    with pytest.raises(ConfigError, match="ca_file of prod"):
        asyncio.run(scenario())
