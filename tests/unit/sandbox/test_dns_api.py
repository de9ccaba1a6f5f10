# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulated DNS providers keep, and what their commands tell and do."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from sandbox_internet import sandbox_dns_api
from support.dns_api import ZONE, DnsApi

Command = Callable[..., str]


@pytest.fixture(params=["cloudflare", "digitalocean"])
def dns_api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DnsApi]:
    """Each of the providers, with empty zones."""
    with DnsApi(request.param, tmp_path) as running:
        yield running


@pytest.fixture
def command(dns_api: DnsApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The provider's command for this simulator; returns what it prints."""
    shown, forms, _control = sandbox_dns_api.PROVIDERS[dns_api.provider]
    host, port = dns_api.control.removeprefix("http://").split(":")
    monkeypatch.setitem(sandbox_dns_api.PROVIDERS, dns_api.provider, (shown, forms, (host, int(port))))

    def run(*argv: str) -> str:
        monkeypatch.setattr(sys, "argv", ["", dns_api.provider, *argv])
        sandbox_dns_api.main()
        return capsys.readouterr().out

    return run


def zones(api: DnsApi) -> requests.Response:
    """Ask for the zones."""
    path = {"cloudflare": "/client/v4/zones", "digitalocean": "/v2/domains"}[api.provider]
    return requests.get(f"{api.url}{path}?page=1", headers={"Authorization": f"Bearer {api.token}"}, timeout=5)


def test_zones_outlive_a_restart_and_a_reset_empties_them(dns_api: DnsApi, command: Command, tmp_path: Path) -> None:
    dns_api.add("@", "TXT", "x")
    dns_api.server.zones.save()
    with DnsApi(dns_api.provider, tmp_path) as again:
        assert again.texts() == ["x"]
        assert again.zone().id == dns_api.zone().id
    zones(dns_api)
    command("reset")
    assert (dns_api.texts(), command("calls")) == ([], "\n")


def test_calls_are_told_without_tokens(dns_api: DnsApi, command: Command) -> None:
    assert zones(dns_api).status_code == 200
    (call,) = json.loads(command("calls", "--json"))
    assert (call["method"], call["query"], call["status"]) == ("GET", {"page": "1"}, 200)
    assert command("calls") == f"200  GET {call['path']}  page=1\n"
    assert dns_api.token not in json.dumps(call)


def test_faults_by_command(dns_api: DnsApi, command: Command) -> None:
    command("fail", "html", "--after", "1", "--count", "2", "--method", "GET")
    assert [zones(dns_api).status_code for _time in range(4)] == [200, 502, 502, 200]
    with pytest.raises(SystemExit):
        command("fail", "no such fault")


def test_a_simulator_that_does_not_answer(dns_api: DnsApi, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, forms, _control = sandbox_dns_api.PROVIDERS[dns_api.provider]
    monkeypatch.setitem(sandbox_dns_api.PROVIDERS, dns_api.provider, (shown, forms, ("127.0.0.1", 1)))
    with pytest.raises(SystemExit, match=f"sandbox-{dns_api.provider}: the simulator does not answer"):
        command("calls")


def test_other_accounts_zones_are_theirs(dns_api: DnsApi) -> None:
    assert ZONE in zones(dns_api).text
    assert "foreign.example" not in zones(dns_api).text
