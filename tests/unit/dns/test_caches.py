# SPDX-License-Identifier: GPL-3.0-or-later
"""What resolvers keep: asked after the zone's own servers, and only where these are right."""

from __future__ import annotations

from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import lookup
from ansible_collections.mailops.odoo.plugins.module_utils._dns.finding import Finding, query
from support.modules import run_module
from support.scripted_dns import Handler, Zones, answering

RESOLVER, SERVER, CACHE, OTHER = (f"127.0.0.{byte}" for byte in (53, 11, 21, 22))
SOON = 0.6  # seconds
ACME = f"""
$TTL 3600
@ NS ns
ns A {SERVER}
@ MX 10 mx
@ TXT "v=spf1 mx -all"
www CNAME mx
"""
OLD = ACME.replace("$TTL 3600", "$TTL 240").replace("mx -all", "-all").replace("@ MX 10 mx\n", "")
SPF = ("acme.example", "TXT", ["v=spf1 mx -all"])


def world(text: str = ACME) -> Zones:
    return Zones({"acme.example.": text, "example.": "@ NS nowhere"})


def look(*asked: tuple[str, str, list[str] | None], timeout: float = 5, **caches: Handler) -> list[Finding]:
    handlers = {RESOLVER: world().resolver(), SERVER: world().server("acme.example.")}
    places = {"cache": CACHE, "other": OTHER}
    handlers |= {places[name]: handler for name, handler in caches.items()}
    with answering(handlers) as port:
        addresses = [places[name] for name in caches]
        return lookup.look_up([query(*one) for one in asked], [RESOLVER], timeout, port, addresses)


def test_caches_that_have_what_the_servers_have() -> None:
    found = look(
        SPF,
        ("acme.example", "MX", None),
        ("www.acme.example", "MX", []),
        ("mx.acme.example", "TXT", None),
        ("nowhere.acme.example", "TXT", []),
        cache=world().resolver(),
        other=world().server("acme.example."),
    )
    assert [finding.status for finding in found] == ["present", "present", "different", "missing", "absent"]
    for finding in (*found[:2], *found[3:]):
        assert [(cached.status, cached.detail) for cached in finding.caches] == [(finding.status, "")] * 2
        assert (finding.settled, finding.stale_for) == (True, 0)
    assert [finding.ttl for finding in found] == [3600, 3600, 3600, 60, 60]
    assert found[0].shown()["caches"][0] == {
        "address": CACHE,
        "answer": "found",
        "values": ["v=spf1 mx -all"],
        "ttl": 3600,
        "status": "present",
        "detail": "",
    }


def test_caches_that_keep_something_else() -> None:
    asked = [SPF, ("acme.example", "MX", ["10 mx.acme.example"]), ("acme.example", "MX", None)]
    found = look(*asked, cache=world(OLD).resolver(), other=world().resolver())
    assert [finding.status for finding in found] == ["present"] * 3
    assert [finding.stale_for for finding in found] == [240, 60, 60]
    assert [[cached.status for cached in finding.caches] for finding in found] == [["different", "present"]] * 3
    assert [finding.caches[0].detail for finding in found] == [
        "it keeps 'v=spf1 -all', for 240 s at most",
        "it keeps the name has no MX record (NODATA), for 60 s at most",
        "it keeps the name has no MX record (NODATA), for 60 s at most",
    ]
    assert not any(finding.settled for finding in found)


def test_a_record_that_a_cache_keeps_after_it_is_gone() -> None:
    kept = world(ACME + "gone MX 10 mx\n").resolver()
    (finding,) = look(("gone.acme.example", "MX", []), cache=kept)
    assert (finding.status, finding.settled, finding.stale_for) == ("absent", False, 3600)
    assert finding.caches[0].detail == "it keeps '10 mx.acme.example', for 3600 s at most"


def test_a_txt_for_another_purpose_does_not_make_a_difference() -> None:
    kept = world(ACME + '@ TXT "owner=1"\n').resolver()
    wanted, any_there = look(SPF, ("acme.example", "TXT", None), cache=kept)
    assert (wanted.settled, any_there.settled) == (True, False)


def test_no_cache_is_asked_where_the_servers_are_wrong() -> None:
    asked: list[str] = []

    def noting(question: dns.message.Message) -> dns.message.Message | bytes | None:
        asked.append(question.question[0].to_text())
        return resolver(question)

    resolver = world().resolver()
    found = look(
        ("new.acme.example", "TXT", ["v=spf1 -all"]),
        ("acme.example", "TXT", ["v=spf1 a -all"]),
        ("acme.example", "MX", []),
        SPF,
        cache=noting,
    )
    assert [len(finding.caches) for finding in found] == [0, 0, 0, 1]
    assert asked == ["acme.example. IN TXT"]


def saying(code: dns.rcode.Rcode, flags: int = dns.flags.RA) -> Handler:
    def handle(question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.flags |= flags
        answer.set_rcode(code)
        return answer

    return handle


def referring(question: dns.message.Message) -> dns.message.Message:
    answer = dns.message.make_response(question)
    answer.authority.append(dns.rrset.from_text("example.", 60, "IN", "NS", "ns.example."))
    return answer


def silent(question: dns.message.Message) -> None:
    pass


@pytest.mark.parametrize(
    ("cache", "status", "detail"),
    [
        (silent, "unreachable", f"no answer within {SOON:g} s"),
        (saying(dns.rcode.SERVFAIL), "servfail", "SERVFAIL: it could not resolve the name"),
        (saying(dns.rcode.REFUSED), "servfail", "it does not resolve for this machine (REFUSED)"),
        (saying(dns.rcode.NXDOMAIN, 0), "servfail", "it does not resolve for this machine (NXDOMAIN)"),
        (referring, "servfail", "it does not resolve for this machine (NOERROR)"),
    ],
    ids=["silent", "servfail", "refused", "no resolver", "refers"],
)
def test_a_resolver_that_says_nothing(cache: Callable[..., None], status: str, detail: str) -> None:
    (finding,) = look(SPF, cache=cache, timeout=SOON)
    (cached,) = finding.caches
    assert (cached.status, cached.detail) == (status, detail)
    assert (finding.status, finding.settled, finding.stale_for) == ("present", False, 0)


def test_an_answer_that_does_not_say_for_how_long() -> None:
    (finding,) = look(("acme.example", "MX", None), cache=saying(dns.rcode.NXDOMAIN))
    assert finding.caches[0].detail == "it keeps there is no such name (NXDOMAIN)"
    assert (finding.settled, finding.stale_for) == (False, 0)


def test_resolvers_are_not_asked_for_names_with_an_underscore() -> None:
    """They would remember that there is none, just before it is published."""
    asked: list[str] = []

    def noting(question: dns.message.Message) -> dns.message.Message | bytes | None:
        asked.append(question.question[0].name.to_text())
        return resolver(question)

    resolver = world().resolver()
    handlers: dict[str, Handler] = {RESOLVER: noting, SERVER: world().server("acme.example.")}
    with answering(handlers) as port:
        names = ["_dmarc.acme.example", "k1._domainkey.acme.example", "acme.example._report._dmarc.acme.example"]
        found = lookup.look_up([query(name, "TXT") for name in names], [RESOLVER], 5, port)
    assert [(finding.status, finding.zone) for finding in found] == [("missing", "acme.example")] * 3
    assert set(asked) == {"acme.example.", "ns.acme.example."}


def test_a_cache_that_is_no_address() -> None:
    with pytest.raises(ValidationError, match="resolver 'dns.example' is no address"):
        lookup.look_up([], [RESOLVER], caches=["dns.example"])
    result = run_module("mail_dns_info", {"records": [], "resolver": [RESOLVER], "caches": ["dns.example"]})
    assert result["error"] == "validation"
