# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean's API for domains and their records.

Names are relative, host names are written with a last dot and read without, texts are as they are. It has been held
against DigitalOcean's published specification (OpenAPI); https://docs.digitalocean.com/reference/api/ describes it.
"""

from __future__ import annotations

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
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends.by_record import Record, Zone, decoded
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key

API = "https://api.digitalocean.com"
# Seconds that a run waits in all where the rate of calls is limited: 250 in a minute.
PATIENCE = 120.0
PAGE = 200
LEAST_TTL = 30
# Of records for which none is told.
DEFAULT_TTL = 1800


class DigitalOcean:
    """The API with one token; see by_record.Provider."""

    service = "DigitalOcean"
    types: Sequence[str] = ("A", "AAAA", "CNAME", "MX", "SRV", "TXT")

    def __init__(self, http: Http, token: str, clock: Clock | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._calls = Calls(http, Manners(), PATIENCE, clock, headers=headers, secrets=[token])
        self.clock = self._calls.clock

    def zones(self) -> list[Zone]:
        """Return all zones of the account."""
        return [_zone(entry["name"]) for entry in self._items("/v2/domains", "domains", {})]

    def zones_at(self, name: Any) -> list[Zone]:
        """Return a zone and those below; whether it is there is told by the first question for its records.

        Where a server has both, it answers from the one below, delegated or not (RFC 1034, 4.3.2).
        """
        below = [zone for zone in self.zones() if zone.name != name and zone.name.is_subdomain(name)]
        return [_zone(values.shown(name)), *below]

    def records(self, zone: Zone, name: Any = None, record_type: str = "") -> list[Record]:
        """Return a zone's records."""
        query = {"name": values.shown(name) if name is not None else "", "type": record_type}
        path = f"/v2/domains/{zone.id}/records"
        try:
            entries = list(self._items(path, "domain_records", {what: text for what, text in query.items() if text}))
        except NotFoundError as error:
            error.message = f"DigitalOcean has no domain {zone.id} that this token may see ({error.message})"
            error.remedy = "Check zone, and that the token is one of the account or team that has the domain."
            raise
        found = [_record(zone, entry) for entry in entries]
        # Should a filter be ignored some day, no record of another name is taken for one of this.
        return [one for one in found if name in (None, one.key.name) and record_type in ("", one.key.type)]

    def check(self, key: Key, added: Sequence[str], ttl: int) -> None:
        """Raise ValidationError if DigitalOcean cannot hold this (see by_record.Provider)."""
        if ttl < LEAST_TTL:
            raise ValidationError(
                f"{key.shown()}: the TTL is {ttl}", f"DigitalOcean wants at least {LEAST_TTL} seconds."
            )
        for value in added:
            if key.type == "TXT" and ("\\" in value or value.startswith('"')):
                raise ValidationError(
                    f"{key.shown()}: {value!r} cannot be had at DigitalOcean",
                    "A text there may neither have a backslash nor begin with a quotation mark.",
                )

    def create(self, zone: Zone, key: Key, value: str, ttl: int) -> str:
        """Create a record and return its identity."""
        body = {"type": key.type, "name": _relative(zone, key.name), **_data(key.type, value), "ttl": ttl}
        answer = self._calls.call("POST", f"/v2/domains/{zone.id}/records", json=body)
        return str(answer.parsed["domain_record"]["id"])

    def edit(self, zone: Zone, record: Record, value: str, ttl: int) -> None:
        """Give a record another value and TTL."""
        data = _data(record.key.type, value) if value != record.value else {}
        body = {"type": record.key.type, **data, "ttl": ttl}
        self._calls.call("PATCH", f"/v2/domains/{zone.id}/records/{record.id}", json=body)

    def delete(self, zone: Zone, record: Record) -> None:
        """Delete a record."""
        self._calls.call("DELETE", f"/v2/domains/{zone.id}/records/{record.id}")

    def restore(self, zone: Zone, record: Record) -> None:
        """Create a record that was deleted again, as it was."""
        self.create(zone, record.key, record.value, record.ttl)

    def _items(self, path: str, name: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield all entries of a list, in pages as large as the API lets them be."""
        page = 1
        while True:
            answer = self._calls.call("GET", path, params={**query, "per_page": PAGE, "page": page}).parsed
            if not isinstance(answer.get(name), list):
                raise ProtocolError(f"GET {path} was answered without {name}", "Check api_url, and what a proxy does.")
            yield from answer[name]
            links = answer.get("links") or {}
            # The last page names neither a next one nor itself.
            if not answer[name] or "next" not in (links.get("pages") or {}):
                return
            page += 1


class Manners:
    """What DigitalOcean's answers mean, as _core.calls wants it."""

    service = "DigitalOcean"
    more_patience = "Run it again later, for fewer records at once."

    def pause(self, answer: Answer, now: float) -> float | None:
        """Return for how many seconds an answer asks not to call again.

        Of an answer that is not 429 ratelimit-reset counts only when nothing remains: it is when the oldest call is
        forgotten (documentation of the API, "Rate limit").
        """
        if answer.status == 429:
            told = seconds(answer.headers.get("retry-after"), now)
            return told if told is not None else seconds(answer.headers.get("ratelimit-reset"), now)
        return seconds(answer.headers.get("ratelimit-reset"), now) if _remaining(answer) == "0" else None

    def error_of(self, answer: Answer, asked: str, secrets: Sequence[str]) -> MailopsError | None:
        """Return what went wrong with a call."""
        status, said = answer.status, f"{asked}: {_told(answer, secrets)} (HTTP {answer.status})"
        if status == 204:
            return None
        if status >= 500:
            return TemporaryError(
                f"DigitalOcean failed at {said}", "Try later; https://status.digitalocean.com tells more."
            )
        kind = foreign(answer)
        if kind:
            return ProtocolError(
                f"{asked} was answered with {kind}: {said}",
                "That is not DigitalOcean's API: check api_url, and what a proxy on the way does.",
                status,
            )
        if status < 300:
            return None
        if status == 401:
            return AuthenticationError(
                f"DigitalOcean refused the token at {said}", "Check api_token: it is wrong, expired or was revoked."
            )
        if status == 403:
            return AuthenticationError(
                f"DigitalOcean does not let this token do {said}",
                "The token is right, but lacks a scope: domain with read, create, update and delete are needed.",
            )
        if status == 404:
            return NotFoundError(f"DigitalOcean does not find it: {said}")
        if "cannot share a name" in said or "already exists" in said:
            return ConflictError(f"DigitalOcean refused {said}")
        return ValidationError(f"DigitalOcean refused {said}")


def _remaining(answer: Answer) -> str | None:
    return answer.headers.get("ratelimit-remaining")


def _told(answer: Answer, secrets: Sequence[str]) -> str:
    body = answer.parsed if isinstance(answer.parsed, Mapping) else {}
    return line(body["message"], secrets) if body.get("message") else excerpt(answer, secrets)


def _zone(name: str) -> Zone:
    return Zone(values.name(name), name)


def _record(zone: Zone, entry: Mapping[str, Any]) -> Record:
    relative, kind, ttl = str(entry["name"]), str(entry["type"]), int(entry.get("ttl") or DEFAULT_TTL)
    name = zone.name if relative == "@" else values.name(f"{relative}.{zone.id}")
    data = str(entry["data"])
    if kind in ("CNAME", "MX", "NS", "SRV") and data == "@":
        data = zone.id
    # The other numbers of a record come before its target, as in a zone file.
    before = {"MX": ("priority",), "SRV": ("priority", "weight", "port")}.get(kind, ())
    text = " ".join([*(str(entry[number]) for number in before), data])
    return Record(str(entry["id"]), Key(name, kind), decoded(kind, text), ttl, entry)


def _relative(zone: Zone, name: Any) -> str:
    """Return a name as the API takes it."""
    return "@" if name == zone.name else name.relativize(zone.name).to_text()


def _data(record_type: str, value: str) -> dict[str, Any]:
    """Return the fields for a value in canonical form."""
    words = value.split()
    if record_type == "MX":
        return {"priority": int(words[0]), "data": _host(words[1])}
    if record_type == "SRV":
        priority, weight, port, target = words
        return {"priority": int(priority), "weight": int(weight), "port": int(port), "data": _host(target)}
    return {"data": _host(value) if record_type == "CNAME" else value}


def _host(name: str) -> str:
    return name if name == "." else f"{name}."
