# SPDX-License-Identifier: GPL-3.0-or-later
"""Each step against servers of every kind: what passed, what did not, and where the password does not go."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._smtp import connection
from ansible_collections.mailops.odoo.plugins.module_utils._smtp.probe import (
    Outcome,
    Target,
    authenticates,
    check,
    probe,
)
from ansible_collections.mailops.odoo.plugins.module_utils._smtp.wire import StepError, Wire
from support.certificates import Authority
from support.modules import run_module
from support.scripted_smtp import Script, Talk, serving, smtp

HOST = "127.0.0.1"
LOGIN, PASSWORD = "no-reply@acme.example", "canary-p\xe4ss word"
SOON = 0.5  # seconds
PLAIN = base64.b64encode(f"\0{LOGIN}\0{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    """A server's context with a certificate that is in order."""
    return authority.server(HOST)


def asked(script: Script, encryption: str = "none", **options: Any) -> tuple[Outcome, list[str]]:
    """Return what came of a server that plays the script, and what it heard."""
    with serving(script) as server:
        outcome = probe(Target(HOST, server.port, encryption, **options))
    assert "canary" not in str(outcome.shown())
    return outcome, server.heard


def steps(outcome: Outcome) -> list[tuple[str, bool]]:
    return [(step.step, step.ok) for step in outcome.steps]


def failed(outcome: Outcome) -> str:
    """Return the detail of the last step, which failed and is all that failed."""
    assert [step.ok for step in outcome.steps] == [True] * (len(outcome.steps) - 1) + [False], outcome.steps
    last = outcome.steps[-1]
    assert outcome.problem == f"{last.step}: {last.detail}"
    return outcome.problem


# --- All in order


def test_every_step_over_starttls(authority: Authority, tls: ssl.SSLContext) -> None:
    script = smtp(tls, ("STARTTLS", "AUTH LOGIN"), ("AUTH PLAIN LOGIN", "SIZE 1000"))
    outcome, heard = asked(
        script, "starttls", login=LOGIN, password=PASSWORD, ca_file=authority.ca_file, helo="odoo.acme.example",
        mail_from="", rcpt_to=("a@acme.example", "b@acme.example"),
    )  # fmt: skip
    names = ["tcp", "banner", "ehlo", "tls", "certificate", "ehlo", "size", "auth", "mail", "rcpt", "rcpt"]
    assert steps(outcome) == [(name, True) for name in names]
    assert (outcome.reachable, outcome.authenticated, outcome.size_limit, outcome.problem) == (True, True, 1000, "")
    assert outcome.extensions == ("AUTH PLAIN LOGIN", "SIZE 1000")
    assert outcome.steps[1].detail == "220 server.example ESMTP"
    assert outcome.steps[3].detail.startswith("TLSv1.3, ")
    shown = outcome.shown()
    assert (shown["certificate"]["names"], shown["certificate"]["days_left"]) == ([HOST], 30)
    assert "expires in 30 days; verified" in outcome.steps[4].detail
    assert heard == [
        "EHLO odoo.acme.example", "STARTTLS", "EHLO odoo.acme.example", f"AUTH PLAIN {PLAIN}", "MAIL FROM:<>",
        "RCPT TO:<a@acme.example>", "RCPT TO:<b@acme.example>", "RSET", "QUIT",
    ]  # fmt: skip


def test_every_step_over_tls_from_the_start(authority: Authority, tls: ssl.SSLContext) -> None:
    script = smtp(tls, ("AUTH PLAIN",), from_the_start=True)
    outcome, _heard = asked(script, "ssl", login=LOGIN, password=PASSWORD, ca_file=authority.ca_file)
    assert [step.step for step in outcome.steps] == ["tcp", "tls", "certificate", "banner", "ehlo", "size", "auth"]
    assert (outcome.problem, outcome.authenticated) == ("", True)


def test_in_the_clear_nothing_but_what_is_asked_for() -> None:
    outcome, heard = asked(smtp(offers=("STARTTLS", "AUTH PLAIN")))
    assert steps(outcome) == [(name, True) for name in ("tcp", "banner", "ehlo", "size")]
    assert (outcome.authenticated, outcome.certificate, outcome.problem) == (None, None, "")
    assert [line.split()[0] for line in heard] == ["EHLO", "QUIT"]


def test_the_host_names_itself_by_a_full_name_or_its_address() -> None:
    _outcome, heard = asked(smtp())
    name = socket.gethostname()
    assert heard[0] == f"EHLO {name if '.' in name else f'[{HOST}]'}"


def test_ipv6(authority: Authority) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6, not even with itself")
    with serving(smtp(authority.server("::1"), from_the_start=True), "::1") as server:
        outcome = probe(Target("::1", server.port, "ssl", ca_file=authority.ca_file))
    assert outcome.problem == ""
    assert outcome.steps[0].detail.startswith(f"connected to [::1]:{server.port} in ")


# --- Connections


def places(port: int, *hosts: str) -> list[connection.Place]:
    return [place for host in hosts for place in connection.addresses(host, port, 5)]


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_nobody_listens() -> None:
    port = free_port()
    outcome = probe(Target(HOST, port))
    assert not outcome.reachable
    assert failed(outcome) == f"tcp: {HOST}:{port}: refused: nothing listens there, or a firewall says so"


@pytest.fixture
def deaf() -> Any:
    """The port of a server whose queue is full, to which the system drops what comes, as a firewall does."""
    with socket.socket() as listener, socket.socket() as waiting:
        listener.bind((HOST, 0))
        listener.listen(0)
        waiting.connect(listener.getsockname())
        yield listener.getsockname()[1]


def test_no_answer_is_told_from_a_refusal(deaf: int) -> None:
    outcome = probe(Target(HOST, deaf, timeout=SOON))
    assert failed(outcome) == f"tcp: {HOST}:{deaf}: no answer within 0.5 s: blocked?"


@pytest.mark.parametrize("port", [25, 465, 587])
def test_the_ports_that_clouds_block_are_named(port: int) -> None:
    assert connection._silence(places(port, HOST)[0], 10) == (
        "no answer within 10 s: blocked? DigitalOcean blocks 25, 465 and 587"
    )


def test_every_address_is_tried_and_told() -> None:
    with serving(smtp()) as server:
        found, place, told = connection.connect(places(server.port, "127.0.0.3", "127.0.0.4", HOST), 5)
        found.close()
    assert place[4] == (HOST, server.port)
    assert told.startswith(f"connected to {HOST}:{server.port} in ")
    for other in ("127.0.0.3", "127.0.0.4"):
        assert f"{other}:{server.port}: refused" in told or f"{other}:{server.port}: no answer yet" in told
    port = free_port()
    with pytest.raises(connection.NoConnectionError, match=r"^127\.0\.0\.1:.* refused.*; 127\.0\.0\.3:.* refused"):
        connection.connect(places(port, HOST, "127.0.0.3"), 5)


def test_an_address_that_is_silent_holds_nobody_up(deaf: int) -> None:
    with socket.create_server(("127.0.0.3", deaf)):
        started = time.monotonic()
        found, place, told = connection.connect(places(deaf, HOST, "127.0.0.3"), 5)
        found.close()
    assert time.monotonic() - started < 2
    assert place[4] == ("127.0.0.3", deaf)
    assert told.endswith(f"; {HOST}:{deaf}: no answer yet")


# --- Servers that do not speak SMTP


def closes(talk: Talk) -> None:
    pass


def hangs(talk: Talk) -> None:
    talk.ended.wait(10)


def says(data: bytes) -> Script:
    """Return the script of a server that sends this first and hangs then."""

    def script(talk: Talk) -> None:
        talk.send(data)
        talk.ended.wait(10)

    return script


def drips(talk: Talk) -> None:
    """A byte now and then never makes a line."""
    while not talk.ended.wait(SOON / 10):
        talk.send(b"2")


def http(talk: Talk) -> None:
    talk.connection.recv(1)
    talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


LATER = "; some servers delay it"


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (closes, "the server closed the connection"),
        (says(b"554 5.7.1 no \x1b[31mservice\x07 here\r\n"), "554 5.7.1 no [31mservice here"),
        (says(b"421-too busy\r\n421 come back\r\n"), "421 too busy come back"),
        (hangs, f"no greeting within 0.5 s{LATER}"),
        (says(b"220 half a li"), "no answer within 0.5 s; until then came '220 half a li'"),
        (drips, "no answer within 0.5 s; until then came '222"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "no SMTP: 'SSH-2.0-OpenSSH_9.2'"),
        (says(b"\xff\xfe\x00\r\n"), r"no SMTP: '\xff\xfe\x00'"),
        (says(b"220\tx\r\n"), r"no SMTP: '220\tx'"),
        (says(b"220-a\r\n250 b\r\n"), "an answer with two codes, 220 and 250"),
        (says(b"220-more\r\n" * 101), "an answer of more than 100 lines"),
        (says(b"220 " + b"x" * 9000), "a line of more than 8192 bytes"),
        (says(b"HTTP/1.1 400 Bad Request\r\n"), "this port speaks HTTP"),
        (says(b"<html>hello"), "this port speaks HTTP"),
        (says(b"\x15\x03\x01\x00\x02"), "this port speaks TLS from the start: encryption: ssl"),
        (http, "no greeting within 0.5 s: this port speaks HTTP"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_greets_wrongly(script: Script, problem: str) -> None:
    outcome, _heard = asked(script, timeout=SOON)
    assert outcome.reachable
    assert failed(outcome).startswith(f"banner: {problem}")


def test_a_greeting_of_several_lines_that_takes_its_time() -> None:
    def script(talk: Talk) -> None:
        for line in ("220-please\r\n", "220-wait\n", "220 server\r\n"):
            talk.ended.wait(SOON / 20)
            talk.send(line.encode())
        talk.hear()
        talk.say("500 what?")

    outcome, _heard = asked(script, timeout=SOON)
    assert outcome.steps[1].detail == "220 please wait server"
    assert failed(outcome) == "ehlo: 500 what?"


@pytest.mark.parametrize("encryption", ["none", "starttls"])
def test_a_port_of_tls_asked_in_the_clear(tls: ssl.SSLContext, encryption: str) -> None:
    outcome, _heard = asked(smtp(tls, from_the_start=True), encryption, timeout=SOON)
    told = "banner: no greeting within 0.5 s: this port speaks TLS from the start: encryption: ssl"
    assert failed(outcome) == told


def test_a_port_in_the_clear_asked_for_tls(tls: ssl.SSLContext) -> None:
    outcome, _heard = asked(smtp(tls, ("STARTTLS",)), "ssl")
    problem = failed(outcome)
    assert problem.startswith("tls: the TLS handshake failed: ")
    assert problem.endswith(": this port greets without TLS: encryption: starttls, or none")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (closes, "tls: "),
        (hangs, "tls: no answer within 0.5 s"),
        (http, "tls: the TLS handshake failed: .*: this port speaks HTTP"),
        (says(b"\x15\x03\x01\x00\x02\x02\x28"), "tls: the TLS handshake failed: "),
    ],
    ids=["closes", "hangs", "http", "alert"],
)
def test_what_does_not_speak_tls(script: Script, problem: str) -> None:
    outcome, _heard = asked(script, "ssl", timeout=SOON)
    assert re.match(problem, failed(outcome))


@pytest.mark.parametrize("at", ["EHLO", "MAIL", "RCPT"])
def test_each_step_has_its_time(at: str) -> None:
    def script(talk: Talk) -> None:
        talk.say("220 server")
        while not talk.hear().startswith(at):
            talk.say("250 ok")
        talk.ended.wait(10)

    started = time.monotonic()
    outcome, _heard = asked(script, timeout=SOON, mail_from="a@acme.example", rcpt_to=("b@acme.example",))
    assert failed(outcome) == f"{at.lower()}: no answer within 0.5 s"
    assert time.monotonic() - started < 5


def test_a_step_s_time_is_not_prolonged_by_a_server_that_goes_on_and_on() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"220 here at last\r\n")
        wire = Wire(ours, timeout=SOON, secrets=[])
        wire.begin("banner", timeout=1e-9)
        with pytest.raises(StepError, match="no answer within"):
            wire.reply()


def test_a_server_that_goes_in_the_middle() -> None:
    def script(talk: Talk) -> None:
        talk.say("220 server")
        talk.hear()
        talk.send(b"250-serv")

    outcome, _heard = asked(script)
    assert failed(outcome) == "ehlo: the server closed the connection after '250-serv'"


# --- STARTTLS


def test_starttls_not_offered(tls: ssl.SSLContext) -> None:
    outcome, heard = asked(smtp(tls, ("AUTH PLAIN",)), "starttls", login=LOGIN, password=PASSWORD)
    assert failed(outcome) == "tls: the server does not offer STARTTLS"
    assert [line.split()[0] for line in heard] == ["EHLO", "QUIT"]


def test_starttls_refused() -> None:
    script = smtp(None, ("STARTTLS",), answers={"STARTTLS": "454 4.7.0 no TLS now"})
    outcome, heard = asked(script, "starttls")
    assert failed(outcome) == "tls: 454 4.7.0 no TLS now"
    assert heard[-1] == "QUIT"


@pytest.mark.parametrize("apart", [False, True])
def test_what_is_said_before_the_handshake_is_not_taken_for_an_answer_under_tls(
    authority: Authority, tls: ssl.SSLContext, apart: bool
) -> None:
    """CVE-2011-0411: whoever sits between appends an answer to that of STARTTLS."""

    def script(talk: Talk) -> None:
        talk.say("220 server")
        talk.hear()
        talk.say("250-server", "250 STARTTLS")
        talk.hear()
        if apart:
            # One byte of the answer comes with the rest, so that the client has it when it reads the line's end.
            talk.send(b"220 go on\r")
            talk.ended.wait(SOON / 10)
            talk.send(b"\n250 injected\r\n")
        else:
            talk.say("220 go on", "250-injected", "250 AUTH PLAIN")
        talk.secure(tls)
        talk.say("250-server", "250 AUTH PLAIN")
        talk.hear()

    outcome, heard = asked(script, "starttls", login=LOGIN, password=PASSWORD, ca_file=authority.ca_file)
    assert failed(outcome) == "tls: the server said more before TLS than it was asked for: put there by another?"
    assert [line.split()[0] for line in heard] == ["EHLO", "STARTTLS"]


def test_what_was_offered_in_the_clear_does_not_count(authority: Authority, tls: ssl.SSLContext) -> None:
    script = smtp(tls, ("STARTTLS", "AUTH PLAIN"), ("SIZE 7",))
    outcome, heard = asked(script, "starttls", login=LOGIN, password=PASSWORD, ca_file=authority.ca_file)
    assert failed(outcome) == "auth: the server offers no AUTH here"
    assert outcome.extensions == ("SIZE 7",)
    assert "AUTH" not in str(heard)


# --- Certificates

NOT_ACCEPTED: dict[str, tuple[Callable[[Authority], ssl.SSLContext], str, int]] = {
    "expired": (lambda authority: authority.server(HOST, days=-3), "it has expired", -3),
    "itself": (lambda authority: authority.server(HOST, signs_itself=True), "it is signed by itself", 30),
    "address": (lambda authority: authority.server("127.0.0.9"), f"it is not for {HOST}, the address", 30),
    "no names": (lambda authority: authority.server(), f"it is not for {HOST}, the address", 30),
}


@pytest.mark.parametrize("encryption", ["starttls", "ssl"])
@pytest.mark.parametrize("kind", NOT_ACCEPTED)
def test_a_certificate_that_is_not_accepted_is_described_and_gets_no_login(
    authority: Authority, encryption: str, kind: str
) -> None:
    context, reason, days = NOT_ACCEPTED[kind]
    script = smtp(context(authority), ("STARTTLS", "AUTH PLAIN"), from_the_start=encryption == "ssl")
    options = {"login": LOGIN, "password": PASSWORD, "ca_file": authority.ca_file}
    outcome, heard = asked(script, encryption, **options)
    assert failed(outcome).startswith(f"certificate: not accepted: {reason}. O=Gr\xfc\xdfe from Acme, CN=server, for ")
    assert outcome.steps[-2].step == "tls"
    assert outcome.certificate
    assert outcome.certificate.days_left() == days
    assert outcome.authenticated is None
    assert "AUTH" not in str(heard)

    taken, heard = asked(script, encryption, **options, verify=False)
    assert taken.problem == ""
    assert taken.authenticated
    told = [step.detail for step in taken.steps if step.step == "certificate"]
    assert told[0].endswith("; not verified, as asked for")


def test_a_certificate_for_another_host_name(authority: Authority) -> None:
    with serving(smtp(authority.server("mail.acme.example"), from_the_start=True)) as server:
        outcome = probe(Target("localhost", server.port, "ssl", ca_file=authority.ca_file))
    assert "it is not for localhost, the host name. " in failed(outcome)
    assert "for mail.acme.example, by CN=Test CA" in outcome.problem


def test_a_ca_that_is_not_known(authority: Authority, tls: ssl.SSLContext, tmp_path: Any) -> None:
    other = Authority(tmp_path, "Another CA")
    outcome, _heard = asked(smtp(tls, from_the_start=True), "ssl", ca_file=other.ca_file)
    assert f"not accepted: {other.ca_file}, the ca_file, has no CA that signed it" in failed(outcome)
    outcome, _heard = asked(smtp(tls, from_the_start=True), "ssl")
    assert "not accepted: this machine knows no CA that signed it" in failed(outcome)


def test_a_server_that_shows_its_certificate_once(authority: Authority) -> None:
    context = authority.server(HOST, days=-3)
    seen: list[None] = []

    def script(talk: Talk) -> None:
        seen.append(None)
        if len(seen) == 1:
            talk.secure(context)

    outcome, _heard = asked(script, "ssl", ca_file=authority.ca_file)
    assert failed(outcome).startswith("certificate: not accepted: it has expired; it could not be looked at: ")
    assert outcome.certificate is None


# --- Logging in


def logged_in(authority: Authority, tls: ssl.SSLContext, offers: str, answers: dict[str, Any], **options: Any) -> Any:
    given = {"login": LOGIN, "password": PASSWORD, "ca_file": authority.ca_file, **options}
    return asked(smtp(tls, ("STARTTLS",), (offers,), answers), "starttls", **given)


@pytest.mark.parametrize(
    ("said", "authenticated", "told"),
    [
        ("535 5.7.8 no", False, "535 5.7.8 no (login or password wrong)"),
        ("454 4.7.0 later", None, "454 4.7.0 later (temporary; this says nothing of the password)"),
        ("421 too many", None, "421 too many (temporary; this says nothing of the password)"),
        ("530 5.7.0 not yet", None, "530 5.7.0 not yet (this says nothing of the password)"),
        ("334 more?", None, "334 more? (this says nothing of the password)"),
    ],
)
def test_refusals_are_told_apart(
    authority: Authority, tls: ssl.SSLContext, said: str, authenticated: bool | None, told: str
) -> None:
    outcome, heard = logged_in(authority, tls, "AUTH PLAIN", {"AUTH": said}, mail_from="a@acme.example")
    assert failed(outcome) == f"auth: {told}"
    assert outcome.authenticated is authenticated
    assert heard[-1] == "QUIT"
    assert "MAIL" not in str(heard)


@pytest.mark.parametrize("offers", ["AUTH LOGIN CRAM-MD5", "AUTH=LOGIN", "auth login"])
def test_auth_login(authority: Authority, tls: ssl.SSLContext, offers: str) -> None:
    answers = {"AUTH": ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"]}
    outcome, heard = logged_in(authority, tls, offers, answers)
    assert outcome.authenticated
    sent = [base64.b64encode(part.encode()).decode() for part in (LOGIN, PASSWORD)]
    assert heard[3:] == ["AUTH LOGIN", *sent, "QUIT"]


def test_auth_login_refused_at_the_name(authority: Authority, tls: ssl.SSLContext) -> None:
    outcome, heard = logged_in(authority, tls, "AUTH LOGIN", {"AUTH": ["334 VXNlcm5hbWU6", "535 no such user"]})
    assert outcome.authenticated is False
    assert base64.b64encode(PASSWORD.encode()).decode() not in heard


def test_a_long_password_is_sent_on_a_line_of_its_own(authority: Authority, tls: ssl.SSLContext) -> None:
    password = "x" * 600
    outcome, heard = logged_in(
        authority, tls, "AUTH PLAIN", {"AUTH": ["334 ", "235 ok"]}, login=LOGIN, password=password
    )
    assert outcome.authenticated
    assert heard[3:5] == ["AUTH PLAIN", base64.b64encode(f"\0{LOGIN}\0{password}".encode()).decode()]


@pytest.mark.parametrize(
    ("offers", "told"),
    [
        ("SIZE 1", "the server offers no AUTH here"),
        ("AUTH XOAUTH2 CRAM-MD5", "the server offers AUTH by XOAUTH2 CRAM-MD5 alone, not by PLAIN or LOGIN"),
        ("AUTH", "the server offers AUTH by nothing alone, not by PLAIN or LOGIN"),
    ],
)
def test_no_way_to_log_in(authority: Authority, tls: ssl.SSLContext, offers: str, told: str) -> None:
    outcome, heard = logged_in(authority, tls, offers, {})
    assert failed(outcome) == f"auth: {told}"
    assert (outcome.authenticated, "AUTH" in str(heard)) == (None, False)


def test_without_tls_only_this_machine_gets_a_login() -> None:
    outcome, _heard = asked(smtp(offers=("AUTH PLAIN",)), login=LOGIN, password=PASSWORD)
    assert outcome.authenticated
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        try:
            route.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address beside loopback")
        own = route.getsockname()[0]
    with serving(smtp(offers=("AUTH PLAIN",)), own) as server:
        outcome = probe(Target(own, server.port, "none", LOGIN, PASSWORD))
    assert failed(outcome) == "auth: a login goes over TLS only, except to this machine itself"
    assert "AUTH" not in str(server.heard)


@pytest.mark.parametrize(
    "echo",
    [PLAIN, PLAIN.rstrip("="), PLAIN[:20], PASSWORD, PASSWORD[:7], base64.b64encode(PASSWORD.encode()).decode()],
    ids=["whole", "unfilled", "begun", "password", "password begun", "password encoded"],
)
def test_what_a_server_repeats_of_the_password_is_hidden(authority: Authority, tls: ssl.SSLContext, echo: str) -> None:
    outcome, _heard = logged_in(authority, tls, "AUTH PLAIN", {"AUTH": f"500 what is {echo}"})
    assert failed(outcome) == "auth: 500 what is (hidden) (this says nothing of the password)"

    def script(talk: Talk) -> None:
        talk.say("220 server")
        talk.hear()
        talk.say("250-server", "250 AUTH PLAIN")
        talk.hear()
        talk.send(f"what is {echo}".encode())

    outcome, _heard = asked(script, login=LOGIN, password=PASSWORD)
    assert failed(outcome) == "auth: the server closed the connection after 'what is (hidden)'"


def test_authenticates(authority: Authority, tls: ssl.SSLContext) -> None:
    def proof(answers: dict[str, str]) -> tuple[bool | None, str]:
        with serving(smtp(tls, ("AUTH PLAIN",), from_the_start=True, answers=answers)) as server:
            return authenticates(HOST, server.port, "ssl", LOGIN, PASSWORD, authority.ca_file)

    assert proof({}) == (True, f"235 welcome ({LOGIN})")
    assert proof({"AUTH": "535 no"}) == (False, "auth: 535 no (login or password wrong)")
    assert proof({"AUTH": "454 later"})[0] is None
    unreachable = authenticates(HOST, free_port(), "ssl", LOGIN, PASSWORD, authority.ca_file)
    assert unreachable.authenticated is None
    assert unreachable.reason.startswith("tcp: ")
    with pytest.raises(ValueError, match="there is no login to try"):
        authenticates(HOST, 25, "ssl", "", "", authority.ca_file)


# --- Size, sender and recipients


@pytest.mark.parametrize(
    ("offered", "limit"),
    [("SIZE 35882577", 35882577), ("SIZE", None), ("SIZE 0", None), ("SIZE 1k", None), ("X", None)],
)
def test_size(offered: str, limit: int | None) -> None:
    outcome, _heard = asked(smtp(offers=(offered,)))
    assert outcome.size_limit == limit
    assert outcome.steps[-1].detail == (f"{limit} bytes" if limit else "the server tells no limit")


def test_each_recipient_gets_its_answer_and_nothing_is_sent() -> None:
    script = smtp(answers={"RCPT": ["550 5.1.1 unknown", "451 later", "251 forwarded"]})
    outcome, heard = asked(script, mail_from="a@acme.example", rcpt_to=("x@b.example", "y@b.example", "z@b.example"))
    assert outcome.problem == "rcpt: x@b.example: 550 5.1.1 unknown; rcpt: y@b.example: 451 later"
    assert outcome.steps[-1].ok
    assert heard[-2:] == ["RSET", "QUIT"]
    assert "DATA" not in heard


def test_a_sender_that_is_refused() -> None:
    outcome, heard = asked(
        smtp(answers={"MAIL": "553 not yours"}), mail_from="a@acme.example", rcpt_to=("b@c.example",)
    )
    assert failed(outcome) == "mail: 553 not yours"
    assert "RCPT" not in str(heard)


def test_addresses_that_are_not_ascii() -> None:
    address = "gr\xfc\xdfe@acme.example"
    outcome, heard = asked(smtp(), mail_from="", rcpt_to=(address,))
    assert failed(outcome).startswith("mail: an address that is not ASCII needs SMTPUTF8")
    outcome, heard = asked(smtp(offers=("SMTPUTF8",)), mail_from="", rcpt_to=(address,))
    assert outcome.problem == ""
    assert heard[1:3] == ["MAIL FROM:<> SMTPUTF8", f"RCPT TO:<{address}>"]


# --- What is no target


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"encryption": "tls"}, "encryption is 'tls', not one of none, starttls, ssl"),
        ({"port": 0}, "port is 0"),
        ({"port": 65536}, "port is 65536"),
        ({"timeout": 0}, "timeout is 0"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"host": ""}, "host is ''"),
        ({"host": "a b"}, "host is 'a b'"),
        ({"host": "a..b"}, "which is no host name"),
        ({"helo": "a\r\nMAIL FROM:<>"}, "helo is"),
        ({"mail_from": "a@b> SIZE=1"}, "mail_from is"),
        ({"mail_from": "", "rcpt_to": ("a@b\r\nDATA",)}, "rcpt_to is"),
        ({"mail_from": "", "rcpt_to": ("",)}, "rcpt_to is ''"),
        ({"mail_from": "\udcff@b"}, "mail_from is"),
        ({"helo": "\ud800"}, "helo is"),
        ({"rcpt_to": ("a@b",)}, "rcpt_to needs mail_from"),
        ({"login": "a"}, "login and password belong together"),
        ({"password": "canary"}, "login and password belong together"),
        ({"login": "a", "password": "canary\0"}, "has a NUL"),
        ({"login": "a", "password": "canary\udc80"}, "has what UTF-8 cannot express"),
        ({"ca_file": "/nonexistent"}, "ca_file /nonexistent holds no CA certificates: No such file"),
        ({"ca_file": __file__}, "holds no CA certificates"),
    ],
)
def test_what_cannot_be_asked_for(options: dict[str, Any], told: str) -> None:
    target = Target(**{"host": HOST, "port": 25, **options})
    with pytest.raises(ValueError) as caught:
        check(target)
    assert told in str(caught.value)
    assert "canary" not in str(caught.value) + repr(target)


# --- The module


def test_the_module_asks_one(authority: Authority, tls: ssl.SSLContext) -> None:
    script = smtp(tls, ("STARTTLS",), ("AUTH PLAIN", "SIZE 9"), {"AUTH": f"535 not {PLAIN}", "RCPT": "550 no"})
    with serving(script) as server:
        one = {"host": HOST, "port": server.port, "ca_file": authority.ca_file}
        login = {"login": LOGIN, "password": PASSWORD}
        asked_for = run_module("smtp_probe", {**one, "mail_from": "", "rcpt_to": ["a@b.example"]}, check=True)
        refused = run_module("smtp_probe", {**one, **login})
        failing = run_module("smtp_probe", {**one, **login, "fail": True})
    assert (asked_for["changed"], asked_for["size_limit"], asked_for["authenticated"]) == (False, 9, None)
    assert asked_for["problem"] == "rcpt: a@b.example: 550 no"
    assert "failed" not in refused
    assert refused["authenticated"] is False
    assert (failing["failed"], failing["msg"]) == (True, failing["problem"])
    assert failing["steps"] == [
        {**step, "detail": failing["steps"][at]["detail"]} for at, step in enumerate(refused["steps"])
    ]
    assert "canary" not in str(refused) + str(failing)
    assert PLAIN not in str(refused) + str(failing)


def test_the_module_asks_many_at_once() -> None:
    with serving(hangs) as silent, serving(smtp()) as polite:
        targets = [{"host": HOST, "port": silent.port, "encryption": "none", "timeout": 0.5} for _each in range(8)]
        targets.append({"host": HOST, "port": polite.port, "encryption": "none"})
        started = time.monotonic()
        result = run_module("smtp_probe", {"targets": targets})
    assert time.monotonic() - started < 4
    assert [one["problem"] == "" for one in result["results"]] == [False] * 8 + [True]
    assert result["results"][8]["port"] == polite.port
    assert result["problem"].count(f"{HOST}:{silent.port}: banner: no greeting") == 8


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "one of the following is required: host, targets"),
        ({"host": HOST}, "'host'"),
        ({"host": HOST, "port": 25, "targets": []}, "mutually exclusive"),
        ({"targets": [{"host": HOST}]}, "port found in targets"),
        ({"targets": [{"host": HOST, "port": 25, "login": "a", "password": ""}]}, f"{HOST}:25: login and password"),
        ({"host": HOST, "port": 25, "ca_file": "/nonexistent"}, f"{HOST}:25: ca_file /nonexistent holds no CA"),
    ],
)
def test_the_module_refuses(options: dict[str, Any], told: str) -> None:
    result = run_module("smtp_probe", options)
    assert result["failed"]
    assert told in result["msg"]
