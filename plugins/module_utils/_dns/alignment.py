# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domains DMARC takes for one organisation (RFC 7489, sections 3.1 and 3.2)."""

from __future__ import annotations

import traceback
from functools import cache
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._dns import values

try:
    from publicsuffixlist import PublicSuffixList

    IMPORT_ERROR: str | None = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()


def organizational(domain: str) -> str:
    """Return the organisational domain: one label more than the public suffix, by the Public Suffix List.

    It is in lower case, in ASCII and without a last dot. A public suffix is its own. ValueError if it is no domain.
    """
    ascii_domain = values.shown(values.name(domain))
    return _suffixes().privatesuffix(ascii_domain) or ascii_domain


def aligned(from_domain: str, other: str, strict: bool = False) -> bool:
    """Whether the domain that SPF or DKIM stand for is aligned with that of From.

    Strictly, if it is the same; otherwise (relaxed) if both are of one organisation. What is no domain, such as that of
    the null sender, never is.
    """
    try:
        if strict:
            return bool(values.name(from_domain) == values.name(other))
        return organizational(from_domain) == organizational(other)
    except ValueError:
        return False


@cache
def _suffixes() -> Any:
    """Return the list that comes with the package; reading it takes some 0.2 s, once."""
    return PublicSuffixList()
