# SPDX-License-Identifier: GPL-3.0-or-later
"""The section `dns` of a policy: what is wrong with it is named with its place, and what is right has one form."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import alignment, connect, policy
from ansible_collections.mailops.odoo.plugins.module_utils._policy import expand, problems

Section = dict[str, Any]
SOUND: Section = {
    "zones": [
        {"zone": "acme.example", "backend": "rfc2136", "server": "192.0.2.53", "key_name": "k", "key_secret": "c2Vj"},
        {"zone": "two.example", "backend": "cloudflare", "api_token": "token", "ttl": 300},
    ],
    "domains": [
        {
            "name": "acme.example",
            "spf": {"all": "-all", "terms": ["a:mx.acme.example"], "remove": ["include:old.example"]},
            "dmarc": {"p": "none", "rua": ["mailto:postmaster@acme.example!10m"], "pct": 50},
            "mx": ["10 mx.acme.example"],
            "records": [{"name": "www.acme.example", "type": "TXT", "values": ["proof=1"]}],
        }
    ],
}  # fmt: skip


def zone(section: Section, **given: Any) -> None:
    section["zones"][0].update(given)


def domain(section: Section, **given: Any) -> None:
    section["domains"][0].update(given)


def record(section: Section, **given: Any) -> None:
    section["domains"][0]["records"][0].update(given)


# What is spoilt → all that is said of it.
WRONG: dict[str, tuple[Callable[[Section], Any], str]] = {
    "an unknown key": (lambda s: s.update(zone=[]), "dns.zone is unknown; known are: domains, zones"),
    "zones that are no list": (lambda s: s.update(zones={}), "dns.zones is no list"),
    "a zone that is none": (lambda s: s["zones"].append("acme.example"), "dns.zones[2] is no dictionary"),
    "a zone twice": (
        lambda s: s["zones"].append({**s["zones"][0], "zone": "ACME.example."}),
        "dns.zones: acme.example is given more than once",
    ),
    "a zone's unknown option": (lambda s: zone(s, serve="x"), "dns.zones[0].serve: a zone has no such option."),
    "no back end": (lambda s: s["zones"][0].pop("backend"), "dns.zones[0] has no backend. It must be one of: rfc2136"),
    "an unknown back end": (
        lambda s: zone(s, backend="ovh"),
        "dns.zones[0].backend is 'ovh'. It must be one of: rfc2136, digitalocean, cloudflare.",
    ),
    "a zone that is no name": (lambda s: zone(s, zone="acme example"), "dns.zones[0].zone is 'acme example': "),
    "a key without its secret": (
        lambda s: zone(s, key_secret=""),
        "dns.zones[0] has no key_secret. The backend rfc2136 needs it.",
    ),
    "a secret that is no text": (lambda s: zone(s, key_secret=["canary"]), "dns.zones[0].key_secret is a secret"),
    "a weak algorithm": (lambda s: zone(s, key_algorithm="hmac-md5"), "dns.zones[0].key_algorithm is 'hmac-md5'."),
    "a token where there is a key": (
        lambda s: zone(s, api_token="canary"),
        "dns.zones[0]: api_token is not for the backend rfc2136",
    ),
    "a server where there is a token": (
        lambda s: s["zones"][1].update(server="192.0.2.53"),
        "dns.zones[1]: server is not for the backend cloudflare",
    ),
    "a TTL of nothing": (lambda s: zone(s, ttl=0), "dns.zones[0].ttl is 0: it must be a number of seconds"),
    "a domain twice": (
        lambda s: s["domains"].append({"name": "Acme.Example"}),
        "dns.domains: acme.example is given more than once",
    ),
    "a domain's null": (
        lambda s: domain(s, mx=None),
        "dns.domains[0].mx cannot be empty; leave it out, and it is not managed",
    ),
    "an unknown part of SPF": (
        lambda s: domain(s, spf={"term": []}),
        "dns.domains[0].spf.term is unknown; known are: all, remove, terms",
    ),
    "a whole record in place of a term": (
        lambda s: domain(s, spf={"terms": ["v=spf1 mx -all"]}),
        "dns.domains[0].spf: 'v=spf1 mx -all' is no term: one word in ASCII",
    ),
    "all among the terms": (
        lambda s: domain(s, spf={"terms": ["-all"]}),
        "dns.domains[0].spf: all is named apart from the other terms",
    ),
    "everybody may send": (
        lambda s: domain(s, spf={"all": "+all"}),
        "dns.domains[0].spf: '+all' would let everybody send",
    ),
    "an all that is none": (
        lambda s: domain(s, spf={"all": ["~all"]}),
        "dns.domains[0].spf.all is ['~all']; write -all, ~all or ?all",
    ),
    "an all of which YAML makes nothing": (
        lambda s: domain(s, spf={"all": None}),
        "dns.domains[0].spf.all is None; write -all, ~all or ?all",
    ),
    "a term there and gone": (
        lambda s: domain(s, spf={"terms": ["mx"], "remove": ["mx"]}),
        "dns.domains[0].spf: 'mx' is to be there and to be removed",
    ),
    "terms that are none": (lambda s: domain(s, spf={"terms": "mx"}), "dns.domains[0].spf.terms is no list of texts"),
    "typographic quotes in SPF": (
        lambda s: domain(s, spf={"terms": ["\u201cmx\u201d"]}),
        "dns.domains[0].spf: it has a typographic quotation mark",
    ),
    "DMARC without a policy": (lambda s: domain(s, dmarc={"pct": 10}), "dns.domains[0].dmarc has no p; it must be one"),
    "an unknown policy": (
        lambda s: domain(s, dmarc={"p": "refuse"}),
        "dns.domains[0].dmarc: p=refuse is no value of this tag",
    ),
    "an unknown tag": (lambda s: domain(s, dmarc={"p": "none", "q": "1"}), "dns.domains[0].dmarc: there is no tag q"),
    "an address in place of a URI": (
        lambda s: domain(s, dmarc={"p": "none", "rua": ["postmaster@acme.example"]}),
        "dns.domains[0].dmarc: 'postmaster@acme.example' is no mailto:address",
    ),
    "a URI in place of a list": (
        lambda s: domain(s, dmarc={"p": "none", "rua": "mailto:postmaster@acme.example"}),
        "dns.domains[0].dmarc.rua is 'mailto:postmaster@acme.example'; write a list",
    ),
    "typographic quotes in DMARC": (
        lambda s: domain(s, dmarc={"p": "none", "rua": ["mailto:a@acme.example\u201d"]}),
        "dns.domains[0].dmarc: it has a typographic quotation mark",
    ),
    "an MX without its priority": (
        lambda s: domain(s, mx=["mx.acme.example"]),
        "dns.domains[0].mx[0] is 'mx.acme.example'; write priority and host, such as 10 mx.acme.example",
    ),
    "an MX at an address": (
        lambda s: domain(s, mx=["10 192.0.2.1"]),
        "dns.domains[0].mx[0] is '10 192.0.2.1'; write priority and host, such as 10 mx.acme.example",
    ),
    "an MX without its domain": (
        lambda s: domain(s, mx=["10 mx"]),
        "dns.domains[0].mx[0] is '10 mx'; write priority and host, such as 10 mx.acme.example",
    ),
    "a further MX without its domain": (
        lambda s: record(s, type="MX", values=["10 mx"]),
        "dns.domains[0].records[0].values: '10 mx' names no full host",
    ),
    "an MX that is no text": (lambda s: domain(s, mx=[10]), "dns.domains[0].mx[0] is 10; write priority and host"),
    "a null MX": (lambda s: domain(s, mx=["0 ."]), "dns.domains[0].mx[0] is a null MX"),
    "a record that is none": (lambda s: domain(s, records=["www"]), "dns.domains[0].records[0] is no dictionary"),
    "a record of another domain": (
        lambda s: record(s, name="www.other.example"),
        "dns.domains[0].records[0].name is 'www.other.example', which is not below acme.example; write the whole name",
    ),
    "a name that only ends alike": (lambda s: record(s, name="notacme.example"), "which is not below acme.example"),
    "a doubled zone": (
        lambda s: record(s, name="www.acme.example.acme.example."),
        "dns.domains[0].records[0].name is 'www.acme.example.acme.example': it has acme.example twice",
    ),
    "a record without values": (lambda s: record(s, values=[]), "dns.domains[0].records[0] has no values"),
    "values that are none": (lambda s: record(s, values=[1]), "dns.domains[0].records[0].values is no list of texts"),
    "a value that is no address": (
        lambda s: record(s, type="A", values=["mx"]),
        "dns.domains[0].records[0].values: 'mx' is no value of a A record",
    ),
    "a delegation": (lambda s: record(s, type="NS"), "dns.domains[0].records[0].type is 'NS'. It must be one of: A, "),
    "SPF beside spf": (
        lambda s: record(s, values=["v=spf1 -all"]),
        "dns.domains[0].records[0] is an SPF record. Say its terms under spf.",
    ),
    "DMARC beside dmarc": (
        lambda s: record(s, name="_dmarc.acme.example"),
        "dns.domains[0].records[0] is a DMARC record. Say its tags under dmarc.",
    ),
    "MX beside mx": (
        lambda s: record(s, name="acme.example", type="MX", values=["10 mx.acme.example"]),
        "dns.domains[0].records[0] is the MX record of acme.example; say it under mx",
    ),
}


def whole(section: Any) -> dict[str, Any]:
    return {"version": 1, "odoo": {}, "dns": section, "inbound": {"domains": []}}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_what_is_wrong_is_named_with_its_place(case: str) -> None:
    spoil, expected = WRONG[case]
    section = copy.deepcopy(SOUND)
    spoil(section)
    (found,) = problems(whole(section))
    assert expected in found
    assert "canary" not in found


def test_a_sound_section_has_no_problems() -> None:
    assert problems(whole(SOUND)) == []
    assert problems(whole({})) == []


@pytest.mark.parametrize("section", [None, [], "zones"])
def test_a_section_that_is_none(section: Any) -> None:
    assert problems(whole(section)) == ["dns is no dictionary"]


def test_without_its_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "IMPORT_ERROR", "No module named 'publicsuffixlist'")
    assert problems(whole(SOUND)) == [
        "dns: install the Python library publicsuffixlist on the machine that runs Ansible"
    ]
    # Who does not use the section does not need them.
    without = whole(SOUND)
    del without["dns"]
    assert problems(without) == []


def test_as_it_is_applied_names_and_values_have_one_form() -> None:
    section: Section = {
        "zones": [{**SOUND["zones"][0], "zone": "ACME.example."}],
        "domains": [
            {
                "name": "b\u00fccher.Example.",
                "spf": {"all": "-ALL"},
                "mx": ["10 MX.acme.example."],
                "records": [{"name": "WWW.b\u00fccher.example", "type": "CNAME", "values": ["Host.example."]}],
            }
        ],
    }
    before = copy.deepcopy(section)
    applied = expand(whole(section))["dns"]
    assert section == before
    assert applied["zones"][0]["zone"] == "acme.example"
    assert applied["domains"] == [
        {
            "name": "xn--bcher-kva.example",
            "spf": {"all": "-all"},
            "mx": ["10 mx.acme.example"],
            "records": [{"name": "www.xn--bcher-kva.example", "type": "CNAME", "values": ["host.example"]}],
        }
    ]
    assert expand(whole(applied))["dns"] == applied


@pytest.mark.parametrize(
    "unsound",
    [
        {"zones": {}, "domains": [3, {}, {"name": "acme.example", "mx": ["mx"]}]},
        {"zones": [None], "domains": [{"name": "acme.example", "records": [{"name": "x"}, 4], "mx": 5}]},
    ],
)
def test_what_is_unsound_stays_for_the_check_to_name(unsound: Section) -> None:
    assert expand(whole(unsound))["dns"] == unsound


def test_a_zone_says_what_the_modules_take() -> None:
    spec = connect.connection_spec()
    fields = {field.name: field for field in policy.ZONE.fields}
    assert set(fields) == {*spec, "ttl"}
    for name, option in spec.items():
        assert fields[name].type == option["type"].replace("path", "str")
        assert list(fields[name].choices) == option.get("choices", [])
        assert fields[name].secret == option.get("no_log", False)
    assert connect.NEEDED[policy.RFC2136] == policy.NEEDED


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acme.example", "acme.example"),
        ("x.mg.acme.example", "mg.acme.example"),
        ("mg.acme.example", "mg.acme.example"),
        ("notacme.example", None),
    ],
)
def test_the_zone_of_a_name_is_the_longest(name: str, expected: str | None) -> None:
    zones = [{"zone": "acme.example"}, {"zone": "mg.acme.example"}]
    assert policy.zone_of(zones, name) == expected
