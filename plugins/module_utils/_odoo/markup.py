# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simple HTML in one form: Odoo rewrites what it stores, and by a form of our own both sides can be compared."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

BLOCKS = ("p", "ul", "ol", "li")
# What Odoo's sanitising leaves as it is (seen on 14 and 19), with the attributes it may have.
SIMPLE = {**dict.fromkeys((*BLOCKS, "br", "b", "strong", "i", "em", "u"), ()), "a": ("href",)}
VOID = ("br", "img", "hr")
WHITESPACE = re.compile(r"[ \t\r\n]+")
AROUND_BLOCKS = re.compile(rf" ?(</?(?:{'|'.join((*BLOCKS, 'br'))})>) ?")


def simple_html(value: str) -> str:
    """Return a text or simple HTML in its one form; ValueError if Odoo might store something else."""
    found = _Parser.parsed(value, strict=True)
    if not found:
        raise ValueError("it is empty; null clears it")
    return found


def stored_html(value: str) -> str | None:
    """Return stored HTML in the same form, whatever is in it; None if it is empty."""
    return _Parser.parsed(value, strict=False) or None


class _Parser(HTMLParser):
    def __init__(self, *, strict: bool) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.open: list[str] = []
        self._strict = strict

    @classmethod
    def parsed(cls, value: str, *, strict: bool) -> str:
        parser = cls(strict=strict)
        parser.feed(value)
        parser.close()
        if strict and parser.open:
            raise ValueError(f"<{parser.open[-1]}> is not closed")
        text = AROUND_BLOCKS.sub(r"\1", "".join(parser.parts)).strip(" ")
        return f"<p>{text}</p>" if text and not text.startswith(("<p", "<ul>", "<ol>", "<div")) else text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._strict and (tag not in SIMPLE or any(name not in SIMPLE[tag] for name, _value in attrs)):
            raise ValueError(f"only {', '.join(f'<{name}>' for name in SIMPLE)}, and of attributes href, can be used")
        if tag not in VOID:
            self.open.append(tag)
        shown = "".join(f' {name}="{escape(value or "")}"' for name, value in sorted(attrs))
        self.parts.append(f"<{tag}{shown}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if self._strict and self.open[-1:] != [tag]:
            raise ValueError(f"</{tag}> closes nothing")
        if self.open:
            self.open.pop()
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.parts.append(escape(WHITESPACE.sub(" ", data), quote=False))
