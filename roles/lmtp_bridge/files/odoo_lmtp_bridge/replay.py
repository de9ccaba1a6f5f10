# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``replay``: the mail in quarantine, and its second way to Odoo."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import config
from .config import Config
from .delivery import Deliverer
from .directory import Directory, Recipient
from .lmtp import Envelope
from .message import printable, read_header, with_message_id
from .odoo import open_backends
from .privileges import as_owner
from .quarantine import Damaged, Entry, Quarantine

_COLUMNS = ("id", "time (UTC)", "database", "bytes", "from", "to", "message-id", "reason")


def run(
    settings: Config,
    path: Path,
    ids: Sequence[str],
    say: Callable[[str], None],
    *,
    everything: bool = False,
    delete: bool = False,
) -> int:
    """Says a line for each message; `path` is the configuration's.

    Without `ids` and `everything` it lists the quarantine; with `delete` it removes the messages
    and otherwise sends them again. A message is removed when all its recipients were accepted.

    Returns 0, or the exit code of the first failure: 66 not in quarantine, 65 a damaged message
    or one that Odoo refuses, 75 Odoo fails still or another replay is running, 78 a database that
    is not configured any more, 74 the quarantine cannot be read or written. Raises ConfigError.
    """
    quarantine = Quarantine(settings.quarantine_directory, settings.quarantine_limit)
    # Root's part comes before: the tokens are for root to read.
    tokens = {
        database.name: config.read_tokens(database.name, path)
        for database in settings.databases
        if (ids or everything) and not delete
    }
    try:
        with as_owner(quarantine.directory):
            if everything:
                ids = [entry.id for entry in quarantine.entries()]
            elif not ids:
                _list(quarantine.entries(), say)
                return os.EX_OK
            if not ids:
                say("The quarantine is empty.")
                return os.EX_OK
            if not quarantine.directory.exists():
                say(f"{ids[0]}: not in quarantine")
                return os.EX_NOINPUT
            with quarantine.replaying():
                if delete:
                    return _first_failure([_delete(quarantine, id, say) for id in ids])
                return asyncio.run(_replay(settings, tokens, quarantine, ids, say))
    except BlockingIOError:
        say("Another replay is running.")
        return os.EX_TEMPFAIL
    except OSError as error:
        say(f"{error.filename or quarantine.directory}: {error.strerror}")
        return os.EX_IOERR


def _list(entries: Sequence[Entry], say: Callable[[str], None]) -> None:
    if not entries:
        say("The quarantine is empty.")
        return
    rows = [_COLUMNS, *(_row(entry) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        say("  ".join((*cells, row[-1])))
    say("")
    say("When Odoo is mended: odoo-lmtp-bridge replay ID..., or --all")


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.id,
        time.strftime("%Y-%m-%d %H:%M", time.gmtime(entry.time)),
        entry.database,
        str(entry.size),
        printable(entry.sender, 100) or "<>",
        printable(", ".join(entry.recipients), 100),
        printable(entry.message_id, 100) or "none",
        printable(entry.reason, 100),
    )


def _delete(quarantine: Quarantine, id: str, say: Callable[[str], None]) -> int:
    try:
        quarantine.remove(id)
    except KeyError:
        say(f"{id}: not in quarantine")
        return os.EX_NOINPUT
    say(f"{id}: deleted")
    return os.EX_OK


async def _replay(
    settings: Config,
    tokens: Mapping[str, tuple[str, ...]],
    quarantine: Quarantine,
    ids: Sequence[str],
    say: Callable[[str], None],
) -> int:
    backends = open_backends(settings, tokens)
    try:
        deliverer = Deliverer(Directory(list(backends)), backends, concurrency=1)
        return _first_failure(
            [await _again(quarantine, deliverer, list(backends), id, say) for id in ids]
        )
    finally:
        await asyncio.gather(*(backend.close() for backend in backends.values()))


async def _again(
    quarantine: Quarantine,
    deliverer: Deliverer,
    databases: Sequence[str],
    id: str,
    say: Callable[[str], None],
) -> int:
    """Sends one message again and says what became of it."""
    try:
        entry, content = quarantine.read(id)
    except KeyError:
        say(f"{id}: not in quarantine")
        return os.EX_NOINPUT
    except Damaged as error:
        say(f"{error}")
        return os.EX_DATAERR
    if entry.database not in databases:
        say(f"{id}: kept, there is no database {entry.database} in the configuration")
        return os.EX_CONFIG
    recipients = tuple(Recipient(address, entry.database) for address in entry.recipients)
    envelope = Envelope(entry.sender, recipients, content)
    results = await deliverer.attempt(envelope, read_header(content))
    kept = {recipient: result for recipient, result in results.items() if result.reply.code != 250}
    said = ", ".join(
        f"{recipient.address}={result.reply.code} {result.reply.enhanced} "
        f"({printable(result.reply.text, 200)})"
        for recipient, result in results.items()
    )
    if not kept:
        quarantine.remove(id)
        say(f"{id}: delivered, {said}")
        return os.EX_OK
    filed_as = next(iter(kept.values())).filed_as
    if filed_as:
        content = with_message_id(content, filed_as)
    if filed_as or len(kept) < len(recipients):
        quarantine.keep(id, [recipient.address for recipient in kept], content)
    say(f"{id}: kept, {said}")
    refused = any(result.reply.code >= 500 for result in kept.values())
    return os.EX_DATAERR if refused else os.EX_TEMPFAIL


def _first_failure(codes: Sequence[int]) -> int:
    return next((code for code in codes if code), os.EX_OK)
