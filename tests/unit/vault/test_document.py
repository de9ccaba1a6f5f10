# SPDX-License-Identifier: GPL-3.0-or-later
"""One variable of a text changes; every other character stays, and every other value reads as before."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.document import (
    Document,
    changes_only,
    literal,
)
from hypothesis import assume, given
from hypothesis import strategies as st

WHERE = "vault.yml"
SEALED = "$ANSIBLE_VAULT;1.1;AES256\n6162\n6364\n"


class Loader(yaml.SafeLoader):
    """Reads Ansible's tags: what is !unsafe is a text, a vault text is told from others by its type."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
Loader.add_constructor("!vault", lambda loader, node: ("vault", loader.construct_scalar(node).strip()))


def loaded(text: str) -> Any:
    return yaml.load(text, Loader=Loader) or {}


# What YAML and Jinja give a meaning to, line ends and spaces, and what YAML has to escape.
TEXTS = st.text("a0 {}%#:'\"-&*!|>?,[]\\\t\n\r\x00\x85\u2028\ufeffé", min_size=1, max_size=8) | st.sampled_from(
    ["{{ vault_a }}", "{% x %}", "{#", "yes", "0123", "1e3", "null", "~", "=", "<<", "2026-01-01", "a: b", "- x", "---"]
)
# How a person may write a value; what stands for the newline is replaced by it.
VALUES = st.sampled_from(
    [
        " plain",
        " plain  # why",
        "   'single ''quoted'''   # why",
        ' "double \\" \\u00e9"',
        ' "over\n    two lines"  # why',
        "\n  on the next line # why",
        "",
        "  # nothing yet",
        " 123",
        " |\n  a block\n    of lines\n",
        " >-  # why\n   folded\n   lines\n\n",
        " |+\n  kept\n\n",
        " !unsafe 'a {{ text }}'",
        " !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          3132\n          3334",
        " !vault |-  # why\n   $ANSIBLE_VAULT;1.2;AES256;prod\n   3132\n\n",
        ' !vault "$ANSIBLE_VAULT;1.1;AES256\\n3132"',
    ]
)
OTHERS = VALUES | st.sampled_from(
    [
        " [1, 'two', {a: b}]",
        "\n  - one # first\n  - two",
        "\n  deep:\n    er: !vault |\n      $ANSIBLE_VAULT;1.1\n      12",
    ]
)
BETWEEN = st.sampled_from(["", "\n", "# a comment\n", "\n# key: value\n\n", " # indented\n"])


@st.composite
def parts(draw: st.DrawFn) -> tuple[str, str, str]:
    """Return a text as what is before a variable `key`, its own lines, and what is after."""
    before = "".join(f"{draw(BETWEEN)}a{n}:{draw(OTHERS)}\n" for n in range(draw(st.integers(0, 2))))
    after = "".join(f"{draw(BETWEEN)}z{n}:{draw(OTHERS)}\n" for n in range(draw(st.integers(0, 2))))
    start = draw(st.sampled_from(["", "---\n", "# first\n---\n", "\ufeff"]))
    end = draw(st.sampled_from(["", "# last\n", "\n\n", "...\n"]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    key = f"{draw(st.sampled_from(['key', 'key ']))}:{draw(VALUES)}\n"
    whole = start + before + draw(BETWEEN), key, after + end
    return tuple(part.replace("\n", newline) for part in whole)  # type: ignore[return-value]


@given(parts(), TEXTS)
def test_a_value_is_replaced(whole: tuple[str, str, str], value: str) -> None:
    before, key, after = whole
    new = Document("".join(whole), WHERE).with_text("key", value)
    assert new.startswith(before) and new.endswith(after)
    assert ("# why" in key or "# nothing" in key) <= ("# why" in new or "# nothing" in new)
    assert loaded(new) == {**loaded("".join(whole)), "key": value}
    entry = Document(new, WHERE).entry("key")
    assert entry and literal(entry, WHERE) == value  # so it is not taken for a template


@given(parts())
def test_a_vault_text_is_replaced(whole: tuple[str, str, str]) -> None:
    before, key, after = whole
    new = Document("".join(whole), WHERE).with_vault_text("key", SEALED)
    assert new.startswith(before) and new.endswith(after)
    assert ("# why" in key or "# nothing" in key) <= ("# why" in new or "# nothing" in new)
    assert loaded(new) == {**loaded("".join(whole)), "key": ("vault", SEALED.strip())}
    assert "\r\n" not in "".join(whole) or new.count("\r\n") == new.count("\n")


@given(parts(), TEXTS, st.booleans())
def test_a_variable_is_added_and_removed(whole: tuple[str, str, str], value: str, vaulted: bool) -> None:
    text = "".join(whole)
    old = Document(text, WHERE)
    new = old.with_vault_text("new", SEALED) if vaulted else old.with_text("new", value)
    assert loaded(new) == {**loaded(text), "new": ("vault", SEALED.strip()) if vaulted else value}
    assert list(loaded(new))[-1] == "new"
    assert Document(new, WHERE).without("new") == text


@given(parts())
def test_a_variable_s_lines_are_removed(whole: tuple[str, str, str]) -> None:
    before, key, after = whole
    # Blank lines below a block belong to nothing.
    blank = key[len(key.rstrip()) :].partition("\n")[2]
    # Refused, see below: a block that keeps its blank lines would get these too, and "..." would stand alone.
    assume("|+" not in before and not ("..." in after and len(Document("".join(whole), WHERE).entries) == 1))
    assert Document("".join(whole), WHERE).without("key") == before + blank + after


@pytest.mark.parametrize("text", ["a: |+\n  kept\n\nkey: |\n  gone\n\n", "key: gone\n...\n"])
def test_a_removal_that_would_change_more_is_refused(text: str) -> None:
    """The block above would be longer; nothing but the end of a document is no document."""
    with pytest.raises(ValidationError, match="key cannot be changed in vault.yml without touching something else"):
        Document(text, WHERE).without("key")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: plain\n", "new: plain"),
        ("a: 'single'\nb: 12\n", "new: 'plain'"),
        ('a: "double"\nb: |\n  block\n', 'new: "plain"'),
        ("", 'new: "plain"'),
        ("---\n# nothing yet\n", 'new: "plain"'),
        ("  a: indented\n", "  new: plain"),
    ],
)
def test_a_new_text_is_quoted_as_its_neighbours(text: str, line: str) -> None:
    assert Document(text, WHERE).with_text("new", "plain") == text + line + "\n"


def test_the_quotes_stay_where_they_can() -> None:
    text = "a: plain\nb: 'single'\nc: \"double\"\n"
    for key, line in (("a", "a: new"), ("b", "b: 'new'"), ("c", 'c: "new"')):
        assert line in Document(text, WHERE).with_text(key, "new").splitlines()
    assert "a: '12'" in Document(text, WHERE).with_text("a", "12").splitlines()


def test_a_vault_text_is_indented_as_the_others() -> None:
    text = "a: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    3132\n"
    assert Document(text, WHERE).with_vault_text("b", SEALED) == text + dedent(
        """\
        b: !vault |
            $ANSIBLE_VAULT;1.1;AES256
            6162
            6364
        """
    )
    alone = Document("# none yet", WHERE).with_vault_text("b", SEALED)
    assert alone.splitlines()[:3] == ["# none yet", "b: !vault |", " " * 10 + "$ANSIBLE_VAULT;1.1;AES256"]


def test_a_text_without_a_last_line_end_gets_one() -> None:
    vaulted = "a: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    3132"
    for text in ("a: b", vaulted):
        assert Document(text, WHERE).with_text("b", "c") == text + "\nb: " + ("c\n" if text == "a: b" else '"c"\n')
    # Here the line end would be added to the value.
    with pytest.raises(ValidationError, match="without touching something else"):
        Document("a: |\n  b", WHERE).with_text("b", "c")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("text", "text"),
        ("'12'", "12"),
        ("12", "12"),
        ("007", "7"),  # YAML reads it as octal, and so does Ansible
        ("yes", "True"),
        ("2026-01-01", "2026-01-01"),
        ("", ""),
        ("~", ""),
        ('""', ""),
        ("!unsafe 'a {{ b }}'", "a {{ b }}"),
    ],
)
def test_a_value_reads_as_ansible_shows_it(value: str, read: str) -> None:
    entry = Document(f"a: {value}\n", WHERE).entry("a")
    assert entry and literal(entry, WHERE) == read


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[hunter2]", "a in vault.yml is a list, a mapping or an alias"),
        ("{hunter2: hunter2}", "is a list, a mapping or an alias"),
        ("\n  - hunter2", "is a list, a mapping or an alias"),
        ("'{{ hunter2 }}'", "a in vault.yml is a template"),
        ("!!binary hunter2=", "is not a text"),
        ("!!hunter {a: b}", "is a list, a mapping or an alias"),
        ("=", "is not a text"),
        ("2026-13-13", "is not a text"),
    ],
)
def test_what_is_no_text(value: str, message: str) -> None:
    entry = Document(f"a: {value}\n", WHERE).entry("a")
    assert entry
    with pytest.raises(ValidationError, match=message) as error:
        literal(entry, WHERE)
    assert "hunter2" not in error.value.text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b\nb: hunter2: hunter2\n", "no valid YAML from line 2 on"),
        ("a: b\n*hunter2\n", "no valid YAML"),
        ("a: !hunter2!x y\n", "no valid YAML from line 1 on"),
        ("a: hunter2\x07\n", "no valid YAML"),
        ("- hunter2\n", "not a mapping with a line for each variable"),
        ("hunter2\n", "not a mapping"),
        ("{a: hunter2}\n", "not a mapping"),
        ("a: hunter2\n---\nb: c\n", "several YAML documents"),
    ],
)
def test_a_text_of_another_form_is_refused_without_a_word_of_it(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as error:
        Document(text, WHERE)
    assert "hunter2" not in error.value.text()
    assert error.value.__suppress_context__ or error.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x hunter2\nb: *x\n", "has an anchor or is an alias"),
        ("b: &x hunter2\na: *x\n", "has an anchor or is an alias"),
        ("a: [hunter2]\n", "is a list or a mapping"),
        ("? a\n: hunter2\n", "not written as a line"),
        ("&x a: hunter2\nb: *x\n", "has an anchor or is an alias"),
    ],
)
def test_what_is_not_changed(text: str, message: str) -> None:
    document = Document(text, WHERE)
    for change in (
        lambda: document.with_text("a", "new"),
        lambda: document.with_vault_text("a", SEALED),
        lambda: document.without("a"),
    ):
        with pytest.raises(ValidationError, match=message) as error:
            change()
        assert "hunter2" not in error.value.text()


def test_a_key_given_twice_is_refused() -> None:
    document = Document("a: 1\nb: 2\na: 3\n", WHERE)
    with pytest.raises(ConflictError, match="a is there 2 times in vault.yml"):
        document.entry("a")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a: new\nb: 2\nc: 3\n", True),
        ("a: !unsafe new\nb: 2\nc: 3\n", True),
        ("a: other\nb: 2\nc: 3\n", False),
        ("a: !vault new\nb: 2\nc: 3\n", False),
        ("b: 2\nc: 3\n", False),
        ("a: new\na: new\nb: 2\nc: 3\n", False),
        ("a: new\nb: changed\nc: 3\n", False),
        ("a: new\nb: '2'\nc: 3\n", False),
        ("a: new\nb: &x 2\nc: 3\n", False),
        ("a: new\nb: 2\n", False),
        ("a: new\nc: 3\nb: 2\n", False),
        ("a: new\nb: 2\nc: 3\nd: 4\n", False),
        ("a: new\nb: 2: 2\n", False),
    ],
)
def test_a_change_is_looked_at_before_it_counts(text: str, right: bool) -> None:
    old = Document("a: 1\nb: 2\nc: 3\n", WHERE)
    assert changes_only(old, text, "a", ("tag:yaml.org,2002:str", "!unsafe"), "new") is right


def test_a_removal_is_looked_at_before_it_counts() -> None:
    old = Document("a: 1\nb: 2\n", WHERE)
    assert changes_only(old, "b: 2\n", "a", (), "")
    assert not changes_only(old, "a: 1\nb: 2\n", "a", (), "")
    assert not changes_only(old, "b: 3\n", "a", (), "")
