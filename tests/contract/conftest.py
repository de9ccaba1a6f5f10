# SPDX-License-Identifier: GPL-3.0-or-later
"""Our Mailgun modules with a simulated Mailgun; each request that they make is held against the specification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Answer, Http
from support import openapi
from support.mailgun import Mailgun
from support.mailgun_modules import Modules, simulated


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Modules]:
    """Our modules; each request must be one of the published specification, where that is there."""
    original = Http.request

    def held(self: Http, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> Answer:
        url = urlsplit(path)
        query = {**dict(parse_qsl(url.query)), **_texts(body, "params")}
        openapi.MAILGUN.check_request(method, url.path, query, _texts(body, "data"))
        return original(self, method, path, headers, **body)

    if openapi.MAILGUN.file.exists():
        monkeypatch.setattr(Http, "request", held)
    with simulated(tmp_path) as ours:
        yield ours


@pytest.fixture
def mailgun(modules: Modules) -> Mailgun:
    """The simulator that the modules talk to."""
    return modules.mailgun


def _texts(body: dict[str, Any], part: str) -> dict[str, str]:
    return {name: str(value) for name, value in (body.get(part) or {}).items()}
