# SPDX-License-Identifier: GPL-3.0-or-later
"""Incoming servers: Odoo logs in to a real IMAP and POP server, and what it cannot log in to is put back."""

from __future__ import annotations

from typing import Any

import pytest
import secretfiles
from support.machines import Odoo
from support.modules import run_module, warned
from support.steps import refused, step

pytestmark = pytest.mark.integration
ONLY_19 = pytest.mark.parametrize("common_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")
ONLY_14 = pytest.mark.parametrize("common_odoo", ["odoo14"], ids=["14"], indirect=True, scope="module")

ACCOUNTS = secretfiles.accounts()


def mailbox(name: str, user: str = "inbox@acme.example", **more: Any) -> dict[str, Any]:
    """Return the options for a server that Odoo can log in to."""
    server = {"server_type": "imap", "server": "imap.acme.example", "user": user, "password": ACCOUNTS[user]}
    return {"name": name, **server, **more}


CATCHALL = mailbox("Catchall")
CONFIRM = ("fetchmail.server", "button_confirm_login")


def stored(odoo: Odoo, name: str = "Catchall") -> list[dict[str, Any]]:
    """Return the servers of this name as Odoo has them."""
    fields = ["state", "port", "is_ssl", "password", "priority", "object_id", "active", "user"]
    archived_too = {"active_test": False}
    found = odoo.call("fetchmail.server", "search_read", [["name", "=", name]], fields, context=archived_too)
    return [{key: value for key, value in record.items() if key != "id"} for record in found]


def test_life(common_odoo: Odoo) -> None:
    created = step(common_odoo, "incoming_server", True, **CATCHALL)
    assert created["calls"].count(CONFIRM) == 1
    assert created["changes"][0]["after"]["confirmed"] is True
    assert created["changes"][0]["after"]["password"] == "(hidden)"
    confirmed = {
        "state": "done",
        "port": 993,
        "is_ssl": True,
        "password": CATCHALL["password"],
        "priority": 5,
        "object_id": False,
        "active": True,
        "user": CATCHALL["user"],
    }
    assert stored(common_odoo) == [confirmed]
    unchanged = step(common_odoo, "incoming_server", False, **CATCHALL)
    assert CONFIRM not in unchanged["calls"]
    # Nothing a login depends on: the mail server need not be up for it.
    changed = step(common_odoo, "incoming_server", True, **CATCHALL, priority=2, object_id="crm.lead")
    assert CONFIRM not in changed["calls"]
    step(common_odoo, "incoming_server", False, **CATCHALL, priority=2, object_id="crm.lead")
    cleared = step(common_odoo, "incoming_servers", True, incoming_servers=[{"name": "Catchall", "object_id": None}])
    assert cleared["changes"][0]["after"]["object_id"] is None
    again = mailbox("Catchall", "no-reply@acme.example")
    assert CONFIRM in step(common_odoo, "incoming_server", True, **again)["calls"]
    assert step(common_odoo, "incoming_server", True, name="Catchall", active=False)["calls"].count(CONFIRM) == 0
    assert CONFIRM in step(common_odoo, "incoming_server", True, name="Catchall", active=True)["calls"]
    (record,) = run_module("incoming_server_info", {**common_odoo.connection(), "names": ["Catchall"]})["records"]
    assert (record["confirmed"], record["password"], record["port"]) == (True, "(hidden)", 993)
    step(common_odoo, "incoming_server", True, name="Catchall", state="absent")
    step(common_odoo, "incoming_server", False, name="Catchall", state="absent")
    assert stored(common_odoo) == []


def test_a_server_that_odoo_cannot_log_in_to_is_put_back(common_odoo: Odoo) -> None:
    step(common_odoo, "incoming_server", True, **CATCHALL, attach=False)
    before = stored(common_odoo)
    wrong = {**common_odoo.connection(), **CATCHALL, "password": "canary-wrong", "priority": 9}
    result = run_module("incoming_server", wrong)
    assert (result["failed"], result["changed"], result["applied"]) == (True, False, [])
    told = result["msg"]
    assert told.startswith(
        "incoming server Catchall: Odoo could not log in to imap.acme.example:993 (imap, TLS) as inbox@acme.example"
    )
    assert "AUTHENTICATIONFAILED" in told
    assert told.endswith("It has its former values again. 0 of 1 changes were applied.")
    assert "canary-" not in str({**result, "invocation": None})
    assert stored(common_odoo) == before


def test_a_new_server_that_odoo_cannot_log_in_to_is_deleted_and_the_others_stay(common_odoo: Odoo) -> None:
    servers = [
        mailbox("Other", "no-reply@acme.example"),
        mailbox("Wrong", "notifications@acme.example", password="canary-wrong"),
        mailbox("Nowhere", server="imap.nowhere.invalid"),
        mailbox("In clear", port=143),
    ]
    result = run_module("incoming_servers", {**common_odoo.connection(), "incoming_servers": servers})
    assert (result["failed"], result["changed"]) == (True, True)
    assert (result["applied"], result["failed_name"]) == (["Other"], "Wrong")
    assert "incoming server Nowhere: Odoo could not log in to imap.nowhere.invalid:993" in result["msg"]
    # The sandbox's server takes no password without TLS.
    assert "without is_ssl Odoo sends the password in clear" in str(warned(result))
    assert "incoming server In clear: Odoo could not log in to imap.acme.example:143 (imap, no TLS)" in result["msg"]
    assert result["msg"].count("It was deleted again.") == 3
    assert [len(stored(common_odoo, server["name"])) for server in servers] == [1, 0, 0, 0]


def test_one_that_odoo_has_set_back_is_confirmed_again(common_odoo: Odoo) -> None:
    declared = mailbox("Set back", "notifications@acme.example")
    step(common_odoo, "incoming_server", True, **declared)
    (number,) = common_odoo.call("fetchmail.server", "search", [["name", "=", "Set back"]])
    common_odoo.call("fetchmail.server", "set_draft", [number])
    again = step(common_odoo, "incoming_server", True, **declared)
    assert again["changes"][0]["before"]["confirmed"] is False
    assert CONFIRM in again["calls"]
    assert ("fetchmail.server", "write") not in again["calls"]
    assert stored(common_odoo, "Set back")[0]["state"] == "done"
    step(common_odoo, "incoming_server", False, **declared)


def test_pop_is_warned_of_and_a_script_is_not_confirmed(common_odoo: Odoo) -> None:
    pop = mailbox("Pop", server_type="pop")
    made = step(common_odoo, "incoming_server", True, **pop)
    assert "Pop: POP fetches the mailbox's whole history and deletes it there" in warned(made)[0]
    assert (stored(common_odoo, "Pop")[0]["port"], stored(common_odoo, "Pop")[0]["state"]) == (995, "done")
    script = step(common_odoo, "incoming_server", True, name="Script", server_type="local")
    assert CONFIRM not in script["calls"]
    assert stored(common_odoo, "Script")[0]["state"] == "draft"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "port and type": (
        {"server_type": "pop", "port": 993},
        "incoming server: port 993 is for server_type imap with is_ssl true. imap takes 993 with is_ssl and 143",
    ),
    "port and TLS": (
        {"server_type": "imap", "port": 143, "is_ssl": True},
        "incoming server: port 143 is for server_type imap with is_ssl false",
    ),
    "no port": ({"port": 70000}, "incoming server.port is 70000: a port is a number from 1 to 65535"),
    "missing": (
        {"server_type": "imap", "server": "imap.acme.example"},
        "incoming server Bad does not exist yet, and to create it these are needed: user, password.",
    ),
    "no type": ({"user": "x"}, "to create it these are needed: server_type, server, password."),
    "token and password": (
        {"server_type": "gmail", "password": "canary-password"},
        "incoming server: server_type gmail logs in with a token, not a password",
    ),
    "unknown model": ({"object_id": "no.model"}, "object_id is 'no.model': this Odoo has no ir.model 'no.model'"),
    "model without mail": (
        {"object_id": "res.country"},
        "object_id: mail cannot become records of res.country, which has no mail thread",
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_cannot_be_is_refused(common_odoo: Odoo, case: str) -> None:
    options, text = REFUSED[case]
    assert text in refused(common_odoo, "incoming_server", name="Bad", **options)


@ONLY_19
def test_a_server_that_waits_for_consent_is_left_unconfirmed(common_odoo: Odoo) -> None:
    """19 comes with the apps for both providers."""
    made = step(common_odoo, "incoming_server", True, name="Gmail", server_type="gmail", user="acme@gmail.example")
    assert "Gmail cannot log in before somebody has opened it in Odoo and pressed Connect" in warned(made)[0]
    assert CONFIRM not in made["calls"]
    (record,) = stored(common_odoo, "Gmail")
    assert (record["state"], record["port"], record["is_ssl"]) == ("draft", 993, True)
    step(common_odoo, "incoming_server", False, name="Gmail", server_type="gmail", user="acme@gmail.example")
    options = {**common_odoo.connection(), "name": "Gmail", "google_gmail_refresh_token": "canary-token"}
    result = run_module("incoming_server", options)
    assert "Odoo could not log in to imap.gmail.com:993 (gmail, TLS) as acme@gmail.example" in result["msg"]
    assert "canary-" not in str({**result, "invocation": None})
    assert common_odoo.call("fetchmail.server", "search_count", [["google_gmail_refresh_token", "!=", False]]) == 0


@ONLY_14
def test_what_needs_an_app_says_so(common_odoo: Odoo) -> None:
    """Debian's 14 is older than the apps."""
    assert "Bad: server_type is 'outlook': Odoo 14.0 knows only pop, imap, local" in refused(
        common_odoo, "incoming_server", name="Bad", server_type="outlook", user="x@acme.example"
    )
    assert "token cannot be set: Odoo 14.0's fetchmail.server has no field google_gmail_refresh_token" in refused(
        common_odoo, "incoming_server", name="Bad", google_gmail_refresh_token="canary-token"
    )


def test_the_same_mailbox_under_another_name_is_adopted_only_when_told(common_odoo: Odoo) -> None:
    step(common_odoo, "incoming_server", True, **mailbox("By hand", "no-reply@acme.example", server_type="pop"))
    wanted = mailbox("Declared", "no-reply@acme.example", server_type="pop")
    assert "'By hand'" in refused(common_odoo, "incoming_server", **wanted)
    assert "'By hand'" in refused(common_odoo, "incoming_server", **{**wanted, "user": wanted["user"].upper()})
    adopted = step(common_odoo, "incoming_server", True, **wanted, adopt=True)
    assert [change["action"] for change in adopted["changes"]] == ["update"]
    assert (len(stored(common_odoo, "By hand")), len(stored(common_odoo, "Declared"))) == (0, 1)


@ONLY_19
def test_a_neutralised_copy_is_not_made_to_fetch(common_odoo: Odoo) -> None:
    """Odoo marks such copies from version 16 on."""
    mark = common_odoo.call("ir.config_parameter", "create", {"key": "database.is_neutralized", "value": "true"})
    copied = mailbox("Copy", adopt=False)
    told = refused(common_odoo, "incoming_server", **copied)
    assert "is a neutralised copy, and this would let it fetch from Copy" in told
    step(common_odoo, "incoming_server", True, **copied, active=False)
    step(common_odoo, "incoming_server", True, name="Copy", active=True, neutralized="allow")
    common_odoo.call("ir.config_parameter", "unlink", [mark])
