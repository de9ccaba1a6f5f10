# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables line up, keep within their width and do nothing to a terminal."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.odoo.plugins.filter.mail_arrival_table import mail_arrival_table
from ansible_collections.mailops.odoo.plugins.filter.mail_route_table import mail_route_table
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import tables
from hypothesis import given
from hypothesis import strategies as st

ROUTE: dict[str, Any] = {
    "sender": '"Mary" <mary@acme.example>',
    "what": "user mary",
    "server": "Main",
    "from": '"Mary" <no-reply@acme.example>',
    "envelope_from": "bounce@acme.example",
    "reason": "Because.",
    "warnings": [],
}
CELLS = st.text("ab é漢\n\t\x1b\u202e@.-", max_size=60)
WORDS = st.text("ab漢 ", max_size=40)


def test_columns_line_up() -> None:
    assert tables.table(["One", "Two"], [["a\n  b", "c"], ["long", "d"]]) == [
        "One   Two",
        "----  ---",
        "a     c",
        "  b",
        "long  d",
    ]


def test_what_is_too_wide_is_broken() -> None:
    found = tables.table(["One", "Two"], [["short", "  a sentence of several words"]], width=20)
    assert found == [
        "One    Two",
        "-----  -------------",
        "short    a sentence",
        "         of several",
        "         words",
    ]


def test_wide_characters_take_two_columns() -> None:
    assert tables.table(["A", "B"], [["漢字", "x"], ["ab", "y"]])[2:] == ["漢字  x", "ab    y"]


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5))
def test_a_table_keeps_within_its_width_and_has_nothing_a_terminal_obeys(rows: list[tuple[str, str, str]]) -> None:
    lines = tables.table(["One", "Two", "Three"], rows, width=40)
    assert all(tables._columns(line) <= 40 for line in lines)
    assert not {"\x1b", "\t", "\u202e", "\n"} & set("".join(lines))


@given(WORDS, st.integers(min_value=4, max_value=30))
def test_nothing_of_a_text_is_lost(text: str, width: int) -> None:
    lines = tables.table(["A"], [[text]], width)[2:]
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_routes_that_are_alike_share_a_row() -> None:
    many = [{**ROUTE, "what": f"template {number}"} for number in range(4)]
    warned = {**ROUTE, "sender": "x@acme.example", "what": "", "server": None, "warnings": ["It is spoofed."]}
    assert mail_route_table([*many, ROUTE, ROUTE, warned, {**warned, "sender": "y@acme.example"}]).splitlines() == [
        "Sender                  Server       From                            Envelope sender      Why",
        "----------------------  -----------  ------------------------------  -------------------  --------",
        'mary@acme.example       Main         "Mary" <no-reply@acme.example>  bounce@acme.example  Because.',
        "  user mary",
        "  template 0",
        "  template 1",
        "  and 2 more templates",
        'x@acme.example          (odoo.conf)  "Mary" <no-reply@acme.example>  bounce@acme.example  Because.',
        'y@acme.example          (odoo.conf)  "Mary" <no-reply@acme.example>  bounce@acme.example  Because.',
        "",
        "Warnings:",
        "- It is spoofed. (x@acme.example, y@acme.example)",
    ]


def test_arrivals_and_the_redirects_they_need() -> None:
    arrival = {"address": "a@acme.example", "kind": "alias", "way": "gateway", "how": "MX", "redirect": ""}
    needing = {
        **arrival,
        "address": "a@brand.example",
        "way": "redirect",
        "how": "nothing",
        "redirect": "to b@c.example",
    }
    assert mail_arrival_table([arrival, needing]).splitlines() == [
        "Address          Kind   Arrives by  How",
        "---------------  -----  ----------  -------",
        "a@acme.example   alias  gateway     MX",
        "a@brand.example  alias  redirect    nothing",
        "",
        "Redirects needed at the provider (whether they are there cannot be seen from here):",
        "- a@brand.example to b@c.example",
    ]
    assert "Redirects" not in mail_arrival_table([arrival])
