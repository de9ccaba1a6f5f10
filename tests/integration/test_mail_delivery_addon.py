# SPDX-License-Identifier: GPL-3.0-or-later
"""The addon in a real Odoo with several workers: what its own tests, in one process, cannot show."""

from __future__ import annotations

import itertools
import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from support.machines import Odoo
from support.waiting import until

pytestmark = pytest.mark.integration

DOMAIN = "acme.example"
SALES, SUPPORT, TEAM = f"sales@{DOMAIN}", f"support@{DOMAIN}", f"team@{DOMAIN}"
SENDERS = (f"customer-{number}@customer.example" for number in itertools.count())


@pytest.fixture(scope="module")
def odoo(addon_odoo: Odoo) -> Odoo:
    """The addon with two aliases for leads, and one that a sales team owns."""
    in_domain = {}
    if addon_odoo.name == "odoo14":
        addon_odoo.call("ir.config_parameter", "set_param", "mail.catchall.domain", DOMAIN)
    else:
        in_domain = {"alias_domain_id": addon_odoo.call("mail.alias.domain", "create", {"name": DOMAIN})}
    (lead,) = addon_odoo.call("ir.model", "search", [("model", "=", "crm.lead")])
    for name in ("sales", "support"):
        addon_odoo.call("mail.alias", "create", {"alias_name": name, "alias_model_id": lead, **in_domain})
    # With a leader: such a team's lead is written on behalf of the request's user.
    (leader,) = addon_odoo.call("res.users", "search", [("login", "=", "admin")])
    addon_odoo.call("crm.team", "create", {"name": "Team", "user_id": leader, "alias_name": "team", **in_domain})
    return addon_odoo


def mail(subject: str) -> bytes:
    """Return a message of a sender of its own: Odoo limits how many records one may create."""
    return (
        f"From: {next(SENDERS)}\r\nTo: {SALES}\r\nSubject: {subject}\r\nMessage-Id: <{subject}@customer.example>\r\n"
        "Date: Fri, 06 Nov 2026 10:00:00 +0000\r\n\r\nHello.\r\n"
    ).encode()


def post(odoo: Odoo, message: bytes, *recipients: str) -> requests.Response:
    """Post a message to the pipe once."""
    return requests.post(
        f"{odoo.url}/mail_delivery/pipe",
        data=message,
        headers={
            "Content-Type": "message/rfc822",
            "X-Odoo-Database": odoo.database,
            "X-Mail-Token": odoo.mail_token,
            "X-Mail-Recipients": json.dumps(recipients),
            "X-Mail-Sender": '"customer@customer.example"',
        },
        timeout=120,
    )


def deliver(odoo: Odoo, message: bytes, *recipients: str) -> list[int]:
    """Post until Odoo decides, as the queue does, and return the codes of the results."""

    def decided() -> list[int] | None:
        response = post(odoo, message, *recipients)
        return [result["code"] for result in response.json()["results"]] if response.status_code == 200 else None

    return until(decided, "a decision of Odoo about a message", 120) or []


@pytest.mark.parametrize(
    "transactions",
    [[(SALES,), (SUPPORT,)] * 8, [(SALES, SUPPORT)] * 16, [(SALES,), (SUPPORT, SALES)] * 8],
    ids=["split", "joint", "overlapping"],
)
def test_concurrent_deliveries_make_one_record_per_recipient(odoo: Odoo, transactions: list[tuple[str, ...]]) -> None:
    subject = uuid.uuid4().hex
    message = mail(subject)
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda recipients: deliver(odoo, message, *recipients), transactions))
    assert codes == [[250] * len(recipients) for recipients in transactions]
    assert odoo.call("crm.lead", "search_count", [("name", "=", subject)]) == 2
    assert odoo.call("mail.delivery.ledger", "search_count", [("key", "like", subject)]) == 1


def test_alias_that_a_sales_team_owns(odoo: Odoo) -> None:
    subject = uuid.uuid4().hex
    assert deliver(odoo, mail(subject), TEAM) == [250]
    (lead,) = odoo.call("crm.lead", "search_read", [("name", "=", subject)], ["team_id"])
    assert lead["team_id"][1] == "Team"


def test_wrong_token(odoo: Odoo) -> None:
    response = requests.get(
        f"{odoo.url}/mail_delivery/aliases",
        headers={"X-Odoo-Database": odoo.database, "X-Mail-Token": odoo.mail_token + "x"},
        timeout=60,
    )
    assert (response.status_code, response.json()) == (403, {"version": 1, "error": "forbidden"})
    assert "session_id" not in response.cookies
