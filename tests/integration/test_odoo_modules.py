# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module against a real Odoo 19, over both protocols: create, repeat, change, repeat, absent, repeat; check mode
writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect
from support.machines import PROTOCOLS, Odoo
from support.modules import recorded, run_module

pytestmark = pytest.mark.integration

WRITES = {"create", "write", "unlink"}
SERVER = {
    "name": "Zoho Mail",
    "sequence": 1,
    "smtp_host": "mail.zoho.com",
    "smtp_port": 465,
    "encryption": "ssl",
    "smtp_user": "no-reply@acme.example",
    "smtp_pass": "canary-first",
    "from_filter": ["no-reply@acme.example", "Bounce@ACME.example"],
}
# These servers are alike, and their passwords are none.
LENIENT = {"test": "never", "adopt": False}
DOMAIN = {"name": "Acme.Example", "bounce_alias": "bounce", "catchall_alias": "catchall", "default_from": "no-reply"}
ALIAS = {
    "alias_name": "Sales",
    "alias_domain": "acme.example",
    "alias_model": "crm.lead",
    "alias_defaults": {"type": "lead"},
}
# module → (what is created, what is changed, model, the changed field as Odoo holds it afterwards)
SINGULAR: dict[str, tuple[dict[str, Any], dict[str, Any], str, tuple[str, Any]]] = {
    "mail_server": (SERVER, {"smtp_pass": "canary-second"}, "ir.mail_server", ("smtp_pass", "canary-second")),
    "alias_domain": (DOMAIN, {"default_from": "notifications"}, "mail.alias.domain", ("default_from", "notifications")),
    "mail_alias": (ALIAS, {"alias_contact": "followers"}, "mail.alias", ("alias_contact", "followers")),
}
SINGULAR["system_parameter"] = (
    {"key": "canary.token", "secret_value": "canary-first"},
    {"secret_value": "canary-second"},
    "ir.config_parameter",
    ("value", "canary-second"),
)
# plural module → the list's name; the records are those of the singular module
PLURAL = {
    "mail_servers": ("servers", "mail_server"),
    "alias_domains": ("alias_domains", "alias_domain"),
    "mail_aliases": ("aliases", "mail_alias"),
}


@pytest.fixture(scope="module", autouse=True)
def alias_domain(odoo: Odoo) -> None:
    """The alias domain that the aliases need; tests of alias domains use others."""
    assert run_module("alias_domain", {**odoo.connection(), **DOMAIN})["changed"]


@pytest.fixture(name="odoo", scope="module", params=PROTOCOLS)
def odoo_over_both_protocols(odoo: Odoo, request: pytest.FixtureRequest) -> Odoo:
    """One database, reached in both ways."""
    return odoo.over(request.param)


def cycle(odoo: Odoo, module: str, options: Callable[[dict[str, Any]], dict[str, Any]], record: dict[str, Any],
          change: dict[str, Any], model: str, stored: tuple[str, Any]) -> None:  # fmt: skip
    """Walk a record through its life; before each step, check mode predicts it and writes nothing."""

    def step(given: dict[str, Any], changed: bool) -> dict[str, Any]:
        with recorded(odoo.url, odoo.ca_file) as (url, calls):
            predicted = run_module(module, {**odoo.connection(), "odoo_url": url, **options(given)}, check=True)
        assert not predicted.get("failed"), predicted
        assert not WRITES & {method for _model, method in calls}, calls
        done = run_module(module, {**odoo.connection(), **options(given)})
        assert not done.get("failed"), done
        assert done["changed"] is changed, done
        assert (predicted["changed"], predicted["changes"], predicted["diff"]) == (
            done["changed"], done["changes"], done["diff"]
        )  # fmt: skip
        assert "canary-" not in str(predicted) + str({**done, "invocation": None})
        return done

    before = set(odoo.call(model, "search", [], context={"active_test": False}))
    created = step(record, True)
    assert [change["action"] for change in created["changes"]] == ["create"]
    (new_id,) = set(odoo.call(model, "search", [], context={"active_test": False})) - before
    step(record, False)
    updated = step({**record, **change}, True)
    assert [entry["action"] for entry in updated["changes"]] == ["update"]
    assert odoo.call(model, "read", [new_id], [stored[0]])[0][stored[0]] == stored[1]
    step({**record, **change}, False)
    key = {name: record[name] for name in ("name", "alias_name", "alias_domain", "key") if name in record}
    singular = module if module in SINGULAR else PLURAL[module][1]
    absent = {**key, "state": "absent", **({"allow_delete": True} if singular == "alias_domain" else {})}
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        assert run_module(singular, {**odoo.connection(), "odoo_url": url, **absent}, check=True)["changed"]
    assert not WRITES & {method for _model, method in calls}, calls
    assert run_module(singular, {**odoo.connection(), **absent})["changed"]
    assert not odoo.call(model, "search", [["id", "=", new_id]], context={"active_test": False})
    assert not run_module(singular, {**odoo.connection(), **absent})["changed"]


@pytest.mark.parametrize("module", sorted(SINGULAR))
def test_singular(odoo: Odoo, module: str) -> None:
    record, change, model, stored = SINGULAR[module]
    if module == "alias_domain":
        record = {**record, "name": "Other.Example"}
    lenient = LENIENT if module == "mail_server" else {}
    cycle(odoo, module, lambda given: {**given, **lenient}, record, change, model, stored)


@pytest.mark.parametrize("module", sorted(PLURAL))
def test_plural(odoo: Odoo, module: str) -> None:
    option, singular = PLURAL[module]
    record, change, model, stored = SINGULAR[singular]
    if module == "alias_domains":
        record = {**record, "name": "Third.Example"}
    lenient = LENIENT if module == "mail_servers" else {}
    cycle(odoo, module, lambda given: {option: [given], **lenient}, record, change, model, stored)


def test_names_are_written_in_lower_case(odoo: Odoo) -> None:
    (domain,) = odoo.call("mail.alias.domain", "search_read", [], ["name", "default_from_email"])
    assert (domain["name"], domain["default_from_email"]) == ("acme.example", "no-reply@acme.example")


def test_a_certificate_is_verified_unless_told_otherwise(odoo: Odoo) -> None:
    options = {**odoo.connection(), **SERVER, **LENIENT, "name": "Verified"}
    run_module("mail_server", options)
    run_module("mail_server", {**options, "name": "Unverified", "verify": False})
    stored = odoo.call("ir.mail_server", "search_read", [["name", "like", "erified"]], ["name", "smtp_encryption"])
    assert {record["name"]: record["smtp_encryption"] for record in stored} == {
        "Verified": "ssl_strict",
        "Unverified": "ssl",
    }


def test_null_clears_and_omitted_leaves_alone(odoo: Odoo) -> None:
    name = {"name": "Cleared"}
    run_module("mail_server", {**odoo.connection(), **LENIENT, **SERVER, **name})
    assert not run_module("mail_server", {**odoo.connection(), **name})["changed"]
    cleared = run_module(
        "mail_server", {**odoo.connection(), **LENIENT, **name, "from_filter": None, "smtp_pass": None}
    )
    assert cleared["changed"]
    assert "canary" not in str(cleared["changes"]) + str(cleared["diff"])
    (stored,) = odoo.call("ir.mail_server", "search_read", [["name", "=", "Cleared"]], ["from_filter", "smtp_pass"])
    assert (stored["from_filter"], stored["smtp_pass"]) == (False, False)
    assert not run_module("mail_servers", {**odoo.connection(), "servers": [{**name, "from_filter": None}]})["changed"]


def test_info_shows_archived_servers_and_no_password(odoo: Odoo) -> None:
    run_module("mail_server", {**odoo.connection(), **LENIENT, **SERVER, "name": "Archived", "active": False})
    (record,) = run_module("mail_server_info", {**odoo.connection(), "names": ["Archived"]})["records"]
    assert record["active"] is False
    assert record["smtp_pass"] == "(hidden)"
    assert record["from_filter"] == ["bounce@acme.example", "no-reply@acme.example"]


def test_an_archived_server_is_found_and_not_created_twice(odoo: Odoo) -> None:
    again = run_module("mail_server", {**odoo.connection(), **LENIENT, **SERVER, "name": "Archived", "active": True})
    assert [change["action"] for change in again["changes"]] == ["update"]


def test_two_records_of_one_name_are_an_error_that_names_them(odoo: Odoo) -> None:
    values = {"name": "Twin", "smtp_host": "a.example", "smtp_port": 25}
    ids = [odoo.call("ir.mail_server", "create", values) for _twin in range(2)]
    result = run_module("mail_server", {**odoo.connection(), "name": "Twin", "sequence": 5})
    assert result["failed"]
    assert result["error"] == "conflict"
    assert all(str(number) in result["msg"] for number in ids)


def test_an_alias_that_a_sales_team_owns_is_edited_in_place(odoo: Odoo) -> None:
    team = odoo.call("crm.team", "create", {"name": "Exports", "alias_name": "exports"})
    alias = odoo.call("crm.team", "read", [team], ["alias_id"])[0]["alias_id"][0]
    wanted = {"alias_name": "exports", "alias_domain": "acme.example", "alias_contact": "partners"}
    result = run_module("mail_alias", {**odoo.connection(), **wanted})
    assert [change["action"] for change in result["changes"]] == ["update"], result
    assert odoo.call("mail.alias", "read", [alias], ["alias_contact"])[0]["alias_contact"] == "partners"


def test_the_only_alias_domain_is_taken_when_none_is_given(odoo: Odoo) -> None:
    alias = {"alias_name": "lonely", "alias_model": "crm.lead"}
    assert run_module("mail_alias", {**odoo.connection(), **alias})["changed"]
    assert not run_module("mail_alias", {**odoo.connection(), **alias, "alias_domain": "acme.example"})["changed"]


def test_a_value_this_odoo_does_not_know_is_refused_before_anything_is_written(odoo: Odoo) -> None:
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        result = run_module("mail_alias", {**odoo.connection(), "odoo_url": url, **ALIAS, "alias_contact": "employees"})
    assert result["failed"]
    assert "alias_contact is 'employees': Odoo 19.0 knows only everyone" in result["msg"]
    assert not WRITES & {method for _model, method in calls}


def test_prune_deletes_what_is_not_listed_within_its_limit(odoo: Odoo) -> None:
    aliases = [{"alias_name": f"prune-{number}", "alias_model": "crm.lead"} for number in range(4)]
    run_module("mail_aliases", {**odoo.connection(), "aliases": aliases})
    total = odoo.call("mail.alias", "search_count", [])
    refused = run_module("mail_aliases", {**odoo.connection(), "aliases": aliases[:1], "prune": True, "prune_limit": 1})
    assert refused["failed"]
    assert "prune_limit" in refused["msg"]
    assert odoo.call("mail.alias", "search_count", []) == total
    servers = odoo.call("ir.mail_server", "search_count", [], context={"active_test": False})
    kept = {**SERVER, "name": "Verified"}
    pruned = run_module(
        "mail_servers", {**odoo.connection(), "servers": [kept], "prune": True, "prune_limit": servers - 1}
    )
    assert not pruned.get("failed"), pruned
    assert odoo.call("ir.mail_server", "search_read", [], ["name"], context={"active_test": False}) == [
        {"id": odoo.call("ir.mail_server", "search", [])[0], "name": "Verified"}
    ]


def test_a_method_that_returns_nothing(odoo: Odoo) -> None:
    """19 answers such a call without a result: that is no protocol error."""
    client = connect({"odoo_login": None, "odoo_password": None, "odoo_timeout": 60, **odoo.connection()})
    assert client.call("mail.mail", "send", client.create("mail.mail", [{"subject": "nobody"}])) is None


def test_a_port_given_alone_is_checked_against_the_stored_encryption(odoo: Odoo) -> None:
    stored = {**SERVER, "name": "Alone", "smtp_port": 465, "encryption": "ssl"}
    assert run_module("mail_server", {**odoo.connection(), **LENIENT, **stored})["changed"]
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        result = run_module("mail_server", {**odoo.connection(), "odoo_url": url, "name": "Alone", "smtp_port": 587})
    assert "mail server Alone: port 587 does not go with encryption ssl_strict" in result["msg"]
    assert not WRITES & {method for _model, method in calls}
    both = {"name": "Alone", "smtp_port": 587, "encryption": "starttls"}
    assert run_module("mail_server", {**odoo.connection(), **LENIENT, **both})["changed"]
