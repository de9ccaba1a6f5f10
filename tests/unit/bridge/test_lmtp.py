# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol: every byte stream gets the answers that RFC 2033 wants, however it is cut."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odoo_lmtp_bridge.lmtp import Envelope, Reply
from unit.bridge.harness import Sink, front, stuffed, transaction, until

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


def talk(data: bytes, sink: Sink, cuts: tuple[int, ...] = (), **limits: int) -> list[str]:
    """The codes that the bridge answers to `data`, which ends with QUIT and comes in pieces."""

    async def conversation() -> bytes:
        async with front(sink, **limits) as bridge:
            client = await bridge.connect()
            start = 0
            for cut in (*sorted(cuts), len(data)):
                client.send(data[start:cut])
                await client.writer.drain()
                # One turn of the loop on either side, so that the pieces arrive as pieces.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                start = cut
            answers = await client.rest()
            client.close()
            assert bridge.budget.used == 0
            return answers

    lines = asyncio.run(conversation()).split(b"\r\n")
    assert lines.pop() == b""
    assert all(line.isascii() and len(line) < 512 for line in lines)
    return [line[:3].decode() for line in lines if line[3:4] == b" "]


def test_extensions() -> None:
    async def greeting() -> list[bytes]:
        async with front(Sink(), message_size=12345) as bridge:
            client = await bridge.connect()
            client.send(b"LHLO x\r\nQUIT\r\n")
            return (await client.rest()).split(b"\r\n")

    lines = asyncio.run(greeting())
    assert lines[0].startswith(b"220 ")
    # Postfix takes the first line for the name and looks for extensions in the others.
    assert {line[4:] for line in lines[2:7]} == {
        b"PIPELINING",
        b"8BITMIME",
        b"SMTPUTF8",
        b"ENHANCEDSTATUSCODES",
        b"SIZE 12345",
    }


def test_one_answer_per_accepted_recipient_with_the_same_twice() -> None:
    sink = Sink(lambda e: [Reply(code, f"{code // 100}.0.0", "t") for code in (250, 550, 451, 250)])
    rcpts = ["known1@x", "known2@x", "other@x", "known3@x", "known1@x"]
    codes = talk(b"LHLO x\r\n" + transaction(rcpts, MESSAGE) + b"QUIT\r\n", sink)
    assert codes == [
        *("220", "250", "250", "250", "250", "550", "250", "250", "354"),
        *("250", "550", "451", "250"),
        "221",
    ]
    assert sink.envelopes[0].client == "x"
    assert [r.address for r in sink.envelopes[0].recipients] == [*("known1@x", "known2@x", "known3@x", "known1@x")]


def raises(_envelope: Envelope) -> list[Reply]:
    raise RuntimeError("a defect")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raises, id="exception"),
        pytest.param(lambda e: [], id="no answers"),
        pytest.param(lambda e: [Reply(250, "2.0.0", "ok")], id="too few"),
        pytest.param(lambda e: [Reply(250, "2.0.0", "ok")] * 9, id="too many"),
    ],
)
def test_a_failing_handler_defers_every_recipient(answer: object) -> None:
    stream = b"LHLO x\r\n" + transaction(["known1@x", "known2@x"], MESSAGE) + b"QUIT\r\n"
    codes = talk(stream, Sink(answer))  # type: ignore[arg-type]
    assert codes[5:] == ["354", "451", "451", "221"]


@settings(max_examples=60)
@given(
    accepted=st.integers(1, 4),
    refused=st.integers(0, 3),
    size=st.sampled_from([0, 10, 900, 5000]),
    repeat=st.integers(1, 3),
    fails=st.booleans(),
)
def test_as_many_answers_as_accepted_recipients_on_every_path(
    accepted: int, refused: int, size: int, repeat: int, fails: bool
) -> None:
    sink = Sink(raises if fails else None)
    rcpts = [f"known{i % 2}@x" for i in range(accepted)] + ["other@x"] * refused
    one = transaction(rcpts, MESSAGE + b"." * size)
    codes = talk(b"LHLO x\r\n" + one * repeat + b"QUIT\r\n", sink, message_size=1000)
    result = "552" if size == 5000 else "451" if fails else "250"
    expected = ["250", *["250"] * accepted, *["550"] * refused, "354", *[result] * accepted]
    assert codes == ["220", "250", *expected * repeat, "221"]


STREAM = (
    b"LHLO x\r\nNOOP\r\nRSET\r\nVRFY a\r\nmail from:<>\r\nRCPT TO:<known@x>\r\nRSET\r\n"
    + transaction(["known1@x", "no@x", "known2@x"], b"S: x\r\n\r\n.\r\n..\r\n.a\r\n\r\n.\r\n")
    + transaction(["known1@x"], b"")
    + transaction(["known1@x"], b".")
    + transaction(["known1@x"], b"S: big\r\n\r\n" + b"x" * 400)
    + b"NONSENSE\r\nQUIT\r\n"
)


@settings(max_examples=150)
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_the_cut_of_the_stream_does_not_matter(cuts: list[int]) -> None:
    whole, pieces = Sink(), Sink()
    expected = talk(STREAM, whole, message_size=300)
    assert talk(STREAM, pieces, tuple(cuts), message_size=300) == expected
    assert pieces.envelopes == whole.envelopes
    assert [e.content for e in whole.envelopes] == [*(b"S: x\r\n\r\n.\r\n..\r\n.a\r\n\r\n.\r\n", b"", b".\r\n")]
    assert expected.count("552") == 1


def test_every_single_byte_apart() -> None:
    sink = Sink()
    codes = talk(STREAM, sink, tuple(range(len(STREAM))), message_size=300)
    assert codes == talk(STREAM, Sink(), message_size=300)


LINES = st.lists(
    st.one_of(
        st.sampled_from([b"", b".", b"..", b".\r", b"\n.", b"\r.", b".\n", b"\0", b"\xe9t\xe9"]),
        st.binary(max_size=40),
    ),
    max_size=12,
).map(b"\r\n".join)


@settings(max_examples=300)
@given(message=LINES, tail=st.sampled_from([b"", b"\r\n"]))
def test_the_message_arrives_byte_for_byte(message: bytes, tail: bytes) -> None:
    sink = Sink()
    message += tail
    talk(b"LHLO x\r\n" + transaction(["known@x"], message) + b"QUIT\r\n", sink)
    # The terminator's first CRLF belongs to the message (RFC 5321, 4.1.1.4).
    expected = message if message.endswith(b"\r\n") or not message else message + b"\r\n"
    assert [envelope.content for envelope in sink.envelopes] == [expected]


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"])
def test_only_crlf_dot_crlf_ends_a_message(end: bytes) -> None:
    sink = Sink()
    inner = b"S: x\r\n\r\na" + end + b"MAIL FROM:<smuggled@x>\r\nb\r\n"
    data = b"LHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<known@x>\r\nDATA\r\n"
    codes = talk(data + inner + b".\r\nQUIT\r\n", sink)
    assert codes == ["220", "250", "250", "250", "354", "250", "221"]
    assert len(sink.envelopes) == 1


@pytest.mark.parametrize(
    ("commands", "codes"),
    [
        (b"EHLO x\r\nHELO x\r\n", ["500", "500"]),
        (b"LHLO\r\nMAIL FROM:<a@b>\r\n", ["501", "503"]),
        (b"LHLO x\r\nRCPT TO:<known@x>\r\nDATA\r\n", ["250", "503", "503"]),
        (b"LHLO x\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n", ["250", "250", "503"]),
        (b"LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<no@x>\r\nDATA\r\n", ["250", "250", "550", "503"]),
        (b"LHLO x\r\nMAIL a@b\r\nMAIL FROM:a@b\r\nMAIL FROM:<a@b\r\n", ["250", *["501"] * 3]),
        (b"LHLO x\r\nMAIL FROM:<a@b> SIZE=999999999\r\n", ["250", "552"]),
        (b"LHLO x\r\nMAIL FROM:<a@b> SIZE=x\r\n", ["250", "501"]),
        (b"LHLO x\r\nMAIL FROM:<a@b> BODY=BINARYMIME\r\n", ["250", "501"]),
        (b"LHLO x\r\nMAIL FROM:<a@b> RET=FULL\r\n", ["250", "555"]),
        (b"LHLO x\r\nMAIL FROM:<a@b> BODY=8BITMIME SMTPUTF8 SIZE=9\r\n", ["250", "250"]),
        (b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\n", ["250", "250", "501"]),
        (b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<known@x> NOTIFY=NEVER\r\n", ["250", "250", "555"]),
        (b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO: <@r,@s:known@x>\r\n", ["250", "250", "250"]),
        (b'LHLO x\r\nMAIL FROM:<"a>b"@c>\r\n', ["250", "250"]),
        (b"NOOP \xff\r\nNOOP \0\r\nNOOP\r\n", ["500", "500", "250"]),
        (b"NOOP " + b"x" * 9000 + b"\r\nNOOP\r\n", ["500", "250"]),
        (b"\r\n" * 3, ["500"] * 3),
        (b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<known@x>\r\nDATA x\r\n", [*["250"] * 3, "501"]),
    ],
)
def test_commands(commands: bytes, codes: list[str]) -> None:
    assert talk(commands + b"QUIT\r\n", Sink()) == ["220", *codes, "221"]


def test_a_long_line_that_comes_slowly() -> None:
    data = b"NOOP " + b"x" * 20000 + b"\r\nNOOP\r\nQUIT\r\n"
    assert talk(data, Sink(), tuple(range(0, 20000, 999))) == ["220", "500", "250", "221"]


def test_addresses_in_utf8() -> None:
    sink = Sink()
    talk(b"LHLO x\r\n" + transaction(["known@x"], b"", "jos\u00e9@x") + b"QUIT\r\n", sink)
    assert sink.envelopes[0].sender == "jos\u00e9@x"


def test_more_recipients_than_an_http_header_holds_come_later() -> None:
    rcpts = [f"known{i:0100}@x" for i in range(100)]
    sink = Sink()
    codes = talk(b"LHLO x\r\n" + transaction(rcpts, MESSAGE) + b"QUIT\r\n", sink)
    accepted = len(sink.envelopes[0].recipients)
    assert 50 < accepted < 60
    assert codes.count("452") == 100 - accepted


def test_an_answer_is_one_line_of_printable_ascii() -> None:
    line = Reply(550, "5.1.1", "no\r\n250 2.0.0 smuggled \u00e9\0 " + "x" * 900).line()
    assert line.startswith(b"550 5.1.1 no 250 2.0.0 smuggled ?? x")
    assert line.endswith(b"x\r\n")
    assert line.count(b"\n") == 1
    assert len(line) < 512


def test_an_idle_connection_is_closed_without_a_word() -> None:
    async def idle() -> bytes:
        async with front(Sink(), idle_timeout=0.1) as bridge:
            client = await bridge.connect()
            return await client.rest()

    # A 421 would make Postfix give up the destination for minutes.
    assert asyncio.run(idle()).count(b"\r\n") == 1


def test_a_long_delivery_is_not_idleness_and_half_closing_is_allowed() -> None:
    async def conversation() -> bytes:
        sink = Slow(0.4)
        async with front(sink, idle_timeout=0.1) as bridge:
            client = await bridge.connect()
            client.send(b"LHLO x\r\n" + transaction(["known@x"], MESSAGE))
            client.writer.write_eof()
            return await client.rest()

    assert asyncio.run(conversation()).endswith(b"250 2.0.0 ok\r\n")


class Slow(Sink):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def deliver(self, envelope: Envelope) -> list[Reply]:
        await asyncio.sleep(self.seconds)
        return list(await super().deliver(envelope))


class Held(Sink):
    """Delivers when `release` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()

    async def deliver(self, envelope: Envelope) -> list[Reply]:
        replies = list(await super().deliver(envelope))
        await self.release.wait()
        return replies


def test_over_the_budget_reading_stops_and_goes_on() -> None:
    async def conversation() -> None:
        sink = Held()
        size, clients = 1_500_000, 6
        async with front(sink, message_size=size * 2, budget=size * 2) as bridge:
            peers = [await bridge.connect() for _client in range(clients)]
            data = b"LHLO x\r\n" + transaction(["known@x"], b"S: x\r\n\r\n" + b"y" * size)
            # All half-way first: a budget without an order would stand still for ever.
            for peer in peers:
                peer.send(data[: size * 3 // 4])
            await until(lambda: bridge.budget.used > size * 2)
            for peer in peers:
                peer.send(data[size * 3 // 4 :])
            await until(lambda: len(sink.envelopes) == 1)
            # Time enough for the others to come through if nothing held them.
            await asyncio.sleep(0.2)
            assert len(sink.envelopes) <= 2
            # asyncio reads up to 256 KiB at once.
            assert bridge.budget.used < size * 3 + clients * 256 * 1024
            sink.release.set()
            for peer in peers:
                assert await peer.codes(6) == ["220", "250", "250", "250", "354", "250"]
            await until(lambda: bridge.budget.used == 0)
            assert len(sink.envelopes) == clients

    asyncio.run(conversation())


def test_a_lost_connection_gives_its_bytes_back() -> None:
    async def conversation() -> None:
        async with front(Sink()) as bridge:
            client = await bridge.connect()
            client.send(b"LHLO x\r\n" + transaction(["known@x"], b"x" * 9000)[:-9])
            await until(lambda: bridge.budget.used > 8000)
            client.close()
            await until(lambda: bridge.budget.used == 0)
            assert not bridge.sessions

    asyncio.run(conversation())


def test_draining_ends_what_is_under_way() -> None:
    async def conversation() -> None:
        sink = Held()
        async with front(sink) as bridge:
            delivering, sending, quiet = [await bridge.connect() for _client in range(3)]
            for client in (delivering, sending, quiet):
                await client.greet()
            delivering.transaction(["known1@x", "known2@x"], MESSAGE)
            sending.send(transaction(["known@x"], MESSAGE)[:-5])
            await until(lambda: bool(sink.envelopes) and bridge.budget.used > 40)
            for session in set(bridge.sessions):
                session.drain()
            assert await quiet.rest() == b""
            sink.release.set()
            assert await delivering.codes(6) == ["250", "250", "250", "354", "250", "250"]
            assert await delivering.rest() == b""
            sending.send(transaction(["known@x"], MESSAGE)[-5:])
            assert await sending.codes(4) == ["250", "250", "354", "250"]
            assert await sending.rest() == b""

    asyncio.run(conversation())


def test_stuffing_is_what_the_rfc_says() -> None:
    assert stuffed(b"a\r\n.\r\n..b") == b"a\r\n..\r\n...b\r\n.\r\n"
