# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pipe``: one message from another MTA, which takes an exit code (sysexits.h) for all
its recipients."""

import os
import re
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence

from .backend import Backend, Unavailable
from .config import Config
from .delivery import Deliverer
from .directory import Directory, MalformedList, Recipient, shrinks_too_much
from .lmtp import Envelope, Reply
from .odoo import open_backends
from .quarantine import Quarantine
from .sync import ListStore

# What mbox and the MTAs that pipe messages to programs put above the header.
_MBOX_LINE = re.compile(rb"From [^\r\n]*\r?\n")

_NOT_CERTAIN = Reply(451, "4.3.0", "The addresses are not known now, try again")
_TOO_LARGE = Reply(552, "5.3.4", "Message too large")


async def run(
    settings: Config,
    tokens: Mapping[str, tuple[str, ...]],
    sender: str,
    recipients: Sequence[str],
    content: bytes,
    say: Callable[[str], None],
) -> int:
    """Delivers `content`; says one line for each recipient that does not get it.

    Returns 75 if any of them is to be tried again: the addon knows who has got it, and makes no
    second record. Else 67 if one is unknown, 65 if one was refused, or 0.
    """
    if len(content) > settings.message_size_limit:
        replies = [_TOO_LARGE] * len(recipients)
    else:
        replies = await _deliver(settings, tokens, sender, recipients, _without_mbox(content), say)
    for address, reply in zip(recipients, replies, strict=True):
        if reply.code != 250:
            say(f"{address}: {reply.code} {reply.enhanced} {reply.text}")
    return exit_code(replies)


def exit_code(replies: Iterable[Reply]) -> int:
    """What an MTA gets to know. Only 550, 552 and 554 are for good."""
    codes = {reply.code for reply in replies}
    if codes - {250, 550, 552, 554}:
        return os.EX_TEMPFAIL
    if 550 in codes:
        return os.EX_NOUSER
    return os.EX_DATAERR if codes - {250} else os.EX_OK


async def _deliver(
    settings: Config,
    tokens: Mapping[str, tuple[str, ...]],
    sender: str,
    recipients: Sequence[str],
    content: bytes,
    say: Callable[[str], None],
) -> list[Reply]:
    backends = open_backends(settings, tokens)
    try:
        directory = Directory([database.name for database in settings.databases])
        certain = await _learn(settings, directory, backends, recipients, say)
        deliverer = Deliverer(directory, backends, 1, quarantine=_quarantine(settings))
        decisions = [deliverer.recipient(address) for address in recipients]
        known = tuple(one for one in decisions if isinstance(one, Recipient))
        envelope = Envelope(sender, known, content, socket.gethostname())
        answers = iter(await deliverer.deliver(envelope) if known else ())
        refusal = None if certain else _NOT_CERTAIN
        return [
            next(answers) if isinstance(one, Recipient) else refusal or one for one in decisions
        ]
    finally:
        for backend in backends.values():
            await backend.close()


async def _learn(
    settings: Config,
    directory: Directory,
    backends: Mapping[str, Backend],
    recipients: Sequence[str],
    say: Callable[[str], None],
) -> bool:
    """Takes the lists that the daemon keeps. Where they do not have a recipient Odoo is asked:
    they may be old, or there is no daemon. Returns whether all lists are to be relied on."""
    store = ListStore(settings.lists_directory)
    for database in settings.databases:
        stored = store.load(database.name, database.database)
        if stored is not None:
            directory.update(database.name, stored)
    if all(directory.lookup(address) is not None for address in recipients):
        return True
    certain = True
    for name, backend in backends.items():
        stored = directory.list_of(name)
        try:
            new = await backend.alias_list(None)
            if new is None or shrinks_too_much(stored, new, settings.shrink_limit):
                raise MalformedList("it is shorter by more than shrink_limit")
        except (Unavailable, MalformedList) as error:
            say(f"list of {name}: {error}")
            certain = False
        else:
            directory.update(name, new)
    return certain


def _quarantine(settings: Config) -> Quarantine | None:
    """The quarantine if it is this user's: replay must be able to read what is put there."""
    path = settings.quarantine_directory
    try:
        own = path.stat().st_uid == os.geteuid()
    except OSError:
        return None
    return Quarantine(path, settings.quarantine_limit) if own else None


def _without_mbox(content: bytes) -> bytes:
    found = _MBOX_LINE.match(content)
    return content[found.end() :] if found else content
