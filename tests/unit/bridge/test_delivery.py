# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery: what Odoo's answers mean, and the order and number of posts."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest
from odoo_lmtp_bridge.delivery import Deliverer, KeyedLocks
from odoo_lmtp_bridge.directory import AliasList, Directory, Recipient
from odoo_lmtp_bridge.lmtp import Envelope, Reply
from odoo_lmtp_bridge.message import Message
from odoo_lmtp_bridge.odoo import Result
from unit.bridge.harness import alias_list, known, until


class Recorder:
    """A back end that keeps its posts open until told."""

    def __init__(self, hold: bool = False) -> None:
        self.open: list[str] = []
        self.started: list[str] = []
        self.posts: list[tuple[bytes, str, list[str]]] = []
        self.most = 0
        self._gate = asyncio.Semaphore(0) if hold else None

    async def alias_list(self, etag: str | None) -> AliasList | None:
        return None

    async def close(self) -> None:
        pass

    async def post(self, message: Message, sender: str, recipients: Sequence[str]) -> list[Result]:
        name = bytes(message).partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()
        self.posts.append((bytes(message), sender, list(recipients)))
        self.started.append(name)
        self.open.append(name)
        self.most = max(self.most, len(self.open))
        try:
            if self._gate:
                await self._gate.acquire()
        finally:
            self.open.remove(name)
        return [Result(Reply(250, "2.0.0", "t"))] * len(recipients)

    def finish(self, count: int = 1) -> None:
        assert self._gate
        for _number in range(count):
            self._gate.release()


def mail(
    subject: str, message_id: str = "", references: str = "", to: Sequence[str] = ("a@x",), **more: str
) -> Envelope:
    fields = {"Message-Id": message_id, "References": references, **more, "Subject": subject}
    header = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    recipients = tuple(Recipient(address, "prod") for address in to)
    return Envelope("s@y", recipients, f"{header}\r\nbody\r\n".encode())


def deliverer(backend: Recorder, concurrency: int = 8, timeout: float = 30) -> Deliverer:
    return Deliverer(known("a@x", "b@x"), {"prod": backend}, concurrency, timeout=timeout)


def test_recipients() -> None:
    directory = Directory(["one", "two"])
    bridge = Deliverer(directory, {}, 1)
    later = bridge.recipient("a@x")
    assert isinstance(later, Reply)
    assert (later.code, later.enhanced) == (451, "4.3.0")
    directory.update("one", alias_list("a@x"))
    assert bridge.recipient("A+b@x") == Recipient("a@x", "one")
    # It may be an address of the database that never gave its list.
    still = bridge.recipient("other@x")
    assert isinstance(still, Reply) and still.code == 451
    directory.update("two", alias_list("b@x"))
    never = bridge.recipient("other@x")
    assert isinstance(never, Reply)
    assert (never.code, never.enhanced) == (550, "5.1.1")


def test_one_post_with_all_recipients_and_the_same_twice() -> None:
    async def scenario() -> None:
        odoo = Recorder()
        replies = await deliverer(odoo).deliver(mail("m", "<1@x>", to=["b@x", "a@x", "b@x"]))
        assert [reply.code for reply in replies] == [250, 250, 250]
        message, sender, recipients = odoo.posts[0]
        assert recipients == ["b@x", "a@x"]
        assert sender == "s@y"
        assert message.startswith(b"Return-Path: <s@y>\r\nDelivered-To: b@x, a@x\r\nMessage-Id: <1@x>\r\n")
        assert len(odoo.posts) == 1

    asyncio.run(scenario())


def test_one_post_per_database() -> None:
    async def scenario() -> None:
        one, two = Recorder(), Recorder()
        bridge = Deliverer(Directory(["one", "two"]), {"one": one, "two": two}, 8)
        recipients = (Recipient("a@x", "one"), Recipient("b@x", "two"), Recipient("c@x", "one"))
        replies = await bridge.deliver(Envelope("", recipients, b"Subject: m\r\n\r\n"))
        assert [reply.code for reply in replies] == [250] * 3
        assert [post[2] for post in one.posts] == [["a@x", "c@x"]]
        assert [post[2] for post in two.posts] == [["b@x"]]
        assert b"Delivered-To: a@x, c@x\r\n" in one.posts[0][0]
        assert b"Delivered-To: b@x\r\n" in two.posts[0][0]

    asyncio.run(scenario())


TWICE = "from x by mx.y (Postfix)\r\nDelivered-To: other@z, A@x\r\nReceived: from x by mx.y (Postfix)"


def test_a_loop_is_refused_for_its_recipient_alone() -> None:
    async def scenario() -> None:
        odoo = Recorder()
        looping = mail("m", to=["a@x", "b@x"], Received=TWICE)
        replies = await deliverer(odoo).deliver(replace(looping, client="mx.y"))
        assert [(reply.code, reply.enhanced) for reply in replies] == [(554, "5.4.6"), (250, "2.0.0")]
        assert odoo.posts[0][2] == ["b@x"]
        assert b"other@z" not in odoo.posts[0][0]
        # All of it is not posted; from another client it is no loop.
        assert [r.code for r in await deliverer(odoo).deliver(mail("m", Received=TWICE))] == [250]
        only = replace(mail("m", Received=TWICE), client="MX.y")
        assert [r.code for r in await deliverer(odoo).deliver(only)] == [554]
        assert len(odoo.posts) == 2

    asyncio.run(scenario())


def test_mail_forwarded_from_a_mailbox_of_the_same_address_is_delivered() -> None:
    async def scenario() -> None:
        odoo = Recorder()
        forwarded = mail("m", Received="from x by mx.y (Postfix)", **{"Delivered-To": "a@x"})
        replies = await deliverer(odoo).deliver(replace(forwarded, client="mx.y"))
        assert [reply.code for reply in replies] == [250]
        assert odoo.posts[0][0].count(b"Delivered-To: ") == 1

    asyncio.run(scenario())


def test_the_null_sender_passes() -> None:
    async def scenario() -> None:
        odoo = Recorder()
        await deliverer(odoo).deliver(replace(mail("m"), sender=""))
        message, sender, _recipients = odoo.posts[0]
        assert message.startswith(b"Return-Path: <>\r\n") and sender == ""

    asyncio.run(scenario())


def test_a_thread_is_delivered_in_order_and_one_at_a_time() -> None:
    async def scenario() -> None:
        odoo = Recorder(hold=True)
        bridge = deliverer(odoo)
        names = ["root", "r1", "r2", "r3"]
        tasks = [asyncio.create_task(bridge.deliver(mail("root", "<root@x>")))]
        for name in names[1:]:
            tasks.append(asyncio.create_task(bridge.deliver(mail(name, f"<{name}@x>", "<root@x> <z@x>"))))
        other = asyncio.create_task(bridge.deliver(mail("other", "<other@x>")))
        await until(lambda: set(odoo.open) == {"root", "other"})
        odoo.finish(5)
        await asyncio.gather(*tasks, other)
        assert [name for name in odoo.started if name != "other"] == names
        assert odoo.most == 2

    asyncio.run(scenario())


def test_a_message_is_in_flight_once() -> None:
    async def scenario() -> None:
        odoo = Recorder(hold=True)
        bridge = deliverer(odoo)
        # A mailing list may change the References of a copy, never the Message-Id.
        copies = [mail("m", "<1@x>"), mail("m", "<1@x>", "<2@x>"), mail("m", "<1@x>", "<3@x>")]
        tasks = [asyncio.create_task(bridge.deliver(copy)) for copy in copies]
        for _copy in copies:
            await until(lambda: len(odoo.open) == 1)
            odoo.finish()
        await asyncio.gather(*tasks)
        assert odoo.most == 1

    asyncio.run(scenario())


def test_at_most_so_many_at_once() -> None:
    async def scenario() -> None:
        odoo = Recorder(hold=True)
        bridge = deliverer(odoo, concurrency=3)
        tasks = [asyncio.create_task(bridge.deliver(mail(f"m{i}", f"<{i}@x>"))) for i in range(9)]
        await until(lambda: len(odoo.open) == 3)
        odoo.finish(9)
        await asyncio.gather(*tasks)
        assert odoo.most == 3

    asyncio.run(scenario())


def test_too_long_is_later_and_leaves_no_lock() -> None:
    async def scenario() -> None:
        odoo = Recorder(hold=True)
        bridge = deliverer(odoo, concurrency=1, timeout=0.1)
        # One waits for Odoo, one for the message, one for a place.
        waiting = [mail("m", "<1@x>", to=["a@x", "b@x"]), mail("m", "<1@x>"), mail("n", "<2@x>")]
        replies = await asyncio.gather(*map(bridge.deliver, waiting))
        assert [[reply.code for reply in each] for each in replies] == [[451, 451], [451], [451]]
        assert odoo.open == []
        again = asyncio.create_task(bridge.deliver(waiting[0]))
        await until(lambda: len(odoo.open) == 1)
        odoo.finish()
        assert [reply.code for reply in await again] == [250, 250]

    asyncio.run(scenario())


def test_keyed_locks_keep_nothing() -> None:
    async def scenario() -> None:
        locks = KeyedLocks()

        async def use(key: str, fail: bool) -> None:
            async with locks.hold(key):
                await asyncio.sleep(0)
                if fail:
                    raise ValueError

        tasks = [use(str(i % 3), i % 2 == 0) for i in range(20)]
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not locks._locks

    asyncio.run(scenario())


def test_one_line_in_the_log_and_nothing_of_the_content(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    envelope = mail("canary-subject", "<1@x>\r\n injected", to=["a@x", "b@x"])
    asyncio.run(deliverer(Recorder()).deliver(envelope))
    records = [record for record in caplog.records if record.name.startswith("odoo_lmtp_bridge")]
    assert len(records) == 1
    line = records[0].getMessage()
    assert line.startswith("message-id=<1@x> size=")
    assert line.endswith("a@x=250 2.0.0 (t), b@x=250 2.0.0 (t)")
    assert "\n" not in line and "canary" not in line and "body" not in line
