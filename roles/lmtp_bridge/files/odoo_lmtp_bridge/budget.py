# SPDX-License-Identifier: GPL-3.0-or-later
"""A bound on the mail held in memory: over it, reading stops and Postfix's queue waits."""

from typing import Protocol


class Receiver(Protocol):
    """A connection that takes in a message."""

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class ByteBudget:
    """Counts the bytes of messages from their first to their answers.

    Over the limit every receiver pauses, unless its message is the oldest of all that are held:
    otherwise messages that are each half received would wait for one another for ever. So at
    most the limit and one whole message are held, and what one read of each connection brings.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._held: dict[Receiver, int] = {}
        self._paused: set[Receiver] = set()

    @property
    def used(self) -> int:
        return self._used

    def begin(self, receiver: Receiver, size: int) -> None:
        """`receiver` starts to take in a message; `size` bytes of it are there."""
        self._held[receiver] = 0
        self.charge(receiver, size)

    def charge(self, receiver: Receiver, size: int) -> None:
        """`size` more bytes of a message that is being received."""
        self._held[receiver] += size
        self._used += size
        if self._used > self._limit and receiver is not next(iter(self._held)):
            self._paused.add(receiver)
            receiver.pause_reading()

    def refund(self, receiver: Receiver, size: int) -> None:
        """Only `size` bytes of the message are kept."""
        self._used += size - self._held[receiver]
        self._held[receiver] = size
        self._wake()

    def received(self, receiver: Receiver) -> None:
        """The message is whole; its bytes count until `release`."""
        self._paused.discard(receiver)

    def release(self, receiver: Receiver) -> None:
        """The message is answered or given up."""
        self._used -= self._held.pop(receiver, 0)
        self._paused.discard(receiver)
        self._wake()

    def _wake(self) -> None:
        woken = list(self._paused)
        if self._used > self._limit:
            oldest = next(iter(self._held), None)
            woken = [receiver for receiver in woken if receiver is oldest]
        for receiver in woken:
            self._paused.discard(receiver)
            receiver.resume_reading()
