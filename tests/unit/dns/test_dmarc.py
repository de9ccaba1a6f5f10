# SPDX-License-Identifier: GPL-3.0-or-later
"""DMARC records: merged tag by tag, and where their reports may go."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dmarc

POSTMASTER = "mailto:postmaster@acme.example"


@pytest.mark.parametrize(
    ("text", "wished", "merged"),
    [
        ("", {"rua": [POSTMASTER], "p": "none"}, f"v=DMARC1; p=none; rua={POSTMASTER}"),
        ("", {"p": "reject", "pct": 50, "sp": "none"}, "v=DMARC1; p=reject; sp=none; pct=50"),
        ("v=DMARC1; p=none", {"rua": [POSTMASTER, "mailto:x@y.example!10m"]},
         f"v=DMARC1; p=none; rua={POSTMASTER},mailto:x@y.example!10m"),
        ("v=DMARC1;p=none;fo=1;x=y", {"p": "quarantine"}, "v=DMARC1; p=quarantine; fo=1; x=y"),
        # What means the same stays, byte for byte.
        (f"v=DMARC1;p=NONE;rua={POSTMASTER} , mailto:b@acme.example;",
         {"p": "none", "rua": ["mailto:b@acme.example", POSTMASTER]}, None),
        ("v=DMARC1; p=none", {"adkim": "r", "pct": 100, "fo": "0"}, None),
        ("v=DMARC1; p=none; fo=1:d", {"fo": "d:1"}, None),
        ("v=DMARC1; p=none; pct=050", {"pct": 50}, None),
        ("v=DMARC1; p=none; ri=03600", {"ri": 3600}, None),
        ("v=DMARC1; p=none", {}, None),
        # A mistake in what is replaced does not matter.
        ("v=DMARC1; p=none; rua=postmaster@acme.example", {"rua": [POSTMASTER]}, f"v=DMARC1; p=none; rua={POSTMASTER}"),
        ("v=DMARC1; p=none; pct=all", {"pct": 100}, "v=DMARC1; p=none; pct=100"),
        (f"v=DMARC1; rua={POSTMASTER}", {"p": "none"}, f"v=DMARC1; p=none; rua={POSTMASTER}"),
    ],
)  # fmt: skip
def test_merging(text: str, wished: dict[str, Any], merged: str | None) -> None:
    once = dmarc.merge(text, wished)
    assert once == (text if merged is None else merged)
    assert dmarc.merge(once, wished) == once


@pytest.mark.parametrize(
    ("text", "wished", "told"),
    [
        ("", {"rua": [POSTMASTER]}, "a new record needs the tag p"),
        ("", {"p": "block"}, "p=block is no value of this tag"),
        ("", {"p": "none", "q": "x"}, "there is no tag q in DMARC"),
        ("", {"p": "none", "pct": 101}, "pct=101 is no value"),
        ("", {"p": "none", "rua": []}, "the tag rua is empty"),
        ("", {"p": "none", "rua": ["postmaster@acme.example"]}, "is no mailto:address"),
        ("", {"p": "none", "rua": ["mailto:a@acme.example, b@acme.example"]}, "is no mailto:address"),
        ("", {"p": "none", "rua": ["\u201cmailto:a@acme.example\u201d"]}, "typographic"),
        ("", {"p": "none", "rua": ["mailto:a@b\u00fccher.example"]}, "write its xn-- form"),
        ("p=none; v=DMARC1", {"p": "none"}, "v=DMARC1 must be its first tag"),
        ("v=DMARC1; rua=" + POSTMASTER, {"pct": 1}, "no tag p"),
        ("v=DMARC1; p=\u201cnone\u201d", {"p": "none"}, "typographic"),
        ("v=DMARC1; p=none; rua=postmaster@acme.example", {"p": "reject"}, "is no mailto:address"),
        ("v=DMARC1 p=none", {"p": "none"}, "v=DMARC1 must be"),
    ],
)
def test_what_cannot_be_merged(text: str, wished: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        dmarc.merge(text, wished)


def test_policies_have_an_order() -> None:
    assert dmarc.strength("none") < dmarc.strength("quarantine") < dmarc.strength("reject")


@pytest.mark.parametrize(
    ("reported_to", "names"),
    [
        ([POSTMASTER, "mailto:x@mg.acme.example"], {}),
        (
            ["mailto:a@Reports.Other.Example!10m,mailto:b@reports.other.example", "mailto:c@b\u00fccher.example"],
            {
                "reports.other.example": "mg.acme.example._report._dmarc.reports.other.example",
                "xn--bcher-kva.example": "mg.acme.example._report._dmarc.xn--bcher-kva.example",
            },
        ),
    ],
)
def test_where_reports_may_go(reported_to: list[str], names: dict[str, str]) -> None:
    assert dmarc.external("MG.acme.example.", reported_to) == names


@pytest.mark.parametrize(
    ("text", "looks", "is_one"),
    [
        ("v=DMARC1; p=none", True, True),
        ("v = DMARC1;p=none", True, True),
        ("v=DMARC1", True, True),
        ("\u201cv=DMARC1; p=none\u201d", True, False),
        ("v=\u201cDMARC1\u201d; p=none", True, False),
        ("v=dmarc1; p=none", True, False),
        ("v=DMARC12; p=none", True, False),
        ("google=1", False, False),
    ],
)
def test_what_a_record_looks_like(text: str, looks: bool, is_one: bool) -> None:
    assert (dmarc.looks_like(text), dmarc.is_dmarc(text)) == (looks, is_one)
