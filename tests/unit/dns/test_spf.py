# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF records: merged without harm, compared by meaning, and counted as a receiver counts."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import evaluate, spf
from hypothesis import given
from hypothesis import strategies as st

DOMAIN = "acme.example"
# Few networks, so that terms meet.
NETWORKS = ["192.0.2.0/30", "192.0.2.0/29", "192.0.2.1", "192.0.2.4", "198.51.100.0/24"]
SENDERS = ["192.0.2.1", "192.0.2.2", "192.0.2.4", "192.0.2.9", "198.51.100.7"]
terms = st.builds(
    lambda qualifier, network: f"{qualifier}ip4:{network}", st.sampled_from("+-~? "), st.sampled_from(NETWORKS)
)
records = st.builds(
    lambda words, end: " ".join(["v=spf1", *(word.strip() for word in words), *end]),
    st.lists(terms, max_size=5),
    st.sampled_from([[], ["-all"], ["~all"], ["?all"], ["-all", "ip4:192.0.2.9"]]),
)


def result(text: str, sender: str) -> str:
    """Return what a receiver makes of a record for a sender."""
    return evaluate.spf(sender, f"a@{DOMAIN}", "", lambda name, kind: (text,) if kind == "TXT" else ()).result


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted", "all_", "merged"),
    [
        # No record yet.
        ("", ["include:mailgun.org"], [], None, "v=spf1 include:mailgun.org ~all"),
        ("", ["mx", "include:mailgun.org"], [], "-all", "v=spf1 mx include:mailgun.org -all"),
        ("", [], [], "-all", "v=spf1 -all"),
        # Before all, and after what is there.
        ("v=spf1 a -all", ["include:zoho.com"], [], None, "v=spf1 a include:zoho.com -all"),
        ("v=spf1 ?mx exp=why.acme.example -all", ["a"], [], None, "v=spf1 ?mx exp=why.acme.example a -all"),
        ("v=spf1 a exp=why.acme.example", ["mx"], [], None, "v=spf1 a mx exp=why.acme.example"),
        ("v=spf1 redirect=_spf.acme.example", ["mx"], [], None, "v=spf1 mx redirect=_spf.acme.example"),
        # What is there in other words stays, byte for byte.
        ("V=SPF1  A:Mail.Acme.Example.  ~ALL", ["a:mail.acme.example"], [], "~all", None),
        ("v=spf1 ?include:Mailgun.ORG -all", ["include:mailgun.org"], [], None, None),
        ("v=spf1 ip4:192.0.2.7/24 ip6:2001:DB8::0/32 -all", ["ip4:192.0.2.0/24", "ip6:2001:db8::/32"], [], None, None),
        ("v=spf1 a/32//128 mx//128 ip4:192.0.2.1/32 -all", ["a", "+mx", "ip4:192.0.2.1"], [], "-all", None),
        ("v=spf1 a", [], ["mx", "include:_spf.odoo.com"], None, None),
        # Not the same.
        ("v=spf1 a/24 -all", ["a"], [], None, "v=spf1 a/24 a -all"),
        ("v=spf1 a/0 -all", ["a"], [], None, "v=spf1 a/0 a -all"),
        (
            "v=spf1 exists:%{L}.acme.example -all",
            ["exists:%{l}.acme.example"],
            [],
            None,
            "v=spf1 exists:%{L}.acme.example exists:%{l}.acme.example -all",
        ),
        # A qualifier that is named is meant.
        (
            "v=spf1 ?include:mailgun.org mx -all",
            ["+include:mailgun.org"],
            [],
            None,
            "v=spf1 +include:mailgun.org mx -all",
        ),
        ("v=spf1 a -mx ~all", [], ["-mx"], None, "v=spf1 a ~all"),
        ("v=spf1 a mx ~all", [], ["-mx"], None, None),
        # What follows all is never tested.
        ("v=spf1 a -all mx", ["mx"], [], None, "v=spf1 a mx -all"),
        ("v=spf1 a", [], [], "-all", "v=spf1 a -all"),
        ("v=spf1 mx ?all", [], [], "-all", "v=spf1 mx -all"),
        ("v=spf1 mx redirect=_spf.acme.example", [], ["redirect=_spf.acme.example"], "-all", "v=spf1 mx -all"),
        # Removed, wherever it stands.
        (
            "v=spf1 include:_spf.odoo.com mx -all",
            ["include:mailgun.org"],
            ["include:_spf.odoo.com"],
            None,
            "v=spf1 mx include:mailgun.org -all",
        ),
        ("v=spf1 a a ~all a", [], ["a"], None, "v=spf1 ~all"),
    ],
)
def test_merging(text: str, wanted: list[str], unwanted: list[str], all_: str | None, merged: str | None) -> None:
    once = spf.merge(text, wanted, unwanted, all_)
    assert once == (text if merged is None else merged)
    assert spf.merge(once, wanted, unwanted, all_) == once


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted", "all_", "told"),
    [
        ("v=spf1 -mx ~all", ["mx"], [], None, "it has -mx, which forbids what is to be allowed"),
        (
            "v=spf1 redirect=x.example",
            [],
            [],
            "-all",
            r"goes on with redirect=x.example, which -all would switch off \(RFC",
        ),
        ("", ["mx"], ["mx"], None, "'mx' is to be there and to be removed"),
        ("", ["-all"], [], None, "all is named apart"),
        ("", ["redirect=x.example"], [], None, "is a modifier"),
        ("", ["mx"], [], "mx", "'mx' is no form of all"),
        ("", ["mx"], [], "all", "'all' would let everybody send"),
        ("v=spf1 mx\u201d", ["mx"], [], None, "typographic quotation mark"),
        ("v=spf1 redirect=x.example redirect=y.example", ["mx"], [], None, "redirect= is there twice"),
    ],
)
def test_what_cannot_be_merged(text: str, wanted: list[str], unwanted: list[str], all_: str | None, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        spf.merge(text, wanted, unwanted, all_)


@given(records, st.lists(st.sampled_from(NETWORKS).map("ip4:{}".format), max_size=3))
def test_a_merge_lets_in_who_is_wanted_and_changes_nothing_for_others(text: str, wanted: Sequence[str]) -> None:
    try:
        merged = spf.merge(text, wanted)
    except ValueError as error:
        assert "forbids" in str(error)
        return
    for sender in SENDERS:
        before, after = result(text, sender), result(merged, sender)
        let_in = any(ipaddress.ip_address(sender) in ipaddress.ip_network(one.removeprefix("ip4:")) for one in wanted)
        assert after == before or (let_in and after == "pass"), merged
    assert spf.merge(merged, wanted) == merged
    found = [one.matches for one in spf.parse(merged)]
    assert all(spf.term(one).matches in found for one in wanted)
    # What the owner has written keeps its order.
    new = iter(merged.split())
    assert all(word in new for word in text.split() if word not in wanted)


@given(records, records)
def test_records_that_mean_the_same_are_the_same_to_receivers(one: str, other: str) -> None:
    if spf.meaning(one) == spf.meaning(other):
        assert [result(one, sender) for sender in SENDERS] == [result(other, sender) for sender in SENDERS]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("v=spf1 a mx -all", "v=spf1 MX  +a -all", True),
        ("v=spf1 a -all", "v=spf1 a -all mx redirect=x.example", True),
        ("v=spf1 a ?mx -all", "v=spf1 ?mx a -all", False),
        ("v=spf1 a redirect=x.example", "v=spf1 a redirect=y.example", False),
        ("v=spf1 a -all", "v=spf1 a ~all", False),
        ("v=spf1 a:x.example -all", "v=spf1 a:y.example -all", False),
    ],
)
def test_meaning(one: str, other: str, same: bool) -> None:
    assert (spf.meaning(one) == spf.meaning(other)) is same


@pytest.mark.parametrize(
    "text",
    [
        "a:foo:bar/baz.example.com", "A/16//48", "mx//0", "ptr", "ptr:acme.example", "ip6:::1",
        "ip6:::ffff:192.0.2.1/96",
        "exists:%{ir}.%{l1r+-}._spf.%{d2}", "unknown=x%{d}", "exp=%{d}", "include:_spf.xn--bcher-kva.example.",
    ],
)  # fmt: skip
def test_terms(text: str) -> None:
    assert spf.term(text).text == text
    assert result(f"v=spf1 {text} -all", "192.0.2.1") != "permerror" or text.startswith("include")


@pytest.mark.parametrize(
    "text",
    [
        "moo", "a:museum", "a:museum.", "a:1.2.3.4", "a:example.-com", "a/33", "a//129", "a/24/64",
        "mx:x.example:80", "include", "include:", "include:x.example/24", "exists", "exists:", "ip4", "ip4:1.2.3",
        "ip4:1.2.3.4/33", "ip4:1.2.3.4//32", "ip6:1::2::3", "ip6:::1/129", "all:x", "-all/8", "-all.", "=all", "1up=x",
        "exp=", "redirect=-all", "a:%{a}.example.com", "exists:%(ir).example.com", "x=%abc", "redirect:x.example",
        "ptr/0", "ipv4:192.0.2.1",
    ],
)  # fmt: skip
def test_no_terms(text: str) -> None:
    """To each of them a receiver says permerror."""
    with pytest.raises(ValueError, match="RFC 7208"):
        spf.term(text)
    assert result(f"v=spf1 {text} ?all", "192.0.2.1") == "permerror"


@pytest.mark.parametrize(
    "text", ["a:b\u00fccher.example", "a mx", "", "a\n", "\u201ca\u201d", "a,", "a:x..example", f"a:{'x' * 64}.example"]
)
def test_nothing_like_terms(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 7208|typographic"):
        spf.term(text)


@pytest.mark.parametrize(
    ("text", "looks", "is_one"),
    [
        ("v=spf1", True, True),
        ("V=SPF1 -all", True, True),
        ("v=spf10 -all", True, False),
        (" v=spf1 -all", True, False),
        ('"v=spf1 -all"', True, False),
        ("\u201cv=spf1 -all\u201d", True, False),
        ("v=spf1;-all", True, False),
        ("spf2.0/pra -all", False, False),
        ("google-site-verification=v=spf1", False, False),
    ],
)
def test_what_a_record_looks_like(text: str, looks: bool, is_one: bool) -> None:
    assert (spf.looks_like(text), spf.is_spf(text)) == (looks, is_one)


WORLD = {
    ("mailgun.org", "TXT"): ("other=1", "v=spf1 include:_spf.mailgun.org include:_spf2.mailgun.org ~all"),
    ("_spf.mailgun.org", "TXT"): ("v=spf1 ip4:192.0.2.1 ~all",),
    ("_spf2.mailgun.org", "TXT"): ("v=spf1 a:gone.example mx:x.example exists:%{i}.x.example ptr -all mx a",),
    ("x.example", "MX"): ("10 x.example",),
    ("acme.example", "AAAA"): ("2001:db8::1",),
    ("loop.example", "TXT"): ("v=spf1 include:back.example -all",),
    ("back.example", "TXT"): ("v=spf1 redirect=loop.example",),
    ("two.example", "TXT"): ("v=spf1 a -all", "v=spf1 -all"),
    ("wrong.example", "TXT"): ("v=spf1 moo -all",),
    ("endless.example", "TXT"): ("v=spf1 " + " ".join(f"exists:{number}.gone.example" for number in range(99)),),
}


def resolve(name: str, record_type: str) -> Sequence[str]:
    return WORLD.get((name, record_type), ())


def test_what_a_record_costs() -> None:
    cost = spf.cost("v=spf1 a mx include:mailgun.org redirect=gone.example -all", "Acme.example", resolve)
    assert cost.lookups == [
        "a",
        "mx",
        "include:mailgun.org",
        "include:_spf.mailgun.org of mailgun.org",
        "include:_spf2.mailgun.org of mailgun.org",
        "a:gone.example of _spf2.mailgun.org",
        "mx:x.example of _spf2.mailgun.org",
        "exists:%{i}.x.example of _spf2.mailgun.org",
        "ptr of _spf2.mailgun.org",
    ]
    assert cost.voids == ["acme.example (mx)", "gone.example (a:gone.example)"]


def test_a_redirect_costs() -> None:
    cost = spf.cost("v=spf1 ip4:192.0.2.1 redirect=_spf.mailgun.org", DOMAIN, resolve)
    assert (cost.lookups, cost.voids) == (["redirect=_spf.mailgun.org"], [])


def test_counting_ends() -> None:
    assert len(spf.cost("v=spf1 include:endless.example -all", DOMAIN, resolve).lookups) == spf.ENOUGH


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("v=spf1 include:loop.example", "loop.example includes back.example includes loop.example"),
        ("v=spf1 include:acme.example", "acme.example includes acme.example"),
        ("v=spf1 include:two.example", "two.example has 2 SPF records"),
        ("v=spf1 include:gone.example", "gone.example has no SPF record"),
        ("v=spf1 include:wrong.example", "the SPF record of wrong.example: 'moo' is no mechanism"),
    ],
)
def test_what_cannot_be_included(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        spf.cost(text, DOMAIN, resolve)


@pytest.mark.parametrize("wanted", ["ip4:0.0.0.0/0", "+ip6:::/0", "a/0", "mx:acme.example//0"])
def test_nobody_lets_the_whole_world_send(wanted: str) -> None:
    """It is what +all says, in other words."""
    with pytest.raises(ValueError, match="would let everybody send"):
        spf.merge("", [wanted])
    assert spf.merge("v=spf1 mx -all", [f"-{wanted.lstrip('+')}"]) == f"v=spf1 mx -{wanted.lstrip('+')} -all"
    assert spf.merge(f"v=spf1 {wanted} -all", ["mx"], [wanted]) == "v=spf1 mx -all"
