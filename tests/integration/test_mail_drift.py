# SPDX-License-Identifier: GPL-3.0-or-later
"""The module mail_drift_info: where Odoo is not as the policy says."""

from __future__ import annotations

from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module
from support.steps import READS

pytestmark = pytest.mark.integration

DOMAIN = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"}
SERVER = {
    "name": "Main",
    "sequence": 5,
    "smtp_host": "mail.acme.example",
    "smtp_port": 587,
    "encryption": "starttls",
    "smtp_user": "no-reply@acme.example",
    "smtp_pass": "canary-password",
}
ALIAS = {"alias_name": "questions", "alias_domain": "acme.example", "alias_model": "crm.lead"}
INCOMING = {"name": "Inbox", "server_type": "local", "active": False}
ACTION = {"xmlid": "mail.ir_cron_mail_scheduler_action", "interval_number": 3, "interval_type": "minutes"}
WANTED: dict[str, Any] = {
    "parameters": [{"key": "mail.catchall.domain.allowed", "value": "acme.example"}],
    "alias_domains": [DOMAIN],
    "servers": [SERVER],
    "mass_mailing_server": "Main",
    "aliases": [ALIAS],
    "incoming_servers": [INCOMING],
    "scheduled_actions": [ACTION],
}


def drift(odoo: Odoo, **options: Any) -> list[dict[str, Any]]:
    """Return the differences, having seen that nothing was written."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        result = run_module("mail_drift_info", {**odoo.connection(), "odoo_url": url, **WANTED, **options})
    assert not result.get("failed"), result
    assert not result["changed"]
    assert {method for _model, method in calls} <= READS
    assert "canary-" not in str({**result, "invocation": None})
    found: list[dict[str, Any]] = result["drift"]
    return found


def named(found: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Return the differences by setting, name and what it is."""
    return {(one["setting"], one["name"], one["what"]) for one in found}


@pytest.fixture(scope="module")
def settled(any_odoo: Odoo) -> Odoo:
    """A database as the policy says, made so from one that has nothing of it."""
    before = drift(any_odoo)
    assert {("servers", "Main", "missing"), ("incoming_servers", "Inbox", "missing")} <= named(before)
    assert all(one["before"] == {} and one["after"] for one in before if one["what"] == "missing")
    done = run_module("mail_settings", {**any_odoo.connection(), **WANTED, "test": "never"})
    assert not done.get("failed"), done
    # What applying the policy changed is what differed.
    actions = {"create": "missing", "update": "different"}
    assert [(one["setting"], actions[one["action"]], one["name"]) for one in done["changes"]] == [
        (one["setting"], one["what"], one["name"]) for one in before
    ]
    return any_odoo


def test_nothing_differs(settled: Odoo) -> None:
    assert drift(settled) == []


def test_each_kind(settled: Odoo) -> None:
    (server,) = settled.call("ir.mail_server", "search", [["name", "=", "Main"]])
    settled.call("ir.mail_server", "write", [server], {"sequence": 9, "smtp_pass": "canary-other"})
    aliases = settled.call("mail.alias", "search", [["alias_name", "=", "questions"]])
    settled.call("mail.alias", "unlink", aliases)
    by_hand = {"name": "By hand", "smtp_host": "old.acme.example", "smtp_port": 25, "smtp_pass": "canary-third"}
    stranger = settled.call("ir.mail_server", "create", by_hand)
    mailbox = settled.call("fetchmail.server", "create", {"name": "Other inbox", "server_type": "local"})
    found = drift(settled)
    alias = "questions" if settled.name == "odoo14" else "questions @ acme.example"
    assert named(found) == {
        ("servers", "Main", "different"),
        ("aliases", alias, "missing"),
        ("servers", "By hand", "undeclared"),
        ("incoming_servers", "Other inbox", "undeclared"),
    }
    by_name = {one["name"]: one for one in found}
    assert by_name["Main"] == {
        "setting": "servers",
        "name": "Main",
        "what": "different",
        "fields": ["sequence", "smtp_pass"],
        "before": {"sequence": 9, "smtp_pass": "(hidden)"},
        "after": {"sequence": 5, "smtp_pass": "(hidden, changed)"},
    }
    assert by_name["By hand"]["before"]["smtp_host"] == "old.acme.example"
    assert by_name[alias]["after"]["alias_model"] == "crm.lead"
    settled.call("ir.mail_server", "unlink", [stranger])
    settled.call("fetchmail.server", "unlink", [mailbox])
    run_module("mail_settings", {**settled.connection(), **WANTED, "test": "never"})
    assert drift(settled) == []


def test_campaigns_by_a_server_that_is_not_meant_to_be(settled: Odoo) -> None:
    found = drift(settled, mass_mailing_server=None)
    assert {one["what"] for one in found} == {"different"}
    assert {one["setting"] for one in found} == {"mass_mailing_server"}
    assert all(one["before"] and not one["after"] for one in found)


def test_under_another_name(settled: Odoo) -> None:
    found = drift(settled, servers=[{**SERVER, "name": "Renamed"}], mass_mailing_server="Main")
    assert named(found) == {("servers", "Renamed", "missing"), ("servers", "Main", "undeclared")}


def test_what_cannot_be_compared(settled: Odoo) -> None:
    options = {**settled.connection(), "aliases": [{**ALIAS, "alias_name": "x", "alias_model": "no.such.model"}]}
    result = run_module("mail_drift_info", options)
    assert result["failed"]
    assert "no.such.model" in result["msg"]
    result = run_module("mail_drift_info", {**settled.connection(), "servers": [{**SERVER, "smtp_port": 465}]})
    assert "port 465 does not go with encryption starttls" in result["msg"]
