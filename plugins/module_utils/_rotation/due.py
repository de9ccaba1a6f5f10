# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a secret is to be rotated: how old it may be, how old it is. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.state import moment, timestamp

# How old a secret may be where nobody says it.
DEFAULT_DAYS = 90.0
AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw]?)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# Longer than anything lasts; a date so far away has no meaning.
MOST_DAYS = 36500.0


@dataclass(frozen=True)
class Due:
    """Whether a secret is due, since or from when (RFC 3339, "" where nobody knows), and how old it is in days."""

    due: bool
    at: str
    age: float | None


def days(text: Any) -> float:
    """Return an age in days: `90d`, `12w`, `36h`, `10m`, `30s`, or a number of days; ValidationError otherwise."""
    found = None if isinstance(text, bool) else AGE.fullmatch(str(text).strip().lower())
    if not found:
        raise ValidationError(f"{text!r} is no age", "Write it like 90d, 12w or 36h.")
    number = float(found[1]) * SECONDS[found[2] or "d"] / SECONDS["d"]
    if number > MOST_DAYS:
        raise ValidationError(f"{text!r} is more than a hundred years", "Write a shorter age.")
    return number


def due(rotated: str, older_than: float, now: datetime, name: str) -> Due:
    """Return whether a secret that was rotated then ("" if nobody knows) is older than so many days.

    `name` is the variable that says it, for the ValidationError where it is no time, or one that is to come. What was
    never rotated is due.
    """
    if not rotated:
        return Due(True, "", None)
    since = moment(rotated, name)
    # Clocks of controllers differ a little.
    if since - now > timedelta(days=1):
        raise ValidationError(f"{name} is {rotated}, which is to come", "Correct it, or the controller's clock.")
    at = since + timedelta(days=older_than)
    age = (now.astimezone(timezone.utc) - since) / timedelta(days=1)
    return Due(age >= older_than, timestamp(at), round(age, 3))
