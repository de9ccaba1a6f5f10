# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Normal forms of domains, local parts and filters, as Odoo compares them."""

from __future__ import annotations

import re

# RFC 5321 section 4.1.2 (Dot-string), lower case: what Odoo leaves as it is on every version.
LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
LONGEST_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1
# RFC 1035 labels; an IDN is given in its ASCII form.
DOMAIN = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def domain(value: str) -> str:
    """Return a domain in lower case; ValueError if it is none."""
    lowered = value.strip().lower()
    if not DOMAIN.fullmatch(lowered):
        raise ValueError("this is no domain name (write an IDN in its xn-- form)")
    return lowered


def local_part(value: str) -> str:
    """Return the part of an address before the @ in lower case; ValueError if Odoo would change it."""
    lowered = value.strip().lower()
    if len(lowered) > LONGEST_LOCAL_PART:
        raise ValueError(f"it is longer than the {LONGEST_LOCAL_PART} characters that mail servers take")
    if not LOCAL_PART.fullmatch(lowered):
        raise ValueError("this is no local part of an address: use ASCII letters, digits and . _ - only, without @")
    return lowered


def address(value: str) -> str:
    """Return `local@domain` in lower case; ValueError if it is no address."""
    before, at, after = value.strip().rpartition("@")
    if not at:
        raise ValueError("this is no e-mail address")
    return f"{local_part(before)}@{domain(after)}"


def address_or_local_part(value: str) -> str:
    """Return either form in lower case (default_from may be both)."""
    return address(value) if "@" in value else local_part(value)


def filter_part(value: str) -> str:
    """Return one part of a from_filter, an address or a domain.

    `@domain` never matches in any Odoo version (seen on 15-19), so it is refused.
    """
    stripped = value.strip()
    if stripped.startswith("@"):
        raise ValueError(f"{stripped!r} never matches in Odoo: write the domain without @: {stripped[1:]}")
    if "," in stripped:
        raise ValueError("write each part as an item of the list")
    return address(stripped) if "@" in stripped else domain(stripped)


def from_filter(parts: list[str]) -> list[str]:
    """Return a from_filter's parts in lower case, sorted, each once (their order means nothing to Odoo)."""
    return sorted({filter_part(str(part)) for part in parts})


def is_placeholder(value: str | None) -> bool:
    """Whether nobody reads at this address: none at all, Odoo's own examples, or an address at odoo.com's hosting."""
    if not value or "@" not in value:
        return True
    where = value.rpartition("@")[2].strip("> ").lower()
    reserved = ("example.com", "example.org", "example.net", "yourcompany.com")
    return where in reserved or where.endswith((".example.com", ".odoo.com"))
