# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold on every version of Odoo that runs here."""

from __future__ import annotations

import pytest
from support.machines import Odoo
from support.modules import run_module

pytestmark = pytest.mark.integration

SERIES = {"odoo": "19.0", "odoo14": "14.0"}
SERVER = {
    "name": "Zoho Mail",
    "sequence": 1,
    "smtp_host": "mail.zoho.com",
    "smtp_port": 465,
    "encryption": "ssl",
    "smtp_user": "no-reply@acme.example",
    "smtp_pass": "canary",
}


def test_the_version_is_the_one_that_is_meant(common_odoo: Odoo) -> None:
    assert common_odoo.rpc("common", "version")["server_serie"] == SERIES[common_odoo.name]


def test_mail_server(common_odoo: Odoo) -> None:
    common_odoo.clear("ir.mail_server")
    connection = common_odoo.connection()
    created = run_module("mail_server", {**connection, **SERVER, "test": "never"})
    assert [change["action"] for change in created["changes"]] == ["create"]
    fields = ["name", "sequence", "smtp_host", "smtp_port", "smtp_user", "smtp_pass", "smtp_encryption"]
    (stored,) = common_odoo.call("ir.mail_server", "search_read", [], fields)
    strict = {"odoo": "ssl_strict", "odoo14": "ssl"}[common_odoo.name]
    expected = {name: value for name, value in SERVER.items() if name != "encryption"}
    assert stored == {**expected, "smtp_encryption": strict, "id": stored["id"]}

    assert run_module("mail_server", {**connection, **SERVER})["changed"] is False

    gone = {"name": SERVER["name"], "state": "absent"}
    assert run_module("mail_server", {**connection, **gone})["changed"] is True
    assert common_odoo.call("ir.mail_server", "search_count", [], context={"active_test": False}) == 0
    assert run_module("mail_server", {**connection, **gone})["changed"] is False
