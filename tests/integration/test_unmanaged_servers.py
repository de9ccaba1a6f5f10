# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that the policy does not name: reported with what they take, archived, or left alone."""

from __future__ import annotations

from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module, warned
from support.steps import refused, step

pytestmark = pytest.mark.integration

MODEL = "ir.mail_server"
DOMAIN = {
    "name": "acme.example",
    "bounce_alias": "bounce",
    "catchall_alias": "catchall",
    "default_from": "no-reply",
}
MAIN = {
    "name": "Main",
    "sequence": 5,
    "smtp_host": "mail.acme.example",
    "smtp_port": 587,
    "encryption": "starttls",
    "smtp_user": "no-reply@acme.example",
    "smtp_pass": "canary-password",
}
OLD = {"name": "Old", "sequence": 1, "smtp_host": "old.acme.example", "smtp_port": 25}
# Nobody's address matches it, and it comes last.
IDLE = {"name": "Idle", "sequence": 90, "smtp_host": "idle.acme.example", "smtp_port": 25}
READS = [(MODEL, "fields_get"), (MODEL, "search_read")]


@pytest.fixture(autouse=True)
def start(any_odoo: Odoo) -> None:
    """Each test begins with the declared server and its alias domain, and no others."""
    any_odoo.clear(MODEL)
    assert not run_module("mail_settings", {**any_odoo.connection(), **wanted(any_odoo)}).get("failed")


def wanted(odoo: Odoo, **options: Any) -> dict[str, Any]:
    """Return what the policy says; Odoo 14 has no filters."""
    filtered = {} if odoo.name == "odoo14" else {"from_filter": ["no-reply@acme.example", "bounce@acme.example"]}
    return {"alias_domains": [DOMAIN], "servers": [{**MAIN, **filtered}], "test": "never", **options}


def add(odoo: Odoo, *servers: dict[str, Any]) -> None:
    """Make servers as somebody does by hand; those without a place of their own take all mail there is."""
    filters = {"Old": "acme.example,no-reply@acme.example", "Idle": "nobody.example"}
    for server in servers:
        filtered = {} if odoo.name == "odoo14" else {"from_filter": filters[server["name"]]}
        odoo.call(MODEL, "create", {**server, **filtered})


def active(odoo: Odoo) -> list[str]:
    """Return the names of the servers that can send."""
    return sorted(server["name"] for server in odoo.call(MODEL, "search_read", [], ["name"]))


def calls(odoo: Odoo, **options: Any) -> list[tuple[str, str]]:
    """Return the calls of a run that changes nothing."""
    with recorded(odoo.url, odoo.ca_file) as (url, made):
        result = run_module("mail_settings", {**odoo.connection(), "odoo_url": url, **options})
    assert not result.get("failed"), result
    assert not result["changed"]
    return made


def test_nobody_else_is_there(any_odoo: Odoo) -> None:
    options = wanted(any_odoo)
    done = step(any_odoo, "mail_settings", False, **options)
    assert done["unmanaged_servers"] == []
    assert not [text for text in warned(done) if "not in the policy" in text]
    ignoring = calls(any_odoo, **options, unmanaged_servers="ignore")
    assert calls(any_odoo, **options) == [*ignoring, *READS]
    assert calls(any_odoo, **options, unmanaged_servers="archive") == [*ignoring, *READS]


def test_a_report(any_odoo: Odoo) -> None:
    add(any_odoo, OLD, IDLE)
    done = step(any_odoo, "mail_settings", False, **wanted(any_odoo))
    shown = {server["name"]: server for server in done["unmanaged_servers"]}
    assert sorted(shown) == ["Idle", "Old"]
    assert shown["Idle"] == {"name": "Idle", "active": True, "takes": []}
    assert {"sender": "no-reply@acme.example", "from": "Main"} in shown["Old"]["takes"]
    told = [text for text in warned(done) if "is active and not in the policy" in text]
    assert any(text.startswith("mail server Old ") and "no-reply@acme.example (Main)" in text for text in told), told
    assert any(text.startswith("mail server Idle ") and "takes no mail" in text for text in told), told
    assert active(any_odoo) == ["Idle", "Main", "Old"]
    # However many there are, it costs the same.
    many = [{**IDLE, "sequence": number} for number in range(100, 120)]
    add(any_odoo, *many)
    assert calls(any_odoo, **wanted(any_odoo)) == done["calls"]


def test_what_is_ignored(any_odoo: Odoo) -> None:
    add(any_odoo, OLD)
    done = step(any_odoo, "mail_settings", False, **wanted(any_odoo), unmanaged_servers="ignore")
    assert "unmanaged_servers" not in done
    assert not [text for text in warned(done) if "Old" in text]
    # Without servers there is nothing that others could be beside.
    done = step(any_odoo, "mail_settings", False, alias_domains=[DOMAIN], unmanaged_servers="archive")
    assert "unmanaged_servers" not in done
    assert active(any_odoo) == ["Main", "Old"]


def test_archiving(any_odoo: Odoo) -> None:
    add(any_odoo, OLD, IDLE)
    done = step(any_odoo, "mail_settings", True, **wanted(any_odoo), unmanaged_servers="archive")
    assert [(change["setting"], change["action"], change["name"]) for change in done["changes"]] == [
        ("unmanaged_servers", "update", "Old"),
        ("unmanaged_servers", "update", "Idle"),
    ]
    assert (done["changes"][0]["before"]["active"], done["changes"][0]["after"]["active"]) == (True, False)
    assert done["diff"]["after"].count("active: False") == 2
    assert done["calls"].count((MODEL, "write")) == 1
    assert active(any_odoo) == ["Main"]
    again = step(any_odoo, "mail_settings", False, **wanted(any_odoo), unmanaged_servers="archive")
    assert [(server["active"], server["takes"]) for server in again["unmanaged_servers"]] == [(False, []), (False, [])]


def test_a_server_in_use_is_not_archived(any_odoo: Odoo) -> None:
    add(any_odoo, OLD)
    (old,) = any_odoo.call(MODEL, "search", [["name", "=", "Old"]])
    template = any_odoo.call("mail.template", "create", {"name": "Offer by the old one", "mail_server_id": old})
    told = refused(any_odoo, "mail_settings", **wanted(any_odoo), unmanaged_servers="archive")
    assert "mail server Old is used by mail template 'Offer by the old one'" in told
    assert "force" not in told
    any_odoo.call("mail.template", "unlink", [template])
    assert active(any_odoo) == ["Main", "Old"]


def test_the_new_one_first(any_odoo: Odoo) -> None:
    """What is to take the place of the others fails its test: nothing is archived."""
    add(any_odoo, OLD)
    new = {**MAIN, "name": "New", "smtp_host": "127.0.0.1", "smtp_port": 2525}
    options = {**wanted(any_odoo), "test": "on_change", "unmanaged_servers": "archive", "adopt": False}
    options["servers"] = [*options["servers"], new]
    result = run_module("mail_settings", {**any_odoo.connection(), **options})
    assert result["failed"]
    assert not result["changed"]
    assert result["remaining"] == ["servers: New", "unmanaged_servers: Old"]
    assert active(any_odoo) == ["Main", "Old"]


def test_an_adopted_server_is_no_stranger(any_odoo: Odoo) -> None:
    options = wanted(any_odoo)
    options["servers"] = [{**options["servers"][0], "name": "Renamed"}]
    done = step(any_odoo, "mail_settings", True, **options, unmanaged_servers="archive", adopt=True)
    assert [(change["setting"], change["name"]) for change in done["changes"]] == [("servers", "Renamed")]
    assert done["unmanaged_servers"] == []
    assert active(any_odoo) == ["Renamed"]


def test_what_is_left_alone(any_odoo: Odoo) -> None:
    """A user's own server, and the one that Odoo puts into a neutralised database."""
    any_odoo.call(MODEL, "create", {"name": "neutralization - disable emails", "smtp_host": "invalid", "smtp_port": 1})
    own = ["neutralization - disable emails"]
    if any_odoo.name == "odoo":
        address = "jo@acme.example"
        values = {"name": "Jo's own", "smtp_host": "smtp.acme.example", "smtp_user": address, "from_filter": address}
        any_odoo.call("res.users", "write", [2], {"email": address})
        any_odoo.call(MODEL, "create", {**values, "owner_user_id": 2})
        own.append("Jo's own")
    done = step(any_odoo, "mail_settings", False, **wanted(any_odoo), unmanaged_servers="archive")
    assert done["unmanaged_servers"] == []
    assert active(any_odoo) == sorted(["Main", *own])
