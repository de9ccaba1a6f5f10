# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers wrote, made fit for a result."""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = b"(hidden)"
# So much of a secret gives it away: what repeats its beginning may have been cut short after that.
TELLING = 6  # bytes
SHOWN_CHARACTERS = 300


def one_line(text: str) -> str:
    """Return a text in one line of printable characters, at most SHOWN_CHARACTERS long."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


class Hider:
    """Hides secrets in what a server repeats of them, be it only their beginning."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = sorted((secret.encode() for secret in secrets if secret), key=len, reverse=True)
        # What is encoded may or may not be filled up.
        whole = [re.escape(form) + b"=*" for form in forms]
        begun = [re.escape(form[:TELLING]) + rb"\S*" for form in forms]
        self._pattern = re.compile(b"|".join(whole + begun)) if forms else None

    def hide(self, data: bytes) -> bytes:
        """Return the bytes without them."""
        return self._pattern.sub(HIDDEN, data) if self._pattern else data
