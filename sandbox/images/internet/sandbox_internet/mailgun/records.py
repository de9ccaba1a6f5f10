# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS records that Mailgun wants of a domain, and looking them up."""

from __future__ import annotations

import base64
import dataclasses
import secrets
from collections.abc import Iterable
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver

from .state import DkimKey, Domain

SPF = "include:mailgun.org"
HOSTS = {"us": "mailgun.org", "eu": "eu.mailgun.org"}
# Where automatic sender security keeps the keys that its CNAMEs point to.
SENDER_SECURITY = {"us": "dkim1.us.mgsend.org", "eu": "dkim1.eu.mgsend.org"}
SELECTORS = ("pdk1", "pdk2")
# What stands before and after the modulus of an RSA key in its DER form (RFC 8017, RFC 5280), by bits.
RSA = {
    1024: ("30819f300d06092a864886f70d010101050003818d0030818902818100", "0203010001"),
    2048: ("30820122300d06092a864886f70d01010105000382010f003082010a0282010100", "0203010001"),
}
LIFETIME = 5.0  # seconds for a look-up


@dataclasses.dataclass(frozen=True)
class Record:
    """A record that is wanted. `proves` says whether a domain without it stays unverified."""

    type: str
    name: str
    value: str
    priority: str = ""
    proves: bool = False
    active: bool = True

    @property
    def key(self) -> str:
        """Return what the state keeps its findings by: another value is another record."""
        return f"{self.type} {self.name} {self.value}"


def sending(domain: Domain) -> list[Record]:
    """Return the records for sending: SPF, DKIM, and the host of tracked links."""
    prefix, host = domain.settings["web_prefix"], HOSTS[domain.region]
    return [
        Record("TXT", domain.name, f"v=spf1 {SPF} ~all", proves=True),
        *dkim(domain),
        Record("CNAME", f"{prefix}.{domain.name}", host),
    ]


def receiving(domain: Domain) -> list[Record]:
    """Return the records for receiving."""
    return [Record("MX", domain.name, f"{host}.{HOSTS[domain.region]}", "10") for host in ("mxa", "mxb")]


def dkim(domain: Domain) -> list[Record]:
    """Return the records of the keys: with automatic sender security two names that Mailgun itself keeps."""
    if domain.settings["use_automatic_sender_security"]:
        target = f"_domainkey.{domain.sender_security_id}.{SENDER_SECURITY[domain.region]}"
        names = [(f"{selector}._domainkey.{domain.name}", f"{selector}.{target}") for selector in SELECTORS]
        return [Record("CNAME", name, value, proves=True) for name, value in names]
    return [key_record(domain, key) for key in domain.keys]


def key_record(domain: Domain, key: DkimKey) -> Record:
    """Return the record of one key."""
    name = f"{key.selector}._domainkey.{domain.name}"
    return Record("TXT", name, key.value, proves=key.active, active=key.active)


def public_key(bits: int) -> str:
    """Return the TXT value for a new key of 1024 or 2048 bits."""
    head, tail = RSA[bits]
    modulus = bytearray(secrets.token_bytes(bits // 8))
    modulus[0] |= 0x80
    modulus[-1] |= 1
    encoded = base64.b64encode(bytes.fromhex(head) + bytes(modulus) + bytes.fromhex(tail))
    return f"k=rsa; p={encoded.decode()}"


def shown(domain: Domain, wanted: Iterable[Record]) -> list[dict[str, Any]]:
    """Return records as the API shows them."""
    return [_shown(domain, record) for record in wanted]


def _shown(domain: Domain, record: Record) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "is_active": record.active,
        "cached": domain.found.get(record.key, []),
        "record_type": record.type,
        "valid": domain.valid.get(record.key, "unknown"),
        "value": record.value,
    }
    # The live API names neither the domain in an MX record nor a priority in the others.
    return {**facts, "priority": record.priority} if record.type == "MX" else {**facts, "name": record.name}


class Resolver:
    """Looks records up: at `server` (address and port), or at the system's resolver."""

    def __init__(self, server: tuple[str, int] | None = None) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=server is None)
        if server:
            self._resolver.nameservers, self._resolver.port = [server[0]], server[1]
        self._resolver.lifetime = LIFETIME

    async def check(self, domain: Domain, wanted: Iterable[Record]) -> None:
        """Write into the domain what is found of these records, and whether it will do."""
        for record in wanted:
            found = await self._values(record)
            domain.found[record.key] = found
            right = any(_same(record, value) for value in found)
            domain.valid[record.key] = "valid" if right else "invalid" if found else "unknown"

    async def _values(self, record: Record) -> list[str]:
        try:
            answer = await self._resolver.resolve(record.name, record.type, search=False)
        except dns.exception.DNSException:
            return []
        if record.type == "TXT":
            texts = sorted(b"".join(data.strings).decode(errors="replace") for data in answer)
            # Beside the SPF value other people's values may stand.
            return [text for text in texts if not record.value.startswith("v=spf1") or text.startswith("v=spf1")]
        return sorted(data.to_text().rstrip(".").lower() for data in answer)


def proved(domain: Domain) -> bool:
    """Whether every record is valid that a domain needs for sending."""
    return all(domain.valid.get(record.key) == "valid" for record in sending(domain) if record.proves)


def _same(record: Record, value: str) -> bool:
    if record.type == "MX":
        return value.split()[-1] == record.value
    if record.type == "CNAME":
        return value == record.value
    if record.value.startswith("v=spf1"):
        return SPF in value.split()
    return "".join(value.split()) == "".join(record.value.split())
