# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailgun's DNS records in the shape that the DNS modules take. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

VALID, UNKNOWN, INVALID = "valid", "unknown", "invalid"
PRIORITY = "10"
QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')
DomainRecord = dict[str, Any]


def shaped(entries: Any, domain: str) -> list[DomainRecord]:
    """Return record sets `{name, type, values, ttl, valid, state}` for a list of Mailgun's records.

    Names are absolute, in lower case and without the last dot; a record without a name (an MX) is of `domain` itself. A
    text is one string without quotes, an MX is `10 host`. `ttl` is None: Mailgun does not mind. `state` is `valid`,
    `unknown` (not looked at yet) or `invalid`, the worst of the set's records; `valid` is whether it is `valid`.
    """
    found: dict[tuple[str, str], DomainRecord] = {}
    for entry in entries or []:
        if not isinstance(entry, Mapping):
            continue
        name, kind = _name(entry.get("name") or domain), str(entry.get("record_type")).upper()
        record = found.setdefault(
            (name, kind),
            {"name": name, "type": kind, "values": [], "ttl": None, "valid": True, "state": VALID},
        )
        if (value := _value(kind, entry)) not in record["values"]:
            record["values"].append(value)
        record["state"] = max(record["state"], _state(entry.get("valid")), key=[VALID, UNKNOWN, INVALID].index)
        record["valid"] = record["state"] == VALID
    return list(found.values())


def published(sending: Sequence[DomainRecord], receiving: Sequence[DomainRecord], inbound: bool) -> list[DomainRecord]:
    """Return what is to be published: without `inbound` no MX, as a name that only sends must have none."""
    return [*sending, *receiving] if inbound else list(sending)


def awaited(sending: Sequence[DomainRecord], web_prefix: str, domain: str, tracked: bool) -> list[DomainRecord]:
    """Return the records that keep a domain from being verified: what signs and authorises mail and is not valid.

    The name of tracking links counts only where links are tracked. Receiving records never do.
    """
    links = f"{web_prefix}.{domain}".lower()
    return [record for record in sending if not record["valid"] and (tracked or record["name"] != links)]


def _state(valid: Any) -> str:
    # A string, of which "unknown" and "invalid" are as true as "valid".
    return valid if valid in (VALID, UNKNOWN) else INVALID


def _name(name: str) -> str:
    return name.strip().rstrip(".").lower()


def _value(kind: str, entry: Mapping[str, Any]) -> str:
    value = str(entry.get("value") or "").strip()
    if kind == "TXT":
        strings = QUOTED.findall(value) if value.startswith('"') else []
        return "".join(re.sub(r"\\(.)", r"\1", string) for string in strings) if strings else value
    host = _name(value)
    return f"{entry.get('priority') or PRIORITY} {host}" if kind == "MX" else host
