# SPDX-License-Identifier: GPL-3.0-or-later
"""TXT values in parts and quotation marks, and organisations."""

from __future__ import annotations

import os
import subprocess
import sys

import dns.rdata
import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import alignment, txt, values
from hypothesis import given
from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=700)


@given(texts)
def test_what_is_quoted_is_read_back(value: str) -> None:
    """By us and, as zone files are read, by dnspython."""
    quoted = txt.quoted(value)
    assert quoted.isascii() and quoted.isprintable()
    assert txt.unquoted(quoted) == value
    rdata = dns.rdata.from_text("IN", "TXT", quoted)
    assert list(rdata.strings) == txt.parts(value)
    assert values.found(rdata) == value


@given(texts)
def test_no_part_is_too_long(value: str) -> None:
    parts = txt.parts(value)
    assert b"".join(parts) == value.encode()
    assert all(len(part) <= txt.LONGEST for part in parts)
    assert len(parts) == max(1, -(-len(value.encode()) // txt.LONGEST))


def test_quotation_marks() -> None:
    assert txt.quoted('say "a\\b"') == r'"say \"a\\b\""'
    assert txt.quoted("\u00fc\n") == r'"\195\188\010"'
    assert txt.unquoted('say "a"') == 'say "a"'
    with pytest.raises(ValueError, match="is no value of a TXT record"):
        txt.unquoted('"v=spf1')


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("v=spf1 a mx -all", "v=spf1 mx a -all", True),
        ("v=DMARC1;p=none", "v=DMARC1; p=NONE; pct=100", True),
        ("v=DMARC1", "v=DMARC1 ;", True),
        ("v=DMARC1", "v=DMARC1; rua=mailto:a@acme.example", False),
        ("v=DKIM1; p=", "p=", True),
        ("v=spf1 moo", "v=spf1  moo", False),
        ("owner=1", "Owner=1", False),
    ],
)
def test_meaning(one: str, other: str, same: bool) -> None:
    assert (txt.meaning(one) == txt.meaning(other)) is same


def test_keys_are_texts_where_nothing_reads_them() -> None:
    """Modules that need no dkimpy meet keys all the same."""
    script = (
        "import sys; sys.modules['dkim'] = None; "
        "from ansible_collections.mailops.odoo.plugins.module_utils._dns import txt; "
        "print(txt.meaning('v=DKIM1; p=AAAA') == txt.meaning('p=AAAA'), txt.meaning('v=spf1 ~ALL'))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.startswith("False ('SPF'"), done.stderr


@pytest.mark.parametrize(
    ("domain", "organization"),
    [
        ("Mg.Acme.Example.", "acme.example"),
        ("a.b.acme.co.uk", "acme.co.uk"),
        ("co.uk", "co.uk"),
        ("news.b\u00fccher.example", "xn--bcher-kva.example"),
        ("www.city.kawasaki.jp", "city.kawasaki.jp"),
        ("a.b.kawasaki.jp", "a.b.kawasaki.jp"),
        ("a.github.io", "a.github.io"),
    ],
)
def test_organisations(domain: str, organization: str) -> None:
    """By the list's rules, its exceptions and its wildcards."""
    assert alignment.organizational(domain) == organization


@pytest.mark.parametrize(
    ("one", "other", "relaxed", "strict"),
    [
        ("acme.example", "ACME.example.", True, True),
        ("acme.example", "mg.acme.example", True, False),
        ("news.acme.example", "mg.acme.example", True, False),
        ("acme.co.uk", "other.co.uk", False, False),
        ("a.github.io", "b.github.io", False, False),
        ("b\u00fccher.example", "mg.xn--bcher-kva.example", True, False),
        ("acme.example", "", False, False),
        ("", "", False, False),
        ("acme..example", "acme..example", False, False),
    ],
)
def test_alignment(one: str, other: str, relaxed: bool, strict: bool) -> None:
    assert (alignment.aligned(one, other), alignment.aligned(one, other, strict=True)) == (relaxed, strict)
