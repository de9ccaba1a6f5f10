# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Mailgun's answers mean: its errors in all their forms, and how long it asks to wait."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    ConflictError,
    MailopsError,
    NotFoundError,
    ProtocolError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import SHOWN_CHARACTERS, Answer
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import redact_text

# Numbers above these are times, not durations: epoch seconds since 2001, epoch milliseconds since 1973.
EPOCH_SECONDS, EPOCH_MILLISECONDS = 1e9, 1e11
TAKEN = ("already taken", "already exists")


class RateLimitedError(TemporaryError):
    """Mailgun asks to wait for longer than the run may. What was asked was not carried out."""

    kind = "rate_limited"
    definite = True


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
    return next((seconds for value in told if (seconds := _seconds(value, now)) is not None), None)


def _seconds(value: Any, now: float) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    if number > EPOCH_MILLISECONDS:
        number = number / 1000 - now
    elif number > EPOCH_SECONDS:
        number -= now
    return max(number, 0.0)


def told(answer: Answer, secrets: Iterable[str] = ()) -> str:
    """Return what an error says, in one line: a text, or JSON with message, Reason, Description or Field.

    `secrets` are hidden in it before it is cut, as a part of one could stand at the end.
    """
    hidden = redact_text(answer.body.decode(errors="replace"), secrets)
    excerpt = " ".join(hidden.split())[:SHOWN_CHARACTERS]

    def line(value: Any) -> str:
        return " ".join(redact_text(str(value), secrets).split())[: 2 * SHOWN_CHARACTERS]

    if not isinstance(answer.parsed, Mapping):
        return line(answer.parsed) if isinstance(answer.parsed, str) else excerpt
    body = {str(name).lower(): value for name, value in answer.parsed.items()}
    texts = [line(body[name]) for name in ("message", "reason", "description", "error") if body.get(name)]
    found = ": ".join(dict.fromkeys(texts)) or excerpt
    return f"{found} (field {line(body['field'])})" if body.get("field") else found


def is_page(answer: Answer) -> bool:
    """Whether an answer is HTML, which Mailgun's API never sends: something else answered."""
    return "html" in answer.headers.get("Content-Type", "").lower() or answer.body.lstrip().startswith(b"<")


def error_of(answer: Answer, asked: str, secrets: Iterable[str] = ()) -> MailopsError | None:
    """Return what went wrong with a call (`asked` names it), None if nothing did; `secrets` are hidden in it.

    A 5xx is temporary; a page instead of JSON leaves open what became of the call, whatever its status.
    """
    status, said = answer.status, f"{asked}: {told(answer, secrets)} (HTTP {answer.status})"
    if status >= 500:
        return TemporaryError(f"Mailgun failed at {said}", "Try again later; https://status.mailgun.com tells more.")
    kind = _foreign(answer)
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


def _foreign(answer: Answer) -> str:
    """Return what an answer is that Mailgun's API does not give, '' for one that it may have given."""
    if is_page(answer):
        return "a page of HTML"
    if 300 <= answer.status < 400:
        return "a redirection"
    # What "not found" means to us depends on who says it.
    if (answer.status < 300 or answer.status == 404) and not isinstance(answer.parsed, Mapping):
        return "no JSON object"
    return ""


KEY = (
    "Check api_key: it must be a private API key with the role admin or developer, not a domain sending key, nor the "
    "one for webhooks or for validating addresses."
)
SCOPE = "The key's scope is restricted, as that of a domain sending key is. Use one with the role admin or developer."
