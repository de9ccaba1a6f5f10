# SPDX-License-Identifier: GPL-3.0-or-later
"""A call of the API, and the forms in which the live API says what is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..api.replies import Refused, Reply


@dataclasses.dataclass(frozen=True)
class Call:
    """An authenticated call; `path` holds what stands in the path's variable parts."""

    region: str
    account: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, list[str]]

    def field(self, name: str) -> str | None:
        """Return a form field's first value."""
        return self.form.get(name, [None])[0]


def ok(message: str = "", **body: Any) -> Reply:
    """Return a success."""
    return Reply(200, {"message": message, **body} if message else body)


def refused(status: int, message: str, **body: Any) -> Refused:
    """Return the error that most calls make: a body with `message`."""
    return Refused(Reply(status, {"message": message, **body}))


def invalid(field: str, reason: str) -> Refused:
    """Return the error that newer calls make of a parameter."""
    return Refused(Reply(400, {"Field": field, "Reason": reason}))


def boolean(field: str, value: str) -> bool:
    """Return what a form means by `true`, `yes`, `false` or `no`."""
    if value.lower() not in ("true", "yes", "false", "no"):
        raise invalid(field, f"invalid value for '{field}': must be a boolean")
    return value.lower() in ("true", "yes")


def page(call: Call, default: int = 100) -> slice:
    """Return the part of a list that `skip` and `limit` ask for."""
    numbers = {"skip": 0, "limit": default}
    for name in numbers:
        text = call.query.get(name, str(numbers[name]))
        if not text.isdecimal():
            raise refused(400, f"{name.capitalize()} parameter must be a number")
        numbers[name] = int(text)
    if numbers["limit"] > 1000:
        raise refused(400, "Limit parameter can't be larger than 1000")
    return slice(numbers["skip"], numbers["skip"] + numbers["limit"])
