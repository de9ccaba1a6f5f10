# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mail server lets this machine do, step by step, without sending a mail.

Only Python's standard library (3.9 and later): it runs on the hosts whose way to the server matters.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.mailops.odoo.plugins.module_utils._smtp import certificate, connection
from ansible_collections.mailops.odoo.plugins.module_utils._smtp.certificate import Certificate
from ansible_collections.mailops.odoo.plugins.module_utils._smtp.text import one_line
from ansible_collections.mailops.odoo.plugins.module_utils._smtp.wire import WRONG_PORT, Reply, StepError, Wire

ENCRYPTIONS = ("none", "starttls", "ssl")
# An argument of SMTP: in one line, without what would end a path (RFC 5321, 4.1.2) and what UTF-8 cannot express.
ARGUMENT = re.compile(r"[^\s<>\x00-\x1f\x7f\ud800-\udfff]{1,320}")
# Longer commands are split (RFC 4954, 4): 512 bytes with the line's end.
COMMAND_BYTES = 510
GUESSING_SECONDS = 3.0
FAREWELL_SECONDS = 2.0
# What OpenSSL says of chains (openssl-verification-options(1)).
NOT_YET, EXPIRED, SELF_SIGNED, SELF_SIGNED_IN_CHAIN, NO_ISSUER, WRONG_HOST, WRONG_ADDRESS = 9, 10, 18, 19, 20, 62, 64


@dataclass(frozen=True)
class Target:
    """What is asked for.

    `encryption` is `none`, `starttls` or `ssl`. `login` and `password` are tried if given. `ca_file` is a PEM file to
    trust instead of the system's; without `verify` any certificate is taken, for a login too. `timeout` is in seconds,
    for each step. `mail_from` ("" is the null sender) and `rcpt_to` are proposed and taken back.
    """

    host: str
    port: int
    encryption: str = "starttls"
    login: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    verify: bool = True
    timeout: float = 10.0
    helo: str = ""
    mail_from: str | None = None
    rcpt_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step: tcp, banner, ehlo, size, tls, certificate, auth, mail or rcpt; `detail` is one line."""

    step: str
    ok: bool
    detail: str


@dataclass
class Outcome:
    """What came of a target. `authenticated` is None unless the server said yes or that the password is wrong (535).

    `problem` is empty if all that was asked for passed.
    """

    target: Target
    reachable: bool = False
    steps: list[Step] = field(default_factory=list)
    certificate: Certificate | None = None
    extensions: tuple[str, ...] = ()
    size_limit: int | None = None
    authenticated: bool | None = None

    @property
    def problem(self) -> str:
        """Return the steps that failed, as a text."""
        return "; ".join(f"{step.step}: {step.detail}" for step in self.steps if not step.ok)

    def add(self, step: str, detail: str, ok: bool = True) -> None:
        """Note a step."""
        self.steps.append(Step(step, ok, one_line(detail)))

    def shown(self) -> dict[str, Any]:
        """Return it as results have it."""
        return {
            "host": self.target.host,
            "port": self.target.port,
            "encryption": self.target.encryption,
            "reachable": self.reachable,
            "steps": [{"step": step.step, "ok": step.ok, "detail": step.detail} for step in self.steps],
            "certificate": self.certificate.shown() if self.certificate else None,
            "extensions": list(self.extensions),
            "size_limit": self.size_limit,
            "authenticated": self.authenticated,
            "problem": self.problem,
        }


class Proof(NamedTuple):
    """Whether a server takes a login: None where it did not say, and why."""

    authenticated: bool | None
    reason: str


def authenticates(
    host: str, port: int, encryption: str, login: str, password: str, ca_file: str = "", timeout: float = 10.0
) -> Proof:
    """Return whether a server takes a login and password: True, False (it says they are wrong) or None, and why.

    Raises ValueError as `probe` does, and without a login.
    """
    if not login:
        raise ValueError("there is no login to try")
    outcome = probe(Target(host, port, encryption, login, password, ca_file or "", timeout=timeout))
    told = [step.detail for step in outcome.steps if step.step == "auth"]
    return Proof(outcome.authenticated, outcome.problem or told[-1])


def probe(target: Target) -> Outcome:
    """Go through the steps until one fails; return what came of them.

    Raises ValueError when the target itself is wrong, and never for what a server does.
    """
    check(target)
    outcome = Outcome(target)
    try:
        places = connection.addresses(_ascii(target.host), target.port, target.timeout)
        first, place, detail = connection.connect(places, target.timeout)
    except connection.NoConnectionError as error:
        outcome.add("tcp", str(error), ok=False)
        return outcome
    outcome.reachable = True
    outcome.add("tcp", detail)
    dialogue = _Dialogue(outcome, first, place)
    try:
        dialogue.open()
        dialogue.log_in()
        dialogue.propose()
    except StepError as error:
        outcome.add(error.step, error.detail, ok=False)
        if error.broken:
            dialogue.wire.close()
            return outcome
    dialogue.leave()
    return outcome


def check(target: Target) -> None:
    """ValueError if a target cannot be asked for as it is."""
    if target.encryption not in ENCRYPTIONS:
        raise ValueError(f"encryption is {target.encryption!r}, not one of {', '.join(ENCRYPTIONS)}")
    if not 1 <= target.port <= 65535:
        raise ValueError(f"port is {target.port}, not a number from 1 to 65535")
    if not 0 < target.timeout <= 3600:
        raise ValueError(f"timeout is {target.timeout:g}, not more than 0 and at most 3600 seconds")
    given = {"host": [target.host], "helo": [target.helo or "localhost"], "rcpt_to": list(target.rcpt_to)}
    given["mail_from"] = [target.mail_from] if target.mail_from else []
    for name, values in given.items():
        for value in values:
            if not ARGUMENT.fullmatch(value):
                raise ValueError(f"{name} is {value!r}: it must be one word, without < and >")
    _ascii(target.host)
    if target.rcpt_to and target.mail_from is None:
        raise ValueError('rcpt_to needs mail_from, which may be "" (as bounces have it)')
    if bool(target.login) != bool(target.password):
        raise ValueError("login and password belong together, and one of them is empty")
    if "\0" in target.login + target.password:
        raise ValueError("login or password has a NUL, which SMTP cannot carry")
    try:
        (target.login + target.password).encode()
    except UnicodeEncodeError:
        raise ValueError("login or password has what UTF-8 cannot express") from None
    if target.ca_file:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(target.ca_file)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ValueError(f"ca_file {target.ca_file} holds no CA certificates: {reason}") from None


class _Dialogue:
    """The steps over one connection. With `quiet` none is noted: it is a second one, to look at a certificate."""

    def __init__(self, outcome: Outcome, first: socket.socket, place: connection.Place, quiet: bool = False) -> None:
        self.wire = Wire(first, outcome.target.timeout, _secrets(outcome.target))
        self._target = outcome.target
        self._outcome = Outcome(outcome.target) if quiet else outcome
        self._place = place
        self._proposed = False

    def open(self) -> None:
        """Greet, and make the connection secure where that is asked for."""
        if self._target.encryption == "ssl":
            self._secure()
            self._greet()
        else:
            self._greet()
            if self._target.encryption == "starttls":
                self._ask_for_tls()
                self._secure()
                # What was offered in the clear may have been another's offer (RFC 3207, 4.2).
                self._introduce()
        self._read_size()

    def log_in(self) -> None:
        """Try the login, by the first of PLAIN and LOGIN that is offered."""
        target, wire = self._target, self.wire
        if not target.login:
            return
        wire.begin("auth")
        if target.encryption == "none" and not ipaddress.ip_address(self._place[4][0].partition("%")[0]).is_loopback:
            raise wire.failure("a login goes over TLS only, except to this machine itself")
        offered = self._offered("AUTH")
        if offered is None:
            raise wire.failure("the server offers no AUTH here")
        mechanisms = offered.upper().split()
        if "PLAIN" in mechanisms:
            reply = self._plain()
        elif "LOGIN" in mechanisms:
            reply = self._login()
        else:
            raise wire.failure(f"the server offers AUTH by {offered or 'nothing'} alone, not by PLAIN or LOGIN")
        if reply.code == 235:
            self._outcome.authenticated = True
            self._outcome.add("auth", f"{reply.text} ({target.login})")
            return
        if reply.code == 535:
            self._outcome.authenticated = False
            raise wire.failure(f"{reply.text} (login or password wrong)")
        temporary = "temporary; " if 400 <= reply.code < 500 else ""
        raise wire.failure(f"{reply.text} ({temporary}this says nothing of the password)")

    def propose(self) -> None:
        """Name a sender and recipients; nothing is sent to them. Each recipient gets an answer."""
        target, wire = self._target, self.wire
        if target.mail_from is None:
            return
        wire.begin("mail")
        foreign = not "".join([target.mail_from, *target.rcpt_to]).isascii()
        if foreign and self._offered("SMTPUTF8") is None:
            raise wire.failure("an address that is not ASCII needs SMTPUTF8, which the server does not offer")
        self._proposed = True
        self._expect(wire.ask(f"MAIL FROM:<{target.mail_from}>{' SMTPUTF8' if foreign else ''}"), 250)
        for recipient in target.rcpt_to:
            wire.begin("rcpt")
            reply = wire.ask(f"RCPT TO:<{recipient}>")
            self._outcome.add("rcpt", f"{recipient}: {reply.text}", ok=reply.code in (250, 251))

    def leave(self) -> None:
        """Take back what was proposed and end the connection; what is said to it does not matter."""
        with contextlib.suppress(StepError):
            self.wire.begin("quit", min(FAREWELL_SECONDS, self._target.timeout))
            if self._proposed:
                self.wire.ask("RSET")
            self.wire.ask("QUIT")
        self.wire.close()

    def _greet(self) -> None:
        self.wire.begin("banner")
        try:
            self._expect(self.wire.reply(), 220)
        except StepError as error:
            # A server of TLS or HTTP waits for the client's first word.
            if self.wire.silent and self._target.encryption != "ssl":
                guess = WRONG_PORT.get(connection.spoken(self._place, min(GUESSING_SECONDS, self._target.timeout)))
                greets = f"no greeting within {self._target.timeout:g} s"
                error.detail = f"{greets}: {guess}" if guess else f"{greets}; some servers delay it"
            raise
        self._introduce()

    def _introduce(self) -> None:
        """Say EHLO, and note what is offered."""
        self.wire.begin("ehlo")
        reply = self._expect(self.wire.ask(f"EHLO {self._target.helo or _own_name(self.wire)}"), 250)
        self._outcome.extensions = reply.lines[1:]

    def _ask_for_tls(self) -> None:
        self.wire.begin("tls")
        if self._offered("STARTTLS") is None:
            raise self.wire.failure("the server does not offer STARTTLS")
        reply = self.wire.ask("STARTTLS")
        if reply.code != 220:
            raise self.wire.failure(reply.text)
        # It would be taken for an answer under TLS (CVE-2011-0411).
        self.wire.expect_silence()

    def _secure(self) -> None:
        target = self._target
        self.wire.begin("tls")
        try:
            told, der = self.wire.secure(_context(target), _ascii(target.host))
        except ssl.SSLCertVerificationError as error:
            unseen = self._look_unverified()
            raise StepError("certificate", f"{self._why(error)}{unseen}", broken=True) from None
        except StepError as error:
            if target.encryption == "ssl":
                guess = WRONG_PORT.get(connection.spoken(self._place, min(GUESSING_SECONDS, target.timeout)), "")
                error.detail += f": {guess}" if guess and "TLS from the start" not in guess else ""
            raise
        self._outcome.add("tls", told)
        self.wire.begin("certificate")
        try:
            self._outcome.certificate = certificate.read(der)
        except ValueError as error:
            raise self.wire.failure(str(error)) from None
        verified = "verified" if target.verify else "not verified, as asked for"
        self._outcome.add("certificate", f"{_described(self._outcome.certificate)}; {verified}")

    def _look_unverified(self) -> str:
        """Note a certificate that did not verify, by another connection; return why that failed, or nothing."""
        place, seconds = self._place, self._target.timeout
        try:
            other = _Dialogue(self._outcome, connection.connect_to(place, seconds), place, quiet=True)
        except OSError as error:
            return f"; it could not be looked at: {error.strerror or error}"
        try:
            if self._target.encryption == "starttls":
                other._greet()
                other._ask_for_tls()
            other.wire.begin("tls")
            told, der = other.wire.secure(connection.unverified(), _ascii(self._target.host))
            self._outcome.add("tls", told)
            self._outcome.certificate = certificate.read(der)
        except (StepError, ValueError) as error:
            return f"; it could not be looked at: {error}"
        finally:
            other.wire.close()
        return ""

    def _why(self, error: ssl.SSLCertVerificationError) -> str:
        """Return why a certificate was not accepted, and what it is."""
        found, code = self._outcome.certificate, error.verify_code
        trusted = f"{self._target.ca_file}, the ca_file, has" if self._target.ca_file else "this machine knows"
        reasons = {
            NOT_YET: "it is not valid yet",
            EXPIRED: "it has expired",
            SELF_SIGNED: "it is signed by itself",
            SELF_SIGNED_IN_CHAIN: f"{trusted} no CA that signed it",
            NO_ISSUER: f"{trusted} no CA that signed it, or the server leaves out a certificate between",
            WRONG_HOST: f"it is not for {self._target.host}, the host name",
            WRONG_ADDRESS: f"it is not for {self._target.host}, the address",
        }
        reason = reasons.get(code, one_line(error.verify_message or str(error)))
        return f"not accepted: {reason}. {_described(found)}" if found else f"not accepted: {reason}"

    def _read_size(self) -> None:
        declared = self._offered("SIZE")
        # Nothing and 0 mean that no limit is told (RFC 1870, 4).
        if declared and re.fullmatch("[0-9]{1,18}", declared) and int(declared):
            self._outcome.size_limit = int(declared)
            self._outcome.add("size", f"{declared} bytes")
        else:
            self._outcome.add("size", "the server tells no limit")

    def _plain(self) -> Reply:
        """AUTH PLAIN (RFC 4616)."""
        response = _base64(f"\0{self._target.login}\0{self._target.password}")
        command = f"AUTH PLAIN {response}"
        if len(command) <= COMMAND_BYTES:
            return self.wire.ask(command)
        reply = self.wire.ask("AUTH PLAIN")
        return self.wire.ask(response) if reply.code == 334 else reply

    def _login(self) -> Reply:
        """AUTH LOGIN, which has no specification: the server asks for the name, then for the password."""
        reply = self.wire.ask("AUTH LOGIN")
        for answer in (self._target.login, self._target.password):
            if reply.code != 334:
                return reply
            reply = self.wire.ask(_base64(answer))
        return reply

    def _offered(self, keyword: str) -> str | None:
        """Return the parameters of an extension; None if it is not offered."""
        for line in self._outcome.extensions:
            # Old servers write AUTH=LOGIN.
            name, _mark, parameters = re.sub("^(?i:auth)=", "AUTH ", line).partition(" ")
            if name.upper() == keyword:
                return parameters
        return None

    def _expect(self, reply: Reply, code: int) -> Reply:
        """Note the step's answer and return it; StepError if it has another code."""
        if reply.code != code:
            raise self.wire.failure(reply.text)
        self._outcome.add(self.wire.step, reply.text)
        return reply


def _context(target: Target) -> ssl.SSLContext:
    if not target.verify:
        return connection.unverified()
    context = ssl.create_default_context(cafile=target.ca_file or None)
    # From 3.13 on Python asks more of a certificate than mail servers do; the verdict is not to depend on it.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _described(found: Certificate | None) -> str:
    if found is None:
        return ""
    names = ", ".join(found.names) or "no name"
    return f"{found.subject or 'no subject'}, for {names}, by {found.issuer}, {_left(found.days_left())}"


def _left(days: int) -> str:
    return f"expires in {days} days" if days >= 0 else f"expired {-days} days ago"


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode().rstrip(".")
    except UnicodeError:
        raise ValueError(f"host is {host!r}, which is no host name") from None


def _own_name(wire: Wire) -> str:
    """Return a name for EHLO: this host's if it is a full one, and its address otherwise (RFC 5321, 4.1.3)."""
    name = socket.gethostname()
    if "." in name and ARGUMENT.fullmatch(name):
        return name
    address = wire.own_address.partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secrets(target: Target) -> list[str]:
    """Return the forms in which the password goes over the wire, without the filling at the end."""
    if not target.password:
        return []
    encoded = (_base64(f"\0{target.login}\0{target.password}"), _base64(target.password))
    return [target.password, *(form.rstrip("=") for form in encoded)]
