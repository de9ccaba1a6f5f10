# SPDX-License-Identifier: GPL-3.0-or-later
"""API keys: whose they are, what they are good for, and how the live API refuses them."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hmac
from collections.abc import Iterable

from ..api.replies import Refused, Reply
from .calls import refused

FULL, READ, SENDING = "full", "read", "sending"  # the last is for messages, of which there are none here


@dataclasses.dataclass(frozen=True)
class ApiKey:
    """A key of an account."""

    key: str
    account: str
    scope: str = FULL


def account(keys: Iterable[ApiKey], authorization: str, method: str, path: str) -> str:
    """Return the account of the key in a header for HTTP Basic. Raises Refused."""
    given = _key(authorization)
    known = [key for key in keys if hmac.compare_digest(key.key.encode(), given)]
    if not given or (not known and path.startswith("/v3/")) or (known and known[0].scope == SENDING):
        raise Refused(Reply(401, "Forbidden"))
    if not known:
        raise refused(401, "Invalid private key")
    if known[0].scope == READ and method != "GET":
        raise refused(403, "Forbidden")
    return known[0].account


def _key(authorization: str) -> bytes:
    """Return the password of the user `api`; nothing if there is none."""
    scheme, _space, encoded = authorization.partition(" ")
    try:
        user, _colon, password = base64.b64decode(encoded, validate=True).partition(b":")
    except binascii.Error:
        return b""
    return password if scheme.lower() == "basic" and user == b"api" else b""
