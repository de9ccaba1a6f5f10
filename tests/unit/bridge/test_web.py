# SPDX-License-Identifier: GPL-3.0-or-later
"""The webhook, health and metrics, over real connections."""

import asyncio
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from odoo_lmtp_bridge.config import Database, Listen
from odoo_lmtp_bridge.metrics import Metrics
from odoo_lmtp_bridge.startup import listen_tcp
from odoo_lmtp_bridge.web import Server, Webhook, health_application
from prometheus_client.parser import text_string_to_metric_families
from unit.bridge.harness import DEADLINE, until

TOKEN, PENDING, OTHER = "canary-1-token", "canary-2-token", "canary-3-token"
DATABASES = {
    Database("one", "https://one.example", "prod"): (TOKEN, PENDING),
    Database("two", "https://two.example", None): (OTHER,),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def served(make: Callable[[], aiohttp.web.Application]) -> AsyncIterator[str]:
    port = free_port()
    server = Server(make(), listen_tcp("webhook", Listen("127.0.0.1", port)))
    await server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.close()


def headers(body: bytes, token: str = TOKEN, age: float = 0) -> dict[str, str]:
    """The headers that the addon sends, written down here from its interface."""
    stamp = str(int(time.time() - age))
    signature = hmac.new(token.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Mail-Timestamp": stamp, "X-Mail-Signature": signature}


def asked(
    body: bytes, sent: Mapping[str, str], method: str = "POST", path: str = "/webhook"
) -> tuple[int, list[str], Metrics]:
    """The status, and the databases that were woken."""
    woken: list[str] = []
    metrics = Metrics()

    async def scenario() -> int:
        async with (
            served(lambda: Webhook(DATABASES, woken.append, metrics).application) as url,
            aiohttp.ClientSession() as client,
            client.request(method, url + path, data=body, headers=sent) as response,
        ):
            assert "canary" not in await response.text()
            return response.status

    return asyncio.run(scenario()), woken, metrics


PROD = b'{"database": "prod"}'


@pytest.mark.parametrize("token", [TOKEN, PENDING])
def test_a_signed_request_wakes_its_database(token: str) -> None:
    status, woken, metrics = asked(PROD, headers(PROD, token))
    assert (status, woken) == (202, ["one"])
    assert metrics.registry.get_sample_value("odoo_lmtp_bridge_webhook_requests_total", {"result": "202"}) == 1


def test_a_database_without_a_configured_name_is_known_by_its_token() -> None:
    assert asked(PROD, headers(PROD, OTHER))[:2] == (202, ["two"])


@pytest.mark.parametrize("age", [-290, 290])
def test_clocks_may_differ(age: float) -> None:
    assert asked(PROD, headers(PROD, age=age))[:2] == (202, ["one"])


STAGING = b'{"database": "staging"}'
GOOD = headers(PROD)


@pytest.mark.parametrize(
    ("body", "sent", "status"),
    [
        (PROD, {}, 403),
        (PROD, headers(PROD, "wrong"), 403),
        (PROD, headers(PROD, ""), 403),
        (PROD, headers(STAGING), 403),
        (PROD, headers(PROD, age=310), 403),
        (PROD, headers(PROD, age=-900), 403),
        (PROD, {**GOOD, "X-Mail-Timestamp": "now"}, 403),
        (PROD, {**GOOD, "X-Mail-Signature": GOOD["X-Mail-Signature"].upper()}, 403),
        (PROD, {**GOOD, "X-Mail-Signature": "\u00e9"}, 403),
        # One database's token is not good for another.
        (STAGING, headers(STAGING), 403),
        (b"", headers(b""), 400),
        (b"prod", headers(b"prod"), 400),
        (b"[" * 4000, headers(b"[" * 4000), 400),
        (b"[]", headers(b"[]"), 400),
        (b'{"database": null}', headers(b'{"database": null}'), 400),
        (b" " * 4097, headers(b" " * 4097), 413),
    ],
)
def test_what_is_not_right_wakes_nothing(body: bytes, sent: Mapping[str, str], status: int) -> None:
    assert asked(body, sent)[:2] == (status, [])


def test_there_is_nothing_else() -> None:
    assert asked(b"", {}, "GET")[:2] == (405, [])
    assert asked(PROD, GOOD, path="/")[:2] == (404, [])
    assert asked(b"", {}, "GET", "/metrics")[:2] == (404, [])


def test_idle_connections_are_bounded_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("odoo_lmtp_bridge.web._MAX_CONNECTIONS", 2)
    monkeypatch.setattr("odoo_lmtp_bridge.web._CONNECTION_TIME", 0.3)

    async def scenario() -> None:
        async with served(lambda: Webhook(DATABASES, lambda name: None, Metrics()).application) as url:
            port = int(url.rpartition(":")[2])
            idle = [await asyncio.open_connection("127.0.0.1", port) for _number in range(2)]
            more, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await asyncio.wait_for(more.read(), DEADLINE) == b""
            writer.close()
            for reader, one in idle:
                assert await asyncio.wait_for(reader.read(), DEADLINE) == b""
                one.close()

            async def answers() -> int:
                async with (
                    aiohttp.ClientSession() as client,
                    client.post(f"{url}/webhook", data=PROD, headers=headers(PROD)) as response,
                ):
                    return response.status

            assert await answers() == 202

    asyncio.run(scenario())


async def got(url: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.status, response.headers["Content-Type"], await response.text()


def healthy(scenario: Callable[[str, dict[str, str], Metrics], Awaitable[None]]) -> None:
    problems: dict[str, str] = {}
    metrics = Metrics(["one", "two"])

    async def run() -> None:
        async with served(lambda: health_application(lambda: problems, metrics)) as url:
            await scenario(url, problems, metrics)

    asyncio.run(run())


def test_health_and_readiness() -> None:
    async def scenario(url: str, problems: dict[str, str], metrics: Metrics) -> None:
        status, _kind, text = await got(f"{url}/readyz")
        assert (status, json.loads(text)) == (200, {"ready": True, "problems": {}})
        problems["one"] = "HTTP 403: the token is wrong"
        status, kind, text = await got(f"{url}/readyz")
        assert (status, kind) == (503, "application/json; charset=utf-8")
        assert json.loads(text) == {"ready": False, "problems": problems}
        assert (await got(f"{url}/healthz"))[0] == 200

    healthy(scenario)


def test_metrics_are_in_prometheus_own_format() -> None:
    async def scenario(url: str, problems: dict[str, str], metrics: Metrics) -> None:
        problems["two"] = "away"
        metrics.recipients.labels("one", 250).inc()
        status, kind, text = await got(f"{url}/metrics")
        assert status == 200
        assert kind.startswith("text/plain; version=")
        samples = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert samples["odoo_lmtp_bridge_recipients_total", "250", "one"] == 1
        assert samples["odoo_lmtp_bridge_ready", "one"] == 1
        assert samples["odoo_lmtp_bridge_ready", "two"] == 0
        # A counter that is not there until its first step has no rate at that step.
        assert samples["odoo_lmtp_bridge_list_failures_total", "two"] == 0

    healthy(scenario)


def test_counting_costs_next_to_nothing() -> None:
    """Some 10 microseconds a mail; the bound is for a loaded machine."""
    metrics = Metrics(["one"])
    started = time.process_time()
    for _mail in range(1000):
        with metrics.deliveries.track_inprogress(), metrics.delivery_seconds.labels("one").time():
            metrics.recipients.labels("one", 250).inc()
    assert time.process_time() - started < 0.2


def test_the_server_goes_when_it_is_closed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with served(lambda: health_application(dict, Metrics())) as url:
            port = int(url.rpartition(":")[2])
        listen_tcp("metrics", Listen("127.0.0.1", port)).close()

        def refused() -> bool:
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) != 0

        await until(refused)

    asyncio.run(scenario())
