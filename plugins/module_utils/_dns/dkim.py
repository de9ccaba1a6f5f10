# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM keys as DNS has them (RFC 6376, section 3.6.1; RFC 8301; RFC 8463). Pure."""

from __future__ import annotations

import base64
import re
import traceback
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._dns import tags

try:
    from dkim.crypto import UnparsableKeyError, parse_public_key

    IMPORT_ERROR: str | None = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

# Shorter ones are not accepted by receivers (RFC 8301, 3.2).
LEAST_BITS = 1024
ED25519_BYTES = 32
LOOKS = re.compile(rf"{tags.BEFORE}(v\s*=\s*{tags.BEFORE}DKIM|([a-uw-z]\s*=[^;]*;\s*)*p\s*=)", re.IGNORECASE)


@dataclass(frozen=True)
class PublicKey:
    """What a record says of a key: `type` is `rsa` or `ed25519`, `bits` its size; 0 if it was revoked."""

    type: str
    bits: int
    tags: dict[str, str]


def is_dkim(text: str) -> bool:
    """Whether a TXT value is meant as a DKIM key, be it a right one or not. Only at a selector's name it counts."""
    return bool(LOOKS.match(text))


def parse(text: str) -> PublicKey:
    """Return the key of a record; ValueError, naming the rule, if receivers could not use it."""
    found = tags.parse(text)
    if "v" in found and (next(iter(found)) != "v" or found["v"] != "DKIM1"):
        raise ValueError("v=DKIM1 must be its first tag (RFC 6376, section 3.6.1)")
    if "p" not in found:
        raise ValueError("it has no tag p, the key (RFC 6376, section 3.6.1)")
    key_type = found.get("k", "rsa")
    if key_type not in ("rsa", "ed25519"):
        raise ValueError(f"k={key_type} is no key type that receivers know: rsa, ed25519 (RFC 8463, section 5)")
    encoded = _packed(found["p"])
    if not encoded:
        return PublicKey(key_type, 0, found)
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise ValueError("its key (p) is no base64 (RFC 6376, section 3.6.1); was it cut off?") from None
    if key_type == "ed25519":
        if len(key) != ED25519_BYTES:
            raise ValueError(f"an ed25519 key has {ED25519_BYTES} bytes, this one {len(key)} (RFC 8463, section 4.2)")
        return PublicKey(key_type, 8 * ED25519_BYTES, found)
    bits = _modulus(key).bit_length()
    if bits < LEAST_BITS:
        raise ValueError(f"its RSA key has {bits} bits; receivers want {LEAST_BITS} at least (RFC 8301, section 3.2)")
    return PublicKey(key_type, bits, found)


def meaning(text: str) -> Any:
    """Return what is equal for records that say the same, in whatever order, with whatever blanks.

    ValueError as `parse`.
    """
    key = parse(text)
    found = key.tags
    flags = frozenset(_words(found.get("t", "")))
    hashes = frozenset(_words(found.get("h", "")))
    services = frozenset(_words(found.get("s", "*")))
    # Notes (n) are for people, and tags that nobody knows for nobody.
    return key.type, _packed(found["p"]), flags, hashes, services


def _words(text: str) -> list[str]:
    return [word for word in (each.strip() for each in text.split(":")) if word]


def _packed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _modulus(key: bytes) -> int:
    try:
        modulus: int = parse_public_key(key)["modulus"]
    # Of what is no key the parser asserts and indexes what it has not looked at.
    except (UnparsableKeyError, AssertionError, IndexError, TypeError, ValueError):
        raise ValueError("its key (p) does not parse as an RSA public key (RFC 6376, 3.6.1); was it cut off?") from None
    return modulus
