# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery by SMTP to the mail server that DNS names for each recipient's domain."""

from __future__ import annotations

import contextlib
import dataclasses
import smtplib
import ssl

import dns.exception
import dns.rdatatype
import dns.resolver

PORT = 25
TIMEOUT = 30  # seconds, for each step of the dialogue


@dataclasses.dataclass(frozen=True)
class Answer:
    """What became of one recipient: an SMTP answer, or our own in its place (then `host` is "")."""

    recipient: str
    host: str
    code: int
    text: str


def deliver(mail_from: str, recipients: list[str], content: bytes, helo: str) -> list[Answer]:
    """Deliver a message, one transaction for each domain; return an answer per recipient.

    `content` has CRLF line ends. STARTTLS is used where offered; then the certificate is verified.
    """
    domains: dict[str, list[str]] = {}
    for recipient in dict.fromkeys(recipients):
        domains.setdefault(recipient.rpartition("@")[2].lower(), []).append(recipient)
    answers = {}
    for domain, group in domains.items():
        for answer in _deliver_to_domain(domain, mail_from, group, content, helo):
            answers[answer.recipient] = answer
    return [answers[recipient] for recipient in dict.fromkeys(recipients)]


def mail_hosts(domain: str) -> list[str]:
    """Return a domain's mail hosts, by preference: its MX, or the domain itself (RFC 5321, 5.1).

    Raises dns.exception.DNSException: NXDOMAIN, NoAnswer (neither MX nor A), or a temporary one.
    """
    try:
        found = sorted(dns.resolver.resolve(domain, "MX"), key=lambda mx: mx.preference)
        return [mx.exchange.to_text(omit_final_dot=True) for mx in found]
    except dns.resolver.NoAnswer:
        dns.resolver.resolve(domain, "A")
        return [domain]


def _deliver_to_domain(domain: str, mail_from: str, recipients: list[str], content: bytes, helo: str) -> list[Answer]:
    def all_get(code: int, text: str) -> list[Answer]:
        return [Answer(recipient, "", code, text) for recipient in recipients]

    try:
        hosts = mail_hosts(domain)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return all_get(550, f"5.1.2 {domain} takes no mail: no such domain, or neither MX nor A")
    except dns.exception.DNSException as error:
        return all_get(451, f"4.4.3 looking up {domain}: {error}")
    problem = ""
    for host in hosts:
        try:
            with smtplib.SMTP(host, PORT, helo, TIMEOUT) as smtp:
                return _transaction(smtp, host, mail_from, recipients, content)
        except UnicodeEncodeError:
            return all_get(553, f"5.6.7 {host} does not offer SMTPUTF8")
        except (OSError, smtplib.SMTPException) as error:
            problem = f"{host}: {error}"
    return all_get(451, f"4.4.1 {problem}")


def _transaction(smtp: smtplib.SMTP, host: str, mail_from: str, recipients: list[str], content: bytes) -> list[Answer]:
    smtp.ehlo_or_helo_if_needed()
    if smtp.has_extn("starttls"):
        smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo()
    options = []
    if smtp.has_extn("8bitmime") and not content.isascii():
        options.append("BODY=8BITMIME")
    if smtp.has_extn("smtputf8") and not "".join([mail_from, *recipients]).isascii():
        options.append("SMTPUTF8")
    code, text = smtp.mail(mail_from, options)
    answers = dict.fromkeys(recipients, (code, text))
    if code == 250:
        answers = {recipient: smtp.rcpt(recipient) for recipient in recipients}
    accepted = [recipient for recipient, (code, _text) in answers.items() if code in (250, 251)]
    if accepted:
        try:
            final = smtp.data(content)
        except smtplib.SMTPDataError as error:
            final = (error.smtp_code, _bytes(error.smtp_error))
        answers |= dict.fromkeys(accepted, final)
    with contextlib.suppress(smtplib.SMTPServerDisconnected):
        smtp.quit()
    return [
        Answer(recipient, host, code, " ".join(text.decode(errors="replace").split()))
        for recipient, (code, text) in answers.items()
    ]


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
