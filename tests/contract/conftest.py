# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Mailgun on loopback with a submission server, and our modules with a connection to it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Answer, Http
from support import openapi
from support.certificates import Authority
from support.mailgun import Mailgun
from support.mailgun_modules import Modules
from support.scripted_smtp import serving
from support.submission import submission

HOST = "127.0.0.1"


@pytest.fixture
def mailgun(tmp_path: Path) -> Iterator[Mailgun]:
    """The simulator; it neither limits verification nor takes long to delete."""
    with Mailgun(tmp_path / "mailgun.json", verify_interval=0.0, deletion_time=0.0) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def tls(authority: Authority) -> ssl.SSLContext:
    """The submission server's certificate."""
    return authority.server(HOST)


@pytest.fixture
def modules(
    mailgun: Mailgun, authority: Authority, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Modules]:
    """Our modules; each request that they make must be one of the published specification, where that is there."""
    original = Http.request

    def held(self: Http, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> Answer:
        # A path may have a query of its own.
        query = dict(pair.split("=") for pair in urlsplit(path).query.split("&") if pair)
        openapi.check_request(method, urlsplit(path).path, {**query, **_texts(body, "params")}, _texts(body, "data"))
        return original(self, method, path, headers, **body)

    if openapi.FILE.exists():
        monkeypatch.setattr(Http, "request", held)

    def right(login: str, password: bytes) -> bool:
        return mailgun.simulator.state.authenticates("us", login, password)

    with serving(submission(tls, right)) as server:
        yield Modules(mailgun, {"smtp_host": HOST, "smtp_port": server.port, "smtp_ca_file": authority.ca_file})


def _texts(body: dict[str, Any], part: str) -> dict[str, str]:
    return {name: str(value) for name, value in (body.get(part) or {}).items()}
