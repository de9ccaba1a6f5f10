# SPDX-License-Identifier: GPL-3.0-or-later
"""A credential's options, and what a plan may do to it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing, plan
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import HIDDEN
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import credential

CREDENTIALS = credential.of("mg.acme.example")
LOGIN = "no-reply@mg.acme.example"


def item(**values: Any) -> dict[str, Any]:
    return CREDENTIALS.check({"login": LOGIN, **values}, "credential")


@pytest.mark.parametrize("login", ["no-reply", "No-Reply", LOGIN, "no-reply@MG.acme.example"])
def test_a_login_has_one_form(login: str) -> None:
    assert item(login=login) == {"login": LOGIN}


WRONG: dict[str, dict[str, Any]] = {
    "is 'no-reply@acme.example', which is not of the domain mg.acme.example": {"login": "no-reply@acme.example"},
    "credential.login is 'a b@mg.acme.example': this is no local part": {"login": "a b"},
    "credential.login is '': this is no e-mail address": {"login": ""},
    "credential.password has 4 characters; Mailgun takes 5 to 32": {"password": "cana"},
    "credential.password has 33 characters": {"password": "canary" + 27 * "x"},
    "credential.password has 0 characters": {"password": ""},
    "credential.password has a character that cannot be printed": {"password": "canary\n"},
    "credential.password cannot be empty": {"password": None},
}


@pytest.mark.parametrize("text", sorted(WRONG))
def test_wrong_values_are_refused_and_a_password_is_not_repeated(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        item(**WRONG[text])
    assert text in caught.value.text()
    assert "cana" not in caught.value.text()


@pytest.mark.parametrize("length", [5, 32])
def test_the_shortest_and_the_longest_password(length: int) -> None:
    assert item(password="ä" * length)["password"] == "ä" * length


def test_one_login_in_two_forms_is_given_twice() -> None:
    with pytest.raises(ConflictError, match="given more than once"):
        plan(CREDENTIALS, [item(login="no-reply"), item(login=LOGIN)], [])


def test_a_new_credential_needs_a_password() -> None:
    with pytest.raises(ValidationError, match="these are needed: password"):
        plan(CREDENTIALS, [item()], [])


def existing(*logins: str) -> list[Existing]:
    return [Existing(0, {"login": f"{login}@mg.acme.example", "password": HIDDEN}) for login in logins]


def test_a_prune_leaves_the_domains_own_login() -> None:
    changes = plan(CREDENTIALS, [item()], existing("no-reply", "old", "postmaster"), prune=True, prune_limit=1)
    assert [(change.action, change.name) for change in changes] == [("delete", "old@mg.acme.example")]


def test_the_domains_own_login_is_not_deleted() -> None:
    changes = plan(CREDENTIALS, [item(login="postmaster")], existing("postmaster"), absent=True)
    with pytest.raises(ValidationError, match="belongs to the domain itself and cannot be deleted"):
        credential.check_deletions(changes)


def test_the_domains_own_login_may_get_a_password() -> None:
    (change,) = plan(CREDENTIALS, [item(login="postmaster", password="canary")], existing("postmaster"))
    credential.check_deletions([change])
    shown = change.shown(CREDENTIALS)
    assert shown["after"]["password"] == "(hidden, changed)"
    assert "canary" not in str(shown)
