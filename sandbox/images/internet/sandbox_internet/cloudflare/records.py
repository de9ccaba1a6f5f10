# SPDX-License-Identifier: GPL-3.0-or-later
"""Records as Cloudflare keeps them: whole names, targets without their last dot, texts as they were given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..api.zones import Zone
from .faults import refused

CONTENT = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT")
# Made of parts: the content follows from `data`.
DATA = {
    "SRV": ("priority", "weight", "port", "target"),
    "TLSA": ("usage", "selector", "matching_type", "certificate"),
}
ADDRESSES = ("A", "AAAA", "CNAME")
AUTOMATIC, LEAST_TTL, MOST_TTL = 1, 60, 86400
PART = re.compile(r'"((?:[^"\\]|\\.)*)"')
HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
FIELDS = ("name", "type", "content", "ttl", "proxied", "priority", "data", "comment", "tags")


def made(zone: Zone, given: Mapping[str, Any], former: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the record that these fields make, over those that it had. Refused if it cannot be."""
    fields = {"ttl": AUTOMATIC, "proxied": False, "tags": [], **(former or {})}
    fields.update({name: value for name, value in given.items() if name in FIELDS})
    kind = fields.get("type")
    if kind not in CONTENT and kind not in DATA:
        raise refused(400, 1004, "DNS Validation Error", (9004, "DNS record type is invalid."))
    fields["name"] = _name(zone, fields.get("name"))
    ttl = fields["ttl"]
    if not isinstance(ttl, int) or not (ttl == AUTOMATIC or LEAST_TTL <= ttl <= MOST_TTL):
        message = f"Invalid TTL. Must be between {LEAST_TTL} and {MOST_TTL} seconds, or 1 for Automatic."
        raise refused(400, 9021, message)
    if fields["proxied"] and kind not in ADDRESSES:
        raise refused(400, 9004, "This record type cannot be proxied.")
    fields["ttl"] = AUTOMATIC if fields["proxied"] else ttl
    fields["content"] = _content(kind, fields)
    fields["proxiable"] = kind in ADDRESSES
    fields["modified_on"] = _now()
    fields.setdefault("created_on", fields["modified_on"])
    fields.setdefault("meta", {})
    _check_neighbours(zone, fields, former)
    return fields


def _name(zone: Zone, given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise refused(400, 1004, "DNS Validation Error", (9000, "DNS name is invalid."))
    name = given.lower().rstrip(".")
    if name == "@":
        return zone.name
    return name if name == zone.name or name.endswith(f".{zone.name}") else f"{name}.{zone.name}"


def _content(kind: str, fields: dict[str, Any]) -> str:
    if kind in DATA:
        data = fields.get("data")
        if not isinstance(data, dict) or not set(DATA[kind]) <= data.keys():
            raise refused(400, 1004, "DNS Validation Error", (9101, f"Data of {kind} is incomplete."))
        if kind == "SRV":
            fields["priority"] = data["priority"]
            return f"{data['weight']} {data['port']} {str(data['target']).rstrip('.')}"
        return " ".join(str(data[part]) for part in DATA[kind])
    content = fields.get("content")
    if not isinstance(content, str) or not content.strip():
        raise refused(400, 1004, "DNS Validation Error", (9005, f"Content for {kind} record is invalid."))
    if kind == "TXT":
        return _text(content)
    if kind in ("CNAME", "MX", "NS", "PTR"):
        if not HOST.fullmatch(content):
            raise refused(400, 1004, "DNS Validation Error", (9007, f"Content for {kind} record is invalid."))
        content = content.rstrip(".").lower()
    if kind == "MX" and not isinstance(fields.get("priority"), int):
        raise refused(400, 1004, "DNS Validation Error", (9100, "MX priority is required."))
    return content


def _text(content: str) -> str:
    """Return a text as it was given; what is in quotation marks is split where one of its strings is too long."""
    if not content.startswith('"'):
        return content
    parts = PART.findall(content)
    if " ".join(f'"{part}"' for part in parts) != content:
        raise refused(400, 1004, "DNS Validation Error", (9005, "Content for TXT record is invalid."))
    split = [part[at : at + 255] for part in parts for at in range(0, len(part), 255) or [0]]
    return " ".join(f'"{part}"' for part in split)


def _check_neighbours(zone: Zone, fields: Mapping[str, Any], former: Mapping[str, Any] | None) -> None:
    there = [one for one in zone.records.values() if one["name"] == fields["name"] and one is not former]
    same = ("type", "content", "priority")
    if any(all(one.get(name) == fields.get(name) for name in same) for one in there):
        raise refused(400, 81058, "An identical record already exists.")
    kinds = {one["type"] for one in there}
    if fields["type"] == "CNAME" and kinds & set(ADDRESSES):
        raise refused(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
    if "CNAME" in kinds:
        raise refused(400, 81054, "A CNAME record with that host already exists.")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
