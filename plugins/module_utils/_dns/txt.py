# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TXT records: long values in parts, quotation marks, and which of them mean the same. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._dns import dkim, dmarc, spf, values

# Of one string of a TXT record, in bytes (RFC 1035, 3.3).
LONGEST = 255


def parts(value: str) -> list[bytes]:
    """Return a value as the strings that a TXT record has it in, each of 255 bytes at most; an empty one has one."""
    whole = value.encode()
    return [whole[start : start + LONGEST] for start in range(0, len(whole), LONGEST)] or [b""]


def quoted(value: str) -> str:
    """Return a value as zone files and many APIs have it: in parts, in quotation marks, and in ASCII."""
    return " ".join(f'"{"".join(map(_escaped, part))}"' for part in parts(value))


def unquoted(text: str) -> str:
    """Return the value of a text as `quoted` writes it; one that does not begin with a quotation mark is the value.

    ValueError if quotation marks do not match.
    """
    return values.wanted("TXT", text) if text.startswith('"') else text


def kind(value: str) -> str:
    """Return what a value is of which a name may have one only, `SPF` or `DMARC`; empty for all others."""
    if spf.is_spf(value):
        return "SPF"
    return "DMARC" if dmarc.is_dmarc(value) else ""


def meaning(value: str) -> Any:
    """Return what is equal for values that mean the same: SPF, DMARC and DKIM by their terms, all else by its text."""
    try:
        if spf.is_spf(value):
            return ("SPF", spf.meaning(value))
        if dmarc.is_dmarc(value):
            return ("DMARC", dmarc.meaning(value))
        # Not every module needs what reads keys; without it they are texts.
        if dkim.is_dkim(value) and dkim.IMPORT_ERROR is None:
            return ("DKIM", dkim.meaning(value))
    except ValueError:
        pass
    return value


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return "\\" + character
    return character if 0x20 <= byte < 0x7F else f"\\{byte:03d}"
