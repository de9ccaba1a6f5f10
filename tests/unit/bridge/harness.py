# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bridge's tests share: an HTTP server in Odoo's place, the bridge's LMTP side on a Unix
socket, and a client that speaks raw bytes."""

import asyncio
import json
import queue
import tempfile
import threading
import xmlrpc.client
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from odoo_lmtp_bridge.addon import AddonBackend
from odoo_lmtp_bridge.budget import ByteBudget
from odoo_lmtp_bridge.config import Database
from odoo_lmtp_bridge.delivery import Deliverer
from odoo_lmtp_bridge.directory import AliasList, Directory, Recipient
from odoo_lmtp_bridge.lmtp import Envelope, Limits, Reply, Session

TOKEN = "canary-4711-token"
# Only what is stuck takes as long; a loaded machine does not.
DEADLINE = 30

Responder = Callable[[web.Request], Awaitable[web.StreamResponse]]


def alias_list(*addresses: str, database: str = "prod", etag: str = '"1"') -> AliasList:
    return AliasList(database, tuple(sorted(addresses)), etag)


def list_document(*addresses: str, database: str = "prod") -> dict[str, object]:
    return {
        "version": 1,
        "database": database,
        "addresses": [{"address": address, "kind": "alias"} for address in addresses],
    }


def accepted(recipients: Sequence[str], **other: object) -> web.Response:
    """The addon's answer for recipients that all got their record."""
    results = [
        {"recipient": recipient, "code": 250, "enhanced": "2.0.0", "text": "lead created"} | other
        for recipient in recipients
    ]
    return web.json_response({"version": 1, "message_id": "<x@y>", "results": results})


@dataclass
class Post:
    """A message as Odoo's stand-in received it."""

    sender: str
    recipients: list[str]
    message: bytes
    headers: dict[str, str]


@dataclass
class OdooStandIn:
    """Answers like the addon, or as `respond` says."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    respond: Responder | None = None
    document: object = None
    etag: str = '"1"'

    async def pipe(self, request: web.Request) -> web.StreamResponse:
        recipients = json.loads(request.headers["X-Mail-Recipients"])
        sender = json.loads(request.headers["X-Mail-Sender"])
        headers = dict(request.headers)
        self.posts.append(Post(sender, recipients, await request.read(), headers))
        return await self.respond(request) if self.respond else accepted(recipients)

    async def aliases(self, request: web.Request) -> web.StreamResponse:
        if self.respond:
            return await self.respond(request)
        if request.headers.get("X-Mail-Token") != TOKEN:
            return web.json_response({"version": 1, "error": "forbidden"}, status=403)
        if request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304, headers={"ETag": self.etag})
        return web.json_response(self.document, headers={"ETag": self.etag})


@asynccontextmanager
async def odoo_stand_in(*addresses: str, database: str = "prod") -> AsyncIterator[OdooStandIn]:
    odoo = OdooStandIn(document=list_document(*addresses, database=database))
    application = web.Application(client_max_size=1 << 28)
    application.router.add_post("/mail_delivery/pipe", odoo.pipe)
    application.router.add_get("/mail_delivery/aliases", odoo.aliases)
    async with _serving(application) as url:
        odoo.url = url
        yield odoo


@asynccontextmanager
async def _serving(application: web.Application) -> AsyncIterator[str]:
    """The URL at which the application is served."""
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def backend(
    url: str, database: str | None = "prod", tokens: tuple[str, ...] = (TOKEN,)
) -> AsyncIterator[AddonBackend]:
    addon = AddonBackend(Database("prod", url, database), tokens, 4)
    try:
        yield addon
    finally:
        await addon.close()


Execute = Callable[[str, str, list[object], dict[str, object]], object]


@dataclass
class RpcStandIn:
    """Odoo's external API: logs in with `key`, and calls `execute` with model, method and arguments."""

    key: str
    url: str = ""
    uid: object = 2
    execute: Execute = lambda *_arguments: False
    respond: Responder | None = None
    logins: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.respond:
            return await self.respond(request)
        self.headers = dict(request.headers)
        parameters, method = xmlrpc.client.loads(body)
        try:
            text = xmlrpc.client.dumps((self._result(method, parameters),), methodresponse=True)
        except xmlrpc.client.Fault as fault:
            text = xmlrpc.client.dumps(fault, methodresponse=True)
        except ConnectionResetError:
            assert request.transport
            request.transport.abort()
            return web.Response()
        return web.Response(text=text, content_type="text/xml")

    def _result(self, method: str | None, parameters: tuple[Any, ...]) -> Any:
        if method == "authenticate":
            self.logins.append(parameters[2])
            return self.uid if parameters[2] == self.key else False
        assert method == "execute_kw"
        _database, uid, key, model, called, arguments, named = parameters
        if (uid, key) != (self.uid, self.key):
            raise xmlrpc.client.Fault(3, "Access Denied")
        return self.execute(model, called, arguments, named)


@asynccontextmanager
async def rpc_stand_in(key: str = "key") -> AsyncIterator[RpcStandIn]:
    odoo = RpcStandIn(key)
    application = web.Application(client_max_size=1 << 28)
    application.router.add_post("/xmlrpc/2/{service}", odoo.handle)
    async with _serving(application) as url:
        odoo.url = url
        yield odoo


class Client:
    """Speaks LMTP in raw bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def line(self) -> bytes:
        return await asyncio.wait_for(self.reader.readline(), DEADLINE)

    async def lines(self, count: int) -> list[bytes]:
        return [await self.line() for _number in range(count)]

    async def codes(self, count: int) -> list[str]:
        """The codes of the next answers; an answer of several lines counts once."""
        codes: list[str] = []
        while len(codes) < count:
            line = await self.line()
            assert line.endswith(b"\r\n"), line
            if line[3:4] == b" ":
                codes.append(line[:3].decode())
        return codes

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        return await asyncio.wait_for(self.reader.read(), DEADLINE)

    async def greet(self) -> None:
        assert (await self.line()).startswith(b"220 ")
        self.send(b"LHLO client\r\n")
        assert await self.codes(1) == ["250"]

    def transaction(self, recipients: Sequence[str], message: bytes, sender: str = "a@b.c") -> None:
        """A whole pipelined transaction; `message` is stuffed here."""
        self.send(transaction(recipients, message, sender))

    def close(self) -> None:
        self.writer.close()


def stuffed(message: bytes) -> bytes:
    """`message` as it travels: an independent rendering of RFC 5321, 4.5.2."""
    lines = message.split(b"\r\n")
    body = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    return body + (b".\r\n" if message.endswith(b"\r\n") or not message else b"\r\n.\r\n")


def transaction(recipients: Sequence[str], message: bytes, sender: str = "a@b.c") -> bytes:
    commands = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{r}>" for r in recipients), "DATA"]
    return "".join(f"{command}\r\n" for command in commands).encode() + stuffed(message)


@dataclass
class Front:
    """The LMTP side with its sessions."""

    path: str
    sessions: set[Session]
    budget: ByteBudget

    async def connect(self) -> Client:
        return Client(*await asyncio.open_unix_connection(self.path))


class Sink:
    """A handler that knows ``known…`` addresses and keeps what it is given."""

    def __init__(self, answer: Callable[[Envelope], Sequence[Reply]] | None = None) -> None:
        self.envelopes: list[Envelope] = []
        self.answer = answer or (lambda e: [Reply(250, "2.0.0", "ok")] * len(e.recipients))

    def recipient(self, address: str) -> Recipient | Reply:
        if address.startswith("known"):
            return Recipient(address, "prod")
        return Reply(550, "5.1.1", "unknown")

    async def deliver(self, envelope: Envelope) -> Sequence[Reply]:
        self.envelopes.append(envelope)
        return self.answer(envelope)


@asynccontextmanager
async def front(
    handler: Sink | Deliverer,
    message_size: int = 1 << 20,
    budget: int = 1 << 22,
    idle_timeout: float = 30,
) -> AsyncIterator[Front]:
    """Serves `handler` on a Unix socket."""
    sessions: set[Session] = set()
    limits = Limits(message_size, idle_timeout)
    bytes_held = ByteBudget(budget)
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory, "lmtp"))
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: Session(handler, limits, bytes_held, sessions), path
        )
        try:
            yield Front(path, sessions, bytes_held)
        finally:
            server.close()
            for session in set(sessions):
                session.close()


def known(*addresses: str, database: str = "prod") -> Directory:
    directory = Directory([database])
    directory.update(database, alias_list(*addresses))
    return directory


async def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition, with a deadline."""
    deadline = asyncio.get_running_loop().time() + DEADLINE
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "the condition was never met"
        await asyncio.sleep(0.01)


@contextmanager
def odoo_in_thread(*addresses: str) -> Iterator[OdooStandIn]:
    """The stand-in beside a test that blocks, such as one that runs the command line."""
    loop = asyncio.new_event_loop()
    ready: queue.Queue[OdooStandIn] = queue.Queue()
    stop = asyncio.Event()

    async def serve() -> None:
        async with odoo_stand_in(*addresses) as odoo:
            ready.put(odoo)
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        yield ready.get(timeout=DEADLINE)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(DEADLINE)
        loop.close()


def write_config(directory: Path, url: str, **more: object) -> Path:
    """A configuration with one database, its token beside it, and state under `directory`."""
    (directory / "tokens").mkdir()
    (directory / "tokens" / "prod").write_text(TOKEN)
    document = {
        "databases": [{"name": "prod", "url": url, "database": "prod"}],
        "state_directory": str(directory / "state"),
        "socket": str(directory / "lmtp"),
        # Tests run beside each other.
        "metrics": "",
        **more,
    }
    path = directory / "config.yml"
    path.write_text(json.dumps(document))
    return path
