# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon as a process, with what systemd would hand to it: a listening socket, the place
for notifications, a watchdog."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import odoo_lmtp_bridge
import pytest
from odoo_lmtp_bridge.config import parse
from odoo_lmtp_bridge.delivery import Deliverer
from odoo_lmtp_bridge.service import Front
from odoo_lmtp_bridge.sync import ListStore
from odoo_lmtp_bridge.systemd import inherited_sockets
from unit.bridge.harness import (
    DEADLINE,
    TOKEN,
    Client,
    alias_list,
    known,
    odoo_in_thread,
    transaction,
    until,
    write_config,
)
from unit.bridge.test_delivery import Recorder

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
def daemon(config: Path, *arguments: str, handed_over: bool = True) -> Iterator[Daemon]:
    """Starts it as systemd does; without the socket, if that is not `handed_over`."""
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
        "from odoo_lmtp_bridge.cli import main; sys.exit(main(sys.argv[2:]))"
    )
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(odoo_lmtp_bridge.__file__).parents[1]),
        "CREDENTIALS_DIRECTORY": str(base),
        "NOTIFY_SOCKET": str(base / "notify"),
        "WATCHDOG_USEC": "4000000",
    }
    descriptors = []
    with contextlib.ExitStack() as stack:
        if handed_over:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(base / "lmtp"))
            listener.listen()
            descriptors.append(listener.fileno())
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
