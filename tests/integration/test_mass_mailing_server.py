# SPDX-License-Identifier: GPL-3.0-or-later
"""Email Marketing's dedicated server, as Odoo's settings and mailings see it."""

from __future__ import annotations

from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module

pytestmark = pytest.mark.integration

KEYS = ["mass_mailing.mail_server_id", "mass_mailing.outgoing_mail_server"]
SERVER = {"smtp_host": "relay.acme.example", "smtp_port": 25}


@pytest.fixture(scope="module", autouse=True)
def no_servers(common_odoo: Odoo) -> None:
    """These tests begin without servers."""
    common_odoo.clear("ir.mail_server")


def run(odoo: Odoo, **options: Any) -> dict[str, Any]:
    """Run the module; before that, check mode says the same and writes nothing."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        predicted = run_module("mass_mailing_server", {**odoo.connection(), **options, "odoo_url": url}, check=True)
    assert not {"create", "write", "unlink"} & {method for _model, method in calls}
    done = run_module("mass_mailing_server", {**odoo.connection(), **options})
    for name in ("failed", "changed", "changes", "diff"):
        assert predicted.get(name) == done.get(name), (predicted, done)
    return done


def values(odoo: Odoo) -> dict[str, str]:
    """Return the parameters that are set."""
    found = odoo.call("ir.config_parameter", "search_read", [["key", "in", KEYS]], ["key", "value"])
    return {record["key"]: record["value"] for record in found}


def test_its_life(common_odoo: Odoo) -> None:
    first, second = (
        common_odoo.call("ir.mail_server", "create", {**SERVER, "name": name}) for name in ("Bulk", "Other")
    )
    assert run(common_odoo, server="Bulk")["changed"]
    assert values(common_odoo) == {KEYS[0]: str(first), KEYS[1]: "True"}
    assert not run(common_odoo, server="Bulk")["changed"]
    mailing = common_odoo.call("mailing.mailing", "create", {"subject": "Spring", "email_from": "sales@acme.example"})
    assert common_odoo.call("mailing.mailing", "read", [mailing], ["mail_server_id"])[0]["mail_server_id"][0] == first
    changed = run(common_odoo, server="Other")
    assert [change["name"] for change in changed["changes"]] == [KEYS[0]]
    names = [name.replace(".", "_") for name in KEYS]
    settings = common_odoo.call("res.config.settings", "default_get", names)
    assert [settings[name] for name in names] == [second, True]
    assert run(common_odoo, state="absent")["changed"]
    assert values(common_odoo) == {}
    assert not run(common_odoo, state="absent")["changed"]


def test_a_server_that_mailings_cannot_leave_by(common_odoo: Odoo) -> None:
    common_odoo.call("ir.mail_server", "create", {**SERVER, "name": "Archived", "active": False})
    for _twin in range(2):
        common_odoo.call("ir.mail_server", "create", {**SERVER, "name": "Twin"})
    refusals = [
        ("Archived", "mail server 'Archived' is archived"),
        ("Twin", "mail server 'Twin' exists 2 times (ids "),
    ]
    if common_odoo.name != "odoo14":
        common_odoo.call("ir.mail_server", "create", {**SERVER, "name": "Own", "owner_user_id": 2})
        refusals.append(("Own", "mail server 'Own' belongs to"))
    for server, message in refusals:
        result = run(common_odoo, server=server)
        assert result["failed"] and message in result["msg"] and result["msg"].endswith("Nothing was written.")


def test_a_server_that_is_not_there(common_odoo: Odoo) -> None:
    """In check mode an earlier task may have said that it would create it."""
    connection = {**common_odoo.connection(), "server": "Nowhere"}
    result = run_module("mass_mailing_server", connection)
    assert (result["error"], result["msg"].partition(".")[0]) == ("not_found", "this Odoo has no mail server 'Nowhere'")
    predicted = run_module("mass_mailing_server", connection, check=True)
    assert predicted["changed"] and "takes it for granted" in str(predicted["warnings"])
    assert values(common_odoo) == {}


def test_without_email_marketing(common_odoo: Odoo) -> None:
    """The model is hidden, which is what an Odoo without the app looks like, and uninstalling takes a minute."""
    common_odoo.sql("UPDATE ir_model SET model = 'hidden' WHERE model = 'mailing.mailing'")
    try:
        result = run(common_odoo, server="Bulk")
    finally:
        common_odoo.sql("UPDATE ir_model SET model = 'mailing.mailing' WHERE model = 'hidden'")
    assert result["msg"].startswith("this Odoo has no Email Marketing. Install its app mass_mailing first")
