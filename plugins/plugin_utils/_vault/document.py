# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vars file as text, of which one variable is changed and every other character stays.

The parser is PyYAML, with which Ansible reads the file, and only says where things are; nothing is written back by it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.recipe import TEMPLATE_MARKS

TEXT = "tag:yaml.org,2002:str"
NOTHING = "tag:yaml.org,2002:null"
VAULT = ("!vault", "!vault-encrypted")
UNSAFE = "!unsafe"
BLOCK_STYLES = ("|", ">")
LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
# `ansible-vault encrypt_string` indents so.
VAULT_INDENT = 10


@dataclass(frozen=True)
class Entry:
    """A variable: where it stands in the text (offsets), and what YAML makes of it.

    `text` is None for a list, a mapping and an alias. `column` is how far the key is indented. `content` is all that
    the parser says about the value, comparable.
    """

    key: str
    key_start: int
    column: int
    start: int
    end: int
    tag: str | None
    style: str | None
    text: str | None
    anchored: bool
    content: tuple[Any, ...]

    @property
    def vaulted(self) -> bool:
        """Whether the value is an inline vault text."""
        return self.text is not None and self.tag in VAULT

    @property
    def empty(self) -> bool:
        """Whether there is no value, be it null or an empty text."""
        return self.text is not None and (self.tag == NOTHING or (self.text == "" and not self.vaulted))


class Document:
    """The variables of a text; `where` is its name in errors.

    Raises ValidationError for what is no YAML, holds several documents or is not a mapping with a line for each key,
    and ConflictError for a key that is there twice.
    """

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        events = self._parsed()
        # `...` ends the variables before the text does.
        ends: list[Any] = [event for event in events if isinstance(event, yaml.DocumentEndEvent) and event.explicit]
        self._end: int = ends[0].start_mark.index if ends else len(text)
        self.vault_texts = [event.value for event in events if getattr(event, "tag", None) in VAULT and _scalar(event)]
        self.entries = self._entries(events)

    def entry(self, key: str) -> Entry | None:
        """Return the variable of this name; ConflictError if there are several."""
        found = [entry for entry in self.entries if entry.key == key]
        if len(found) > 1:
            raise ConflictError(f"{key} is there {len(found)} times in {self.where}", "Remove all but one.")
        return found[0] if found else None

    def with_text(self, key: str, value: str) -> str:
        """Return the text in which the variable is this plain text, never a template, quoted as its neighbours are."""
        entry = self.entry(key)
        own = entry is not None and entry.style not in BLOCK_STYLES and bool(entry.text or entry.style)
        style = entry.style if entry and own else self._usual_style()
        return self._confirmed(self._with(key, entry, _written(value, style), []), key, (TEXT, UNSAFE), value)

    def with_vault_text(self, key: str, vaulttext: str) -> str:
        """Return the text in which the variable is this vault text, as an inline block."""
        entry = self.entry(key)
        indent = " " * self._vault_indent(entry)
        lines = [indent + line for line in vaulttext.splitlines()]
        return self._confirmed(self._with(key, entry, "!vault |", lines), key, VAULT, vaulttext.strip())

    def without(self, key: str) -> str:
        """Return the text without the lines of the variable; comments above it stay."""
        entry = self.entry(key)
        if entry is None:
            return self.text
        self._check_editable(entry)
        start = entry.key_start - entry.column
        end = self._line_end(self._value_end(entry))
        line_end = LINE_END.match(self.text, end)
        return self._confirmed(self.text[:start] + self.text[line_end.end() if line_end else end :], key)

    # Reading

    def _parsed(self) -> list[Any]:
        try:
            return list(yaml.parse(self.text, Loader=yaml.SafeLoader))
        except yaml.YAMLError as error:
            # The parser's own words may quote the text.
            mark = getattr(error, "problem_mark", None)
            line = f" from line {mark.line + 1} on" if mark else ""
            raise ValidationError(
                f"{self.where} is no valid YAML{line}", "Correct it with ansible-vault edit."
            ) from None

    def _entries(self, events: Sequence[Any]) -> list[Entry]:
        if sum(isinstance(event, yaml.DocumentStartEvent) for event in events) > 1:
            raise ValidationError(f"{self.where} holds several YAML documents", "Leave one.")
        root = events[2] if len(events) > 2 else None
        if root is None or (_scalar(root) and root.value == "" and root.style is None and root.tag is None):
            return []
        if not isinstance(root, yaml.MappingStartEvent) or root.flow_style:
            raise ValidationError(
                f"{self.where} is not a mapping with a line for each variable", "Name a file of variables."
            )
        entries = []
        position = 3
        while not isinstance(events[position], yaml.MappingEndEvent):
            value = _after(events, position)
            following = _after(events, value)
            if _scalar(events[position]):
                entries.append(_entry(events[position], events[value:following]))
            position = following
        return entries

    # Writing

    def _with(self, key: str, entry: Entry | None, head: str, lines: list[str]) -> str:
        """Return the text with the value as `head` in the key's line and `lines` below."""
        below = [self._newline() + line for line in lines]
        if entry is None:
            before, after = self.text[: self._end], self.text[self._end :]
            if before and not LINE_END.match(before[-1]):
                before += self._newline()
            column = self.entries[-1].column if self.entries else 0
            added = " " * column + f"{_written(key, None)}: {head}" + "".join(below)
            return before + added + self._newline() + after
        self._check_editable(entry)
        end = self._value_end(entry)
        first_line_end = self._line_end(entry.start)
        if entry.style in BLOCK_STYLES and entry.vaulted and lines:
            return self.text[:first_line_end] + "".join(below) + self.text[end:]
        if entry.style in BLOCK_STYLES:
            comment = re.search(r"\s+#.*$", self.text[entry.start : first_line_end])
            rest, after = comment.group() if comment else "", self.text[end:]
        else:
            line_end = self._line_end(end)
            rest, after = self.text[end:line_end], self.text[line_end:]
        space = " " if entry.start == entry.end else ""
        return self.text[: entry.start] + space + head + rest + "".join(below) + after

    def _check_editable(self, entry: Entry) -> None:
        if entry.anchored:
            raise ValidationError(
                f"{entry.key} in {self.where} has an anchor or is an alias, so that other values hang on it",
                "Write the values out with ansible-vault edit.",
            )
        if entry.text is None:
            raise ValidationError(f"{entry.key} in {self.where} is a list or a mapping, not a text", "Name another.")
        if self.text[entry.key_start - entry.column : entry.key_start].strip():
            raise ValidationError(
                f"{entry.key} in {self.where} is not written as a line `key: value`",
                "Write it so with ansible-vault edit.",
            )

    def _value_end(self, entry: Entry) -> int:
        """Return where the value's last character is; the parser counts blank lines to a block."""
        if entry.style not in BLOCK_STYLES:
            return entry.end
        return entry.start + len(self.text[entry.start : entry.end].rstrip())

    def _line_end(self, position: int) -> int:
        found = LINE_END.search(self.text, position)
        return found.start() if found else len(self.text)

    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _usual_style(self) -> str | None:
        """Return how the last text is quoted."""
        styles = [entry.style for entry in self.entries if entry.text and entry.tag in (TEXT, UNSAFE)]
        return next((style for style in reversed(styles) if style not in BLOCK_STYLES), '"')

    def _vault_indent(self, entry: Entry | None) -> int:
        blocks = [one for one in (entry, *reversed(self.entries)) if one and one.vaulted and one.style == "|"]
        if not blocks:
            return VAULT_INDENT + (self.entries[-1].column if self.entries else 0)
        line = LINE_END.search(self.text, blocks[0].start)
        content = self.text[line.end() if line else len(self.text) :]
        return len(content) - len(content.lstrip(" "))

    def _confirmed(self, text: str, key: str, tags: Sequence[str] = (), value: str = "") -> str:
        """Return the text if it is a right one, otherwise raise ValidationError: such a file is beyond this module."""
        if not changes_only(self, text, key, tags, value):
            raise ValidationError(
                f"{key} cannot be changed in {self.where} without touching something else", "Use ansible-vault edit."
            )
        return text


def changes_only(old: Document, text: str, key: str, tags: Sequence[str], value: str) -> bool:
    """Whether the text has this value under one of these tags (no tags: no such variable), and all else as `old`."""
    try:
        new = Document(text, old.where)
        entry = new.entry(key)
    except (ConflictError, ValidationError):
        return False
    if _others(old, key) != _others(new, key):
        return False
    return entry.tag in tags and entry.content[0][-1] == value if entry else not tags


def _others(document: Document, key: str) -> list[tuple[str, tuple[Any, ...]]]:
    return [(entry.key, entry.content) for entry in document.entries if entry.key != key]


def literal(entry: Entry, where: str) -> str:
    """Return a value that is not vaulted as a template would show it, "" where there is none.

    Raises ValidationError for a list, a mapping, an alias and a template: their value is not here, or no text.
    """
    if entry.text is None:
        raise ValidationError(f"{entry.key} in {where} is a list, a mapping or an alias, not a text", "Name another.")
    if entry.empty:
        return ""
    if entry.tag == TEXT and any(mark in entry.text for mark in TEMPLATE_MARKS):
        raise ValidationError(f"{entry.key} in {where} is a template", "Name the file and key where its value is.")
    if entry.tag in (TEXT, UNSAFE):
        return entry.text
    try:
        value = yaml.constructor.SafeConstructor().construct_object(yaml.ScalarNode(entry.tag or TEXT, entry.text))
    except (yaml.YAMLError, ValueError):
        value = None
    if not isinstance(value, (int, float, date)):
        raise ValidationError(f"{entry.key} in {where} is not a text (it is {entry.tag})", "Correct the file.")
    return str(value)


def _scalar(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent)


def _after(events: Sequence[Any], position: int) -> int:
    """Return the position after the node that begins there."""
    depth = 0
    while True:
        depth += isinstance(events[position], yaml.CollectionStartEvent)
        depth -= isinstance(events[position], yaml.CollectionEndEvent)
        position += 1
        if not depth:
            return position


def _entry(key: Any, value: Sequence[Any]) -> Entry:
    first = value[0]
    scalar = _scalar(first)
    return Entry(
        key=key.value,
        key_start=key.start_mark.index,
        column=key.start_mark.column,
        start=first.start_mark.index,
        end=first.end_mark.index,
        tag=_tag(first) if scalar else None,
        style=first.style if scalar else None,
        text=first.value if scalar else None,
        anchored=first.anchor is not None or key.anchor is not None,
        content=tuple(_content(event) for event in value),
    )


def _tag(event: Any) -> str:
    """Return the tag, also where YAML finds it out by itself."""
    if event.tag is not None:
        return str(event.tag)
    resolver: Any = yaml.resolver.Resolver()
    return str(resolver.resolve(yaml.ScalarNode, event.value, event.implicit))


def _content(event: Any) -> tuple[Any, ...]:
    tag = _tag(event) if _scalar(event) else getattr(event, "tag", None)
    value = getattr(event, "value", None)
    # The line end after a vault text, which a new last line may need, is no part of it.
    shown = value.strip() if tag in VAULT and isinstance(value, str) else value
    return type(event).__name__, getattr(event, "anchor", None), tag, shown


def _written(text: str, style: str | None) -> str:
    """Return the text as YAML of one line, in this style where that can express it, otherwise quoted."""
    tag = TEXT
    if any(mark in text for mark in TEMPLATE_MARKS):
        tag, style = UNSAFE, '"'
    if LINE_END.search(text):
        style = '"'  # or else it would take several lines
    pair = (yaml.ScalarNode(TEXT, "k"), yaml.ScalarNode(tag, text, style=style))
    node = yaml.MappingNode("tag:yaml.org,2002:map", [pair], flow_style=False)
    dumped: str = yaml.serialize(node, Dumper=yaml.SafeDumper, allow_unicode=True, width=float("inf"))
    return dumped.removeprefix("k: ").removesuffix("\n")
