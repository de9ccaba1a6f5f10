# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail servers: submission at the providers (465, 587, 2525) and mailboxes (25)."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hmac
import logging
import os
import pathlib
import ssl
import warnings
import weakref

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from . import accounts, records, systemd
from .mailgun import state as mailgun
from .outgoing import Outgoing
from .relay import Answer

CERTIFICATE = pathlib.Path("/etc/sandbox/tls.pem")

# Where the logins are Mailgun's, by region. The other providers have the fixed accounts.
MAILGUN = {"smtp.mailgun.org": "us", "smtp.eu.mailgun.org": "eu"}
# A mail exchanger that takes mail on a submission port too, for those who are kept from port 25.
EXCHANGER = "mx.zoho.com"
# Who keeps the mailboxes of a domain. A provider passes on mail for these domains alone.
MAILBOX_HOSTS = {"customer.example": "mail.customer.example", "acme.example": "mx.zoho.com"}
FULL = "full@customer.example"
UNKNOWN = "unknown"
LATE_BOUNCE = "late-bounce@customer.example"

log = logging.getLogger(__name__)
_server_names: weakref.WeakKeyDictionary[ssl.SSLObject, str] = weakref.WeakKeyDictionary()


@dataclasses.dataclass(frozen=True)
class Listener:
    """A port, and the server that a client without SNI means by it."""

    port: int
    host: str
    submission: bool = True
    implicit_tls: bool = False


LISTENERS = (
    Listener(25, "mail.customer.example", submission=False),
    Listener(465, "mail.zoho.com", implicit_tls=True),
    Listener(587, "smtppro.zoho.com"),
    Listener(2525, "smtp.mailgun.org"),
)


class Handler:
    """What both kinds of servers do: record each message with the facts of its connection."""

    def __init__(self, listener: Listener, outgoing: Outgoing) -> None:
        self.listener = listener
        self.outgoing = outgoing

    def reception(self, server: SMTP, session: Session, envelope: Envelope, host: str) -> records.Reception:
        """Return the facts of the transaction that ends now, at `host` unless SNI named another."""
        tls: ssl.SSLObject | None = server.transport.get_extra_info("ssl_object")
        login: bytes | None = session.login_data
        return records.Reception(
            server=_named(server) or host,
            port=self.listener.port,
            tls=tls is not None,
            tls_version=tls.version() if tls else None,
            auth_user=login.decode(errors="replace") if login else None,
            peer=session.peer[0],
            mail_from=_sender(envelope),
            rcpt_tos=envelope.rcpt_tos,
        )


class Submission(Handler):
    """A provider: takes any message from an authenticated client and passes it on like one.

    Whoever asks for EXCHANGER by its name finds that mail exchanger instead.
    """

    def __init__(self, listener: Listener, outgoing: Outgoing) -> None:
        super().__init__(listener, outgoing)
        self._mailboxes = Mailboxes(listener, outgoing)

    def host(self, server: SMTP) -> str:
        """Return the server that the client means."""
        return _named(server) or self.listener.host

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        if self.host(server) == EXCHANGER:
            return await self._mailboxes.handle_EHLO(server, session, envelope, hostname, responses)
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = "" if self.host(server) == EXCHANGER else self._refusal(server, session)
        if refusal:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 sender ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.host(server) == EXCHANGER:
            return await self._mailboxes.handle_RCPT(server, session, envelope, address, options)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 recipient ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.host(server) == EXCHANGER:
            return await self._mailboxes.handle_DATA(server, session, envelope)
        content = _content(envelope)
        reception = self.reception(server, session, envelope, self.listener.host)
        identifier = records.new_id()
        records.record(reception, content, identifier)
        onward = [recipient for recipient in reception.rcpt_tos if _domain(recipient) in MAILBOX_HOSTS]
        if onward:
            self.outgoing.add(reception.server, reception.mail_from, onward, content)
        return f"250 2.0.0 accepted as {identifier}"

    def _refusal(self, server: SMTP, session: Session) -> str:
        """Return the answer to a client that may not send; nothing if it may."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        region = MAILGUN.get(self.host(server))
        if region is None:
            return ""
        try:
            reason = mailgun.State.read(mailgun.FILE).refusal(region, session.login_data.decode(errors="replace"))
        except (OSError, ValueError) as error:
            return f"451 4.3.0 {_unreadable(error)}"
        return reason and f"550 5.7.1 {reason}"


class Mailboxes(Handler):
    """A mail exchanger: takes mail for its domains; a few recipients make bounces."""

    async def handle_EHLO(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        return [response for response in responses if not response.startswith("250-AUTH")]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        mailbox = address.lower()
        if _domain(mailbox) not in MAILBOX_HOSTS:
            return "554 5.7.1 relay access denied"
        if mailbox == FULL:
            return "552 5.2.2 mailbox is full"
        if mailbox.startswith(UNKNOWN) and _domain(mailbox) == "customer.example":
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 recipient ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        try:
            known = accounts.read()
        except (OSError, ValueError) as error:
            return f"451 4.3.0 {_unreadable(error)}"
        content = _content(envelope)
        identifier = records.new_id()
        for mailbox in dict.fromkeys(recipient.lower() for recipient in envelope.rcpt_tos):
            reception = self.reception(server, session, envelope, MAILBOX_HOSTS[_domain(mailbox)])
            records.record(reception, content, identifier, mailbox)
            if mailbox in known:
                records.deliver(mailbox, content)
            if mailbox == LATE_BOUNCE:
                gone = Answer(mailbox, "", 550, "5.1.1 the mailbox was closed")
                self.outgoing.bounce(reception.server, reception.mail_from, [gone], content)
        return f"250 2.0.0 accepted as {identifier}"


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, credentials: LoginPassword
) -> AuthResult:
    """Check a login against the accounts of this moment; the session keeps no password."""
    login = credentials.login.decode(errors="replace")
    region = MAILGUN.get(server.event_handler.host(server))
    try:
        if region:
            right = mailgun.State.read(mailgun.FILE).authenticates(region, login, credentials.password)
        else:
            known = accounts.read()
            right = hmac.compare_digest(known.get(login, "").encode(), credentials.password) and login in known
    except (OSError, ValueError) as error:
        return AuthResult(success=False, handled=False, message=f"454 4.7.0 {_unreadable(error)}")
    if not right:
        return AuthResult(success=False, handled=False)
    return AuthResult(success=True, auth_data=LoginPassword(credentials.login, b""))


async def serve() -> None:
    """Listen on all ports, tell systemd, and serve until the process is ended."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, pathlib.Path(os.environ["CREDENTIALS_DIRECTORY"]) / "tls.key")
    context.sni_callback = _remember_server_name
    outgoing = Outgoing()
    loop = asyncio.get_running_loop()
    for listener in LISTENERS:
        await loop.create_server(
            functools.partial(_protocol, listener, outgoing, context), "0.0.0.0", listener.port,
            ssl=context if listener.implicit_tls else None,
        )  # fmt: skip
    outgoing.resume()
    systemd.notify_ready()
    await asyncio.Event().wait()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    # aiosmtpd logs the dialogue, and takes AUTH without STARTTLS (465: TLS is implicit) for AUTH
    # without TLS.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
    asyncio.run(serve())


def _protocol(listener: Listener, outgoing: Outgoing, context: ssl.SSLContext) -> SMTP:
    handler = (Submission if listener.submission else Mailboxes)(listener, outgoing)
    return SMTP(
        handler,
        hostname=listener.host,
        ident="ESMTP sandbox",
        enable_SMTPUTF8=True,
        tls_context=None if listener.implicit_tls else context,
        require_starttls=listener.submission and not listener.implicit_tls,
        auth_require_tls=not listener.implicit_tls,
        authenticator=authenticate if listener.submission else None,
    )


def _named(server: SMTP) -> str | None:
    """Return the server that the client asked for by SNI."""
    tls: ssl.SSLObject | None = server.transport.get_extra_info("ssl_object")
    return _server_names.get(tls) if tls else None


def _unreadable(error: Exception) -> str:
    """Return what a client is told of accounts that cannot be read; the journal has the kind of error."""
    log.error("accounts cannot be read: %s", type(error).__name__)
    return "accounts cannot be read"


def _remember_server_name(tls: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
    if name:
        _server_names[tls] = name


def _sender(envelope: Envelope) -> str:
    return "" if envelope.mail_from in (None, "<>") else envelope.mail_from


def _content(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes)
    return envelope.content


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


if __name__ == "__main__":
    main()
