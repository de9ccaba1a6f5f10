# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords as the state keeps them: hashes alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string

SHORTEST, LONGEST = 5, 32  # characters
# An SMTP login is checked at each message, and the file never leaves a container: there is nothing to slow down.
ROUNDS = 1000


def hashed(password: str) -> str:
    """Return `salt$hash`, both in hexadecimal."""
    salt = secrets.token_hex(8)
    return f"{salt}${_digest(salt, password.encode())}"


def matches(password: bytes, kept: str) -> bool:
    """Whether `kept` was made from this password; takes as long whatever the answer."""
    salt, _dollar, digest = kept.partition("$")
    return hmac.compare_digest(_digest(salt, password), digest)


def generated() -> str:
    """Return a new password."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _character in range(LONGEST))


def problem(password: str) -> str:
    """Return what Mailgun says of a password it does not take; nothing if it takes it."""
    wrong = "short" if len(password) < SHORTEST else "long" if len(password) > LONGEST else ""
    return wrong and f"Password is too {wrong}. It must be between {SHORTEST} and {LONGEST} characters."


def _digest(salt: str, password: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha256", password, bytes.fromhex(salt), ROUNDS).hex()
