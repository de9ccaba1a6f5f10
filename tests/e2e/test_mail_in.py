# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail from outside, through Postfix and the bridge, into Odoo."""

from __future__ import annotations

import hashlib
import itertools
import json
from email.message import EmailMessage
from typing import Any

import pytest
import requests
from support.machines import Internet, Machine, Odoo
from support.waiting import until

pytestmark = pytest.mark.e2e

SALES = "sales@acme.example"
OFFERS = "offers@acme.example"


class Outside:
    """Somebody at customer.example; every mail has a sender, a subject and a Message-Id of its own."""

    def __init__(self, internet: Internet, numbers: itertools.count[int]) -> None:
        self.internet = internet
        self.numbers = numbers

    def message(self, to: str) -> EmailMessage:
        """Return a new mail; its subject is unique."""
        number = next(self.numbers)
        message = EmailMessage()
        message["From"] = f"jo{number}@customer.example"
        message["To"] = to
        message["Subject"] = f"Question {number}"
        message["Message-Id"] = f"<{number}@customer.example>"
        message.set_content("Do you sell chairs?")
        return message

    def send(
        self, message: EmailMessage | bytes, *envelope: str, sender: str = "jo@customer.example"
    ) -> dict[str, Any]:
        """Send it to the envelope's recipients; return recipient → SMTP answer, as the sender's log has it."""
        raw = message if isinstance(message, bytes) else bytes(message)
        arguments = [word for recipient in envelope for word in ("--envelope-to", recipient)]
        done = self.internet.run("send-mail", "--json", "--from", sender, *arguments, "--file", "-", input=raw)
        assert done.stdout, done.stderr
        answers: dict[str, Any] = {
            entry["recipient"]: entry for entry in json.loads(done.stdout)["results"]
        }  # fmt: skip
        return answers


@pytest.fixture
def outside(internet: Internet, numbers: itertools.count[int]) -> Outside:
    """A stranger who writes."""
    return Outside(internet, numbers)


def records(site: Odoo, subject: str) -> list[int]:
    found: list[int] = site.call("crm.lead", "search", [["name", "=", subject]], context={"active_test": False})
    return found


def arrived(site: Odoo, subject: str) -> int:
    """Wait until there is a lead of that subject, and return its id."""
    return until(lambda: records(site, subject), f"a lead named {subject}")[0]


def queue_is_empty(gateway: Machine) -> bool:
    return gateway.run("postqueue", "-j").stdout.strip() == ""


def test_a_mail_becomes_a_lead(site: Odoo, outside: Outside) -> None:
    message = outside.message(SALES)
    answers = outside.send(message, SALES)
    assert answers[SALES]["code"] == 250
    lead = arrived(site, message["Subject"])
    values = site.call("crm.lead", "read", [lead], ["email_from", "type"])[0]
    assert (values["email_from"], values["type"]) == (message["From"], "lead")


def test_two_recipients_of_which_one_is_refused(site: Odoo, outside: Outside, gateway: Machine) -> None:
    """At RCPT Postfix relays what Odoo does not know; so the bridge itself is asked, over its socket."""
    number = next(outside.numbers)
    conversation = (
        f"LHLO test\r\nMAIL FROM:<jo{number}@customer.example>\r\nRCPT TO:<{SALES}>\r\n"
        f"RCPT TO:<nobody@acme.example>\r\nRCPT TO:<bounce@acme.example>\r\nRCPT TO:<no-reply@acme.example>\r\nDATA\r\n"
        f"From: jo{number}@customer.example\r\nTo: {SALES}\r\nMessage-Id: <{number}@two>\r\n"
        f"Subject: Two {number}\r\n\r\nHi\r\n"
        ".\r\nQUIT\r\n"
    )
    script = (
        "import socket,sys\n"
        "s=socket.socket(socket.AF_UNIX);s.connect('/var/spool/postfix/private/odoo-bridge')\n"
        "s.sendall(sys.stdin.buffer.read())\n"
        "while True:\n d=s.recv(65536)\n if not d: break\n sys.stdout.write(d.decode())\n"
    )
    said = gateway.run("python3", "-c", script, input=conversation, check=True).stdout.split("\r\n")
    codes = [line[:3] for line in said if line[3:4] == " "]
    # banner, LHLO, MAIL, four RCPT, DATA, one answer for each of the three accepted recipients, QUIT
    assert codes[:3] == ["220", "250", "250"]
    assert codes[3:7] == ["250", "550", "250", "250"]
    assert codes[7] == "354"
    assert len(codes[8:-1]) == 3, said
    assert codes[8] == "250"
    assert codes[-1] == "221"
    arrived(site, f"Two {number}")


def test_latin_1_bytes_arrive_as_they_were_sent(site: Odoo, outside: Outside) -> None:
    number = next(outside.numbers)
    attached = bytes(range(0xA0, 0x100))
    raw = (
        f"From: jo{number}@customer.example\r\nTo: {SALES}\r\nSubject: Latin {number}\r\n"
        f"Message-Id: <{number}@latin>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    ).encode() + b"Gr\xfc\xdfe aus K\xf6ln\r\n.leading dot\r\n" + (
        b"--b\r\nContent-Type: application/octet-stream; name=bytes.bin\r\n"
        b"Content-Disposition: attachment; filename=bytes.bin\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + attached + b"\r\n--b--\r\n"
    )  # fmt: skip
    assert outside.send(raw, SALES)[SALES]["code"] == 250
    lead = arrived(site, f"Latin {number}")
    message = site.call("mail.message", "search_read", [["model", "=", "crm.lead"], ["res_id", "=", lead]], ["body"])
    assert any("Grüße aus Köln" in entry["body"] for entry in message)
    assert any("\n.leading dot" in entry["body"] for entry in message)
    (attachment,) = site.call(
        "ir.attachment", "search_read", [["res_model", "=", "crm.lead"], ["res_id", "=", lead]], ["checksum"]
    )
    assert attachment["checksum"] == hashlib.sha1(attached, usedforsecurity=False).hexdigest()


def test_bcc_to_an_alias_makes_a_record(site: Odoo, outside: Outside) -> None:
    message = outside.message("somebody-else@customer.example")
    assert outside.send(message, SALES)[SALES]["code"] == 250
    arrived(site, message["Subject"])


def test_one_message_in_two_transactions_makes_two_records_and_repeats_make_none(
    site: Odoo, outside: Outside, gateway: Machine
) -> None:
    message = outside.message(SALES)
    subject = message["Subject"]
    outside.send(message, SALES)
    arrived(site, subject)
    outside.send(message, OFFERS)
    until(lambda: len(records(site, subject)) == 2, "the record of the second transaction")
    for recipients in ((SALES,), (OFFERS,), (SALES, OFFERS)):
        outside.send(message, *recipients)
    until(lambda: queue_is_empty(gateway), "an empty queue")
    leads = site.call("crm.lead", "read", records(site, subject), ["type"])
    assert sorted(lead["type"] for lead in leads) == ["lead", "opportunity"]


def test_an_alias_that_a_sales_team_owns(site: Odoo, outside: Outside, gateway: Machine) -> None:
    number = next(outside.numbers)
    team = site.call("crm.team", "create", {"name": f"Team {number}", "alias_name": f"team-{number}"})
    address = f"team-{number}@acme.example"
    # The gateway learns of it by polling, within some seconds here.
    lookup = ("postmap", "-q", address, "lmdb:/var/lib/odoo-lmtp-bridge/maps/aliases")
    until(lambda: gateway.run(*lookup).returncode == 0, f"{address} in the gateway's map")
    message = outside.message(address)
    assert outside.send(message, address)[address]["code"] == 250
    lead = arrived(site, message["Subject"])
    assert site.call("crm.lead", "read", [lead], ["team_id"])[0]["team_id"][0] == team


def test_odoo_tells_the_gateway_of_a_new_alias(site: Odoo, gateway: Machine, numbers: itertools.count[int]) -> None:
    name = f"told{next(numbers)}"
    (lead,) = site.call("ir.model", "search", [("model", "=", "crm.lead")])
    (domain,) = site.call("mail.alias.domain", "search", [("name", "=", "acme.example")])

    def known() -> bool:
        asked = gateway.run("postmap", "-q", f"{name}@acme.example", "lmdb:/var/lib/odoo-lmtp-bridge/maps/aliases")
        return asked.returncode == 0

    made = site.call("mail.alias", "create", {"alias_name": name, "alias_domain_id": domain, "alias_model_id": lead})
    try:
        # By itself the bridge would ask in half a minute.
        until(known, "the new alias in Postfix's map", 10)
    finally:
        site.call("mail.alias", "unlink", made if isinstance(made, list) else [made])
    until(lambda: not known(), "the map without the alias", 10)


def test_while_odoo_is_down_mail_waits_in_the_queue_and_arrives_once(
    site: Odoo, outside: Outside, gateway: Machine
) -> None:
    message = outside.message(SALES)
    site.run("systemctl", "stop", "odoo.service", check=True)
    try:
        assert outside.send(message, SALES)[SALES]["code"] == 250
        deferred = until(
            lambda: [json.loads(line) for line in gateway.run("postqueue", "-j").stdout.splitlines()],
            "the mail in Postfix's queue",
        )
        until(
            lambda: "delay_reason" in gateway.run("postqueue", "-j").stdout,
            "a reason why the mail waits",
        )
        assert [recipient["address"] for recipient in deferred[0]["recipients"]] == [SALES]
    finally:
        site.run("systemctl", "start", "odoo.service", check=True)
    until(lambda: site.run("curl", "-sf", "http://127.0.0.1:8069/web/health").returncode == 0, "Odoo", 60)
    gateway.run("postqueue", "-f", check=True)
    arrived(site, message["Subject"])
    until(lambda: queue_is_empty(gateway), "an empty queue")
    assert len(records(site, message["Subject"])) == 1


def test_an_address_odoo_does_not_know_keeps_its_ordinary_way(outside: Outside, internet: Internet) -> None:
    message = outside.message("boss@acme.example")
    assert outside.send(message, "boss@acme.example")["boss@acme.example"]["code"] == 250
    done = internet.run(
        "sandbox-mail",
        "wait",
        "--message-id",
        message["Message-Id"],
        "--mailbox",
        "boss@acme.example",
        "--timeout",
        "30",
    )
    assert json.loads(done.stdout)["rcpt_tos"] == ["boss@acme.example"]


def test_the_most_and_longest_recipients_of_a_transaction_pass_the_proxy(site: Odoo, gateway: Machine) -> None:
    """The recipients stand in one HTTP header; a proxy that refuses it would keep the mail waiting for ever."""
    most = int(gateway.run("postconf", "-h", "odoo-lmtp_destination_recipient_limit", check=True).stdout)
    recipients = [f"{number:064d}@{'d' * 60}.{'e' * 60}.{'f' * 56}.acme.example" for number in range(most)]
    assert {len(recipient) for recipient in recipients} == {256}
    answer = requests.post(
        f"{site.url}/mail_delivery/pipe",
        data=b"From: jo@customer.example\r\nSubject: long\r\n\r\nx\r\n",
        headers={
            "X-Mail-Token": site.mail_token,
            "X-Odoo-Database": site.database,
            "X-Mail-Recipients": json.dumps(recipients),
            "X-Mail-Sender": '"jo@customer.example"',
            "Content-Type": "message/rfc822",
        },
        timeout=60,
        verify=site.ca_file,
    )
    assert answer.status_code == 200, answer.text[:200]
    assert [result["code"] for result in answer.json()["results"]] == [550] * most


def test_the_gateway_relays_for_nobody_else(outside: Outside) -> None:
    message = outside.message("victim@zoho.com")
    number = next(outside.numbers)
    script = (
        "import smtplib\n"
        "s=smtplib.SMTP('mx.acme.example',25)\n"
        "s.ehlo('customer.example');s.mail('jo@customer.example')\n"
        f"print(s.rcpt('victim{number}@zoho.com')[0])\n"
    )
    assert outside.internet.run("python3", "-c", script, check=True).stdout.strip() == "554", message
