# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hiding secrets: by declaration in records, by value in texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "(hidden)"
CHANGED = "(hidden, changed)"


def redact_record(record: Mapping[str, Any], secret_fields: Iterable[str]) -> dict[str, Any]:
    """Return the record with every secret that is set replaced by a fixed word; an unset one stays None."""
    secret = set(secret_fields)
    return {name: HIDDEN if name in secret and value else value for name, value in record.items()}


def redact_text(text: str, secrets: Iterable[str | None]) -> str:
    """Return the text with every occurrence of a secret hidden, the longest first."""
    for secret in sorted((secret for secret in secrets if secret), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text
