# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calling a provider's API: rate limits obeyed, reads repeated, writes never twice."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    CertificateError,
    MailopsError,
    TemporaryError,
    UnreachableError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import SHOWN_CHARACTERS, Answer, Http
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import redact_text

# Seconds before each further try of what is certain not to have been carried out.
TRIES = (1.0, 3.0)
# Before each further call after a 429 that says nothing; the last is repeated.
LIMITED = (1.0, 2.0, 4.0, 8.0, 15.0)
# Numbers above these are times, not durations: epoch seconds since 2001, epoch milliseconds since 1973.
EPOCH_SECONDS, EPOCH_MILLISECONDS = 1e9, 1e11


class RateLimitedError(TemporaryError):
    """A provider asks to wait for longer than the run may. What was asked was not carried out."""

    kind = "rate_limited"
    definite = True


class Clock:
    """The time, and waiting."""

    def now(self) -> float:
        """Return seconds since some moment; they never go back."""
        return time.monotonic()

    def epoch(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Manners(Protocol):
    """What a provider's answers mean. `service` is its name, `more_patience` what to do where a limit lasts long."""

    @property
    def service(self) -> str: ...

    @property
    def more_patience(self) -> str: ...

    def pause(self, answer: Answer, now: float) -> float | None:
        """Return for how many seconds an answer asks not to call again; None if it does not. `now`: epoch seconds."""

    def error_of(self, answer: Answer, asked: str, secrets: Sequence[str]) -> MailopsError | None:
        """Return what went wrong with a call (`asked` names it), None if nothing did; `secrets` are hidden in it."""


class Calls:
    """Calls of one API, `headers` with each of them.

    A read is repeated when the connection or the server fails; a write only when it is certain not to have been carried
    out. All pauses that the API asks for are kept, `patience` seconds of them in all. `secrets` are hidden in errors.
    """

    def __init__(
        self,
        http: Http,
        manners: Manners,
        patience: float,
        clock: Clock | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        self.clock = clock or Clock()
        self._http = http
        self._manners = manners
        self._patience = patience
        self._headers = dict(headers or {})
        self._secrets = secrets
        self._next = 0.0  # not to call before this time of the epoch

    def call(self, method: str, path: str, *secrets: str, **body: Any) -> Answer:
        """Make a call, `body` as Http.request has it; return its answer, which is a success.

        Raises a MailopsError; what is given as `secrets` is hidden in it as well.
        """
        failed = limited = 0
        while True:
            self._wait(self._next - self.clock.epoch(), f"{method} {path}")
            error: MailopsError | None
            try:
                answer = self._http.request(method, path, self._headers, **body)
                self._obey(answer, limited)
                if answer.status == 429:
                    limited += 1
                    continue
                error = self._manners.error_of(answer, f"{method} {path}", [*self._secrets, *secrets])
                if error is None:
                    return answer
            except MailopsError as raised:
                error = raised
            if failed < len(TRIES) and _repeatable(method, error):
                self.clock.sleep(TRIES[failed])
                failed += 1
                continue
            raise error

    def _obey(self, answer: Answer, limited: int) -> None:
        now = self.clock.epoch()
        asked = self._manners.pause(answer, now)
        if answer.status == 429:
            # A pause that is over already, by a clock that is wrong, must not become a loop without one.
            least = LIMITED[min(limited, len(LIMITED) - 1)]
            asked = least if asked is None else max(asked, LIMITED[0])
        if asked is not None:
            self._next = now + asked

    def _wait(self, seconds: float, asked: str) -> None:
        if seconds <= 0:
            return
        if seconds > self._patience:
            raise RateLimitedError(
                f"{self._manners.service} limits the rate of calls: {asked} must wait for {seconds:.0f} s, and "
                f"{self._patience:.0f} s are left of what this run may wait for it in all",
                self._manners.more_patience,
            )
        self._patience -= seconds
        self.clock.sleep(seconds)


def _repeatable(method: str, error: MailopsError) -> bool:
    if isinstance(error, (CertificateError, RateLimitedError)):
        return False
    return isinstance(error, UnreachableError) or (method == "GET" and not error.definite)


def seconds(value: Any, now: float) -> float | None:
    """Return a pause that an answer tells as seconds, or as a time in seconds or milliseconds of the epoch."""
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


def line(value: Any, secrets: Sequence[str] = ()) -> str:
    """Return a part of an answer as messages have it: in one line, and not too long.

    `secrets` are hidden before it is cut, as a part of one could stand at the end.
    """
    return " ".join(redact_text(str(value), secrets).split())[: 2 * SHOWN_CHARACTERS]


def excerpt(answer: Answer, secrets: Sequence[str] = ()) -> str:
    """Return the beginning of an answer's body in one line, `secrets` hidden."""
    return line(answer.body.decode(errors="replace"), secrets)[:SHOWN_CHARACTERS]


def foreign(answer: Answer) -> str:
    """Return what an answer is that no JSON API gives, '' for one that it may have given."""
    if "html" in answer.headers.get("Content-Type", "").lower() or answer.body.lstrip().startswith(b"<"):
        return "a page of HTML"
    if 300 <= answer.status < 400:
        return "a redirection"
    # What "not found" means to us depends on who says it.
    if (answer.status < 300 or answer.status == 404) and not isinstance(answer.parsed, Mapping):
        return "no JSON object"
    return ""
