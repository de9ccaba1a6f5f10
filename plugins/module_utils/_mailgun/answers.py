# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Mailgun's answers mean: its errors in all their forms, and how long it asks to wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.calls import excerpt, foreign, line, seconds
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    ConflictError,
    MailopsError,
    NotFoundError,
    ProtocolError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Answer

TAKEN = ("already taken", "already exists")


class KeyRefusedError(AuthenticationError):
    """The API key is not one of this region."""


def pause(answer: Answer, now: float) -> float | None:
    """Return for how many seconds an answer asks not to call again; None if it does not.

    `now` is in epoch seconds. The forms: a body with `retry-seconds` and the headers Retry-After, X-RateLimit-Reset and
    X-Request-Reset (epoch milliseconds). The headers of an answer that is not 429 count only when nothing remains.
    """
    told: list[Any] = []
    if answer.status == 429:
        body = answer.parsed if isinstance(answer.parsed, Mapping) else {}
        told = [body.get("retry-seconds"), answer.headers.get("Retry-After")]
    for form in ("X-RateLimit", "X-Request"):
        if answer.status == 429 or answer.headers.get(f"{form}-Remaining") == "0":
            told.append(answer.headers.get(f"{form}-Reset"))
    return next((found for value in told if (found := seconds(value, now)) is not None), None)


class Manners:
    """What Mailgun's answers mean, as _core.calls wants it."""

    service = "Mailgun"
    more_patience = "Run it again later, or raise rate_limit_timeout."

    def pause(self, answer: Answer, now: float) -> float | None:
        """Return for how many seconds an answer asks not to call again."""
        return pause(answer, now)

    def error_of(self, answer: Answer, asked: str, secrets: Sequence[str]) -> MailopsError | None:
        """Return what went wrong with a call."""
        return error_of(answer, asked, secrets)


def told(answer: Answer, secrets: Sequence[str] = ()) -> str:
    """Return what an error says, in one line: a text, or JSON with message, Reason, Description or Field."""
    if not isinstance(answer.parsed, Mapping):
        return line(answer.parsed, secrets) if isinstance(answer.parsed, str) else excerpt(answer, secrets)
    body = {str(name).lower(): value for name, value in answer.parsed.items()}
    texts = [line(body[name], secrets) for name in ("message", "reason", "description", "error") if body.get(name)]
    found = ": ".join(dict.fromkeys(texts)) or excerpt(answer, secrets)
    return f"{found} (field {line(body['field'], secrets)})" if body.get("field") else found


def error_of(answer: Answer, asked: str, secrets: Sequence[str] = ()) -> MailopsError | None:
    """Return what went wrong with a call (`asked` names it), None if nothing did; `secrets` are hidden in it.

    A 5xx is temporary; a page instead of JSON leaves open what became of the call, whatever its status.
    """
    status, said = answer.status, f"{asked}: {told(answer, secrets)} (HTTP {answer.status})"
    if status >= 500:
        return TemporaryError(f"Mailgun failed at {said}", "Try again later; https://status.mailgun.com tells more.")
    kind = foreign(answer)
    if kind:
        return ProtocolError(
            f"{asked} was answered with {kind}: {said}",
            "That is not Mailgun's API: check api_url, and what a proxy on the way does.",
            status,
        )
    if status < 300:
        return None
    if status == 401:
        return KeyRefusedError(f"Mailgun refused the API key at {said}", KEY)
    if status == 403:
        return AuthenticationError(f"Mailgun does not let this API key do {said}", SCOPE)
    if status == 404 or (status == 400 and "not found" in said.lower()):
        return NotFoundError(f"Mailgun does not find it: {said}")
    if any(words in said.lower() for words in TAKEN):
        return ConflictError(f"Mailgun refused {said}")
    return ValidationError(f"Mailgun refused {said}")


KEY = (
    "Check api_key: it must be a private API key with the role admin or developer, not a domain sending key, nor the "
    "one for webhooks or for validating addresses."
)
SCOPE = "The key's scope is restricted, as that of a domain sending key is. Use one with the role admin or developer."
