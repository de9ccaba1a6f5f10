# SPDX-License-Identifier: GPL-3.0-or-later
"""send-mail: send a message from outside, as customer.example's mail server does."""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import re
import sys
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from email.utils import formatdate, getaddresses, make_msgid, parseaddr

from .relay import deliver

HOST = "mail.customer.example"
SENDER = "Alice <alice@customer.example>"
BODY = "Hello,\n\nplease tell me more about your products.\n\nAlice\n"


def main() -> None:
    arguments = _arguments()
    content = _from_file(arguments) if arguments.file else _compose(arguments)
    header = BytesHeaderParser().parsebytes(content)
    mail_from = _address(str(header.get("From", SENDER)) if arguments.sender is None else arguments.sender)
    recipients = arguments.envelope_to or arguments.to
    if not recipients:
        recipients = [
            address for _name, address in getaddresses([*header.get_all("To", []), *header.get_all("Cc", [])])
        ]
    if not recipients:
        sys.exit("send-mail: no recipient: --to, --envelope-to, or a To header in the file")
    answers = deliver(mail_from, [_address(recipient) for recipient in recipients], content, HOST)
    if arguments.json:
        results = [dataclasses.asdict(answer) for answer in answers]
        message_id = str(header.get("Message-Id", "")).strip()
        print(json.dumps({"message_id": message_id, "mail_from": mail_from, "results": results}, indent=1))
    else:
        for answer in answers:
            print(f"{answer.recipient}  {answer.code} {answer.text}" + (f"  ({answer.host})" if answer.host else ""))
    sys.exit(0 if all(200 <= answer.code < 300 for answer in answers) else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="send-mail",
        description="Deliver a message to the mail servers that DNS names. Exits 1 if any refused.",
    )
    parser.add_argument("--from", dest="sender", metavar="A",
                        help=f"From and envelope sender (default: the file's From, or {SENDER}); "
                        "'' with --file: the null sender")  # fmt: skip
    parser.add_argument("--to", action="append", default=[], metavar="A", help="recipient, in the To header")
    parser.add_argument("--envelope-to", action="append", default=[], metavar="A",
                        help="recipient in the envelope alone; replaces --to there")  # fmt: skip
    parser.add_argument("--subject", help="(default: a question)")
    parser.add_argument("--file", metavar="EML", help="a whole message, sent as it is; - is standard input")
    parser.add_argument("--header", action="append", default=[], metavar="'K: V'", help="one more header field")
    parser.add_argument("--json", action="store_true", help="print the Message-Id and the answers as JSON")
    arguments = parser.parse_args()
    if arguments.file and arguments.subject is not None:
        parser.error("--subject: the file has its own")
    if arguments.sender == "" and not arguments.file:
        parser.error("--from '': only with --file")
    for field in arguments.header:
        if not re.fullmatch(r"[!-9;-~]+:[^\r\n]*", field):
            parser.error(f"--header {field!r}: not a header field")
    return arguments


def _from_file(arguments: argparse.Namespace) -> bytes:
    """Return the given header fields and the file, with CRLF line ends and otherwise untouched."""
    raw = sys.stdin.buffer.read() if arguments.file == "-" else pathlib.Path(arguments.file).read_bytes()
    fields = "".join(f"{field}\r\n" for field in arguments.header)
    return fields.encode() + re.sub(rb"(?<!\r)\n", b"\r\n", raw)


def _compose(arguments: argparse.Namespace) -> bytes:
    sender = SENDER if arguments.sender is None else arguments.sender
    given = dict.fromkeys(field.partition(":")[0].lower() for field in arguments.header)
    message = EmailMessage(policy=SMTP)
    defaults = {
        "From": sender,
        "To": ", ".join(arguments.to) or "undisclosed-recipients:;",
        "Subject": "A question about your products" if arguments.subject is None else arguments.subject,
        "Date": formatdate(),
        "Message-Id": make_msgid(domain=_address(sender).rpartition("@")[2]),
    }
    for name, value in defaults.items():
        if name.lower() not in given:
            message[name] = value
    for field in arguments.header:
        name, _colon, value = field.partition(":")
        message[name] = value.strip()
    message.set_content(BODY)
    return message.as_bytes()


def _address(text: str) -> str:
    return parseaddr(text)[1]


if __name__ == "__main__":
    main()
