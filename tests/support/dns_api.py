# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's DigitalOcean and Cloudflare on loopback, without a container."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from sandbox_internet.api.dns_server import DnsServer
from sandbox_internet.api.tokens import NONE, READ, Token
from sandbox_internet.api.zones import Zone, Zones
from sandbox_internet.cloudflare.api import Cloudflare
from sandbox_internet.cloudflare.records import made as made_at_cloudflare
from sandbox_internet.digitalocean.api import DigitalOcean
from sandbox_internet.digitalocean.records import made as made_at_digitalocean

T = TypeVar("T")
LOOPBACK = "127.0.0.1"
ZONE, OTHER, FOREIGN = "acme.example", "other.example", "foreign.example"
SERVERS: dict[str, type[DnsServer]] = {"digitalocean": DigitalOcean, "cloudflare": Cloudflare}


class DnsApi:
    """A provider on a port of its own while the `with` block lasts, at `url`.

    `token` is of the account that has ZONE and OTHER; `read_token` may change nothing there, `none_token` not even read
    DNS. FOREIGN is another account's.
    """

    token, read_token, none_token, foreign_token = "token-acme", "token-acme-read", "token-acme-none", "token-foreign"

    def __init__(self, provider: str, folder: Path) -> None:
        self.provider = provider
        zones = Zones(folder / f"{provider}.json", [(ZONE, "acme"), (OTHER, "acme"), (FOREIGN, "foreign")])
        tokens = [
            Token(self.token, "acme"),
            Token(self.read_token, "acme", READ),
            Token(self.none_token, "acme", NONE),
            Token(self.foreign_token, "foreign"),
        ]
        self.server = SERVERS[provider](zones, tokens)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._stack = contextlib.ExitStack()
        self.url = self.control = ""

    def __enter__(self) -> DnsApi:
        self._thread.start()
        self._stack.callback(self._end)
        self.url = self._start(self.server.start("", LOOPBACK, 0))
        self.control = self._start(self.server.start_control(LOOPBACK, 0))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def zone(self, name: str = ZONE) -> Zone:
        """Return what the provider has of a zone."""
        return next(zone for zone in self.server.zones.all if zone.name == name)

    def add(self, name: str, kind: str, content: str, zone: str = ZONE, **fields: Any) -> dict[str, Any]:
        """Let somebody create a record; `name` is relative, `content` as he would write it at this provider."""
        there = self.zone(zone)
        identity = f"{there.serial}"
        there.serial += 1
        if self.provider == "digitalocean":
            given = {"type": kind, "name": name, "data": content, "ttl": 3600, **fields}
            record = {"id": int(identity), **made_at_digitalocean(there, given)}
        else:
            given = {"type": kind, "name": name, "content": content, "ttl": 3600, **fields}
            own = {"id": identity, "zone_id": there.id, "zone_name": there.name}
            record = {**own, **made_at_cloudflare(there, given)}
        there.records[identity] = record
        return record

    def shown(self, name: str = ZONE) -> list[tuple[str, str, str, int]]:
        """Return the records of a zone, sorted: name, type, content or data with its priority, TTL."""
        content = "data" if self.provider == "digitalocean" else "content"
        return sorted(
            (one["name"], one["type"], _with_priority(one, one[content]), one["ttl"])
            for one in self.zone(name).records.values()
        )

    def texts(self, name: str = "@") -> list[str]:
        """Return the texts of a relative name in ZONE, sorted."""
        whole = name if self.provider == "digitalocean" else (ZONE if name == "@" else f"{name}.{ZONE}")
        return [content for at, kind, content, _ttl in self.shown() if (at, kind) == (whole, "TXT")]

    def calls(self) -> list[tuple[str, str]]:
        """Return method and path of the calls since the last time, and forget them."""
        made = [(call["method"], call["path"]) for call in self.server.calls]
        self.server.calls.clear()
        return made

    def writes(self) -> list[str]:
        """Return the methods of the calls since the last time that change something, and forget all."""
        return [method for method, _path in self.calls() if method != "GET"]

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


def _with_priority(record: dict[str, Any], content: str) -> str:
    return f"{record['priority']} {content}" if record["type"] == "MX" else content
