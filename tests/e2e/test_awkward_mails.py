# SPDX-License-Identifier: GPL-3.0-or-later
"""Awkward mail by the gateway's own LMTP socket into Odoo 19: nothing is refused, and each becomes what it should."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator

import pytest
from support.awkward_mails import KEPT, NOTHING, RECORD, Mail, awkward_mails
from support.machines import Machine, Odoo

pytestmark = pytest.mark.e2e

QUARANTINE = "/var/lib/odoo-lmtp-bridge/quarantine"

# Speaks LMTP for a test: frames of "sender length\n" and as many bytes come in, "code text\n" for each go out.
CLIENT = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("/var/spool/postfix/private/odoo-bridge")
answers = connection.makefile("rb")
def answer():
    while True:
        line = answers.readline()
        if line[3:4] != b"-":
            return line
def ask(command):
    connection.sendall(command + b"\\r\\n")
    return answer()
answer()
ask(b"LHLO test")
while frame := sys.stdin.buffer.readline():
    sender, length = frame.rsplit(b" ", 1)
    message = sys.stdin.buffer.read(int(length))
    for command in (b"MAIL FROM:<" + sender + b"> SMTPUTF8", b"RCPT TO:<sales@acme.example>", b"DATA"):
        said = ask(command)
        if said[:1] not in b"23":
            sys.exit("%r: %r" % (command, said))
    connection.sendall((b"\\r\\n" + message).replace(b"\\r\\n.", b"\\r\\n..")[2:])
    said = ask(b"." if message.endswith(b"\\r\\n") else b"\\r\\n.")
    sys.stdout.buffer.write(said)
    sys.stdout.buffer.flush()
"""


def deliver(gateway: Machine, mails: list[Mail]) -> list[str]:
    """Hand the mails over one after another and return the answer of each."""
    frames = [f"{mail.sender} {len(mail.content)}\n".encode() + mail.content for mail in mails]
    done = gateway.run("python3", "-c", CLIENT, input=b"".join(frames), check=True)
    return done.stdout.splitlines()


def leads(site: Odoo, mails: list[Mail]) -> dict[str, int]:
    """Return how many leads each author has."""
    wrote = [["email_from", "ilike", mail.address] for mail in mails]
    domain = ["|"] * (len(wrote) - 1) + wrote
    found = site.call("crm.lead", "search_read", domain, ["email_from"], context={"active_test": False})
    return {mail.address: sum(mail.address in lead["email_from"] for lead in found) for mail in mails}


@pytest.fixture
def quarantined(gateway: Machine) -> Iterator[Callable[[], dict[str, str]]]:
    """Return author → id of what came into quarantine since; the test leaves nothing of it behind."""

    def entries() -> dict[str, str]:
        lines = gateway.run("sh", "-c", f"head -qn1 {QUARANTINE}/*.mail 2>/dev/null").stdout.splitlines()
        names = gateway.run("sh", "-c", f"cd {QUARANTINE} && ls").stdout.split()
        return {json.loads(line)["sender"]: name for line, name in zip(lines, names, strict=True)}

    before = entries().values()

    def new() -> dict[str, str]:
        return {sender: name for sender, name in entries().items() if name not in before}

    yield new
    gateway.run("rm", "-f", *(f"{QUARANTINE}/{name}" for name in new().values()), check=True)


def test_each_has_its_fate(
    site: Odoo, gateway: Machine, numbers: itertools.count[int], quarantined: Callable[[], dict[str, str]]
) -> None:
    mails = list(awkward_mails(str(next(numbers))))
    answers = deliver(gateway, mails)
    assert [(mail.name, answer) for mail, answer in zip(mails, answers, strict=True) if answer[:3] != "250"] == []
    counts, kept = leads(site, mails), quarantined()
    fates = {mail.name: (counts[mail.address], mail.address in kept) for mail in mails}
    expected = {RECORD: (1, False), NOTHING: (0, False), KEPT: (0, True)}
    assert fates == {mail.name: expected[mail.fate] for mail in mails}
