# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's options, its plan, and the calls that a plan takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ProtocolError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing, plan
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.domain import (
    DOMAIN,
    describe,
    form,
    record_of,
    steps,
    tracking_form,
    tracking_of,
)

NAME = "mg.acme.example"
TRACKING = {"open": True, "click": "htmlonly", "unsubscribe": False}


def answer(valid: str = "valid", **values: Any) -> dict[str, Any]:
    """Return what the API says of a domain whose key has a record that is `valid`."""
    domain = {
        "name": NAME,
        "state": "active",
        "is_disabled": False,
        "type": "custom",
        "smtp_password": "canary",
        "use_automatic_sender_security": False,
        "web_prefix": "email",
        "web_scheme": "http",
        "wildcard": False,
        "spam_action": "disabled",
        "require_tls": False,
        "skip_verification": False,
        **values,
    }
    sending = [
        {"name": f"k._domainkey.{NAME}", "record_type": "TXT", "value": "k=rsa; p=A", "valid": valid},
        {"name": f"email.{NAME}", "record_type": "CNAME", "value": "mailgun.org", "valid": "unknown"},
        {
            "name": f"new._domainkey.{NAME}",
            "record_type": "TXT",
            "value": "p=B",
            "valid": "unknown",
            "is_active": False,
        },
    ]
    receiving = [{"record_type": "MX", "priority": "10", "value": "mxa.mailgun.org", "valid": "unknown"}]
    return {"domain": domain, "sending_dns_records": sending, "receiving_dns_records": receiving}


def existing(tracking: dict[str, Any] | None = None, **values: Any) -> Existing:
    tracked = {"open": False, "click": "no", "unsubscribe": False, **(tracking or {})}
    return Existing(0, record_of(describe(answer(**values), tracked, "us", False), tracked))


def item(**values: Any) -> dict[str, Any]:
    return DOMAIN.check({"name": NAME, **values}, "domain")


@pytest.mark.parametrize("name", ["MG.acme.example", " mg.acme.example. ", "mg.acme.example"])
def test_a_name_has_one_form(name: str) -> None:
    assert DOMAIN.check({"name": name}, "domain") == {"name": NAME}


WRONG: dict[str, dict[str, Any]] = {
    "domain.name is 'acme': this is no domain name": {"name": "acme"},
    "domain.name is 'mg/../acme.example': this is": {"name": "mg/../acme.example"},
    "domain.dkim_key_size is 4096": {"dkim_key_size": 4096},
    "domain.dkim_selector is 'a.b': this is no label": {"dkim_selector": "a.b"},
    "domain.web_prefix is 'e mail': this is no label": {"web_prefix": "e mail"},
    "domain.web_prefix cannot be empty": {"web_prefix": None},
    "domain.wildcard cannot be empty": {"wildcard": None},
    "domain.spam_action is 'drop'": {"spam_action": "drop"},
    "domain.tracking is {'opens': True}: opens is no option": {"tracking": {"opens": True}},
    "click must be one of: yes, no, htmlonly": {"tracking": {"click": "always"}},
    "open must be true or false": {"tracking": {"open": "yes"}},
    "domain.verified: a domain has no such option": {"verified": True},
}


@pytest.mark.parametrize("text", sorted(WRONG))
def test_wrong_values_are_refused(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        item(**WRONG[text])
    assert text in caught.value.text()


def test_yes_and_no_of_yaml() -> None:
    assert item(tracking={"click": False, "open": None})["tracking"] == {"click": "no"}
    assert item(tracking={"click": True})["tracking"] == {"click": "yes"}


def test_the_same_is_no_change() -> None:
    wanted = item(
        use_automatic_sender_security=False,
        web_prefix="EMAIL",
        spam_action="disabled",
        tracking={"open": False, "click": "no"},
        dkim_key_size=2048,
        dkim_selector="other",
    )
    assert plan(DOMAIN, [{**wanted, "verified": True}], [existing()]) == []


def test_only_what_differs_is_a_change() -> None:
    (change,) = plan(DOMAIN, [item(require_tls=True, wildcard=False, tracking={"click": "yes"})], [existing()])
    assert change.values == {
        "require_tls": True,
        "tracking": {"open": False, "click": "yes", "unsubscribe": False},
    }
    assert [step.values for step in steps(change, verify=False)] == [
        {"require_tls": True},
        {"tracking": {"open": False, "click": "yes", "unsubscribe": False}},
    ]


def test_each_kind_of_tracking_is_a_step() -> None:
    (change,) = plan(DOMAIN, [item(tracking={"open": True, "click": "no", "unsubscribe": True})], [existing()])
    assert [step.values["tracking"] for step in steps(change, verify=False)] == [
        {"open": True, "click": "no", "unsubscribe": False},
        {"open": True, "click": "no", "unsubscribe": True},
    ]


def test_the_steps_of_a_creation() -> None:
    wanted = {**item(dkim_key_size=2048, wildcard=True, tracking={"open": False}), "verified": True}
    (change,) = plan(DOMAIN, [wanted], [])
    assert [(step.action, step.values) for step in steps(change, verify=True)] == [
        ("create", {"name": NAME, "dkim_key_size": 2048, "wildcard": True}),
        ("update", {"wildcard": True}),
        ("update", {"tracking": {"open": False}}),
        ("update", {"verified": True}),
    ]


def test_what_changes_the_records_is_verified_after_it() -> None:
    wanted = {**item(use_automatic_sender_security=True), "verified": True}
    (change,) = plan(DOMAIN, [wanted], [existing()])
    assert "verified" not in change.values
    assert [step.values for step in steps(change, verify=True)][-1] == {"verified": True}


def test_forms() -> None:
    assert form({"wildcard": True, "web_prefix": "email", "dkim_key_size": 1024}) == {
        "wildcard": "true",
        "web_prefix": "email",
        "dkim_key_size": "1024",
    }
    given = {"open": True, "click": "htmlonly", "unsubscribe": False}
    assert [tracking_form(option, value)["active"] for option, value in given.items()] == ["true", "htmlonly", "false"]
    assert [tracking_form("click", value)["active"] for value in ("yes", "no")] == ["true", "false"]


@pytest.mark.parametrize(
    ("active", "click"),
    [
        (True, "yes"),
        (False, "no"),
        ("yes", "yes"),
        ("no", "no"),
        ("htmlonly", "htmlonly"),
        ("false", "no"),
        (None, "no"),
    ],
)
def test_tracking_is_read_in_every_form(active: Any, click: str) -> None:
    told = {"tracking": {option: {"active": active} for option in ("open", "click", "unsubscribe")}}
    assert tracking_of(told) == {"open": click == "yes", "click": click, "unsubscribe": click == "yes"}


@pytest.mark.parametrize("answer", [{}, {"tracking": None}, {"tracking": {"open": {"active": True}, "click": None}}])
def test_what_is_no_tracking_is_not_taken_for_none(answer: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="without the tracking"):
        tracking_of(answer)


def test_a_domain_is_shown_without_its_password() -> None:
    shown = describe(answer(), TRACKING, "eu", True)
    assert "canary" not in str(shown)
    assert shown["domain"]["region"] == "eu"
    assert [record["type"] for record in shown["dns_records"]] == ["TXT", "CNAME", "TXT", "MX"]


@pytest.mark.parametrize(
    ("values", "tracking", "verified", "awaited"),
    [
        ({}, {}, True, []),
        ({"state": "unverified"}, {}, False, []),
        ({"valid": "unknown"}, {}, False, [f"k._domainkey.{NAME} TXT"]),
        ({}, {"click": "htmlonly"}, False, [f"email.{NAME} CNAME"]),
    ],
)
def test_verified_is_what_mailgun_sends_for(
    values: dict[str, Any], tracking: dict[str, Any], verified: bool, awaited: list[str]
) -> None:
    """Neither MX records nor those of inactive keys count, tracked links where something is tracked."""
    tracked = {"open": False, "click": "no", "unsubscribe": False, **tracking}
    domain = describe(answer(**values), tracked, "us", True)["domain"]
    assert (domain["verified"], domain["awaited"]) == (verified, awaited)
