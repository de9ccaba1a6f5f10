# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's internet: DNS, the providers' submission servers, mailboxes, the outside sender."""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import imaplib
import json
import poplib
import smtplib
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import dns.resolver
import pytest
from support.machines import Internet

pytestmark = pytest.mark.integration

LOGIN = "no-reply@acme.example"
BULK = "no-reply@mg.acme.example"
PROVIDERS = [
    (465, "mail.zoho.com", LOGIN),
    (587, "smtppro.zoho.com", LOGIN),
    (2525, "smtp.mailgun.org", BULK),
]
LOGINS = {port: login for port, _name, login in PROVIDERS}
LATE_BOUNCE = "late-bounce@customer.example"
ACCOUNTS = "/etc/sandbox/accounts.json"
INBOX = "inbox@acme.example"
READING = ["imaps", "imap", "pop3s", "pop3"]
PATIENCE = 20  # seconds


@contextlib.contextmanager
def connection(internet: Internet, port: int, sni: str | None = None) -> Iterator[smtplib.SMTP]:
    """Connect with verified TLS: to the address alone, or asking for the server `sni`."""
    context = ssl.create_default_context(cafile=internet.ca_file)
    smtp = smtplib.SMTP_SSL(context=context) if port == 465 else smtplib.SMTP()
    # smtplib verifies, and names in SNI, the host of its constructor; but that one would be looked up.
    smtp._host = sni or internet.ip
    smtp.timeout = PATIENCE
    smtp.connect(internet.ip, port)
    if port != 465:
        smtp.starttls(context=context)
    with smtp:
        yield smtp


def message(to: str = "bob@customer.example") -> tuple[str, bytes]:
    """Return a Message-Id and a message with what a careless server would change."""
    message_id = f"<{uuid.uuid4()}@acme.example>"
    lines = [f"From: {LOGIN}", f"To: {to}", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=", f"Message-Id: {message_id}", "",
             "line ", ".", "..two dots", "gr\xfc\xdfe", "", ""]  # fmt: skip
    return message_id, "\r\n".join(lines).encode("latin-1")


def wait(internet: Internet, *filters: str) -> dict[str, Any]:
    """Wait for a recorded message and return its facts."""
    result = internet.run("sandbox-mail", "wait", "--timeout", str(PATIENCE), *filters)
    assert result.returncode == 0, result.stderr
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


def listed(internet: Internet, *filters: str) -> list[dict[str, Any]]:
    """Return the facts of the messages recorded until now."""
    facts: list[dict[str, Any]] = json.loads(internet.run("sandbox-mail", "list", "--json", *filters).stdout)
    return facts


def bytes_of(internet: Internet, facts: dict[str, Any]) -> bytes:
    """Return a recorded message."""
    return internet.run("cat", facts["file"], check=True).stdout.encode("utf-8", "surrogateescape")


def send_mail(internet: Internet, *argv: str, stdin: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """Run the outside sender and return its exit code and report."""
    result = internet.run("send-mail", "--json", *argv, input=stdin)
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


def until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; False when it has not come true in time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def assert_bounce(internet: Internet, mailbox: str, message_id: str, recipient: str, status: str) -> None:
    """Wait for a notification in `mailbox` that reports `recipient` and returns the message."""
    facts = wait(internet, "--subject", "Undelivered Mail Returned to Sender", "--mailbox", mailbox)
    assert facts["mail_from"] == ""
    report = email.message_from_bytes(bytes_of(internet, facts), policy=email.policy.default)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    _text, delivery, returned = report.iter_parts()
    _server, failure = delivery.get_payload()
    assert failure["Final-Recipient"] == f"rfc822; {recipient}"
    assert (failure["Action"], failure["Status"]) == ("failed", status)
    assert returned.get_payload(0)["Message-Id"] == message_id


# --- DNS


def resolver(internet: Internet) -> dns.resolver.Resolver:
    """Return a resolver that asks the sandbox alone."""
    found = dns.resolver.Resolver(configure=False)
    found.nameservers = [internet.ip]
    found.lifetime = 2
    return found


@pytest.mark.parametrize(
    ("name", "last_byte"),
    [
        ("mail.zoho.com", 10), ("smtppro.zoho.com", 10), ("mx.zoho.com", 10), ("smtp.mailgun.org", 10),
        ("smtp.eu.mailgun.org", 10), ("api.mailgun.net", 10), ("api.eu.mailgun.net", 10),
        ("api.digitalocean.com", 10), ("api.cloudflare.com", 10),
        ("mail.customer.example", 10), ("imap.acme.example", 10),
        ("odoo.acme.example", 20), ("odoo14.acme.example", 21), ("mx.acme.example", 30),
    ],
)  # fmt: skip
def test_hosts_resolve_inside_the_sandbox(internet: Internet, name: str, last_byte: int) -> None:
    expected = f"{internet.ip.rpartition('.')[0]}.{last_byte}"
    assert [record.address for record in resolver(internet).resolve(name, "A")] == [expected]


def test_mail_exchangers(internet: Internet) -> None:
    for domain, host in [("acme.example", "mx.acme.example."), ("customer.example", "mail.customer.example.")]:
        assert [mx.exchange.to_text() for mx in resolver(internet).resolve(domain, "MX")] == [host]
    with pytest.raises(dns.resolver.NoAnswer):
        resolver(internet).resolve("mg.acme.example", "MX")


def test_addresses_resolve_back(internet: Internet) -> None:
    answer = resolver(internet).resolve_address(internet.ip)
    assert [record.target.to_text() for record in answer] == ["mail.customer.example."]


@pytest.mark.parametrize("name", ["www.debian.org", "nothing.zoho.com", "example.com"])
def test_other_names_fail_at_once(internet: Internet, name: str) -> None:
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver(internet).resolve(name, "A")


# --- Submission


@pytest.mark.parametrize(("port", "name", "login"), PROVIDERS)
def test_submission_is_recorded_and_passed_on(internet: Internet, port: int, name: str, login: str) -> None:
    message_id, content = message()
    with connection(internet, port) as smtp:
        smtp.login(login, internet.accounts[login])
        smtp.sendmail("bounce@acme.example", ["Bob@customer.example", "x@elsewhere.example"], content)

    outbox = wait(internet, "--message-id", message_id, "--server", name)
    assert (outbox["port"], outbox["tls"], outbox["tls_version"]) == (port, True, "TLSv1.3")
    assert (outbox["auth_user"], outbox["mail_from"]) == (login, "bounce@acme.example")
    assert outbox["rcpt_tos"] == ["Bob@customer.example", "x@elsewhere.example"]
    assert (outbox["subject"], outbox["mailbox"]) == ("Gr\xfc\xdfe", None)
    arrived = wait(internet, "--message-id", message_id, "--mailbox", "bob@customer.example")
    assert (arrived["server"], arrived["tls"]) == ("mail.customer.example", True)
    assert (arrived["mail_from"], arrived["rcpt_tos"]) == ("bounce@acme.example", ["Bob@customer.example"])
    for facts in (outbox, arrived):
        assert bytes_of(internet, facts) == content


def test_sni_names_the_server(internet: Internet) -> None:
    message_id, content = message()
    with connection(internet, 587, sni="mail.zoho.com") as smtp:
        smtp.login(LOGIN, internet.accounts[LOGIN])
        smtp.sendmail(LOGIN, "x@elsewhere.example", content)
    facts = wait(internet, "--message-id", message_id)
    assert (facts["server"], facts["port"]) == ("mail.zoho.com", 587)


@pytest.mark.parametrize("mechanism", ["plain", "login"])
@pytest.mark.parametrize("port", [465, 587, 2525])
def test_authentication(internet: Internet, port: int, mechanism: str) -> None:
    with connection(internet, port) as smtp:
        smtp.ehlo()
        login = LOGINS[port]
        smtp.user, smtp.password = login, internet.accounts[login] + "x"
        answer = getattr(smtp, f"auth_{mechanism}")
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            smtp.auth(mechanism.upper(), answer)
        assert refused.value.smtp_code == 535
        assert smtp.mail(LOGIN)[0] == 530
        smtp.password = internet.accounts[login]
        assert smtp.auth(mechanism.upper(), answer)[0] == 235
        assert smtp.mail(LOGIN)[0] == 250


@pytest.mark.parametrize("port", [587, 2525])
def test_nothing_before_starttls(internet: Internet, port: int) -> None:
    with smtplib.SMTP(internet.ip, port, timeout=PATIENCE) as smtp:
        smtp.ehlo()
        assert smtp.has_extn("starttls")
        assert not smtp.has_extn("auth")
        assert smtp.mail(LOGIN)[0] == 530


def test_changed_accounts_count_at_once(internet: Internet) -> None:
    login, password = f"{uuid.uuid4()}@acme.example", str(uuid.uuid4())

    def accepted() -> bool:
        with connection(internet, 587) as smtp, contextlib.suppress(smtplib.SMTPAuthenticationError):
            return smtp.login(login, password)[0] == 235
        return False

    assert not accepted()
    before = internet.run("cat", ACCOUNTS, check=True).stdout
    try:
        internet.run("tee", ACCOUNTS, input=json.dumps({**json.loads(before), login: password}), check=True)
        assert until(accepted)
    finally:
        internet.run("tee", ACCOUNTS, input=before, check=True)
    assert until(lambda: not accepted())


def test_a_message_that_is_passed_on_in_vain_comes_back(internet: Internet) -> None:
    message_id, content = message()
    sender, unknown = f"{uuid.uuid4()}@customer.example", f"unknown-{uuid.uuid4()}@customer.example"
    with connection(internet, 587) as smtp:
        smtp.login(LOGIN, internet.accounts[LOGIN])
        smtp.sendmail(sender, unknown, content)
    assert_bounce(internet, sender, message_id, unknown, "5.1.1")


# --- Mailboxes


def test_ordinary_mailboxes_of_the_company(internet: Internet) -> None:
    message_id, content = message()
    with connection(internet, 25) as smtp:
        assert not smtp.has_extn("auth")
        smtp.sendmail("alice@customer.example", "Info@acme.example", content)
    facts = wait(internet, "--message-id", message_id, "--mailbox", "info@acme.example")
    assert (facts["server"], facts["port"], facts["auth_user"]) == ("mx.zoho.com", 25, None)
    assert bytes_of(internet, facts) == content


def test_the_mail_exchanger_has_a_port_beside_25(internet: Internet) -> None:
    message_id, content = message()
    with connection(internet, 2525, sni="mx.zoho.com") as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("auth")
        smtp.sendmail("alice@customer.example", "Info@acme.example", content)
        assert smtp.mail("alice@customer.example")[0] == 250
        assert smtp.rcpt("x@elsewhere.example")[0] == 554
    facts = wait(internet, "--message-id", message_id, "--mailbox", "info@acme.example")
    assert (facts["server"], facts["port"], facts["auth_user"]) == ("mx.zoho.com", 2525, None)
    assert bytes_of(internet, facts) == content


def test_no_relaying_for_strangers(internet: Internet) -> None:
    with connection(internet, 25) as smtp:
        smtp.ehlo()
        assert smtp.mail("alice@customer.example")[0] == 250
        assert smtp.rcpt("x@elsewhere.example")[0] == 554


def test_late_bounce(internet: Internet) -> None:
    sender = f"{uuid.uuid4()}@customer.example"
    status, sent = send_mail(internet, "--from", sender, "--to", LATE_BOUNCE)
    assert status == 0
    assert_bounce(internet, sender, sent["message_id"], LATE_BOUNCE, "5.1.1")


def test_a_bounce_is_not_bounced(internet: Internet) -> None:
    message_id, content = message(LATE_BOUNCE)
    status, _sent = send_mail(internet, "--from", "", "--file", "-", stdin=content)
    assert status == 0
    wait(internet, "--message-id", message_id, "--mailbox", LATE_BOUNCE)
    # A later bounce has gone through the same queue: by now one to nobody would have been tried.
    sender = f"{uuid.uuid4()}@customer.example"
    _status, sent = send_mail(internet, "--from", sender, "--to", LATE_BOUNCE)
    assert_bounce(internet, sender, sent["message_id"], LATE_BOUNCE, "5.1.1")
    journal = internet.run("journalctl", "--boot", "--no-pager", "--unit", "sandbox-smtp", check=True).stdout
    assert f"not delivered to {LATE_BOUNCE}" in journal
    assert "not delivered to :" not in journal


# --- Mailboxes by IMAP and POP3


class ImapHost(ssl.SSLContext):
    """Verifies the certificate for imap.acme.example, whatever the address that was connected to."""

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        return super().wrap_socket(sock, *args, **{**kwargs, "server_hostname": "imap.acme.example"})


def imap_context(internet: Internet) -> ImapHost:
    context = ImapHost(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(internet.ca_file)
    return context


def imap(internet: Internet, protocol: str, password: str) -> imaplib.IMAP4:
    """Return a client that has logged in by `imaps`, or by `imap` after STARTTLS."""
    context = imap_context(internet)
    if protocol == "imaps":
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL(internet.ip, ssl_context=context, timeout=PATIENCE)
    else:
        client = imaplib.IMAP4(internet.ip, timeout=PATIENCE)
        client.starttls(context)
    client.login(INBOX, password)
    return client


def pop3(internet: Internet, protocol: str, password: str) -> poplib.POP3:
    """Return a client that has logged in by `pop3s`, or by `pop3` after STLS."""
    context = imap_context(internet)
    if protocol == "pop3s":
        client: poplib.POP3 = poplib.POP3_SSL(internet.ip, context=context, timeout=PATIENCE)
    else:
        client = poplib.POP3(internet.ip, timeout=PATIENCE)
        client.stls(context)
    client.user(INBOX)
    client.pass_(password)
    return client


@pytest.mark.parametrize("protocol", READING)
def test_mailbox_login(internet: Internet, protocol: str) -> None:
    log_in = imap if protocol.startswith("imap") else pop3
    with pytest.raises((imaplib.IMAP4.error, poplib.error_proto), match="Authentication failed"):
        log_in(internet, protocol, internet.accounts[INBOX] + "x")
    log_in(internet, protocol, internet.accounts[INBOX])


def test_no_mailbox_password_without_tls(internet: Internet) -> None:
    reader = imaplib.IMAP4(internet.ip, timeout=PATIENCE)
    assert "LOGINDISABLED" in reader.capabilities
    with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
        reader.login(INBOX, internet.accounts[INBOX])
    popper = poplib.POP3(internet.ip, timeout=PATIENCE)
    with pytest.raises(poplib.error_proto, match="disallowed"):
        popper.user(INBOX)


def test_mail_to_an_account_is_there_to_be_fetched(internet: Internet) -> None:
    message_id, content = message(INBOX)
    with connection(internet, 25) as smtp:
        smtp.sendmail("alice@customer.example", "Inbox@acme.example", content)

    reader = imap(internet, "imaps", internet.accounts[INBOX])
    reader.select("INBOX", readonly=True)
    (found,) = reader.search(None, "HEADER", "Message-Id", message_id)[1]
    fetched = reader.fetch(found.decode(), "(RFC822)")[1]
    assert isinstance(fetched[0], tuple)
    assert fetched[0][1] == content

    popper = pop3(internet, "pop3s", internet.accounts[INBOX])
    newest = popper.stat()[0]
    assert b"\r\n".join([*popper.retr(newest)[1], b""]) == content

    internet.run("sandbox-mail", "clear", check=True)
    assert pop3(internet, "pop3s", internet.accounts[INBOX]).stat()[0] == 0


# --- Outside sender


def test_each_recipient_gets_its_answer(internet: Internet) -> None:
    status, sent = send_mail(
        internet, "--to", "bob@customer.example", "--envelope-to", "bob@customer.example",
        "--envelope-to", "full@customer.example", "--envelope-to", "unknown-1@customer.example",
        "--envelope-to", "x@nowhere.example", "--envelope-to", "x@mg.acme.example",
    )  # fmt: skip
    assert status == 1
    answers = {result["recipient"]: (result["code"], result["text"][:5]) for result in sent["results"]}
    assert answers == {
        "bob@customer.example": (250, "2.0.0"),
        "full@customer.example": (552, "5.2.2"),
        "unknown-1@customer.example": (550, "5.1.1"),
        "x@nowhere.example": (550, "5.1.2"),
        "x@mg.acme.example": (550, "5.1.2"),
    }
    facts = wait(internet, "--message-id", sent["message_id"])
    assert (facts["mailbox"], facts["mail_from"]) == ("bob@customer.example", "alice@customer.example")
    assert facts["tls"]


def test_composed_message(internet: Internet) -> None:
    subject = f"Gr\xfc\xdfe {uuid.uuid4()}"
    argv = ["--from", "Carol <carol@customer.example>", "--to", "bob@customer.example",
            "--envelope-to", "dave@customer.example", "--subject", subject, "--header", "X-Test: yes"]  # fmt: skip
    done = internet.run("send-mail", *argv)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("dave@customer.example  250 2.0.0 accepted as ")
    facts = wait(internet, "--subject", subject, "--mailbox", "dave@customer.example")
    assert facts["rcpt_tos"] == ["dave@customer.example"]
    parsed = email.message_from_bytes(bytes_of(internet, facts), policy=email.policy.default)
    assert (parsed["From"], parsed["To"]) == ("Carol <carol@customer.example>", "bob@customer.example")
    assert (parsed["Subject"], parsed["X-Test"]) == (subject, "yes")


def test_files_are_sent_as_they_are(internet: Internet) -> None:
    message_id, content = message()
    status, sent = send_mail(internet, "--file", "-", stdin=content.replace(b"\r\n", b"\n"))
    assert (status, sent["message_id"], sent["mail_from"]) == (0, message_id, LOGIN)
    assert bytes_of(internet, wait(internet, "--message-id", message_id)) == content


# --- Query command


def test_waiting_ends(internet: Internet) -> None:
    done = internet.run("sandbox-mail", "wait", "--message-id", "none@none.example", "--timeout", "0.2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no such message within 0.2 s" in done.stderr


def test_listing_and_clearing(internet: Internet) -> None:
    _status, sent = send_mail(internet, "--to", "bob@customer.example")
    facts = wait(internet, "--message-id", sent["message_id"].strip("<>"))
    assert facts in listed(internet, "--to", "BOB@customer.example")
    assert facts not in listed(internet, "--server", "mail.zoho.com")
    table = internet.run("sandbox-mail", "list", "--message-id", sent["message_id"]).stdout.splitlines()
    assert len(table) == 2
    assert table[0].split()[:2] == ["time", "server"]
    assert facts["subject"] in table[1]
    internet.run("sandbox-mail", "clear", check=True)
    assert facts not in listed(internet)
    assert internet.run("test", "-e", facts["file"]).returncode == 1


def test_no_password_is_kept(internet: Internet) -> None:
    with connection(internet, 465) as smtp:
        smtp.login(LOGIN, internet.accounts[LOGIN])
        smtp.sendmail(LOGIN, "x@elsewhere.example", message()[1])
    imap(internet, "imap", internet.accounts[INBOX]).logout()
    kept = internet.run("grep", "--recursive", "", "/var/lib/sandbox", check=True).stdout
    journal = internet.run("journalctl", "--boot", "--no-pager", check=True).stdout
    encoded = base64.b64encode(f"\0{LOGIN}\0{internet.accounts[LOGIN]}".encode()).decode()
    for secret in (internet.accounts[LOGIN], internet.accounts[INBOX], encoded):
        assert secret not in kept
        assert secret not in journal
