# SPDX-License-Identifier: GPL-3.0-or-later
"""Wildcards and zones that were appended, named where they are behind what is not as wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import lookup
from ansible_collections.mailops.odoo.plugins.module_utils._dns.finding import Finding, query
from support.scripted_dns import Zones, answering

RESOLVER, SERVER = "127.0.0.53", "127.0.0.11"
ACME = f"""
@ NS ns
ns A {SERVER}
@ MX 10 mx.acme.example
*.apps CNAME apps.hosting.example.
there.inner.apps A 192.0.2.1
k1._domainkey.acme.example TXT "v=DKIM1; p=AAAA"
www CNAME www.hosting.example
own.apps TXT "v=spf1 -all"
"""
STARRED = ACME + '* TXT "v=spf1 -all"\n'
APPENDED = "it is published at k1._domainkey.acme.example.acme.example: the name was entered in full, and acme.example"
LIKELY = "it answers so for every name that has no record of its own"


def found(text: str, *asked: tuple[str, str, list[str] | None]) -> list[Finding]:
    zones = Zones({"acme.example.": text, "example.": "@ NS nowhere"})
    with answering({RESOLVER: zones.resolver(), SERVER: zones.server("acme.example.")}) as port:
        return lookup.look_up([query(*one) for one in asked], [RESOLVER], 5, port)


def hints(text: str, *asked: tuple[str, str, list[str] | None]) -> list[list[str]]:
    return [finding.hints for finding in found(text, *asked)]


def test_a_name_to_which_the_zone_was_appended() -> None:
    wanted = ["v=DKIM1; p=AAAA"]
    asked = [
        ("k1._domainkey.acme.example", "TXT", wanted),
        # What is there is another key, and is not meant.
        ("k1._domainkey.acme.example", "TXT", ["v=DKIM1; p=BBBB"]),
        ("k1._domainkey.acme.example.acme.example", "TXT", wanted),
        ("k2._domainkey.acme.example", "TXT", wanted),
        ("k1._domainkey.acme.example", "TXT", None),
        ("k1._domainkey.acme.example", "TXT", []),
    ]
    told, *others = hints(ACME, *asked)
    assert told == [f"{APPENDED} appended"]
    assert others[1] == ["the name has acme.example twice; is k1._domainkey.acme.example meant?"]
    assert others[0] == others[2] == others[3] == others[4] == []


@pytest.mark.parametrize(
    ("name", "record_type", "wanted"),
    [("acme.example", "MX", "10 mx"), ("www.acme.example", "CNAME", "www.hosting.example")],
)
def test_a_target_to_which_the_zone_was_appended(name: str, record_type: str, wanted: str) -> None:
    wished = {"MX": "10 mx.acme.example", "CNAME": "www.hosting.example"}[record_type]
    target = wished.split()[-1]
    ((told,),) = hints(ACME, (name, record_type, [wished]))
    assert told.endswith(f"{target}.acme.example has acme.example appended: it was entered without its last dot")
    assert hints(ACME.replace(target, f"{target}."), (name, record_type, [wished])) == [[]]


def test_a_wildcard_that_answers() -> None:
    wanted = ["v=spf1 mx -all"]
    told = hints(
        STARRED,
        ("mail.acme.example", "TXT", wanted),
        ("deep.mail.acme.example", "TXT", wanted),
        ("mail.apps.acme.example", "MX", []),
        ("mail.apps.acme.example", "TXT", None),
        # Without one: a name with other records, one that has what is wanted, the zone's own, one that is missing.
        ("there.inner.apps.acme.example", "TXT", wanted),
        ("mail.acme.example", "TXT", ["v=spf1 -all"]),
        ("acme.example", "MX", None),
        ("mail.acme.example", "MX", ["10 mx.acme.example"]),
    )
    assert told[:2] == [[f"likely it is of the wildcard *.acme.example: {LIKELY}"]] * 2
    assert told[2:4] == [[f"likely it is of the wildcard *.apps.acme.example: {LIKELY}"]] * 2
    assert told[4:] == [[]] * 4


def test_a_record_of_its_own_below_a_wildcard() -> None:
    """That of the name is another, and a wildcard of a name that is not above it does not count."""
    assert hints(STARRED, ("own.apps.acme.example", "TXT", ["v=spf1 mx -all"])) == [[]]


def test_the_wildcard_itself() -> None:
    (one,) = found(STARRED, ("*.acme.example", "TXT", ["v=spf1 mx -all"]))
    assert (one.status, one.hints) == ("different", [])


def test_what_a_server_does_not_say_gives_no_hint() -> None:
    def first_only(question: Any) -> Any:
        return server(question) if "acme.example.acme" not in str(question.question[0].name) else None

    zones = Zones({"acme.example.": ACME, "example.": "@ NS nowhere"})
    server = zones.server("acme.example.")
    with answering({RESOLVER: zones.resolver(), SERVER: first_only}) as port:
        asked = query("k1._domainkey.acme.example", "TXT", ["v=DKIM1; p=AAAA"])
        (one,) = lookup.look_up([asked], [RESOLVER], 0.5, port)
    assert (one.status, one.hints, one.problems) == ("missing", [], [])


def test_a_name_too_long_to_be_appended_to() -> None:
    name = ".".join(["a" * 60] * 4 + ["acme.example"])[-253:].lstrip(".")
    (one,) = found(ACME, (name, "TXT", ["x"]))
    assert (one.status, one.hints) == ("missing", [])
