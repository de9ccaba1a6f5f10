# SPDX-License-Identifier: GPL-3.0-or-later
"""API keys put straight into an Odoo database of the sandbox, where asking Odoo for one would cost seconds."""

from __future__ import annotations

import base64
import hashlib
import secrets

ADMINISTRATOR = 2
# Odoo's own keys have 6,000, at each call. A random key gains nothing by them.
ROUNDS = 1


def made() -> str:
    """Return a new key, of the form that Odoo makes."""
    return secrets.token_hex(20)


def statement(key: str, name: str, user: int = ADMINISTRATOR) -> str:
    """Return the SQL that gives a user, the administrator by default, this key; only its hash is in it."""
    columns, values = "name, user_id, index, key", f"'{name}', {user}, '{key[:8]}', '{_hashed(key)}'"
    return f"INSERT INTO res_users_apikeys ({columns}) VALUES ({values})"


def _hashed(key: str) -> str:
    """Return the key as Odoo 14 to 19 stores it: PBKDF2, SHA-512, in passlib's modular crypt format."""
    salt = secrets.token_bytes(16)
    parts = [salt, hashlib.pbkdf2_hmac("sha512", key.encode(), salt, ROUNDS)]
    shown = [base64.b64encode(part).decode().rstrip("=").replace("+", ".") for part in parts]
    return f"$pbkdf2-sha512${ROUNDS}${shown[0]}${shown[1]}"
