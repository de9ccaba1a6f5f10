# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloudflare's API for DNS records.

Names are whole, host names are without a last dot, texts in quotation marks. What is created is not proxied: Cloudflare
answers for a proxied record with its own addresses, which no mail server wants. It has been held against Cloudflare's
published specification (OpenAPI); https://developers.cloudflare.com/api/ describes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.calls import (
    Calls,
    Clock,
    excerpt,
    foreign,
    line,
    seconds,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    ConflictError,
    MailopsError,
    NotFoundError,
    ProtocolError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Answer, Http
from ansible_collections.mailops.odoo.plugins.module_utils._dns import txt, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends.by_record import PROXIED, Record, Zone, decoded
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key

API = "https://api.cloudflare.com"
BASE = "/client/v4"
# Seconds that a run waits in all where the rate of calls is limited: after 1200 in five minutes it is for five minutes.
PATIENCE = 300.0
# Records have no largest page to speak of, but a default of 100; zones have one of 50.
PAGE, ZONES_PAGE = 1000, 50
# The TTL 1 stands for this one ("automatic").
AUTOMATIC, AUTOMATIC_SECONDS = 1, 300
LEAST_TTL, MOST_TTL = 30, 86400
# Made of parts, which have names of their own.
PARTS = {
    "SRV": ("priority", "weight", "port", "target"),
    "TLSA": ("usage", "selector", "matching_type", "certificate"),
}
TEXTS = ("target", "certificate")
# What makes a record again; all else of it is Cloudflare's to say.
OWNED = ("type", "name", "content", "data", "priority", "ttl", "proxied", "comment", "tags")
# Codes of errors: what is there does not admit the record; what is sent is no token; the token or what it may do.
TAKEN = (81053, 81054, 81057, 81058)
MALFORMED = (6003, 6111)
DENIED = (9109, 10000)


class DeniedError(AuthenticationError):
    """The call was refused to the token, because it is none or because it may not do this."""


class Cloudflare:
    """The API with one token; see by_record.Provider."""

    service = "Cloudflare"
    types: Sequence[str] = ("A", "AAAA", "CNAME", "MX", "PTR", "SRV", "TLSA", "TXT")

    def __init__(self, http: Http, token: str, clock: Clock | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._calls = Calls(http, Manners(), PATIENCE, clock, headers=headers, secrets=[token])
        self.clock = self._calls.clock

    def zones(self) -> list[Zone]:
        """Return all zones that the token may see."""
        return [_zone(entry) for entry in self._items("/zones", {}, ZONES_PAGE)]

    def zones_at(self, name: Any) -> list[Zone]:
        """Return a zone. One below it is delegated by records in it."""
        shown = values.shown(name)
        found = [_zone(entry) for entry in self._items("/zones", {"name": shown}, ZONES_PAGE)]
        if len(found) > 1:
            raise ConflictError(
                f"Cloudflare has {len(found)} zones {shown} that this token may see",
                "Use a token for the zone of one account.",
            )
        if not found:
            raise NotFoundError(
                f"Cloudflare has no zone {shown} that this token may see",
                "Check zone; the token needs the permissions Zone:Read and DNS:Edit, and the zone among its resources.",
            )
        return found

    def records(self, zone: Zone, name: Any = None, record_type: str = "") -> list[Record]:
        """Return a zone's records."""
        query = {"name": values.shown(name) if name is not None else "", "type": record_type}
        wanted = {what: text for what, text in query.items() if text}
        found = [_record(entry) for entry in self._items(_records(zone), wanted, PAGE)]
        # Should a filter be ignored some day, no record of another name is taken for one of this.
        return [one for one in found if name in (None, one.key.name) and record_type in ("", one.key.type)]

    def check(self, key: Key, added: Sequence[str], ttl: int) -> None:
        """Raise ValidationError if Cloudflare cannot hold this (see by_record.Provider)."""
        if not LEAST_TTL <= ttl <= MOST_TTL:
            raise ValidationError(
                f"{key.shown()}: the TTL is {ttl}",
                "Cloudflare takes 60 to 86400 seconds, and 30 to 59 for zones of enterprises.",
            )

    def create(self, zone: Zone, key: Key, value: str, ttl: int) -> str:
        """Create a record, which is not proxied, and return its identity."""
        return str(self._call("POST", _records(zone), json=_body(key, value, ttl))["result"]["id"])

    def edit(self, zone: Zone, record: Record, value: str, ttl: int) -> None:
        """Give a record another value and TTL; it is not proxied any more. Its comment and tags stay."""
        body = _body(record.key, value, ttl)
        if value == record.value:
            # In the form in which its owner wrote it.
            body.update({part: record.raw[part] for part in ("content", "data") if part in record.raw and part in body})
        self._call("PATCH", f"{_records(zone)}/{record.id}", json=body)

    def delete(self, zone: Zone, record: Record) -> None:
        """Delete a record."""
        self._call("DELETE", f"{_records(zone)}/{record.id}")

    def restore(self, zone: Zone, record: Record) -> None:
        """Create a record that was deleted again, as it was."""
        body = {part: record.raw[part] for part in OWNED if record.raw.get(part) is not None}
        if record.key.type in PARTS and "data" in body:
            # The content is made of them.
            body.pop("content", None)
        self._call("POST", _records(zone), json=body)

    def _items(self, path: str, query: Mapping[str, str], size: int) -> Iterator[dict[str, Any]]:
        """Yield all entries of a list."""
        page = 1
        while True:
            answer = self._call("GET", path, params={**query, "per_page": size, "page": page})
            entries = answer.get("result")
            if not isinstance(entries, list):
                raise ProtocolError(f"GET {path} was answered without a list", "Check api_url, and what a proxy does.")
            yield from entries
            pages = (answer.get("result_info") or {}).get("total_pages")
            # Where nothing tells the number of pages, one that is not full is the last.
            if not entries or (page >= pages if pages is not None else len(entries) < size):
                return
            page += 1

    def _call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        try:
            return dict(self._calls.call(method, BASE + path, **body).parsed)
        except DeniedError as error:
            self._tell_apart(error)
            raise

    def _tell_apart(self, error: DeniedError) -> None:
        """Say in the error whether the token is none, or may not do what was asked; Cloudflare does not."""
        try:
            answer = self._calls.call("GET", f"{BASE}/user/tokens/verify").parsed
        except AuthenticationError:
            # Tokens that belong to an account and not to a user cannot be verified so.
            error.remedy = f"{TOKEN} A token of an account that is right lacks permissions. {SCOPE}"
            return
        except MailopsError:
            error.remedy = f"{TOKEN} {SCOPE}"
            return
        status = (answer.get("result") or {}).get("status")
        error.remedy = (
            f"The token is right, but lacks a permission. {SCOPE}" if status == "active" else f"It is {status}."
        )


class Manners:
    """What Cloudflare's answers mean, as _core.calls wants it."""

    service = "Cloudflare"
    more_patience = "Run it again later, for fewer records at once."

    def pause(self, answer: Answer, now: float) -> float | None:
        """Return for how many seconds an answer asks not to call again.

        The forms: Retry-After, and Ratelimit: "default";r=50;t=30 where r calls are left for t seconds. The latter
        counts where nothing is left (https://developers.cloudflare.com/fundamentals/api/reference/limits/).
        """
        asked = seconds(answer.headers.get("retry-after"), now) if answer.status == 429 else None
        limits = re.findall(r"r=(\d+);t=(\d+)", answer.headers.get("ratelimit") or "")
        spent = [float(until) for left, until in limits if left == "0"]
        return asked if asked is not None else max(spent, default=None)

    def error_of(self, answer: Answer, asked: str, secrets: Sequence[str]) -> MailopsError | None:
        """Return what went wrong with a call."""
        status, said = answer.status, f"{asked}: {_told(answer, secrets)} (HTTP {answer.status})"
        if status >= 500:
            return TemporaryError(f"Cloudflare failed at {said}", "Try again later; cloudflarestatus.com tells more.")
        kind = foreign(answer)
        if kind:
            return ProtocolError(
                f"{asked} was answered with {kind}: {said}",
                "That is not Cloudflare's API: check api_url, and what a proxy on the way does.",
                status,
            )
        codes = _codes(answer)
        if status < 300 and answer.parsed.get("success") is not False:
            return None
        if status == 401 or codes & {*MALFORMED}:
            return AuthenticationError(f"Cloudflare refused the token at {said}", TOKEN)
        if status == 403 or codes & {*DENIED}:
            return DeniedError(f"Cloudflare does not let this token do {said}")
        if status == 404:
            return NotFoundError(f"Cloudflare does not find it: {said}")
        if codes & {*TAKEN}:
            return ConflictError(f"Cloudflare refused {said}")
        return ValidationError(f"Cloudflare refused {said}")


def _errors(answer: Answer) -> list[Mapping[str, Any]]:
    """Return the errors that an answer names, with those behind them."""
    body = answer.parsed if isinstance(answer.parsed, Mapping) else {}
    named = [one for one in body.get("errors") or () if isinstance(one, Mapping)]
    return [error for one in named for error in (one, *(one.get("error_chain") or ()))]


def _codes(answer: Answer) -> set[Any]:
    return {error.get("code") for error in _errors(answer)}


def _told(answer: Answer, secrets: Sequence[str]) -> str:
    texts = [f"{line(error.get('message'), secrets)} ({error.get('code')})" for error in _errors(answer)]
    return ": ".join(texts) or excerpt(answer, secrets)


def _records(zone: Zone) -> str:
    return f"/zones/{zone.id}/dns_records"


def _zone(entry: Mapping[str, Any]) -> Zone:
    return Zone(values.name(entry["name"]), entry["id"])


def _record(entry: Mapping[str, Any]) -> Record:
    kind, ttl, proxied = str(entry["type"]), int(entry.get("ttl") or AUTOMATIC), bool(entry.get("proxied"))
    text = str(entry.get("content"))
    if kind in PARTS and isinstance(entry.get("data"), Mapping):
        text = " ".join(str(entry["data"].get(part)) for part in PARTS[kind])
    elif kind == "MX":
        text = f"{entry.get('priority')} {text}"
    value = decoded(kind, text) + (PROXIED if proxied else "")
    key = Key(values.name(entry["name"]), kind)
    return Record(str(entry["id"]), key, value, AUTOMATIC_SECONDS if ttl == AUTOMATIC else ttl, entry, proxied)


def _body(key: Key, value: str, ttl: int) -> dict[str, Any]:
    """Return a record as the API takes it, of a value in canonical form."""
    body: dict[str, Any] = {"type": key.type, "name": values.shown(key.name), "ttl": ttl}
    if key.type in ("A", "AAAA", "CNAME"):
        return {**body, "content": value, "proxied": False}
    if key.type == "MX":
        priority, host = value.split()
        return {**body, "content": host, "priority": int(priority)}
    if key.type in PARTS:
        words, last = value.split(), len(PARTS[key.type]) - 1
        # What is long has blanks in it.
        parts = dict(zip(PARTS[key.type], [*words[:last], "".join(words[last:])], strict=True))
        return {**body, "data": {part: word if part in TEXTS else int(word) for part, word in parts.items()}}
    return {**body, "content": txt.quoted(value) if key.type == "TXT" else value}


TOKEN = "Check api_token: it is wrong, expired or was revoked; a global API key is no token."
SCOPE = "It needs the permissions Zone:Read and DNS:Edit, and the zone among its resources."
