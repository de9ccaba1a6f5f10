# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets and platforms as data, and what a policy becomes with them."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.filter import policy_expanded
from ansible_collections.mailops.odoo.plugins.module_utils._dns import policy as dns
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.presets import (
    KEPT,
    LOGIN,
    OWN,
    PLATFORMS,
    PRESETS,
    PURPOSES,
    by_host,
    spf,
)
from ansible_collections.mailops.odoo.plugins.module_utils._policy import expand, problems

ROOT = Path(__file__).resolve().parents[3]
Policy = dict[str, Any]

# Which kinds of encryption a port can have at all (RFC 8314, and the providers' own ports).
FITTING = {
    25: {"none", "starttls"},
    465: {"ssl"},
    2465: {"ssl"},
    587: {"starttls"},
    2525: {"starttls"},
    2587: {"starttls"},
}
SIDES = [(name, region) for name, preset in PRESETS.items() for region in preset.regions or [""]]


def policy(*servers: dict[str, Any], **section: Any) -> Policy:
    named = [
        {"name": f"Server {number}", "from_filter": ["a@acme.example"], **item} for number, item in enumerate(servers)
    ]
    return {"version": 1, "odoo": {"version": 19, "servers": named, **section}, "inbound": {"domains": []}}


def servers(given: Policy) -> list[dict[str, Any]]:
    """Return the servers as they are applied, without what every one of these tests gives."""
    applied: list[dict[str, Any]] = expand(given)["odoo"]["servers"]
    return [{key: value for key, value in item.items() if key not in ("name", "from_filter")} for item in applied]


@pytest.mark.parametrize(("name", "region"), SIDES)
def test_a_preset_makes_a_sound_server(name: str, region: str) -> None:
    item = {"provider": name, "smtp_user": "a@acme.example", "purpose": PRESETS[name].suitable_for[0]}
    if region:
        item["region"] = region
    if not PRESETS[name].regions:
        item["smtp_host"] = "relay.acme.example"
    given = policy(item)
    assert problems(given) == []
    (applied,) = servers(given)
    assert set(applied) == {"smtp_host", "smtp_port", "encryption", "smtp_user"}
    assert addresses.domain(applied["smtp_host"]) == applied["smtp_host"]
    assert applied["encryption"] == PRESETS[name].ports[applied["smtp_port"]]


@pytest.mark.parametrize("name", PRESETS)
def test_the_data_fits_together(name: str) -> None:
    preset = PRESETS[name]
    assert preset.ports
    assert all(encryption in FITTING[port] for port, encryption in preset.ports.items())
    assert preset.senders in ("", "login", "mailbox", "domain")
    assert set(preset.suitable_for) <= set(PURPOSES)
    assert preset.suitable_for
    assert bool(preset.limit) == (preset.suitable_for != PURPOSES)
    assert all(source.startswith("https://") for source in preset.sources)
    assert preset.sources
    assert all(by_host(host.upper()) == name for host in preset.regions.values())


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_said_of_spf_fits_together(name: str) -> None:
    preset = PRESETS[name]
    assert set(preset.spf) <= {"", *preset.regions}
    assert preset.envelope in (KEPT, LOGIN, OWN)
    assert preset.spf_source.startswith("https://") == bool(preset.spf)
    for terms in preset.spf.values():
        assert list(dns.terms(list(terms), name)) == []
        # Whose domain receivers see has to let its own servers send.
        assert terms or preset.envelope == OWN


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({"provider": "mailgun", "region": "eu"}, ("include:mailgun.org",)),
        ({"provider": "zoho-pro", "region": "com.au"}, ("include:zohomail.com.au",)),
        ({"provider": "zoho"}, ("include:zohomail.com",)),
        ({"provider": "zoho", "smtp_host": "smtp.zoho.eu"}, ("include:zohomail.eu",)),
        ({"provider": "zoho", "region": "ca"}, None),
        ({"smtp_host": "SMTP.zoho.jp"}, ("include:zohomail.jp",)),
        ({"smtp_host": "smtp.sendgrid.net"}, ()),
        ({"smtp_host": "smtp.outlook.com"}, ("include:spf.protection.outlook.com",)),
        ({"provider": "mailgun", "spf": []}, ()),
        ({"provider": "relay", "smtp_host": "mx.acme.example"}, None),
        ({"smtp_authentication": "cli"}, None),
    ],
)
def test_the_terms_of_a_server(server: dict[str, Any], expected: tuple[str, ...] | None) -> None:
    assert spf(server) == expected


def test_platforms_say_where_they_say_so() -> None:
    assert all(platform.blocked and platform.source.startswith("https://") for platform in PLATFORMS.values())
    assert by_host("smtp.acme.example") == ""


def test_what_is_given_goes_before_the_preset() -> None:
    given = {"provider": "zoho", "smtp_host": "mail.zoho.com", "smtp_port": 587, "intent": "Orders", "purpose": "bulk"}
    assert servers(policy(given)) == [{"smtp_host": "mail.zoho.com", "smtp_port": 587, "encryption": "starttls"}]
    assert servers(policy({"provider": "zoho", "encryption": "starttls"})) == [
        {"smtp_host": "smtp.zoho.com", "smtp_port": 587, "encryption": "starttls"}
    ]
    # A port that the provider is not known to have says nothing of its encryption.
    assert servers(policy({"provider": "zoho", "smtp_port": 26})) == [{"smtp_host": "smtp.zoho.com", "smtp_port": 26}]


def test_the_port_is_one_that_the_platform_lets_through() -> None:
    mailgun = {"provider": "mailgun", "region": "eu"}
    assert servers(policy(mailgun))[0]["smtp_port"] == 587
    (applied,) = servers(policy(mailgun, platform="digitalocean"))
    assert applied == {"smtp_host": "smtp.eu.mailgun.org", "smtp_port": 2525, "encryption": "starttls"}
    assert problems(policy(mailgun, platform="digitalocean")) == []


def test_a_server_of_odoo_conf_takes_nothing_from_a_preset() -> None:
    assert servers(policy({"provider": "mailgun", "smtp_authentication": "cli"})) == [{"smtp_authentication": "cli"}]


def test_expansion_changes_nothing_it_is_given_and_is_done_once() -> None:
    given = policy(
        {"provider": "ses", "region": "eu-west-1", "purpose": "bulk"}, platform="aws", unmanaged_servers="ignore"
    )
    before = copy.deepcopy(given)
    applied = policy_expanded.FilterModule().filters()["policy_expanded"](given)
    assert given == before
    assert expand(applied) == applied
    assert {key: value for key, value in applied["odoo"].items() if key != "servers"} == {
        "version": 19, "platform": "aws", "unmanaged_servers": "ignore",
    }  # fmt: skip
    assert applied["inbound"] == {"domains": []}


@pytest.mark.parametrize(
    "unsound", [{}, {"odoo": []}, {"odoo": {"servers": {}}}, {"odoo": {"servers": [3, {"provider": []}]}}]
)
def test_what_is_unsound_stays_for_the_check_to_name(unsound: Policy) -> None:
    expanded = expand(unsound)
    assert expanded in (unsound, {"odoo": {"servers": [3, {}]}})


WRONG: dict[str, tuple[Policy, str]] = {
    "version as text": (policy(version="19"), "odoo.version is '19'; it must be one of 14, 15, 16, 17, 18, 19"),
    "unknown version": (policy(version=13), "odoo.version is 13; it must be one of 14, 15, 16, 17, 18, 19"),
    "yes as version": (policy(version=True), "odoo.version is True; it must be one of 14, 15, 16, 17, 18, 19"),
    "no version": (policy(version=None), "odoo.version is None; it must be one of 14, 15, 16, 17, 18, 19"),
    "platform": (
        policy(platform="digitalocan"), "odoo.platform is 'digitalocan'; known are: aws, digitalocean, google-cloud"
    ),
    "unmanaged servers": (
        policy(unmanaged_servers="delete"),
        "odoo.unmanaged_servers is 'delete'; it must be one of report, archive, ignore",
    ),
    "purpose": (
        policy({"purpose": "mass"}),
        "odoo.servers[0].purpose is 'mass'; it must be one of transactional, bulk, notification",
    ),
    "SPF that is no list": (policy({"spf": "mx"}), "odoo.servers[0].spf is no list of texts"),
    "SPF as a record": (
        policy({"spf": ["v=spf1"]}),
        "odoo.servers[0].spf: 'v=spf1' is a modifier; only mechanisms can be added",
    ),
    "intent": (policy({"intent": 3}), "odoo.servers[0].intent is 3, which is no text"),
    "provider": (
        policy({"provider": "mailgnu"}),
        "odoo.servers[0].provider is 'mailgnu'; known are: brevo, gmail, google-relay, mailgun, mailjet, microsoft365, "
        "postmark, postmark-broadcast, relay, sendgrid, ses, zoho, zoho-pro",
    ),
    "region of another": (
        policy({}, {"provider": "mailgun", "region": "in"}), "odoo.servers[1].region is 'in'; mailgun has eu, us"
    ),
    "region of one without": (
        policy({"provider": "sendgrid", "region": "eu"}), "odoo.servers[0].region is 'eu'; sendgrid has no regions"
    ),
    "region of nobody": (
        policy({"region": "eu"}), "odoo.servers[0].region is 'eu', and there is no provider that it could be of"
    ),
    "a region that nobody can guess": (
        policy({"provider": "ses"}),
        "odoo.servers[0] needs a region: ses has ap-northeast-1, ap-northeast-2, ap-south-1, ap-southeast-1, "
        "ap-southeast-2, "
        "ca-central-1, eu-central-1, eu-north-1, eu-south-1, eu-west-1, eu-west-2, sa-east-1, us-east-1, us-east-2, "
        "us-gov-east-1, us-gov-west-1, us-west-2",
    ),
    "a relay nowhere": (policy({"provider": "relay"}), "odoo.servers[0] needs a smtp_host: relay is your own"),
    "a port against the preset's encryption": (
        policy({}, {"provider": "mailgun", "smtp_port": 465, "encryption": "starttls"}),
        "odoo.servers[1]: port 465 does not go with encryption starttls. "
        "Port 465 takes ssl; 465 is for ssl, 587 and 2525 are for starttls.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(WRONG))
def test_what_is_wrong_is_named_with_its_place(case: str) -> None:
    given, expected = WRONG[case]
    assert problems(given) == [expected]


def rows(heading: str) -> dict[str, str]:
    """Return first cell → line of the table after a heading of the documentation."""
    text = (ROOT / "docs" / "presets.md").read_text()
    part = text.split(f"\n{heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    return {line.split("`")[1]: line for line in lines}


def test_the_documentation_names_exactly_the_presets_there_are() -> None:
    values, sources = rows("# Providers and platforms"), rows("## Sources")
    assert list(values) == list(sources) == list(PRESETS)
    for name, preset in PRESETS.items():
        _empty, _name, hosts, ports, _senders, fit, _end = values[name].split("|")
        assert set(re.findall("`([^`]+)`", hosts)) - {"smtp_host"} == set(preset.regions) - {""}
        assert name == "ses" or all(host in hosts for host in preset.regions.values())
        assert ports.strip() == ", ".join(f"{port} {encryption}" for port, encryption in preset.ports.items())
        assert fit.strip() == ("everything" if preset.suitable_for == PURPOSES else ", ".join(preset.suitable_for))
        assert re.findall(r"\]\((https:[^)]+)\)", sources[name]) == list(preset.sources)
        assert preset.remark in sources[name]
        assert preset.limit in sources[name]


def test_the_documentation_names_the_terms_that_there_are() -> None:
    lines = rows("## SPF")
    assert list(lines) == list(PRESETS)
    for name, preset in PRESETS.items():
        _empty, _name, terms, _sender, source, _end = lines[name].split("|")
        written = set(re.findall("`([^`]+)`", terms)) - {*preset.regions, "spf"}
        assert written == {term for each in preset.spf.values() for term in each}
        assert re.findall(r"\]\((https:[^)]+)\)", source) == [preset.spf_source] * bool(preset.spf)


def test_the_documentation_names_exactly_the_platforms_there_are() -> None:
    platforms = rows("## Platforms")
    assert list(platforms) == list(PLATFORMS)
    for name, platform in PLATFORMS.items():
        _empty, _name, _title, ports, source, _end = platforms[name].split("|")
        assert {int(port) for port in ports.split(",")} == platform.blocked
        assert source.strip() == platform.source
