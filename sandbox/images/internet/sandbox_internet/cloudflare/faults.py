# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of Cloudflare's API with their codes, and its faults on demand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api.faults import FORMS as COMMON
from ..api.faults import Fault, Form
from ..api.replies import Refused, Reply


def error(status: int, code: int, message: str, chain: tuple[int, str] | None = None) -> Reply:
    """Return an error; `chain` is what lies behind it."""
    told: dict[str, Any] = {"code": code, "message": message}
    if chain:
        told["error_chain"] = [{"code": chain[0], "message": chain[1]}]
    return Reply(status, {"success": False, "errors": [told], "messages": [], "result": None})


def refused(status: int, code: int, message: str, chain: tuple[int, str] | None = None) -> Refused:
    """Return an error to raise."""
    return Refused(error(status, code, message, chain))


def _limited(headers: Mapping[str, str]) -> Reply:
    plain = error(429, 10429, "Rate limited. Please wait and consider throttling your request speed")
    return Reply(429, plain.body, headers)


def _retry_after(fault: Fault) -> Reply:
    return _limited({"retry-after": str(round(fault.seconds))})


def _ratelimit(fault: Fault) -> Reply:
    return _limited({"ratelimit": f'"default";r=0;t={round(fault.seconds)}'})


FORMS = {
    "retry-after": Form("429 with retry-after in seconds", _retry_after),
    "ratelimit": Form("429 with ratelimit, of which t is in seconds", _ratelimit),
    "500": Form("500 as JSON", lambda fault: error(500, 10001, "Internal error")),
    "400": Form("400 as JSON", lambda fault: error(400, 1004, "DNS Validation Error", (9005, "Content is invalid."))),
    **COMMON,
}
