# SPDX-License-Identifier: GPL-3.0-or-later
"""The reply to a call, and its refusal."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Reply:
    """An answer: a body that is not text goes out as JSON, None as no body at all."""

    status: int
    body: Any
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    content_type: str = "text/plain"  # of a text


class Refused(Exception):
    """The call is answered with this reply; nothing was changed."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply
