# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mail servers received: pairs of files, `<id>.eml` (bytes) and `<id>.json` (envelope)."""

from __future__ import annotations

import dataclasses
import datetime
import json
import mailbox as mailboxes
import pathlib
import secrets
import time
import urllib.parse
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser

STATE = pathlib.Path("/var/lib/sandbox")
OUTBOX = STATE / "outbox"
MAILBOXES = STATE / "mailboxes"
QUEUE = STATE / "queue"
HOMES = STATE / "homes"


@dataclasses.dataclass(frozen=True)
class Reception:
    """One accepted transaction: who brought it, where, and the envelope ("" is the null sender)."""

    server: str
    port: int
    tls: bool
    tls_version: str | None
    auth_user: str | None
    peer: str
    mail_from: str
    rcpt_tos: list[str]


def new_id() -> str:
    """Return a file name stem that sorts by time."""
    return f"{time.time_ns():019d}-{secrets.token_hex(4)}"


def store(folder: pathlib.Path, identifier: str, content: bytes, facts: dict[str, object]) -> None:
    """Write a pair of files. The JSON file appears last and whole: then the message is complete."""
    folder.mkdir(exist_ok=True)
    (folder / f"{identifier}.eml").write_bytes(content)
    unfinished = folder / f"{identifier}.new"
    unfinished.write_text(json.dumps(facts, indent=1) + "\n")
    unfinished.rename(folder / f"{identifier}.json")


def remove(json_file: pathlib.Path) -> None:
    """Remove a pair of files; the JSON file goes first, so that no reader finds half of it."""
    json_file.unlink(missing_ok=True)
    json_file.with_suffix(".eml").unlink(missing_ok=True)


def record(reception: Reception, content: bytes, identifier: str, mailbox: str | None = None) -> None:
    """Keep a message in the outbox, or in a mailbox (an address in lower case)."""
    header = BytesHeaderParser().parsebytes(content)
    facts = {
        "id": identifier,
        "time": datetime.datetime.now(datetime.UTC).isoformat(),
        "mailbox": mailbox,
        **dataclasses.asdict(reception),
        "message_id": _text(header, "Message-Id"),
        "subject": _text(header, "Subject"),
    }
    store(_mailbox_folder(mailbox) if mailbox else OUTBOX, identifier, content, facts)


def deliver(account: str, content: bytes) -> None:
    """Put a message into an account's Maildir, from which Dovecot serves it."""
    home = HOMES / account
    home.mkdir(mode=0o700, exist_ok=True)
    mailboxes.Maildir(home / "Maildir", create=True).add(content)


def received() -> Iterator[dict[str, object]]:
    """Yield the facts of every message, oldest first, with `file`, the path of its bytes."""
    for path in sorted([*OUTBOX.glob("*.json"), *MAILBOXES.glob("*/*.json")], key=lambda path: path.name):
        try:
            facts = json.loads(path.read_text())
        except FileNotFoundError:  # cleared meanwhile
            continue
        yield {**facts, "file": str(path.with_suffix(".eml"))}


def clear() -> None:
    """Forget everything that was received, and what still waits to be passed on."""
    for path in [*OUTBOX.glob("*.json"), *MAILBOXES.glob("*/*.json"), *QUEUE.glob("*.json")]:
        remove(path)
    for path in [*HOMES.glob("*/Maildir/new/*"), *HOMES.glob("*/Maildir/cur/*")]:
        path.unlink(missing_ok=True)


def _mailbox_folder(address: str) -> pathlib.Path:
    # A local part may hold a slash.
    return MAILBOXES / urllib.parse.quote(address, safe="@+=")


def _text(header: Message, name: str) -> str:
    value = header.get(name, "")
    try:
        return str(make_header(decode_header(value))).strip()
    except (HeaderParseError, LookupError, UnicodeError):
        return str(value).strip()
