# SPDX-License-Identifier: GPL-3.0-or-later
"""The API over HTTP."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any

from aiohttp import web

from ..api.dns_server import Call, DnsServer, Handler
from ..api.replies import Reply
from ..api.server import Routes
from ..api.tokens import NONE, READ, Token
from ..api.zones import Zone
from . import faults, records
from .faults import refused

BASE = "/client/v4"
NAME_SERVERS = ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"]
STARTED = "2024-01-01T00:00:00Z"
# As real tokens are: letters, digits, - and _.
TOKEN = re.compile(r"Bearer [A-Za-z0-9_-]+", re.IGNORECASE)


async def verified(call: Call) -> Reply:
    """GET: the token that the call was made with."""
    identity = hashlib.md5(call.token.token.encode(), usedforsecurity=False).hexdigest()
    return _ok({"id": identity, "status": "active"})


async def zones_listed(call: Call) -> Reply:
    """GET: the zones that the token may see, with one name if asked for."""
    found = [] if call.token.scope == NONE else call.zones.of(call.token.account)
    name = call.query.get("name")
    return _page(call, [_zone_shown(zone) for zone in found if name in (None, zone.name)], 20, 5, 50)


async def listed(call: Call) -> Reply:
    """GET: records, those of a name and those of a type if asked for."""
    zone = _zone(call)
    name, kind = call.query.get("name"), call.query.get("type")
    found = [one for one in zone.records.values() if name in (None, one["name"]) and kind in (None, one["type"])]
    return _page(call, found, 100, 1, 5_000_000)


async def created(call: Call) -> Reply:
    """POST: a new record."""
    zone = _zone(call)
    identity = secrets.token_hex(16)
    own = {"id": identity, "zone_id": zone.id, "zone_name": zone.name}
    zone.records[identity] = {**own, **records.made(zone, _fields(call))}
    call.zones.save()
    return _ok(zone.records[identity])


async def read(call: Call) -> Reply:
    """GET: a record."""
    return _ok(_record(call))


async def patched(call: Call) -> Reply:
    """PATCH: what is given is written over what is there."""
    zone, record = _zone(call), _record(call)
    record.update(records.made(zone, _fields(call), record))
    call.zones.save()
    return _ok(record)


async def deleted(call: Call) -> Reply:
    """DELETE: a record."""
    record = _record(call)
    del _zone(call).records[record["id"]]
    call.zones.save()
    return _ok({"id": record["id"]})


def _zone(call: Call) -> Zone:
    """Return the zone in the path; to a token that may not do this it is no other than one that there is not."""
    zone = next((zone for zone in call.zones.of(call.token.account) if zone.id == call.path["zone"]), None)
    if zone is None or call.token.scope == NONE:
        raise refused(403, 10000, "Authentication error")
    return zone


def _record(call: Call) -> dict[str, Any]:
    record = _zone(call).records.get(call.path["id"])
    if record is None:
        raise refused(404, 81044, "Record does not exist.")
    return record


def _fields(call: Call) -> dict[str, Any]:
    if not isinstance(call.body, dict):
        raise refused(400, 9207, "Request body is invalid.")
    return call.body


def _zone_shown(zone: Zone) -> dict[str, Any]:
    return {
        "account": {"id": hashlib.md5(zone.account.encode(), usedforsecurity=False).hexdigest(), "name": zone.account},
        "activated_on": STARTED,
        "created_on": STARTED,
        "development_mode": 0,
        "id": zone.id,
        "meta": {},
        "modified_on": STARTED,
        "name": zone.name,
        "name_servers": NAME_SERVERS,
        "original_dnshost": None,
        "original_name_servers": None,
        "original_registrar": None,
        "owner": {"type": "user"},
        "paused": False,
        "status": "active",
        "type": "full",
        "vanity_name_servers": [],
    }


def _page(call: Call, found: list[dict[str, Any]], default: int, least: int, most: int) -> Reply:
    """Return the part of a list that `page` and `per_page` ask for."""
    numbers = {"page": 1, "per_page": default}
    for number in numbers:
        text = call.query.get(number, str(numbers[number]))
        bounds = (least, most) if number == "per_page" else (1, int(text) if text.isdecimal() else 0)
        if not text.isdecimal() or not bounds[0] <= int(text) <= bounds[1]:
            raise refused(400, 1004, f"{number} is out of range")
        numbers[number] = int(text)
    size, page = numbers["per_page"], numbers["page"]
    part = found[(page - 1) * size : page * size]
    info = {"count": len(part), "total_count": len(found), "total_pages": -(-len(found) // size), **numbers}
    return _ok(part, result_info=info)


def _ok(result: Any, **more: Any) -> Reply:
    headers = {"ratelimit": '"default";r=1199;t=300', "ratelimit-policy": '"default";q=1200;w=300'}
    return Reply(200, {"success": True, "errors": [], "messages": [], "result": result, **more}, headers)


class Cloudflare(DnsServer):
    """The provider."""

    forms = faults.FORMS
    routes: Routes[Handler] = Routes([
        ("GET", f"{BASE}/user/tokens/verify", verified),
        ("GET", f"{BASE}/zones", zones_listed),
        ("GET", f"{BASE}/zones/{{zone}}/dns_records", listed),
        ("POST", f"{BASE}/zones/{{zone}}/dns_records", created),
        ("GET", f"{BASE}/zones/{{zone}}/dns_records/{{id}}", read),
        ("PATCH", f"{BASE}/zones/{{zone}}/dns_records/{{id}}", patched),
        ("DELETE", f"{BASE}/zones/{{zone}}/dns_records/{{id}}", deleted),
    ])  # fmt: skip

    def refuse(self, token: Token | None, request: web.Request) -> Token:
        """A header that is no token's form is 400, a token that is none 401 where it is verified and 403 elsewhere."""
        if not TOKEN.fullmatch(request.headers.get("Authorization", "")):
            raise refused(400, 6003, "Invalid request headers", (6111, "Invalid format for Authorization header"))
        if token is None:
            if request.path.endswith("/verify"):
                raise refused(401, 1000, "Invalid API Token")
            raise refused(403, 9109, "Invalid access token")
        if token.scope == READ and request.method != "GET":
            raise refused(403, 10000, "Authentication error")
        return token

    def unknown(self) -> Reply:
        """Return the reply to a call that there is none of."""
        return faults.error(404, 7003, "Could not route to the path, perhaps your object identifier is invalid?")
