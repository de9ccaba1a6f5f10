# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: pure, exact, and silent about secrets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing, difference, plan
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Resource
from hypothesis import given
from hypothesis import strategies as st

THING = Resource(
    model="thing",
    label="thing",
    plural="things",
    key=("name",),
    fields=(Field("name"), Field("size", "int", required=True), Field("note"), Field("word", secret=True)),
)


def actions(*args: Any, **kwargs: Any) -> list[tuple[str, str]]:
    return [(change.action, change.name) for change in plan(THING, *args, **kwargs)]


def test_omitted_is_left_alone_and_null_clears() -> None:
    current = [Existing(7, {"name": "a", "size": 1, "note": "old", "word": "w"})]
    assert plan(THING, [{"name": "a"}], current) == []
    (change,) = plan(THING, [{"name": "a", "note": None}], current)
    assert (change.action, change.id, change.values) == ("update", 7, {"note": None})


def test_null_of_what_is_not_set_changes_nothing() -> None:
    current = [Existing(7, {"name": "a", "size": 1, "note": None, "word": None})]
    assert plan(THING, [{"name": "a", "note": None, "word": None}], current) == []


def test_a_new_record_needs_its_required_values() -> None:
    with pytest.raises(ValidationError, match="thing a does not exist yet.*size"):
        plan(THING, [{"name": "a"}], [])
    assert actions([{"name": "a", "size": 0}], []) == [("create", "a")]


def test_keys_given_or_found_twice_are_named() -> None:
    with pytest.raises(ConflictError, match="things: a is given more than once"):
        plan(THING, [{"name": "a"}, {"name": "a"}], [])
    with pytest.raises(ConflictError, match=r"exists 2 times \(ids 3, 4\)"):
        plan(THING, [{"name": "a"}], [Existing(3, {"name": "a"}), Existing(4, {"name": "a"})])


def test_prune_deletes_the_rest_last_and_not_more_than_its_limit() -> None:
    current = [Existing(number, {"name": name, "size": 1}) for number, name in enumerate("abc")]
    wanted = [{"name": "a", "size": 2}, {"name": "new", "size": 1}]
    assert actions(wanted, current, prune=True, prune_limit=2) == [
        ("create", "new"),
        ("update", "a"),
        ("delete", "b"),
        ("delete", "c"),
    ]
    with pytest.raises(ValidationError, match=r"delete 2 things, more than prune_limit \(1\): b, c"):
        plan(THING, wanted, current, prune=True, prune_limit=1)


def test_absent_deletes_what_is_there_only() -> None:
    current = [Existing(1, {"name": "a"})]
    assert actions([{"name": "a"}, {"name": "b"}], current, absent=True) == [("delete", "a")]


def test_a_changed_secret_shows_as_a_change_and_never_itself() -> None:
    current = [Existing(1, {"name": "a", "size": 1, "word": "canary-old"})]
    changes = plan(THING, [{"name": "a", "word": "canary-new"}], current)
    shown = changes[0].shown(THING)
    assert shown["before"]["word"] == "(hidden)"
    assert shown["after"]["word"] == "(hidden, changed)"
    diff = difference(THING, changes)
    assert diff == {"before": "thing a:\n  word: (hidden)\n", "after": "thing a:\n  word: (hidden, changed)\n"}
    created = plan(THING, [{"name": "b", "size": 1, "word": "canary-new"}], [])
    deleted = plan(THING, [{"name": "a"}], current, absent=True)
    cleared = plan(THING, [{"name": "a", "word": None}], current)
    for some in (changes, created, deleted, cleared):
        assert "canary" not in repr([change.shown(THING) for change in some]) + repr(difference(THING, some))
    assert cleared[0].shown(THING)["after"]["word"] is None


names = st.sampled_from("abcdefgh")
records = st.fixed_dictionaries({"size": st.integers(0, 3), "note": st.none() | st.sampled_from(["x", "y"])})
sets = st.dictionaries(names, records)


@given(sets, sets, st.booleans())
def test_applying_a_plan_reaches_the_desired_state_and_a_second_plan_is_empty(
    desired: dict[str, dict[str, Any]], present: dict[str, dict[str, Any]], prune: bool
) -> None:
    wanted = [{"name": name, **values} for name, values in desired.items()]
    state = {number: {"name": name, **values} for number, (name, values) in enumerate(present.items())}
    current = [Existing(number, values) for number, values in state.items()]
    for change in plan(THING, wanted, current, prune=prune, prune_limit=8):
        if change.action == "create":
            state[100 + len(state)] = {"note": None, **change.values}
        elif change.action == "update":
            state[change.id] = {**state[change.id], **change.values}
        else:
            del state[change.id]
    reached = {record["name"]: {"size": record["size"], "note": record["note"]} for record in state.values()}
    kept = {} if prune else {name: values for name, values in present.items() if name not in desired}
    assert reached == {**kept, **desired}
    again = [Existing(number, values) for number, values in state.items()]
    assert plan(THING, wanted, again, prune=prune, prune_limit=8) == []


def test_prune_leaves_what_is_out_of_its_scope() -> None:
    class Scoped(Resource):
        """Things whose note says so are not ours."""

        def prunable(self, record: Mapping[str, Any]) -> bool:
            return record.get("note") != "foreign"

    scoped = Scoped(THING.model, THING.label, THING.plural, THING.key, THING.fields)
    current = [Existing(1, {"name": "ours"}), Existing(2, {"name": "theirs", "note": "foreign"})]
    assert [change.name for change in plan(scoped, [], current, prune=True, prune_limit=1)] == ["ours"]


TWINNED = Resource(
    model="thing",
    label="thing",
    plural="things",
    key=("name",),
    fields=(Field("name"), Field("host", required=True), Field("user")),
    twin=("host", "user"),
)


def test_a_new_record_that_exists_under_another_name_is_adopted_only_when_told() -> None:
    current = [Existing(4, {"name": "old", "host": "Mail.example", "user": None})]
    wanted = [{"name": "new", "host": "mail.example"}]
    with pytest.raises(ConflictError) as refused:
        plan(TWINNED, wanted, current)
    assert refused.value.message == "thing 'new' does not exist yet, but 'old' (id 4) has the same host, user"
    assert "adopt: true" in refused.value.remedy
    (adopted,) = plan(TWINNED, wanted, current, adopt=True, prune=True)
    assert (adopted.action, adopted.id, adopted.values) == ("update", 4, {"name": "new", "host": "mail.example"})
    assert [change.action for change in plan(TWINNED, wanted, current, adopt=False)] == ["create"]
    assert plan(TWINNED, wanted, current, absent=True) == []


def test_what_has_a_name_of_its_own_in_the_list_is_adopted_by_nobody() -> None:
    current = [Existing(4, {"name": "old", "host": "h", "user": "u"})]
    wanted = [{"name": "new", "host": "h", "user": "u"}, {"name": "old"}]
    assert [change.action for change in plan(TWINNED, wanted, current)] == ["create"]
    assert [change.action for change in plan(TWINNED, [{"name": "new", "host": "h", "user": "v"}], current)] == [
        "create"
    ]


def test_of_two_candidates_none_is_adopted() -> None:
    current = [Existing(number, {"name": name, "host": "h", "user": "u"}) for number, name in ((4, "a"), (5, "b"))]
    with pytest.raises(ConflictError, match=r"'a' \(id 4\), 'b' \(id 5\) have the same host, user"):
        plan(TWINNED, [{"name": "new", "host": "h", "user": "u"}], current, adopt=True)


def test_an_internal_field_is_no_option() -> None:
    inner = Resource("thing", "thing", "things", ("name",), (Field("name"), Field("flag", "bool", internal=True)))
    assert set(inner.item_spec()) == {"name"}
    with pytest.raises(ValidationError, match="a thing has no such option"):
        inner.check({"name": "a", "flag": True}, "thing")


def test_a_number_is_whole_or_not_and_never_a_yes() -> None:
    sized = Resource("thing", "thing", "things", ("name",), (Field("name"), Field("size", "float")))
    assert sized.check({"name": "a", "size": 2}, "thing")["size"] == 2
    for wrong in (True, "2"):
        with pytest.raises(ValidationError, match="which is no number"):
            sized.check({"name": "a", "size": wrong}, "thing")


VALUED = Resource(
    "thing",
    "thing",
    "things",
    ("name",),
    (
        Field("name"),
        Field("active", "bool"),
        Field("size", "int"),
        Field("weight", "float"),
        Field("kind", choices=("a", "b")),
        Field("limit", "int", clear=0),
        Field("verify", "bool", option_only=True),
    ),
)


@pytest.mark.parametrize("name", ["active", "size", "weight", "kind"])
def test_what_always_has_a_value_cannot_be_cleared(name: str) -> None:
    """Odoo would store no or 0, so null would be a change at each run; that of `active` would archive."""
    with pytest.raises(ValidationError, match=f"thing.{name} cannot be empty"):
        VALUED.check({"name": "x", name: None}, "thing")


@pytest.mark.parametrize("name", ["limit", "verify"])
def test_null_where_it_means_something(name: str) -> None:
    assert VALUED.check({"name": "x", name: None}, "thing")[name] is None


@pytest.mark.parametrize(
    ("name", "value"), [("size", 2**31), ("size", -(2**31) - 1), ("weight", math.nan), ("weight", math.inf)]
)
def test_a_number_that_cannot_be_stored_is_named(name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=f"thing.{name} is {value}"):
        VALUED.check({"name": "x", name: value}, "thing")


def test_a_record_that_is_about_to_be_renamed_is_found_by_its_new_name() -> None:
    current = [Existing(7, {"name": "old", "size": 1}, key=("new",)), Existing(8, {"name": "other", "size": 1})]
    (renamed,) = plan(THING, [{"name": "new", "size": 1}], current)
    assert (renamed.action, renamed.id, renamed.name, renamed.values) == ("update", 7, "new", {"name": "new"})
    pruned = plan(THING, [{"name": "new"}], current, prune=True, prune_limit=1)
    assert [(change.action, change.id) for change in pruned] == [("update", 7), ("delete", 8)]
