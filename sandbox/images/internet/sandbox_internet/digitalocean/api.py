# SPDX-License-Identifier: GPL-3.0-or-later
"""The API over HTTP."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..api.dns_server import Call, DnsServer, Handler
from ..api.replies import Reply
from ..api.server import Routes
from ..api.tokens import NONE, READ, Token
from ..api.zones import Zone
from . import faults, records
from .faults import refused

LIMIT = {"ratelimit-limit": "5000", "ratelimit-remaining": "4999", "ratelimit-reset": "1"}
URL = "https://api.digitalocean.com"
MISSING = "The resource you were accessing could not be found."


async def zones_listed(call: Call) -> Reply:
    """GET: the domains of the account."""
    return _page(call, "/v2/domains", "domains", [_zone_shown(zone) for zone in call.zones.of(call.token.account)])


async def zone_read(call: Call) -> Reply:
    """GET: a domain."""
    return _ok(200, {"domain": _zone_shown(_zone(call))})


async def listed(call: Call) -> Reply:
    """GET: records, those of a name and those of a type if asked for."""
    zone = _zone(call)
    name, kind = call.query.get("name"), call.query.get("type")
    if kind is not None and kind not in records.TYPES:
        raise refused(422, "Type is not included in the list")
    found = [
        one for one in zone.records.values()
        if name in (None, records.shown_name(zone, one)) and kind in (None, one["type"])
    ]  # fmt: skip
    return _page(call, f"/v2/domains/{zone.name}/records", "domain_records", found)


async def created(call: Call) -> Reply:
    """POST: a new record; there may be an equal one."""
    zone = _zone(call)
    record = {"id": zone.serial, **records.made(zone, _fields(call))}
    zone.records[str(zone.serial)] = record
    zone.serial += 1
    call.zones.save()
    return _ok(201, {"domain_record": record})


async def read(call: Call) -> Reply:
    """GET: a record."""
    return _ok(200, {"domain_record": _record(call)})


async def changed(call: Call) -> Reply:
    """PUT and PATCH: what is given is written over what is there."""
    zone, record = _zone(call), _record(call)
    record.update(records.made(zone, _fields(call), record))
    call.zones.save()
    return _ok(200, {"domain_record": record})


async def deleted(call: Call) -> Reply:
    """DELETE: a record."""
    record = _record(call)
    del _zone(call).records[str(record["id"])]
    call.zones.save()
    return _ok(204, None)


def _zone(call: Call) -> Zone:
    wanted = call.path["zone"].lower()
    zone = next((zone for zone in call.zones.of(call.token.account) if zone.name == wanted), None)
    if zone is None:
        raise refused(404, MISSING)
    return zone


def _record(call: Call) -> dict[str, Any]:
    record = _zone(call).records.get(call.path["id"])
    if record is None:
        raise refused(404, MISSING)
    return record


def _fields(call: Call) -> dict[str, Any]:
    if not isinstance(call.body, dict):
        raise refused(422, "Body is not a JSON object")
    return call.body


def _zone_shown(zone: Zone) -> dict[str, Any]:
    return {"name": zone.name, "ttl": records.DEFAULT_TTL, "zone_file": f"$ORIGIN {zone.name}.\n"}


def _page(call: Call, path: str, name: str, found: list[dict[str, Any]]) -> Reply:
    """Return the part of a list that `page` and `per_page` ask for; the last page lacks `last` and `next`."""
    numbers = {"page": 1, "per_page": 20}
    for number in numbers:
        text = call.query.get(number, str(numbers[number]))
        if not text.isdecimal() or not 1 <= int(text) <= (200 if number == "per_page" else int(text)):
            raise refused(422, f"{number} is out of range")
        numbers[number] = int(text)
    size, page = numbers["per_page"], numbers["page"]
    last = max(1, -(-len(found) // size))

    def at(number: int) -> str:
        return f"{URL}{path}?page={number}&per_page={size}"

    pages: dict[str, str] = {}
    if page > 1:
        pages = {"first": at(1), "prev": at(page - 1)}
    if page < last:
        pages = {**pages, "next": at(page + 1), "last": at(last)}
    links = {"pages": pages} if pages else {}
    body = {name: found[(page - 1) * size : page * size], "links": links, "meta": {"total": len(found)}}
    return _ok(200, body)


def _ok(status: int, body: Any) -> Reply:
    return Reply(status, body, LIMIT)


class DigitalOcean(DnsServer):
    """The provider."""

    forms = faults.FORMS
    routes: Routes[Handler] = Routes([
        ("GET", "/v2/domains", zones_listed),
        ("GET", "/v2/domains/{zone}", zone_read),
        ("GET", "/v2/domains/{zone}/records", listed),
        ("POST", "/v2/domains/{zone}/records", created),
        ("GET", "/v2/domains/{zone}/records/{id}", read),
        ("PUT", "/v2/domains/{zone}/records/{id}", changed),
        ("PATCH", "/v2/domains/{zone}/records/{id}", changed),
        ("DELETE", "/v2/domains/{zone}/records/{id}", deleted),
    ])  # fmt: skip

    def refuse(self, token: Token | None, request: web.Request) -> Token:
        """A token that is none is 401, one without the scope 403."""
        if token is None:
            raise refused(401, "Unable to authenticate you")
        if token.scope == NONE or (token.scope == READ and request.method != "GET"):
            raise refused(403, "You are not authorized to perform this operation")
        return token

    def unknown(self) -> Reply:
        """Return the reply to a call that there is none of."""
        return faults.error(404, MISSING)
