# SPDX-License-Identifier: GPL-3.0-or-later
"""Alias domains on every version: companies, former addresses, and the changes that would lose mail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.machines import Odoo
from support.modules import run_module, warned
from support.steps import refused, step

pytestmark = pytest.mark.integration

# What only one of them has is tested last, in the same database: the tests of both end with no alias domain in it.
ONLY_19 = pytest.mark.parametrize("any_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")
ONLY_14 = pytest.mark.parametrize("any_odoo", ["odoo14"], ids=["14"], indirect=True, scope="module")

PARAMETER = "mail_delivery.former_addresses"
ROLES = {"bounce_alias": "bounce", "catchall_alias": "catchall"}
BY_HAND = (
    "the addon mail_delivery, from which mail gateways learn former addresses, is not installed: redirect by hand, at "
    "your mail provider, "
)


def domain(odoo: Odoo, changed: bool, name: str, **options: Any) -> dict[str, Any]:
    """Predict and do one step of an alias domain."""
    return step(odoo, "alias_domain", changed, name=name, **options)


def told(odoo: Odoo, name: str, **options: Any) -> str:
    """Return why a step of an alias domain is refused."""
    return refused(odoo, "alias_domain", name=name, **options).removesuffix(" Nothing was written.")


def former(odoo: Odoo) -> dict[str, str]:
    """Return former address → current one, as the database has it."""
    (record,) = odoo.call("ir.config_parameter", "search_read", [["key", "=", PARAMETER]], ["value"])
    found: dict[str, str] = json.loads(record["value"])
    return found


def companies(odoo: Odoo) -> dict[str, str | None]:
    """Return company → name of its alias domain."""
    found = odoo.call("res.company", "search_read", [], ["name", "alias_domain_id"])
    return {company["name"]: company["alias_domain_id"] and company["alias_domain_id"][1] for company in found}


def test_its_life(any_odoo: Odoo) -> None:
    created = domain(any_odoo, True, "Acme.Example", **ROLES, default_from="no-reply")
    assert [(change["action"], change["name"]) for change in created["changes"]] == [("create", "acme.example")]
    domain(any_odoo, False, "Acme.Example", **ROLES, default_from="No-Reply")
    domain(any_odoo, True, "acme.example", default_from="notifications")
    domain(any_odoo, True, "acme.example", default_from=None)
    domain(any_odoo, False, "acme.example", default_from=None)
    (record,) = run_module("alias_domain_info", any_odoo.connection())["records"]
    shown = {"name": "acme.example", **ROLES, "default_from": None, "former_addresses": {}}
    assert {key: record[key] for key in shown} == shown


def test_the_catchall_changes_only_with_its_former_name_told(any_odoo: Odoo) -> None:
    assert told(any_odoo, "acme.example", catchall_alias="replies") == (
        "alias domain acme.example: catchall_alias would change from 'catchall' to 'replies', and mail to the old "
        "address, to which mail that was sent before still leads, would be lost. Say former_catchall_aliases: "
        "[catchall]; mail to it then goes to the new one."
    )
    known = {"catchall_alias": "replies", "former_catchall_aliases": ["catchall"]}
    done = domain(any_odoo, True, "acme.example", **known)
    assert warned(done) == [BY_HAND + "catchall@acme.example to replies@acme.example"]
    assert "former_addresses: {'catchall@acme.example': 'replies@acme.example'}" in done["diff"]["after"]
    domain(any_odoo, False, "acme.example", **known)
    assert former(any_odoo) == {"catchall@acme.example": "replies@acme.example"}


def test_a_renamed_domain_remembers_all_its_addresses_and_where_the_former_went(any_odoo: Odoo) -> None:
    model = any_odoo.call("ir.model", "search", [["model", "=", "crm.lead"]])[0]
    any_odoo.call("mail.alias", "create", {"alias_name": "sales", "alias_model_id": model})
    domain(any_odoo, True, "acme.shop", former_names=["acme.example"])
    domain(any_odoo, False, "acme.shop", former_names=["acme.example"])
    now = former(any_odoo)
    assert now["catchall@acme.example"] == now["replies@acme.example"] == "replies@acme.shop"
    assert now["bounce@acme.example"] == "bounce@acme.shop"
    assert now["sales@acme.example"] == "sales@acme.shop"
    # 14 has a team's alias with an empty name in each new database.
    assert not [former for former in now if former.startswith("@")]
    assert [record["name"] for record in run_module("alias_domain_info", any_odoo.connection())["records"]] == [
        "acme.shop"
    ]

    # And back: no address points at itself, or at a former one.
    back = {"former_names": ["acme.shop"], "catchall_alias": "catchall", "former_catchall_aliases": ["replies"]}
    domain(any_odoo, True, "acme.example", **back)
    now = former(any_odoo)
    assert now["replies@acme.example"] == now["replies@acme.shop"] == "catchall@acme.example"
    assert now["sales@acme.shop"] == "sales@acme.example"
    assert not set(now) & {"catchall@acme.example", "bounce@acme.example", "sales@acme.example"}


def test_bounce_and_catchall_are_no_aliases_and_differ(any_odoo: Odoo) -> None:
    taken = {"bounce_alias": "sales", "former_bounce_aliases": ["bounce"]}
    assert told(any_odoo, "acme.example", **taken) == (
        "alias domain acme.example: bounce_alias is 'sales', which is an alias already. Mail to it would never make a "
        "record: rename or delete one of the two."
    )
    same = {"catchall_alias": "bounce", "former_catchall_aliases": ["catchall"]}
    assert "bounce_alias and catchall_alias are both 'bounce'" in told(any_odoo, "acme.example", **same)


def test_it_is_deleted_only_when_that_is_meant(any_odoo: Odoo) -> None:
    assert told(any_odoo, "acme.example", state="absent") == (
        "alias domain acme.example would be deleted, and replies to mail that was sent from it would be lost. "
        "Say allow_delete: true if that is meant, or rename it with former_names."
    )
    if any_odoo.name == "odoo":
        # 17 and later keep a domain that has aliases.
        aliases = any_odoo.call("mail.alias", "search", [])
        any_odoo.call("mail.alias", "write", aliases, {"alias_domain_id": False})
    domain(any_odoo, True, "acme.example", state="absent", allow_delete=True)
    domain(any_odoo, False, "acme.example", state="absent", allow_delete=True)


@ONLY_14
def test_odoo_14_has_one_alias_domain_and_not_every_option(any_odoo: Odoo) -> None:
    domain(any_odoo, True, "acme.example", **ROLES)
    assert told(any_odoo, "other.example", **ROLES) == (
        "alias domain other.example: Odoo 14.0 has one alias domain only, and that is acme.example. "
        "Say former_names: [acme.example] to rename it; several need Odoo 17 or later."
    )
    further: dict[str, Any] = {"companies": ["My Company"], "sequence": 5}
    for option, value in further.items():
        assert told(any_odoo, "acme.example", **{option: value}) == (
            f"alias domain acme.example: {option} cannot be set: this Odoo has no model mail.alias.domain, but one "
            "alias domain for all companies. Leave it out for this version."
        )


@ONLY_19
def test_the_first_is_for_the_companies_that_are_named(any_odoo: Odoo) -> None:
    # What the tests above have left.
    any_odoo.call("mail.alias", "unlink", any_odoo.call("mail.alias", "search", [["alias_name", "=", "sales"]]))
    any_odoo.sql(f"DELETE FROM ir_config_parameter WHERE key = '{PARAMETER}'")
    for name in ("Acme Shop", "Acme Trade"):
        any_odoo.call("res.company", "create", {"name": name})
    named = {**ROLES, "companies": ["My Company", "Acme Shop"]}
    done = domain(any_odoo, True, "acme.example", **named)
    assert companies(any_odoo) == {"My Company": "acme.example", "Acme Shop": "acme.example", "Acme Trade": False}
    assert done["changes"][0]["after"]["companies"] == ["Acme Shop", "My Company"]
    assert warned(done) == ["Odoo gives its first alias domain, acme.example, to all aliases without one: info"]
    domain(any_odoo, False, "acme.example", **named)


@ONLY_19
def test_companies_change_over_and_none_is_left_without(any_odoo: Odoo) -> None:
    domain(any_odoo, True, "shop.example", **ROLES, companies=["Acme Shop", "Acme Trade"])
    assert companies(any_odoo) == {
        "My Company": "acme.example",
        "Acme Shop": "shop.example",
        "Acme Trade": "shop.example",
    }
    assert told(any_odoo, "shop.example", companies=["Acme Trade"]) == (
        "the company 'Acme Shop' would be left without an alias domain: it uses shop.example. "
        "Name it among the companies of another one, or take its alias domain away with company_mail."
    )
    assert "this Odoo has no res.company 'Acme Ship'" in told(any_odoo, "shop.example", companies=["Acme Ship"])
    swapped = [
        {"name": "acme.example", "companies": ["Acme Shop", "Acme Trade"]},
        {"name": "shop.example", "companies": ["My Company"]},
    ]
    step(any_odoo, "alias_domains", True, alias_domains=swapped)
    step(any_odoo, "alias_domains", False, alias_domains=swapped)
    assert companies(any_odoo) == {
        "My Company": "shop.example",
        "Acme Shop": "acme.example",
        "Acme Trade": "acme.example",
    }
    twice = [{**item, "companies": ["My Company"]} for item in swapped]
    assert "the company 'My Company' is named by two alias domains. A company uses one." in refused(
        any_odoo, "alias_domains", alias_domains=twice
    )


@ONLY_19
def test_a_later_one_is_given_to_nobody(any_odoo: Odoo) -> None:
    before = companies(any_odoo)
    domain(any_odoo, True, "later.example", **ROLES)
    assert companies(any_odoo) == before


@ONLY_19
def test_former_addresses_may_be_told_of_a_new_one(any_odoo: Odoo) -> None:
    """A database that is set up anew takes the mail of the one before."""
    known = {"former_names": ["before.example"], "former_bounce_aliases": ["mailer"]}
    done = domain(any_odoo, True, "new.example", **ROLES, **known)
    assert done["changes"][0]["after"]["former_addresses"] == former(any_odoo)
    assert former(any_odoo) == {
        "bounce@before.example": "bounce@new.example",
        "catchall@before.example": "catchall@new.example",
        "mailer@before.example": "bounce@new.example",
        "mailer@new.example": "bounce@new.example",
    }
    domain(any_odoo, False, "new.example", **ROLES, **known)


@ONLY_19
def test_a_name_with_capitals_is_put_right_and_not_doubled(any_odoo: Odoo) -> None:
    any_odoo.call("mail.alias.domain", "create", {"name": "Upper.Example", **ROLES})
    done = domain(any_odoo, True, "upper.example", **ROLES)
    assert [change["action"] for change in done["changes"]] == ["update"]
    assert any_odoo.call("mail.alias.domain", "search_count", [["name", "=", "upper.example"]]) == 1


@ONLY_19
def test_a_former_name_is_not_that_of_a_domain_that_stays(any_odoo: Odoo) -> None:
    assert "former_names has shop.example, which exists beside it" in told(
        any_odoo, "later.example", former_names=["shop.example"]
    )
    assert "former_names has 'later.example', the present name" in told(
        any_odoo, "later.example", former_names=["Later.Example"]
    )
    both = [{"name": "third.example", **ROLES, "former_names": ["later.example"]}, {"name": "later.example"}]
    assert "two items mean the alias domain later.example" in refused(any_odoo, "alias_domains", alias_domains=both)


@ONLY_19
def test_a_parameter_that_is_no_map_is_told(any_odoo: Odoo) -> None:
    (number,) = any_odoo.call("ir.config_parameter", "search", [["key", "=", PARAMETER]])
    any_odoo.call("ir.config_parameter", "write", [number], {"value": "[1]"})
    assert f"the system parameter {PARAMETER} is no JSON object of addresses" in told(any_odoo, "later.example")
