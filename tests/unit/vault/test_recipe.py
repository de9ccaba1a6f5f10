# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret is of what its recipe says, and begins with nothing that a program takes for something else."""

from __future__ import annotations

import string

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.recipe import generated


@pytest.mark.parametrize(
    ("length", "alphabet", "characters"),
    [
        (32, ["ascii_letters", "digits"], string.ascii_letters + string.digits),
        (20, ["digits"], string.digits),
        (16, ["hexdigits"], string.hexdigits),
        (12, ["ascii_lowercase", "ascii_uppercase", "-_."], string.ascii_letters + "-_."),
        (64, ["abcdefgh"], "abcdefgh"),
    ],
)
def test_of_what_the_recipe_says(length: int, alphabet: list[str], characters: str) -> None:
    made = [generated(length, alphabet) for turn in range(200)]
    assert {len(text) for text in made} == {length}
    assert set("".join(made)) <= set(characters)
    assert len(set(made)) == 200


def test_every_character_occurs() -> None:
    assert set(generated(5000, ["ascii_letters", "punctuation"])) == set(string.ascii_letters + string.punctuation)


def test_it_begins_with_a_letter_or_a_digit_and_is_no_template() -> None:
    made = [generated(40, ["a0", "{%#-~'\"!@`&*"]) for turn in range(500)]
    assert {text[0] for text in made} == {"a", "0"}
    assert not [text for text in made if "{{" in text or "{%" in text or "{#" in text]


@pytest.mark.parametrize(
    ("length", "alphabet", "message"),
    [
        (8, ["ascii_letters", "digits"], "can be guessed: 8 of 62 characters"),
        (0, ["ascii_letters"], "can be guessed"),
        (-3, ["ascii_letters"], "can be guessed"),
        (500, ["a"], "can be guessed: 500 of 1 characters"),
        (32, ["punctuation"], "no letter and no digit to begin with"),
        (32, [], "no letter and no digit to begin with"),
        (32, ["ascii_letters", " "], "not visible ASCII"),
        (32, ["ascii_letters", "é"], "not visible ASCII"),
        (32, ["ascii_letters", "\n"], "not visible ASCII"),
        (32, ["letters"], "letters is neither one of ascii_letters, ascii_lowercase"),
        (32, ["ascii-letters"], "neither one of"),
    ],
)
def test_what_is_refused(length: int, alphabet: list[str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        generated(length, alphabet)
