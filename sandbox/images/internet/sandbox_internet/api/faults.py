# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: what the next calls get instead of their answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from .replies import Reply

PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<h1>502 Bad Gateway</h1>\r\n</body>\r\n</html>"
)


@dataclasses.dataclass
class Fault:
    """The next `count` calls of this method and with this text in their path, where given, fail in this form.

    The first `after` of them go well. `seconds` is how long a rate limit lasts. With `carried_out` the call does its
    work before its answer is lost.
    """

    form: str
    count: int = 1
    method: str = ""
    path: str = ""
    after: int = 0
    seconds: float = 1.0
    carried_out: bool = False

    def meets(self, method: str, path: str) -> bool:
        """Whether it is for this call, which counts."""
        if self.count == 0 or self.method not in ("", method) or self.path not in path:
            return False
        if self.after:
            self.after -= 1
            return False
        self.count -= 1
        return True


@dataclasses.dataclass(frozen=True)
class Form:
    """A form of fault: what it is, and its answer. Without one, wire.spoilt knows what becomes of the call."""

    text: str
    reply: Callable[[Fault], Reply] | None = None


# Every provider's.
FORMS: Mapping[str, Form] = {
    "html": Form("502 with a page of HTML", lambda fault: Reply(502, PAGE, content_type="text/html")),
    "truncated": Form("success with half of the JSON; the call was carried out"),
    "cut": Form("the connection is closed without an answer"),
    "timeout": Form("no answer until the client goes away"),
}
