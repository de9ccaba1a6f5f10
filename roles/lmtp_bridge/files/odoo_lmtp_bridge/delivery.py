# SPDX-License-Identifier: GPL-3.0-or-later
"""From an envelope to one answer per recipient: in what order posts are made, how many at once,
and what Odoo's answers mean to Postfix."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from .backend import Backend, Result, Unavailable
from .directory import Directory, Recipient
from .health import Health
from .lmtp import Envelope, Reply
from .message import Header, printable, read_header, with_message_id, with_trace
from .metrics import Metrics
from .quarantine import Quarantine, QuarantineFull

_log = logging.getLogger(__name__)

_LOOP = Reply(554, "5.4.6", "Mail loop: it passed here before")
# Messages that Odoo failed on and that are still on their way, of which the attempts are known.
_COUNTED_FAILURES = 10_000

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


class Attempts:
    """Counts attempts by key; beyond `size` keys those longest unused are forgotten."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._counts: OrderedDict[str, int] = OrderedDict()

    def another(self, key: str) -> int:
        """Counts one more; returns how many there were with it."""
        count = self._counts.pop(key, 0) + 1
        self._counts[key] = count
        if len(self._counts) > self._size:
            self._counts.popitem(last=False)
        return count

    def forget(self, key: str) -> None:
        self._counts.pop(key, None)


class Deliverer:
    """The bridge's `lmtp.Handler`."""

    def __init__(
        self,
        directory: Directory,
        backends: Mapping[str, Backend],
        concurrency: int,
        *,
        quarantine: Quarantine | None = None,
        health: Health | None = None,
        metrics: Metrics | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """`backends` by the databases' configured names; `concurrency` posts at once, each of
        which may take `timeout` seconds with the waiting before it. Without `quarantine` a
        message that Odoo fails on always has to come again."""
        self._directory = directory
        self._backends = backends
        self._slots = asyncio.Semaphore(concurrency)
        self._messages = KeyedLocks()
        self._threads = KeyedLocks()
        self._quarantine = quarantine
        self._failures = Attempts(_COUNTED_FAILURES)
        # The size of the message that the quarantine last could not take.
        self._not_taken: int | None = None
        self._health = health or Health(())
        self._metrics = metrics or Metrics()
        self._timeout = timeout
        if quarantine:
            self._metrics.quarantine_messages.set_function(lambda: quarantine.messages)
            self._metrics.quarantine_bytes.set_function(lambda: quarantine.size)

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
        """One post per database that the envelope's recipients belong to, and the quarantine for
        what Odoo has failed on too often."""
        started = time.monotonic()
        with self._metrics.deliveries.track_inprogress():
            header = read_header(envelope.content)
            results = await self.attempt(envelope, header)
            replies = await self._settle(envelope, header, results)
        for recipient, reply in replies.items():
            self._metrics.recipients.labels(recipient.database, reply.code).inc()
        _log_message(header, len(envelope.content), replies, time.monotonic() - started)
        return [replies[recipient] for recipient in envelope.recipients]

    async def attempt(self, envelope: Envelope, header: Header) -> dict[Recipient, Result]:
        """What Odoo makes of the message now, whatever came before."""
        results: dict[Recipient, Result] = {}
        by_database: dict[str, list[Recipient]] = {}
        for recipient in dict.fromkeys(envelope.recipients):
            if header.is_loop(recipient.address, envelope.client):
                results[recipient] = Result(_LOOP)
            else:
                by_database.setdefault(recipient.database, []).append(recipient)
        posts = [
            self._post(envelope, header, database, recipients)
            for database, recipients in by_database.items()
        ]
        for answered in await asyncio.gather(*posts):
            results.update(answered)
        return results

    async def _post(
        self, envelope: Envelope, header: Header, database: str, recipients: list[Recipient]
    ) -> dict[Recipient, Result]:
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
        return dict(zip(recipients, results, strict=True))

    def _later(self, database: str, reason: Unavailable, failed: bool = True) -> Result:
        detail = printable(reason.detail, 300)
        _log.warning("Odoo %s: %s %s", database, reason, detail)
        if failed:
            self._health.failed(database, f"{reason} {detail}".rstrip())
            self._metrics.post_failures.labels(database).inc()
        return Result(Reply(451, "4.3.0", f"Odoo: {reason}"))

    async def _settle(
        self, envelope: Envelope, header: Header, results: Mapping[Recipient, Result]
    ) -> dict[Recipient, Reply]:
        """The replies to the results, after the quarantine took what is its."""
        replies = {recipient: result.reply for recipient, result in results.items()}
        if self._quarantine is None:
            return replies
        failed: dict[str, dict[Recipient, Result]] = {}
        for recipient, result in results.items():
            if result.quarantine_after is not None:
                failed.setdefault(recipient.database, {})[recipient] = result
        for database, failures in failed.items():
            key = f"{database} {header.key}"
            attempts = self._failures.another(key)
            due = {
                recipient: result
                for recipient, result in failures.items()
                if result.quarantine_after and attempts >= result.quarantine_after
            }
            if due:
                taken = await self._put(self._quarantine, envelope, header, database, due)
                replies.update(taken)
                if taken:
                    self._failures.forget(key)
        if self._not_taken is not None and not failed:
            await self._check_again(self._quarantine, self._not_taken)
        return replies

    async def _put(
        self,
        quarantine: Quarantine,
        envelope: Envelope,
        header: Header,
        database: str,
        due: Mapping[Recipient, Result],
    ) -> dict[Recipient, Reply]:
        """Puts the message into quarantine for the recipients that are due; their replies, or
        none if that did not work."""
        content = envelope.content
        first = next(iter(due.values()))
        if first.filed_as:
            content = with_message_id(content, first.filed_as)
        addresses = [recipient.address for recipient in due]
        reason = first.reply.text
        try:
            id = await asyncio.to_thread(
                quarantine.put,
                content,
                envelope.sender,
                addresses,
                database,
                header.message_id,
                reason,
            )
        except (QuarantineFull, OSError) as error:
            self._not_taken = len(content)
            self._health.failed("quarantine", str(error))
            _log.error("quarantine: %s; the mail stays in Postfix's queue", error)
            return {}
        self._not_taken = None
        self._health.well("quarantine")
        self._metrics.quarantined.labels(database).inc()
        _log.error(
            "message-id=%s is in quarantine for %s, because Odoo %s fails on it: %s. "
            "When that is mended: odoo-lmtp-bridge replay %s",
            printable(header.message_id, 250) or "none",
            ", ".join(addresses),
            database,
            printable(reason, 200),
            id,
        )
        reply = Reply(250, "2.0.0", f"In quarantine as {id}: {reason}")
        return dict.fromkeys(due, reply)

    async def _check_again(self, quarantine: Quarantine, size: int) -> None:
        """Whether the quarantine could take now what it could not."""
        try:
            await asyncio.to_thread(quarantine.check, size)
        except (QuarantineFull, OSError):
            return
        self._not_taken = None
        self._health.well("quarantine")


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
