# SPDX-License-Identifier: GPL-3.0-or-later
"""An API key is made from the password, proved by its use, and shown to nobody else."""

from __future__ import annotations

import pytest
from support.machines import Odoo
from support.modules import run_module

pytestmark = pytest.mark.integration


def test_a_key_is_made_once_and_removed(odoo_with_password: Odoo) -> None:
    password = {**odoo_with_password.connection(), "name": "made once"}
    assert run_module("odoo_api_key", password, check=True, no_log=True)["changed"]
    made = run_module("odoo_api_key", password, no_log=True)
    assert made["changed"], made.get("msg")
    key = made["api_key"]

    kept = {**password, "odoo_api_key": key}
    again = run_module("odoo_api_key", kept, no_log=True)
    assert (again["changed"], "api_key" in again) == (False, False)
    connection = {**odoo_with_password.connection(), "odoo_password": "", "odoo_login": "", "odoo_api_key": key}
    assert run_module("mail_server_info", connection)["records"] == []

    gone = {**password, "state": "absent"}
    assert run_module("odoo_api_key", gone, check=True)["removed"] == 1
    assert run_module("odoo_api_key", gone)["removed"] == 1
    assert not run_module("odoo_api_key", gone)["changed"]
    refused = run_module("mail_server_info", connection)
    assert refused["error"] == "authentication"
    assert key not in str(refused)
    assert run_module("odoo_api_key", kept, check=True, no_log=True)["changed"]


def test_another_user_on_any_version(common_odoo: Odoo) -> None:
    """Up to 17 Odoo asks for the password in another way than later, and takes the key as a password."""
    field = "group_ids" if common_odoo.name == "odoo" else "groups_id"
    named = [["module", "=", "base"], ["name", "in", ["group_user", "group_system"]]]
    groups = [record["res_id"] for record in common_odoo.call("ir.model.data", "search_read", named, ["res_id"])]
    user = {"name": "Robot", "login": "robot", "password": "canary-robot", field: [[6, 0, groups]]}
    common_odoo.call("res.users", "create", user)
    login = {"odoo_login": "robot", "odoo_password": "canary-robot", "odoo_api_key": ""}
    password = {**common_odoo.connection(), **login, "name": "mailops"}
    made = run_module("odoo_api_key", password, no_log=True)
    assert made["changed"], made.get("msg")
    kept = {**password, "odoo_api_key": made["api_key"]}
    assert not run_module("odoo_api_key", kept)["changed"]
    robot = {**common_odoo.connection(), "odoo_login": "robot", "odoo_api_key": made["api_key"]}
    assert "records" in run_module("mail_server_info", robot)
    gone = run_module("odoo_api_key", {**password, "state": "absent"})
    assert (gone["changed"], gone["removed"]) == (True, 1)
    assert run_module("odoo_api_key", kept, check=True, no_log=True)["changed"]


def test_a_key_that_would_be_printed_is_not_made(odoo_with_password: Odoo) -> None:
    password = {**odoo_with_password.connection(), "name": "printed"}
    for check in (True, False):
        refused = run_module("odoo_api_key", password, check=check)
        assert "Set no_log: true on the task" in refused["msg"]
    assert not run_module("odoo_api_key", {**password, "state": "absent"})["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_a_key_is_not_made_without_a_password(odoo_with_password: Odoo, check: bool) -> None:
    without = {**odoo_with_password.connection(), "odoo_password": "", "name": "mailops"}
    result = run_module("odoo_api_key", without, check=check, no_log=True)
    assert "odoo_login and odoo_password are needed" in result["msg"]


@pytest.mark.parametrize("common_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")
def test_a_user_with_a_second_factor_is_told(common_odoo: Odoo) -> None:
    connection = {**common_odoo.connection(), "odoo_api_key": "", "odoo_login": "admin", "odoo_password": "admin"}
    result = run_module("odoo_api_key", {**connection, "name": "mailops"}, no_log=True)
    assert "for a second factor. Make the API key in the user's preferences" in result["msg"]


def test_json2_without_a_key_is_refused(odoo_with_password: Odoo) -> None:
    result = run_module("mail_server_info", {**odoo_with_password.connection(), "odoo_protocol": "json2"})
    assert "odoo_protocol json2 needs odoo_api_key" in result["msg"]
