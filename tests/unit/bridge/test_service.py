# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon as a process, with what systemd would hand to it: a listening socket, the place
for notifications, a watchdog."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import odoo_lmtp_bridge
import pytest
from aiohttp import web
from odoo_lmtp_bridge.config import load, parse
from odoo_lmtp_bridge.delivery import Deliverer
from odoo_lmtp_bridge.maps import MapWriter
from odoo_lmtp_bridge.metrics import Metrics
from odoo_lmtp_bridge.service import Front
from odoo_lmtp_bridge.sync import ListStore
from odoo_lmtp_bridge.systemd import inherited_sockets
from unit.bridge.harness import (
    DEADLINE,
    TOKEN,
    Client,
    alias_list,
    known,
    list_document,
    odoo_in_thread,
    transaction,
    until,
    write_config,
)
from unit.bridge.test_delivery import Recorder
from unit.bridge.test_web import free_port
from unit.bridge.test_web import headers as signed

PACKAGE = str(Path(odoo_lmtp_bridge.__file__).parents[1])
MAIN = "from odoo_lmtp_bridge.cli import main; sys.exit(main(sys.argv[1:]))"
MESSAGE = b"Message-Id: <1@x>\r\n\r\nx\r\n"


class Lmtp:
    """A blocking client."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def codes(self, count: int) -> list[str]:
        codes: list[str] = []
        while len(codes) < count:
            line = self.lines.readline()
            assert line, codes
            if line[3:4] == b" ":
                codes.append(line[:3].decode())
        return codes


class Daemon:
    """The process and what it tells systemd."""

    def __init__(self, process: "subprocess.Popen[bytes]", notifications: socket.socket) -> None:
        self.process = process
        self.notifications = notifications
        self.heard: set[str] = set()

    def told(self, state: str) -> None:
        """Waits until systemd would hear `state`."""
        while state not in self.heard:
            self.heard.add(self.notifications.recv(4096).decode())


@contextmanager
def daemon(
    config: Path,
    *arguments: str,
    handed_over: bool = True,
    descriptors: Sequence[int] = (),
    before: str = "pass",
) -> Iterator[Daemon]:
    """Starts it as systemd does; without the socket, if that is not `handed_over`. `before` is
    a statement to run first."""
    if shutil.which("postmap") is None:
        pytest.skip("postmap is not here: run this in the gateway's image")
    base = config.parent
    notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notifications.bind(str(base / "notify"))
    notifications.settimeout(DEADLINE)
    (base / "token-prod").write_text(TOKEN)
    program = (
        "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); "
        "int(sys.argv[1]) < 0 or os.dup2(int(sys.argv[1]), 3); "
        f"{before}; {MAIN.replace('1:', '2:')}"
    )
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": PACKAGE,
        "CREDENTIALS_DIRECTORY": str(base),
        "NOTIFY_SOCKET": str(base / "notify"),
        "WATCHDOG_USEC": "4000000",
    }
    descriptors = list(descriptors)
    with contextlib.ExitStack() as stack:
        if handed_over:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(base / "lmtp"))
            listener.listen()
            descriptors.insert(0, listener.fileno())
            environ["LISTEN_FDS"] = "1"
        stack.callback(notifications.close)
        log = stack.enter_context((base / "log").open("wb"))
        command = [sys.executable, "-c", program, str(descriptors[0] if handed_over else -1)]
        process = subprocess.Popen(
            [*command, "--config", str(config), *(arguments or ("daemon",))],
            env=environ,
            pass_fds=descriptors,
            stderr=log,
        )
        try:
            yield Daemon(process, notifications)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(DEADLINE)


def test_from_ready_to_stopped(tmp_path: Path) -> None:
    with odoo_in_thread("a@x") as odoo, daemon(write_config(tmp_path, odoo.url)) as bridge:
        bridge.told("READY=1")
        bridge.told("WATCHDOG=1")
        client = Lmtp(tmp_path / "lmtp")
        client.send(b"LHLO x\r\n" + transaction(["a@x", "no@x"], MESSAGE))
        assert client.codes(7) == ["220", "250", "250", "250", "550", "354", "250"]
        bridge.process.send_signal(signal.SIGTERM)
        bridge.told("STOPPING=1")
        assert bridge.process.wait(DEADLINE) == 0
        assert client.lines.read() == b""
        # The listener is still there and keeps who comes now.
        Lmtp(tmp_path / "lmtp")
        assert len(odoo.posts) == 1
    log = (tmp_path / "log").read_text()
    assert "message-id=<1@x>" in log
    assert TOKEN not in log


def ask(path: Path, *recipients: str) -> list[str]:
    """The answers to RCPT."""
    client = Lmtp(path)
    client.send(b"LHLO x\r\nMAIL FROM:<>\r\n" + b"".join(b"RCPT TO:<%s>\r\n" % r.encode() for r in recipients))
    codes = client.codes(3 + len(recipients))
    client.socket.close()
    return codes[3:]


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read().decode()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition was never met"
        time.sleep(0.01)


def said(directory: Path) -> str:
    return (directory / "log").read_text()


def test_an_alias_is_known_at_rcpt_within_a_second_of_the_webhook(tmp_path: Path) -> None:
    port = free_port()
    with odoo_in_thread(*(f"a{number}@x" for number in range(1000))) as odoo:
        config = write_config(tmp_path, odoo.url, webhook=f"127.0.0.1:{port}", poll_interval=3600)
        with daemon(config) as bridge:
            bridge.told("READY=1")
            assert ask(tmp_path / "lmtp", "new@x") == ["550"]
            # It knows the list: what it is told now is news.
            wait_for(lambda: "in step" in said(tmp_path))
            odoo.document, odoo.etag = list_document("a1@x", *(f"b{number}@x" for number in range(999)), "new@x"), '"2"'
            body = b'{"database": "prod"}'
            started = time.monotonic()
            assert webhook_status(port, body, signed(body, TOKEN)) == 202
            wait_for(lambda: ask(tmp_path / "lmtp", "new@x") == ["250"])
            maps = MapWriter.of(load(config))
            wait_for(lambda: maps.read(maps.aliases).get("new@x") == "new@x")
            taken = time.monotonic() - started
            print(f"webhook to maps: {taken:.3f} s")
            assert taken < 3  # 0.1 s on an idle machine; the target is 1 s
            assert webhook_status(port, body, {}) == 403
    assert TOKEN not in said(tmp_path)


def webhook_status(port: int, body: bytes, sent: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    connection.request("POST", "/webhook", body, sent)
    return connection.getresponse().status


def test_health_readiness_and_metrics_of_the_process(tmp_path: Path) -> None:
    port = free_port()
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url, metrics=f"127.0.0.1:{port}", poll_interval=1)
        with daemon(config) as bridge:
            bridge.told("READY=1")
            wait_for(lambda: get(port, "/readyz")[0] == 200)
            assert get(port, "/healthz") == (200, "ok\n")
            client = Lmtp(tmp_path / "lmtp")
            client.send(b"LHLO x\r\n" + transaction(["a@x", "no@x"], MESSAGE))
            assert client.codes(7) == ["220", "250", "250", "250", "550", "354", "250"]
            numbers = get(port, "/metrics")[1]
            for line in (
                'odoo_lmtp_bridge_recipients_total{code="250",database="prod"} 1.0',
                'odoo_lmtp_bridge_refused_recipients_total{code="550"} 1.0',
                'odoo_lmtp_bridge_delivery_seconds_count{database="prod"} 1.0',
                "odoo_lmtp_bridge_sessions 1.0",
                "odoo_lmtp_bridge_deliveries 0.0",
                "odoo_lmtp_bridge_quarantine_messages 0.0",
                'odoo_lmtp_bridge_addresses{database="prod"} 1.0',
                'odoo_lmtp_bridge_ready{part="prod"} 1.0',
                'odoo_lmtp_bridge_ready{part="maps"} 1.0',
            ):
                assert line in numbers.splitlines()
            assert "canary" not in numbers


async def _login_page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>", content_type="text/html")


async def _redirect(request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther("/web/login")


async def _nothing(request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


async def _forbidden(request: web.Request) -> web.StreamResponse:
    return web.json_response({"version": 1, "error": "forbidden"}, status=403)


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (_forbidden, "the token is wrong"),
        (_nothing, "404"),
        (_redirect, "a redirect"),
        (_login_page, "not an answer of mail_delivery"),
    ],
)
def test_readiness_says_what_is_wrong(
    tmp_path: Path, respond: Callable[[web.Request], Awaitable[web.StreamResponse]], reason: str
) -> None:
    port = free_port()
    with odoo_in_thread("a@x") as odoo:
        odoo.respond = respond
        with daemon(write_config(tmp_path, odoo.url, metrics=f"127.0.0.1:{port}")) as bridge:
            bridge.told("READY=1")
            status, text = get(port, "/readyz")
            assert status == 503
            problems = json.loads(text)["problems"]
            assert reason in problems["prod"]
            assert problems["maps"] == "not known yet"
            assert get(port, "/healthz")[0] == 200


def test_a_silent_odoo_is_no_readiness(tmp_path: Path) -> None:
    """Nothing fails, but nothing is heard either."""
    port = free_port()
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url, metrics=f"127.0.0.1:{port}", poll_interval=1)
        with daemon(config) as bridge:
            bridge.told("READY=1")
            wait_for(lambda: get(port, "/readyz")[0] == 200)

            async def never(request: web.Request) -> web.StreamResponse:
                await asyncio.sleep(30)
                raise web.HTTPNotFound

            odoo.respond = never
            wait_for(lambda: get(port, "/readyz")[0] == 503)
            assert "Odoo was not heard of for" in json.loads(get(port, "/readyz")[1])["problems"]["prod"]
            bridge.process.kill()


def test_by_hand_it_makes_its_socket_and_takes_it_away(tmp_path: Path) -> None:
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url)
        with daemon(config, handed_over=False) as bridge:
            bridge.told("READY=1")
            assert ask(tmp_path / "lmtp", "a@x", "no@x") == ["250", "550"]
            # A second one would take the mail away from the first.
            again = subprocess.run(
                [
                    sys.executable,
                    "-c",
                    f"import sys; sys.path.insert(0, {PACKAGE!r}); {MAIN}",
                    "-c",
                    str(config),
                    "daemon",
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            assert again.returncode == os.EX_CONFIG
            assert "another process listens on" in again.stderr
            assert ask(tmp_path / "lmtp", "a@x") == ["250"]
            bridge.process.send_signal(signal.SIGTERM)
            assert bridge.process.wait(DEADLINE) == 0
        assert not (tmp_path / "lmtp").exists()


def test_a_kill_leaves_a_socket_that_the_next_one_replaces(tmp_path: Path) -> None:
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url)
        with daemon(config, handed_over=False) as bridge:
            bridge.told("READY=1")
            bridge.process.kill()
            bridge.process.wait(DEADLINE)
        (tmp_path / "notify").unlink()
        assert (tmp_path / "lmtp").is_socket()
        with daemon(config, handed_over=False) as bridge:
            bridge.told("READY=1")
            assert ask(tmp_path / "lmtp", "a@x") == ["250"]


def test_the_file_of_odoo_mailer_is_served_as_it_is(tmp_path: Path) -> None:
    """Its two verbs, as two processes: Odoo is away, the list is known from before."""
    document = {
        "host": "127.0.0.1:9",
        "token": TOKEN,
        "aliases": str(tmp_path / "etc" / "virtual"),
        "transport": str(tmp_path / "transport"),
        "socket": str(tmp_path / "lmtp"),
    }
    config = tmp_path / "odoo-mailer.yml"
    # One key of ours, so that the test stays in its directory.
    config.write_text(json.dumps(document | {"state_directory": str(tmp_path / "state"), "metrics": ""}))
    ListStore(tmp_path / "state" / "lists").save("odoo", alias_list("a@x"))
    with daemon(config, "webhook", "-n", str(free_port()), "-p", "/aliases", handed_over=False) as bridge:
        bridge.told("READY=1")
        maps = MapWriter.of(load(config))
        assert maps.read(tmp_path / "transport") == {"a@x": f"lmtp:unix:{tmp_path}/lmtp"}
        assert maps.read(tmp_path / "etc" / "virtual") == {"a@x": "a@x"}
        assert not (tmp_path / "lmtp").exists()
    (tmp_path / "notify").unlink()
    for path in (tmp_path / "transport", tmp_path / "etc" / "virtual"):
        path.unlink()
    with daemon(config, "lmtp", handed_over=False) as bridge:
        bridge.told("READY=1")
        assert ask(tmp_path / "lmtp", "a@x", "no@x") == ["250", "550"]
        assert not (tmp_path / "transport").exists()
    assert TOKEN not in said(tmp_path)


def test_the_webhook_answers_where_it_is_told_to(tmp_path: Path) -> None:
    port = free_port()
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url, webhook="127.0.0.1:1")
        with daemon(config, "daemon", "-n", str(port), "-p", "/aliases") as bridge:
            bridge.told("READY=1")
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
            body = b'{"database": "prod"}'
            connection.request("POST", "/aliases", body, signed(body, TOKEN))
            assert connection.getresponse().status == 202


def test_readiness_by_a_descriptor(tmp_path: Path) -> None:
    read, write = os.pipe()
    with odoo_in_thread("a@x") as odoo, os.fdopen(read, "rb") as heard:
        config = write_config(tmp_path, odoo.url)
        with daemon(config, "daemon", "--ready-fd", str(write), descriptors=[write]) as bridge:
            os.close(write)
            assert heard.readline() == b"\n"
            assert heard.read() == b""
            bridge.told("READY=1")


def test_over_the_limit_connections_wait_and_none_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        odoo = Recorder()
        document = {"databases": [{"name": "prod", "url": "https://x"}], "connection_limit": 3}
        metrics = Metrics()
        front = Front(parse(document), Deliverer(known("a@x"), {"prod": odoo}, 8), metrics)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "lmtp"))
        listener.listen()
        front.listen([listener])
        waiting = set()

        async def deliver(number: int) -> None:
            client = Client(*await asyncio.open_unix_connection(str(tmp_path / "lmtp")))
            waiting.add(number)
            await client.greet()
            client.transaction(["a@x"], f"Message-Id: <{number}@x>\r\n\r\n".encode())
            assert await client.codes(4) == ["250", "250", "354", "250"]
            assert metrics.registry.get_sample_value("odoo_lmtp_bridge_sessions") in (1, 2, 3)
            client.send(b"QUIT\r\n")
            assert (await client.rest()).startswith(b"221 ")

        await asyncio.gather(*(deliver(number) for number in range(30)))
        assert len(odoo.posts) == 30
        assert metrics.registry.get_sample_value("odoo_lmtp_bridge_connection_limit_reached_total")
        # While it is full it can still stop.
        idle = [Client(*await asyncio.open_unix_connection(str(tmp_path / "lmtp"))) for _number in range(5)]
        for client in idle[:3]:
            await client.greet()
        await front.drain(DEADLINE)
        assert metrics.registry.get_sample_value("odoo_lmtp_bridge_sessions") == 0
        listener.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"socket": "{base}/file"}, "socket: .*file is there and is no socket"),
        ({"socket": "{base}/gone/lmtp"}, "socket: .*gone is not there"),
        ({"state_directory": "{base}/file"}, "file: cannot be made: File exists"),
        ({"aliases": "{base}/file/aliases"}, "file: cannot be made: File exists"),
        ({"metrics": "127.0.0.1:{port}"}, "metrics: 127.0.0.1:.*: in use by another program"),
        ({"webhook": "127.0.0.1:{port}"}, "webhook: 127.0.0.1:.*: in use by another program"),
    ],
)
def test_what_is_missing_is_refused_at_start(tmp_path: Path, more: dict[str, str], message: str) -> None:
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as other:
        values = {key: value.format(base=tmp_path, port=other.getsockname()[1]) for key, value in more.items()}
        config = write_config(tmp_path, "http://127.0.0.1:9", **values)
        with daemon(config, handed_over=False) as bridge:
            assert bridge.process.wait(DEADLINE) == os.EX_CONFIG
    assert re.search(message, said(tmp_path))
    assert "Traceback" not in said(tmp_path)


def test_it_says_which_event_loop_it_has(tmp_path: Path) -> None:
    with daemon(write_config(tmp_path, "http://127.0.0.1:9")) as bridge:
        bridge.told("READY=1")
    assert "starts, event loop: uvloop " in said(tmp_path)


def test_without_uvloop_it_serves_as_well(tmp_path: Path) -> None:
    before = "sys.modules['uvloop'] = None"
    with odoo_in_thread("a@x") as odoo, daemon(write_config(tmp_path, odoo.url), before=before) as bridge:
        bridge.told("READY=1")
        client = Lmtp(tmp_path / "lmtp")
        client.send(b"LHLO x\r\n" + transaction(["a@x"], MESSAGE))
        assert client.codes(6) == ["220", "250", "250", "250", "354", "250"]
    assert "event loop: asyncio (python3-uvloop" in said(tmp_path)


def test_debugging_shows_neither_token_nor_content(tmp_path: Path) -> None:
    with odoo_in_thread("a@x") as odoo, daemon(write_config(tmp_path, odoo.url), "daemon", "--debug") as bridge:
        bridge.told("READY=1")
        client = Lmtp(tmp_path / "lmtp")
        client.send(b"LHLO x\r\n" + transaction(["a@x"], MESSAGE + b"canary-content\r\n"))
        assert client.codes(6) == ["220", "250", "250", "250", "354", "250"]
    assert "message-id=<1@x>" in said(tmp_path)
    assert "canary" not in said(tmp_path)


def test_a_restart_without_odoo_decides_recipients(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9")
    store = ListStore(tmp_path / "state" / "lists")
    store.save("prod", alias_list("a@x"))
    with daemon(config) as bridge:
        bridge.told("READY=1")
        client = Lmtp(tmp_path / "lmtp")
        client.send(b"LHLO x\r\n" + transaction(["a@x", "no@x"], MESSAGE))
        assert client.codes(7) == ["220", "250", "250", "250", "550", "354", "451"]


def test_without_any_list_every_recipient_comes_later(tmp_path: Path) -> None:
    with daemon(write_config(tmp_path, "http://127.0.0.1:9")) as bridge:
        bridge.told("READY=1")
        client = Lmtp(tmp_path / "lmtp")
        client.send(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@x>\r\nQUIT\r\n")
        assert client.codes(5) == ["220", "250", "250", "451", "221"]


def test_sockets_are_only_taken_by_the_process_they_are_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    # Not 1: that is this process, where a container runs nothing else.
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    assert inherited_sockets() == []
    monkeypatch.delenv("LISTEN_PID")
    assert inherited_sockets() == []


def test_what_is_not_done_in_time_is_answered_later(tmp_path: Path) -> None:
    """Stopping: one delivery ends in time, one does not, one client says nothing."""

    async def scenario() -> None:
        odoo = Recorder(hold=True)
        config = parse({"databases": [{"name": "prod", "url": "https://x", "database": "prod"}]})
        front = Front(config, Deliverer(known("a@x", "b@x"), {"prod": odoo}, 8))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "lmtp"))
        listener.listen()
        front.listen([listener])
        clients = []
        for number in range(2):
            client = Client(*await asyncio.open_unix_connection(str(tmp_path / "lmtp")))
            await client.greet()
            client.transaction(["a@x", "b@x"], f"Message-Id: <{number}@x>\r\n\r\n".encode())
            await until(lambda number=number: len(odoo.open) == number + 1)  # type: ignore[misc]
            clients.append(client)
        draining = asyncio.create_task(front.drain(1))
        odoo.finish(1)
        assert await clients[0].codes(6) == ["250", "250", "250", "354", "250", "250"]
        assert await clients[1].codes(6) == ["250", "250", "250", "354", "451", "451"]
        assert [await client.rest() for client in clients] == [b"", b""]
        await draining

    asyncio.run(scenario())


def test_stopping_loses_no_connection(tmp_path: Path) -> None:
    """Whoever connects while one process stops is served by it or, later, by the next."""

    async def scenario() -> None:
        config = parse({"databases": [{"name": "prod", "url": "https://x", "database": "prod"}]})
        deliverer = Deliverer(known("a@x"), {"prod": Recorder()}, 8)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "lmtp"))
        listener.listen(1000)
        clients: list[socket.socket] = []
        for _round in range(20):
            front = Front(config, deliverer)
            front.listen([listener.dup()])
            for _client in range(20):
                client = socket.socket(socket.AF_UNIX)
                client.connect(str(tmp_path / "lmtp"))
                client.sendall(b"LHLO x\r\n" + transaction(["a@x"], MESSAGE))
                clients.append(client)
            # The connections are accepted, or are about to be, when it stops.
            for _turn in range(_round % 4):
                await asyncio.sleep(0)
            await front.drain(DEADLINE)
        last = Front(config, deliverer)
        last.listen([listener.dup()])
        for client in clients:
            client.setblocking(False)
            answers = b""
            while b"250 2.0.0 t" not in answers:
                part = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 4096), DEADLINE)
                assert part, "the connection was closed without an answer"
                answers += part
            client.close()
        await last.drain(DEADLINE)

    asyncio.run(scenario())
