# SPDX-License-Identifier: GPL-3.0-or-later
"""LMTP over a whole byte stream at once: what the bridge must answer, without buffers, reads or time.

It knows the lines of `COMMANDS` only; every other line has to be one that no server could take for a command.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_LINE = 4096

COMMANDS = (
    b"LHLO x", b"MAIL FROM:<a@b.c>", b"mail from:<>", b"RCPT TO:<known@x>", b"RCPT TO:<known2@x>", b"RCPT TO:<no@x>",
    b"DATA", b"RSET", b"NOOP", b"VRFY a", b"QUIT", b"EHLO x", b"",
)  # fmt: skip


@dataclass
class Conversation:
    """Answers as codes, the messages handed on as (recipients, content), and what came after QUIT."""

    codes: list[str] = field(default_factory=lambda: ["220"])
    messages: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    unread: bytes = b""


def conversation(stream: bytes, message_size: int, results: Sequence[str]) -> Conversation:
    """What `stream` leads to; `results` are the codes that the deliveries come to, in turn and over again."""
    said = Conversation()
    greeted, sender, recipients = False, False, list[str]()
    while b"\n" in stream:
        raw, _newline, stream = stream.partition(b"\n")
        line = raw.removesuffix(b"\r")
        verb = line.partition(b" ")[0].upper()
        if len(line) > MAX_LINE or line not in COMMANDS or verb in (b"EHLO", b""):
            said.codes.append("500")
        elif verb == b"LHLO":
            greeted, sender, recipients = True, False, []
            said.codes.append("250")
        elif verb == b"MAIL":
            said.codes.append("250" if greeted and not sender else "503")
            sender = greeted
        elif verb == b"RCPT":
            address = line.partition(b"<")[2].rstrip(b">").decode()
            said.codes.append("503" if not sender else "250" if address.startswith("known") else "550")
            recipients += [address] if said.codes[-1] == "250" else []
        elif verb == b"DATA" and not recipients:
            said.codes.append("503")
        elif verb == b"DATA":
            said.codes.append("354")
            # The line end of DATA may be the one before the dot of an empty message.
            before, end, after = (b"\r\n" + stream).partition(b"\r\n.\r\n")
            if not end:
                break
            lines = (before[2:] + b"\r\n" if before else b"").split(b"\r\n")
            content = b"\r\n".join(entry[1:] if entry.startswith(b".") else entry for entry in lines)
            result = "552"
            if len(content) <= message_size:
                result = results[len(said.messages) % len(results)]
                said.messages.append((tuple(recipients), content))
            said.codes += [result] * len(recipients)
            stream, sender, recipients = after, False, []
        elif verb == b"QUIT":
            said.codes.append("221")
            said.unread = stream
            break
        else:
            said.codes.append("252" if verb == b"VRFY" else "250")
            if verb == b"RSET":
                sender, recipients = False, []
    return said
