# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning record sets: what would be ignored, doubled or shadowed is told before anything is written."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import (
    TYPES,
    Change,
    Key,
    RecordSet,
    difference,
    plan,
    shadows,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wishes import ValuesWish

ZONE = values.name("acme.example")


def key(name: str, record_type: str = "TXT") -> Key:
    return Key(values.name(name), record_type)


def wish(name: str, *present: str, record_type: str = "TXT", **options: object) -> ValuesWish:
    return ValuesWish(key(name, record_type), present, **options)  # type: ignore[arg-type]


def test_several_wishes_for_one_key_are_one_change_and_the_last_ttl_counts() -> None:
    there = {key("acme.example"): RecordSet(("b", "of another"), 300, zone=ZONE)}
    wishes = [wish("acme.example", "c", ttl=60), wish("acme.example", "a"), wish("new.acme.example", "x")]
    changes = plan(wishes, there)
    assert [(change.key, change.added, change.removed) for change in changes] == [
        (key("acme.example"), ("a", "c"), ()),
        (key("new.acme.example"), ("x",), ()),
    ]
    assert [change.after.ttl for change in changes] == [60, 3600]
    assert changes[0].after.zone == ZONE
    assert difference(changes[:1]) == {
        "before": "acme.example 300 TXT b\nacme.example 300 TXT of another\n",
        "after": "".join(f"acme.example 60 TXT {value}\n" for value in ("a", "b", "c", "of another")),
    }


def test_nothing_is_planned_for_what_is_there() -> None:
    there = {key("acme.example"): RecordSet(("a", "b"), 300, zone=ZONE)}
    assert plan([wish("acme.example", "a"), ValuesWish(key("acme.example"), absent=["c"])], there) == []
    assert plan([wish("acme.example", "a", ttl=300)], there) == []


@pytest.mark.parametrize(
    ("name", "zone", "meant"),
    [
        ("x.acme.example.acme.example", "acme.example", "x.acme.example"),
        ("acme.example.acme.example", "acme.example", "acme.example"),
        ("a.b.acme.example.acme.example", "acme.example", "a.b.acme.example"),
    ],
)
def test_a_doubled_name_gets_nothing_new(name: str, zone: str, meant: str) -> None:
    there = {key(name): RecordSet(zone=values.name(zone))}
    with pytest.raises(ValidationError, match="the name has that of its zone") as caught:
        plan([wish(name, "x")], there)
    assert caught.value.message.startswith(f"{name} TXT: ")
    assert caught.value.remedy.endswith(f"write {meant}.")


@pytest.mark.parametrize(
    "name", ["acme.example", "acme.acme.example", "example.acme.example", "acme.example._report._dmarc.acme.example"]
)
def test_a_name_that_only_looks_doubled_is_taken(name: str) -> None:
    assert len(plan([wish(name, "x")], {key(name): RecordSet(zone=ZONE)})) == 1


def test_a_doubled_name_can_be_cleaned() -> None:
    name = "x.acme.example.acme.example"
    there = {key(name): RecordSet(("x", "y"), 60, zone=ZONE)}
    assert plan([ValuesWish(key(name), absent=["x"])], there)[0].after.values == ("y",)


def test_a_wildcard_that_ends_is_told_once_a_name() -> None:
    covered = RecordSet(zone=ZONE, covered=("A", "MX", "TXT"))
    there = {key("x.acme.example", one): covered for one in ("TXT", "CAA")}
    wishes = [wish("x.acme.example", "a"), wish("x.acme.example", '0 issue ";"', record_type="CAA")]
    (told,) = shadows(plan(wishes, there))
    assert told.startswith("x.acme.example has records of its own now")
    assert "(A, MX)" in told


def test_nothing_is_shadowed_that_comes_or_is_not_written() -> None:
    covered = RecordSet(zone=ZONE, covered=("TXT",))
    assert shadows(plan([wish("x.acme.example", "a")], {key("x.acme.example"): covered})) == []
    other = RecordSet(zone=ZONE, covered=("A",))
    assert shadows([Change(key("x.acme.example"), other, other)]) == []


def test_cnames_stand_alone() -> None:
    name = "x.acme.example"
    taken = RecordSet(beside=("TXT",), zone=ZONE)
    cname = wish(name, "mx.acme.example", record_type="CNAME")
    with pytest.raises(ConflictError, match="has other records"):
        plan([cname], {key(name, "CNAME"): taken})
    there = {key(name, "CNAME"): taken, key(name): RecordSet(("x",), 60, zone=ZONE)}
    assert len(plan([cname, ValuesWish(key(name), exact=True)], there)) == 2
    with pytest.raises(ConflictError, match="a name has one CNAME, not 2"):
        plan([wish(name, "a.acme.example", "b.acme.example", record_type="CNAME")], {})
    with pytest.raises(ConflictError, match="is a CNAME, to mx.acme.example"):
        plan([wish(name, "x")], {key(name): RecordSet(alias="mx.acme.example", zone=ZONE)})


def test_what_belongs_to_the_zone_itself_is_no_record_set_of_ours() -> None:
    assert set(values.TYPES) - set(TYPES) == {"NS", "SOA"}


def test_the_ttl_zero_stays() -> None:
    there = {key("acme.example"): RecordSet(("a", "of another"), 0, zone=ZONE)}
    assert plan([wish("acme.example", "a")], there) == []
    (change,) = plan([wish("acme.example", "b")], there)
    assert change.after.ttl == 0


def test_a_record_set_that_is_made_anew_keeps_its_ttl() -> None:
    there = {key("x.acme.example"): RecordSet(("old",), 60, zone=ZONE)}
    (change,) = plan([ValuesWish(key("x.acme.example"), exact=True), wish("x.acme.example", "new")], there)
    assert (change.after.values, change.after.ttl) == (("new",), 60)
