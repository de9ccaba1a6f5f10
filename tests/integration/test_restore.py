# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore leaves alone and what it must not break, on every version."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module, warned
from support.steps import READS

pytestmark = pytest.mark.integration

ROLES = {"bounce_alias": "bounce", "catchall_alias": "catchall"}
LEAD = {"alias_model": "crm.lead"}
FORMER = "mail_delivery.former_addresses"
SINCE = {"name": "Since", "smtp_host": "since.example", "smtp_port": 25, "encryption": "none", "test": "never"}


@pytest.fixture(scope="module", autouse=True)
def alias_domain(any_odoo: Odoo) -> None:
    """The database's only alias domain."""
    assert run_module("alias_domain", {**any_odoo.connection(), "name": "acme.example", **ROLES})["changed"]


@pytest.fixture
def kept(any_odoo: Odoo, tmp_path: Path) -> Callable[[], Path]:
    """Save a snapshot of what is there; a restore deletes the server that is made with it."""

    def save() -> Path:
        path = tmp_path / "before.json"
        made = any_odoo.call("ir.mail_server", "search", [["name", "=", "Since"]])
        any_odoo.call("ir.mail_server", "unlink", made)
        assert run_module("mail_server", {**any_odoo.connection(), **SINCE, "odoo_snapshot": str(path)})["changed"]
        return path

    return save


def restored(odoo: Odoo, path: Path) -> dict[str, Any]:
    """Predict a restore, do it, and see that there is nothing left to do; return its result."""
    options = {**odoo.connection(), "path": str(path)}
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        predicted = run_module("mail_settings_restore", {**options, "odoo_url": url}, check=True)
    assert not predicted.get("failed"), predicted
    assert {method for _model, method in calls} <= READS
    done = run_module("mail_settings_restore", options)
    assert not done.get("failed"), done
    assert sorted(predicted["changes"], key=str) == sorted(done["changes"], key=str)
    assert warned(predicted) == warned(done)
    assert ("delete", "Since") in [(change["action"], change["name"]) for change in done["changes"]]
    assert not run_module("mail_settings_restore", options)["changed"]
    return done


def alias(odoo: Odoo, **values: Any) -> int:
    model = odoo.call("ir.model", "search", [["model", "=", "crm.lead"]])[0]
    number: int = odoo.call("mail.alias", "create", {"alias_model_id": model, **values})
    return number


def parameter(odoo: Odoo, key: str) -> Any:
    return next(iter(odoo.call("ir.config_parameter", "search_read", [["key", "=", key]], ["value"])), {}).get("value")


def test_a_team_s_alias_gets_its_name_back_and_no_second_one_is_made(any_odoo: Odoo, kept: Callable[[], Path]) -> None:
    team = any_odoo.call("crm.team", "create", {"name": "Exports", "alias_name": "exports"})
    (own,) = any_odoo.call("crm.team", "read", [team], ["alias_id"])
    path = kept()
    gone = {"alias_name": "exports", "state": "absent"}
    assert run_module("mail_alias", {**any_odoo.connection(), **gone})["changed"]
    restored(any_odoo, path)
    assert any_odoo.call("mail.alias", "search", [["alias_name", "=", "exports"]]) == [own["alias_id"][0]]


def test_what_was_there_already_is_not_deleted_although_no_task_could_name_it_then(
    any_odoo: Odoo, kept: Callable[[], Path]
) -> None:
    twins = any_odoo.call("ir.mail_server", "create", [{"name": "Twin", "smtp_host": "a.example", "smtp_port": 25}] * 2)
    unnamed = alias(any_odoo, alias_name=False)
    path = kept()
    any_odoo.call("ir.mail_server", "write", twins[:1], {"name": "The first twin"})
    any_odoo.call("mail.alias", "write", [unnamed], {"alias_name": "named-since"})
    restored(any_odoo, path)
    assert sorted(any_odoo.call("ir.mail_server", "search", [["smtp_host", "=", "a.example"]])) == sorted(twins)
    assert any_odoo.call("mail.alias", "search", [["alias_name", "=", "named-since"]]) == [unnamed]


def test_a_base_url_that_was_frozen_since_is_freed_and_not_deleted(any_odoo: Odoo, kept: Callable[[], Path]) -> None:
    path = kept()
    frozen = [
        {"key": "web.base.url", "value": "https://odoo.acme.example"},
        {"key": "web.base.url.freeze", "value": "True"},
    ]
    assert run_module("system_parameters", {**any_odoo.connection(), "parameters": frozen})["changed"]
    restored(any_odoo, path)
    assert parameter(any_odoo, "web.base.url.freeze") is None
    assert parameter(any_odoo, "web.base.url") == "https://odoo.acme.example"


def test_a_base_url_that_was_freed_since_is_frozen_again(any_odoo: Odoo, kept: Callable[[], Path]) -> None:
    frozen = [
        {"key": "web.base.url", "value": "https://odoo.acme.example"},
        {"key": "web.base.url.freeze", "value": "True"},
    ]
    run_module("system_parameters", {**any_odoo.connection(), "parameters": frozen})
    path = kept()
    freed = {"parameters": [{"key": "web.base.url.freeze"}], "state": "absent"}
    assert run_module("system_parameters", {**any_odoo.connection(), **freed})["changed"]
    run_module("system_parameter", {**any_odoo.connection(), "key": "web.base.url", "value": "https://else.example"})
    restored(any_odoo, path)
    assert parameter(any_odoo, "web.base.url") == "https://odoo.acme.example"
    assert parameter(any_odoo, "web.base.url.freeze") == "True"


def test_users_and_companies_keep_the_names_they_were_given_since(any_odoo: Odoo, kept: Callable[[], Path]) -> None:
    (company,) = any_odoo.call("res.company", "search", [])
    user = any_odoo.call(
        "res.users",
        "create",
        {"name": "Anna", "login": "anna", "email": "anna@acme.example"},
        context={"no_reset_password": True},
    )
    any_odoo.call("res.company", "write", [company], {"email": "info@acme.example"})
    path = kept()
    any_odoo.call("res.users", "write", [user], {"login": "anna@acme.example", "email": "else@acme.example"})
    any_odoo.call("res.company", "write", [company], {"name": "Acme Ltd", "email": "else@acme.example"})
    restored(any_odoo, path)
    (anna,) = any_odoo.call("res.users", "read", [user], ["login", "email"])
    assert (anna["login"], anna["email"]) == ("anna@acme.example", "anna@acme.example")
    (acme,) = any_odoo.call("res.company", "read", [company], ["name", "email"])
    assert (acme["name"], acme["email"]) == ("Acme Ltd", "info@acme.example")


def test_an_alias_of_a_record_that_is_gone_is_named_and_the_rest_restored(
    any_odoo: Odoo, kept: Callable[[], Path]
) -> None:
    team = any_odoo.call("crm.team", "create", {"name": "Gone", "alias_name": "gone"})
    alias(any_odoo, alias_name="of-the-team", alias_defaults=repr({"team_id": team}))
    alias(any_odoo, alias_name="deleted")
    path = kept()
    any_odoo.call("crm.team", "unlink", [team])
    (left,) = any_odoo.call("mail.alias", "search", [["alias_name", "=", "of-the-team"]])
    any_odoo.call("mail.alias", "write", [left], {"alias_contact": "partners"})
    any_odoo.call("mail.alias", "unlink", any_odoo.call("mail.alias", "search", [["alias_name", "=", "deleted"]]))
    done = restored(any_odoo, path)
    told = [text for text in warned(done) if "cannot be put back" in text]
    assert [text.partition(" cannot")[0].split()[:2] for text in told] == [["alias", "gone"], ["alias", "of-the-team"]]
    assert all(f"is {team}: this Odoo has no such record of crm.team" in text for text in told)
    names = {"gone", "of-the-team", "deleted"}
    found = any_odoo.call(
        "mail.alias", "search_read", [["alias_name", "in", sorted(names)]], ["alias_name", "alias_contact"]
    )
    assert {record["alias_name"]: record["alias_contact"] for record in found} == {
        "of-the-team": "partners",
        "deleted": "everyone",
    }


def test_settings_of_an_app_that_is_gone_are_left_out_and_told(any_odoo: Odoo, kept: Callable[[], Path]) -> None:
    """As if 14 had had allowed senders, which come with 16."""
    path = kept()
    saved = json.loads(path.read_text())
    sender = {"id": 4711, "values": {"email": "partner@customer.example"}, "secrets": []}
    saved["settings"]["allowed_senders"] = [sender]
    path.write_text(json.dumps(saved))
    done = restored(any_odoo, path)
    made = [change["name"] for change in done["changes"] if change["action"] == "create"]
    told = [text for text in warned(done) if "mail.gateway.allowed" in text]
    if any_odoo.name == "odoo":
        assert (made, told) == (["partner@customer.example"], [])
    else:
        assert (made, told) == (
            [],
            [
                "allowed sender partner@customer.example cannot be put back: this Odoo has no mail.gateway.allowed any "
                "more. Is the app that brings it installed?"
            ],
        )
