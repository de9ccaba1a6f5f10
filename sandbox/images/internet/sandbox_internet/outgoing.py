# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages on their way to another mail server, on disk until each recipient has a final answer."""

from __future__ import annotations

import asyncio
import json
import logging
import pathlib
import time

from . import dsn, records
from .relay import Answer, deliver

LIFETIME = 600  # seconds that a message is tried for; then its sender is told
FIRST_PAUSE = 0.5  # seconds between attempts; doubled up to LONGEST_PAUSE
LONGEST_PAUSE = 8.0

log = logging.getLogger(__name__)


class Outgoing:
    """The queue. A message whose files are removed is not tried again."""

    def __init__(self, folder: pathlib.Path = records.QUEUE) -> None:
        self._folder = folder
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Go on with what an earlier run of the service left."""
        for path in sorted(self._folder.glob("*.json")):
            self._start(path)

    def add(self, host: str, mail_from: str, recipients: list[str], content: bytes) -> None:
        """Take a message that `host` passes on; it is on disk when this returns."""
        identifier = records.new_id()
        facts = {
            "host": host,
            "mail_from": mail_from,
            "recipients": recipients,
            "since": time.time(),
        }
        records.store(self._folder, identifier, content, facts)
        self._start(self._folder / f"{identifier}.json")

    def bounce(self, host: str, mail_from: str, answers: list[Answer], content: bytes) -> None:
        """Tell the envelope sender that `host` could not deliver; a lost bounce is only logged."""
        for answer in answers:
            log.info("%s: not delivered to %s: %d %s", host, answer.recipient, answer.code, answer.text)
        if mail_from:
            self.add(host, "", [mail_from], dsn.failed(host, mail_from, answers, content))

    def _start(self, path: pathlib.Path) -> None:
        task = asyncio.create_task(self._until_final(path))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_final(self, path: pathlib.Path) -> None:
        pause = FIRST_PAUSE
        while await self._attempt(path):
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _attempt(self, path: pathlib.Path) -> bool:
        """Try once, and return whether some recipients have to be tried again."""
        try:
            facts, content = json.loads(path.read_text()), path.with_suffix(".eml").read_bytes()
        except FileNotFoundError:  # cleared meanwhile
            return False
        host, mail_from = facts["host"], facts["mail_from"]
        answers = await asyncio.to_thread(deliver, mail_from, facts["recipients"], content, host)
        expired = time.time() > facts["since"] + LIFETIME
        waiting = [answer.recipient for answer in answers if 400 <= answer.code < 500 and not expired]
        refused = [answer for answer in answers if answer.code >= 400 and answer.recipient not in waiting]
        if refused:
            self.bounce(host, mail_from, refused, content)
        if not waiting:
            records.remove(path)
        elif waiting != facts["recipients"] and path.exists():
            records.store(self._folder, path.stem, content, facts | {"recipients": waiting})
        return bool(waiting)
