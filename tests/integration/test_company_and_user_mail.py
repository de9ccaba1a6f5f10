# SPDX-License-Identifier: GPL-3.0-or-later
"""Companies and users: their addresses, what is warned of, and that none is ever made."""

from __future__ import annotations

from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module, warned

pytestmark = pytest.mark.integration

WRITES = {"create", "write", "unlink"}


def run(odoo: Odoo, module: str, options: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Run a module after check mode has said the same and written nothing; return its result and writing calls."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        predicted = run_module(module, {**odoo.connection(), "odoo_url": url, **options}, check=True)
        assert not WRITES & {method for _model, method in calls}, calls
        done = run_module(module, {**odoo.connection(), "odoo_url": url, **options})
    for key in ("changed", "changes", "msg"):
        assert predicted.get(key) == done.get(key)
    return done, [call for call in calls if call[1] in WRITES]


def test_a_company(odoo: Odoo) -> None:
    (company,) = odoo.call("res.company", "search_read", [], ["name", "email"])
    name = {"name": company["name"]}
    info = run_module("company_mail_info", odoo.connection())
    assert info["records"] == [{"id": company["id"], **name, "email": company["email"] or None, "alias_domain": None}]
    told = f"company {company['name']}: its e-mail address is empty, no real one; Odoo shows it to people who write"
    assert told in warned(info)[0]
    # The first alias domain is given to every company; a second is not.
    for domain in ("acme.example", "shop.example"):
        aliases = {"name": domain, "bounce_alias": "bounce", "catchall_alias": "catchall"}
        assert run_module("alias_domain", {**odoo.connection(), **aliases})["changed"]
    wanted = {**name, "email": "Office@acme.example", "alias_domain": "Shop.example"}
    done, writes = run(odoo, "company_mail", wanted)
    assert done["changes"][0]["after"] == {**name, "email": "office@acme.example", "alias_domain": "shop.example"}
    assert writes == [("res.company", "write")]
    assert warned(done) == []
    assert run(odoo, "companies_mail", {"companies": [wanted]})[1] == []
    stored = odoo.call("res.company", "read", [company["id"]], ["email", "alias_domain_id"])[0]
    assert (stored["email"], stored["alias_domain_id"][1]) == ("office@acme.example", "shop.example")
    cleared, writes = run(odoo, "company_mail", {**name, "email": None})
    assert told in warned(cleared)[0]
    assert writes == [("res.company", "write")]


def test_users(odoo: Odoo) -> None:
    odoo.call("res.users", "write", [2], {"email": "admin@example.com"})
    mails = odoo.call("mail.mail", "search_count", [])
    info = run_module("user_mail_info", {**odoo.connection(), "names": ["__system__", "admin"]})
    assert [(record["login"], record["email"]) for record in info["records"]] == [
        ("__system__", "odoobot@example.com"),
        ("admin", "admin@example.com"),
    ]
    told = "its e-mail address is {}@example.com, no real one; Odoo sends mail in its name"
    assert warned(info) == [f"user OdooBot: {told.format('odoobot')}", f"user admin: {told.format('admin')}"]
    left, _writes = run(odoo, "user_mail", {"login": "admin", "notification_type": "inbox"})
    assert (left["changed"], warned(left)) == (True, [f"user admin: {told.format('admin')}"])
    users = [{"login": "admin", "email": "Boss@acme.example"}, {"login": "odoobot", "email": "no-reply@acme.example"}]
    done, writes = run(odoo, "users_mail", {"users": users})
    assert [change["name"] for change in done["changes"]] == ["admin", "__system__"]
    assert warned(done) == []
    assert set(writes) == {("res.partner", "write")}
    stored = odoo.call("res.users", "read", [1, 2], ["email", "notification_type", "active"])
    assert [(user["email"], user["active"]) for user in stored] == [
        ("no-reply@acme.example", False),
        ("boss@acme.example", True),
    ]
    assert stored[1]["notification_type"] == "inbox"
    assert run(odoo, "users_mail", {"users": users})[1] == []
    # Nobody was written to at a placeholder; a real former address is told.
    assert odoo.call("mail.mail", "search_count", []) == mails
    changed, writes = run(
        odoo, "user_mail", {"login": "admin", "email": "it@acme.example", "notification_type": "email"}
    )
    assert writes == [("res.users", "write")]
    assert warned(changed) == []
    assert (
        odoo.call("mail.mail", "search_read", [], ["email_to"], order="id desc")[0]["email_to"] == "boss@acme.example"
    )


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "company": ("company_mail", {"name": "Nobody Ltd"}, "this database has no company Nobody Ltd; it has: "),
    "alias domain": (
        "company_mail",
        {"name": "My Company", "alias_domain": "no.example"},
        "company My Company: alias_domain is 'no.example': this Odoo has no mail.alias.domain 'no.example'",
    ),
    "company's address": (
        "company_mail",
        {"name": "x", "email": "office"},
        "company.email is 'office'",
    ),
    "user": (
        "users_mail",
        {"users": [{"login": "nobody"}]},
        "has no user nobody; it has: __system__, admin,",
    ),
    "user's address": (
        "users_mail",
        {"users": [{"login": "x", "email": "a@b"}]},
        "users[0].email is 'a@b'",
    ),
    "no notifications": (
        "user_mail",
        {"login": "x", "notification_type": None},
        "notification_type must be one of: email, inbox",
    ),
    "inbox of an outsider": (
        "user_mail",
        {"login": "portaltemplate", "notification_type": "inbox"},
        "user portaltemplate: Odoo refused res.users.write: ",
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_is_not_there_or_wrong_is_refused(odoo: Odoo, case: str) -> None:
    module, options, text = REFUSED[case]
    result = run_module(module, {**odoo.connection(), **options})
    assert result["failed"]
    assert not result.get("changed")
    assert text in result["msg"], result["msg"]
