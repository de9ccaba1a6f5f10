# SPDX-License-Identifier: GPL-3.0-or-later
"""Any stream, cut and broken off anywhere: answers and messages are those of a model that sees it whole."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st
from odoo_lmtp_bridge.lmtp import Envelope, Reply
from unit.bridge.harness import Sink, front, transaction, until
from unit.bridge.lmtp_model import COMMANDS, MAX_LINE, conversation

SIZE = 300
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

OPEN = b"LHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<known@x>\r\nRCPT TO:<no@x>\r\nRCPT TO:<known2@x>\r\nDATA\r\n"
JUNK = (
    b".", b"..", b".a", b" .", b". ", b"Subject: x", b"\0", b"a\0b", b"\xff\xfe", b"GET / HTTP/1.1",
    b"MAIL\tFROM:<a@b.c>", b"\r.\r", b"x" * 120, b"y" * SIZE, b"z" * MAX_LINE, b"z" * (MAX_LINE + 1), b"z" * 9000,
)  # fmt: skip
EOL = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])
LINE = st.tuples(st.sampled_from([*COMMANDS, *JUNK]), EOL).map(b"".join)
STREAM = st.lists(st.one_of(LINE, st.just(OPEN), st.just(b"\r\n.\r\n")), max_size=14).map(b"".join)
# Wherever the stream has got to, this ends it.
END = b"\r\n.\r\nQUIT\r\n"

OUTCOMES: dict[str, tuple[str, Callable[[Envelope], Sequence[Reply]]]] = {}


def outcome(code: str) -> Callable[[Callable[[Envelope], Sequence[Reply]]], None]:
    """A way for a delivery to end, and the code that each recipient gets for it."""

    def register(function: Callable[[Envelope], Sequence[Reply]]) -> None:
        OUTCOMES[function.__name__] = (code, function)

    return register


@outcome("250")
def delivered(envelope: Envelope) -> Sequence[Reply]:
    return [Reply(250, "2.0.0", "ok")] * len(envelope.recipients)


@outcome("451")
def defect(envelope: Envelope) -> Sequence[Reply]:
    raise LookupError("no such key")


@outcome("451")
def cancelled(envelope: Envelope) -> Sequence[Reply]:
    raise asyncio.CancelledError


@outcome("451")
def timed_out(envelope: Envelope) -> Sequence[Reply]:
    raise TimeoutError


@outcome("451")
def too_many(envelope: Envelope) -> Sequence[Reply]:
    return [Reply(250, "2.0.0", "ok")] * (len(envelope.recipients) + 1)


class Scripted(Sink):
    """Its deliveries end in the given ways, in turn and over again, one turn of the loop later."""

    def __init__(self, ways: Sequence[str]) -> None:
        super().__init__()
        self.ways = ways

    async def deliver(self, envelope: Envelope) -> Sequence[Reply]:
        await asyncio.sleep(0)
        self.envelopes.append(envelope)
        return OUTCOMES[self.ways[(len(self.envelopes) - 1) % len(self.ways)]][1](envelope)


def run(loop: str, what: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(what)


async def compare(stream: bytes, at: Sequence[float], ways: Sequence[str]) -> None:
    expected = conversation(stream, SIZE, [OUTCOMES[way][0] for way in ways])
    # Who goes on after QUIT may lose the answers to all before it.
    stream = stream.removesuffix(expected.unread)
    cuts = sorted(int(part * len(stream)) for part in at)
    sink = Scripted(ways)
    # A budget that is over with the first bytes: pausing must change nothing either.
    async with front(sink, message_size=SIZE, budget=1) as bridge:
        client = await bridge.connect()
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            client.send(stream[start:end])
            await asyncio.sleep(0)
        lines = (await client.rest()).split(b"\r\n")
        client.close()
        await until(lambda: not bridge.sessions)
        assert bridge.budget.used == 0
    assert [line[:3].decode() for line in lines if line[3:4] == b" "] == expected.codes
    assert [(tuple(r.address for r in e.recipients), e.content) for e in sink.envelopes] == expected.messages


@pytest.mark.parametrize("loop", LOOPS)
@settings(max_examples=300)
@given(
    stream=STREAM.map(lambda stream: stream + END),
    at=st.lists(st.floats(0, 1), max_size=6),
    ways=st.lists(st.sampled_from(sorted(OUTCOMES)), min_size=1, max_size=3),
)
@example(OPEN + b"\r\n.\r\n" + OPEN + b".\r\n" + OPEN + b"y" * SIZE + END, [], ["delivered", "defect"])
@example(OPEN * 2 + b"\r\n.\r\n" + OPEN + b"\n.\nMAIL FROM:<a@b.c>\r\n.\r\n" + END, [0.5], ["too_many"])
def test_the_answers_are_those_of_the_model(loop: str, stream: bytes, at: list[float], ways: list[str]) -> None:
    run(loop, compare(stream, at, ways))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("length", [MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, MAX_LINE + 2])
@pytest.mark.parametrize("eol", [b"\n", b"\r\n"])
def test_a_line_about_as_long_as_allowed_cut_at_its_end(loop: str, length: int, eol: bytes) -> None:
    async def talk(cut: int) -> bytes:
        async with front(Sink()) as bridge:
            client = await bridge.connect()
            await client.line()
            stream = b"NOOP ".ljust(length, b"x") + eol + b"NOOP\r\nQUIT\r\n"
            client.send(stream[:cut])
            # The session has the first part when it has answered on another connection.
            await (await bridge.connect()).line()
            client.send(stream[cut:])
            return await client.rest()

    async def all_cuts() -> None:
        expected = [b"250" if length <= MAX_LINE else b"500", b"250", b"221"]
        for cut in range(length - 1, length + len(eol) + 1):
            assert [line[:3] for line in (await talk(cut)).splitlines()] == expected, cut

    run(loop, all_cuts())


FIRST, SECOND = b"Subject: 1\r\n\r\n.one\r\n", b"Subject: 2\r\n\r\ntwo\r\n.\r\n"
TWO = b"LHLO x\r\n" + transaction(["known@x", "known2@x"], FIRST) + transaction(["known@x"], SECOND)


@pytest.mark.parametrize("abort", [False, True], ids=["closed", "with answers unread"])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_breaks_at_any_byte(loop: str, abort: bool) -> None:
    """Nothing incomplete is handed on, nothing twice, and nothing stays behind."""
    ends = [TWO.index(b"\r\n.\r\n") + 5, len(TWO)]

    async def broken_at(length: int) -> None:
        sink = Scripted(["delivered"])
        async with front(sink) as bridge:
            client = await bridge.connect()
            client.send(TWO[:length])
            if abort:
                client.close()
            else:
                client.writer.write_eof()
                await client.rest()
            whole = sum(length >= end for end in ends)
            await until(lambda: not bridge.sessions and bridge.budget.used == 0)
            contents = [envelope.content for envelope in sink.envelopes]
            # Where nobody reads the answers, the bridge may notice before the second message.
            assert contents == [FIRST, SECOND][: len(contents) if abort else whole]
            assert len(contents) <= whole
            client.close()

    async def every_byte() -> None:
        for length in range(len(TWO) + 1):
            await broken_at(length)

    run(loop, every_byte())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_leaves_during_the_delivery_does_not_undo_it(loop: str) -> None:
    class Waiting(Sink):
        done = 0

        async def deliver(self, envelope: Envelope) -> Sequence[Reply]:
            await super().deliver(envelope)
            await release.wait()
            self.done += 1
            return [Reply(250, "2.0.0", "ok")] * len(envelope.recipients)

    release = asyncio.Event()

    async def leave() -> None:
        sink = Waiting()
        async with front(sink) as bridge:
            client = await bridge.connect()
            client.send(TWO)
            await until(lambda: bool(sink.envelopes))
            client.close()
            await until(lambda: bridge.budget.used > 0)
            release.set()
            await until(lambda: not bridge.sessions and bridge.budget.used == 0)
            assert sink.done == len(sink.envelopes)
            # The second message was there, but perhaps nobody to read its answer.
            assert [envelope.content for envelope in sink.envelopes] in ([FIRST], [FIRST, SECOND])

    run(loop, leave())
