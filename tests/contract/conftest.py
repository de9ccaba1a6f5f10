# SPDX-License-Identifier: GPL-3.0-or-later
"""Our code with simulated providers; each request that it makes is held against the provider's specification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Answer, Http
from support.dns_api import DnsApi
from support.mailgun import Mailgun
from support.mailgun_modules import Modules, simulated
from support.openapi import CLOUDFLARE, DIGITALOCEAN, MAILGUN, Specification

DNS = {"cloudflare": CLOUDFLARE, "digitalocean": DIGITALOCEAN}


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Modules]:
    """Our Mailgun modules; each request must be one of the published specification, where that is there."""
    hold(MAILGUN, monkeypatch)
    with simulated(tmp_path) as ours:
        yield ours


@pytest.fixture
def mailgun(modules: Modules) -> Mailgun:
    """The simulator that the modules talk to."""
    return modules.mailgun


@pytest.fixture(params=sorted(DNS))
def dns_api(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DnsApi]:
    """Each of the simulated DNS providers; each request must be one of its published specification."""
    hold(DNS[request.param], monkeypatch)
    with DnsApi(request.param, tmp_path) as running:
        yield running


def hold(specification: Specification, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold each request of ours against a specification, where that is there."""
    original = Http.request

    def held(self: Http, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> Answer:
        url = urlsplit(path)
        query = {**dict(parse_qsl(url.query)), **_texts(body, "params")}
        specification.check_request(method, url.path, query, _texts(body, "data"), body.get("json"))
        return original(self, method, path, headers, **body)

    if specification.file.exists():
        monkeypatch.setattr(Http, "request", held)


def _texts(body: dict[str, Any], part: str) -> dict[str, str]:
    return {name: str(value) for name, value in (body.get(part) or {}).items()}
