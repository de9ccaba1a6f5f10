# SPDX-License-Identifier: GPL-3.0-or-later
"""Apps and addons: installed and uninstalled for good, waited for, and not together with what needs them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module
from support.steps import refused, step
from support.waiting import until

pytestmark = pytest.mark.integration

POLICY = "auth_password_policy"
INSTALL = ("ir.module.module", "button_immediate_install")


def states(odoo: Odoo) -> dict[str, str]:
    """Return the state of the addon, and of those that install themselves where it is, which need it."""
    found = odoo.call("ir.module.module", "search_read", [["name", "=like", POLICY + "%"]], ["name", "state"])
    return {record["name"]: record["state"] for record in found}


def test_life(common_odoo: Odoo) -> None:
    # Odoo lets nobody install while a scheduled action runs, and such a one is running.
    with recorded(common_odoo.url, common_odoo.ca_file) as (url, calls):
        options = {**common_odoo.connection(), "odoo_url": url, "name": POLICY}
        with common_odoo.holding("SELECT id FROM ir_cron LIMIT 1 FOR UPDATE") as let_go:
            refusal = run_module("odoo_module", {**options, "wait_timeout": 0})
            assert (refusal["error"], refusal["changed"]) == ("conflict", False)
            assert "Odoo is currently processing a scheduled action" in refusal["msg"]
            calls.clear()
            waiter = threading.Thread(
                target=lambda: (until(lambda: calls.count(INSTALL) > 1, "a second try"), let_go())
            )
            waiter.start()
            installed = run_module("odoo_module", options)
            waiter.join()
    assert calls.count(INSTALL) > 1
    assert (installed["changed"], installed["action"]) == (True, "install"), installed
    assert set(states(common_odoo).values()) == {"installed"}
    step(common_odoo, "odoo_module", False, name=POLICY, state="latest")

    others = sorted(set(states(common_odoo)) - {POLICY})
    assert "auth_password_policy_signup" in others
    assert refused(common_odoo, "odoo_module", name=POLICY, state="absent") == (
        f"addon '{POLICY}' is needed by {', '.join(others)}, and Odoo would uninstall that too, with all its data. "
        "Say force: true if that is meant."
    )
    absent = {**common_odoo.connection(), "name": POLICY, "state": "absent", "force": True}
    predicted = run_module("odoo_module", absent, check=True)
    assert (predicted["changed"], predicted["dependents"]) == (True, others)
    assert set(states(common_odoo).values()) == {"installed"}
    gone = run_module("odoo_module", absent)
    assert (gone["changed"], gone["action"], gone["dependents"]) == (True, "uninstall", others), gone
    assert set(states(common_odoo).values()) == {"uninstalled"}
    step(common_odoo, "odoo_module", False, name=POLICY, state="absent")


def test_an_addon_that_is_not_there(common_odoo: Odoo) -> None:
    result = run_module("odoo_module", {**common_odoo.connection(), "name": "no_such_addon"})
    assert (result["error"], result["changed"]) == ("not_found", False)
    assert "Odoo has no installable addon 'no_such_addon'" in result["msg"]
    step(common_odoo, "odoo_module", False, name="no_such_addon", state="absent")


@pytest.mark.parametrize("common_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")
def test_an_addon_that_could_not_be_installed_when_odoo_last_looked(common_odoo: Odoo) -> None:
    common_odoo.sql(f"UPDATE ir_module_module SET state = 'uninstallable' WHERE name = '{POLICY}'")
    options = {**common_odoo.connection(), "name": POLICY}
    installed = run_module("odoo_module", options)
    assert (installed.get("changed"), states(common_odoo)[POLICY]) == (True, "installed"), installed
    run_module("odoo_module", {**options, "state": "absent", "force": True})


def test_what_was_not_begun_is_no_change(common_odoo: Odoo) -> None:
    """The proxy before Odoo answers, but not Odoo: whether a call was carried out is not known, but it was a read."""
    unreadable = {**common_odoo.connection(), "odoo_url": f"{common_odoo.url}/web", "odoo_protocol": "jsonrpc"}
    result = run_module("odoo_modules", {**unreadable, "odoo_login": "admin", "names": [POLICY]})
    assert (result["failed"], result["error"], result["changed"]) == (True, "protocol", False), result["msg"]


@pytest.mark.parametrize("common_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")
def test_several_at_once(common_odoo: Odoo, tmp_path: Path) -> None:
    """What is there already costs one read; one that is missing is installed, and the first failure ends it."""
    with recorded(common_odoo.url, common_odoo.ca_file) as (url, calls):
        snapshot = tmp_path / "before.json"
        options = {**common_odoo.connection(), "odoo_url": url, "odoo_snapshot": str(snapshot)}
        assert not run_module("odoo_modules", {**options, "names": ["mail", "crm", "mail"]})["changed"]
        assert [call for call in calls if call[0] == "ir.module.module"] == [("ir.module.module", "search_read")]
        calls.clear()
        predicted = run_module("odoo_modules", {**options, "names": ["crm", POLICY]}, check=True)
        assert (predicted["changed"], predicted["installed"]) == (True, [POLICY])
        assert INSTALL not in calls
        assert not snapshot.exists()
        failed = run_module("odoo_modules", {**options, "names": [POLICY, "nowhere_to_be_found"]})
    assert "Odoo has no installable addon 'nowhere_to_be_found'" in failed["msg"]
    assert (failed["changed"], failed["installed"]) == (True, [POLICY])
    assert failed["msg"].endswith(f"Installed before that: {POLICY}.")
    assert states(common_odoo)[POLICY] == "installed"
    assert snapshot.exists()
    run_module("odoo_module", {**common_odoo.connection(), "name": POLICY, "state": "absent", "force": True})
