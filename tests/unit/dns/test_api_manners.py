# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of DigitalOcean and Cloudflare mean: pauses in all their forms, and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    ProtocolError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Answer
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends import cloudflare, digitalocean
from requests.structures import CaseInsensitiveDict

NOW = 1_800_000_000.0
DIGITALOCEAN, CLOUDFLARE = digitalocean.Manners(), cloudflare.Manners()


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    """Return an answer; `_` in the names of headers is a hyphen, and a body that is text is no JSON."""
    text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
    named = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    is_json = body is not None and not isinstance(body, str)
    return Answer("https://api.example", status, named, text.encode(), body if is_json else None, is_json)


def failure(code: int, message: str = "no", chain: int = 0) -> dict[str, Any]:
    """Return an error of Cloudflare's."""
    behind = [{"code": chain, "message": "behind"}] if chain else []
    error = {"code": code, "message": message, "error_chain": behind}
    return {"success": False, "errors": [error], "messages": [], "result": None}


@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [
        (200, {}, None),
        (200, {"ratelimit_remaining": "1", "ratelimit_reset": str(NOW + 9)}, None),
        (200, {"ratelimit_remaining": "0", "ratelimit_reset": str(NOW + 9)}, 9),
        (429, {"ratelimit_reset": str(NOW + 9)}, 9),
        (429, {"retry_after": "7", "ratelimit_reset": str(NOW + 9)}, 7),
        (429, {"ratelimit_reset": str(NOW - 9)}, 0),
        (429, {"retry_after": "Fri, 01 Jan 2027 00:00:00 GMT"}, None),
        (429, {}, None),
    ],
)
def test_pauses_of_digitalocean(status: int, headers: dict[str, str], pause: float | None) -> None:
    assert DIGITALOCEAN.pause(answer(status, {}, **headers), NOW) == pause


@pytest.mark.parametrize(
    ("status", "headers", "pause"),
    [
        (200, {}, None),
        (200, {"ratelimit": '"default";r=1;t=30'}, None),
        (200, {"ratelimit": '"default";r=0;t=30'}, 30),
        (200, {"ratelimit": '"burst";r=0;t=2, "default";r=0;t=30, "other";r=5;t=90'}, 30),
        (429, {"ratelimit": '"default";r=0;t=30', "retry_after": "7"}, 7),
        (429, {"ratelimit": "no limit"}, None),
        (429, {}, None),
    ],
)
def test_pauses_of_cloudflare(status: int, headers: dict[str, str], pause: float | None) -> None:
    assert CLOUDFLARE.pause(answer(status, {}, **headers), NOW) == pause


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer(204), None),
        (answer(200, {"domain_records": []}), None),
        (answer(401, {"id": "Unauthorized", "message": "no"}), AuthenticationError),
        (answer(403, {"id": "Forbidden", "message": "no"}), AuthenticationError),
        (answer(404, {"id": "not_found", "message": "no"}), NotFoundError),
        (answer(422, {"message": "CNAME records cannot share a name with other records"}), ConflictError),
        (answer(422, {"message": "no"}), ValidationError),
        (answer(500, {"message": "no"}), TemporaryError),
        (answer(504, "<html>"), TemporaryError),
        (answer(200, "<html>"), ProtocolError),
        (answer(404, "not here"), ProtocolError),
        (answer(302, {}), ProtocolError),
    ],
)
def test_errors_of_digitalocean(given: Answer, kind: type[Exception] | None) -> None:
    error = DIGITALOCEAN.error_of(given, "GET /v2/domains", ())
    assert error.__class__ is (kind or type(None))
    assert error is None or f"(HTTP {given.status})" in error.message


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer(200, {"success": True, "result": []}), None),
        (answer(200, failure(1004)), ValidationError),
        (answer(400, failure(6003, chain=6111)), AuthenticationError),
        (answer(401, failure(1000)), AuthenticationError),
        (answer(403, failure(9109)), cloudflare.DeniedError),
        (answer(403, failure(10000)), cloudflare.DeniedError),
        (answer(404, failure(81044)), NotFoundError),
        (answer(400, failure(81053)), ConflictError),
        (answer(400, failure(81057)), ConflictError),
        (answer(400, failure(1004, chain=9007)), ValidationError),
        (answer(400, {}), ValidationError),
        (answer(503, failure(10001)), TemporaryError),
        (answer(200, "<html>"), ProtocolError),
    ],
)
def test_errors_of_cloudflare(given: Answer, kind: type[Exception] | None) -> None:
    error = CLOUDFLARE.error_of(given, "GET /zones", ())
    assert error.__class__ is (kind or type(None))
    assert error is None or f"(HTTP {given.status})" in error.message


def test_an_error_of_cloudflare_tells_what_lies_behind_it() -> None:
    error = CLOUDFLARE.error_of(answer(400, failure(1004, "DNS Validation Error", chain=9007)), "POST /zones", ())
    assert error is not None
    assert "DNS Validation Error (1004): behind (9007)" in error.message
