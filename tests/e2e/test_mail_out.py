# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail from Odoo leaves where the policy says, and its bounces come back to Odoo."""

from __future__ import annotations

import itertools
import json
from email import message_from_string
from email.utils import parseaddr
from typing import Any

import pytest
from support.machines import Internet, Odoo
from support.waiting import until

pytestmark = pytest.mark.e2e

# who writes → (server, port, login, From address that leaves)
LANES = {
    "mitchell@acme.example": ("mail.zoho.com", 465, "no-reply@acme.example", "no-reply@acme.example"),
    "no-reply@acme.example": ("mail.zoho.com", 465, "no-reply@acme.example", "no-reply@acme.example"),
    "mary@customer.example": ("mail.zoho.com", 465, "no-reply@acme.example", "no-reply@acme.example"),
    "news@mg.acme.example": ("smtp.mailgun.org", 2525, "no-reply@mg.acme.example", "news@mg.acme.example"),
    "notifications@acme.example": (
        "smtppro.zoho.com",
        587,
        "notifications@acme.example",
        "notifications@acme.example",
    ),  # fmt: skip
}


def send(site: Odoo, sender: str, subject: str) -> None:
    """Have Odoo send a mail of that sender at once."""
    values = {
        "subject": subject,
        "email_from": f"Some One <{sender}>",
        "email_to": "jo@customer.example",
        "body_html": "<p>x</p>",
    }
    mail = site.call("mail.mail", "create", values)
    site.call("mail.mail", "send", [mail])


def sent(internet: Internet, subject: str, server: str) -> dict[str, Any]:
    """Wait for the submission with that subject at the provider, and return its record."""
    done = internet.run("sandbox-mail", "wait", "--subject", subject, "--server", server, "--timeout", "40")
    assert done.returncode == 0, done.stdout + done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


@pytest.mark.parametrize("sender", sorted(LANES))
def test_each_purpose_leaves_where_the_policy_says(
    site: Odoo, internet: Internet, numbers: itertools.count[int], sender: str
) -> None:
    server, port, login, visible = LANES[sender]
    subject = f"Out {next(numbers)}"
    send(site, sender, subject)
    record = sent(internet, subject, server)
    assert (record["server"], record["port"], record["auth_user"], record["tls"]) == (server, port, login, True)
    assert record["mail_from"] == "bounce@acme.example"
    raw = internet.run("cat", record["file"], check=True).stdout
    assert parseaddr(message_from_string(raw)["From"]) == ("Some One", visible)


@pytest.mark.parametrize("sender", ["mitchell@acme.example", "news@mg.acme.example", "notifications@acme.example"])
def test_a_bounce_comes_back_to_odoo(
    site: Odoo, internet: Internet, numbers: itertools.count[int], sender: str
) -> None:
    number = next(numbers)
    address = "late-bounce@customer.example"
    partner = site.call("res.partner", "create", {"name": f"Gone {number}", "email": address})
    lead = site.call("crm.lead", "create", {"name": f"Offer {number}", "type": "lead"})
    message = site.call(
        "crm.lead", "message_post", [lead], body="An offer", subject=f"Offer {number}", email_from=sender,
        message_type="comment", subtype_xmlid="mail.mt_comment", partner_ids=[partner],
    )  # fmt: skip
    number_of = message[0] if isinstance(message, list) else message
    sent(internet, f"Offer {number}", LANES[sender][0])

    def status() -> list[str]:
        found = site.call(
            "mail.notification", "search_read",
            [["mail_message_id", "=", number_of], ["res_partner_id", "=", partner]], ["notification_status"],
        )  # fmt: skip
        return [entry["notification_status"] for entry in found if entry["notification_status"] == "bounce"]

    assert until(status, f"the bounce of the mail to {address} in Odoo") == ["bounce"]


def test_without_the_bounce_address_in_its_filter_a_server_sends_bounces_to_the_author(
    site: Odoo, internet: Internet, numbers: itertools.count[int]
) -> None:
    """Why every filter of the policy names the bounce address: Odoo would never see these bounces."""
    subject = f"Out {next(numbers)}"
    (server,) = site.call("ir.mail_server", "search_read", [["sequence", "=", 10]], ["smtp_host", "from_filter"])
    site.call("ir.mail_server", "write", [server["id"]], {"from_filter": "notifications@acme.example"})
    try:
        send(site, "notifications@acme.example", subject)
        record = sent(internet, subject, server["smtp_host"])
    finally:
        site.call("ir.mail_server", "write", [server["id"]], {"from_filter": server["from_filter"]})
    assert server["smtp_host"] == "smtppro.zoho.com"
    assert "bounce@acme.example" in server["from_filter"]
    assert record["mail_from"] == "notifications@acme.example"
