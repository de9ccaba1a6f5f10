# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of Mailgun's API: three forms of rate limits, and error bodies in all their forms."""

from __future__ import annotations

import time
from typing import Any

from ..api.faults import FORMS as COMMON
from ..api.faults import Fault, Form
from ..api.replies import Reply

LIMITED = {"message": "Too many requests"}


def _request_limit(fault: Fault) -> Reply:
    reset = str(round((time.time() + fault.seconds) * 1000))
    return Reply(429, LIMITED, {"X-Request-Limit": "300", "X-Request-Remaining": "0", "X-Request-Reset": reset})


def _ratelimit_reset(fault: Fault) -> Reply:
    reset = f"{time.time() + fault.seconds:.3f}"
    return Reply(429, LIMITED, {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})


def _retry_seconds(fault: Fault) -> Reply:
    return Reply(429, {**LIMITED, "retry-seconds": fault.seconds})


def _form(text: str, status: int, **body: Any) -> Form:
    return Form(text, lambda fault: Reply(status, body))


FORMS = {
    "request-limit": Form("429 with X-Request-Limit, -Remaining and -Reset (epoch in milliseconds)", _request_limit),
    "ratelimit-reset": Form("429 with X-RateLimit-Reset (epoch in seconds)", _ratelimit_reset),
    "retry-seconds": Form("429 with retry-seconds in its body", _retry_seconds),
    "500": _form("500 with a message as JSON", 500, message="Internal Server Error"),
    "reason": _form("400 with Reason", 400, Reason="invalid parameters"),
    "description": _form("400 with Description", 400, Description="something is not as it should be"),
    "field": _form("400 with Field", 400, Field="name"),
    **COMMON,
}
