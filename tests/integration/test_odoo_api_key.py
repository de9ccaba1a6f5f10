# SPDX-License-Identifier: GPL-3.0-or-later
"""An API key is made from the password, proved by its use, and shown to nobody else."""

from __future__ import annotations

import pytest
from support.machines import Odoo
from support.modules import run_module

pytestmark = pytest.mark.integration


def test_a_key_is_made_once_and_removed(odoo_with_password: Odoo) -> None:
    password = {**odoo_with_password.connection(), "name": "mailops"}
    assert run_module("odoo_api_key", password, check=True)["changed"]
    made = run_module("odoo_api_key", password, no_log=True)
    assert made["changed"], made
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
    assert run_module("odoo_api_key", kept, check=True)["changed"]


def test_a_key_that_would_be_printed_is_not_made(odoo_with_password: Odoo) -> None:
    password = {**odoo_with_password.connection(), "name": "printed"}
    refused = run_module("odoo_api_key", password)
    assert "Set no_log: true on the task" in refused["msg"]
    assert not run_module("odoo_api_key", {**password, "state": "absent"})["changed"]


def test_a_user_with_a_second_factor_is_told(odoo: Odoo) -> None:
    connection = {**odoo.connection(), "odoo_api_key": "", "odoo_login": "admin", "odoo_password": "admin"}
    result = run_module("odoo_api_key", {**connection, "name": "mailops"}, no_log=True)
    assert "for a second factor. Make the API key in the user's preferences" in result["msg"]


def test_json2_without_a_key_is_refused(odoo_with_password: Odoo) -> None:
    result = run_module("mail_server_info", {**odoo_with_password.connection(), "odoo_protocol": "json2"})
    assert "odoo_protocol json2 needs odoo_api_key" in result["msg"]
