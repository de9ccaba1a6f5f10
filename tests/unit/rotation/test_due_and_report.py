# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has to rotate, and how it tells what became of it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._rotation import steps
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.due import Due, days, due
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.report import report, rows, text
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import KINDS, STRATEGIES, Place, Secret
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.state import timestamp

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=timezone.utc)


def ago(number: float) -> str:
    return timestamp(NOW - timedelta(days=number))


def one(name: str, kind: str = "bridge_token", **said: Any) -> dict[str, Any]:
    return Secret(name, kind, "vault.yml", (Place("acme", "x"),), **said).shown()


def look(rotated: str = "", phase: str = "idle") -> dict[str, Any]:
    return {"phase": phase, "rotated": rotated, "steps": ["first", "second"]}


@pytest.mark.parametrize(
    ("text_", "expected"),
    [("90d", 90), ("12w", 84), ("36h", 1.5), ("1440m", 1), ("86400s", 1), ("0", 0), (7, 7), ("1.5 D", 1.5)],
)
def test_ages(text_: Any, expected: float) -> None:
    assert days(text_) == expected


@pytest.mark.parametrize("text_", ["", "soon", "-1d", "90y", True, None, "1e3", "99999d"])
def test_what_is_no_age(text_: Any) -> None:
    with pytest.raises(ValidationError, match="is no age|a hundred years"):
        days(text_)


def test_when_a_secret_is_due() -> None:
    assert due("", 90, NOW, "k_rotated") == Due(True, "", None)
    assert due(ago(89), 90, NOW, "k_rotated") == Due(False, "2026-05-05T12:00:00Z", 89.0)
    assert due(ago(90), 90, NOW, "k_rotated").due
    for rotated, message in (("last year", "k_rotated is not a time"), (ago(-2), "k_rotated is .*, which is to come")):
        with pytest.raises(ValidationError, match=message):
            due(rotated, 90, NOW, "k_rotated")


def chosen(**options: Any) -> dict[str, tuple[bool, str]]:
    secrets = [
        one("old"),
        one("young", "mailgun_login"),
        one("strict", max_age=5.0),
        one("unknown"),
        one("begun", "odoo_api_key"),
        one("by_hand", "given"),
        one("offered", "given"),
        one("shared", problem="it is used by two"),
        one("lost"),
        one("typo"),
    ]
    looks = {
        "old": look(ago(91)),
        "young": look(ago(10)),
        "strict": look(ago(10)),
        "unknown": look(),
        "begun": look(ago(1), "pending"),
        "by_hand": look(ago(100)),
        "offered": look(ago(1), "offered"),
        "shared": look(ago(1)),
        "lost": {"failed": True, "msg": "lost is not in vault.yml."},
        "typo": look("yesterday"),
    }
    found = rows(secrets, looks, NOW, options.pop("older_than", "90d"), **options)
    return {row["name"]: (row["chosen"], row["result"]) for row in found}


def test_a_run_takes_what_is_due_and_what_has_begun() -> None:
    assert chosen() == {
        "old": (True, "due"),
        "young": (False, "kept"),
        "strict": (True, "due"),
        "unknown": (True, "due"),
        "begun": (True, "kept"),
        "by_hand": (False, "due"),
        "offered": (True, "kept"),
        "shared": (False, "refused"),
        "lost": (False, "refused"),
        "typo": (False, "refused"),
    }
    by_age = chosen(older_than="5d")
    assert [by_age["young"], by_age["old"]] == [(True, "due")] * 2
    of_a_kind = chosen(kinds=["given"])
    assert {name for name, (taken, _result) in of_a_kind.items() if taken} == {"offered"}
    assert of_a_kind["old"] == (False, "due") and of_a_kind["lost"] == (False, "due")


def test_a_run_that_names_them_takes_no_other() -> None:
    named = chosen(names=["young", "shared"])
    assert {name for name, (taken, _result) in named.items() if taken} == {"young"}
    assert named["shared"] == (False, "refused") and named["lost"] == (False, "due")
    with pytest.raises(ValidationError, match="younger: no such secret") as error:
        chosen(names=["younger"])
    assert "There are old, young" in error.value.remedy
    with pytest.raises(ValidationError, match="token: no such kind"):
        chosen(kinds=["token"])


def test_what_is_given_by_hand_says_what_to_do() -> None:
    (row,) = rows([one("k", "given")], {"k": look()}, NOW, "90d")
    assert row["detail"] == "Have the provider make a new one, and write it into vault.yml as k_next."
    assert row["hosts"] == ["acme"] and row["remains"] == ["first", "second"]


def test_a_key_of_odoo_takes_a_password_or_is_made_by_hand() -> None:
    without, with_one = ({"about": {"password": there}} for there in (False, True))
    (row,) = rows([one("k", "odoo_api_key", **without)], {"k": look()}, NOW, "90d")
    assert (row["chosen"], row["result"]) == (False, "due")
    assert row["detail"].startswith("Set odoo_password in odoo_connection")
    assert row["detail"].endswith("and write it into vault.yml as k_next.")
    # What somebody made is taken.
    (row,) = rows([one("k", "odoo_api_key", **without)], {"k": look(phase="offered")}, NOW, "90d")
    assert row["chosen"]
    (row,) = rows([one("k", "odoo_api_key", **with_one)], {"k": look()}, NOW, "90d")
    assert row["chosen"]


def test_the_report_says_first_what_is_wrong() -> None:
    found = rows([one("a"), one("b"), one("c"), one("d", problem="why not")], {n: look() for n in "abc"}, NOW, "90d")
    for row, result in zip(found, ("rotated", "failed", "planned", "refused"), strict=True):
        row["result"] = result
    found[0].update(rotated=ago(0), due=False, next_due=ago(-90), detail="")
    found[1]["detail"] = "Step 2: Odoo does not answer."
    told = report(found)
    assert told["result"] == "failed" and json.loads(json.dumps(told)) == told
    assert [row["result"] for row in told["secrets"]] == ["failed", "refused", "planned", "rotated"]
    lines = text(told)
    shown = "\n".join(lines)
    assert "Step 2: Odoo does not answer." in shown and "why not" in shown and ago(-90) in shown
    # The steps of what is to be done, or was not finished.
    assert shown.count("1. first") == shown.count("2. second") == 2
    assert lines[-1] == "4 secrets: 1 failed, 1 refused, 1 planned, 1 rotated."
    assert max(map(len, lines)) <= 150


def test_what_a_report_comes_to() -> None:
    (row,) = rows([one("a")], {"a": look()}, NOW, "90d")
    assert report([row])["result"] == "due"
    assert report([{**row, "result": "rotated"}])["result"] == "done"
    assert report([{**row, "result": "refused"}])["result"] == "failed"
    assert text(report([])) == ["There is no secret to rotate: no setting of the inventory is a variable of the vault."]
    with pytest.raises(ValidationError, match="a has the result 'ok', none of failed"):
        report([{**row, "result": "ok"}])


def test_the_steps_that_remain() -> None:
    """From each phase fewer, the last one always the same; names are filled in."""
    login = Secret("k", "mailgun_login", "v.yml", (), base="no-reply@mg.x", about={"servers": ["Mailgun SMTP"]})
    held: dict[str, str | None] = {"k": "old"}
    whole = steps.remaining(login, held)
    assert whole[0] == "a new password is written into v.yml as k_next"
    assert "Mailgun gets the login no-reply-2@mg.x with it" in whole and whole[-2].endswith("no-reply@mg.x is removed")
    assert any("in one write: Mailgun SMTP" in step for step in whole)
    pending = steps.remaining(login, {**held, "k_next": "new", "k_rotation": "1 h 1 2026-01-01T00:00:00Z pending"})
    assert pending == whole[1:] == steps.remaining(login, {**held, "k_next": "new"})
    done = {"k": "new", "k_login": "no-reply-2@mg.x", "k_former_login": "no-reply@mg.x"}
    assert steps.remaining(login, done) == whole[-2:]
    key = Secret("k", "odoo_api_key", "v.yml", (), base="mailops")
    begun = {**held, "k_next_name": "mailops-2", "k_rotation": "1 h 1 2026-01-01T00:00:00Z begun"}
    assert steps.remaining(key, begun) == steps.remaining(key, held)
    assert "a key named mailops-2" in steps.remaining(key, held)[0]


def test_every_kind_has_steps_and_no_name_is_left_open() -> None:
    for kind, strategy in [(kind, STRATEGIES[0]) for kind in KINDS] + [("mailgun_login", STRATEGIES[1])]:
        whole = steps.remaining(Secret("k", kind, "v.yml", (), strategy, "base"), {"k": "old"})
        assert len(whole) >= 4 and not any("{" in step or "  " in step for step in whole)
