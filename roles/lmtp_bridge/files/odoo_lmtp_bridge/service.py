# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon: listens on systemd's socket, and stops without losing an answer."""

import asyncio
import logging
import signal
import socket
from collections.abc import Mapping, Sequence

from .budget import ByteBudget
from .config import Config
from .delivery import Deliverer
from .directory import Directory
from .lmtp import Limits, Session
from .maps import MapWriter
from .odoo import open_backends
from .sync import ListStore, Synchronizer
from .systemd import feed_watchdog, notify

_log = logging.getLogger(__name__)

# Less than the unit's TimeoutStopSec, so that the last answers are the bridge's own.
DRAIN_TIMEOUT = 60
_ACCEPT_PAUSE = 1.0


async def serve(
    config: Config,
    tokens: Mapping[str, tuple[str, ...]],
    listeners: Sequence[socket.socket],
    drain_timeout: float = DRAIN_TIMEOUT,
) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what is under way."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    directory = Directory([database.name for database in config.databases])
    backends = open_backends(config, tokens)
    sync = Synchronizer(
        directory,
        ListStore(config.lists_directory),
        MapWriter(config.maps_directory),
        backends,
        config.poll_interval,
    )
    await sync.start([(database.name, database.database) for database in config.databases])
    front = Front(config, Deliverer(directory, backends, config.concurrency))
    background = asyncio.create_task(_background(sync, directory.complete))
    try:
        front.listen(listeners)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, background}, return_when=asyncio.FIRST_COMPLETED)
        if background.done():
            stopping.cancel()
            # Never ends by itself: raises what ended it.
            background.result()
        notify("STOPPING=1")
        await front.drain(drain_timeout)
    finally:
        background.cancel()
        await asyncio.gather(background, return_exceptions=True)
        await asyncio.gather(*(backend.close() for backend in backends.values()))


async def _background(sync: Synchronizer, known: bool) -> None:
    """Polling and the watchdog. Ready at once with stored lists, otherwise after asking Odoo."""
    async with asyncio.TaskGroup() as group:
        group.create_task(feed_watchdog())
        if known:
            notify("READY=1")
        await sync.first_round()
        notify("READY=1")
        group.create_task(sync.run())


class Front:
    """The LMTP side: the listeners and the open connections.

    Accepts by itself, because asyncio's Server drops the connections that it has accepted but
    not set up yet when it closes.
    """

    def __init__(self, config: Config, deliverer: Deliverer) -> None:
        self._deliverer = deliverer
        self._limits = Limits(message_size=config.message_size_limit)
        self._budget = ByteBudget(config.byte_budget)
        self._sessions: set[Session] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._listeners: list[socket.socket] = []

    def listen(self, listeners: Sequence[socket.socket]) -> None:
        """Accepts on listening sockets from now on; they are not closed here or at the end."""
        self._listeners.extend(listeners)
        for listener in listeners:
            listener.setblocking(False)
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

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
        task.add_done_callback(self._starting.discard)

    def _accept_again(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def _start_session(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: Session(self._deliverer, self._limits, self._budget, self._sessions),
            connection,
        )
