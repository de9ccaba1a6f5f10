# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a secret by a stated recipe."""

from __future__ import annotations

import math
import secrets
import string
from collections.abc import Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError

NAMED = ("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "punctuation")
# A first character from here has no meaning of its own to YAML, an INI file, a shell or an option parser.
HARMLESS = string.ascii_letters + string.digits
# In a file that Ansible reads, a text with one of these is taken for a template.
TEMPLATE_MARKS = ("{{", "{%", "{#")
LEAST_BITS = 64


def generated(length: int, alphabet: Sequence[str]) -> str:
    """Return a random text of `length` characters.

    `alphabet` lists sets of characters: names of Python's module `string` (NAMED) or the characters themselves,
    visible ASCII, each once. The first character is a letter or a digit.
    Raises ValidationError for an alphabet of anything else, and where fewer than 64 bits would be left to chance.
    """
    characters = _characters(alphabet)
    first = [character for character in characters if character in HARMLESS]
    if not first:
        raise ValidationError("generate.alphabet has no letter and no digit to begin with", "Add some of them.")
    bits = math.log2(len(first)) + (length - 1) * math.log2(len(characters))
    if length < 1 or bits < LEAST_BITS:
        raise ValidationError(
            f"generate makes a secret that can be guessed: {length} of {len(characters)} characters",
            "Raise generate.length or extend generate.alphabet.",
        )
    while True:
        text = secrets.choice(first) + "".join(secrets.choice(characters) for position in range(1, length))
        if not any(mark in text for mark in TEMPLATE_MARKS):
            return text


def _characters(alphabet: Sequence[str]) -> list[str]:
    found: set[str] = set()
    for part in alphabet:
        characters = getattr(string, part) if part in NAMED else part
        if not all("!" <= character <= "~" for character in characters):
            raise ValidationError("generate.alphabet has a character that is not visible ASCII", "Leave it out.")
        # Not only untidy: a misspelt name would be taken for its letters.
        if part not in NAMED and len(set(part)) < len(part):
            raise ValidationError(
                f"generate.alphabet: {part} is neither one of {', '.join(NAMED)} nor a set of characters, each once",
                "Correct it.",
            )
        found.update(characters)
    return sorted(found)
