# SPDX-License-Identifier: GPL-3.0-or-later
"""Into a real Odoo: by the bridge, by calls of message_process, and one hot thread with and without its lock.

Runs on the gateway. Standard input is JSON: url, database, token, key (an API key), run (makes this run's mails new).
"""

import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import threading
import time
import xmlrpc.client
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop
from benchmarks.bridge.lmtp_load import RECIPIENT
from odoo_lmtp_bridge.addon import AddonBackend
from odoo_lmtp_bridge.budget import ByteBudget
from odoo_lmtp_bridge.config import Database
from odoo_lmtp_bridge.delivery import Deliverer
from odoo_lmtp_bridge.directory import AliasList, Directory
from odoo_lmtp_bridge.lmtp import Limits, Session

CONCURRENCY = 8
ROUNDS = 4
MAILS = 60
# So many mails, of which this share are answers in one conversation, make the mix.
MIX = 100
HOT_SHARE = 0.5
ADMINISTRATOR = 2

Mail = tuple[str, bytes]


class Mails:
    """New mails by authors of their own: Odoo takes twenty records of one."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._numbers = itertools.count()

    def new(self, answer_to: str = "") -> Mail:
        """(sender, content) of a mail, perhaps an answer to the mail of that Message-Id."""
        author = f"{self._run}n{next(self._numbers)}@customer.example"
        # Somebody new in Cc is what Odoo notes down in the lead itself.
        references = f"References: {answer_to}\r\nCc: colleague-of-{author}\r\n" if answer_to else ""
        head = f"From: {author}\r\nTo: {RECIPIENT}\r\nSubject: Load {author}\r\nMessage-Id: <{author}>\r\n{references}"
        return author, head.encode() + b"\r\nDo you sell chairs?\r\n"


class WithoutThreadLock(Deliverer):
    """Delivers answers in one conversation at the same time, which the bridge never does."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._threads = _NoLocks()  # type: ignore[assignment]


class _NoLocks:
    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        yield


async def deliver(path: Path, mails: Sequence[Mail]) -> tuple[float, int]:
    """(seconds, answers 451) for all mails by eight connections; what has to come again does so at once."""
    waiting = list(reversed(mails))
    deferred = 0

    async def work() -> None:
        nonlocal deferred
        reader, writer = await asyncio.open_unix_connection(str(path))

        async def answer() -> bytes:
            while (line := await reader.readline())[3:4] == b"-":
                pass
            return line

        await answer()
        writer.write(b"LHLO load\r\n")
        await answer()
        while waiting:
            sender, content = mail = waiting.pop()
            writer.write(f"MAIL FROM:<{sender}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
            for _command in range(3):
                assert (await answer())[:1] in b"23"
            writer.write(content + b".\r\n")
            said = await answer()
            if said[:3] == b"451":
                deferred += 1
                waiting.append(mail)
            else:
                assert said[:3] == b"250", said
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _session in range(CONCURRENCY)))
    return time.perf_counter() - started, deferred


def call_directly(target: dict[str, str], mails: Sequence[Mail]) -> float:
    """Seconds for the same number of calls of message_process by XML-RPC, on eight connections kept open."""
    waiting: Iterator[Mail] = iter(mails)
    lock = threading.Lock()

    def work() -> None:
        odoo: Any = xmlrpc.client.ServerProxy(f"{target['url']}/xmlrpc/2/object", allow_none=True)
        while True:
            with lock:
                mail = next(waiting, None)
            if mail is None:
                return
            binary = xmlrpc.client.Binary(mail[1])
            login = (target["database"], ADMINISTRATOR, target["key"])
            assert odoo.execute_kw(*login, "mail.thread", "message_process", [False, binary], {})

    threads = [threading.Thread(target=work) for _session in range(CONCURRENCY)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def mix(mails: Mails, root: str) -> list[Mail]:
    """Mails of which a share, evenly spread, are answers to the root of one conversation."""
    return [mails.new(root if number * HOT_SHARE % 1 < HOT_SHARE else "") for number in range(MIX)]


async def measure(target: dict[str, str]) -> dict[str, float]:
    """Ratios and counts by name; the ways take turns, and each ratio is the median of its rounds."""
    mails = Mails(target["run"])
    directory = Directory(["bench"])
    directory.update("bench", AliasList(target["database"], (RECIPIENT,), ""))
    database = Database("bench", target["url"], target["database"])
    addon = AddonBackend(database, (target["token"],), CONCURRENCY)
    with tempfile.TemporaryDirectory() as name:
        paths, servers = {}, []
        for kind in (Deliverer, WithoutThreadLock):
            handler = kind(directory, {"bench": addon}, CONCURRENCY)
            paths[kind] = Path(name, kind.__name__)
            servers.append(await _listen(handler, paths[kind]))
        await deliver(paths[Deliverer], [mails.new() for _mail in range(20)])
        rates, mixes, surfaced, surfaced_without = [], [], 0, 0
        for _round in range(ROUNDS):
            ours, _none = await deliver(paths[Deliverer], [mails.new() for _mail in range(MAILS)])
            direct = await asyncio.to_thread(call_directly, target, [mails.new() for _mail in range(MAILS)])
            rates.append((MAILS / ours, MAILS / direct))
            times = {}
            for kind in (Deliverer, WithoutThreadLock):
                author, root = mails.new()
                await deliver(paths[kind], [(author, root)])
                times[kind], deferred = await deliver(paths[kind], mix(mails, f"<{author}>"))
                if kind is Deliverer:
                    surfaced += deferred
                else:
                    surfaced_without += deferred
            mixes.append(times[WithoutThreadLock] / times[Deliverer])
        for server in servers:
            server.close()
    await addon.close()
    return {
        "into Odoo, mails/s": statistics.median(ours for ours, _direct in rates),
        "into Odoo, of direct calls": statistics.median(ours / direct for ours, direct in rates),
        "hot thread, of unserialised": statistics.median(mixes),
        "put off, serialised": surfaced,
        "put off, unserialised": surfaced_without,
    }


async def _listen(handler: Deliverer, path: Path) -> asyncio.Server:
    limits, budget, sessions = Limits(50 << 20), ByteBudget(128 << 20), set[Session]()
    loop = asyncio.get_running_loop()
    return await loop.create_unix_server(lambda: Session(handler, limits, budget, sessions), str(path))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(measure(json.load(sys.stdin)))))
