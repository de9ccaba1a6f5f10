# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of DigitalOcean's API, and its faults on demand."""

from __future__ import annotations

import secrets
import time

from ..api.faults import FORMS as COMMON
from ..api.faults import Fault, Form
from ..api.replies import Refused, Reply

# Of these the published specification says what they stand for.
IDS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "not_found",
    422: "unprocessable_entity",
    429: "too_many_requests",
    500: "server_error",
}


def error(status: int, message: str) -> Reply:
    """Return an error."""
    return Reply(status, {"id": IDS[status], "message": message, "request_id": secrets.token_hex(8)})


def refused(status: int, message: str) -> Refused:
    """Return an error to raise."""
    return Refused(error(status, message))


def _limited(fault: Fault) -> Reply:
    plain = error(429, "API Rate limit exceeded.")
    headers = {
        "ratelimit-limit": "5000",
        "ratelimit-remaining": "0",
        "ratelimit-reset": str(round(time.time() + fault.seconds)),
    }
    return Reply(429, plain.body, headers)


def _retry_after(fault: Fault) -> Reply:
    plain = error(429, "API Rate limit exceeded.")
    return Reply(429, plain.body, {"retry-after": str(round(fault.seconds))})


FORMS = {
    "rate-limit": Form("429 with ratelimit-reset (epoch in seconds)", _limited),
    "retry-after": Form("429 with retry-after in seconds", _retry_after),
    "500": Form("500 as JSON", lambda fault: error(500, "Unexpected server-side error")),
    "422": Form("422 as JSON", lambda fault: error(422, "Data is not valid")),
    **COMMON,
}
