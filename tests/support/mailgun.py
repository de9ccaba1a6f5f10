# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's Mailgun on loopback, without a container, and a DNS server for its look-ups."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from sandbox_internet.mailgun.api import Api
from sandbox_internet.mailgun.keys import READ, SENDING, ApiKey
from sandbox_internet.mailgun.records import Resolver
from sandbox_internet.mailgun.simulator import Simulator
from sandbox_internet.mailgun.state import State

T = TypeVar("T")
LOOPBACK = "127.0.0.1"


class DnsServer:
    """Answers for `records`, by (name, type) a list of values, over UDP, while the `with` block lasts."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> DnsServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()

    def publish(self, records: list[dict[str, Any]], name: str) -> None:
        """Add records of an answer of the API; one without a name is the domain `name`'s."""
        for record in records:
            value = f"{record['priority']} {record['value']}" if "priority" in record else record["value"]
            self.records.setdefault((record.get("name", name), record["record_type"]), []).append(value)

    def _serve(self) -> None:
        while packet := self._socket.recvfrom(4096):
            if not packet[0]:
                return
            self._socket.sendto(self._answer(dns.message.from_wire(packet[0])), packet[1])

    def _answer(self, query: dns.message.Message) -> bytes:
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        if not any(known == name for known, _kind in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        for value in self.records.get((name, kind), []):
            data = _in_zone_file(kind, value)
            answer.find_rrset(answer.answer, question.name, question.rdclass, question.rdtype, create=True).update(
                dns.rrset.from_text(question.name, 60, "IN", kind, data)
            )
        return answer.to_wire(max_size=65535)


def _in_zone_file(kind: str, value: str) -> str:
    if kind == "TXT":
        return " ".join(json.dumps(value[at : at + 255]) for at in range(0, len(value), 255))
    return f"{value}."


class Mailgun:
    """The simulator on ports of its own while the `with` block lasts: `us` and `eu` are the regions' base URLs.

    `state` is the file of its state, `dns` where its look-ups find their records. `key` and `other_key` are of two
    accounts; `read_key` may change nothing, and `sending_key` is for messages alone.
    """

    key, other_key, read_key, sending_key = "key-acme", "key-other", "key-acme-read", "key-acme-sending"

    def __init__(self, state: Path, **options: Any) -> None:
        self.dns = DnsServer()
        keys = [
            ApiKey(self.key, "acme"),
            ApiKey(self.other_key, "other"),
            ApiKey(self.read_key, "acme", READ),
            ApiKey(self.sending_key, "acme", SENDING),
        ]
        there = State.read(state) if state.exists() else State(state)
        self.simulator = Simulator(there, Resolver(self.dns.address), **options)
        self.api = Api(self.simulator, keys)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._stack = contextlib.ExitStack()
        self.us = self.eu = self.control = ""

    def __enter__(self) -> Mailgun:
        self._stack.enter_context(self.dns)
        self._thread.start()
        self._stack.callback(self._end)
        self.us, self.eu = (self._start(self.api.start(region, LOOPBACK, 0)) for region in ("us", "eu"))
        self.control = self._start(self.api.start_control(LOOPBACK, 0))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def fail(self, form: str, **how: Any) -> None:
        """Let calls fail; see Server.fail of the simulator."""
        self.api.fail(form, **how)

    def calls(self) -> list[tuple[str, str]]:
        """Return method and path of the calls since the last time, and forget them."""
        made = [(call["method"], call["path"]) for call in self.api.calls]
        self.api.calls.clear()
        return made

    def _start(self, starting: Coroutine[Any, Any, Any]) -> str:
        runner = self._wait(starting)
        self._stack.callback(lambda: self._wait(runner.cleanup()))
        host, port = runner.addresses[0]
        return f"http://{host}:{port}"

    def _wait(self, task: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(task, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
