# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TLS certificate says, read from its DER bytes (RFC 5280).

Python's ssl module tells it of certificates that verify only, and of the others one wants to know most.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._smtp.text import one_line

SEQUENCE, OCTETS, UTC_TIME, EXTENSIONS, DNS_NAME, IP_ADDRESS = 0x30, 0x04, 0x17, 0xA3, 0x82, 0x87
VERSION = 0xA0
ALTERNATIVE_NAMES = bytes.fromhex("551d11")
ATTRIBUTES = {
    bytes.fromhex("550403"): "CN",
    bytes.fromhex("550406"): "C",
    bytes.fromhex("550407"): "L",
    bytes.fromhex("550408"): "ST",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
    bytes.fromhex("2a864886f70d010901"): "emailAddress",
}
ENCODINGS = {0x14: "latin-1", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}
DAY = 86400  # seconds


@dataclass(frozen=True)
class Certificate:
    """The facts of one: subject and issuer as `CN=…, O=…`, its DNS names and addresses, and its last moment (UTC)."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_after: datetime

    def days_left(self) -> int:
        """Return the whole days until it expires; negative when it has."""
        return int((self.not_after - datetime.now(timezone.utc)).total_seconds() // DAY)

    def shown(self) -> dict[str, Any]:
        """Return it as results have it."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "names": list(self.names),
            "not_after": self.not_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "days_left": self.days_left(),
        }


def read(der: bytes) -> Certificate:
    """Return what a certificate says; ValueError if it is none."""
    try:
        ((_tag, certificate),) = _items(der)
        fields = list(_items(_first(certificate)))
        if fields[0][0] == VERSION:
            del fields[0]
        _serial, _algorithm, issuer, validity, subject = (content for _tag, content in fields[:5])
        extensions = [content for tag, content in fields[5:] if tag == EXTENSIONS]
        return Certificate(
            subject=_name(subject),
            issuer=_name(issuer),
            names=tuple(_names(_first(extensions[0]))) if extensions else (),
            not_after=_time(*list(_items(validity))[1]),
        )
    except (IndexError, ValueError) as error:
        raise ValueError(f"it cannot be read as a certificate ({type(error).__name__})") from None


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, content) of each item of a DER sequence's content."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            octets = length & 0x7F
            length = int.from_bytes(data[at : at + octets], "big")
            at += octets
        if at + length > len(data):
            raise ValueError("cut short")
        yield tag, data[at : at + length]
        at += length


def _first(data: bytes) -> bytes:
    """Return the content of the first item of a DER sequence's content."""
    return list(_items(data))[0][1]


def _name(data: bytes) -> str:
    """Return a Name with the attributes that are known here."""
    told = []
    for _tag, attributes in _items(data):
        for _tag, attribute in _items(attributes):
            (_tag, kind), (tag, value) = _items(attribute)
            if kind in ATTRIBUTES:
                told.append(f"{ATTRIBUTES[kind]}={value.decode(ENCODINGS.get(tag, 'utf-8'), 'replace')}")
    return one_line(", ".join(told))


def _time(tag: int, data: bytes) -> datetime:
    """Return a time; the two digits of UTCTime's year mean 1950 to 2049 (RFC 5280, 4.1.2.5.1)."""
    text = data.decode("ascii")
    if tag == UTC_TIME:
        text = ("20" if text < "50" else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def _names(data: bytes) -> Iterator[str]:
    """Yield the DNS names and addresses among the extensions."""
    for _tag, extension in _items(data):
        parts = list(_items(extension))
        if parts[0][1] != ALTERNATIVE_NAMES:
            continue
        # Between them may stand whether it is critical.
        for tag, value in _items(_first(parts[-1][1])):
            if tag == DNS_NAME:
                yield one_line(value.decode("ascii", "replace"))
            elif tag == IP_ADDRESS:
                yield str(ipaddress.ip_address(value))
