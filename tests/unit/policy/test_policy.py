# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong policy is refused before anything is touched, naming the place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.odoo.plugins.module_utils._policy import problems

ROOT = Path(__file__).resolve().parents[3]
Policy = dict[str, Any]


def policy(inventory: str) -> Policy:
    path = ROOT / "inventories" / inventory / "group_vars/acme/mail_policy.yml"
    loaded: Policy = yaml.safe_load(path.read_text())["mail_policy"]
    return loaded


@pytest.mark.parametrize("inventory", ["sandbox", "example"])
def test_our_own_policies_are_sound(inventory: str) -> None:
    assert problems(policy(inventory)) == []


def server(policy: Policy, **values: Any) -> None:
    policy["odoo"]["servers"][0].update(values)


WRONG: dict[str, tuple[Callable[[Policy], Any], str]] = {
    "unknown key at the top": (lambda p: p.update(dsn={}), "dsn is unknown; known are: inbound, odoo, version"),
    "unknown key of a server": (
        lambda p: server(p, smtp_hots="x"),
        "odoo.servers[0].smtp_hots: a mail server has no such",
    ),
    "another version": (lambda p: p.update(version=2), "version is 2"),
    "a name twice": (
        lambda p: (p["odoo"]["servers"][1].update(name="Zoho Mail"), p["odoo"].pop("mass_mailing_server")),
        "odoo.servers: Zoho Mail is given more",
    ),
    "a server for campaigns that is not there": (
        lambda p: p["odoo"].update(mass_mailing_server="Mailgnu"),
        "odoo.mass_mailing_server is 'Mailgnu'; it must be the name of one of odoo.servers",
    ),
    "a company with two alias domains": (
        lambda p: (
            p["odoo"]["alias_domains"].append(
                {"name": "two.example", "bounce_alias": "b", "catchall_alias": "c", "companies": ["My Company"]}
            ),
            p["odoo"]["companies"][0].update(alias_domain="acme.example"),
        ),
        "My Company has the alias domain acme.example, and odoo.alias_domains gives it two.example",
    ),
    "a former domain that the gateway would refuse": (
        lambda p: p["odoo"]["alias_domains"][0].update(former_names=["old.example"]),
        "inbound.domains lacks old.example, a former name of acme.example",
    ),
    "an app that is no name": (lambda p: p["odoo"].update(modules=["crm", "CRM!"]), "odoo.modules[1] is 'CRM!'"),
    "an app twice": (lambda p: p["odoo"].update(modules=["crm", "crm"]), "odoo.modules: crm is given more than once"),
    "an interval of nothing": (
        lambda p: p["odoo"]["scheduled_actions"][0].update(interval_number=0),
        "odoo.scheduled_actions[0].interval_number is 0: an interval is 1 or more",
    ),
    "an alias twice": (
        lambda p: p["odoo"]["aliases"].append(dict(p["odoo"]["aliases"][0], alias_name="SALES")),
        "odoo.aliases: sales @ acme.example is given more than once",
    ),
    "an alias once with and once without its domain": (
        lambda p: p["odoo"]["aliases"].append({"alias_name": "Sales", "alias_model": "crm.lead"}),
        "sales @ acme.example is given more than once, once without its alias_domain",
    ),
    "an alias without domain where there are two": (
        lambda p: (
            p["odoo"]["alias_domains"].append(dict(p["odoo"]["alias_domains"][0], name="two.example")),
            p["odoo"]["aliases"].append({"alias_name": "other", "alias_model": "crm.lead"}),
        ),
        "has no alias_domain, and the policy has several: acme.example, two.example",
    ),
    "@domain filter": (
        lambda p: server(p, from_filter=["@acme.example"]),
        "'@acme.example' never matches in Odoo: write the domain without @: acme.example",
    ),
    "587 with ssl": (lambda p: server(p, smtp_port=587), "odoo.servers[0]: port 587 does not go with encryption ssl"),
    "465 with starttls": (lambda p: server(p, encryption="starttls"), "port 465 does not go with encryption starttls"),
    "an unknown encryption": (lambda p: server(p, encryption="tls"), "odoo.servers[0].encryption is 'tls'. It must be"),
    "a port that is none": (lambda p: server(p, smtp_port=70000), "a port is a number from 1 to 65535"),
    "a port as text": (
        lambda p: server(p, smtp_port="465"),
        "odoo.servers[0].smtp_port is '465', which is no whole number",
    ),
    "no name": (lambda p: p["odoo"]["servers"][0].pop("name"), "odoo.servers[0] has no name"),
    "not a list": (lambda p: p["odoo"].update(servers={}), "odoo.servers is no list"),
    "an address as domain": (
        lambda p: p["odoo"]["alias_domains"][0].update(name="a@acme.example"),
        "odoo.alias_domains[0].name is 'a@acme.example': this is no domain name",
    ),
    "bounce and catchall alike": (
        lambda p: p["odoo"]["alias_domains"][0].update(catchall_alias="bounce"),
        "bounce_alias and catchall_alias are both 'bounce'",
    ),
    "an alias Odoo would rewrite": (
        lambda p: p["odoo"]["aliases"][0].update(alias_name="vertrieb süd"),
        "odoo.aliases[0].alias_name is 'vertrieb süd'",
    ),
    "others unsaid": (lambda p: p["inbound"]["domains"][0].pop("others"), "inbound.domains[0].others is None"),
    "a domain in capitals": (
        lambda p: p["inbound"]["domains"][0].update(name="ACME.example"),
        "inbound.domains[0].name is 'ACME.example': write it in lower case: acme.example",
    ),
    "no inbound": (lambda p: p.pop("inbound"), "inbound is missing"),
    "relay without host": (
        lambda p: p["inbound"]["domains"][0].pop("relay_host"),
        "inbound.domains[0]: relay_host goes with others: relay",
    ),
    "a relay host that is none": (
        lambda p: p["inbound"]["domains"][0].update(relay_host="mx one"),
        "inbound.domains[0].relay_host is 'mx one'",
    ),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_what_is_wrong_is_named_with_its_place(case: str) -> None:
    spoil, expected = WRONG[case]
    spoiled = copy.deepcopy(policy("sandbox"))
    spoil(spoiled)
    found = problems(spoiled)
    assert len(found) == 1, found
    assert expected in found[0]


def test_every_problem_is_told_at_once() -> None:
    spoiled = policy("sandbox")
    server(spoiled, smtp_port=587, from_filter=["@x"])
    spoiled["inbound"]["domains"][0]["others"] = "bounce"
    assert len(problems(spoiled)) == 2


def test_a_secret_of_the_wrong_type_is_not_shown() -> None:
    spoiled = policy("sandbox")
    server(spoiled, smtp_pass=918273645)
    assert "918273645" not in str(problems(spoiled))
    assert "odoo.servers[0].smtp_pass is a secret, which is no text" in problems(spoiled)[0]
