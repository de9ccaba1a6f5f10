# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers of every kind make of a status: missing is what a server said, never a server that said nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import lookup, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.finding import Finding, Reply, Server, judged, query
from hypothesis import given
from hypothesis import strategies as st
from support.modules import run_module
from support.scripted_dns import Handler, Zones, answering

RESOLVER, FIRST, SECOND, CHILD, OTHER_RESOLVER = (f"127.0.0.{byte}" for byte in (53, 11, 12, 13, 54))
SOON = 0.6  # seconds
LONG = "v=DKIM1; k=rsa; p=" + "A" * 3000
ACME = f"""
@ NS ns1
@ NS ns2
ns1 A {FIRST}
ns2 A {SECOND}
@ MX 10 MX.acme.example.
@ TXT "v=spf1 " "mx -all"
@ TXT "owner=1"
www CNAME server.other.example.
long TXT {" ".join(f'"{LONG[at : at + 250]}"' for at in range(0, len(LONG), 250))}
b.a TXT "deep"
xn--bcher-kva A 192.0.2.1
"""
TEXTS = {
    "example.": f"@ NS ns\nns A {FIRST}\nacme NS ns1.acme\nns1.acme A {FIRST}\nother NS ns.other\nns.other A {SECOND}",
    "acme.example.": ACME,
    "other.example.": f"@ NS ns\nns A {SECOND}\nserver A 192.0.2.9",
}
ZONES = Zones(TEXTS)
DECENT = ZONES.server("acme.example.")
SPF = "v=spf1 mx -all"


def world(**changed: Handler) -> dict[str, Handler]:
    """Return all servers' handlers, decent but for those named."""
    handlers = {
        "resolver": ZONES.resolver(),
        "first": DECENT,
        "second": ZONES.server("acme.example.", "other.example."),
    }
    handlers.update(changed)
    places = {"resolver": RESOLVER, "first": FIRST, "second": SECOND, "child": CHILD, "other_resolver": OTHER_RESOLVER}
    return {places[name]: handler for name, handler in handlers.items()}


def ask(
    handlers: dict[str, Handler],
    *asked: tuple[str, str, Iterable[str] | None],
    tcp: bool = True,
    resolvers: tuple[str, ...] = (RESOLVER,),
    timeout: float = 5,
) -> list[Finding]:
    with answering(handlers, tcp) as port:
        return lookup.look_up([query(*one) for one in asked], resolvers, timeout, port)


def one(handlers: dict[str, Handler], name: str, record_type: str, wanted: Any = None, **how: Any) -> Finding:
    (finding,) = ask(handlers, (name, record_type, wanted), **how)
    return finding


# --- Servers that agree


def test_what_is_there() -> None:
    found = ask(
        world(),
        ("acme.example", "TXT", [SPF]),
        ("Acme.Example.", "MX", ["10 mx.ACME.example."]),
        ("acme.example", "MX", None),
        ("b\xfccher.acme.example", "A", ["192.0.2.1"]),
        ("acme.example", "NS", ["ns1.acme.example", "ns2.acme.example"]),
        ("server.other.example", "A", None),
    )
    assert [(finding.status, finding.detail, finding.problems) for finding in found] == [("present", "", [])] * 6
    assert found[0].found == ("owner=1", SPF)
    assert [(reply.server.name, reply.server.address, reply.kind) for reply in found[0].replies] == [
        ("ns1.acme.example", FIRST, "found"),
        ("ns2.acme.example", SECOND, "found"),
    ]
    assert [finding.zone for finding in found] == ["acme.example"] * 5 + ["other.example"]
    assert found[2].shown()["wanted"] is None
    assert found[2].shown()["found"] == ["10 mx.acme.example"]
    assert found[3].shown()["name"] == "xn--bcher-kva.acme.example"


def test_what_is_not_there() -> None:
    found = ask(
        world(),
        ("nowhere.acme.example", "TXT", [SPF]),
        ("ns1.acme.example", "TXT", [SPF]),
        ("a.acme.example", "TXT", None),
        ("acme.example", "TXT", ["v=DMARC1; p=none"]),
        ("acme.example", "MX", ["20 mx.acme.example"]),
        ("www.acme.example", "TXT", [SPF]),
        ("www.acme.example", "TXT", None),
        ("nowhere.example", "A", None),
    )
    assert [(finding.status, finding.detail) for finding in found] == [
        ("missing", "there is no such name (NXDOMAIN)"),
        ("missing", "the name has no TXT record (NODATA)"),
        ("missing", "the name has no TXT record (NODATA)"),
        ("missing", "not there: 'v=DMARC1; p=none', but other TXT records"),
        ("different", "not there: '20 mx.acme.example'; there instead: '10 mx.acme.example'"),
        ("different", "a CNAME is there, to server.other.example"),
        ("different", "a CNAME is there, to server.other.example"),
        # The servers of the zone above do not serve it here.
        ("servfail", found[7].detail),
    ]
    assert [reply.kind for finding in found[:3] for reply in finding.replies] == ["nxdomain"] * 2 + ["nodata"] * 4
    assert found[5].zone == "acme.example"


def test_what_means_the_same() -> None:
    key = "A" * 43 + "="
    same = f"v=DKIM1; k=ed25519; p={key}"
    text = f'k1._domainkey TXT "v=DKIM1;p={key};k=ed25519"\n_dmarc TXT "v=DMARC1;p=none"\n'
    zones = Zones({"acme.example.": ACME + text})
    handlers = world(first=zones.server("acme.example."), second=zones.server("acme.example."))
    found = ask(
        handlers,
        ("k1._domainkey.acme.example", "TXT", [same]),
        ("_dmarc.acme.example", "TXT", ["v=DMARC1; p=none; pct=100"]),
        ("_dmarc.acme.example", "TXT", ["v=DMARC1; p=reject"]),
    )
    assert [finding.status for finding in found] == ["present", "present", "different"]
    assert found[1].found == ("v=DMARC1;p=none",)


def test_a_cname_is_what_is_wanted() -> None:
    assert one(world(), "www.acme.example", "CNAME", ["Server.other.example."]).status == "present"


# --- Servers that do not


def silent(question: dns.message.Message) -> None:
    pass


def garbage(question: dns.message.Message) -> bytes:
    return b"\xff" * 40


def misleading(question: dns.message.Message) -> bytes:
    """Answer another question than the one that was put, as one does who guesses."""
    answer = DECENT(question)
    assert isinstance(answer, dns.message.Message)
    answer.id ^= 1
    return answer.to_wire()


def saying(code: int) -> Handler:
    def handle(question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.set_rcode(code)
        return answer

    return handle


def without_authority(question: dns.message.Message) -> dns.message.Message:
    """Answer as a resolver does that has it in its cache."""
    answer = DECENT(question)
    assert isinstance(answer, dns.message.Message)
    answer.flags &= ~dns.flags.AA
    return answer


def referring_up(question: dns.message.Message) -> dns.message.Message:
    answer = dns.message.make_response(question)
    answer.authority.append(dns.rrset.from_text("example.", 60, "IN", "NS", "ns.example."))
    return answer


SILENT = f"no answer within {SOON:g} s"
USELESS = [
    (silent, "unreachable", SILENT),
    (garbage, "unreachable", SILENT),
    (misleading, "unreachable", SILENT),
    (saying(dns.rcode.SERVFAIL), "servfail", "SERVFAIL: the server cannot answer"),
    (saying(dns.rcode.REFUSED), "lame", "lame: it does not answer for acme.example (REFUSED)"),
    (saying(dns.rcode.NOTAUTH), "lame", "lame: it does not answer for acme.example (NOTAUTH)"),
    (saying(dns.rcode.NOERROR), "lame", "lame: it has no authority for acme.example"),
    (saying(dns.rcode.NXDOMAIN), "lame", "lame: it has no authority for acme.example"),
    (without_authority, "lame", "lame: it has no authority for acme.example"),
    (referring_up, "lame", "lame: it has no authority for acme.example"),
]


USELESS_KINDS = [
    "silent", "garbage", "misleading", "servfail", "refused", "notauth", "nothing", "no name", "cached", "refers up",
]  # fmt: skip


@pytest.mark.parametrize(("server", "kind", "detail"), USELESS, ids=USELESS_KINDS)
def test_a_server_that_is_of_no_use_is_named(server: Handler, kind: str, detail: str) -> None:
    finding = one(world(second=server), "acme.example", "TXT", [SPF], timeout=SOON)
    assert (finding.status, finding.detail) == ("present", "")
    assert finding.problems == [f"ns2.acme.example ({SECOND}): {detail}"]
    assert finding.shown()["servers"][1] == {
        "name": "ns2.acme.example", "address": SECOND, "answer": kind, "values": [], "ttl": None, "detail": detail,
    }  # fmt: skip


@pytest.mark.parametrize(("server", "kind", "detail"), USELESS, ids=USELESS_KINDS)
def test_servers_of_no_use_are_not_taken_for_missing(server: Handler, kind: str, detail: str) -> None:
    started = time.monotonic()
    finding = one(world(first=server, second=server), "nowhere.acme.example", "TXT", [SPF], timeout=SOON)
    assert time.monotonic() - started < 5 * SOON + 1
    assert finding.status == ("unreachable" if kind == "unreachable" else "servfail")
    assert finding.detail.startswith(f"no server of acme.example told: ns1.acme.example ({FIRST}): {detail}; ns2.")
    assert finding.found == ()


def test_a_silent_server_is_asked_once() -> None:
    """What would be a wait for each record is one."""
    names = [(f"{number}.acme.example", "TXT", None) for number in range(100)]
    started = time.monotonic()
    found = ask(world(second=silent), *names, timeout=SOON)
    assert time.monotonic() - started < 8 * SOON
    assert {finding.status for finding in found} == {"missing"}


def test_servers_that_disagree_are_named() -> None:
    later = Zones({"acme.example.": ACME.replace("mx -all", "mx ~all").replace("owner=1", "owner=2")})
    handlers = world(second=later.server("acme.example."))
    finding = one(handlers, "acme.example", "TXT", [SPF])
    assert (finding.status, finding.detail) == ("different", "the servers disagree")
    assert finding.problems == [
        f"the servers disagree: ns1.acme.example ({FIRST}): 'owner=1', 'v=spf1 mx -all'; "
        f"ns2.acme.example ({SECOND}): 'owner=2', 'v=spf1 mx ~all'"
    ]
    assert finding.found == ("owner=1", "owner=2", "v=spf1 mx -all", "v=spf1 mx ~all")
    assert one(handlers, "acme.example", "TXT").status == "different"
    agreed = one(handlers, "acme.example", "TXT", ["v=spf1 a"])
    assert (agreed.status, len(agreed.problems)) == ("different", 1)
    assert one(handlers, "acme.example", "MX").problems == []


def test_a_record_that_one_server_has() -> None:
    later = Zones({"acme.example.": f"{ACME}new TXT x\nns1 TXT x\n"})
    handlers = world(second=later.server("acme.example."))
    new = one(handlers, "new.acme.example", "TXT", ["x"])
    assert new.status == "different"
    assert f"ns1.acme.example ({FIRST}): there is no such name (NXDOMAIN); ns2.acme" in new.problems[0]
    gone = one(handlers, "new.acme.example", "MX")
    assert (gone.status, len(gone.problems)) == ("missing", 1)


# --- Long answers and old servers


def test_a_long_answer_comes_by_tcp() -> None:
    assert one(world(), "long.acme.example", "TXT", [LONG]).status == "present"


def test_a_long_answer_without_tcp() -> None:
    finding = one(world(), "long.acme.example", "TXT", [LONG], tcp=False)
    assert finding.status == "unreachable"
    assert "Connection refused" in finding.detail


def test_a_server_without_edns() -> None:
    def old(question: dns.message.Message) -> Any:
        return saying(dns.rcode.FORMERR)(question) if question.edns >= 0 else DECENT(question)

    finding = one(world(first=old, second=old), "acme.example", "MX", ["10 mx.acme.example"])
    assert (finding.status, finding.problems) == ("present", [])


def test_a_packet_that_got_lost() -> None:
    asked: list[None] = []

    def forgetful(question: dns.message.Message) -> Any:
        asked.append(None)
        return None if len(asked) == 1 else DECENT(question)

    finding = one(world(first=forgetful), "acme.example", "MX", timeout=1)
    assert (finding.status, finding.problems, len(asked)) == ("present", [], 2)


# --- Resolvers


def test_the_next_resolver_is_asked() -> None:
    for first in (silent, saying(dns.rcode.REFUSED)):
        handlers = world(resolver=first, other_resolver=ZONES.resolver())
        finding = one(handlers, "acme.example", "MX", timeout=1, resolvers=(RESOLVER, OTHER_RESOLVER))
        assert finding.status == "present"


@pytest.mark.parametrize(
    ("resolver", "status", "detail"),
    [
        (silent, "unreachable", f"its zone could not be found: resolver {RESOLVER}: {SILENT}"),
        (saying(dns.rcode.SERVFAIL), "servfail", f"its zone could not be found: resolver {RESOLVER} answers SERVFAIL "),
        (saying(dns.rcode.NXDOMAIN), "servfail", "its zone could not be found: the resolver knows no zone"),
    ],
)
def test_a_resolver_of_no_use(resolver: Handler, status: str, detail: str) -> None:
    started = time.monotonic()
    finding = one(world(resolver=resolver), "a.b.c.d.acme.example", "MX", timeout=SOON)
    assert time.monotonic() - started < 5 * SOON + 1
    assert finding.status == status
    assert finding.detail.startswith(detail)
    assert (finding.zone, finding.replies) == ("", [])


def test_a_zone_whose_servers_have_no_address() -> None:
    homeless = Zones({"acme.example.": "@ NS ns1.nowhere.example.\n@ NS ns2\nns2 A " + SECOND, "example.": "@ NS ns"})
    handlers = world(resolver=homeless.resolver(), second=homeless.server("acme.example."))
    finding = one(handlers, "acme.example", "MX")
    assert (finding.status, finding.problems) == ("missing", ["ns1.nowhere.example (no address): it has no address"])


def test_a_zone_without_servers() -> None:
    finding = one(world(resolver=Zones({"acme.example.": "@ TXT x"}).resolver()), "acme.example", "MX")
    told = "the servers of acme.example could not be found: the resolver knows no NS records"
    assert (finding.status, finding.detail) == ("servfail", told)


# --- Delegations

PARENT = ZONES.server("example.")


def test_a_zone_that_resolvers_refuse_is_asked_through_the_one_above() -> None:
    """So it is where a signature (DNSSEC) is wrong: resolvers have SERVFAIL, the servers all there is."""
    both = ZONES.server("example.", "acme.example.")

    def first(question: dns.message.Message) -> Any:
        # At one address are the servers of both zones; the one above refers.
        asked.append(None)
        return PARENT(question) if len(asked) == 1 else both(question)

    asked: list[None] = []
    handlers = world(resolver=ZONES.resolver(broken=("acme.example.",)), first=first)
    finding = one(handlers, "acme.example", "TXT", [SPF])
    assert (finding.status, finding.zone) == ("present", "acme.example")
    assert [reply.server for reply in finding.replies] == [Server("ns1.acme.example", FIRST)]


def test_a_lame_delegation() -> None:
    texts = {"example.": f"@ NS ns\nns A {FIRST}\nacme NS ns.lame\nns.lame A {CHILD}"}
    zones = Zones(texts)
    handlers = world(
        resolver=zones.resolver(broken=("acme.example.",)),
        first=zones.server("example."),
        child=zones.server("elsewhere.example."),
    )
    finding = one(handlers, "mail.acme.example", "A", ["192.0.2.1"])
    assert (finding.status, finding.zone) == ("servfail", "acme.example")
    assert finding.problems == [
        f"ns.lame.example ({CHILD}): lame: it does not answer for acme.example (REFUSED)",
    ]


def test_a_delegation_without_addresses() -> None:
    texts = {"example.": f"@ NS ns\nns A {FIRST}\nacme NS ns.other", "other.example.": f"ns A {SECOND}"}
    zones = Zones(texts)
    handlers = world(resolver=zones.resolver(broken=("acme.example.",)), first=zones.server("example."))
    finding = one(handlers, "acme.example", "MX", ["10 mx.acme.example"])
    assert (finding.status, finding.replies[0].server) == ("present", Server("ns.other.example", SECOND))


def test_servers_that_refer_on_and_on() -> None:
    def on_and_on(question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        depth = min(len(question.question[0].name.labels), 4 + len(asked))
        asked.append(None)
        below = question.question[0].name.split(depth)[1]
        answer.authority.append(dns.rrset.from_text(below, 60, "IN", "NS", "ns1.acme.example."))
        return answer

    asked: list[None] = []
    finding = one(world(first=on_and_on, second=silent), "a.b.c.d.e.acme.example", "A", timeout=SOON)
    assert finding.status == "servfail"
    assert len(asked) < 10


def test_a_server_by_ipv6_that_this_machine_cannot_reach() -> None:
    asked = query("acme.example", "MX")
    six, four, alone = Server("ns1.a", "2001:db8::1"), Server("ns1.a", FIRST), Server("ns2.a", "2001:db8::2")
    replies = [Reply(six, "unrouted", detail="no way"), Reply(four, "found", ("10 a",))]
    finding = judged(asked, values.name("acme.example"), replies)
    assert (finding.status, finding.problems, len(finding.replies)) == ("present", [], 1)
    finding = judged(asked, values.name("acme.example"), [*replies, Reply(alone, "unrouted", detail="no way")])
    assert finding.problems == ["ns2.a (2001:db8::2): no way"]
    assert judged(asked, values.name("acme.example"), replies[:1]).status == "unreachable"


KINDS = st.sampled_from(["found", "nodata", "nxdomain", "cname", "servfail", "lame", "unreachable", "unrouted"])
HAD = st.sampled_from([("10 a",), ("20 b",), ("10 a", "20 b")])


@given(st.lists(st.tuples(KINDS, HAD), max_size=5), st.booleans())
def test_a_status_is_what_servers_said(said: list[tuple[str, tuple[str, ...]]], wanting: bool) -> None:
    asked = query("acme.example", "MX", ["10 a"] if wanting else None)
    replies = [
        Reply(Server(f"ns{number}", FIRST), kind, had if kind in ("found", "cname") else (), "why")
        for number, (kind, had) in enumerate(said)
    ]
    finding = judged(asked, values.name("acme.example"), replies)
    kinds = {kind for kind, _had in said}
    if finding.status == "missing":
        assert kinds & {"nodata", "nxdomain"}
        assert "found" not in kinds
    if finding.status == "present":
        assert "found" in kinds
        assert not kinds & {"nodata", "nxdomain", "cname"}
    if finding.status in ("servfail", "unreachable"):
        assert not kinds & {"found", "nodata", "nxdomain", "cname"}
    useless = [reply for reply in replies if not reply.usable]
    assert len(finding.problems) >= len(useless)


# --- Bad input

MX = {"name": "acme.example", "type": "MX"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"records": [{**MX, "name": "a b"}]}, "record a b MX: 'a b' is no name"),
        ({"records": [{**MX, "values": ["mx"]}]}, "record acme.example MX: 'mx' is no value of a MX record"),
        ({"records": [{**MX, "type": "ANY"}]}, "value of type must be one of"),
        ({"records": [{**MX, "value": "10 mx"}]}, "Unsupported parameters"),
        ({"records": [MX], "resolver": ["ns1.acme.example"]}, "resolver 'ns1.acme.example' is no address"),
        ({"records": [MX], "resolver": [RESOLVER], "timeout": 0}, "timeout is 0 s"),
    ],
)
def test_the_module_refuses(options: dict[str, Any], told: str) -> None:
    result = run_module("mail_dns_info", options)
    assert result["failed"]
    assert told in result["msg"]


def test_no_records_need_no_server() -> None:
    assert run_module("mail_dns_info", {"records": [], "resolver": [RESOLVER]})["records"] == []
    with pytest.raises(ValidationError):
        lookup.look_up([], ["nowhere"])
