# SPDX-License-Identifier: GPL-3.0-or-later
"""Alias domains on every version: companies, former addresses, and the changes that would lose mail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module

pytestmark = pytest.mark.integration

WRITES = {"create", "write", "unlink"}
PARAMETER = "mail_delivery.former_addresses"
ROLES = {"bounce_alias": "bounce", "catchall_alias": "catchall"}
BY_HAND = (
    "the addon mail_delivery, from which mail gateways learn former addresses, is not installed: redirect by hand, at "
    "your mail provider, "
)


def former(odoo: Odoo) -> dict[str, str]:
    """Return former address → current one, as the database has it."""
    (record,) = odoo.call("ir.config_parameter", "search_read", [["key", "=", PARAMETER]], ["value"])
    found: dict[str, str] = json.loads(record["value"])
    return found


def step(odoo: Odoo, given: dict[str, Any], changed: bool = True, module: str = "alias_domain") -> dict[str, Any]:
    """Run the module, after check mode has predicted the same and written nothing."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        predicted = run_module(module, {**odoo.connection(), "odoo_url": url, **given}, check=True)
    assert not WRITES & {method for _model, method in calls}, calls
    done = run_module(module, {**odoo.connection(), **given})
    assert not done.get("failed"), done["msg"]
    assert done["changed"] is changed, done
    for key in ("changed", "changes", "diff", "warnings"):
        assert predicted[key] == done[key], key
    return done


def refused(odoo: Odoo, given: dict[str, Any], module: str = "alias_domain") -> str:
    """Run the module, which fails and writes nothing; return what it says."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        result = run_module(module, {**odoo.connection(), "odoo_url": url, **given})
    assert result["failed"], result
    assert not WRITES & {method for _model, method in calls}, calls
    return str(result["msg"]).removesuffix(" Nothing was written.")


def companies(odoo: Odoo) -> dict[str, str | None]:
    """Return company → name of its alias domain."""
    found = odoo.call("res.company", "search_read", [], ["name", "alias_domain_id"])
    return {company["name"]: company["alias_domain_id"] and company["alias_domain_id"][1] for company in found}


def test_its_life_on_every_version(any_odoo: Odoo) -> None:
    """One test, because each step builds on the one before."""
    odoo, acme = any_odoo, {"name": "Acme.Example", **ROLES}
    created = step(odoo, {**acme, "default_from": "no-reply"})
    assert [(change["action"], change["name"]) for change in created["changes"]] == [("create", "acme.example")]
    step(odoo, {**acme, "default_from": "No-Reply"}, changed=False)
    step(odoo, {**acme, "default_from": "notifications"})
    step(odoo, {"name": "acme.example", "default_from": None})
    step(odoo, {"name": "acme.example", "default_from": None}, changed=False)
    (record,) = run_module("alias_domain_info", odoo.connection())["records"]
    shown = {"name": "acme.example", **ROLES, "default_from": None, "former_addresses": {}}
    assert {key: record[key] for key in shown} == shown

    # The catchall changes only with its former name told.
    replies = {"name": "acme.example", "catchall_alias": "replies"}
    assert refused(odoo, replies) == (
        "alias domain acme.example: catchall_alias would change from 'catchall' to 'replies', and mail to the old "
        "address, to which mail that was sent before still leads, would be lost. Say former_catchall_aliases: "
        "[catchall]; mail to it then goes to the new one."
    )
    told = {**replies, "former_catchall_aliases": ["catchall"]}
    done = step(odoo, told)
    assert done["warnings"] == [BY_HAND + "catchall@acme.example to replies@acme.example"]
    assert "former_addresses: {'catchall@acme.example': 'replies@acme.example'}" in done["diff"]["after"]
    step(odoo, told, changed=False)
    assert former(odoo) == {"catchall@acme.example": "replies@acme.example"}

    # The domain gets another name: every address it had is remembered, and what was former points at the new ones.
    model = odoo.call("ir.model", "search", [["model", "=", "crm.lead"]])[0]
    odoo.call("mail.alias", "create", {"alias_name": "sales", "alias_model_id": model})
    renamed = {"name": "acme.shop", "former_names": ["acme.example"]}
    step(odoo, renamed)
    step(odoo, renamed, changed=False)
    now = former(odoo)
    assert now["catchall@acme.example"] == now["replies@acme.example"] == "replies@acme.shop"
    assert now["bounce@acme.example"] == "bounce@acme.shop"
    assert now["sales@acme.example"] == "sales@acme.shop"
    assert [entry["name"] for entry in run_module("alias_domain_info", odoo.connection())["records"]] == ["acme.shop"]

    # And back: no address points at itself.
    step(odoo, {"name": "acme.example", "former_names": ["acme.shop"], "catchall_alias": "catchall",
                "former_catchall_aliases": ["replies"]})  # fmt: skip
    back = former(odoo)
    assert back["replies@acme.example"] == back["replies@acme.shop"] == "catchall@acme.example"
    assert back["sales@acme.shop"] == "sales@acme.example"
    assert not set(back) & {"catchall@acme.example", "bounce@acme.example", "sales@acme.example"}

    # Bounce and catchall are no aliases.
    assert refused(odoo, {"name": "acme.example", "bounce_alias": "sales", "former_bounce_aliases": ["bounce"]}) == (
        "alias domain acme.example: bounce_alias is 'sales', which is an alias already. Mail to it would never make a "
        "record: rename or delete one of the two."
    )
    assert "bounce_alias and catchall_alias are both 'bounce'" in refused(
        odoo, {"name": "acme.example", "catchall_alias": "bounce", "former_catchall_aliases": ["catchall"]}
    )

    gone = {"name": "acme.example", "state": "absent"}
    assert refused(odoo, gone) == (
        "alias domain acme.example would be deleted, and replies to mail that was sent from it would be lost. "
        "Say allow_delete: true if that is meant, or rename it with former_names."
    )
    if odoo.name == "odoo":
        # Odoo keeps a domain that has aliases.
        odoo.call("mail.alias", "write", odoo.call("mail.alias", "search", []), {"alias_domain_id": False})
    step(odoo, {**gone, "allow_delete": True})
    step(odoo, {**gone, "allow_delete": True}, changed=False)


def test_odoo_14_has_one_alias_domain_and_not_every_option(odoo14: Odoo) -> None:
    step(odoo14, {"name": "acme.example", **ROLES})
    assert refused(odoo14, {"name": "other.example", **ROLES}) == (
        "alias domain other.example: Odoo 14.0 has one alias domain only, and that is acme.example. "
        "Say former_names: [acme.example] to rename it; several need Odoo 17 or later."
    )
    for option, value in (("companies", ["My Company"]), ("sequence", 5)):
        assert refused(odoo14, {"name": "acme.example", option: value}) == (
            f"alias domain acme.example: {option} cannot be set: this Odoo has no model mail.alias.domain, but one "
            "alias domain for all companies. Leave it out for this version."
        )


def test_the_first_is_for_the_companies_that_are_named(odoo: Odoo) -> None:
    for name in ("Acme Shop", "Acme Trade"):
        odoo.call("res.company", "create", {"name": name})
    acme = {"name": "acme.example", **ROLES, "companies": ["My Company", "Acme Shop"]}
    done = step(odoo, acme)
    assert companies(odoo) == {"My Company": "acme.example", "Acme Shop": "acme.example", "Acme Trade": False}
    assert done["changes"][0]["after"]["companies"] == ["Acme Shop", "My Company"]
    assert done["warnings"] == ["Odoo gives its first alias domain, acme.example, to all aliases without one: info"]
    step(odoo, acme, changed=False)


def test_companies_change_over_and_none_is_left_without(odoo: Odoo) -> None:
    shop = {"name": "shop.example", **ROLES, "companies": ["Acme Shop", "Acme Trade"]}
    step(odoo, shop)
    assert companies(odoo) == {
        "My Company": "acme.example",
        "Acme Shop": "shop.example",
        "Acme Trade": "shop.example",
    }
    assert refused(odoo, {"name": "shop.example", "companies": ["Acme Trade"]}) == (
        "the company 'Acme Shop' would be left without an alias domain: it uses shop.example. "
        "Name it among the companies of another one."
    )
    swapped = [
        {"name": "acme.example", "companies": ["Acme Shop", "Acme Trade"]},
        {"name": "shop.example", "companies": ["My Company"]},
    ]
    step(odoo, {"alias_domains": swapped}, module="alias_domains")
    step(odoo, {"alias_domains": swapped}, changed=False, module="alias_domains")
    assert set(companies(odoo).values()) == {"acme.example", "shop.example"}
    twice = [{**item, "companies": ["My Company"]} for item in swapped]
    assert refused(odoo, {"alias_domains": twice}, module="alias_domains") == (
        "the company 'My Company' is named by two alias domains. A company uses one."
    )
    assert "this Odoo has no res.company 'Acme Ship'" in refused(odoo, {**shop, "companies": ["Acme Ship"]})


def test_a_later_one_is_given_to_nobody(odoo: Odoo) -> None:
    before = companies(odoo)
    step(odoo, {"name": "later.example", **ROLES})
    assert companies(odoo) == before


def test_former_addresses_may_be_told_of_a_new_one(odoo: Odoo) -> None:
    """A database that is set up anew takes the mail of the one before."""
    told = {"name": "new.example", **ROLES, "former_names": ["before.example"], "former_bounce_aliases": ["mailer"]}
    done = step(odoo, told)
    assert done["changes"][0]["after"]["former_addresses"] == former(odoo) == {
        "bounce@before.example": "bounce@new.example",
        "catchall@before.example": "catchall@new.example",
        "mailer@before.example": "bounce@new.example",
        "mailer@new.example": "bounce@new.example",
    }  # fmt: skip
    step(odoo, told, changed=False)


def test_the_addon_makes_redirects_by_hand_needless(odoo: Odoo) -> None:
    assert run_module("odoo_module", {**odoo.connection(), "name": "mail_delivery"})["changed"]
    done = step(odoo, {"name": "new.example", "catchall_alias": "answers", "former_catchall_aliases": ["catchall"]})
    assert done["warnings"] == []
    assert former(odoo)["catchall@before.example"] == "answers@new.example"


def test_a_name_with_capitals_is_put_right_and_not_doubled(odoo: Odoo) -> None:
    odoo.call("mail.alias.domain", "create", {"name": "Upper.Example", **ROLES})
    done = step(odoo, {"name": "upper.example", **ROLES})
    assert [change["action"] for change in done["changes"]] == ["update"]
    assert odoo.call("mail.alias.domain", "search_count", [["name", "=", "upper.example"]]) == 1


def test_a_former_name_that_is_a_domain_of_its_own_is_refused(odoo: Odoo) -> None:
    assert "former_names has shop.example, which exists beside it" in refused(
        odoo, {"name": "later.example", "former_names": ["shop.example"]}
    )
    both = [{"name": "third.example", **ROLES, "former_names": ["later.example"]}, {"name": "later.example"}]
    assert "two items mean the alias domain later.example" in refused(
        odoo, {"alias_domains": both}, module="alias_domains"
    )
    assert "former_names has 'later.example', the present name" in refused(
        odoo, {"name": "later.example", "former_names": ["Later.Example"]}
    )


def test_a_parameter_that_is_no_map_is_told(odoo: Odoo) -> None:
    (number,) = odoo.call("ir.config_parameter", "search", [["key", "=", PARAMETER]])
    odoo.call("ir.config_parameter", "write", [number], {"value": "[1]"})
    assert f"the system parameter {PARAMETER} is no JSON object of addresses" in refused(
        odoo, {"name": "later.example", **ROLES}
    )
