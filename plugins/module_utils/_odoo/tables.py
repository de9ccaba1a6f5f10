# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text for a terminal: columns that line up, within a width, without colours."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._odoo import mail_address

WIDTH = 150  # columns, so that it fits in 160 with what Ansible puts before it
NARROWEST = 12
GAP = "  "
FEW = 2
ODOO_CONF = "(odoo.conf)"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int = WIDTH) -> list[str]:
    """Return a table's lines. A cell may have several lines; what is too wide is broken, at a space if possible."""
    cells = [[_printable(cell).split("\n") for cell in row] for row in [header, *rows]]
    widths = _widths(cells, width - len(GAP) * (len(header) - 1))
    lines: list[str] = []
    for number, row in enumerate(cells):
        lines.extend(_row(row, widths))
        if number == 0:
            lines.append(GAP.join("-" * each for each in widths))
    return lines


def _printable(text: str) -> str:
    """Return a text without what would move the cursor or colour the terminal; names come from the database."""
    return "".join(
        character if character == "\n" or unicodedata.category(character)[0] != "C" else "?" for character in text
    )


def _widths(rows: Sequence[Sequence[Sequence[str]]], width: int) -> list[int]:
    """Return how wide each column is: as its longest line, the widest made narrower until all of them fit."""
    widths = [max(_columns(line) for row in rows for line in row[column]) for column in range(len(rows[0]))]
    while sum(widths) > width and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes (Unicode Standard Annex 11)."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _row(row: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    broken = [_broken(lines, width) for lines, width in zip(row, widths, strict=True)]
    height = max(len(lines) for lines in broken)
    padded = [[*lines, *[""] * (height - len(lines))] for lines in broken]
    return [
        GAP.join(text + " " * (width - _columns(text)) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*padded, strict=True)
    ]


def _broken(lines: Sequence[str], width: int) -> list[str]:
    return [part for line in lines for part in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> list[str]:
    """Return a line in parts of at most so many columns (which textwrap does not count), indented as it is."""
    indent = line[: len(line) - len(line.lstrip())][: width // 2]
    parts, current = [], indent
    for word in line.split():
        joined = f"{current} {word}" if current.strip() else indent + word
        if _columns(joined) > width and current.strip():
            parts.append(current)
            joined = indent + word
        while _columns(joined) > width:
            fitting = next(end for end in range(len(joined), 0, -1) if _columns(joined[:end]) <= width)
            parts.append(joined[:fitting])
            joined = indent + joined[fitting:]
        current = joined
    return [*parts, current]


def routes(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return routes as a table, then their warnings, each once with the senders it is about.

    `found` holds routes as the module mail_route_info returns them. Senders alike in every column share a row.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    warnings: dict[str, list[str]] = {}
    for route in found:
        sender = _address(route["sender"])
        key = (sender, route["server"] or ODOO_CONF, route["from"], route["envelope_from"], route["reason"])
        kinds = groups.setdefault(key, [])
        if route["what"] and route["what"] not in kinds:
            kinds.append(route["what"])
        for warning in route["warnings"]:
            about = warnings.setdefault(warning, [])
            if sender not in about:
                about.append(sender)
    rows = [
        ["\n".join([sender, *(f"  {kind}" for kind in _few(kinds))]), *others]
        for (sender, *others), kinds in groups.items()
    ]
    lines = table(["Sender", "Server", "From", "Envelope sender", "Why"], rows)
    if warnings:
        lines += ["", "Warnings:"]
    for warning, about in warnings.items():
        lines += _item(f"{warning} ({', '.join(about)})")
    return lines


def _few(kinds: Sequence[str]) -> list[str]:
    """Return what sends so, only the first of many templates."""
    templates = [kind for kind in kinds if kind.startswith("template ")]
    if len(templates) <= FEW:
        return list(kinds)
    others = [kind for kind in kinds if kind not in templates]
    return [*others, *templates[:FEW], f"and {len(templates) - FEW} more templates"]


def _address(sender: str) -> str:
    found = mail_address.split(sender)
    return found[-1][1] if found else sender


def _item(text: str) -> list[str]:
    first, *rest = _wrapped(_printable(text), WIDTH - len(GAP))
    return [f"- {first}", *(f"  {line}" for line in rest)]


def arrivals(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return how mail arrives as a table, then the redirects that are needed.

    `found` holds arrivals as the filter mail_arrivals returns them.
    """
    rows = [[each["address"], each["kind"], each["way"], each["how"]] for each in found]
    lines = table(["Address", "Kind", "Arrives by", "How"], rows)
    redirects = [f"{each['address']} {each['redirect']}" for each in found if each["redirect"]]
    if redirects:
        lines += ["", "Redirects needed at the provider (whether they are there cannot be seen from here):"]
        lines += [line for redirect in redirects for line in _item(redirect)]
    return lines
