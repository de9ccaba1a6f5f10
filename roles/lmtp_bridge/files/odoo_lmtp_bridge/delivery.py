# SPDX-License-Identifier: GPL-3.0-or-later
"""From an envelope to one answer per recipient: in what order posts are made, how many at once,
and what Odoo's answers mean to Postfix."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from .backend import Backend, Unavailable
from .directory import Directory, Recipient
from .health import Health
from .lmtp import Envelope, Reply
from .message import Header, printable, read_header, with_trace
from .metrics import Metrics

_log = logging.getLogger(__name__)

# Half of Postfix's lmtp_data_done_timeout (600 s), so that the answer is ours.
TIMEOUT = 300


class KeyedLocks:
    """A first-come, first-served lock per key; a key in nobody's use takes no memory."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = (lock, users - 1)


class Deliverer:
    """The bridge's `lmtp.Handler`."""

    def __init__(
        self,
        directory: Directory,
        backends: Mapping[str, Backend],
        concurrency: int,
        *,
        health: Health | None = None,
        metrics: Metrics | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """`backends` by the databases' configured names; `concurrency` posts at once, each of
        which may take `timeout` seconds with the waiting before it."""
        self._directory = directory
        self._backends = backends
        self._slots = asyncio.Semaphore(concurrency)
        self._messages = KeyedLocks()
        self._threads = KeyedLocks()
        self._health = health or Health(())
        self._metrics = metrics or Metrics()
        self._timeout = timeout

    def recipient(self, address: str) -> Recipient | Reply:
        """Decides an RCPT from the lists alone, whether Odoo runs or not."""
        known = self._directory.lookup(address)
        if known is not None:
            return known
        if self._directory.complete:
            reply = Reply(550, "5.1.1", "No such address in Odoo")
        else:
            reply = Reply(451, "4.3.0", "The addresses are not known yet, try again")
        self._metrics.refused.labels(reply.code).inc()
        return reply

    async def deliver(self, envelope: Envelope) -> list[Reply]:
        """One post per database that the envelope's recipients belong to; never raises."""
        started = time.monotonic()
        header = read_header(envelope.content)
        replies: dict[Recipient, Reply] = {}
        by_database: dict[str, list[Recipient]] = {}
        for recipient in dict.fromkeys(envelope.recipients):
            if header.is_loop(recipient.address, envelope.client):
                replies[recipient] = Reply(554, "5.4.6", "Mail loop: it passed here before")
            else:
                by_database.setdefault(recipient.database, []).append(recipient)
        with self._metrics.deliveries.track_inprogress():
            posts = [
                self._post(envelope, header, database, recipients)
                for database, recipients in by_database.items()
            ]
            for answered in await asyncio.gather(*posts):
                replies.update(answered)
        for recipient, reply in replies.items():
            self._metrics.recipients.labels(recipient.database, reply.code).inc()
        _log_message(header, len(envelope.content), replies, time.monotonic() - started)
        return [replies[recipient] for recipient in envelope.recipients]

    async def _post(
        self, envelope: Envelope, header: Header, database: str, recipients: list[Recipient]
    ) -> dict[Recipient, Reply]:
        addresses = [recipient.address for recipient in recipients]
        posting = False
        try:
            with self._metrics.delivery_seconds.labels(database).time():
                async with asyncio.timeout(self._timeout):
                    # Always message before thread, so that two deliveries never wait for each
                    # other.
                    async with (
                        self._messages.hold(f"{database} {header.key}"),
                        self._threads.hold(f"{database} {header.thread}"),
                        self._slots,
                    ):
                        posting = True
                        message = with_trace(envelope.content, envelope.sender, addresses)
                        results = await self._backends[database].post(
                            message, envelope.sender, addresses
                        )
        except TimeoutError:
            late = Unavailable(f"no answer in {self._timeout:g} s")
            # Waiting for the thread's other mail says nothing about Odoo.
            return dict.fromkeys(recipients, self._later(database, late, failed=posting))
        except Unavailable as error:
            return dict.fromkeys(recipients, self._later(database, error))
        self._health.well(database)
        replies = [result.reply for result in results]
        return dict(zip(recipients, replies, strict=True))

    def _later(self, database: str, reason: Unavailable, failed: bool = True) -> Reply:
        detail = printable(reason.detail, 300)
        _log.warning("Odoo %s: %s %s", database, reason, detail)
        if failed:
            self._health.failed(database, f"{reason} {detail}".rstrip())
            self._metrics.post_failures.labels(database).inc()
        return Reply(451, "4.3.0", f"Odoo: {reason}")


def _log_message(
    header: Header, size: int, replies: Mapping[Recipient, Reply], seconds: float
) -> None:
    """The one line that a message leaves in the log: nothing of its content."""
    results = ", ".join(
        f"{recipient.address}={reply.code} {reply.enhanced} ({printable(reply.text, 200)})"
        for recipient, reply in replies.items()
    )
    _log.info(
        "message-id=%s size=%d time=%.3f %s",
        printable(header.message_id, 250) or "none",
        size,
        seconds,
        results,
    )
