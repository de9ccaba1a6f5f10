# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of this moment: who may submit mail, and whose mail Dovecot shows."""

from __future__ import annotations

import json
import pathlib

FILE = pathlib.Path("/run/sandbox/accounts.json")


def read() -> dict[str, str]:
    """Return login → password. Raises OSError or ValueError if there is no such file."""
    accounts: dict[str, str] = json.loads(FILE.read_bytes())
    return accounts
