# SPDX-License-Identifier: GPL-3.0-or-later
"""The phases and moves of a rotation: what each writes, who may carry on, and that no move loses a value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    MailopsError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._rotation import state
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import (
    IN_PLACE,
    KINDS,
    PAIR,
    Secret,
    alternate,
)
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.state import Rotation, Run, applied
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=timezone.utc)
ME, OTHER = Run("1-1", "here", 100), Run("1-2", "here", 200)
BASE, SECOND = "no-reply@mg.acme.example", "no-reply-2@mg.acme.example"
Held = dict[str, "str | None"]


def secret(kind: str = "mailgun_login", strategy: str = PAIR) -> Secret:
    base = {"mailgun_login": BASE, "odoo_api_key": "mailops", "given": "mailops"}.get(kind, "")
    return Secret("k", kind, "vault.yml", (), strategy, base)


def there(held: Held) -> Held:
    return {name: value for name, value in held.items() if value}


def by(run: Run, step: str, since: datetime = NOW) -> str:
    return str(Rotation(run, state.timestamp(since), step))


LOGIN, TOKEN, KEY, GIVEN = (secret(kind) for kind in KINDS)
INPLACE = secret(strategy=IN_PLACE)


def test_a_pair_of_names() -> None:
    assert alternate(BASE) == alternate(BASE, BASE) == SECOND
    assert alternate(BASE, SECOND) == BASE
    assert (alternate("mailops"), alternate("mailops", "mailops-2")) == ("mailops-2", "mailops")
    # The policy's name was changed since: that is the next one.
    assert alternate("news@mg.acme.example", SECOND) == "news@mg.acme.example"


def test_a_login_from_beginning_to_end_and_once_more() -> None:
    held: Held = {"k": "old"}
    held = applied(held, state.begin(LOGIN, held, ME, NOW, "new"))
    pending = {"k_next": "new", "k_next_login": SECOND, "k_rotation": "1-1 here 100 2026-05-04T12:00:00Z pending"}
    assert there(held) == {"k": "old", **pending} and state.phase(LOGIN, held) == "pending"
    held = applied(held, state.switch(LOGIN, held, ME, NOW + timedelta(minutes=1)))
    stays = {"k": "new", "k_login": SECOND, "k_rotated": "2026-05-04T12:01:00Z"}
    switched = {"k_former_login": BASE, "k_rotation": "1-1 here 100 2026-05-04T12:00:00Z switched"}
    assert there(held) == {**stays, **switched} and state.phase(LOGIN, held) == "switched"
    held = applied(held, state.finish(LOGIN, held, ME))
    assert there(held) == stays and state.phase(LOGIN, held) == "idle"
    held = applied(held, state.begin(LOGIN, held, OTHER, NOW, "newer"))
    assert held["k_next_login"] == BASE
    held = applied(held, state.switch(LOGIN, held, OTHER, NOW))
    assert (held["k_login"], held["k_former_login"]) == (BASE, SECOND)


def test_a_login_in_place_keeps_its_name() -> None:
    held = applied({"k": "old"}, state.begin(INPLACE, {"k": "old"}, ME, NOW, "new"))
    assert there(held).keys() == {"k", "k_next", "k_rotation"} and state.next_active(INPLACE, held) == BASE
    assert "which" in state.in_force(INPLACE, held)
    held = applied(held, state.switch(INPLACE, held, ME, NOW))
    assert there(held).keys() == {"k", "k_rotated", "k_rotation"} and held["k"] == "new"
    assert state.phase(INPLACE, held) == "switched"
    assert there(applied(held, state.finish(INPLACE, held, ME))).keys() == {"k", "k_rotated"}


def test_a_token_that_was_is_kept_until_nobody_has_it() -> None:
    held = applied({"k": "old"}, state.begin(TOKEN, {"k": "old"}, ME, NOW, "new"))
    held = applied(held, state.switch(TOKEN, held, ME, NOW))
    assert (held["k"], held["k_previous"], state.active(TOKEN, held)) == ("new", "old", "")
    assert there(applied(held, state.finish(TOKEN, held, ME))).keys() == {"k", "k_rotated"}


def test_a_key_that_odoo_makes() -> None:
    held = applied({"k": "old"}, state.begin(KEY, {"k": "old"}, ME, NOW))
    assert (state.phase(KEY, held), held["k_next_name"]) == ("begun", "mailops-2")
    with pytest.raises(ConflictError, match="the rotation of k is begun, and not pending"):
        state.switch(KEY, held, ME, NOW)
    for value in ("", "old"):
        with pytest.raises(ValidationError, match="no new value"):
            state.made(KEY, held, ME, value)
    held = applied(held, state.made(KEY, held, ME, "lost"))
    held = applied(held, state.made(KEY, held, ME, "new"))
    assert (state.phase(KEY, held), held["k_next"]) == ("pending", "new")
    held = applied(held, state.switch(KEY, held, ME, NOW))
    assert (held["k"], held["k_name"], held["k_former_name"]) == ("new", "mailops-2", "mailops")


def test_only_odoo_makes_a_value_and_none_in_the_place_of_one_by_hand() -> None:
    by_hand: Held = {"k": "old", "k_next": "new", "k_rotation": by(ME, "by-hand")}
    for one, held in ((KEY, by_hand), (LOGIN, {"k": "old", "k_next": "new", "k_rotation": by(ME, "pending")})):
        with pytest.raises(ConflictError, match="the pending value of k is not one that Odoo makes"):
            state.made(one, held, ME, "made")


@pytest.mark.parametrize("kind", ["odoo_api_key", "given"])
def test_what_was_written_by_hand_is_not_removed_by_a_name_nobody_gave(kind: str) -> None:
    """The old key and the new one may well have the same name."""
    for name in (None, "mailops"):
        held: Held = {"k": "old", "k_next": "new", "k_next_name": name}
        assert state.phase(secret(kind), held) == "offered"
        held = applied(held, state.begin(secret(kind), held, ME, NOW, "made up"))
        assert (held["k_next"], held["k_next_name"]) == ("new", name) and state.by_administrator(secret(kind), held)
        undone = applied(held, state.undo(secret(kind), held, ME))
        assert there(undone) == there({"k": "old", "k_next": "new", "k_next_name": name})
        held = applied(held, state.switch(secret(kind), held, ME, NOW))
        assert held["k"] == "new" and not held["k_former_name"]
        assert state.active(secret(kind), held) == "mailops"


def test_a_login_whose_password_was_written_by_hand() -> None:
    held: Held = {"k": "old", "k_next": "new"}
    held = applied(held, state.begin(LOGIN, held, ME, NOW, "made up"))
    assert (held["k_next"], held["k_next_login"]) == ("new", SECOND)
    assert there(applied(held, state.undo(LOGIN, held, ME))) == {"k": "old", "k_next": "new", "k_next_login": SECOND}


def test_a_name_that_was_given_with_the_key() -> None:
    held: Held = {"k": "old", "k_next": "new", "k_next_name": "mailops 2027"}
    held = applied(held, state.begin(GIVEN, held, ME, NOW))
    held = applied(held, state.switch(GIVEN, held, ME, NOW))
    assert (held["k_name"], held["k_former_name"]) == ("mailops 2027", "mailops")


@pytest.mark.parametrize(
    ("one", "held", "value", "message"),
    [
        (LOGIN, {"k": "old"}, None, "there is no new value for k"),
        (LOGIN, {"k": "old"}, "old", "k_next is the same as k"),
        (TOKEN, {"k": "old", "k_next": "old"}, "new", "k_next is the same as k"),
        (GIVEN, {"k": "old"}, "new", "k_next is not in vault.yml"),
        (LOGIN, {"k": "old", "k_rotation": "somebody"}, "new", "k_rotation is not what a rotation writes"),
        (LOGIN, {"k": "old", "k_rotation": "a b 1 2026-01-01T00:00:00Z soon"}, "new", "k_rotation is not what"),
        (LOGIN, {"k": "old", "k_rotation": "a b 1 yesterday pending"}, "new", "k_rotation is not a time"),
        (LOGIN, {"k_next": "new"}, "new", "k is not in vault.yml"),
        (LOGIN, {"k": ""}, "new", "k is not in vault.yml"),
    ],
)
def test_what_cannot_begin(one: Secret, held: Held, value: str | None, message: str) -> None:
    with pytest.raises((ValidationError, NotFoundError), match=message):
        state.begin(one, held, ME, NOW, value)


def test_two_that_begin_at_once() -> None:
    """Both read that nothing has begun; the write of the second is refused."""
    held: Held = {"k": "old"}
    first, second = state.begin(LOGIN, held, ME, NOW, "one"), state.begin(LOGIN, held, OTHER, NOW, "two")
    with pytest.raises(ConflictError):
        applied(applied(held, first), second)


def test_a_run_that_was_overtaken_writes_nothing_more() -> None:
    held = applied({"k": "old"}, state.begin(LOGIN, {"k": "old"}, ME, NOW, "new"))
    mine = state.switch(LOGIN, held, ME, NOW)
    taken = applied(held, state.take(LOGIN, held, OTHER, NOW))
    assert taken["k_rotation"] == by(OTHER, "pending")
    with pytest.raises(ConflictError):
        applied(taken, mine)
    for move in (state.undo, lambda *given: state.switch(*given, NOW)):
        with pytest.raises(ConflictError, match="another run has taken over the rotation of k"):
            move(LOGIN, taken, ME)


def test_who_may_carry_on() -> None:
    """It itself, and any other if it is dead; of another host nobody knows, so it is given an hour."""
    found = Rotation(OTHER, state.timestamp(NOW), "pending")
    state.check_free(found, OTHER, True, NOW)
    state.check_free(found, ME, False, NOW)
    for take_over in (False, True):
        with pytest.raises(ConflictError, match="already, by process 200 on here since 2026-05-04T12:00:00Z"):
            state.check_free(found, ME, True, NOW + timedelta(days=2), take_over)
    away = Rotation(Run("9-9", "there", 100), state.timestamp(NOW), "pending")
    for later in (timedelta(hours=-2), timedelta(0), timedelta(minutes=59)):
        state.check_free(away, ME, False, NOW + later, True)
        with pytest.raises(ConflictError, match="whether that still runs cannot be seen from here") as error:
            state.check_free(away, ME, False, NOW + later)
        assert "Wait until 2026-05-04T13:00:00Z" in error.value.remedy
    state.check_free(away, ME, False, NOW + timedelta(hours=1))


def test_a_pending_value_that_somebody_removed_is_made_anew() -> None:
    """In place, Mailgun may have the password that nobody knows any more."""
    held: Held = {"k": "old", "k_rotation": by(OTHER, "pending")}
    assert state.phase(INPLACE, held) == "begun"
    held = applied(held, state.take(INPLACE, held, ME, NOW, "new"))
    assert (held["k_next"], held["k_rotation"], state.phase(INPLACE, held)) == ("new", by(ME, "pending"), "pending")


def test_what_is_left_without_its_rotation_is_put_away() -> None:
    for one, left in ((TOKEN, "k_previous"), (LOGIN, "k_former_login")):
        held: Held = {"k": "new", left: "left", "k_next": "newer"}
        assert state.phase(one, held) == "switched"
        held = applied(held, state.take(one, held, ME, NOW))
        assert held["k_rotation"] == by(ME, "switched")
        assert there(applied(held, state.finish(one, held, ME))) == {"k": "new", "k_next": "newer"}


def test_what_is_in_force_is_said() -> None:
    held: Held = {"k": "old"}
    assert state.in_force(LOGIN, held) == f"In force is k of vault.yml, for {BASE}."
    held = applied(held, state.begin(LOGIN, held, ME, NOW, "new"))
    assert state.in_force(LOGIN, held).startswith(f"In force is still the old k of vault.yml, for {BASE};")
    held = applied(held, state.switch(LOGIN, held, ME, NOW))
    assert state.in_force(LOGIN, held).startswith(f"In force is the new k of vault.yml, for {SECOND};")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("2026-01-31T13:00:00+01:00", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("2026-01-31 12:00:00+00:00", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=timezone.utc)),
    ],
)
def test_times_as_people_write_them(text: str, expected: datetime) -> None:
    assert state.moment(text, "k_rotated") == expected


def moves(value: str) -> dict[str, Callable[[Secret, Held], state.Write]]:
    return {
        "begin": lambda one, held: state.begin(one, held, ME, NOW, value),
        "take": lambda one, held: state.take(one, held, ME, NOW, value),
        "made": lambda one, held: state.made(one, held, ME, value),
        "switch": lambda one, held: state.switch(one, held, ME, NOW),
        "finish": lambda one, held: state.finish(one, held, ME),
        "undo": lambda one, held: state.undo(one, held, ME),
    }


VALUES = st.sampled_from(["", "one", "two", "three"])


@st.composite
def anything(draw: st.DrawFn) -> tuple[Secret, Held]:
    """Return a secret, and variables as runs or people may have left them."""
    one = secret(draw(st.sampled_from(KINDS)), draw(st.sampled_from((PAIR, IN_PLACE))))
    names = one.variables
    held: Held = {name: draw(VALUES) or None for name in (names.current, names.next, names.previous)}
    for name in (names.active, names.next_active, names.former):
        if name:
            held[name] = draw(st.sampled_from([None, BASE, SECOND, "mailops", "another"]))
    steps = [by(run, step) for run in (ME, OTHER) for step in state.STEPS]
    held[names.rotation] = draw(st.sampled_from([None, "garbage", *steps]))
    held[names.rotated] = draw(st.sampled_from([None, "2026-01-01T00:00:00Z"]))
    return one, held


@given(anything(), st.sampled_from(sorted(moves(""))), VALUES)
def test_no_move_loses_the_current_value_or_the_pending_one(given_: tuple[Secret, Held], move: str, value: str) -> None:
    one, held = given_
    names = one.variables
    try:
        write = moves(value)[move](one, held)
    except MailopsError:
        return
    assert set(write.changes) <= set(names.all()) == set(write.expected)
    after = applied(held, write)
    assert after[names.current] == (held[names.next] if move == "switch" else held[names.current])
    if move in ("begin", "take") and held[names.next]:
        assert after[names.next] == held[names.next]
    if move == "undo" and state.by_administrator(one, held):
        assert after[names.next] == held[names.next]
    leads_to = {
        "begin": ("begun", "pending"),
        "take": ("begun", "pending", "switched"),
        "made": ("pending",),
        "switch": ("switched",),
        "finish": ("idle", "offered"),
        # What an earlier rotation left is put away afterwards.
        "undo": ("idle", "offered", "switched"),
    }
    assert state.phase(one, after) in leads_to[move]
    assert bool(after[names.rotation]) == (move not in ("finish", "undo"))


@given(anything(), st.sampled_from(sorted(moves(""))), VALUES, st.data())
def test_a_move_is_refused_where_anything_has_changed_underneath(
    given_: tuple[Secret, Held], move: str, value: str, data: st.DataObject
) -> None:
    one, held = given_
    try:
        write = moves(value)[move](one, held)
    except MailopsError:
        return
    name = data.draw(st.sampled_from(one.variables.all()))
    with pytest.raises(ConflictError):
        applied({**held, name: "somebody else's"}, write)


def test_what_a_run_knows_is_to_be_there_still() -> None:
    held = {"k": "one", "k_next": "two"}
    state.check_known(held, {"k": "one", "k_next": "two", "k_previous": ""})
    with pytest.raises(ConflictError, match="somebody has changed k, k_next, k_previous since") as caught:
        state.check_known(held, {"k": "two", "k_next": "", "k_previous": "three"})
    assert "two" not in caught.value.text() and "three" not in caught.value.text()
