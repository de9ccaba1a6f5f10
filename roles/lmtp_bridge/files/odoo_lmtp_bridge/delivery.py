# SPDX-License-Identifier: GPL-3.0-or-later
"""From an envelope to one answer per recipient: in what order posts are made, how many at once,
and what Odoo's answers mean to Postfix."""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from .directory import Directory, Recipient
from .lmtp import Envelope, Reply
from .message import Header, printable, read_header, with_trace
from .odoo import Answer, Unavailable, refusal

_log = logging.getLogger(__name__)

# Half of Postfix's lmtp_data_done_timeout (600 s), so that the answer is ours.
TIMEOUT = 300

_CODES = frozenset({250, 451, 550, 552, 554})
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


class Backend(Protocol):
    """Takes a message to one database."""

    async def post(self, message: bytes, sender: str, recipients: Sequence[str]) -> Answer: ...


def classify(answer: Answer, recipients: Sequence[str]) -> list[Reply]:
    """What the answer to a post means: one Reply per recipient, in order.

    Raises Unavailable for all that is not the addon's complete answer: a login page, a proxy's
    error, an answer cut short. None of these proves anything about the mail.
    """
    if answer.status != 200 or answer.content_type != "application/json":
        raise refusal(answer)
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Unavailable("HTTP 200, but not JSON") from None
    if not isinstance(document, dict) or document.get("version") != 1:
        raise Unavailable("HTTP 200, but not version 1 of the interface")
    results = document.get("results")
    if not isinstance(results, list) or len(results) != len(recipients):
        raise Unavailable("HTTP 200, but not one result per recipient")
    return [_reply(*pair) for pair in zip(results, recipients, strict=True)]


def _reply(result: object, recipient: str) -> Reply:
    if not isinstance(result, dict) or result.get("recipient") != recipient:
        raise Unavailable("HTTP 200, but the results are not those of the recipients")
    code, enhanced, text = result.get("code"), result.get("enhanced"), result.get("text")
    if not isinstance(code, int) or code not in _CODES:
        raise Unavailable(f"HTTP 200, but with a code {code!r:.20}")
    if not isinstance(enhanced, str) or not _ENHANCED.fullmatch(enhanced):
        raise Unavailable("HTTP 200, but with an enhanced code that is none")
    if enhanced[0] != str(code)[0] or not isinstance(text, str):
        raise Unavailable("HTTP 200, but with a result that contradicts itself")
    return Reply(code, enhanced, text)


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
        timeout: float = TIMEOUT,
    ) -> None:
        self._directory = directory
        self._backends = backends
        self._slots = asyncio.Semaphore(concurrency)
        self._messages = KeyedLocks()
        self._threads = KeyedLocks()
        self._timeout = timeout

    def recipient(self, address: str) -> Recipient | Reply:
        """Decides an RCPT from the lists alone, whether Odoo runs or not."""
        known = self._directory.lookup(address)
        if known is not None:
            return known
        if self._directory.complete:
            return Reply(550, "5.1.1", "No such address in Odoo")
        return Reply(451, "4.3.0", "The addresses are not known yet, try again")

    async def deliver(self, envelope: Envelope) -> list[Reply]:
        """One post per database that the envelope's recipients belong to; never raises."""
        started = time.monotonic()
        header = read_header(envelope.content)
        replies: dict[Recipient, Reply] = {}
        by_database: dict[str, list[Recipient]] = {}
        for recipient in dict.fromkeys(envelope.recipients):
            if recipient.address in header.delivered_to:
                replies[recipient] = Reply(554, "5.4.6", "Mail loop: it was delivered here before")
            else:
                by_database.setdefault(recipient.database, []).append(recipient)
        posts = [
            self._post(envelope, header, database, recipients)
            for database, recipients in by_database.items()
        ]
        for answered in await asyncio.gather(*posts):
            replies.update(answered)
        _log_message(header, len(envelope.content), replies, time.monotonic() - started)
        return [replies[recipient] for recipient in envelope.recipients]

    async def _post(
        self, envelope: Envelope, header: Header, database: str, recipients: list[Recipient]
    ) -> dict[Recipient, Reply]:
        addresses = [recipient.address for recipient in recipients]
        try:
            async with asyncio.timeout(self._timeout):
                # Always message before thread, so that two deliveries never wait for each other.
                async with (
                    self._messages.hold(f"{database} {header.key}"),
                    self._threads.hold(f"{database} {header.thread}"),
                    self._slots,
                ):
                    content = with_trace(envelope.content, envelope.sender, addresses)
                    answer = await self._backends[database].post(
                        content, envelope.sender, addresses
                    )
            replies = classify(answer, addresses)
        except TimeoutError:
            late = Unavailable(f"no answer in {self._timeout:g} s")
            replies = [_later(database, late)] * len(recipients)
        except Unavailable as error:
            replies = [_later(database, error)] * len(recipients)
        return dict(zip(recipients, replies, strict=True))


def _later(database: str, reason: Unavailable) -> Reply:
    _log.warning("Odoo %s: %s %s", database, reason, printable(reason.detail, 300))
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
