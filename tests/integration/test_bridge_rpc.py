# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge's back end rpc and Odoo 19 and 14 without the addon."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable

import pytest
from odoo_lmtp_bridge.odoo import Forbidden, Unavailable
from odoo_lmtp_bridge.rpc import RpcBackend
from support.bridge import (
    ALL_LEADS,
    DOMAIN,
    MAILINGS,
    SETTINGS,
    alias,
    alias_domain,
    codes,
    post,
    rpc_backend,
    rpc_user,
)
from support.machines import Odoo

pytestmark = pytest.mark.integration

SALES, SUPPORT, BROKEN = f"sales@{DOMAIN}", f"support@{DOMAIN}", f"broken@{DOMAIN}"
SENDERS = (f"customer-{number}@customer.example" for number in itertools.count())


@pytest.fixture(scope="module")
def user(any_odoo: Odoo) -> tuple[str, str]:
    """Login and key of a user with the rights that the documentation asks for; two aliases, and a broken one."""
    alias_domain(any_odoo)
    for name in ("sales", "support"):
        alias(any_odoo, name)
    alias(any_odoo, "broken", alias_defaults="{'type': 'nonsense'}")
    return rpc_user(any_odoo, "bridge", SETTINGS, ALL_LEADS, MAILINGS)


def mail(subject: str, to: str = "list@customer.example", more: str = "", sender: str | None = None) -> bytes:
    """Return an 8-bit message."""
    return (
        f"From: {sender or next(SENDERS)}\r\nTo: {to}\r\nSubject: {subject}\r\n"
        f"Message-Id: <{subject}@customer.example>\r\n{more}"
        f"Content-Type: text/plain; charset=latin-1\r\n\r\nGr\u00fc\u00dfe \0\r\n"
    ).encode("latin-1")


def run(odoo: Odoo, user: tuple[str, str], scenario: Callable[[RpcBackend], Awaitable[None]]) -> None:
    """Carry out a scenario with a back end of its own."""

    async def main() -> None:
        async with rpc_backend(odoo, user) as backend:
            await backend.alias_list(None)
            await scenario(backend)

    asyncio.run(main())


def leads(odoo: Odoo, subject: str) -> int:
    return int(odoo.call("crm.lead", "search_count", [("name", "=", subject)]))


def test_a_mail_and_its_repetitions(any_odoo: Odoo, user: tuple[str, str]) -> None:
    subject = uuid.uuid4().hex
    content = mail(subject)

    async def scenario(backend: RpcBackend) -> None:
        assert codes(await post(backend, content, SALES)) == [250]
        assert codes(await post(backend, content, SALES)) == [250]

    run(any_odoo, user, scenario)
    # Another process remembers nothing; Odoo knows the message.
    run(any_odoo, user, scenario)
    assert leads(any_odoo, subject) == 1
    (body,) = any_odoo.call("mail.message", "search_read", [("message_id", "like", subject)], ["body"])
    assert "Gr\u00fc\u00dfe" in body["body"]


def test_split_transactions_make_a_record_each(any_odoo: Odoo, user: tuple[str, str]) -> None:
    subject = uuid.uuid4().hex
    content = mail(subject)

    async def scenario(backend: RpcBackend) -> None:
        for recipients in ([SALES], [SUPPORT], [SUPPORT, SALES], [SALES]):
            assert codes(await post(backend, content, *recipients)) == [250] * len(recipients)

    run(any_odoo, user, scenario)
    assert leads(any_odoo, subject) == 2


def test_several_recipients_and_a_broken_alias(any_odoo: Odoo, user: tuple[str, str]) -> None:
    subject = uuid.uuid4().hex
    content = mail(subject, to=f"{SALES}, {BROKEN}")

    async def scenario(backend: RpcBackend) -> None:
        results = await post(backend, content, SALES, BROKEN, f"nobody@{DOMAIN}", SUPPORT)
        assert codes(results) == [250, 451, 550, 250]
        assert results[1].quarantine_after == (3 if any_odoo.name == "odoo14" else 1)
        assert results[1].reply.text == "application error ValueError"
        assert results[2].reply.enhanced == "5.1.1"

    run(any_odoo, user, scenario)
    assert leads(any_odoo, subject) == 2


def test_a_reply_and_what_odoo_sent_itself(any_odoo: Odoo, user: tuple[str, str]) -> None:
    subject = uuid.uuid4().hex
    lead = any_odoo.call("crm.lead", "create", {"name": subject})
    note = any_odoo.call("crm.lead", "message_post", [lead], body="Our answer", message_type="comment")
    note = note[0] if isinstance(note, list) else note
    (sent,) = any_odoo.call("mail.message", "read", [note], ["message_id"])
    reply = mail(uuid.uuid4().hex, to=f"catchall@{DOMAIN}", more=f"References: {sent['message_id']}\r\n")
    own = mail("own").replace(b"<own@customer.example>", sent["message_id"].encode())

    def messages() -> int:
        return int(any_odoo.call("mail.message", "search_count", [("model", "=", "crm.lead"), ("res_id", "=", lead)]))

    before = messages()

    async def scenario(backend: RpcBackend) -> None:
        assert codes(await post(backend, reply, f"catchall@{DOMAIN}")) == [250]
        for recipient in (SALES, SUPPORT):
            (result,) = await post(backend, own, recipient)
            assert (result.reply.code, result.reply.text) == (250, "accepted, nothing to file")

    run(any_odoo, user, scenario)
    assert messages() == before + 1
    assert leads(any_odoo, "own") == 0


@pytest.mark.parametrize("any_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")
def test_a_loop_that_odoo_ends_is_accepted(any_odoo: Odoo, user: tuple[str, str]) -> None:
    """Its result is None, which Odoo cannot write in XML-RPC."""
    threshold = {"key": "mail.gateway.loop.threshold", "value": "1"}
    parameter = any_odoo.call("ir.config_parameter", "create", threshold)

    async def scenario(backend: RpcBackend) -> None:
        results = [await post(backend, mail(uuid.uuid4().hex, sender="loop@c.example"), SALES) for _number in range(2)]
        assert [result.reply.text for (result,) in results] == ["delivered", "accepted, nothing to file"]

    run(any_odoo, user, scenario)
    any_odoo.call("ir.config_parameter", "unlink", [parameter])


def test_a_user_with_fewer_rights(any_odoo: Odoo, user: tuple[str, str]) -> None:
    """Why the documentation asks for these rights."""

    async def no_settings() -> None:
        async with rpc_backend(any_odoo, rpc_user(any_odoo, "no-settings", ALL_LEADS, MAILINGS)) as backend:
            with pytest.raises(Unavailable, match="its user lacks rights on ir.config_parameter"):
                await backend.alias_list(None)

    async def no_mailings() -> None:
        (sent,) = any_odoo.call("mail.message", "search_read", [("model", "=", "crm.lead")], ["message_id"], limit=1)
        reply = mail(uuid.uuid4().hex, more=f"References: {sent['message_id']}\r\n")
        async with rpc_backend(any_odoo, rpc_user(any_odoo, "no-mailings", SETTINGS, ALL_LEADS)) as backend:
            if any_odoo.name == "odoo14":
                # Not asked for there.
                assert codes(await post(backend, reply, f"catchall@{DOMAIN}")) == [250]
                return
            with pytest.raises(Unavailable, match="its user lacks rights on mailing.trace"):
                await post(backend, reply, f"catchall@{DOMAIN}")

    asyncio.run(no_settings())
    asyncio.run(no_mailings())
    subject = uuid.uuid4().hex
    content = mail(subject)
    no_leads = rpc_user(any_odoo, "no-leads", SETTINGS, MAILINGS)

    async def once(backend: RpcBackend) -> None:
        assert codes(await post(backend, content, SALES)) == [250]

    for _process in range(2):
        run(any_odoo, no_leads, once)
    assert leads(any_odoo, subject) == 2


def test_wrong_keys_and_no_such_database(any_odoo: Odoo, user: tuple[str, str]) -> None:
    async def scenario() -> None:
        async with rpc_backend(any_odoo, (user[0], "0" * 40)) as backend:
            with pytest.raises(Forbidden):
                await backend.alias_list(None)
        other = Odoo("b-no-such-database", "admin", machine=any_odoo.name)
        async with rpc_backend(other, user) as backend:
            with pytest.raises(Unavailable):
                await backend.alias_list(None)

    asyncio.run(scenario())
