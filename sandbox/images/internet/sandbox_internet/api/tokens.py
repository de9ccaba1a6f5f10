# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens for APIs: whose they are, and what they are good for."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Iterable

# To read and write DNS; to read it; for something else.
FULL, READ, NONE = "full", "read", "none"


@dataclasses.dataclass(frozen=True)
class Token:
    """A token of an account."""

    token: str
    account: str
    scope: str = FULL


def bearer(tokens: Iterable[Token], authorization: str) -> Token | None:
    """Return the token in a header for bearers (RFC 6750), if it is one of these."""
    scheme, _space, given = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    return next((one for one in tokens if hmac.compare_digest(one.token.encode(), given.strip().encode())), None)
