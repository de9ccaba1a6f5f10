# SPDX-License-Identifier: GPL-3.0-or-later
"""System parameters, allowed senders, companies and users: what is checked, what counts as the same, what is hidden."""

from __future__ import annotations

from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module, warned

pytestmark = pytest.mark.integration

WRITES = {"create", "write", "unlink"}
MODEL = "ir.config_parameter"
READS = [(MODEL, "fields_get"), (MODEL, "search_read")]
SIGNS = [("ir.model.fields", "search_read")]


@pytest.fixture(scope="module", autouse=True)
def no_servers(common_odoo: Odoo) -> None:
    """These tests begin without servers."""
    common_odoo.clear("ir.mail_server")


def run(odoo: Odoo, module: str, options: dict[str, Any], **how: bool) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Run a module; return its result and the calls it made, without that for the version."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        result = run_module(module, {**odoo.connection(), "odoo_url": url, **options}, **how)
    return result, [call for call in calls if call[0] != "common"]


def predicted_run(odoo: Odoo, module: str, options: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Run a module after check mode has said the same and written nothing; return its result and writing calls."""
    predicted, read = run(odoo, module, options, check=True)
    assert not WRITES & {method for _model, method in read}, read
    done, calls = run(odoo, module, options)
    for key in ("changed", "changes", "msg"):
        assert predicted.get(key) == done.get(key)
    return done, [call for call in calls if call[1] in WRITES]


def stored(odoo: Odoo, key: str) -> str | None:
    records = odoo.call(MODEL, "search_read", [["key", "=", key]], ["value"])
    return records[0]["value"] if records else None


def test_a_list_of_parameters(common_odoo: Odoo) -> None:
    """Create, unchanged, change, unchanged, absent, unchanged; check mode says the same and writes nothing."""
    allowed = {"key": "mail.catchall.domain.allowed", "value": "Shop.example, acme.example"}
    limit = {"key": "mail.session.batch.size", "value": 50}
    token = {"key": "some.token", "secret_value": "canary-first"}

    def step(parameters: list[dict[str, Any]], calls: list[tuple[str, str]], **options: str) -> dict[str, Any]:
        given = {"parameters": parameters, **options}
        predicted, read = run(common_odoo, "system_parameters", given, check=True)
        done, made = run(common_odoo, "system_parameters", given)
        assert (predicted["changed"], predicted["changes"]) == (done["changed"], done["changes"]), done
        assert made == [*read, *calls]
        assert len(read) <= 3
        assert not WRITES & {method for _model, method in read}
        assert "canary" not in str({**done, "invocation": None}) + str({**predicted, "invocation": None})
        return done

    create, write, unlink = ((MODEL, method) for method in ("create", "write", "unlink"))
    assert step([allowed, limit, token], [create])["changed"]
    assert stored(common_odoo, allowed["key"]) == "acme.example,shop.example"
    assert not step([allowed, limit, token], [])["changed"]
    common_odoo.call(MODEL, "set_param", allowed["key"], "acme.example, SHOP.example")
    assert not step([allowed], [])["changed"]
    changed = step([{**limit, "value": "60"}, {**token, "secret_value": "canary-second"}], [write, write])
    assert [(change["name"], change["after"]) for change in changed["changes"]] == [
        (limit["key"], {"key": limit["key"], "value": "60"}),
        (token["key"], {"key": token["key"], "secret_value": "(hidden, changed)"}),
    ]
    assert stored(common_odoo, token["key"]) == "canary-second"
    names = [{"key": parameter["key"]} for parameter in (allowed, limit, token)]
    assert step(names, [unlink], state="absent")["changed"]
    assert not step(names, [], state="absent")["changed"]


def test_one_parameter_that_turns_something_on(common_odoo: Odoo) -> None:
    key = "base_setup.default_external_email_server"
    on = {**common_odoo.connection(), "key": key, "value": True}
    assert run_module("system_parameter", on)["changed"]
    assert not run_module("system_parameter", {**on, "value": "1"})["changed"]
    setting = "external_email_server_default"
    assert common_odoo.call("res.config.settings", "default_get", [setting])[setting] is True
    absent = {**common_odoo.connection(), "key": key, "state": "absent"}
    assert run_module("system_parameter", absent)["changed"]
    assert common_odoo.call("res.config.settings", "default_get", [setting])[setting] is False
    assert not run_module("system_parameter", absent)["changed"]


# What a version does not read, and what it says then; on 14 also what it reads and 19 does not.
DEAD = {
    "odoo": {
        "mail.catchall.domain": "this Odoo has mail.alias.domain and does not read it. Use alias_domain. Nothing was",
        "mail.force.smtp.from": "no Odoo from 14 on reads it. A server's from_filter and the alias domain's",
    },
    "odoo14": {
        "mail.default.from_filter": "only Odoo 15 and later reads it. Odoo 14 sends everything through the server with",
        "mail.gateway.loop.minutes": "only Odoo 16 and later reads it. Limit the rate of a sender in Postfix.",
        "mail.disable_personal_mail_servers": "only Odoo 19 and later reads it. Before, there are no personal servers.",
        "mail.force.smtp.from": "no Odoo from 14 on reads it. A server's from_filter and the alias domain's",
    },
}
LIVE_ON_14 = {
    "mail.catchall.domain": "system parameter mail.catchall.domain: the module alias_domain sets it, and checks more",
    "mail.catchall.domain.allowed": "system parameter mail.catchall.domain.allowed: builds of Odoo 14 and 15 from "
    "before spring 2023 do not read it",
}
VALUE = {"mail.gateway.loop.minutes": "5", "mail.disable_personal_mail_servers": "True"}


def test_what_this_odoo_does_not_read(common_odoo: Odoo) -> None:
    for key, text in DEAD[common_odoo.name].items():
        result, calls = run(common_odoo, "system_parameter", {"key": key, "value": VALUE.get(key, "acme.example")})
        assert f"system parameter {key} would have no effect: {text}" in result["msg"]
        assert calls == SIGNS
    if common_odoo.name == "odoo14":
        for key, text in LIVE_ON_14.items():
            result, _calls = run(common_odoo, "system_parameter", {"key": key, "value": "acme.example"})
            assert (result["changed"], warned(result)) == (True, [text])


def test_a_new_parameter_needs_a_value(common_odoo: Odoo) -> None:
    result, calls = run(
        common_odoo, "system_parameters", {"parameters": [{"key": "other", "value": "x"}, {"key": "new"}]}
    )
    assert "parameter new does not exist yet, and to create it a value or secret_value is needed" in result["msg"]
    assert calls == READS


def test_a_dead_parameter_can_still_be_deleted(common_odoo: Odoo) -> None:
    common_odoo.call(MODEL, "set_param", "mail.force.smtp.from", "x@acme.example")
    # Its value is no matter then.
    gone = {"key": "mail.force.smtp.from", "value": "x@acme.example", "state": "absent"}
    assert run_module("system_parameter", {**common_odoo.connection(), **gone})["changed"]


def test_what_another_setting_undoes_is_told(common_odoo: Odoo) -> None:
    url, bulk = {"key": "web.base.url", "value": "http://odoo.acme.example/"}, {"key": "mass_mailing.mail_server_id"}
    result, calls = run(common_odoo, "system_parameters", {"parameters": [url, {**bulk, "value": 1}]}, check=True)
    assert [text.partition(":")[0] for text in warned(result)] == [
        "system parameter mass_mailing.mail_server_id",
        "web.base.url is not frozen",
        "web.base.url is not https, which Google and Microsoft need to connect a mail server",
    ]
    assert calls == READS
    frozen = [{**url, "value": "https://Odoo.acme.example"}, {"key": "web.base.url.freeze", "value": True}]
    result, _calls = run(common_odoo, "system_parameters", {"parameters": frozen})
    assert (result["changed"], warned(result)) == (True, [])
    assert stored(common_odoo, "web.base.url") == "https://odoo.acme.example"


def test_info_hides_what_sounds_like_a_secret(common_odoo: Odoo) -> None:
    names = ["database.secret", "web.base.url"]
    result, calls = run(common_odoo, "system_parameter_info", {"names": names})
    assert [{**record, "id": 0} for record in result["records"]] == [
        {"id": 0, "key": "database.secret", "secret_value": "(hidden)"},
        {"id": 0, "key": "web.base.url", "value": stored(common_odoo, "web.base.url")},
    ]
    assert calls == [*READS, *SIGNS]
    deleted = run_module(
        "system_parameter", {**common_odoo.connection(), "key": names[0], "state": "absent"}, check=True
    )
    assert deleted["changes"][0]["before"] == {"key": names[0], "secret_value": "(hidden)"}


def test_the_default_filter_beside_a_server(common_odoo: Odoo) -> None:
    given = {"key": "mail.default.from_filter", "value": "Shop.example, acme.example"}
    server = common_odoo.call("ir.mail_server", "create", {"name": "Zoho", "smtp_host": "mail.zoho.com"})
    result, calls = run(common_odoo, "system_parameter", given)
    if common_odoo.name == "odoo14":
        assert (result["failed"], calls) == (True, SIGNS)
        return
    told = "mail.default.from_filter counts only while there is no outgoing mail server, but there are: Zoho"
    assert (result["changed"], warned(result)) == (True, [told])
    assert calls == [*SIGNS, *READS, ("ir.mail_server", "search_read"), (MODEL, "create")]
    common_odoo.call("ir.mail_server", "unlink", [server])
    assert stored(common_odoo, given["key"]) == "acme.example,shop.example"
    result, _calls = run(common_odoo, "system_parameter", given)
    assert (result["changed"], warned(result)) == (False, [])


def test_allowed_senders(common_odoo: Odoo) -> None:
    model = "mail.gateway.allowed"
    sender = {**common_odoo.connection(), "email": "Robot@acme.example"}
    if common_odoo.name == "odoo14":
        refused = run_module("allowed_sender", sender)["msg"]
        assert "this Odoo has no allowed senders (mail.gateway.allowed): 16 and later have them" in refused
        return
    common_odoo.call(model, "create", {"email": '"Robot" <Robot@Acme.example>'})
    listed = {"senders": [{"email": "robot@ACME.example"}, {"email": "Shop@customer.example"}], "prune": True}
    result, calls = run(common_odoo, "allowed_senders", listed, check=True)
    assert not WRITES & {method for _model, method in calls}
    assert [(change["action"], change["name"]) for change in result["changes"]] == [("create", "shop@customer.example")]
    assert run_module("allowed_senders", {**common_odoo.connection(), **listed})["changed"]
    assert not run_module("allowed_senders", {**common_odoo.connection(), **listed})["changed"]
    assert not run_module("allowed_sender", sender)["changed"]
    assert run_module("allowed_sender", {**sender, "state": "absent"})["changed"]
    assert not run_module("allowed_sender", {**sender, "state": "absent"})["changed"]
    records = run_module("allowed_sender_info", common_odoo.connection())["records"]
    assert [record["email"] for record in records] == ["shop@customer.example"]
    assert (
        common_odoo.call(model, "search_read", [], ["email_normalized"])[0]["email_normalized"]
        == "shop@customer.example"
    )


def test_a_company(common_odoo: Odoo) -> None:
    (company,) = common_odoo.call("res.company", "search_read", [], ["name"])
    name = {"name": company["name"]}
    common_odoo.call("res.company", "write", [company["id"]], {"email": False})
    info = run_module("company_mail_info", common_odoo.connection())
    assert {"id": company["id"], **name, "email": None}.items() <= info["records"][0].items()
    told = f"company {company['name']}: its e-mail address is empty, no real one; Odoo shows it to people who write"
    assert told in warned(info)[0]
    wanted = {**name, "email": "Office@acme.example"}
    done, writes = predicted_run(common_odoo, "company_mail", wanted)
    assert (done["changes"][0]["after"]["email"], writes) == ("office@acme.example", [("res.company", "write")])
    assert warned(done) == []
    assert predicted_run(common_odoo, "companies_mail", {"companies": [wanted]})[1] == []
    stored = common_odoo.call("res.company", "read", [company["id"]], ["email"])[0]["email"]
    assert stored == "office@acme.example"
    cleared, writes = predicted_run(common_odoo, "company_mail", {**name, "email": None})
    assert told in warned(cleared)[0]
    assert writes == [("res.company", "write")]


def test_a_companys_alias_domain(common_odoo: Odoo) -> None:
    (company,) = common_odoo.call("res.company", "search_read", [], ["name"])
    wanted = {"name": company["name"], "email": "office@acme.example", "alias_domain": "Shop.example"}
    if common_odoo.name == "odoo14":
        refused, writes = predicted_run(common_odoo, "company_mail", wanted)
        assert (
            "alias_domain cannot be set to 'shop.example': Odoo 14.0's res.company has no field alias_domain_id"
            in refused["msg"]
        )
        assert writes == []
        return
    # The first alias domain is given to every company; a second is not.
    for domain in ("acme.example", "shop.example"):
        aliases = {"name": domain, "bounce_alias": "bounce", "catchall_alias": "catchall"}
        assert run_module("alias_domain", {**common_odoo.connection(), **aliases})["changed"]
    done, _writes = predicted_run(common_odoo, "company_mail", wanted)
    assert (done["changes"][0]["before"]["alias_domain"], done["changes"][0]["after"]["alias_domain"]) == (
        "acme.example",
        "shop.example",
    )
    stored = common_odoo.call("res.company", "read", [company["id"]], ["alias_domain_id"])[0]["alias_domain_id"][1]
    assert stored == "shop.example"
    assert predicted_run(common_odoo, "company_mail", wanted)[1] == []
    assert predicted_run(common_odoo, "company_mail", {**wanted, "alias_domain": None})[0]["changed"]
    assert common_odoo.call("res.company", "read", [company["id"]], ["alias_domain_id"])[0]["alias_domain_id"] is False


def test_users(common_odoo: Odoo) -> None:
    common_odoo.call("res.users", "write", [2], {"email": "admin@example.com"})
    # Odoo's scheduled actions may write others meanwhile.
    about = [["subject", "ilike", "security"]]
    mails = common_odoo.call("mail.mail", "search_count", about)
    info = run_module("user_mail_info", {**common_odoo.connection(), "names": ["__system__", "admin"]})
    assert [(record["login"], record["email"]) for record in info["records"]] == [
        ("__system__", "odoobot@example.com"),
        ("admin", "admin@example.com"),
    ]
    told = "its e-mail address is {}@example.com, no real one; Odoo sends mail in its name"
    assert warned(info) == [f"user OdooBot: {told.format('odoobot')}", f"user admin: {told.format('admin')}"]
    left, _writes = predicted_run(common_odoo, "user_mail", {"login": "admin", "notification_type": "inbox"})
    assert (left["changed"], warned(left)) == (True, [f"user admin: {told.format('admin')}"])
    users = [{"login": "admin", "email": "Boss@acme.example"}, {"login": "odoobot", "email": "no-reply@acme.example"}]
    done, writes = predicted_run(common_odoo, "users_mail", {"users": users})
    assert [change["name"] for change in done["changes"]] == ["admin", "__system__"]
    assert warned(done) == []
    assert set(writes) == {("res.partner", "write")}
    stored = common_odoo.call("res.users", "read", [1, 2], ["email", "notification_type", "active"])
    assert [(user["email"], user["active"]) for user in stored] == [
        ("no-reply@acme.example", False),
        ("boss@acme.example", True),
    ]
    assert stored[1]["notification_type"] == "inbox"
    assert predicted_run(common_odoo, "users_mail", {"users": users})[1] == []
    # Nobody was written to at a placeholder; a real former address is told, by Odoo 19.
    assert common_odoo.call("mail.mail", "search_count", about) == mails
    again = {"login": "admin", "email": "it@acme.example", "notification_type": "email"}
    changed, writes = predicted_run(common_odoo, "user_mail", again)
    assert writes == [("res.users", "write")]
    assert warned(changed) == []
    told_to = common_odoo.call("mail.mail", "search_read", [["email_to", "=", "boss@acme.example"]], ["subject"])
    assert [mail["subject"] for mail in told_to] == (
        ["Security Update: Email Changed"] if common_odoo.name == "odoo" else []
    )


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "company": ("company_mail", {"name": "Nobody Ltd"}, "this database has no company Nobody Ltd; it has: "),
    "user": ("users_mail", {"users": [{"login": "nobody"}]}, "has no user nobody; it has: __system__, admin,"),
    "user's address": ("users_mail", {"users": [{"login": "x", "email": "a@b"}]}, "users[0].email is 'a@b'"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_is_not_there_or_wrong_is_refused(common_odoo: Odoo, case: str) -> None:
    module, options, text = REFUSED[case]
    result = run_module(module, {**common_odoo.connection(), **options})
    assert result["failed"]
    assert not result["changed"]
    assert text in result["msg"], result["msg"]
