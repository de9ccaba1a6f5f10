# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values of DNS records in one form each, so that they can be compared by what they mean."""

from __future__ import annotations

import ipaddress
import re
import traceback
import unicodedata
from collections.abc import Sequence
from typing import Any

try:
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdatatype

    IMPORT_ERROR: str | None = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT")
# Of these each word is a number or a host name, whose case and last dot mean nothing.
OF_NAMES = ("CNAME", "MX", "NS", "PTR", "SOA", "SRV")
ZONE = "@"


def name(text: str) -> dns.name.Name:
    """Return a name, absolute and in lower case; what is not ASCII is encoded (punycode). ValueError if it is none."""
    # "@" is short for the zone in zone files; here it would be the root.
    if text == ZONE or not text.strip(".") or any(character.isspace() for character in text):
        raise ValueError(f"{text!r} is no name")
    try:
        # IDNA 2008, as registries have it; dnspython's own choice depends on what is installed.
        return dns.name.from_text(text.lower(), dns.name.root, dns.name.IDNA_2008_Practical).canonicalize()
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{text!r} is no name: {error}") from None


def shown(absolute: dns.name.Name) -> str:
    """Return a name as results have it: without the last dot."""
    return absolute.to_text(omit_final_dot=True)


def wanted(record_type: str, text: str) -> str:
    """Return a value that a record is to have, in canonical form.

    A TXT is one text; one in quotation marks is read as zone files and DNS panels write it, in parts. ValueError if the
    value is none of this type.
    """
    if not text.strip():
        raise ValueError("a value is empty")
    if record_type == "TXT" and not text.startswith('"'):
        return _text(text)
    # What reads zone files would take the first line and forget the others.
    if len(text.strip().splitlines()) > 1:
        raise ValueError(f"{text!r} has a line break; each value is an entry of its own, in one line")
    # An MX to the root says that a domain takes no mail (RFC 7505).
    if record_type in OF_NAMES and ZONE in text.split():
        raise ValueError(f"{text!r}: {ZONE} is no name; names are given in full")
    try:
        return found(
            dns.rdata.from_text("IN", record_type, text, dns.name.root, False, idna_codec=dns.name.IDNA_2008_Practical)
        )
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise ValueError(f"{text!r} is no value of a {record_type} record: {error}") from None


def mail_server(text: str) -> str:
    """Return the value of an MX record that is to be, in canonical form; ValueError if mail could not go there.

    Nothing is appended to a name: one without a dot would be a top-level domain's.
    """
    value = wanted("MX", text)
    host = value.split()[1]
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if "." in host:
            return value
        raise ValueError(f"{text!r} names no full host; nothing is appended to it") from None
    raise ValueError(f"{text!r} names an address; an MX names a host (RFC 5321, section 5.1)")


def found(rdata: Any) -> str:
    """Return the value of a record that is there, in canonical form."""
    if rdata.rdtype == dns.rdatatype.TXT:
        return b"".join(rdata.strings).decode("utf-8", "backslashreplace")
    text: str = rdata.to_text()
    if dns.rdatatype.to_text(rdata.rdtype) in OF_NAMES:
        return " ".join(word.lower().rstrip(".") or "." for word in text.split())
    return text


def _text(text: str) -> str:
    """Return a text as it is; ValueError if it cannot be meant."""
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError(f"{text!r} has a line break or another control character")
    try:
        text.encode()
    except UnicodeError as error:
        raise ValueError(f"{text!r} is no value of a TXT record: {error}") from None
    return text


def compare(at: dns.name.Name, record_type: str, wished: Sequence[str], there: Sequence[str]) -> tuple[str, str]:
    """Return how what is there relates to what is wished for, and a sentence.

    `present`: that and nothing else. `extra`: more than that. `different`: other values. `missing`: none. At a host's
    name TXT records of other kinds (who owns a domain, say) belong to others and do not count; a name with an
    underscore is made for one kind.
    """
    absent = [value for value in wished if value not in there]
    besides = [value for value in _of_the_kind(at, record_type, wished, there) if value not in wished]
    if absent:
        told = f"not there: {_listed(absent)}"
        if besides:
            return "different", f"{told}; there instead: {_listed(besides)}"
        if len(absent) < len(wished):
            return "different", told
        return "missing", f"{told}, but other {record_type} records" if there else ""
    if besides:
        return "extra", f"there as well: {_listed(besides)}"
    return "present", ""


def _of_the_kind(at: dns.name.Name, record_type: str, wished: Sequence[str], there: Sequence[str]) -> list[str]:
    """Return the values that do for the same purpose as what is wished for."""
    if record_type != "TXT" or any(label.startswith(b"_") for label in at.labels):
        return list(there)
    kinds = {_kind(value) for value in wished} - {""}
    return [value for value in there if _kind(value) in kinds]


def _kind(value: str) -> str:
    """Return what a TXT record is for, by the tag that SPF, DMARC and others begin with."""
    begun = re.match(r"\s*v\s*=\s*(\w+)", value.lower())
    return begun[1] if begun else ""


def _listed(values: Sequence[str]) -> str:
    return ", ".join(repr(value) for value in values)
