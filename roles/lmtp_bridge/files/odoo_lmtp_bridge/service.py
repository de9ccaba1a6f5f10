# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon: takes mail on a Unix socket, keeps Postfix's maps, and stops without losing an
answer."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from . import __version__, startup, web
from .budget import ByteBudget
from .config import Config
from .delivery import Deliverer
from .directory import Directory
from .health import Health
from .lmtp import Limits, Session
from .maps import MapWriter
from .metrics import Metrics
from .odoo import open_backends
from .quarantine import Quarantine
from .sync import ListStore, Synchronizer
from .systemd import feed_watchdog, inherited_sockets, notify

_log = logging.getLogger(__name__)

# Less than the unit's TimeoutStopSec, so that the last answers are the bridge's own.
DRAIN_TIMEOUT = 60
_ACCEPT_PAUSE = 1.0
# Polls that may fail to be heard of before a list counts as old; jitter makes one up to 1.2 long.
_POLLS = 3 * 1.2


@dataclass(frozen=True)
class Duties:
    """What a process does: take mail (`lmtp`) and show health and metrics, keep Postfix's maps
    with a webhook (`maps`).

    `webhook_path` is what the webhook answers on. `ready_fd` is a descriptor that gets a line when
    the process is ready (as s6 has it).
    """

    lmtp: bool
    maps: bool
    webhook_path: str = web.WEBHOOK_PATH
    ready_fd: int | None = None


def run(config: Config, tokens: Mapping[str, tuple[str, ...]], duties: Duties) -> None:
    """Serves until SIGTERM or SIGINT, on uvloop where that is installed.

    Raises ConfigError, before any mail is taken, if the machine does not have what is needed.
    """
    factory, name = _event_loop()
    with ExitStack() as stack:
        startup.require_directory(config.state_directory)
        startup.require_own(config.state_directory)
        if duties.maps:
            MapWriter.of(config).prepare()
        sockets = _Sockets()
        if duties.lmtp:
            startup.require_private_directory(config.quarantine_directory)
            sockets.lmtp = inherited_sockets() or [
                stack.enter_context(startup.unix_listener(config.socket))
            ]
        if duties.maps and config.webhook is not None:
            sockets.webhook = startup.listen_tcp("webhook", config.webhook)
            stack.callback(sockets.webhook.close)
        if duties.lmtp and config.metrics is not None:
            sockets.metrics = startup.listen_tcp("metrics", config.metrics)
            stack.callback(sockets.metrics.close)
        _log.info("odoo-lmtp-bridge %s starts, event loop: %s", __version__, name)
        metrics = Metrics(database.name for database in config.databases)
        metrics.started(name)
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(_serve(config, tokens, duties, sockets, metrics))


def _event_loop() -> tuple[Callable[[], asyncio.AbstractEventLoop] | None, str]:
    try:
        import uvloop
    except ImportError:
        return None, "asyncio (python3-uvloop, which is faster, is not installed)"
    return uvloop.new_event_loop, f"uvloop {version('uvloop')}"


class _Sockets:
    """The listening sockets of a process."""

    lmtp: Sequence[socket.socket] = ()
    webhook: socket.socket | None = None
    metrics: socket.socket | None = None


async def _serve(
    config: Config,
    tokens: Mapping[str, tuple[str, ...]],
    duties: Duties,
    sockets: _Sockets,
    metrics: Metrics,
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    names = [database.name for database in config.databases]
    health = Health([*names, "maps"] if duties.maps else names)
    directory = Directory(names)
    quarantine = Quarantine(config.quarantine_directory, config.quarantine_limit)
    backends = open_backends(config, tokens, quarantine)
    sync = Synchronizer(
        directory,
        ListStore(config.lists_directory),
        MapWriter.of(config) if duties.maps else None,
        backends,
        config.poll_interval,
        config.shrink_limit,
        health,
        metrics,
    )
    servers = []
    if sockets.webhook is not None:
        signers = {
            database: tokens[database.name]
            for database in config.databases
            if database.backend == "addon"
        }
        webhook = web.Webhook(signers, sync.wake, metrics, duties.webhook_path)
        servers.append(web.Server(webhook.application, sockets.webhook))
    if sockets.metrics is not None:
        readiness = _Readiness(health, sync, names, _POLLS * config.poll_interval)
        application = web.health_application(readiness.problems, metrics)
        servers.append(web.Server(application, sockets.metrics))
    await sync.start([(database.name, database.database) for database in config.databases])
    deliverer = Deliverer(
        directory,
        backends,
        config.concurrency,
        quarantine=quarantine,
        health=health,
        metrics=metrics,
    )
    front = Front(config, deliverer, metrics)
    async with _open(servers):
        background = asyncio.create_task(_background(sync, directory.complete, duties.ready_fd))
        try:
            front.listen(sockets.lmtp)
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({stopping, background}, return_when=asyncio.FIRST_COMPLETED)
            if background.done():
                stopping.cancel()
                # Never ends by itself: raises what ended it.
                background.result()
            notify("STOPPING=1")
            await front.drain(DRAIN_TIMEOUT)
        finally:
            background.cancel()
            await asyncio.gather(background, return_exceptions=True)
            await asyncio.gather(*(backend.close() for backend in backends.values()))


@asynccontextmanager
async def _open(servers: Sequence[web.Server]) -> AsyncIterator[None]:
    try:
        for server in servers:
            await server.start()
        yield
    finally:
        for server in servers:
            await server.close()


async def _background(sync: Synchronizer, known: bool, ready_fd: int | None) -> None:
    """Polling and the watchdog. Ready at once with stored lists, otherwise after asking Odoo."""
    async with asyncio.TaskGroup() as group:
        group.create_task(feed_watchdog())
        if not known:
            await sync.first_round()
        notify("READY=1")
        if ready_fd is not None:
            os.write(ready_fd, b"\n")
            os.close(ready_fd)
        if known:
            await sync.first_round()
        group.create_task(sync.run())


class _Readiness:
    """What keeps mail from flowing now: what is known to fail, and lists of which nothing was
    heard for `patience` seconds."""

    def __init__(
        self, health: Health, sync: Synchronizer, names: Sequence[str], patience: float
    ) -> None:
        self._health = health
        self._sync = sync
        self._names = names
        self._patience = patience

    def problems(self) -> Mapping[str, str]:
        problems = dict(self._health.problems)
        for name in self._names:
            silence = self._sync.silence(name)
            if name not in problems and silence is not None and silence > self._patience:
                problems[name] = f"Odoo was not heard of for {silence:.0f} s"
        return problems


class Front:
    """The LMTP side: the listeners and the open connections.

    Accepts by itself, because asyncio's Server drops the connections that it has accepted but
    not set up yet when it closes. Over `connection_limit` it stops to accept until a connection
    ends: whoever comes meanwhile waits in the socket's queue.
    """

    def __init__(
        self, config: Config, deliverer: Deliverer, metrics: Metrics | None = None
    ) -> None:
        self._deliverer = deliverer
        self._limits = Limits(message_size=config.message_size_limit)
        self._budget = ByteBudget(config.byte_budget)
        self._sessions: set[Session] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._listeners: list[socket.socket] = []
        self._limit = config.connection_limit
        self._full = False
        self._metrics = metrics or Metrics()
        self._metrics.sessions.set_function(lambda: len(self._sessions))
        self._metrics.held_bytes.set_function(lambda: self._budget.used)

    def listen(self, listeners: Sequence[socket.socket]) -> None:
        """Accepts on listening sockets from now on; they are not closed here or at the end."""
        self._listeners.extend(listeners)
        for listener in listeners:
            listener.setblocking(False)
            self._accept_again(listener)

    async def drain(self, timeout: float) -> None:
        """Takes no new connection (systemd's socket keeps them for the next process), lets the
        open ones end their transactions, and answers 451 for what is not done in `timeout`
        seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while self._listeners:
            loop.remove_reader(self._listeners.pop())
        await asyncio.gather(*self._starting, return_exceptions=True)
        for session in set(self._sessions):
            session.drain()
        while self._sessions and loop.time() < deadline:
            await asyncio.sleep(0.05)
        unfinished = [session.delivery for session in self._sessions if session.delivery]
        if unfinished:
            _log.warning("stopping with %d deliveries unfinished", len(unfinished))
        for delivery in unfinished:
            delivery.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        for session in set(self._sessions):
            session.close()

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _address = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            # Out of descriptors, most likely: the connection waits in the queue for a while.
            _log.error("cannot accept: %s", error.strerror)
            loop = asyncio.get_running_loop()
            loop.remove_reader(listener)
            loop.call_later(_ACCEPT_PAUSE, self._accept_again, listener)
            return
        task = asyncio.get_running_loop().create_task(self._start_session(connection))
        self._starting.add(task)
        task.add_done_callback(self._started)
        if self._open >= self._limit and not self._full:
            self._full = True
            self._metrics.limited.inc()
            _log.debug("%d connections are open: more have to wait", self._open)
            for one in self._listeners:
                asyncio.get_running_loop().remove_reader(one)

    @property
    def _open(self) -> int:
        return len(self._sessions) + len(self._starting)

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        self._closed()

    def _closed(self) -> None:
        if self._full and self._open < self._limit:
            self._full = False
            for listener in self._listeners:
                self._accept_again(listener)

    def _accept_again(self, listener: socket.socket) -> None:
        if listener in self._listeners and not self._full:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def _start_session(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: Session(
                self._deliverer, self._limits, self._budget, self._sessions, self._closed
            ),
            connection,
        )
