# SPDX-License-Identifier: GPL-3.0-or-later
"""XML-RPC: what is sent, and what of all that may come back is an answer of Odoo's."""

import asyncio
import logging
import xmlrpc.client
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from odoo_lmtp_bridge.backend import Answer, Forbidden, HttpClient, NotConnected, Unavailable
from odoo_lmtp_bridge.config import Database
from odoo_lmtp_bridge.xmlrpc import Caller, Failure, parse
from unit.bridge.harness import rpc_stand_in

XML = "text/xml"


def answer(value: object) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True).encode()


def fault(code: object, text: object) -> bytes:
    return xmlrpc.client.dumps(xmlrpc.client.Fault(code, text), methodresponse=True).encode()  # type: ignore[arg-type]


def traceback(exception: str, *functions: str, code: str = "raise ValueError(") -> str:
    frames = "".join(
        f'  File "/odoo/mail_thread.py", line 7, in {function}\n    {code}\n    ^^^^^^^^\n' for function in functions
    )
    return f"Traceback (most recent call last):\n{frames}{exception}\n"


ROUTE = ("xmlrpc_2", "_xmlrpc", "dispatch_rpc", "message_process", "message_route")


@pytest.mark.parametrize("value", [7, False, "text", [{"a": "b", "c": [1]}], {"x": {}}])
def test_values(value: object) -> None:
    assert parse(Answer(200, XML, answer(value))) == value


BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<methodResponse><params><param><value><string>&b;</string></value></param></params></methodResponse>"""


@pytest.mark.parametrize(
    "given",
    [
        *(Answer(status, XML, answer(7)) for status in (201, 301, 302, 400, 401, 403, 404, 413, 500, 502)),
        Answer(200, "text/html", answer(7)),
        Answer(200, "application/json", b"{}"),
        Answer(200, "", answer(7)),
        Answer(200, XML, b""),
        Answer(200, XML, b"<html>Log in</html>"),
        Answer(200, XML, answer(7)[:-3]),
        Answer(200, XML, answer("x" * 100)[:60]),
        Answer(200, XML, BOMB),
        Answer(200, XML, answer(7).decode().encode("utf-16")),
        Answer(200, XML, answer(7).replace(b"version='1.0'", b"version='1.0' encoding='cp500'")),
        Answer(200, XML, answer("x").replace(b"x", b"\xff")),
        Answer(200, XML, answer(7).replace(b"7", b"9" * 10_000)),
        Answer(200, XML, answer(7).replace(b"int", b"unknown")),
        Answer(200, XML, xmlrpc.client.dumps((7,), "call").encode()),
        Answer(200, XML, answer(7).replace(b"</params>", b"<param><value><int>8</int></value></param></params>")),
        Answer(200, XML, b"<methodResponse></methodResponse>"),
        Answer(200, XML, b"<methodResponse><params></params></methodResponse>"),
        Answer(200, XML, b"<value>" * 100_000),
        Answer(200, XML, fault(1, "")),
        Answer(200, XML, fault(1, "ValueError: No possible route found")),
        Answer(200, XML, fault(1, 7)),
        Answer(200, XML, fault("warning", traceback("ValueError: x", "f"))),
        Answer(200, XML, fault(99, traceback("ValueError: x", "f"))),
        Answer(200, XML, answer(7).replace(b"params", b"fault")),
    ],
)
def test_all_else_is_no_answer(given: Answer) -> None:
    with pytest.raises(Unavailable) as caught:
        parse(given)
    assert "possible route" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (fault(3, "Access Denied"), Failure("AccessDenied", "", frozenset())),
        (fault(4, "You may not"), Failure("AccessError", "You may not", frozenset())),
        (fault(2, "Wrong"), Failure("UserError", "Wrong", frozenset())),
        (fault(1, traceback("ValueError: No way", *ROUTE)), Failure("ValueError", "No way\n", frozenset(ROUTE))),
        (fault(1, traceback("AssertionError", "f")), Failure("AssertionError", "\n", frozenset({"f"}))),
        (
            fault(1, traceback("psycopg2.errors.SerializationFailure: could not\nDETAIL: x", "f")),
            Failure("psycopg2.errors.SerializationFailure", "could not\nDETAIL: x\n", frozenset({"f"})),
        ),
    ],
)
def test_faults(given: bytes, expected: Failure) -> None:
    assert parse(Answer(200, XML, given)) == expected


def test_what_a_mail_quotes_is_not_taken_for_what_happened() -> None:
    """PostgreSQL tells the row that it refuses, with the mail's own text."""
    quoted = traceback("ValueError: No possible route found", *ROUTE)
    text = traceback(f"psycopg2.errors.NotNullViolation: null value\nDETAIL: row (1, {quoted})", "message_process")
    failure = parse(Answer(200, XML, fault(1, text)))
    assert isinstance(failure, Failure) and failure.exception == "psycopg2.errors.NotNullViolation"
    chained = (
        text + "\nDuring handling of the above exception, another exception occurred:\n\n" + traceback("KeyError: 1")
    )
    for end in (traceback("ValueError: No possible route found", "f"), chained):
        both = text + "\nDuring handling of the above exception, another exception occurred:\n\n" + end
        failure = parse(Answer(200, XML, fault(1, both)))
        assert isinstance(failure, Failure) and failure.text == ""


def with_caller(
    url: str, scenario: Callable[[Caller], Awaitable[None]], keys: tuple[str, ...] = ("key",)
) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        http = HttpClient(Database("prod", url, "db"), 4)
        try:
            await scenario(Caller(http, "db", "robot", keys))
        finally:
            await http.close()

    return run


@pytest.mark.parametrize("size", [0, 1, 2, 3, 57, (3 << 14) - 1, 3 << 14, (3 << 14) + 1, 1 << 18, 1_000_001])
def test_bytes_arrive_as_they_are(size: int) -> None:
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    received: list[bytes] = []

    async def scenario() -> None:
        async with rpc_stand_in() as odoo:

            def take(model: str, method: str, arguments: list[object], named: dict[str, object]) -> object:
                assert (model, method, arguments[0], named) == ("mail.thread", "take", "<base64>\n</base64>", {"a": 1})
                assert isinstance(arguments[1], xmlrpc.client.Binary)
                received.append(arguments[1].data)
                return 7

            odoo.execute = take

            async def call(caller: Caller) -> None:
                result = await caller.call("mail.thread", "take", "<base64>\n</base64>", content, timeout=5, a=1)
                assert result == 7

            await with_caller(odoo.url, call)()
            assert odoo.headers["X-Odoo-Database"] == "db"
            assert odoo.headers["Content-Length"] and "Transfer-Encoding" not in odoo.headers

    asyncio.run(scenario())
    assert received == [content]


def test_one_login_for_many_calls_and_the_key_that_works(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with rpc_stand_in("pending") as odoo:

            async def calls(caller: Caller) -> None:
                for _number in range(3):
                    assert await caller.call("m", "f", timeout=5) == 7
                assert odoo.logins == ["current", "pending"]
                # Odoo forgets the pending key, and then both.
                odoo.key = "current"
                assert await caller.call("m", "f", timeout=5) == 7
                assert odoo.logins == ["current", "pending", "current"]
                odoo.key = "another"
                with pytest.raises(Forbidden) as caught:
                    await caller.call("m", "f", timeout=5)
                assert "current" not in str(caught.value)

            odoo.execute = lambda *_arguments: 7
            await with_caller(odoo.url, calls, ("current", "pending"))()
            assert "current" not in caplog.text and "pending" not in caplog.text

    asyncio.run(scenario())


def test_a_key_that_is_refused_for_ever_ends() -> None:
    async def scenario() -> None:
        async with rpc_stand_in("key") as odoo:

            def denied(*_arguments: object) -> object:
                raise xmlrpc.client.Fault(3, "Access Denied")

            async def calls(caller: Caller) -> None:
                with pytest.raises(Forbidden):
                    await caller.call("m", "f", timeout=5)

            odoo.execute = denied
            await with_caller(odoo.url, calls)()
            assert odoo.logins == ["key", "key"]

    asyncio.run(scenario())


@pytest.mark.parametrize("uid", [True, 0, -1, "7", [], {"uid": 7}])
def test_a_login_that_is_none(uid: object) -> None:
    async def scenario() -> None:
        async with rpc_stand_in() as odoo:
            odoo.uid = uid

            async def calls(caller: Caller) -> None:
                with pytest.raises(Unavailable):
                    await caller.call("m", "f", timeout=5)

            await with_caller(odoo.url, calls)()

    asyncio.run(scenario())


async def login_page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Log in</html>", content_type="text/html")


async def truncated(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": XML, "Content-Length": "5000"})
    await response.prepare(request)
    await response.write(answer(7))
    assert request.transport
    request.transport.close()
    return response


async def silent(request: web.Request) -> web.StreamResponse:
    # Until the other side has given up.
    while request.transport is not None:
        await asyncio.sleep(0.01)
    return web.Response()


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize("respond", [login_page, truncated, silent, cut])
def test_no_answer(respond: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
    async def scenario() -> None:
        async with rpc_stand_in() as odoo:
            odoo.respond = respond

            async def calls(caller: Caller) -> None:
                with pytest.raises(Unavailable) as caught:
                    await caller.call("m", "f", timeout=0.3)
                # It is not known what was done.
                assert not isinstance(caught.value, NotConnected)

            await with_caller(odoo.url, calls)()

    asyncio.run(scenario())


def test_nobody_listens(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with rpc_stand_in() as gone:
            url = gone.url

        async def calls(caller: Caller) -> None:
            with pytest.raises(NotConnected):
                await caller.call("m", "f", timeout=5)

        await with_caller(url, calls)()

    asyncio.run(scenario())
