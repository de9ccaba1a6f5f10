# SPDX-License-Identifier: GPL-3.0-or-later
"""Awkward mail passes the bridge byte for byte: what Odoo is given is what came, behind the trace fields."""

import asyncio

import pytest
from odoo_lmtp_bridge.delivery import Deliverer
from support.awkward_mails import SIGNED, Mail, awkward_mail, names, smime_verifies
from unit.bridge.harness import Post, backend, front, known, odoo_stand_in, transaction

LIMIT = 50 << 20
RECIPIENT = "known@acme.example"


def through_the_bridge(mail: Mail) -> Post:
    """Hand it over twice in one go (once if it is large), each time alike; return what Odoo got."""
    times = 2 if len(mail.content) < 1 << 20 else 1

    async def exchange() -> Post:
        async with odoo_stand_in(RECIPIENT) as odoo, backend(odoo.url) as addon:
            deliverer = Deliverer(known(RECIPIENT), {"prod": addon}, 4)
            async with front(deliverer, message_size=LIMIT, budget=LIMIT) as bridge:
                client = await bridge.connect()
                await client.greet()
                client.send(transaction([RECIPIENT], mail.content, mail.sender) * times)
                assert await client.codes(4 * times) == ["250", "250", "354", "250"] * times
                client.close()
            assert len(odoo.posts) == times
            assert odoo.posts[0].message == odoo.posts[-1].message
            return odoo.posts[0]

    return asyncio.run(exchange())


@pytest.mark.parametrize("name", names())
def test_it_arrives_byte_for_byte(name: str) -> None:
    mail = awkward_mail(name, "1")
    post = through_the_bridge(mail)
    trace = f"Return-Path: <{mail.sender}>\r\nDelivered-To: {RECIPIENT}\r\n".encode()
    # LMTP has no way to say that a message's last line does not end with CRLF.
    end = b"" if mail.content.endswith(b"\r\n") else b"\r\n"
    assert post.message == trace + mail.content + end
    assert (post.sender, post.recipients) == (mail.sender, [RECIPIENT])


def test_a_signature_stays_right() -> None:
    mail = awkward_mail(SIGNED, "1")
    assert smime_verifies(through_the_bridge(mail).message)
    assert not smime_verifies(mail.content.replace(b"\xfc\xdf", b"\xfc\xde"))
