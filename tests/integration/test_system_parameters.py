# SPDX-License-Identifier: GPL-3.0-or-later
"""System parameters and allowed senders: what is checked, what counts as the same, what is hidden, what it costs."""

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


def run(odoo: Odoo, module: str, options: dict[str, Any], **how: bool) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Run a module; return its result and the calls it made, without that for the version."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        result = run_module(module, {**odoo.connection(), "odoo_url": url, **options}, **how)
    return result, [call for call in calls if call[0] != "common"]


def stored(odoo: Odoo, key: str) -> str | None:
    records = odoo.call(MODEL, "search_read", [["key", "=", key]], ["value"])
    return records[0]["value"] if records else None


def test_a_list_of_parameters(odoo: Odoo) -> None:
    """Create, unchanged, change, unchanged, absent, unchanged; check mode says the same and writes nothing."""
    allowed = {"key": "mail.catchall.domain.allowed", "value": "Shop.example, acme.example"}
    limit = {"key": "mail.gateway.loop.threshold", "value": 50}
    token = {"key": "some.token", "secret_value": "canary-first"}

    def step(parameters: list[dict[str, Any]], calls: list[tuple[str, str]], **options: str) -> dict[str, Any]:
        given = {"parameters": parameters, **options}
        predicted, read = run(odoo, "system_parameters", given, check=True)
        done, made = run(odoo, "system_parameters", given)
        assert (predicted["changed"], predicted["changes"]) == (done["changed"], done["changes"]), done
        assert made == [*read, *calls]
        assert len(read) <= 3
        assert not WRITES & {method for _model, method in read}
        assert "canary" not in str({**done, "invocation": None}) + str({**predicted, "invocation": None})
        return done

    create, write, unlink = ((MODEL, method) for method in ("create", "write", "unlink"))
    assert step([allowed, limit, token], [create])["changed"]
    assert stored(odoo, allowed["key"]) == "acme.example,shop.example"
    assert not step([allowed, limit, token], [])["changed"]
    odoo.call(MODEL, "set_param", allowed["key"], "acme.example, SHOP.example")
    assert not step([allowed], [])["changed"]
    changed = step([{**limit, "value": "60"}, {**token, "secret_value": "canary-second"}], [write, write])
    assert [(change["name"], change["after"]) for change in changed["changes"]] == [
        (limit["key"], {"key": limit["key"], "value": "60"}),
        (token["key"], {"key": token["key"], "secret_value": "(hidden, changed)"}),
    ]
    assert stored(odoo, token["key"]) == "canary-second"
    names = [{"key": parameter["key"]} for parameter in (allowed, limit, token)]
    assert step(names, [unlink], state="absent")["changed"]
    assert not step(names, [], state="absent")["changed"]


def test_one_parameter_that_turns_something_on(odoo: Odoo) -> None:
    key = "base_setup.default_external_email_server"
    on = {**odoo.connection(), "key": key, "value": True}
    assert run_module("system_parameter", on)["changed"]
    assert not run_module("system_parameter", {**on, "value": "1"})["changed"]
    setting = "external_email_server_default"
    assert odoo.call("res.config.settings", "default_get", [setting])[setting] is True
    absent = {**odoo.connection(), "key": key, "state": "absent"}
    assert run_module("system_parameter", absent)["changed"]
    assert odoo.call("res.config.settings", "default_get", [setting])[setting] is False
    assert not run_module("system_parameter", absent)["changed"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "dead alias domain": (
        {"key": "mail.catchall.domain", "value": "acme.example"},
        "mail.catchall.domain would have no effect: this Odoo has mail.alias.domain and does not read it. Use alias_",
    ),
    "dead everywhere": (
        {"key": "mail.force.smtp.from", "value": "x@acme.example"},
        "mail.force.smtp.from would have no effect: no Odoo from 14 on reads it. A server's from_filter and",
    ),
    "limit": (
        {"key": "mail.gateway.loop.minutes", "value": "0"},
        "system parameter.value (mail.gateway.loop.minutes) is '0': this must be a whole number, 1 or more.",
    ),
    "filter": (
        {"key": "mail.default.from_filter", "value": "a.example,@b.example"},
        "'@b.example' never matches",
    ),
    "domain": ({"key": "mail.catchall.domain.allowed", "value": "acme"}, "is 'acme': this is no domain name"),
    "no domain": (
        {"key": "mail.catchall.domain.allowed", "value": " , "},
        "list with something in it",
    ),
    "off": (
        {"key": "web.base.url.freeze", "value": False},
        "is 'False': Odoo takes any text here for yes",
    ),
    "address": (
        {"key": "web.base.url", "value": "https://acme.example/odoo"},
        "this must be like https://",
    ),
    "open secret": (
        {"key": "google_gmail_client_secret", "value": "canary"},
        "value (google_gmail_client_secret) is a secret. Give it as secret_value, which is never shown.",
    ),
    "secret's ID": (
        {"key": "microsoft_outlook_client_secret", "secret_value": "0123CA4A-0000-4000-8000-0123456789ab"},
        "(microsoft_outlook_client_secret) this is the secret's ID (a GUID); Odoo needs the secret's value.",
    ),
    "nothing": ({"key": "new"}, "new does not exist yet, and to create it a value or secret_value is needed"),
    "empty": (
        {"key": "x", "value": ""},
        "value (x) is empty. To delete a parameter, say state: absent.",
    ),
    "both": ({"key": "x", "value": "one", "secret_value": "other"}, "(x) has both a value and a secret_value"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_a_wrong_value_is_refused_before_anything_is_written(odoo: Odoo, case: str) -> None:
    options, text = REFUSED[case]
    result, calls = run(odoo, "system_parameter", options)
    assert result["failed"]
    assert text in result["msg"]
    assert "canary" not in result["msg"]
    assert "0123CA4A" not in result["msg"]
    assert not WRITES & {method for _model, method in calls}


def test_a_dead_parameter_can_still_be_deleted(odoo: Odoo) -> None:
    odoo.call(MODEL, "set_param", "mail.force.smtp.from", "x@acme.example")
    assert run_module("system_parameter", {**odoo.connection(), "key": "mail.force.smtp.from", "state": "absent"})[
        "changed"
    ]


def test_what_another_setting_undoes_is_told(odoo: Odoo) -> None:
    parameters = [
        {"key": "web.base.url", "value": "http://odoo.acme.example/"},
        {"key": "mail.default.from_filter", "value": "acme.example"},
        {"key": "mass_mailing.mail_server_id", "value": 1},
    ]
    server = odoo.call("ir.mail_server", "create", {"name": "Zoho", "smtp_host": "mail.zoho.com"})
    result, calls = run(odoo, "system_parameters", {"parameters": parameters}, check=True)
    assert [text.partition(":")[0] for text in warned(result)] == [
        "system parameter mass_mailing.mail_server_id",
        "web.base.url is not frozen",
        "web.base.url is not https, which Google and Microsoft need to connect a mail server",
        "mail.default.from_filter counts only while there is no outgoing mail server, but there are",
    ]
    assert calls == [*SIGNS, *READS, ("ir.mail_server", "search_read")]
    odoo.call("ir.mail_server", "unlink", [server])
    frozen = [
        {"key": "web.base.url", "value": "https://Odoo.acme.example"},
        {"key": "web.base.url.freeze", "value": True},
    ]
    result, _calls = run(odoo, "system_parameters", {"parameters": [*frozen, parameters[1]]})
    assert result["changed"]
    assert warned(result) == []
    assert stored(odoo, "web.base.url") == "https://odoo.acme.example"


def test_info_hides_what_sounds_like_a_secret(odoo: Odoo) -> None:
    names = ["database.secret", "web.base.url"]
    result, calls = run(odoo, "system_parameter_info", {"names": names})
    assert [{**record, "id": 0} for record in result["records"]] == [
        {"id": 0, "key": "database.secret", "secret_value": "(hidden)"},
        {"id": 0, "key": "web.base.url", "value": stored(odoo, "web.base.url")},
    ]
    assert calls == READS
    deleted = run_module("system_parameter", {**odoo.connection(), "key": names[0], "state": "absent"}, check=True)
    assert deleted["changes"][0]["before"] == {"key": names[0], "secret_value": "(hidden)"}


def test_allowed_senders(odoo: Odoo) -> None:
    model = "mail.gateway.allowed"
    odoo.call(model, "create", {"email": '"Robot" <Robot@Acme.example>'})
    listed = {"senders": [{"email": "robot@ACME.example"}, {"email": "Shop@customer.example"}], "prune": True}
    result, calls = run(odoo, "allowed_senders", listed, check=True)
    assert not WRITES & {method for _model, method in calls}
    assert [(change["action"], change["name"]) for change in result["changes"]] == [("create", "shop@customer.example")]
    assert run_module("allowed_senders", {**odoo.connection(), **listed})["changed"]
    assert not run_module("allowed_senders", {**odoo.connection(), **listed})["changed"]
    sender = {**odoo.connection(), "email": "Robot@acme.example"}
    assert not run_module("allowed_sender", sender)["changed"]
    assert run_module("allowed_sender", {**sender, "state": "absent"})["changed"]
    assert not run_module("allowed_sender", {**sender, "state": "absent"})["changed"]
    records = run_module("allowed_sender_info", odoo.connection())["records"]
    assert [record["email"] for record in records] == ["shop@customer.example"]
    assert odoo.call(model, "search_read", [], ["email_normalized"])[0]["email_normalized"] == "shop@customer.example"
    assert "this is no e-mail address" in run_module("allowed_sender", {**sender, "email": "robot"})["msg"]
