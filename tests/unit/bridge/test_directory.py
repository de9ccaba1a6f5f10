# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of addresses: which are taken, which are refused, and whose an address is."""

import copy
from typing import Any

import pytest
from odoo_lmtp_bridge.directory import (
    AliasList,
    Conflict,
    Directory,
    MalformedList,
    Recipient,
    merge,
    parse_alias_list,
    rewrites,
    shrinks_too_much,
)
from unit.bridge.harness import alias_list, list_document


def test_a_good_list() -> None:
    document = list_document("b@x.example", "a+b@x.example", "bounce@x.example")
    assert parse_alias_list(document, "prod", '"e"') == AliasList(
        "prod", ("a+b@x.example", "b@x.example", "bounce@x.example"), '"e"'
    )


def test_an_empty_list_is_a_list() -> None:
    assert parse_alias_list(list_document(), "prod", "").addresses == ()


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"version": None},
        {"database": "other"},
        {"database": None},
        {"addresses": None},
        {"addresses": {"a@x": "alias"}},
        {"addresses": ["a@x"]},
        {"addresses": [{"address": "a@x", "kind": "nonsense"}]},
        {"addresses": [{"address": "a@x"}]},
        {"addresses": [{"kind": "alias"}]},
        {"addresses": [{"address": 5, "kind": "alias"}]},
        {"addresses": [{"address": "A@x", "kind": "alias"}]},
        {"addresses": [{"address": "a b@x", "kind": "alias"}]},
        {"addresses": [{"address": "a@x\nb@x b@x", "kind": "alias"}]},
        {"addresses": [{"address": "a\0@x", "kind": "alias"}]},
        {"addresses": [{"address": "a", "kind": "alias"}]},
        {"addresses": [{"address": "@x", "kind": "alias"}]},
        {"addresses": [{"address": "", "kind": "alias"}]},
        {"addresses": [{"address": "a@x", "kind": "alias"}] * 2},
        {"addresses": [{"address": "old@x", "kind": "former"}]},
        {"addresses": [{"address": "old@x", "kind": "former", "rewrite": "gone@x"}]},
        {"addresses": [{"address": "old@x", "kind": "former", "rewrite": "old@x"}]},
        {"addresses": [{"address": "old@x", "kind": "former", "rewrite": ["a@x"]}]},
    ],
)
def test_a_malformed_list(damage: dict[str, object]) -> None:
    document = copy.deepcopy(list_document("good@x.example")) | damage
    with pytest.raises(MalformedList):
        parse_alias_list(document, "prod", "")


@pytest.mark.parametrize("document", [None, [], "text", 5, {}])
def test_not_a_list_at_all(document: object) -> None:
    with pytest.raises(MalformedList):
        parse_alias_list(document, "prod", "")


@pytest.mark.parametrize(
    "address",
    ["#a@x", "a..b@x", ".a@x", "jos\u00e9@x", '"a"@x', "a@-x", "a@x_y", "a" * 65 + "@x", "a@" + "x" * 253],
)
def test_what_postfix_cannot_look_up_is_left_out(address: str) -> None:
    parsed = parse_alias_list(list_document("good@x.example", address), "prod", "")
    assert parsed.addresses == ("good@x.example",)
    assert parsed.left_out == (address,)


def with_former(document: dict[str, Any], **former: str) -> dict[str, Any]:
    """A document that also has former addresses of x.example."""
    entries = [{"address": f"{old}@x.example", "kind": "former", "rewrite": new} for old, new in former.items()]
    return {**document, "addresses": [*document["addresses"], *entries]}


def test_former_addresses() -> None:
    document = list_document("now@x.example", "#odd@x.example")
    parsed = parse_alias_list(with_former(document, before="now@x.example", odd="#odd@x.example"), "prod", "")
    assert parsed.addresses == ("now@x.example",)
    assert parsed.former == {"before@x.example": "now@x.example"}
    directory = Directory(["prod"])
    directory.update("prod", parsed)
    assert directory.rewrites == {"before@x.example": "now@x.example"}
    for address in ("before@x.example", "Before+tag@x.example", "now@x.example"):
        assert directory.lookup(address) == Recipient("now@x.example", "prod")


def test_an_address_in_use_comes_before_a_former_one_of_another_database() -> None:
    first = AliasList("one", ("now@x",), "", former={"a@x": "now@x", "b@x": "now@x"})
    lists = [("one", first), ("two", alias_list("a@x"))]
    owners, conflicts = merge(lists)
    assert owners == {"now@x": "one", "a@x": "two", "b@x": "one"}
    assert conflicts == [Conflict("a@x", "two", "one")]
    assert rewrites(lists, owners) == {"b@x": "now@x"}


def test_shrinking() -> None:
    four = alias_list("a@x", "b@x", "c@x", "d@x")
    assert not shrinks_too_much(None, alias_list(), 50)
    assert not shrinks_too_much(four, alias_list("a@x", "b@x"), 50)
    assert shrinks_too_much(four, alias_list("a@x"), 50)
    assert shrinks_too_much(four, alias_list(), 50)
    assert not shrinks_too_much(alias_list(), alias_list(), 50)


def test_the_limit_of_shrinking_is_a_choice() -> None:
    four, three = alias_list("a@x", "b@x", "c@x", "d@x"), alias_list("a@x", "b@x", "c@x")
    assert shrinks_too_much(four, three, 0)
    assert shrinks_too_much(four, three, 24)
    assert not shrinks_too_much(four, three, 25)
    assert not shrinks_too_much(four, four, 0)
    assert not shrinks_too_much(four, alias_list(), 100)


def test_an_address_of_two_stays_with_the_first_configured() -> None:
    owners, conflicts = merge([("one", alias_list("a@x", "b@x")), ("two", alias_list("b@x", "c@x"))])
    assert owners == {"a@x": "one", "b@x": "one", "c@x": "two"}
    assert conflicts == [Conflict("b@x", "one", "two")]


def test_the_order_of_configuration_counts_not_that_of_arrival() -> None:
    directory = Directory(["one", "two"])
    assert directory.update("two", alias_list("a@x")) == []
    assert not directory.complete
    assert directory.update("one", alias_list("a@x")) == [Conflict("a@x", "one", "two")]
    assert directory.complete
    assert directory.lookup("a@x") == Recipient("a@x", "one")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("sales@acme.example", "sales@acme.example"),
        ("SALES@Acme.Example", "sales@acme.example"),
        ("sales+news@acme.example", "sales@acme.example"),
        ("sales+a+b@acme.example", "sales@acme.example"),
        ("c++@acme.example", "c++@acme.example"),
        ("sales@other.example", None),
        ("other+sales@acme.example", None),
        ("+sales@acme.example", None),
        ("sales", None),
        ("sales+x", None),
        ("", None),
    ],
)
def test_lookup(address: str, found: str | None) -> None:
    directory = Directory(["prod"])
    directory.update("prod", alias_list("sales@acme.example", "c++@acme.example"))
    assert directory.lookup(address) == (Recipient(found, "prod") if found else None)
