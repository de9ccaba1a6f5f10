# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that Odoo fails on time and again, kept until somebody has mended Odoo.

One file per message, ``<id>.mail``: a line of JSON with the envelope, and then the message as it
came. A file has that name only when it is whole and on disk.
"""

import fcntl
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .message import printable

_log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
_SUFFIX = ".mail"
_UNFINISHED = ".new"
_REPLAY_LOCK = ".replay"
# A line of JSON with some hundreds of recipients is far shorter.
_MAX_LINE = 1 << 20


class QuarantineFull(Exception):
    """The message does not fit in."""


class Damaged(Exception):
    """A file in the quarantine is not what was written."""


@dataclass(frozen=True)
class Entry:
    """What may be shown of a message. `time` is in seconds since 1970, `size` in bytes; `database`
    is the configured name."""

    id: str
    time: int
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    database: str
    reason: str
    size: int


class Quarantine:
    """The messages in `directory`, of at most `limit` bytes together.

    All methods block. The daemon and the command line may use one directory at the same time.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        self.directory = directory
        self._limit = limit
        # Of the directory when it was counted, the messages in it and their bytes.
        self._counted = (-1, 0, 0)

    @property
    def messages(self) -> int:
        """How many there are; as far as is known, if the directory cannot be read now."""
        return self._count()[0]

    @property
    def size(self) -> int:
        """How many bytes they take, like `messages`."""
        return self._count()[1]

    def put(
        self,
        content: bytes,
        sender: str,
        recipients: Sequence[str],
        database: str,
        message_id: str,
        reason: str,
    ) -> str:
        """Keeps a message; it is on disk when this returns its id.

        Raises QuarantineFull and OSError, and then the message has to come again.
        """
        now = int(time.time())
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        entry = Entry(
            id=f"{stamp}-{secrets.token_hex(4)}",
            time=now,
            message_id=printable(message_id, 250),
            sender=sender,
            recipients=tuple(recipients),
            database=database,
            reason=printable(reason, 200),
            size=len(content),
        )
        line = _rendered(entry)
        with self._locked():
            self._make_room(len(line) + len(content))
            messages, size = self._count()
            self._write(entry.id, line, content)
            # No need to count all of them again for the next one.
            changed = self.directory.stat().st_mtime_ns
            self._counted = (changed, messages + 1, size + len(line) + len(content))
        return entry.id

    def check(self, size: int) -> None:
        """Raises what `put` would raise for a message of `size` bytes."""
        with self._locked():
            self._make_room(size)
            probe = self.directory / _UNFINISHED
            probe.touch(mode=0o600)
            probe.unlink()

    def entries(self) -> list[Entry]:
        """All messages, the oldest first. A damaged file is said in the log and left out."""
        found = []
        for id in self._ids():
            try:
                with self._path(id).open("rb") as file:
                    found.append(_parse(id, file.readline(_MAX_LINE)))
            except FileNotFoundError:
                continue
            except Damaged as error:
                _log.error("quarantine: %s", error)
        return found

    def read(self, id: str) -> tuple[Entry, bytes]:
        """The message `id` and its content. Raises KeyError if it is not there, and Damaged."""
        try:
            with self._path(id).open("rb") as file:
                entry = _parse(id, file.readline(_MAX_LINE))
                content = file.read()
        except FileNotFoundError:
            raise KeyError(id) from None
        if len(content) != entry.size:
            raise Damaged(f"{id}: {len(content)} bytes instead of {entry.size}")
        return entry, content

    def keep(self, id: str, recipients: Sequence[str], content: bytes) -> None:
        """Keeps the message `id` for these recipients alone, and with this content."""
        entry, _content = self.read(id)
        entry = replace(entry, recipients=tuple(recipients), size=len(content))
        with self._locked():
            self._write(id, _rendered(entry), content)

    def remove(self, id: str) -> None:
        """Removes the message `id` for good. Raises KeyError if it is not there."""
        with self._locked():
            try:
                self._path(id).unlink()
            except FileNotFoundError:
                raise KeyError(id) from None
            _sync(self.directory)

    @contextmanager
    def replaying(self) -> Iterator[None]:
        """For the one process that sends messages again. Raises BlockingIOError for another."""
        descriptor = os.open(
            self.directory / _REPLAY_LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else changes the directory, which is made if need be."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o700)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _make_room(self, size: int) -> None:
        """Removes what a kill left unfinished; QuarantineFull if `size` bytes are too many."""
        (self.directory / _UNFINISHED).unlink(missing_ok=True)
        if self.size + size > self._limit:
            self._counted = (-1, 0, 0)
            if self.size + size > self._limit:
                raise QuarantineFull(
                    f"{self.messages} messages of {self.size} bytes: another one of {size} "
                    f"would exceed quarantine_limit ({self._limit})"
                )

    def _write(self, id: str, line: bytes, content: bytes) -> None:
        unfinished = self.directory / _UNFINISHED
        descriptor = os.open(
            unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600
        )
        try:
            with open(descriptor, "wb") as file:
                file.write(line)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(self._path(id))
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            raise
        _sync(self.directory)

    def _path(self, id: str) -> Path:
        if not _ID.fullmatch(id):
            raise KeyError(id)
        return self.directory / f"{id}{_SUFFIX}"

    def _ids(self) -> list[str]:
        try:
            names = os.listdir(self.directory)
        except FileNotFoundError:
            return []
        ids = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
        return sorted(id for id in ids if _ID.fullmatch(id))

    def _count(self) -> tuple[int, int]:
        """Counts again only when the directory has changed since."""
        try:
            changed = self.directory.stat().st_mtime_ns
            if changed != self._counted[0]:
                sizes = [os.stat(self._path(id)).st_size for id in self._ids()]
                self._counted = (changed, len(sizes), sum(sizes))
        except FileNotFoundError:
            # Not made yet, or a message was removed in between: then it is counted next time.
            self._counted = (-1, *(self._counted[1:] if self.directory.exists() else (0, 0)))
        except OSError as error:
            _log.error("quarantine: %s: %s", self.directory, error.strerror)
        return self._counted[1:]


def _rendered(entry: Entry) -> bytes:
    envelope = asdict(entry)
    del envelope["id"]
    return json.dumps(envelope).encode("ascii") + b"\n"


def _parse(id: str, line: bytes) -> Entry:
    try:
        values = json.loads(line)
        return Entry(
            id=id,
            time=int(values["time"]),
            message_id=str(values["message_id"]),
            sender=str(values["sender"]),
            recipients=tuple(map(str, values["recipients"])),
            database=str(values["database"]),
            reason=str(values["reason"]),
            size=int(values["size"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Damaged(f"{id}: its first line is not an envelope") from None


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
