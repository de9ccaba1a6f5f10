# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets an inventory has, by the templates in it, and which of them cannot be rotated and why."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.catalogue import Host, secrets
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.references import Reference, references
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import Secret

VAULT = "group_vars/acme/vault.yml"
PENDING = "{{ vault_token_next | default(vault_token_previous | default(''), true) }}"
RAW: dict[str, Any] = {
    "mail_policy": {
        "odoo": {
            "servers": [
                {"name": "Zoho", "smtp_user": "no-reply@acme.example", "smtp_pass": "{{ vault_zoho }}"},
                {
                    "name": "Mailgun",
                    "smtp_user": "no-reply@mg.acme.example",
                    "smtp_pass": "{{ vault_bulk | default('') }}",
                },
            ],
        },
        "providers": [
            {
                "provider": "mailgun",
                "region": "eu",
                "api_key": "{{ vault_mailgun }}",
                "domains": [
                    {
                        "name": "mg.acme.example",
                        "credentials": [
                            {
                                "login": "No-Reply",
                                "password": "{{ vault_bulk | default('') }}",
                                "vault_key": "vault_bulk",
                                "vault_file": VAULT,
                            }
                        ],
                    }
                ],
            }
        ],
        "dns": {
            "zones": [
                {
                    "zone": "acme.example",
                    "backend": "rfc2136",
                    "key_name": "{{ vault_tsig_name | default('mailops') }}",
                    "key_secret": "{{ vault_tsig }}",
                },
                {
                    "zone": "mg.acme.example",
                    "backend": "rfc2136",
                    "key_name": "mailops",
                    "key_secret": "{{ vault_tsig }}",
                },
                {"zone": "acme.test", "backend": "cloudflare", "api_token": "{{ vault_cloudflare }}"},
            ]
        },
    },
    "odoo_connection": {
        "odoo_url": "https://odoo.acme.example",
        "odoo_database": "prod",
        "odoo_login": "admin",
        "odoo_api_key": "{{ vault_key }}",
    },
    "mail_delivery_token": "{{ vault_token }}",
    "mail_delivery_pending_token": PENDING,
    **dict.fromkeys(["vault_bulk", "vault_mailgun", "vault_tsig", "vault_cloudflare", "vault_key"], "s3cret"),
    "vault_token": "s3cret",
}
BRIDGE: dict[str, Any] = {
    "lmtp_bridge_databases": [
        {"name": "acme", "url": "https://odoo.acme.example", "token": "{{ vault_token }}", "pending_token": PENDING}
    ],
    "vault_token": "s3cret",
}


def templated(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the variables as Ansible would template them, as far as it matters here."""

    def done(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: done(part) for key, part in value.items()}
        if isinstance(value, list):
            return [done(part) for part in value]
        if value == "{{ vault_tsig_name | default('mailops') }}":
            return "mailops"
        return "s3cret" if isinstance(value, str) and "{{" in value else value

    found: dict[str, Any] = done(raw)
    return found


def databases(name: str = "prod", raw: dict[str, Any] | None = None, **more: Any) -> Host:
    raw = {**copy.deepcopy(raw or RAW), **more}
    return Host(name, "odoo_databases", raw, templated(raw))


def gateway(name: str = "mx", raw: dict[str, Any] | None = None) -> Host:
    return Host(name, "mail_gateways", raw or BRIDGE, templated(raw or BRIDGE))


def by_name(*hosts: Host) -> dict[str, Secret]:
    return {one.name: one for one in secrets(hosts)}


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    """Return the variables with another value at a path."""
    raw = copy.deepcopy(RAW)
    inner: Any = raw
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return raw


SERVERS = ["mail_policy", "odoo", "servers"]
LOGIN = ["mail_policy", "providers", 0, "domains", 0, "credentials"]


def test_all_secrets_of_a_system() -> None:
    found = by_name(databases(), gateway())
    assert {name: (one.kind, one.base) for name, one in found.items()} == {
        "vault_bulk": ("mailgun_login", "no-reply@mg.acme.example"),
        "vault_token": ("bridge_token", ""),
        "vault_key": ("odoo_api_key", "mailops"),
        "vault_cloudflare": ("given", ""),
        "vault_mailgun": ("given", ""),
        "vault_tsig": ("given", "mailops"),
    }
    assert {one.problem for one in found.values()} == {""} and {one.file for one in found.values()} == {VAULT}
    assert {one.max_age for one in found.values()} == {None}
    assert found["vault_bulk"].about == {"domain": "mg.acme.example", "region": "eu", "servers": ["Mailgun"]}
    assert found["vault_key"].about["password"] is False
    assert found["vault_bulk"].hosts == ["prod"] and len(found["vault_bulk"].places) == 2
    assert found["vault_token"].hosts == ["prod", "mx"] and found["vault_token"].about == {"databases": ["acme"]}
    assert found["vault_key"].about["login"] == "admin"
    # Only one of the two zones would follow a key of another name.
    zones = ["acme.example", "mg.acme.example"]
    assert found["vault_tsig"].about == {"service": "rfc2136", "zones": zones, "renamed": False}
    assert found["vault_cloudflare"].about["service"] == "cloudflare"
    assert found["vault_bulk"].shown()["variables"]["former"] == "vault_bulk_former_login"
    assert "s3cret" not in str([one.shown() for one in found.values()])


def test_what_the_inventory_says_of_one() -> None:
    said = {"vault_key": {"max_age": "30d", "base": "controller", "file": "other.yml"}}
    found = by_name(databases(mail_secrets=said, mail_vault_file="all.yml"), gateway())
    assert (found["vault_key"].max_age, found["vault_key"].base, found["vault_key"].file) == (
        30,
        "controller",
        "other.yml",
    )
    assert (found["vault_token"].file, found["vault_bulk"].file) == ("all.yml", VAULT)
    for said, message in (
        ({"file": "x", "age": 3}, "has age, not file, max_age, base"),
        ({"max_age": "soon"}, "no age"),
    ):
        assert message in by_name(databases(mail_secrets={"vault_key": said}), gateway())["vault_key"].problem


def test_a_password_that_only_its_vault_key_names() -> None:
    credential = {"login": "no-reply", "vault_key": "vault_bulk", "vault_file": VAULT, "strategy": "in_place"}
    found = by_name(databases(raw=changed([*LOGIN, 0], credential)), gateway())["vault_bulk"]
    assert (found.problem, found.strategy, found.base) == ("", "in_place", "no-reply@mg.acme.example")


def test_whether_there_is_a_password_to_make_a_key_with() -> None:
    raw = changed(["odoo_connection"], {**RAW["odoo_connection"], "odoo_password": "{{ vault_key }}x"})
    assert by_name(databases(raw=raw), gateway())["vault_key"].about["password"] is True


def test_variables_are_followed_to_the_vault() -> None:
    raw = {**changed(["odoo_connection"], "{{ connection }}"), "bulk_password": "{{ vault_bulk }}"}
    raw["connection"] = {**RAW["odoo_connection"], "odoo_api_key": "{{vault_key}}"}
    raw["mail_policy"]["odoo"]["servers"][1]["smtp_pass"] = "{{ bulk_password }}"
    host = Host("prod", "odoo_databases", raw, {**templated(raw), "odoo_connection": templated(raw["connection"])})
    found = by_name(host, gateway())
    assert (found["vault_key"].problem, found["vault_bulk"].problem) == ("", "")
    assert "bulk_password" not in found


def test_a_loop_of_variables_comes_to_an_end() -> None:
    raw = {"a": "{{ b }}", "b": "{{ a }}", "setting": "{{ a }}"}
    assert [one.path for one in references(raw, "setting")] == [("setting",)]


@pytest.mark.parametrize(
    ("text", "variable", "names"),
    [
        ("{{ vault_a }}", "vault_a", {"vault_a"}),
        ("{{vault_a|default('')}}", "vault_a", {"vault_a", "default"}),
        ("{{ vault_a | default(omit) }}", "vault_a", {"vault_a", "default", "omit"}),
        ("{{ vault_a }}x", "", {"vault_a"}),
        ("{{ vault_a | default(vault_b | default('')) }}", "", {"vault_a", "default", "vault_b"}),
        ("{{ lookup('env', 'A') }}", "", {"lookup", "env", "A"}),
        ("{% if x %}{{ vault_a }}{% endif %}", "", {"if", "x", "vault_a", "endif"}),
    ],
)
def test_which_variables_a_template_has(text: str, variable: str, names: set[str]) -> None:
    assert references({"setting": [text]}, "setting") == [Reference(("setting", 0), variable, frozenset(names))]


def test_a_variable_that_a_template_shares_with_others_is_no_secret_of_its_own() -> None:
    found = by_name(
        databases(raw=changed(["odoo_connection", "odoo_api_key"], "{{ lookup('env', 'KEY') }}")), gateway()
    )
    assert "vault_key" not in found and "KEY" not in found


def test_a_secret_of_two_policies_is_refused_naming_both() -> None:
    found = by_name(databases("one"), databases("two"), gateway())
    for name, path in (
        ("vault_bulk", "mail_policy.providers[0].domains[0].credentials[0].password"),
        ("vault_key", "odoo_connection.odoo_api_key"),
        ("vault_token", "mail_delivery_token"),
    ):
        assert found[name].problem.startswith("it is used by ")
        assert f"{path} of one" in found[name].problem and f"{path} of two" in found[name].problem
    # What is given needs no more than another value in the vault.
    assert found["vault_mailgun"].problem == "" and found["vault_mailgun"].hosts == ["one", "two"]


PROBLEMS = [
    ([*SERVERS, 0, "smtp_pass"], "{{ vault_bulk }}", "vault_bulk", "servers[0].smtp_pass of prod uses it too"),
    ([*SERVERS, 0, "smtp_pass"], "x{{ vault_token }}", "vault_token", "servers[0].smtp_pass of prod uses it too"),
    ([*SERVERS, 1, "smtp_pass"], "literal", "vault_bulk", "logs in as no-reply@mg.acme.example, with something else"),
    (["mail_delivery_token"], "{{ vault_bulk }}", "vault_bulk", "it is two things: mail_policy.providers"),
    (["mail_delivery_token"], "literal", "vault_token", "no host of odoo_databases uses it"),
    (["mail_delivery_pending_token"], "", "vault_token", "mail_delivery_pending_token of prod is not vault_token_next"),
    ([*LOGIN, 0, "vault_key"], "", "vault_bulk", "so the login needs vault_key: vault_bulk"),
    ([*LOGIN, 0, "vault_key"], "vault_other", "vault_bulk", "so the login needs vault_key: vault_bulk"),
    ([*LOGIN, 0, "strategy"], "twice", "vault_bulk", "its strategy is twice, none of pair, in_place"),
    ([*LOGIN, 0, "vault_file"], "", "vault_key", "its file is not known: give mail_vault_file"),
]


@pytest.mark.parametrize(("path", "value", "name", "message"), PROBLEMS)
def test_what_cannot_be_rotated(path: list[Any], value: Any, name: str, message: str) -> None:
    assert message in by_name(databases(raw=changed(path, value)), gateway())[name].problem


def test_two_logins_of_one_password_and_a_pair_that_the_policy_uses_itself() -> None:
    other = {**RAW["mail_policy"]["providers"][0]["domains"][0]["credentials"][0], "login": "no-reply-2"}
    both = [RAW["mail_policy"]["providers"][0]["domains"][0]["credentials"][0], other]
    assert "it is used by" in by_name(databases(raw=changed(LOGIN, both)), gateway())["vault_bulk"].problem
    both[1] = {**other, "password": "{{ vault_second }}", "vault_key": "vault_second"}
    found = by_name(databases(raw=changed(LOGIN, both)), gateway())
    assert found["vault_bulk"].problem.startswith("no-reply-2@mg.acme.example, the other login of its pair, is a login")
    assert found["vault_second"].problem == ""


def test_a_token_without_a_gateway_and_an_api_key_of_the_bridge() -> None:
    assert by_name(databases())["vault_token"].problem.startswith("no host of mail_gateways uses it")
    rpc = {"lmtp_bridge_databases": [{"name": "acme", "backend": "rpc", "token": "{{ vault_key }}"}]}
    found = by_name(databases(), gateway(raw=rpc))
    assert "lmtp_bridge_databases[0].token of mx uses it too" in found["vault_key"].problem


def test_a_gateway_that_would_not_get_the_second_token() -> None:
    alone = {"lmtp_bridge_databases": [{"name": "acme", "token": "{{ vault_token }}"}]}
    found = by_name(databases(), gateway(raw=alone))["vault_token"]
    assert found.problem == "lmtp_bridge_databases[0].pending_token of mx is not vault_token_next"


def test_a_secret_in_two_files() -> None:
    other = databases("other", mail_vault_file="other.yml")
    assert "its file is group_vars/acme/vault.yml and other.yml" in by_name(databases(), other)["vault_mailgun"].problem
    same = databases("other", mail_vault_file=f"./{VAULT}")
    assert by_name(databases(), same)["vault_mailgun"].problem == ""


def test_an_inventory_without_any() -> None:
    assert by_name(databases(raw={"mail_policy": {"version": 1}}), gateway(raw={"x": 1})) == {}
    assert by_name(databases(raw={"mail_policy": None}), databases(raw={"mail_policy": "{{ none }}"})) == {}


def test_two_customers_with_secrets_of_the_same_name() -> None:
    """Each has its own file; what one would read of secrets that are shared would mislead."""
    other = changed([*LOGIN, 0, "vault_file"], "group_vars/beta/vault.yml")
    found = by_name(databases("acme"), databases("beta", raw=other), gateway())
    told = f"its file is {VAULT} and group_vars/beta/vault.yml: give one of the two variables another name"
    assert {found[name].problem for name in ("vault_bulk", "vault_token", "vault_key", "vault_mailgun")} == {told}


def test_a_domain_in_capitals_has_the_same_logins() -> None:
    raw = changed([*LOGIN[:-1], "name"], "MG.Acme.Example")
    found = by_name(databases(raw=raw), gateway())["vault_bulk"]
    assert (found.problem, found.base) == ("", "no-reply@mg.acme.example")
    # As the policy writes it, by which its account is found.
    assert (found.about["domain"], found.about["servers"]) == ("MG.Acme.Example", ["Mailgun"])
