# SPDX-License-Identifier: GPL-3.0-or-later
"""sandbox-mail: what arrived at the providers (outbox) and in the mailboxes."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import time
from collections.abc import Iterator

from . import records

POLL = 0.1  # seconds
COLUMNS = ("time", "server", "tls_version", "auth_user", "mail_from", "rcpt_tos", "mailbox", "subject")


def main() -> None:
    arguments = _arguments()
    if arguments.command == "clear":
        records.clear()
    elif arguments.command == "wait":
        _wait(arguments)
    elif arguments.json:
        print(json.dumps(list(_matching(arguments)), indent=1))
    else:
        _print_table(list(_matching(arguments)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox-mail", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    filters = argparse.ArgumentParser(add_help=False)
    filters.add_argument("--server", metavar="NAME", help="the server that took it, such as smtp.mailgun.org")
    filters.add_argument("--mailbox", metavar="A", help="the mailbox that it lies in")
    filters.add_argument("--message-id", metavar="ID", help="with or without angle brackets")
    filters.add_argument("--subject", metavar="S", help="the whole subject")
    filters.add_argument("--to", metavar="A", help="a recipient in the envelope")
    listing = commands.add_parser("list", parents=[filters], help="print what arrived, oldest first")
    listing.add_argument("--json", action="store_true", help="print all facts as JSON")
    waiting = commands.add_parser("wait", parents=[filters], help="wait for a message and print its facts as JSON")
    waiting.add_argument("--timeout", type=float, default=30, metavar="SECONDS", help="(default: 30)")
    commands.add_parser("clear", help="forget all messages")
    arguments = parser.parse_args()
    if arguments.command == "wait" and not (arguments.message_id or arguments.subject):
        waiting.error("--message-id or --subject is needed")
    return arguments


def _matching(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    wanted = {
        "server": arguments.server,
        "mailbox": arguments.mailbox and arguments.mailbox.lower(),
        "message_id": arguments.message_id and f"<{arguments.message_id.strip('<>')}>",
        "subject": arguments.subject,
    }
    for facts in records.received():
        recipients = facts["rcpt_tos"]
        assert isinstance(recipients, list)
        if arguments.to and arguments.to.lower() not in [recipient.lower() for recipient in recipients]:
            continue
        if all(value is None or facts[name] == value for name, value in wanted.items()):
            yield facts


def _wait(arguments: argparse.Namespace) -> None:
    """Print the first message that matches; exit 1 when none has come in time."""
    deadline = time.monotonic() + arguments.timeout
    while True:
        facts = next(_matching(arguments), None)
        if facts:
            print(json.dumps(facts, indent=1))
            return
        if time.monotonic() > deadline:
            count = len(list(records.received()))
            late = f"no such message within {arguments.timeout:g} s"
            sys.exit(f"sandbox-mail: {late} ({count} others arrived)")
        time.sleep(POLL)


def _print_table(messages: list[dict[str, object]]) -> None:
    rows = [
        list(COLUMNS),
        *([_cell(column, message[column]) for column in COLUMNS] for message in messages),
    ]
    widths = [max(len(row[index]) for row in rows) for index in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(column: str, value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value or "-")
    if column == "time":
        text = f"{datetime.datetime.fromisoformat(text):%H:%M:%S}"
    # A subject may hold anything; one message stays one line.
    return "".join(character if character.isprintable() else "?" for character in text)


if __name__ == "__main__":
    main()
