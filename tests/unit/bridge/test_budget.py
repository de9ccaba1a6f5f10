# SPDX-License-Identifier: GPL-3.0-or-later
"""The byte budget: whatever the order of things, somebody may always go on, and in the end nothing is held."""

import asyncio
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from odoo_lmtp_bridge.budget import ByteBudget
from unit.bridge.harness import Sink, front, transaction, until

LIMIT = 100
CHUNK = 30
LARGEST = 90


class Connection:
    """A message of `size` bytes on its way."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.reading = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Interleaving(RuleBasedStateMachine):
    """Connections that begin, receive, deliver and break off in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = ByteBudget(LIMIT)
        self.receiving: list[Connection] = []
        self.delivering: list[Connection] = []

    @rule(size=st.integers(1, LARGEST))
    def begin(self, size: int) -> None:
        connection = Connection(size)
        self.receiving.append(connection)
        self.budget.begin(connection, 0)

    @precondition(lambda self: any(c.reading for c in self.receiving))
    @rule(choice=st.randoms(use_true_random=False), size=st.integers(1, CHUNK))
    def receive(self, choice: random.Random, size: int) -> None:
        connection = choice.choice([c for c in self.receiving if c.reading])
        size = min(size, connection.left)
        connection.left -= size
        self.budget.charge(connection, size)
        if not connection.left:
            self.receiving.remove(connection)
            self.delivering.append(connection)
            self.budget.received(connection)

    @precondition(lambda self: self.receiving)
    @rule(choice=st.randoms(use_true_random=False), kept=st.integers(0, 4))
    def too_large(self, choice: random.Random, kept: int) -> None:
        self.budget.refund(choice.choice(self.receiving), kept)

    @precondition(lambda self: self.delivering)
    @rule(choice=st.randoms(use_true_random=False))
    def answer(self, choice: random.Random) -> None:
        connection = choice.choice(self.delivering)
        self.delivering.remove(connection)
        self.budget.release(connection)
        # As the protocol does when it has answered.
        connection.resume_reading()

    @precondition(lambda self: self.receiving)
    @rule(choice=st.randoms(use_true_random=False))
    def break_off(self, choice: random.Random) -> None:
        connection = choice.choice(self.receiving)
        self.receiving.remove(connection)
        self.budget.release(connection)

    @invariant()
    def somebody_may_go_on(self) -> None:
        assert self.delivering or not self.receiving or any(c.reading for c in self.receiving)

    @invariant()
    def all_may_go_on_below_the_limit(self) -> None:
        assert self.budget.used > LIMIT or all(c.reading for c in self.receiving)

    @invariant()
    def not_much_more_than_the_limit_is_held(self) -> None:
        connections = len(self.receiving) + len(self.delivering)
        assert 0 <= self.budget.used <= LIMIT + LARGEST + CHUNK * connections

    def teardown(self) -> None:
        for connection in (*self.receiving, *self.delivering):
            self.budget.release(connection)
        assert self.budget.used == 0


TestInterleaving = Interleaving.TestCase
TestInterleaving.settings = settings(max_examples=80, stateful_step_count=40)


@settings(max_examples=25)
@given(
    sizes=st.lists(st.integers(0, 999) | st.integers(100_000, 400_000), min_size=2, max_size=8),
    limit=st.sampled_from([1, 50_000, 300_000]),
    leaving=st.sets(st.integers(0, 7), max_size=2),
)
def test_messages_at_once_through_a_small_budget(sizes: list[int], limit: int, leaving: set[int]) -> None:
    """Each sends a message, too large or not, and a small one; some leave half-way."""

    async def exchange() -> None:
        sink = Sink()
        async with front(sink, message_size=300_000, budget=limit) as bridge:

            async def send(number: int, size: int) -> list[str]:
                client = await bridge.connect()
                data = (
                    b"LHLO x\r\n" + transaction(["known@x", "known2@x"], b"y" * size) + transaction(["known@x"], b"z")
                )
                if number in leaving:
                    client.send(data[: len(data) // 2])
                    client.close()
                    return []
                client.send(data + b"QUIT\r\n")
                return [line[:3].decode() for line in (await client.rest()).splitlines() if line[3:4] == b" "]

            answers = await asyncio.gather(*(send(*one) for one in enumerate(sizes)))
            for number, (size, codes) in enumerate(zip(sizes, answers, strict=True)):
                result = "552" if size + 2 > 300_000 else "250"
                whole = [
                    *("220", "250", "250", "250", "250", "354"),
                    result,
                    result,
                    *("250", "250", "354", "250", "221"),
                ]
                assert codes == ([] if number in leaving else whole)
            await until(lambda: bridge.budget.used == 0 and not bridge.sessions)

    asyncio.run(exchange())
