# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails in Odoo's queue: counted, found, retried, cancelled and really sent."""

from __future__ import annotations

from typing import Any

import pytest
from support.machines import Internet, Odoo
from support.modules import recorded, run_module
from support.steps import refused, step

pytestmark = pytest.mark.integration

SENDER = "no-reply@acme.example"
RETRY = ("mail.mail", "mark_outgoing")


@pytest.fixture(scope="module", autouse=True)
def no_servers(common_odoo: Odoo) -> None:
    """These tests begin without servers."""
    common_odoo.clear("ir.mail_server")


@pytest.fixture
def queue(common_odoo: Odoo) -> Odoo:
    """A database in which no mail waits or has failed."""
    # Odoo lets nobody delete them from outside.
    common_odoo.call("mail.mail", "write", common_odoo.call("mail.mail", "search", []), {"state": "received"})
    return common_odoo


def mail(odoo: Odoo, recipient: str, state: str = "outgoing", reason: str = "", **more: Any) -> int:
    """Put a mail into the queue; return its number."""
    values = {"email_from": SENDER, "email_to": recipient, "body_html": "<p>canary-body</p>", "subject": "Order"}
    # Odoo gives a new mail its own state whatever is asked for.
    number = odoo.call("mail.mail", "create", {**values, **more})
    odoo.call("mail.mail", "write", [number], {"state": state, "failure_reason": reason})
    return int(number)


def states(odoo: Odoo, *numbers: int) -> list[str]:
    """Return the states of mails."""
    return [record["state"] for record in odoo.call("mail.mail", "read", list(numbers), ["state"])]


def info(odoo: Odoo, **options: Any) -> dict[str, Any]:
    """Return what the info module tells."""
    result = run_module("mail_queue_info", {**odoo.connection(), "states": ["outgoing", "exception"], **options})
    assert not result.get("failed"), result
    assert "canary-" not in str({**result, "invocation": None})
    return result


def test_what_is_in_the_queue(queue: Odoo) -> None:
    partner = queue.call("res.partner", "create", {"name": "Carol", "email": "carol_b@customer.example"})
    waiting = mail(queue, "Alice <alice@customer.example>", email_cc="boss@customer.example")
    failed = [
        mail(queue, f"{name}@customer.example", "exception", f"550 <{name}@customer.example>: unknown")
        for name in ("bob", "dave")
    ]
    other = mail(queue, "", "exception", "Connection refused", recipient_ids=[(6, 0, [partner])])
    told = info(queue)
    assert (told["total"], told["states"]) == (4, {"outgoing": 1, "exception": 3})
    assert told["failures"] == [
        {"reason": "550 <(address)>: unknown", "count": 2},
        {"reason": "Connection refused", "count": 1},
    ]
    assert [entry["id"] for entry in told["mails"]] == [waiting, *failed, other]
    assert told["mails"][0]["recipients"] == ["alice@customer.example", "boss@customer.example"]
    assert (told["mails"][0]["email_from"], told["mails"][0]["subject"]) == (SENDER, "Order")

    def found(**options: Any) -> list[int]:
        return [entry["id"] for entry in info(queue, **options)["mails"]]

    assert found(email_to="BOSS@customer") == [waiting]
    assert found(email_to="carol_b") == [other]
    assert found(email_to="b_b@") == []
    assert found(email_from="nobody") == []
    assert found(states=["exception"], limit=1) == failed[:1]
    assert found(failure="CONNECTION refused") == [other]
    assert found(failure="550 _") == []
    assert found(older_than="1h") == []
    age = f"UPDATE mail_mail SET create_date = create_date - interval '3 hours' WHERE id = {other}"
    queue.run("runuser", "-u", "odoo", "--", "psql", "-d", queue.database, "-c", age, check=True)
    assert found(older_than="2h") == [other]
    change = f"UPDATE mail_mail SET write_date = '2026-01-31 12:00:00' WHERE id IN ({other}, {waiting})"
    queue.run("runuser", "-u", "odoo", "--", "psql", "-d", queue.database, "-c", change, check=True)
    assert found(changed_since="2026-01-31 12:00:01") == failed
    assert found(changed_since="2026-01-31 12:00:00") == [waiting, *failed, other]
    server = queue.call("ir.mail_server", "create", {"name": "Bound", "smtp_host": "mail.zoho.com"})
    bound = mail(queue, "eve@customer.example", mail_server_id=server)
    assert found(server="Bound") == [bound]
    assert (
        "no mail server 'Nowhere'" in run_module("mail_queue_info", {**queue.connection(), "server": "Nowhere"})["msg"]
    )


def test_retry_and_cancel(queue: Odoo) -> None:
    failed = [mail(queue, f"f{number}@customer.example", "exception", "x") for number in range(3)]
    waiting, sent = mail(queue, "w@customer.example"), mail(queue, "s@customer.example", "sent")
    told = refused(queue, "mail_queue", action="retry", limit=2)
    assert told == (
        "retry would act on 3 mails, more than limit (2). Narrow the filter, or raise limit if all of them are meant. "
        "Nothing was written."
    )
    retried = step(queue, "mail_queue", True, action="retry", email_to="F0@customer")
    assert retried["calls"].count(RETRY) == 1
    assert [entry["state"] for entry in retried["mails"]] == ["outgoing"]
    assert states(queue, *failed) == ["outgoing", "exception", "exception"]
    step(queue, "mail_queue", False, action="retry", email_to="F0@customer")
    step(queue, "mail_queue", True, action="cancel", states=["exception"])
    assert states(queue, *failed, waiting, sent) == ["outgoing", "cancel", "cancel", "outgoing", "sent"]
    step(queue, "mail_queue", True, action="cancel")
    assert states(queue, *failed, waiting, sent) == ["cancel", "cancel", "cancel", "cancel", "sent"]
    step(queue, "mail_queue", False, action="cancel")


def test_send(queue: Odoo, internet: Internet) -> None:
    server = {"smtp_host": "mail.zoho.com", "smtp_port": 465, "smtp_encryption": "ssl", "smtp_user": SENDER}
    queue.call("ir.mail_server", "create", {"name": "Zoho", "smtp_pass": internet.accounts[SENDER], **server})
    now, kept = mail(queue, "now@customer.example", auto_delete=True), mail(queue, "kept@customer.example")
    later = mail(queue, "later@customer.example", scheduled_date="2099-01-01 00:00:00")
    with recorded(queue.url, queue.ca_file) as (url, calls):
        options = {**queue.connection(), "odoo_url": url, "action": "send"}
        predicted = run_module("mail_queue", options, check=True)
        assert [entry["id"] for entry in predicted["mails"]] == [now, kept]
        assert ("mail.mail", "send") not in calls
        sent = run_module("mail_queue", options)
    assert sent["changed"], sent
    assert calls.count(("mail.mail", "send")) == 1
    assert [entry["state"] for entry in sent["mails"]] == ["sent", "sent"]
    assert predicted["diff"] == sent["diff"]
    assert queue.call("mail.mail", "search", [["id", "in", [now, kept, later]]], order="id") == [kept, later]
    step(queue, "mail_queue", False, action="send")


def test_what_cannot_be_sent_is_told_with_its_reasons(queue: Odoo) -> None:
    queue.call("ir.mail_server", "create", {"name": "Down", "sequence": 0, "smtp_host": "smtp.nowhere.invalid"})
    bound = queue.call("ir.mail_server", "search", [["name", "=", "Down"]])[0]
    number = mail(queue, "x@customer.example", mail_server_id=bound)
    result = run_module("mail_queue", {**queue.connection(), "action": "send"})
    assert (result["failed"], result["changed"], result["error"]) == (True, True, "delivery")
    assert "1 of 1 mails could not be sent: " in result["msg"]
    assert "Name or service not known" in result["msg"]
    assert states(queue, number) == ["exception"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "state": ({"action": "send", "states": ["sent"]}, "states is sent, and send acts on outgoing only"),
    "age": ({"action": "cancel", "older_than": "soon"}, "older_than is 'soon'. It is a number and a unit"),
    "moment": ({"action": "retry", "changed_since": "now"}, "changed_since is 'now'. Write it as YYYY-MM-DD HH:MM:SS"),
    "no reason": ({"action": "retry", "failure": " "}, "failure is empty, which every mail matches"),
    "age before the calendar": ({"action": "cancel", "older_than": "999999999999w"}, "older_than is '999999999999w'"),
    "no state": ({"action": "cancel", "states": []}, "states is empty"),
    "no sender": ({"action": "cancel", "email_from": ""}, "email_from is empty, which every mail matches"),
    "no recipient": ({"action": "cancel", "email_to": " "}, "email_to is empty, which every mail matches"),
    "limit": ({"action": "cancel", "limit": -1}, "limit is -1"),
    "server": ({"action": "retry", "server": "Nowhere"}, "this database has no mail server 'Nowhere'"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_cannot_be_is_refused(common_odoo: Odoo, case: str) -> None:
    options, text = REFUSED[case]
    assert text in refused(common_odoo, "mail_queue", **options)


@pytest.mark.parametrize("limit", [-1, 2**70])
def test_how_many_to_tell_of_is_checked(common_odoo: Odoo, limit: int) -> None:
    assert f"limit is {limit}" in refused(common_odoo, "mail_queue_info", limit=limit)


def test_none_to_tell_of(queue: Odoo) -> None:
    mail(queue, "x@customer.example")
    assert (info(queue, limit=0)["total"], info(queue, limit=0)["mails"]) == (1, [])
