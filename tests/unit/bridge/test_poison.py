# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that Odoo fails on: when it goes into quarantine, and what is answered and said then."""

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web
from odoo_lmtp_bridge.delivery import Attempts, Deliverer
from odoo_lmtp_bridge.directory import Directory, Recipient
from odoo_lmtp_bridge.health import Health
from odoo_lmtp_bridge.lmtp import Envelope
from odoo_lmtp_bridge.metrics import Metrics
from odoo_lmtp_bridge.quarantine import Quarantine
from unit.bridge.harness import OdooStandIn, backend, odoo_stand_in

CONTENT = b"Message-Id: <1@x>\r\nSubject: canary\r\n\r\nbody\r\n"
MIB = 1 << 20


class Bridge:
    """A deliverer with a quarantine before Odoo's stand-in, which fails on `failing` recipients: recipient to the
    attempt at which the message is to be quarantined, or None for an ordinary temporary failure."""

    def __init__(self, odoo: OdooStandIn, deliverer: Deliverer, quarantine: Quarantine) -> None:
        self.failing: dict[str, int | None] = {}
        self.deliverer = deliverer
        self.quarantine = quarantine
        self.health: Health
        self.metrics: Metrics
        self.odoo = odoo
        odoo.respond = self.respond

    async def respond(self, request: web.Request) -> web.StreamResponse:
        results = []
        for recipient in json.loads(request.headers["X-Mail-Recipients"]):
            result = {"recipient": recipient, "code": 250, "enhanced": "2.0.0", "text": "delivered"}
            if recipient in self.failing:
                result |= {"code": 451, "enhanced": "4.3.0", "text": "application error KeyError"}
                if self.failing[recipient]:
                    result["quarantine_after"] = self.failing[recipient]
            results.append(result)
        return web.json_response({"version": 1, "results": results})

    async def deliver(self, *recipients: str, content: bytes = CONTENT) -> list[str]:
        addresses = tuple(Recipient(address, "prod") for address in recipients)
        replies = await self.deliverer.deliver(Envelope("s@y", addresses, content))
        return [f"{reply.code} {reply.text}" for reply in replies]

    def value(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        return self.metrics.registry.get_sample_value(f"odoo_lmtp_bridge_{name}", dict(labels or {}))


class Running:
    """``async with Running(directory) as bridge``."""

    def __init__(self, directory: Path, limit: int = MIB) -> None:
        self._quarantine = Quarantine(directory, limit)

    async def __aenter__(self) -> Bridge:
        self._odoo = odoo_stand_in()
        odoo = await self._odoo.__aenter__()
        self._backend = backend(odoo.url)
        addon = await self._backend.__aenter__()
        health, metrics = Health(["prod"]), Metrics()
        deliverer = Deliverer(
            Directory(["prod"]), {"prod": addon}, 4, quarantine=self._quarantine, health=health, metrics=metrics
        )
        bridge = Bridge(odoo, deliverer, self._quarantine)
        bridge.health, bridge.metrics = health, metrics
        return bridge

    async def __aexit__(self, *exception: object) -> None:
        await self._backend.__aexit__(None, None, None)
        await self._odoo.__aexit__(None, None, None)


def test_the_nth_failure_goes_into_quarantine(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with Running(tmp_path) as bridge:
            bridge.failing = {"a@x": 3}
            for _attempt in range(2):
                assert await bridge.deliver("a@x") == ["451 application error KeyError"]
                # Another message is counted for itself.
                other = CONTENT.replace(b"1@x", b"2@x")
                assert await bridge.deliver("a@x", content=other) == ["451 application error KeyError"]
                assert bridge.quarantine.messages == 0
            (answer,) = await bridge.deliver("a@x")
            (entry,) = bridge.quarantine.entries()
            assert answer == f"250 In quarantine as {entry.id}: application error KeyError"
            assert (entry.sender, entry.recipients, entry.database) == ("s@y", ("a@x",), "prod")
            assert (entry.message_id, entry.reason) == ("<1@x>", "application error KeyError")
            assert bridge.quarantine.read(entry.id)[1] == CONTENT
            ours = [record for record in caplog.records if record.name.startswith("odoo_lmtp_bridge")]
            (error,) = [record for record in ours if record.levelno == logging.ERROR]
            assert f"odoo-lmtp-bridge replay {entry.id}" in error.getMessage()
            assert "<1@x>" in error.getMessage() and "a@x" in error.getMessage()
            assert "canary" not in caplog.text
            assert bridge.value("quarantined_total", {"database": "prod"}) == 1
            assert bridge.value("quarantine_messages") == 1
            assert bridge.value("quarantine_bytes") == bridge.quarantine.size
            assert bridge.value("recipients_total", {"database": "prod", "code": "250"}) == 1
            assert bridge.value("recipients_total", {"database": "prod", "code": "451"}) == 4
            assert not bridge.health.problems

    asyncio.run(scenario())


def test_only_the_recipients_that_failed_and_all_of_them_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Running(tmp_path) as bridge:
            bridge.failing = {"b@x": 1, "c@x": 2, "d@x": None, "e@x": 1}
            answers = await bridge.deliver("a@x", "b@x", "c@x", "d@x", "e@x", "b@x")
            (entry,) = bridge.quarantine.entries()
            assert entry.recipients == ("b@x", "e@x")
            quarantined = f"250 In quarantine as {entry.id}: application error KeyError"
            later = "451 application error KeyError"
            assert answers == ["250 delivered", quarantined, later, later, quarantined, quarantined]

    asyncio.run(scenario())


def test_what_is_not_the_messages_fault_is_never_quarantined(tmp_path: Path) -> None:
    async def bad_gateway(request: web.Request) -> web.StreamResponse:
        return web.Response(status=502)

    async def scenario() -> None:
        async with Running(tmp_path) as bridge:
            bridge.failing = {"a@x": None}
            for _attempt in range(5):
                assert (await bridge.deliver("a@x"))[0].startswith("451 ")
            bridge.odoo.respond = bad_gateway
            for _attempt in range(5):
                assert (await bridge.deliver("a@x"))[0].startswith("451 ")
            assert bridge.quarantine.messages == 0
            assert bridge.value("post_failures_total", {"database": "prod"}) == 5

    asyncio.run(scenario())


def test_a_full_quarantine_leaves_the_mail_in_the_queue(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with Running(tmp_path, limit=1000) as bridge:
            bridge.failing = {"a@x": 1}
            large = CONTENT + b"x" * 1000
            for _attempt in range(2):
                assert await bridge.deliver("a@x", content=large) == ["451 application error KeyError"]
            assert bridge.quarantine.messages == 0
            assert "quarantine_limit" in bridge.health.problems["quarantine"]
            assert "quarantine_limit" in caplog.text
            assert bridge.value("quarantined_total", {"database": "prod"}) is None
            # What fits still goes in, and all is well then.
            assert (await bridge.deliver("a@x"))[0].startswith("250 In quarantine")
            assert "quarantine" not in bridge.health.problems

    asyncio.run(scenario())


def test_a_quarantine_that_cannot_be_written(tmp_path: Path) -> None:
    async def scenario() -> None:
        place = tmp_path / "q"
        place.write_text("in the way")
        async with Running(place) as bridge:
            bridge.failing = {"a@x": 1}
            assert await bridge.deliver("a@x") == ["451 application error KeyError"]
            assert "quarantine" in bridge.health.problems
            assert (await bridge.deliver("b@x")) == ["250 delivered"]
            assert "quarantine" in bridge.health.problems
            place.unlink()
            # Seen with the next mail, whatever it is.
            assert (await bridge.deliver("b@x")) == ["250 delivered"]
            assert "quarantine" not in bridge.health.problems
            assert (await bridge.deliver("a@x"))[0].startswith("250 In quarantine")

    asyncio.run(scenario())


def test_attempts_are_bounded() -> None:
    attempts = Attempts(2)
    assert [attempts.another(key) for key in "aabacb"] == [1, 2, 1, 3, 1, 1]
    attempts.forget("b")
    assert attempts.another("b") == 1
