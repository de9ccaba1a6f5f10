# SPDX-License-Identifier: GPL-3.0-or-later
"""The back end rpc before a small Odoo that routes by the header and drops what it knows, as Odoo does."""

import asyncio
import email
import json
import re
import tempfile
import xmlrpc.client
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from email.utils import getaddresses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odoo_lmtp_bridge.config import ConfigError, Database
from odoo_lmtp_bridge.delivery import Deliverer
from odoo_lmtp_bridge.directory import Directory, Recipient
from odoo_lmtp_bridge.lmtp import Envelope
from odoo_lmtp_bridge.message import read_header, with_message_id, with_trace
from odoo_lmtp_bridge.odoo import Backend, Forbidden, Unavailable, current_list
from odoo_lmtp_bridge.quarantine import Quarantine
from odoo_lmtp_bridge.rpc import RpcBackend
from unit.bridge.harness import RpcStandIn, rpc_stand_in
from unit.bridge.test_xmlrpc import ROUTE, traceback

SALES, SUPPORT, BROKEN, CLOSED, BOUNCE = (f"{name}@x" for name in ("sales", "support", "broken", "closed", "bounce"))
HEADERS = ("Delivered-To", "To", "Cc", "Resent-To", "Resent-Cc")


def failing(exception: str, *functions: str) -> xmlrpc.client.Fault:
    return xmlrpc.client.Fault(1, traceback(exception, *(functions or ROUTE)))


class SmallOdoo:
    """Addresses of one domain x. What Odoo 14 to 19 do with a message, so far as recipients and duplicates go."""

    def __init__(self, stand_in: RpcStandIn, modern: bool = True) -> None:
        self.stand_in = stand_in
        self.modern = modern
        self.aliases = {SALES, SUPPORT, BROKEN, CLOSED}
        self.ids: set[str] = set()
        self.records: list[str] = []
        self.messages: list[bytes] = []
        self.calls: list[str] = []
        self.lose = False
        self.failing = {
            BROKEN: failing("ValueError: Wrong value for crm.lead.type"),
            CLOSED: failing(
                "ValueError: Undeliverable mail with Message-Id <1>, model x does not accept incoming emails"
            ),
        }
        stand_in.execute = self.execute
        stand_in.respond = None

    def execute(self, model: str, method: str, arguments: list[object], named: dict[str, object]) -> object:
        self.calls.append(f"{model}.{method}")
        if method == "message_process":
            assert isinstance(arguments[1], xmlrpc.client.Binary)
            return self.message_process(arguments[1].data)
        if method == "fields_get":
            return {"alias_full_name": {}, "alias_incoming_local": {}} if self.modern else {}
        if model == "mail.alias.domain":
            return [
                {"id": 1, "name": "x", "catchall_alias": "catchall", "bounce_alias": "bounce", "default_from": False}
            ]
        if model == "ir.config_parameter":
            return self.parameters()
        assert model == "mail.alias"
        return [{"id": 1, "alias_name": a.partition("@")[0], **self.full_name(a)} for a in sorted(self.aliases)]

    def full_name(self, address: str) -> dict[str, object]:
        return {"alias_full_name": address, "alias_incoming_local": False} if self.modern else {}

    def parameters(self) -> list[dict[str, object]]:
        if self.modern:
            return []
        values = {"mail.catchall.domain": "x", "mail.catchall.alias": "catchall", "mail.bounce.alias": "bounce"}
        return [{"id": 1, "key": key, "value": value} for key, value in values.items()]

    def message_process(self, content: bytes) -> object:
        self.messages.append(content)
        parsed = email.message_from_bytes(content)
        assert len(parsed.get_all("Delivered-To", [])) == len(parsed.get_all("Message-Id", [])) == 1
        if parsed["Message-Id"] in self.ids:
            return False
        fields = [value for name in HEADERS for value in parsed.get_all(name, [])]
        recipients = [address.lower() for _name, address in getaddresses(fields)]
        if BOUNCE in recipients:
            return False
        found = sorted(self.aliases.intersection(recipients))
        if not found:
            raise failing("ValueError: No possible route found for incoming message from a to b (Message-Id <1>:).")
        for address in found:
            if address in self.failing:
                raise self.failing[address]
        self.ids.add(parsed["Message-Id"])
        self.records += found
        if self.lose:
            raise ConnectionResetError
        return len(self.records)


@asynccontextmanager
async def small_odoo(modern: bool = True) -> AsyncIterator[tuple[SmallOdoo, RpcBackend]]:
    async with rpc_stand_in() as stand_in, rpc_backend(stand_in.url) as backend:
        yield SmallOdoo(stand_in, modern), backend


@asynccontextmanager
async def rpc_backend(url: str) -> AsyncIterator[RpcBackend]:
    backend = RpcBackend(Database("prod", url, "db", None, "rpc", "robot"), ("key",), 4)
    try:
        yield backend
    finally:
        await backend.close()


def mail(to: str = "", message_id: str = "<1@c>", more: str = "") -> bytes:
    field = f"Message-Id: {message_id}\r\n" if message_id else ""
    return f"From: a@c\r\nTo: {to}\r\n{more}{field}\r\nbody\r\n".encode()


async def post(backend: Backend, recipients: Sequence[str], content: bytes) -> list[str]:
    results = await backend.post(with_trace(content, "a@c", recipients), "a@c", recipients)
    return [f"{result.reply.code} {result.reply.text}" for result in results]


def run(scenario: Callable[[SmallOdoo, RpcBackend], Awaitable[None]], modern: bool = True) -> None:
    async def main() -> None:
        async with small_odoo(modern) as (odoo, backend):
            await scenario(odoo, backend)

    asyncio.run(main())


def test_one_call_for_all_recipients_and_a_repeat_is_answered_from_memory() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        assert await post(backend, [SALES], mail(SALES)) == ["250 delivered"]
        assert await post(backend, [SALES], mail(SALES)) == ["250 delivered before"]
        assert odoo.calls.count("mail.thread.message_process") == 1
        both = mail("list@c", "<2@c>")
        assert await post(backend, [SALES, SUPPORT], both) == ["250 delivered"] * 2
        assert odoo.calls.count("mail.thread.message_process") == 2
        assert odoo.messages[1] == b"Return-Path: <a@c>\r\nDelivered-To: sales@x, support@x\r\n" + both
        assert odoo.records == [SALES, SALES, SUPPORT]

    run(scenario)


def test_a_new_recipient_gets_the_message_under_an_id_of_its_own() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        hidden = mail(SALES)
        assert await post(backend, [SALES], hidden) == ["250 delivered"]
        assert await post(backend, [SUPPORT], hidden) == ["250 delivered"]
        assert odoo.records == [SALES, SUPPORT]
        header = read_header(odoo.messages[1])
        assert header.message_id != "<1@c>" and header.message_id.startswith("<1@c.")
        # And a repeat of that after a lost answer is known again.
        assert await post(backend, [SUPPORT, SALES], hidden) == ["250 delivered before"] * 2

    run(scenario)


def test_whom_the_header_names_has_the_message_too() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        content = mail(f"{SALES}, Support <{SUPPORT}>, other@c")
        assert await post(backend, [SALES], content) == ["250 delivered"]
        assert await post(backend, [SUPPORT], content) == ["250 delivered before"]
        assert odoo.records == [SALES, SUPPORT]

    run(scenario)


def test_odoo_recognises_its_own() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        odoo.ids.add("<1@c>")
        for recipient in (SALES, SUPPORT):
            assert await post(backend, [recipient], mail()) == ["250 accepted, nothing to file"]
        assert not odoo.records

    run(scenario)


def test_one_bad_alias_does_not_harm_the_others() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        content = mail(", ".join([SALES, BROKEN, CLOSED, SUPPORT]))
        answers = await post(backend, [SALES, BROKEN, CLOSED, SUPPORT], content)
        assert answers == [
            "250 delivered",
            "451 application error ValueError",
            "550 mailbox does not accept mail",
            "250 delivered",
        ]
        assert odoo.records == [SALES, SUPPORT]

    run(scenario)


def test_a_bad_alias_that_only_the_header_names() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        for number, other in enumerate((BROKEN, CLOSED)):
            content = mail(f"{SALES}, {other}", f"<{number}@c>")
            assert await post(backend, [SALES], content) == ["250 delivered"]
        assert odoo.records == [SALES, SALES]

    run(scenario)


def test_unknown_and_bounce_go_by_themselves() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        content = mail(f"gone@x, {BOUNCE}, {SALES}")
        answers = await post(backend, [SALES, "gone@x", BOUNCE], content)
        assert answers == ["250 delivered", "550 no such recipient", "250 accepted, nothing to file"]
        assert odoo.records == [SALES]

    run(scenario)


@pytest.mark.parametrize("message_id", ["", "<>", "none"])
def test_a_message_without_an_id_of_its_own(message_id: str) -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        odoo.lose = True
        with pytest.raises(Unavailable):
            await post(backend, [SALES], mail(SALES, message_id))
        odoo.lose = False
        await post(backend, [SALES], mail(SALES, message_id))
        assert odoo.records == [SALES]
        # Another one is another one.
        await post(backend, [SALES], mail(SALES, message_id) + b"more")
        assert odoo.records == [SALES, SALES]

    run(scenario)


@pytest.mark.parametrize(("modern", "attempts"), [(True, 1), (False, 3)])
def test_when_to_put_it_aside(modern: bool, attempts: int) -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        content = mail()
        (result,) = await backend.post(with_trace(content, "a@c", [BROKEN]), "a@c", [BROKEN])
        assert (result.reply.code, result.quarantine_after) == (451, attempts)
        assert result.filed_as.startswith("<1@c.")

    run(scenario, modern)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (xmlrpc.client.Fault(3, "Access Denied"), Forbidden),
        (xmlrpc.client.Fault(4, "canary: you may not modify 'Email Aliases' (mail.alias) records"), Unavailable),
        (failing("psycopg2.errors.SerializationFailure: could not serialize access, canary"), Unavailable),
        (failing("psycopg2.OperationalError: server closed the connection"), Unavailable),
        (failing("odoo.sql_db.PoolError: The Connection Pool Is Full"), Unavailable),
        (failing("odoo.exceptions.ConcurrencyError: canary"), Unavailable),
        (failing("ConnectionResetError: [Errno 104]"), Unavailable),
        (failing("KeyError: 'mail.thread'", "xmlrpc_2", "dispatch_rpc", "execute_cr"), Unavailable),
        (failing("TypeError: cannot marshal None unless allow_none is enabled"), None),
        (failing("ValueError: A string literal cannot contain NUL, canary"), None),
        (failing("ValueError: canary No possible route found"), None),
        (failing("KeyError: 'No possible route found'"), None),
        (failing("psycopg2.errors.NotNullViolation: canary"), None),
        (xmlrpc.client.Fault(2, "No possible route found: canary"), None),
    ],
)
def test_nothing_but_a_refusal_is_permanent(fault: xmlrpc.client.Fault, error: type[Exception] | None) -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)

        def raises(*_arguments: object) -> object:
            raise fault

        odoo.stand_in.execute = raises
        message = with_trace(mail(), "a@c", [SALES])
        if error is not None:
            with pytest.raises(error) as caught:
                await backend.post(message, "a@c", [SALES])
            assert caught.type is error
            assert "canary" not in f"{caught.value} {caught.value.detail}"
        else:
            (result,) = await backend.post(message, "a@c", [SALES])
            assert (result.reply.code, result.quarantine_after) == (451, 1)
            assert "canary" not in result.reply.text and "route" not in result.reply.text

    run(scenario)


def test_a_result_that_could_not_be_written_is_a_result() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)

        def loop_ended(*_arguments: object) -> object:
            raise failing("TypeError: cannot marshal None unless allow_none is enabled", "xmlrpc_2", "_xmlrpc", "dumps")

        odoo.stand_in.execute = loop_ended
        assert await post(backend, [SALES], mail()) == ["250 accepted, nothing to file"]

    run(scenario)


@pytest.mark.parametrize("value", ["7", [], {}, 1.5])
def test_a_result_of_another_kind_proves_nothing(value: object) -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        odoo.stand_in.execute = lambda *_arguments: value
        with pytest.raises(Unavailable):
            await post(backend, [SALES], mail())

    run(scenario)


@pytest.mark.parametrize("modern", [True, False])
def test_the_list(modern: bool) -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        odoo.aliases |= {"Sh\u00f6p@x", "Cased@x"}
        alias_list = await backend.alias_list(None)
        assert alias_list is not None
        expected = {SALES, SUPPORT, BROKEN, CLOSED, BOUNCE, "catchall@x", "cased@x"}
        assert set(alias_list.addresses) == expected
        assert len(odoo.calls) == (4 if modern else 3)
        assert await backend.alias_list(alias_list.etag) is None
        odoo.aliases.discard(SALES)
        changed = await backend.alias_list(alias_list.etag)
        assert changed is not None and set(changed.addresses) == expected - {SALES}

    run(scenario, modern)


@pytest.mark.parametrize("value", [False, "rows", ["row"], {}, [7]])
def test_a_list_that_is_none(value: object) -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        def execute(model: str, method: str, arguments: list[object], named: dict[str, object]) -> object:
            return {} if method == "fields_get" else value

        odoo.stand_in.execute = execute
        with pytest.raises(Unavailable):
            await backend.alias_list(None)

    run(scenario)


def test_former_addresses() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        former = json.dumps({"old@x": SALES, SUPPORT: SALES, "older@x": "gone@x", "bad address": SALES, "n@x": 7})

        def execute(model: str, method: str, arguments: list[object], named: dict[str, object]) -> object:
            if model == "ir.config_parameter":
                return [{"id": 1, "key": "mail_delivery.former_addresses", "value": former}]
            return odoo.execute(model, method, arguments, named)

        odoo.stand_in.execute = execute
        alias_list = await backend.alias_list(None)
        assert alias_list is not None and alias_list.former == {"old@x": SALES}

    run(scenario)


def test_it_is_chosen_by_the_configuration() -> None:
    async def scenario() -> None:
        with pytest.raises(ConfigError, match="login"):
            RpcBackend(Database("prod", "https://x", "db", None, "rpc"), ("key",), 1)
        with pytest.raises(ConfigError, match="database"):
            RpcBackend(Database("prod", "https://x", None, None, "rpc", "robot"), ("key",), 1)
        async with rpc_stand_in() as stand_in:
            odoo = SmallOdoo(stand_in)
            database = Database("prod", stand_in.url, "db", None, "rpc", "robot")
            assert SALES in (await current_list(database, ("key",))).addresses
            with pytest.raises(Forbidden, match="prod: "):
                await current_list(database, ("wrong",))
            assert odoo.calls

    asyncio.run(scenario())


def test_the_quarantine_does_not_lose_what_odoo_knows_by_then() -> None:
    """A message fails for one recipient and is delivered to another; another process replays it."""

    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        with tempfile.TemporaryDirectory() as directory:
            quarantine = Quarantine(Path(directory), 1 << 20)
            deliverer = Deliverer(Directory(["prod"]), {"prod": backend}, 1, quarantine=quarantine)

            async def deliver(*addresses: str) -> list[int]:
                recipients = tuple(Recipient(address, "prod") for address in addresses)
                replies = await deliverer.deliver(Envelope("a@c", recipients, mail("list@c")))
                return [reply.code for reply in replies]

            assert await deliver(BROKEN) == [250]
            assert await deliver(SALES) == [250]
            assert await deliver(SALES, SUPPORT) == [250, 250]
            assert odoo.records == [SALES, SUPPORT]
            (entry,) = quarantine.entries()
            assert (entry.recipients, entry.message_id) == ((BROKEN,), "<1@c>")
            content = quarantine.read(entry.id)[1]
            async with rpc_backend(odoo.stand_in.url) as another:
                # Mended.
                odoo.failing.clear()
                assert await post(another, [BROKEN], content) == ["250 delivered"]
            assert odoo.records == [SALES, SUPPORT, BROKEN]

    run(scenario)


def test_a_restart_between_two_attempts() -> None:
    """The first process ends when one recipient of two has its record, before that is answered."""

    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        odoo.lose = True
        with pytest.raises(Unavailable):
            await post(backend, [SALES, BROKEN], mail("list@c"))
        assert odoo.records == [SALES]
        odoo.lose = False
        async with rpc_backend(odoo.stand_in.url) as another:
            answers = await post(another, [SALES, BROKEN], mail("list@c"))
            assert answers == ["250 accepted, nothing to file", "451 application error ValueError"]
        assert odoo.records == [SALES]
        odoo.failing.clear()
        async with rpc_backend(odoo.stand_in.url) as third:
            assert (await post(third, [SALES, BROKEN], mail("list@c")))[1] == "250 delivered"
        assert BROKEN in odoo.records

    run(scenario)


def test_a_copy_from_the_quarantine_reaches_its_recipients_alone() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        content = mail(f"{SALES}, {BROKEN}")
        message = with_trace(content, "a@c", [SALES, BROKEN])
        results = await backend.post(message, "a@c", [SALES, BROKEN])
        odoo.failing.clear()
        async with rpc_backend(odoo.stand_in.url) as another:
            kept = with_message_id(content, results[1].filed_as)
            assert await post(another, [BROKEN], kept) == ["250 delivered"]
        assert odoo.records == [SALES, BROKEN]

    run(scenario)


def test_an_id_does_not_grow_with_each_replay() -> None:
    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        content = mail("list@c")
        for number in range(3):
            async with rpc_backend(odoo.stand_in.url) as another:
                (result,) = await another.post(with_trace(content, "a@c", [BROKEN]), "a@c", [BROKEN])
                content = with_message_id(content, result.filed_as)
            assert re.fullmatch(r"<1@c\.[0-9a-f]{16}\.copy>", result.filed_as), number

    run(scenario)


TRANSACTIONS = st.lists(
    st.tuples(st.lists(st.sampled_from([SALES, SUPPORT, BROKEN]), min_size=1, unique=True), st.booleans()),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60)
@given(TRANSACTIONS, st.lists(st.sampled_from([SALES, SUPPORT, BROKEN, "list@c"]), unique=True))
def test_what_is_answered_250_has_its_record(transactions: list[tuple[list[str], bool]], to: list[str]) -> None:
    """Whatever answers are lost, in whatever transactions a message comes, and whomever its header names."""

    async def scenario(odoo: SmallOdoo, backend: RpcBackend) -> None:
        await backend.alias_list(None)
        content = mail(", ".join(to))
        lost = False
        for recipients, lose in transactions:
            odoo.lose = lose
            try:
                answers = await post(backend, recipients, content)
            except Unavailable:
                lost = True
                continue
            for recipient, answer in zip(recipients, answers, strict=True):
                assert answer[:3] == ("451" if recipient == BROKEN else "250")
                if recipient != BROKEN:
                    assert recipient in odoo.records
        if not lost:
            assert len(odoo.records) == len(set(odoo.records))

    run(scenario)
