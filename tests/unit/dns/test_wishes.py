# SPDX-License-Identifier: GPL-3.0-or-later
"""Wishes change what is theirs, leave what means the same, and refuse what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key, RecordSet, plan
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wishes import (
    AbsentWish,
    DkimWish,
    DmarcWish,
    SpfWish,
    ValuesWish,
)
from hypothesis import given
from hypothesis import strategies as st
from unit.dns.test_dkim import KEY, OTHER

AT = Key(values.name("acme.example"), "TXT")
MX = Key(values.name("acme.example"), "MX")
SELECTOR = Key(values.name("s1._domainkey.acme.example"), "TXT")
DMARC = Key(values.name("_dmarc.acme.example"), "TXT")
OWNERS = ["google-site-verification=1", "v=spf10", "MS=ms1", 'say "v=spf1"', "spf2.0/pra -all", "v=verify1; p=x"]
NEIGHBOURS = st.lists(st.sampled_from(OWNERS), unique=True)


@given(NEIGHBOURS)
def test_neighbours_survive_spf(there: list[str]) -> None:
    # Not a right SPF record, so nobody could say what is meant.
    there = [value for value in there if value != "v=spf10"]
    added = SpfWish(AT, ["include:mailgun.org"]).after(there)
    assert list(added) == [*there, "v=spf1 include:mailgun.org ~all"]
    changed = SpfWish(AT, ["mx"], ["include:mailgun.org"], "-all").after(added)
    assert list(changed) == [*there, "v=spf1 mx -all"]


@given(NEIGHBOURS)
def test_neighbours_survive_keys_and_policies(there: list[str]) -> None:
    assert list(DkimWish(SELECTOR, f"p={KEY}").after([*there, f"p={OTHER}"])) == [*there, f"p={KEY}"]
    assert list(DmarcWish(DMARC, {"p": "none"}).after(there)) == [*there, "v=DMARC1; p=none"]


@pytest.mark.parametrize(
    ("wish", "there"),
    [
        (SpfWish(AT, ["a", "mx"], ["ptr"], "~all"), ["x", "v=spf1  MX  +a ~ALL"]),
        (SpfWish(AT), ["x"]),
        (SpfWish(AT, remove=["include:_spf.odoo.com"]), []),
        (DkimWish(SELECTOR, f"v=DKIM1; k=rsa; p={KEY}"), [f"p={KEY[:20]} {KEY[20:]}"]),
        (DkimWish(SELECTOR, f'"v=DKIM1; k=rsa; " "p={KEY}"'), [f"k=rsa; p={KEY}"]),
        (DmarcWish(DMARC, {"p": "none", "pct": 100}), ["v=DMARC1;p=none"]),
        (ValuesWish(AT, ["v=spf1 a mx -all"]), ["v=spf1 mx a -all", "x"]),
        (ValuesWish(AT, ["v=spf1 a mx -all"], exact=True), ["v=spf1 mx a -all"]),
        (ValuesWish(AT, absent=["y"]), ["x", "v=spf1 a", "v=spf1 mx"]),
        (ValuesWish(MX, ["10 MX.acme.example."]), ["10 mx.acme.example", "20 other.example"]),
        (AbsentWish(MX), []),
    ],
)
def test_what_means_the_same_is_left(wish: Any, there: list[str]) -> None:
    assert list(wish.after(there)) == there


@pytest.mark.parametrize(
    ("wish", "there", "after"),
    [
        (ValuesWish(MX, ["10 mx.acme.example"], ["20 old.example"]), ["20 old.example", "30 x.example"],
         ["30 x.example", "10 mx.acme.example"]),
        (ValuesWish(AT, ["a"], exact=True), ["b", "c"], ["a"]),
        (ValuesWish(AT, exact=True), ["b", "c"], []),
        (ValuesWish(AT, absent=["v=spf1 mx a -all"]), ["v=spf1 a mx -all", "x"], ["x"]),
        (ValuesWish(AT, ["v=spf1 -all"], ["v=spf1 a -all"]), ["v=spf1 a -all"], ["v=spf1 -all"]),
        (ValuesWish(AT, ['"v=spf1 " "-all"']), [], ["v=spf1 -all"]),
        (DkimWish(SELECTOR, f"p={KEY}"), [f"\u201cp={OTHER}\u201d"], [f"p={KEY}"]),
        (DkimWish(SELECTOR, f"p={KEY}"), [f"p={OTHER[:99]}"], [f"p={KEY}"]),
        (DmarcWish(DMARC, {"p": "reject"}), ["x", "v=DMARC1; p=none; fo=1"], ["x", "v=DMARC1; p=reject; fo=1"]),
    ],
)  # fmt: skip
def test_what_is_changed(wish: Any, there: list[str], after: list[str]) -> None:
    assert list(wish.after(there)) == after
    assert list(wish.after(after)) == after


@pytest.mark.parametrize(
    ("wish", "there", "told"),
    [
        (
            SpfWish(AT, ["mx"]),
            ["v=spf1 a", "v=spf1 mx"],
            "acme.example TXT: there are 2 SPF records, and there may be one",
        ),
        (SpfWish(AT, ["mx"]), ["\u201cv=spf1 a\u201d", "v=spf1 mx"], "there are 2 SPF records"),
        (
            DkimWish(SELECTOR, f"p={KEY}"),
            [f"p={KEY}", f"p={OTHER}"],
            "s1._domainkey.acme.example TXT: there are 2 DKIM",
        ),
        (DmarcWish(DMARC, {"p": "none"}), ["v=DMARC1; p=none"] + ["v=DMARC1; p=reject"], "RFC 7489, section 6.6.3"),
        (AbsentWish(MX), ["0 ."], "acme.example MX: there must be none, and there is 0 ."),
        (
            ValuesWish(AT, ["v=spf1 mx -all"]),
            ["v=spf1 a -all"],
            "acme.example TXT: 'v=spf1 mx -all' would be a second SPF record beside 'v=spf1 a -all'",
        ),
        (ValuesWish(AT, ["v=spf1 mx -all", "v=spf1 -all"]), [], "a second SPF record"),
        (ValuesWish(AT, ["v=spf1 mx -all", "v=spf1 -all"], exact=True), ["v=spf1 a"], "a second SPF record"),
        (ValuesWish(DMARC, ["v=DMARC1; p=none"]), ["v=DMARC1; p=reject"], "a second DMARC record"),
    ],
)
def test_what_conflicts(wish: Any, there: Sequence[str], told: str) -> None:
    with pytest.raises(ConflictError) as error:
        wish.after(there)
    assert told in error.value.message


@pytest.mark.parametrize(
    ("wish", "there", "told"),
    [
        (
            SpfWish(AT, ["mx"]),
            ["\u201cv=spf1 a\u201d"],
            "acme.example TXT, the SPF record '\u201cv=spf1 a\u201d': it has a typographic",
        ),
        (SpfWish(AT, ["mx"]), ['"v=spf1 a"'], "it must begin with v=spf1"),
        (SpfWish(AT, ["mx"]), ["v=spf1 moo -all"], "'moo' is no mechanism of SPF (RFC 7208, section 5)"),
        (DmarcWish(DMARC, {"pct": 5}), [], "_dmarc.acme.example TXT, DMARC: a new record needs the tag p"),
        (DmarcWish(DMARC, {"pct": 5}), ["v=DMARC1; p=\u201cnone\u201d"], "typographic"),
    ],
)
def test_what_is_there_and_wrong(wish: Any, there: Sequence[str], told: str) -> None:
    with pytest.raises(ValidationError) as error:
        wish.after(there)
    assert told in error.value.message


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: SpfWish(AT, ["\u201cmx\u201d"]), "acme.example TXT, SPF: it has a typographic quotation mark"),
        (lambda: SpfWish(AT, all_="+all"), "would let everybody send"),
        (lambda: DkimWish(SELECTOR, f"v=DKIM1; p={KEY[:99]}"), "s1._domainkey.acme.example TXT, DKIM: its key (p)"),
        (lambda: DkimWish(SELECTOR, '"p='), "is no value of a TXT record"),
        (
            lambda: DkimWish(SELECTOR, "v=DKIM1; k=rsa; p="),
            "s1._domainkey.acme.example TXT, DKIM: its key (p) is empty",
        ),
        (lambda: DmarcWish(DMARC, {"p": "maybe"}), "p=maybe is no value of this tag"),
        (lambda: ValuesWish(MX, ["mx.acme.example"]), "acme.example MX: 'mx.acme.example' is no value of a MX record"),
        (
            lambda: ValuesWish(MX, ["10 x.example"], ["10 X.example."]),
            "'10 x.example' is to be there and to be removed",
        ),
    ],
)
def test_what_cannot_be_wished(make: Any, told: str) -> None:
    with pytest.raises(ValidationError) as error:
        make()
    assert told in error.value.message


def test_wishes_for_one_name_are_planned_together() -> None:
    there = {AT: RecordSet(("owner=1", "v=spf1 a ~all"), 300)}
    wishes = [SpfWish(AT, ["mx"]), ValuesWish(AT, ["other=2"]), DmarcWish(DMARC, {"p": "none"}, ttl=60)]
    first, second = plan(wishes, there)
    assert (first.added, first.removed, first.after.ttl) == (("other=2", "v=spf1 a mx ~all"), ("v=spf1 a ~all",), 300)
    assert second.after == RecordSet(("v=DMARC1; p=none",), 60)


@pytest.mark.parametrize("value", ["\u201cv=spf1 -all\u201d", "v=\u201cDMARC1\u201d; p=none", "\u201cproof=1\u201d"])
def test_typographic_quotation_marks_are_not_published(value: str) -> None:
    with pytest.raises(ValidationError, match=r"acme.example TXT: .* has a typographic quotation mark"):
        ValuesWish(AT, [value])
    assert list(ValuesWish(AT, absent=[value]).after([value])) == []
    for text in ("He said \u201cyes\u201d", ""):
        assert list(ValuesWish(AT, [f'"{text}"']).after([])) == [text]


def test_a_selector_has_one_key() -> None:
    """Of two, receivers may take either (RFC 6376, 3.6.2.2)."""
    with pytest.raises(ConflictError, match=r"would be a second DKIM record .* .RFC 6376, section 3.6.2.2"):
        ValuesWish(SELECTOR, [f"p={KEY}"]).after([f"p={OTHER}"])
    assert list(ValuesWish(SELECTOR, [f"p={KEY}"], exact=True).after([f"p={OTHER}"])) == [f"p={KEY}"]
    assert list(ValuesWish(AT, ["p=1"]).after(["p=2"])) == ["p=2", "p=1"]
