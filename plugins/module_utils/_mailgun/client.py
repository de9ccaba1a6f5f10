# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calling Mailgun's API: rate limits obeyed, reads repeated, writes never twice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    CertificateError,
    MailopsError,
    ProtocolError,
    TemporaryError,
    UnreachableError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Answer, Http
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import answers

# Seconds before each further try of what is certain not to have been carried out.
TRIES = (1.0, 3.0)
# Before each further call after a 429 that says nothing; the last is repeated.
LIMITED = (1.0, 2.0, 4.0, 8.0, 15.0)
PAGE = 1000
# A page that is exactly as long as the API's default may have been cut there, whatever was asked for.
DEFAULT_PAGE = 100


@dataclass(frozen=True)
class Region:
    """Where a region's API and submission server are."""

    api: str
    smtp_host: str


REGIONS = {
    "us": Region("https://api.mailgun.net", "smtp.mailgun.org"),
    "eu": Region("https://api.eu.mailgun.net", "smtp.eu.mailgun.org"),
}


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


@dataclass(frozen=True)
class Elsewhere:
    """The other region, asked only to say why something is not in this one."""

    region: str
    http: Http

    def has(self, path: str) -> bool | None:
        """Whether a GET succeeds there; None if it does not say."""
        try:
            answer = self.http.request("GET", path)
        except MailopsError:
            return None
        if answer.status == 200 and isinstance(answer.parsed, Mapping):
            return True
        return False if answer.status in (401, 403, 404) else None


class Mailgun:
    """One region's API with one key.

    A read is repeated when the connection or the server fails; a write only when it is certain not to have been carried
    out. All pauses that Mailgun asks for are kept, `patience` seconds of them in all. Every method may raise a
    MailopsError; what is given as `secrets` to a call is hidden in it, as the key is.
    """

    def __init__(
        self, http: Http, key: str, patience: float, elsewhere: Elsewhere | None = None, clock: Clock | None = None
    ) -> None:
        self.clock = clock or Clock()
        self._http = http
        self._key = key
        self._patience = patience
        self._elsewhere = elsewhere
        self._next = 0.0  # not to call before this time of the epoch

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return the object at a path."""
        return self._call("GET", path, params=query)

    def post(self, path: str, form: Mapping[str, str], *secrets: str) -> dict[str, Any]:
        """Send a form; return the answer."""
        return self._call("POST", path, *secrets, data=dict(form))

    def put(self, path: str, form: Mapping[str, str], *secrets: str) -> dict[str, Any]:
        """Send a form; return the answer."""
        return self._call("PUT", path, *secrets, data=dict(form))

    def delete(self, path: str) -> dict[str, Any]:
        """Delete what is at a path."""
        return self._call("DELETE", path)

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield all items of a list, in pages as large as the API lets them be."""
        seen, before = 0, None
        while True:
            answer = self.get(path, limit=PAGE, skip=seen)
            if not isinstance(answer.get("items", ""), (list, type(None))):
                raise ProtocolError(f"GET {path} was answered without items", "Check api_url, and what a proxy does.")
            page = [item for item in answer["items"] or [] if isinstance(item, dict)]
            if page == before:  # `skip` is not heeded: there is but this page
                return
            yield from page
            before = page
            seen += len(page)
            total = answer.get("total_count")
            more = len(page) in (PAGE, DEFAULT_PAGE) or (isinstance(total, int) and seen < total)
            if not (page and more):
                return

    def region_of(self, domain: str, *, certain: bool = False) -> str:
        """Return the other region if the domain is there, '' otherwise; the one call is made only where it can help.

        Where the other region does not say, that is a TemporaryError if `certain`, and '' if not.
        """
        other = self._elsewhere
        if other is None:
            return ""
        found = other.has(at("/v4/domains", domain))
        if found is None and certain:
            raise TemporaryError(
                f"whether domain {domain} is in region {other.region} could not be asked",
                "Try again later. With api_url set to that of the region the other one is not asked.",
            )
        return other.region if found else ""

    def _call(self, method: str, path: str, *secrets: str, **body: Any) -> dict[str, Any]:
        failed = limited = 0
        while True:
            self._wait(self._next - self.clock.epoch(), f"{method} {path}")
            try:
                answer = self._http.request(method, path, **body)
                self._obey(answer, limited)
                if answer.status == 429:
                    limited += 1
                    continue
                error = answers.error_of(answer, f"{method} {path}", [self._key, *secrets])
            except MailopsError as raised:
                error = raised
            if error is None:
                return dict(answer.parsed)
            if failed < len(TRIES) and _repeatable(method, error):
                self.clock.sleep(TRIES[failed])
                failed += 1
                continue
            if isinstance(error, answers.KeyRefusedError):
                error.remedy = f"{error.remedy} {self._key_elsewhere()}"
            raise error

    def _obey(self, answer: Answer, limited: int) -> None:
        now = self.clock.epoch()
        asked = answers.pause(answer, now)
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
            raise answers.RateLimitedError(
                f"Mailgun limits the rate of calls: {asked} must wait for {seconds:.0f} s, and {self._patience:.0f} s "
                "are left of what this run may wait for it in all",
                "Run it again later, or raise rate_limit_timeout.",
            )
        self._patience -= seconds
        self.clock.sleep(seconds)

    def _key_elsewhere(self) -> str:
        if self._elsewhere is None:
            return "Keys and domains belong to a region: check that api_url is that of the key's."
        region, takes = self._elsewhere.region, self._elsewhere.has("/v4/domains?limit=1")
        if takes is None:
            return f"Whether region {region} takes it could not be asked."
        return (
            f"Region {region} takes this key: say region: {region}."
            if takes
            else f"Region {region} does not take it either."
        )


def _repeatable(method: str, error: MailopsError) -> bool:
    if isinstance(error, (CertificateError, answers.RateLimitedError)):
        return False
    return isinstance(error, UnreachableError) or (method == "GET" and not error.definite)


def at(*parts: str) -> str:
    """Return a path: the first part as it is, the others quoted."""
    return "/".join([parts[0], *(quote(part, safe="@") for part in parts[1:])])


def connection_spec() -> dict[str, dict[str, Any]]:
    """Return the argument spec of the connection; the doc fragment `mailops.odoo.mailgun` describes it."""
    from ansible.module_utils.basic import env_fallback

    return {
        "api_key": {
            "type": "str",
            "required": True,
            "no_log": True,
            "fallback": (env_fallback, ["MAILGUN_API_KEY"]),
        },
        "region": {"type": "str", "choices": list(REGIONS), "default": "us"},
        "api_url": {"type": "str"},
        "ca_file": {"type": "path"},
        "timeout": {"type": "int", "default": 30},
        "rate_limit_timeout": {"type": "int", "default": 120},
    }


def connect(params: Mapping[str, Any]) -> Mailgun:
    """Return a client for the connection options of a module; nothing is sent yet. Raises ValidationError."""
    key, region = params["api_key"].strip(), params["region"]
    if not key or not key.isascii() or not key.isprintable():
        raise ValidationError("api_key is empty, or has what no key has", answers.KEY)

    def http(url: str) -> Http:
        return Http(url, params["ca_file"], params["timeout"], login=("api", key), options="")

    elsewhere = None
    if not params["api_url"]:
        other = next(name for name in REGIONS if name != region)
        elsewhere = Elsewhere(other, http(REGIONS[other].api))
    return Mailgun(
        http(params["api_url"] or REGIONS[region].api), key, params["rate_limit_timeout"], elsewhere=elsewhere
    )
