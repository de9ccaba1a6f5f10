# SPDX-License-Identifier: GPL-3.0-or-later
"""Records as DigitalOcean keeps them: names are relative, targets lose their last dot, texts are as they were given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..api.zones import Zone
from .faults import refused

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT")
TARGETS = ("CNAME", "MX", "NS", "SRV")
FIELDS = ("type", "name", "data", "priority", "port", "ttl", "weight", "flags", "tag")
DEFAULT_TTL, LEAST_TTL = 1800, 30
LONGEST = 512
HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.")


def made(zone: Zone, given: Mapping[str, Any], former: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the record that these fields make, over those that it had. Refused if it cannot be."""
    fields = {**dict.fromkeys(FIELDS), "ttl": DEFAULT_TTL, **(former or {})}
    fields.update({name: value for name, value in given.items() if name in FIELDS})
    if former and given.get("type") != former["type"]:
        raise refused(422, "Type cannot be changed")
    kind = fields["type"]
    if kind not in TYPES or kind == "SOA":
        raise refused(422, "Type is not included in the list")
    for name in ("name", "data"):
        if not isinstance(fields[name], str) or not fields[name]:
            raise refused(422, f"{name.capitalize()} can't be blank")
    if not isinstance(fields["ttl"], int) or fields["ttl"] < LEAST_TTL:
        raise refused(422, f"TTL must be greater than or equal to {LEAST_TTL}")
    if kind in ("MX", "SRV") and not isinstance(fields["priority"], int):
        raise refused(422, "Priority is not a number")
    # A record that is changed is given back as it was read, without the dot.
    changed = former is None or "data" in given
    fields["data"] = _data(zone, kind, fields["data"]) if changed else fields["data"]
    _check_neighbours(zone, fields, former)
    return fields


def shown_name(zone: Zone, record: Mapping[str, Any]) -> str:
    """Return the whole name of a record."""
    return zone.name if record["name"] == "@" else f"{record['name']}.{zone.name}"


def _data(zone: Zone, kind: str, data: str) -> str:
    if kind == "TXT":
        if len(data.encode()) > LONGEST:
            raise refused(422, f"Data is too long (maximum is {LONGEST} characters)")
        return data
    if kind in TARGETS and data != "@":
        if not HOST.fullmatch(data):
            raise refused(422, "Data needs to end with a dot (.)")
        return "@" if data[:-1].lower() == zone.name else data[:-1]
    return data


def _check_neighbours(zone: Zone, fields: Mapping[str, Any], former: Mapping[str, Any] | None) -> None:
    there = [
        one for one in zone.records.values() if one["name"].lower() == fields["name"].lower() and one is not former
    ]
    if there and "CNAME" in (fields["type"], *(one["type"] for one in there)):
        raise refused(422, "CNAME records cannot share a name with other records")
