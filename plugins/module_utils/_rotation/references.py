# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables a host's settings are made of, read from the templates themselves. Pure; no secret is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[Any, ...]
# A variable as it is, maybe with a default.
ONE = re.compile(r"\s*\{\{-?\s*([A-Za-z_]\w*)\s*(?:\|\s*default\([^{}|]*\)\s*)?-?\}\}\s*")
TEMPLATE = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)
NAME = re.compile(r"[A-Za-z_]\w*")
# Variables that are made of each other would be followed for ever.
DEEPEST = 10


@dataclass(frozen=True)
class Reference:
    """A setting that is a template: `variable` if it is this variable as it is, otherwise "". `names` are all in it."""

    path: Path
    variable: str
    names: frozenset[str]


def references(raw: Mapping[str, Any], setting: str) -> list[Reference]:
    """Return the references in a setting; those to other variables of the host, `raw`, untemplated, are followed."""
    return list(_walked(raw, raw.get(setting), (setting,), "", 0))


def _walked(raw: Mapping[str, Any], value: Any, path: Path, name: str, depth: int) -> Iterator[Reference]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _walked(raw, part, (*path, str(key)), "", depth)
    elif isinstance(value, (list, tuple)):
        for number, part in enumerate(value):
            yield from _walked(raw, part, (*path, number), "", depth)
    elif isinstance(value, str) and TEMPLATE.search(value):
        one = ONE.fullmatch(value)
        if one and one[1] in raw and depth < DEEPEST:
            yield from _walked(raw, raw[one[1]], path, one[1], depth + 1)
        else:
            inside = " ".join(TEMPLATE.findall(value))
            names = frozenset(map(str, NAME.findall(inside)))
            yield Reference(path, str(one[1]) if one else "", names)
    elif name:
        yield Reference(path, name, frozenset((name,)))


def written(path: Path) -> str:
    """Return a path as one writes it: `mail_policy.odoo.servers[0].smtp_pass`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def at(values: Any, path: Path) -> Any:
    """Return the value at a path, None if there is none."""
    for part in path:
        if isinstance(part, int):
            if not isinstance(values, (list, tuple)) or part >= len(values):
                return None
            values = values[part]
        else:
            values = values.get(part) if isinstance(values, Mapping) else None
    return values
