# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until DNS has what is wanted: at the zone's servers first, then in the caches, and no longer than allowed."""

from __future__ import annotations

from collections.abc import Sequence

import dns.message
import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import lookup, wait
from ansible_collections.mailops.odoo.plugins.module_utils._dns.finding import Finding, Query, query
from support.scripted_dns import Handler, Zones, answering

RESOLVER, SERVER, CACHE = "127.0.0.53", "127.0.0.11", "127.0.0.21"
BEFORE = f"@ NS ns\nns A {SERVER}\n@ MX 10 mx\nmx A 192.0.2.1\n"
AFTER = BEFORE + '_dmarc TXT "v=DMARC1; p=none"\n'
DMARC = query("_dmarc.acme.example", "TXT", ["v=DMARC1; p=none"])
MX = query("acme.example", "MX", ["10 mx.acme.example"])


def world(text: str) -> Zones:
    return Zones({"acme.example.": text, "example.": "@ NS nowhere"})


def later(first: Handler, then: Handler, asked: list[str], name: str = "_dmarc.acme.example.") -> Handler:
    """Return a server that is behind the first two times it is asked for a name, and notes for what it is asked."""

    def handle(question: dns.message.Message) -> dns.message.Message | bytes | None:
        asked.append(question.question[0].name.to_text())
        return (then if asked.count(name) > 2 else first)(question)

    return handle


def waited(handlers: dict[str, Handler], queries: Sequence[Query], seconds: float, *caches: str) -> list[Finding]:
    resolver = world(AFTER).resolver()
    with answering({RESOLVER: resolver, **handlers}) as port:
        found, took = wait.wait(
            lambda asked: lookup.look_up(asked, [RESOLVER], 2, port, caches),
            queries,
            seconds,
        )
    assert took < seconds + 5
    return found


def test_until_the_servers_have_it() -> None:
    asked: list[str] = []
    server = later(world(BEFORE).server("acme.example."), world(AFTER).server("acme.example."), asked)
    found = waited({SERVER: server}, [MX, DMARC], 60)
    assert [(finding.query, finding.status) for finding in found] == [(MX, "present"), (DMARC, "present")]
    assert wait.unsettled(found, 1) is None
    # What is settled is not asked for again.
    assert asked.count("acme.example.") == 1
    assert asked.count("_dmarc.acme.example.") == 3


def test_until_the_caches_have_it() -> None:
    asked: list[str] = []
    cache = later(world(BEFORE).resolver(), world(AFTER).resolver(), asked)
    (finding,) = waited({SERVER: world(AFTER).server("acme.example."), CACHE: cache}, [DMARC], 60, CACHE)
    assert (finding.settled, [cached.status for cached in finding.caches]) == (True, ["present"])
    assert asked.count("_dmarc.acme.example.") == 3


def test_an_alias_that_all_servers_have_is_what_there_is() -> None:
    """Where no values are wanted there is nothing to wait for."""
    one = query("www.acme.example", "TXT")
    aliased = world(BEFORE + "www CNAME host.example.")
    (finding,) = waited({SERVER: aliased.server("acme.example."), CACHE: aliased.resolver()}, [one], 0, CACHE)
    assert (finding.status, finding.settled) == ("different", True)
    assert [(cached.status, cached.stale) for cached in finding.caches] == [("different", False)]
    two = world(BEFORE + "@ NS ns2\nns2 A 127.0.0.12\nwww CNAME host.example.")
    behind = world(BEFORE + "@ NS ns2\nns2 A 127.0.0.12\nwww CNAME old.example.")
    handlers = {SERVER: two.server("acme.example."), "127.0.0.12": behind.server("acme.example.")}
    with answering({RESOLVER: two.resolver(), **handlers}) as port:
        (finding,) = lookup.look_up([one], [RESOLVER], 2, port)
    assert not finding.settled


def test_until_the_time_is_over() -> None:
    server = world(BEFORE + '@ TXT "v=spf1 -all"\n_dmarc.acme.example TXT "v=DMARC1; p=none"').server("acme.example.")
    none = query("acme.example", "TXT", [])
    found = waited({SERVER: server}, [MX, DMARC, none], 0.3)
    error = wait.unsettled(found, 0.3)
    assert error is not None
    assert error.kind == "not_published"
    assert error.text() == (
        "after 0 s DNS is not as wanted: _dmarc.acme.example TXT: missing, there is no such name (NXDOMAIN), "
        "it is published at _dmarc.acme.example.acme.example: the name was entered in full, and acme.example appended; "
        "acme.example TXT: extra, there is to be none; there is 'v=spf1 -all'. Running again goes on waiting."
    )


@pytest.mark.parametrize(
    ("cache", "told"),
    [
        (world(BEFORE).resolver(), "it keeps there is no such name (NXDOMAIN), for 60 s at most"),
        (lambda question: None, "no answer within 2 s"),
    ],
    ids=["stale", "silent"],
)
def test_a_cache_that_is_not_there_in_time(cache: Handler, told: str) -> None:
    found = waited({SERVER: world(AFTER).server("acme.example."), CACHE: cache}, [MX, DMARC], 0, CACHE)
    error = wait.unsettled([found[1]], 7.6)
    assert error is not None
    assert error.message == f"after 8 s DNS is not as wanted: _dmarc.acme.example TXT: resolver {CACHE}: {told}"


def test_without_time_there_is_one_look() -> None:
    looks: list[Sequence[Query]] = []

    def look(queries: Sequence[Query]) -> list[Finding]:
        looks.append(queries)
        return [Finding(one, "missing", "") for one in queries]

    found, _took = wait.wait(look, [DMARC, MX, DMARC], 0)
    assert len(looks) == 1
    assert [finding.query for finding in found] == [DMARC, MX, DMARC]
