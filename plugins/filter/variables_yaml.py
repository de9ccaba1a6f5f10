# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

DOCUMENTATION = r"""
name: variables_yaml
short_description: Write variables as YAML that a person reads and Ansible takes literally
version_added: 0.1.0
description:
  - Returns a dictionary of variables as the text of a vars file, in its own order, lists indented.
  - A text that looks like a template is marked C(!unsafe), so that Ansible does not evaluate what came from elsewhere.
    Only references to the variables in O(references) remain templates.
author:
  - The mailops.odoo authors (@mailops)
options:
  _input:
    description: The variables.
    type: dict
    required: true
  references:
    description: Names of variables. A text that consists of a reference to one of them is written as such.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: What is in Odoo, as a vars file
  ansible.builtin.copy:
    content: "{{ {'mail_policy': {'odoo': settings.policy}} | mailops.odoo.variables_yaml(settings.variables) }}"
    dest: /tmp/settings.yml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

TEMPLATE_MARKS = ("{{", "{%", "{#")
OTHER_LINE_ENDS = ("\r", "\x85", "\u2028", "\u2029")


class Literal(str):
    """A text that Ansible must not take for a template."""


class Reference(str):
    """A text that is a template."""


class Dumper(yaml.SafeDumper):
    """Indents lists, sets records apart, and does not abbreviate what occurs twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._of_records: list[bool] = []  # for each list that is open, from the outermost
        self._after_records = False

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        """Indent lists below their key."""
        return super().increase_indent(flow, False)

    def expect_block_sequence_item(self, first: bool = False) -> None:
        """Leave a line free between records."""
        if first:
            self._of_records.append(isinstance(self.event, yaml.MappingStartEvent))
        elif isinstance(self.event, yaml.SequenceEndEvent):
            self._after_records = self._of_records.pop()
        elif self._of_records[-1]:
            self._leave_line_free()
        super().expect_block_sequence_item(first)

    def expect_block_mapping_key(self, first: bool = False) -> None:
        """Leave a line free between lists of records."""
        if self._after_records and not isinstance(self.event, yaml.MappingEndEvent):
            self._leave_line_free()
            self._after_records = False
        super().expect_block_mapping_key(first)

    def _leave_line_free(self) -> None:
        if self.column:
            self.write_line_break()
        self.write_line_break()

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True


def _text(dumper: Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    # Other ends of lines are escaped in this style only. A text that ends in free lines would, as a block, gain the one
    # that is left free after records.
    if any(mark in text for mark in OTHER_LINE_ENDS) or ("\n" + text).endswith("\n\n"):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: Dumper, items: list[Any]) -> yaml.SequenceNode:
    short = all(isinstance(item, (str, int)) and not isinstance(item, (Literal, Reference)) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=short)


Dumper.add_representer(str, _text)
Dumper.add_representer(list, _list)
Dumper.add_representer(Literal, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))
Dumper.add_representer(
    Reference, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')
)


def _marked(value: Any, references: set[str]) -> Any:
    """Return the value in Python's own types (Ansible's are subclasses of them), its texts marked."""
    if isinstance(value, Mapping):
        return {_marked(name, set()): _marked(part, references) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_marked(part, references) for part in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value + 0  # of Python's own type
    if not isinstance(value, str):
        return value
    text = str.__str__(value)
    if text in references:
        return Reference(text)
    return Literal(text) if any(mark in text for mark in TEMPLATE_MARKS) else text


def variables_yaml(variables: Mapping[str, Any], references: Iterable[str] = ()) -> str:
    """Return the variables as YAML."""
    marked = _marked(variables, {"{{ " + name + " }}" for name in references})
    return yaml.dump(marked, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


class FilterModule:
    """Provides the filter variables_yaml."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"variables_yaml": variables_yaml}
