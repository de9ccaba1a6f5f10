# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled actions: set by the same names on every version, and waited for while they run."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module, warned
from support.steps import refused, step
from support.waiting import until

pytestmark = pytest.mark.integration

QUEUE, FETCH = {"xmlid": "email_queue"}, {"xmlid": "fetchmail"}
WRITE = ("ir.cron", "write")


def info(odoo: Odoo, *names: str) -> list[dict[str, Any]]:
    """Return what the module tells of these actions."""
    result = run_module("scheduled_action_info", {**odoo.connection(), "names": list(names)})
    return list(result["records"])


def test_life(common_odoo: Odoo) -> None:
    (before,) = info(common_odoo, "email_queue")
    assert (before["name"], before["interval_number"], before["interval_type"]) == (
        "Mail: Email Queue Manager", 1, "hours",
    )  # fmt: skip
    often = {"interval_number": 15, "interval_type": "minutes"}
    changed = step(common_odoo, "scheduled_action", True, **QUEUE, **often)
    (change,) = changed["changes"]
    assert (change["action"], change["name"], change["after"]["interval_number"]) == ("update", "email_queue", 15)
    assert [call for call in changed["calls"] if call[0].startswith("ir.")] == [
        ("ir.model.data", "search_read"), ("ir.cron", "search_read"), WRITE,
    ]  # fmt: skip
    step(common_odoo, "scheduled_action", False, xmlid="mail.ir_cron_mail_scheduler_action", **often)
    both = [{**QUEUE, **often, "active": False}, {**FETCH, **often, "active": False}]
    listed = step(common_odoo, "scheduled_actions", True, scheduled_actions=both)
    assert {change["name"] for change in listed["changes"]} == {"email_queue", "fetchmail"}
    step(common_odoo, "scheduled_actions", False, scheduled_actions=both)
    assert [record["active"] for record in info(common_odoo, "email_queue", "fetchmail")] == [False, False]


@pytest.mark.parametrize("xmlid", ["mail.ir_cron_mail_gateway_action", "fetchmail.ir_cron_mail_gateway_action"])
def test_fetching_is_found_by_either_of_its_ids(common_odoo: Odoo, xmlid: str) -> None:
    (record,) = info(common_odoo, xmlid)
    assert (record["xmlid"], record["name"]) == ("fetchmail", "Mail: Fetchmail Service")


def test_all_are_told_of(common_odoo: Odoo) -> None:
    records = run_module("scheduled_action_info", common_odoo.connection())["records"]
    assert {"email_queue", "fetchmail", "base.autovacuum_job"} <= {record["xmlid"] for record in records}


def test_the_next_run_is_set_while_it_lies_ahead(common_odoo: Odoo) -> None:
    ahead = (datetime.now(timezone.utc) + timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S")
    step(common_odoo, "scheduled_action", True, **QUEUE, nextcall=ahead)
    assert info(common_odoo, "email_queue")[0]["nextcall"] == ahead
    step(common_odoo, "scheduled_action", False, **QUEUE, nextcall=ahead)
    step(common_odoo, "scheduled_action", False, **QUEUE, nextcall="2020-02-02 03:00:00")


def test_a_short_interval_is_warned_of(common_odoo: Odoo) -> None:
    made = step(common_odoo, "scheduled_action", True, **FETCH, interval_number=4, interval_type="minutes")
    assert "fetchmail: every 4 min is below the 5 min that Odoo advises" in warned(made)[0]
    assert not warned(step(common_odoo, "scheduled_action", True, **FETCH, interval_number=5))


def test_one_that_is_running_is_waited_for(common_odoo: Odoo) -> None:
    """Odoo holds this lock while the action runs."""
    lock = "SELECT id FROM ir_cron WHERE id = (SELECT res_id FROM ir_model_data WHERE name = '{}') FOR UPDATE"
    with recorded(common_odoo.url, common_odoo.ca_file) as (url, calls):
        options = {**common_odoo.connection(), "odoo_url": url, **QUEUE, "interval_number": 30}
        with common_odoo.holding(lock.format("ir_cron_mail_scheduler_action")) as let_go:
            result = run_module("scheduled_action", {**options, "wait_timeout": 0})
            assert (result["failed"], result["changed"], result["error"]) == (True, False, "temporary")
            assert "Record cannot be modified right now" in result["msg"]
            assert "0 of 1 changes were applied" in result["msg"]
            calls.clear()
            waiter = threading.Thread(target=lambda: (until(lambda: calls.count(WRITE) > 1, "a second try"), let_go()))
            waiter.start()
            result = run_module("scheduled_action", options)
            waiter.join()
    assert result["changed"], result
    assert calls.count(WRITE) > 1
    assert info(common_odoo, "email_queue")[0]["interval_number"] == 30


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "never": ({**QUEUE, "interval_number": 0}, "scheduled action.interval_number is 0: an interval is 1 or more"),
    "backwards": ({**QUEUE, "interval_number": -5}, "interval_number is -5: an interval is 1 or more"),
    "moment": ({**QUEUE, "nextcall": "tomorrow"}, "nextcall is 'tomorrow': a moment is written YYYY-MM-DD HH:MM:SS"),
    "no id": ({"xmlid": "Email queue"}, "an external id is module.name, or one of email_queue, fetchmail"),
    "not here": ({"xmlid": "mail.no_such"}, "this database has no scheduled action mail.no_such. Is the app that"),
    "no action": ({"xmlid": "base.user_admin"}, "this database has no scheduled action base.user_admin"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_cannot_be_is_refused(common_odoo: Odoo, case: str) -> None:
    options, text = REFUSED[case]
    assert text in refused(common_odoo, "scheduled_action", **options)


def test_one_action_by_two_names_is_refused(common_odoo: Odoo) -> None:
    twice = [QUEUE, {"xmlid": "mail.ir_cron_mail_scheduler_action"}]
    told = refused(common_odoo, "scheduled_actions", scheduled_actions=twice)
    assert "scheduled_actions: email_queue is given more than once" in told


def test_an_empty_list_is_no_change(common_odoo: Odoo) -> None:
    step(common_odoo, "scheduled_actions", False, scheduled_actions=[])


@pytest.mark.parametrize("common_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")
def test_a_neutralised_copy_runs_nothing(common_odoo: Odoo) -> None:
    """Odoo marks such copies from version 16 on."""
    step(common_odoo, "scheduled_action", True, **FETCH, interval_number=20)
    mark = common_odoo.call("ir.config_parameter", "create", {"key": "database.is_neutralized", "value": "true"})
    told = refused(common_odoo, "scheduled_action", **FETCH, active=True)
    assert "is a neutralised copy, and this would switch on fetchmail" in told
    step(common_odoo, "scheduled_action", True, **FETCH, active=True, neutralized="allow")
    common_odoo.call("ir.config_parameter", "unlink", [mark])
