# SPDX-License-Identifier: GPL-3.0-or-later
"""The module mail_settings: several settings in one task, planned as a whole and applied in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module
from support.steps import refused, step

pytestmark = pytest.mark.integration

PARAMETERS = [{"key": "mail.catchall.domain.allowed", "value": "acme.example"}]
DOMAIN = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"}
SERVER = {
    "name": "Relay",
    "smtp_host": "relay.acme.example",
    "smtp_port": 587,
    "encryption": "starttls",
    "smtp_user": "no-reply@acme.example",
    "smtp_pass": "canary-password",
}
ALIAS = {"alias_name": "questions", "alias_domain": "acme.example", "alias_model": "crm.lead"}
ACTION = {"xmlid": "mail.ir_cron_mail_scheduler_action", "interval_number": 3, "interval_type": "minutes"}
# Each refers to what another one makes.
WANTED: dict[str, Any] = {
    "parameters": PARAMETERS,
    "alias_domains": [DOMAIN],
    "servers": [SERVER],
    "mass_mailing_server": "Relay",
    "aliases": [ALIAS],
    "scheduled_actions": [ACTION],
    "test": "never",
}


def named(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return which changes a result has: setting, action, name."""
    return [(change["setting"], change["action"], change["name"]) for change in result["changes"]]


def test_what_refers_to_each_other_in_one_task(any_odoo: Odoo, tmp_path: Path) -> None:
    snapshot = tmp_path / "before.json"
    options = {**WANTED, "odoo_snapshot": str(snapshot)}
    with recorded(any_odoo.url, any_odoo.ca_file) as (url, calls):
        predicted = run_module("mail_settings", {**any_odoo.connection(), "odoo_url": url, **options}, check=True)
    assert not {"create", "write", "unlink"} & {method for _model, method in calls}
    assert not snapshot.exists()
    done = run_module("mail_settings", {**any_odoo.connection(), **options})
    assert named(done) == named(predicted)
    assert [setting for setting, _action, _name in named(done)] == [
        "parameters",
        "alias_domains",
        "servers",
        "mass_mailing_server",
        "mass_mailing_server",
        "aliases",
        "scheduled_actions",
    ]
    assert snapshot.exists()
    assert "canary-" not in str({**predicted, "invocation": None}) + str({**done, "invocation": None})
    assert "takes it for granted" not in str(done.get("warnings", ""))
    server = any_odoo.call("ir.mail_server", "search_read", [["name", "=", "Relay"]], ["smtp_pass"])[0]
    assert server["smtp_pass"] == SERVER["smtp_pass"]
    chosen = any_odoo.call("ir.config_parameter", "get_param", "mass_mailing.mail_server_id")
    assert chosen == str(server["id"])

    again = step(any_odoo, "mail_settings", False, **WANTED)
    assert sum(method == "authenticate" for _model, method in again["calls"]) <= 1
    assert again["changes"] == []


def test_a_change_in_the_middle(any_odoo: Odoo) -> None:
    """What comes after it is read again, and what is not given is left alone."""
    run_module("mail_settings", {**any_odoo.connection(), **WANTED})
    changed = step(any_odoo, "mail_settings", True, **{**WANTED, "servers": [{**SERVER, "sequence": 7}]})
    assert named(changed) == [("servers", "update", "Relay")]
    # Null is an answer: Email Marketing has no server of its own any more.
    changed = step(any_odoo, "mail_settings", True, mass_mailing_server=None)
    assert {setting for setting, _action, _name in named(changed)} == {"mass_mailing_server"}
    step(any_odoo, "mail_settings", False, mass_mailing_server=None)
    assert not any_odoo.call("ir.config_parameter", "get_param", "mass_mailing.mail_server_id")
    step(any_odoo, "mail_settings", False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"aliases": [{**ALIAS, "alias_name": "x", "alias_model": "no.such.model"}]}, "no.such.model"),
        ({"scheduled_actions": [{**ACTION, "interval_number": 0}]}, "scheduled_actions[0].interval_number"),
        ({"allowed_senders": [{"email": "no address"}]}, "allowed_senders[0].email"),
    ],
)
def test_a_fault_further_down_keeps_all_from_being_written(any_odoo: Odoo, wrong: dict[str, Any], message: str) -> None:
    server = {**SERVER, "name": "Before the fault"}
    told = refused(any_odoo, "mail_settings", servers=[server], test="never", adopt=False, **wrong)
    assert message in told, told
    assert told.endswith("Nothing was written.")


def test_what_was_done_before_a_failure(any_odoo: Odoo) -> None:
    """A server that Odoo cannot connect to ends the run: it is taken back, and what remains is named."""
    result = run_module(
        "mail_settings",
        {
            **any_odoo.connection(),
            "parameters": [{"key": "mail.session.batch.size", "value": 77}],
            "servers": [{**SERVER, "name": "Nobody there", "smtp_host": "127.0.0.1", "smtp_port": 2525}],
            "aliases": [{**ALIAS, "alias_name": "later"}],
            "adopt": False,
        },
    )
    assert result["failed"]
    assert result["changed"]
    assert named(result) == [("parameters", result["changes"][0]["action"], "mail.session.batch.size")]
    # Odoo 14's aliases have no domain of their own.
    assert [step.removesuffix(" @ acme.example") for step in result["remaining"]] == [
        "servers: Nobody there",
        "aliases: later",
    ]
    assert result["msg"].startswith("mail server Nobody there: Odoo's connection test")
    assert result["msg"].endswith("1 of 3 changes were made; running again makes the rest.")
    assert [test["result"] for test in result["tests"]] == ["failed"]
    assert not any_odoo.call("ir.mail_server", "search_count", [["name", "=", "Nobody there"]])
    assert not any_odoo.call("mail.alias", "search_count", [["alias_name", "=", "later"]])
