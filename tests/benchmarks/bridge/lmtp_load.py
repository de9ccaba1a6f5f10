# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that costs little: several connections with PIPELINING (RFC 2920), prepared bytes, answers only counted."""

import selectors
import socket
import time
from collections.abc import Iterator, Sequence

RECIPIENT = "sales@acme.example"

Steps = Sequence[tuple[bytes, int]]
"""What is sent in one go, and how many lines answer it before the next."""


def message(size: int, number: int = 0) -> bytes:
    """A mail of about `size` bytes in lines of 72, whose number makes it a mail of its own."""
    author = f"n{number}@customer.example"
    head = f"From: {author}\r\nTo: {RECIPIENT}\r\nSubject: Load {number}\r\nMessage-Id: <{author}>\r\n\r\n".encode()
    line = b"x" * 70 + b"\r\n"
    return head + line * (max(0, size - len(head)) // len(line))


def transaction(content: bytes, sender: str = "n@customer.example") -> Steps:
    """A transaction as Postfix makes it. `content` has no line that begins with a dot."""
    commands = f"MAIL FROM:<{sender}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()
    return [(commands, 3), (content + b".\r\n", 1)]


def connect(address: str) -> socket.socket:
    """A connection to the Unix socket `address`, after LHLO."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    with connection.makefile("rb") as answers:
        assert answers.readline().startswith(b"220")
        connection.sendall(b"LHLO load\r\n")
        while answers.readline()[3:4] == b"-":
            pass
    return connection


class Peer:
    """A connection that goes through its steps."""

    def __init__(self, address: str, steps: Iterator[tuple[bytes, int]]) -> None:
        self.socket = connect(address)
        self.socket.setblocking(False)
        self._steps = steps
        self._unsent = memoryview(b"")
        self._lines = 0
        self.answers: list[bytes] = []

    def next(self) -> bool:
        """Begin the next step; False if there is none."""
        data, self._lines = next(self._steps, (b"", 0))
        self._unsent = memoryview(data)
        return bool(data)

    def send(self) -> int:
        """Send what the kernel takes; return the events to wait for."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except BlockingIOError:
            return selectors.EVENT_READ | selectors.EVENT_WRITE
        return selectors.EVENT_READ

    def receive(self) -> bool:
        """Take answers; True if the step is done."""
        data = self.socket.recv(65536)
        assert data, "the server closed the connection"
        self.answers.append(data)
        self._lines -= data.count(b"\n")
        return self._lines == 0


def rate(address: str, steps: Sequence[Steps]) -> float:
    """Transactions a second, when each connection makes its own, of which `steps` holds all one after another.

    Raises AssertionError for any answer that is not what a good transaction gets.
    """
    selector = selectors.DefaultSelector()
    peers = [Peer(address, iter(own)) for own in steps]
    started = time.perf_counter()
    for peer in peers:
        peer.next()
        selector.register(peer.socket, peer.send(), peer)
    active = len(peers)
    while active:
        events = selector.select(60)
        assert events, "nothing happened for 60 s"
        for key, event in events:
            peer: Peer = key.data
            if event & selectors.EVENT_READ and peer.receive() and not peer.next():
                selector.unregister(peer.socket)
                active -= 1
                continue
            wanted = peer.send()
            if wanted != key.events:
                selector.modify(peer.socket, wanted, peer)
    elapsed = time.perf_counter() - started
    for peer in peers:
        peer.socket.close()
    lines = b"".join(b"".join(peer.answers) for peer in peers).splitlines()
    done = sum(len(own) for own in steps) // 2
    good = sum(line[:3] == b"250" for line in lines)
    assert good == 3 * done == len(lines) - done, f"{good} good answers for {done} mails"
    return done / elapsed


def same(content: bytes, count: int, sessions: int) -> Sequence[Steps]:
    """The steps of `sessions` connections that send `content` so many times each."""
    return [[*transaction(content)] * count] * sessions
