# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replacing a file in one step, kept from other writers, and only if it is still what was read."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    MailopsError,
    NotFoundError,
    TemporaryError,
    ValidationError,
)


@dataclass(frozen=True)
class Held:
    """A file as it was read: `content` is None if there was none, `owner` is (user id, group id)."""

    path: str
    content: bytes | None = field(default=None, repr=False)
    mode: int = 0o600
    owner: tuple[int, int] | None = None


def read(path: str) -> Held:
    """Return the file; raise ValidationError if it is no regular file, MailopsError if it cannot be read."""
    try:
        # Without waiting for a writer, as a pipe would.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ValidationError(f"{path} is not a regular file", "Correct the file's path.")
            return Held(path, file.read(), stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid))
    except FileNotFoundError:
        return Held(path)
    except IsADirectoryError:
        raise ValidationError(f"{path} is a directory", "Correct the file's path.") from None
    except OSError as error:
        raise MailopsError(f"{path} cannot be read: {error.strerror}") from None


@contextmanager
def locked(path: str, patience: float = 30.0) -> Iterator[None]:
    """Keep others that change files of this folder by this function out; wait for them up to `patience` seconds.

    The folder is locked and not the file, as a lock would stay with the file that was replaced.
    Raises NotFoundError if there is no such folder, TemporaryError if the wait was in vain.
    """
    folder = os.path.dirname(path)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        raise NotFoundError(f"the folder {folder} does not exist", "Make it, or correct the file's path.") from None
    except OSError as error:
        raise MailopsError(f"the folder {folder} cannot be opened: {error.strerror}") from None
    try:
        _lock(descriptor, folder, time.monotonic() + patience)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: str, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise TemporaryError(
                    f"another process is changing files in {folder} and does not come to an end",
                    "Run again when it has.",
                ) from None
            time.sleep(0.02)
        except OSError as error:
            raise MailopsError(f"the folder {folder} cannot be locked: {error.strerror}") from None


def replace(held: Held, content: bytes) -> None:
    """Put `content` in the place of the file that was read, with its mode and owner; a new one gets 0600.

    `content` must hold no secret in clear: it lies beside the file for a moment, and stays there if the machine fails.
    Raises ConflictError if the file is no longer as it was read, MailopsError if it cannot be written.
    """
    folder, name = os.path.split(held.path)
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)  # 0600 from its first moment
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                _give_away(file.fileno(), held)
                os.fsync(file.fileno())
            if read(held.path) != held:
                raise ConflictError(f"{held.path} was changed by somebody else meanwhile", "Run again.")
            os.rename(temporary, held.path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise MailopsError(f"{held.path} cannot be written: {error.strerror}") from None
    _sync(folder)


def _give_away(descriptor: int, held: Held) -> None:
    status = os.fstat(descriptor)
    if held.owner and held.owner != (status.st_uid, status.st_gid):
        try:
            os.fchown(descriptor, *held.owner)
        except PermissionError:
            raise MailopsError(
                f"{held.path} belongs to user {held.owner[0]} and group {held.owner[1]}, and would no longer",
                "Run as its owner.",
            ) from None
    os.fchmod(descriptor, held.mode)


def _sync(folder: str) -> None:
    # The file is in its place already; a file system that cannot sync a folder does not make this a failure.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
