# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailgun's DNS records as the DNS modules take them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.records import awaited, published, shaped

NAME = "mg.acme.example"
SPF = "v=spf1 include:mailgun.org ~all"


def entry(kind: str, value: str, valid: Any = "unknown", **more: Any) -> dict[str, Any]:
    return {"is_active": True, "cached": [], "record_type": kind, "valid": valid, "value": value, **more}


def test_a_record_is_shaped() -> None:
    assert shaped([entry("TXT", SPF, "valid", name="MG.acme.example.")], NAME) == [
        {"name": NAME, "type": "TXT", "values": [SPF], "ttl": None, "valid": True, "state": "valid"}
    ]


@pytest.mark.parametrize(
    ("valid", "state"),
    [("valid", "valid"), ("unknown", "unknown"), ("invalid", "invalid"), ("", "invalid"), (True, "invalid")],
)
def test_valid_is_a_word_and_not_a_truth(valid: Any, state: str) -> None:
    (record,) = shaped([entry("TXT", SPF, valid, name=NAME)], NAME)
    assert (record["state"], record["valid"]) == (state, state == "valid")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (SPF, SPF),
        (f'"{SPF}"', SPF),
        ('"k=rsa; p=AAA" "BBB"', "k=rsa; p=AAABBB"),
        (r'"a \"b\" \\"', 'a "b" \\'),
        ('say "so"', 'say "so"'),
        ('"', '"'),
    ],
)
def test_a_text_is_one_and_has_no_quotes(given: str, text: str) -> None:
    assert shaped([entry("TXT", given, name=NAME)], NAME)[0]["values"] == [text]


def test_mx_records_have_the_name_of_the_domain_and_are_one_set() -> None:
    given = [
        entry("MX", "MXA.mailgun.org.", "valid", priority="10"),
        entry("MX", "mxb.mailgun.org", "unknown", priority=20),
        entry("MX", "mxc.mailgun.org"),
    ]
    assert shaped(given, NAME) == [
        {
            "name": NAME,
            "type": "MX",
            "values": ["10 mxa.mailgun.org", "20 mxb.mailgun.org", "10 mxc.mailgun.org"],
            "ttl": None,
            "valid": False,
            "state": "unknown",
        }
    ]


def test_a_name_that_has_the_zone_twice_stays() -> None:
    """It is what Mailgun looks up, wrong as it may look."""
    doubled = "pdk1._domainkey.mg.acme.example.mg.acme.example"
    assert shaped([entry("CNAME", "pdk1.example.", name=doubled)], NAME)[0]["name"] == doubled


@pytest.mark.parametrize("nothing", [None, [], [None]])
def test_no_records(nothing: Any) -> None:
    assert shaped(nothing, NAME) == []


def test_mx_records_are_published_only_for_inbound_mail() -> None:
    sending, receiving = shaped([entry("TXT", SPF, name=NAME)], NAME), shaped([entry("MX", "mxa.mailgun.org")], NAME)
    assert published(sending, receiving, inbound=False) == sending
    assert published(sending, receiving, inbound=True) == [*sending, *receiving]


def test_what_verification_waits_for() -> None:
    sending = shaped(
        [
            entry("TXT", SPF, "valid", name=NAME),
            entry("CNAME", "pdk1.mgsend.org", "invalid", name=f"pdk1._domainkey.{NAME}"),
            entry("CNAME", "mailgun.org", "unknown", name=f"email.{NAME}"),
        ],
        NAME,
    )
    waiting = [record["name"] for record in awaited(sending, "email", NAME, tracked=False)]
    assert waiting == [f"pdk1._domainkey.{NAME}"]
    assert [record["name"] for record in awaited(sending, "Email", NAME, tracked=True)] == [*waiting, f"email.{NAME}"]
