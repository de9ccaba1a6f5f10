# SPDX-License-Identifier: GPL-3.0-or-later
"""A renamed catchall: answers to mail that was sent before still find their thread."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from email import message_from_string
from email.message import EmailMessage
from typing import Any

import pytest
from support.machines import Internet, Machine, Odoo
from support.modules import run_module, warned
from support.waiting import until

pytestmark = pytest.mark.e2e

PARAMETER = [("key", "=", "mail_delivery.former_addresses")]
OLD = "catchall@acme.example"


def now(gateway: Machine, address: str) -> str:
    """Return what Postfix on the gateway rewrites an address to, or nothing."""
    return gateway.run("postmap", "-q", address, "lmdb:/var/lib/odoo-lmtp-bridge/maps/aliases").stdout.strip()


def rename(site: Odoo, gateway: Machine, old: str, new: str) -> None:
    """Rename the catchall and wait until the gateway has learnt it."""
    wanted = {"name": "acme.example", "catchall_alias": new, "former_catchall_aliases": [old]}
    done = run_module("alias_domain", {**site.connection(), **wanted})
    assert done["changed"], done.get("msg")
    assert warned(done) == []
    address = f"{new}@acme.example"
    until(lambda: now(gateway, f"{old}@acme.example") == address, f"the former address of {address} on the gateway")
    assert now(gateway, address) == address


@pytest.fixture
def renamed(site: Odoo, gateway: Machine) -> Iterator[str]:
    """A new name for the catchall; afterwards everything is as it was."""
    before = site.call("ir.config_parameter", "search_read", PARAMETER, ["value"])
    new = f"replies-{uuid.uuid4().hex[:8]}"
    yield new
    domains = site.call("mail.alias.domain", "search", [["name", "=", "acme.example"]])
    site.call("mail.alias.domain", "write", domains, {"catchall_alias": "catchall"})
    parameter = site.call("ir.config_parameter", "search", PARAMETER)
    if before:
        site.call("ir.config_parameter", "write", parameter, {"value": before[0]["value"]})
    else:
        site.call("ir.config_parameter", "unlink", parameter)
    until(lambda: now(gateway, OLD) == OLD and not now(gateway, f"{new}@acme.example"), "the gateway as it was")


def offer(site: Odoo, internet: Internet, customer: str, subject: str) -> tuple[int, Any]:
    """Have Odoo write to the customer about a partner; return the partner's id and the mail that left."""
    recipient = site.call("res.partner", "create", {"name": customer, "email": customer})
    partner = site.call("res.partner", "create", {"name": subject})
    site.call(
        "res.partner", "message_post", [partner], body="Shall we?", subject=subject, message_type="comment",
        subtype_xmlid="mail.mt_comment", partner_ids=[recipient],
    )  # fmt: skip
    done = internet.run("sandbox-mail", "wait", "--subject", subject, "--timeout", "40")
    assert done.returncode == 0, done.stdout + done.stderr
    raw = internet.run("cat", json.loads(done.stdout)["file"], check=True).stdout
    return partner, message_from_string(raw)


def answer(internet: Internet, customer: str, mail: Any, number: int) -> str:
    """Answer a mail as its reader does; return the answer's Message-Id."""
    reply = EmailMessage()
    reply["From"] = customer
    reply["To"] = mail["Reply-To"]
    reply["Subject"] = f"Re: {mail['Subject']}"
    reply["Message-Id"] = f"<{number}@customer.example>"
    reply["In-Reply-To"] = reply["References"] = mail["Message-Id"].strip()
    reply.set_content("Yes, let's.")
    to = message_from_string(f"To: {mail['Reply-To']}")["To"].rpartition("<")[2].rstrip(">")
    done = internet.run(
        "send-mail", "--json", "--from", customer, "--envelope-to", to, "--file", "-", input=bytes(reply)
    )
    (result,) = json.loads(done.stdout)["results"]
    assert (result["recipient"], result["code"]) == (to, 250), result
    return str(reply["Message-Id"])


def test_answers_to_the_former_catchall_arrive_in_their_thread(
    site: Odoo, internet: Internet, gateway: Machine, numbers: itertools.count[int], renamed: str
) -> None:
    def thread_has(partner: int, message_id: str) -> list[int]:
        condition = [["model", "=", "res.partner"], ["res_id", "=", partner], ["message_id", "=", message_id]]
        found: list[int] = site.call("mail.message", "search", condition)
        return found

    for old, new in (("catchall", renamed), (renamed, "catchall")):
        number = next(numbers)
        customer = f"jo{number}@customer.example"
        partner, mail = offer(site, internet, customer, f"Contract {number}")
        assert f"{old}@acme.example" in mail["Reply-To"]
        rename(site, gateway, old, new)
        message_id = answer(internet, customer, mail, next(numbers))
        until(lambda p=partner, m=message_id: thread_has(p, m), f"the answer to {old} in its thread")  # type: ignore[misc]
