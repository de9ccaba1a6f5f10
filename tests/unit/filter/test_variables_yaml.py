# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filter writes reads back as the same values, and nothing in it becomes a template by accident."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.mailops.odoo.plugins.filter.variables_yaml import variables_yaml
from hypothesis import given
from hypothesis import strategies as st

# What YAML and Jinja give a meaning to, line ends and spaces, and what YAML has to escape.
ALPHABET = "a0 {}%#:'\"-&*!|>?,[]\t\n\r\x00\x85\u2028\ufeffé"
TEXTS = st.text(ALPHABET, max_size=8) | st.sampled_from(
    ["{{ vault_a }}", "{% x %}", "{#", "yes", "0123", "null", "a: b", "- x", "l1\nl2\n"]
)
SCALARS = st.none() | st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner), max_leaves=12
)


class Loader(yaml.SafeLoader):
    """Notes which texts are marked unsafe."""


Loader.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))


def taken_for_templates(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in taken_for_templates(part)]
    if isinstance(value, list):
        return [text for part in value for text in taken_for_templates(part)]
    return [value] if isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#")) else []


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value[1] if isinstance(value, tuple) else value


@given(st.dictionaries(st.text("abc", min_size=1), VALUES))
def test_it_reads_back_and_nothing_is_a_template(variables: dict[str, Any]) -> None:
    read = yaml.load(variables_yaml(variables), Loader)
    assert plain(read) == variables
    assert taken_for_templates(read) == []


@pytest.mark.parametrize("text", ["\n", "a\n\n", "\n\n", "a\n"])
def test_a_free_line_after_a_list_is_no_part_of_its_last_text(text: str) -> None:
    variables = {"a": [{}, text], "b": [None]}
    assert yaml.load(variables_yaml(variables), Loader) == variables


def test_only_the_references_named_stay_templates_and_records_are_set_apart() -> None:
    servers = [{"name": "{{ vault_b }}", "smtp_pass": "{{ vault_a }}", "from_filter": ["a", "b"]}, {"name": "Zoho"}]
    policy = {"odoo": {"servers": servers, "aliases": []}}
    assert variables_yaml({"mail_policy": policy}, ["vault_a"]) == (
        "mail_policy:\n"
        "  odoo:\n"
        "    servers:\n"
        '      - name: !unsafe "{{ vault_b }}"\n'
        '        smtp_pass: "{{ vault_a }}"\n'
        "        from_filter: [a, b]\n"
        "\n"
        "      - name: Zoho\n"
        "\n"
        "    aliases: []\n"
    )
