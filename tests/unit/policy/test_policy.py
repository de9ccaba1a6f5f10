# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong policy is refused before anything is touched, naming the place."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.odoo.plugins.module_utils._policy import active_logins, expand, findings, problems

ROOT = Path(__file__).resolve().parents[3]
Policy = dict[str, Any]


def policy(inventory: str) -> Policy:
    path = ROOT / "inventories" / inventory / "group_vars/acme/mail_policy.yml"
    # What stands for a secret is one.
    text = re.sub(r"\{\{ vault_.*? \}\}", "from-the-vault", path.read_text())
    loaded: Policy = yaml.safe_load(text)["mail_policy"]
    return loaded


@pytest.mark.parametrize("inventory", ["sandbox", "example"])
def test_our_own_policies_are_sound(inventory: str) -> None:
    assert problems(policy(inventory)) == []


def server(policy: Policy, **values: Any) -> None:
    policy["odoo"]["servers"][0].update(values)


def account(policy: Policy, **values: Any) -> None:
    policy["providers"][0].update(values)


def domain(policy: Policy, **values: Any) -> None:
    policy["providers"][0]["domains"][0].update(values)


def login(policy: Policy, *gone: str, **values: Any) -> None:
    credential = logins(policy)[0]
    credential.update(values)
    for key in gone:
        del credential[key]


def logins(policy: Policy) -> list[Policy]:
    found: list[Policy] = policy["providers"][0]["domains"][0]["credentials"]
    return found


WRONG: dict[str, tuple[Callable[[Policy], Any], str]] = {
    "unknown key at the top": (
        lambda p: p.update(dsn={}),
        "dsn is unknown; known are: dns, inbound, odoo, providers, version",
    ),
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
    "providers that are no list": (lambda p: p.update(providers={}), "providers is no list"),
    "a provider that is no dictionary": (
        lambda p: p["providers"].append("mailgun"),
        "providers[1] is no dictionary",
    ),
    "an unknown provider": (
        lambda p: account(p, provider="mailgnu"),
        "providers[0].provider is 'mailgnu'; known are: mailgun",
    ),
    "an unknown key of a provider": (
        lambda p: account(p, domain=[]),
        "providers[0].domain is unknown; known are: api_key, domains, provider, region",
    ),
    "an unknown region": (lambda p: account(p, region="uk"), "providers[0].region is 'uk'; mailgun has us, eu"),
    "an API key that is none": (
        lambda p: account(p, api_key=None),
        "providers[0].api_key is no text. Leave it out to take it from the environment variable MAILGUN_API_KEY.",
    ),
    "no domains": (lambda p: p["providers"][0].pop("domains"), "providers[0].domains is no list"),
    "a domain that is no dictionary": (
        lambda p: account(p, domains=["mg.acme.example"]),
        "providers[0].domains[0] is no dictionary",
    ),
    "an unknown key of a domain": (
        lambda p: domain(p, traking={}),
        "providers[0].domains[0].traking: a domain has no such option. It has: credentials, dkim_key_size, ",
    ),
    "a DKIM key of a size that is none": (
        lambda p: domain(p, dkim_key_size=4096),
        "providers[0].domains[0].dkim_key_size is 4096. It must be one of: 1024, 2048.",
    ),
    "a domain's name in capitals": (
        lambda p: domain(p, name="MG.acme.example."),
        "providers[0].domains[0].name is 'MG.acme.example.': write it as mg.acme.example",
    ),
    "a domain's name that is none": (
        lambda p: domain(p, name="mg acme"),
        "providers[0].domains[0].name is 'mg acme': this is no domain name",
    ),
    "tracking of what is not tracked": (
        lambda p: domain(p, tracking={"opens": True}),
        "tracking is {'opens': True}: opens is no option",
    ),
    "a domain twice": (
        lambda p: p["providers"].append(
            {**p["providers"][0], "region": "eu", "domains": [{"name": "mg.acme.example"}]}
        ),
        "providers: the domain mg.acme.example is given more than once",
    ),
    "credentials that are no list": (
        lambda p: domain(p, credentials={}),
        "providers[0].domains[0].credentials is a secret, which is no list",
    ),
    "credentials that are one": (
        lambda p: domain(p, credentials={"login": "news", "password": "canary"}),
        "providers[0].domains[0].credentials is a secret, which is no list",
    ),
    "a password for the name of its variable": (
        lambda p: login(p, vault_key="canary-password"),
        "credentials[0].vault_key this is no name of a variable",
    ),
    "a login that is no dictionary": (
        lambda p: domain(p, credentials=["no-reply"]),
        "providers[0].domains[0].credentials[0] is no dictionary",
    ),
    "a login of another domain": (
        lambda p: login(p, login="no-reply@acme.example"),
        "credentials[0].login is 'no-reply@acme.example', which is not of the domain mg.acme.example",
    ),
    "a login that is no address": (
        lambda p: login(p, login="no reply"),
        "credentials[0].login is 'no reply@mg.acme.example': ",
    ),
    "a login twice": (
        lambda p: logins(p).append({"login": "NO-REPLY@mg.acme.example", "password": "canary"}),
        "providers[0].domains[0].credentials: no-reply@mg.acme.example is given more than once",
    ),
    "one password for two": (
        lambda p: logins(p).append({**logins(p)[0], "login": "news"}),
        "providers: the vault_key vault_mailgun_smtp_password is given more than once; each login has a pass",
    ),
    "a password that Mailgun does not take": (
        lambda p: login(p, password="canary" * 6),
        "credentials[0].password has 36 characters; Mailgun takes 5 to 32",
    ),
    "a password of nothing": (lambda p: login(p, password=None), "credentials[0].password cannot be empty"),
    "a place for a password without a name": (
        lambda p: login(p, "vault_key"),
        "credentials[0] has vault_file alone. Give vault_key and vault_file, or ",
    ),
    "a name for a password without a place": (lambda p: login(p, "vault_file"), "credentials[0] has vault_key alone"),
    "a name for a password that is none": (
        lambda p: login(p, vault_key="vault-key"),
        "credentials[0].vault_key this is no name of a variable",
    ),
    "no password at all": (
        lambda p: login(p, "password", "vault_key", "vault_file"),
        "credentials[0] has no password. Give one, or ",
    ),
    "a strategy that is none": (
        lambda p: login(p, strategy="both"),
        "credentials[0].strategy is 'both'",
    ),
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
    assert "canary" not in found[0]


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


def test_a_password_that_the_vault_does_not_have_yet_is_no_problem() -> None:
    given = policy("sandbox")
    login(given, password="")
    assert problems(given) == []
    login(given, "vault_key", "vault_file")
    assert problems(given) == []


def test_accounts_as_they_are_applied() -> None:
    account = {"provider": "mailgun", "domains": [
        {"name": "one.example", "credentials": [{"login": "A"}, {"login": "b@one.example", "password": "canary"}]},
        {"name": "two.example"},
    ]}  # fmt: skip
    given = {"version": 1, "odoo": {}, "providers": [account]}
    (applied,) = expand(given)["providers"]
    assert applied == {"provider": "mailgun", "region": "us", "domains": [
        {"name": "one.example", "credentials": [
            {"login": "a@one.example", "password": ""},
            {"login": "b@one.example", "password": "canary"},
        ]},
        {"name": "two.example", "credentials": []},
    ]}  # fmt: skip
    assert account["domains"][1] == {"name": "two.example"}


BASE, OTHER = "no-reply@mg.acme.example", "no-reply-2@mg.acme.example"
KEY = "vault_mailgun_smtp_password"


@pytest.mark.parametrize(
    ("kept", "found"),
    [({}, {}), ({f"{KEY}_login": ""}, {}), ({f"{KEY}_login": BASE}, {}), ({f"{KEY}_login": OTHER}, {BASE: OTHER})],
)
def test_which_login_of_a_pair_is_active(kept: Policy, found: Policy) -> None:
    assert active_logins(policy("sandbox"), {**kept, "another_login": "x@mg.acme.example"}) == found
    assert active_logins({}, kept) == {} == active_logins(None, kept)


def test_the_active_login_is_applied_and_nothing_else_changes() -> None:
    given = policy("sandbox")
    # However it is written there.
    given["odoo"]["servers"][1]["smtp_user"] = "No-Reply@MG.acme.example"
    before = copy.deepcopy(given)
    applied = expand(given, {BASE: OTHER})
    assert logins(applied)[0]["login"] == OTHER
    users = [server["smtp_user"] for server in applied["odoo"]["servers"]]
    assert users == ["no-reply@acme.example", OTHER, "notifications@acme.example"]
    logins(applied)[0]["login"] = BASE
    applied["odoo"]["servers"][1]["smtp_user"] = "No-Reply@MG.acme.example"
    assert applied == expand(given)
    assert given == before


@pytest.mark.parametrize("providers", [
    None, {}, [None, {}, {"provider": []}], [{"provider": "mailgun"}],
    [{"provider": "mailgun", "domains": {}, "region": []}],
    [{"provider": "mailgun", "domains": [None, {}, {"name": 3, "credentials": 7}]}],
    [{"provider": "mailgun", "domains": [{"name": "a.example", "credentials": [None, {}, {"login": 3}]}]}],
])  # fmt: skip
def test_unsound_accounts_are_named_and_else_left_as_they_are(providers: Any) -> None:
    given = {"version": 1, "odoo": {"servers": [{"name": "One"}]}, "inbound": {}, "providers": providers}
    found = problems(given)
    assert found
    assert all(text.startswith("providers") for text in found), found
    expand(given)
    findings(given)
