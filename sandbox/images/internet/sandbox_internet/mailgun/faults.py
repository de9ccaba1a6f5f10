# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: what the next calls get instead of their answer."""

from __future__ import annotations

import dataclasses
import time

from .calls import Reply

PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<h1>502 Bad Gateway</h1>\r\n</body>\r\n</html>"
)
LIMITED = {"message": "Too many requests"}
FORMS = {
    "request-limit": "429 with X-Request-Limit, -Remaining and -Reset (epoch in milliseconds)",
    "ratelimit-reset": "429 with X-RateLimit-Reset (epoch in seconds)",
    "retry-seconds": "429 with retry-seconds in its body",
    "500": "500 with a message as JSON",
    "html": "502 with a page of HTML",
    "reason": "400 with Reason",
    "description": "400 with Description",
    "field": "400 with Field",
    "truncated": "200 with half of the JSON; the call was carried out",
    "cut": "the connection is closed without an answer",
    "timeout": "no answer until the client goes away",
}


@dataclasses.dataclass
class Fault:
    """The next `count` calls of this method and with this text in their path, where given, fail in this form.

    `seconds` is how long a rate limit lasts. With `carried_out` the call does its work before its answer is lost.
    """

    form: str
    count: int = 1
    method: str = ""
    path: str = ""
    seconds: float = 1.0
    carried_out: bool = False

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ValueError(f"no fault is called {self.form!r}: {', '.join(FORMS)}")
        self.carried_out = self.carried_out or self.form == "truncated"

    def meets(self, method: str, path: str) -> bool:
        """Whether it is for this call."""
        return self.count > 0 and self.method in ("", method) and self.path in path


def reply(fault: Fault) -> Reply:
    """Return the answer of a fault that has one of its own."""
    reset = time.time() + fault.seconds
    replies = {
        "request-limit": Reply(429, LIMITED, {
            "X-Request-Limit": "300", "X-Request-Remaining": "0", "X-Request-Reset": str(round(reset * 1000)),
        }),
        "ratelimit-reset": Reply(429, LIMITED, {
            "X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{reset:.3f}",
        }),
        "retry-seconds": Reply(429, {**LIMITED, "retry-seconds": fault.seconds}),
        "500": Reply(500, {"message": "Internal Server Error"}),
        "html": Reply(502, PAGE, content_type="text/html"),
        "reason": Reply(400, {"Reason": "invalid parameters"}),
        "description": Reply(400, {"Description": "something is not as it should be"}),
        "field": Reply(400, {"Field": "name"}),
    }  # fmt: skip
    return replies[fault.form]
