# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Markdown that the document is made of: tables, and texts of others that stay texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

NOTHING = "–"
# What could begin markup within a line; an underscore inside a word does not (GitHub Flavored Markdown, section 6.2).
MARKUP = re.compile(r"[\\`*\[\]<>|&~]|(?<!\w)_|_(?!\w)")


def text(value: Any) -> str:
    """Return a text on one line, with nothing in it taken for markup; a dash if it is empty."""
    line = " ".join(str(value if value is not None else "").split())
    return MARKUP.sub(r"\\\g<0>", line) or NOTHING


def code(value: Any) -> str:
    """Return a text on one line as code; a dash if it is empty."""
    line = " ".join(str(value if value is not None else "").split())
    if not line:
        return NOTHING
    # A fence longer than any within, with room beside it; a bar would end a table's cell even here.
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    room = " " if "`" in line else ""
    return f"{fence}{room}{line}{room}{fence}".replace("|", r"\|")


def codes(values: Iterable[Any]) -> str:
    """Return several texts as code; a dash if there are none."""
    return ", ".join(code(value) for value in values) or NOTHING


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; its cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
