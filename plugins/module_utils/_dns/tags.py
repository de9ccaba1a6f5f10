# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of `tag=value`, as DKIM and DMARC have them, and quotation marks that are none. Pure."""

from __future__ import annotations

import re

# What word processors and web pages make of ", ' and `.
SMART_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u00ab\u00bb"
# What stands before a value that was pasted with its quotation marks.
BEFORE = rf"[\s\"'`{SMART_QUOTES}]*"


def check_quotes(text: str) -> None:
    """Raise ValueError if a value has typographic quotation marks: to DNS they are characters like others."""
    found = next((character for character in text if character in SMART_QUOTES), None)
    if found:
        raise ValueError(f"it has a typographic quotation mark ({found}); write plain ones around a value, or none")


def parse(text: str) -> dict[str, str]:
    """Return tags and their values in order, with white space around them gone (RFC 6376, 3.2; RFC 7489, 6.4).

    ValueError if it is no such list, or a tag is there twice.
    """
    check_quotes(text)
    tags: dict[str, str] = {}
    specs = text.split(";")
    if not specs[-1].strip():
        specs.pop()
    for spec in specs:
        tag, equals, value = spec.partition("=")
        name = tag.strip()
        if not equals or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            raise ValueError(f"{spec.strip()!r} is no tag=value")
        if name in tags:
            raise ValueError(f"the tag {name} is there twice")
        tags[name] = value.strip()
    return tags
