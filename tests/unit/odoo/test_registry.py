# SPDX-License-Identifier: GPL-3.0-or-later
"""What a policy says of the choice of a server, who it says sends, and what it leaves open."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import explain, registry, senders
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain, Mail, Registry, Server

POLICY: dict[str, Any] = {
    "parameters": [{"key": "mail.default.from_filter", "value": "acme.example"}],
    "alias_domains": [
        {"name": "Brand.example", "bounce_alias": "bounce", "catchall_alias": "all", "companies": ["Brand"]},
        {
            "name": "acme.example",
            "bounce_alias": "Bounce",
            "catchall_alias": "catchall",
            "default_from": "no-reply",
            "sequence": 1,
        },
    ],
    "companies": [{"name": "Acme", "email": "office@acme.example"}],
    "users": [
        {"login": "mary", "email": "mary@acme.example"},
        {"login": "OdooBot", "email": "bot@acme.example"},
        {"login": "jim", "notification_type": "inbox"},
    ],
    "servers": [
        {"name": "Main", "sequence": 0, "from_filter": ["No-Reply@acme.example", "bounce@acme.example"]},
        {
            "name": "Bulk",
            "from_filter": ["mg.acme.example", "bounce@acme.example"],
            # What is no field of Odoo's, and what does not matter here, is passed over.
            "purpose": "bulk",
            "provider": "mailgun",
            "smtp_pass": "secret",
        },
        {"name": "Mary's", "owner": "mary", "active": False, "smtp_authentication": "gmail", "from_filter": None},
    ],
    "mass_mailing_server": "Bulk",
}
SERVERS = (
    Server("Main", 0, "bounce@acme.example,no-reply@acme.example", id=1),
    Server("Bulk", 10, "bounce@acme.example,mg.acme.example", id=2),
    Server("Mary's", 10, "", active=False, id=3, authentication="gmail", owner="mary"),
)
ACME = AliasDomain("acme.example", "bounce", "catchall", "no-reply")


def test_a_policy_for_19() -> None:
    assert registry.from_policy(POLICY, 19, {"from_filter": "conf.example"}) == Registry(
        19,
        SERVERS,
        (ACME, AliasDomain("brand.example", "bounce", "all", "notifications")),
        {"Acme": "acme.example", "Brand": "brand.example"},
        "Acme",
        {"from_filter": "conf.example"},
        "acme.example",
    )


def test_a_policy_for_16_has_no_companies_alias_domains_and_no_default_sender_of_odoos_own() -> None:
    section = {**POLICY, "alias_domains": POLICY["alias_domains"][:1]}
    read = registry.from_policy(section, 16)
    assert read.alias_domains == (AliasDomain("brand.example", "bounce", "all"),)
    assert (read.companies, read.company) == ({}, "Acme")


def test_up_to_16_the_parameters_themselves_may_say_the_alias_domain() -> None:
    section = {
        "parameters": [
            {"key": "mail.catchall.domain", "value": "acme.example"},
            {"key": "mail.default.from", "value": "odoo"},
            {"key": "mail.bounce.alias", "value": "bounce"},
        ]
    }
    assert registry.from_policy(section, 15).alias_domains == (AliasDomain("acme.example", "bounce", "", "odoo"),)
    assert registry.from_policy(section, 17).alias_domains == ()


def test_what_a_policy_turns_off() -> None:
    section = {
        "alias_domains": [{"name": "acme.example", "default_from": None}],
        "parameters": [{"key": "mail.disable_personal_mail_servers", "value": "True"}],
    }
    read = registry.from_policy(section, 19)
    assert read.alias_domains == (AliasDomain("acme.example"),)
    assert (read.companies, read.personal_servers) == ({"every company": "acme.example"}, False)
    assert registry.unsaid(section, 19) == ["The policy names no server: what Odoo has, or odoo.conf, is not seen."]


def test_what_a_policy_leaves_open_is_said() -> None:
    assert registry.unsaid(POLICY, 19) == [
        "Server Bulk has no sequence in the policy: Odoo's own for a new one, 10, is assumed.",
        "Server Mary's has no sequence in the policy: Odoo's own for a new one, 10, is assumed.",
        "Alias domain Brand.example has no default_from in the policy: Odoo's own for a new one, notifications, "
        "is assumed.",
    ]
    assert registry.unsaid({"servers": POLICY["servers"][:1]}, 16) == [
        "The policy names no alias domain: there is no default sender, and no bounce address."
    ]


@pytest.mark.parametrize(
    ("section", "series", "message"),
    [
        (POLICY, 13, "this is Odoo 13, and how it chooses a server is not known here. Known are 14 to 19."),
        (POLICY, 20, "this is Odoo 20, and how it chooses a server is not known here. Known are 14 to 19."),
        (
            {"servers": [{"name": "Main", "from_filter": ["@acme.example"]}]},
            19,
            "odoo.servers[0].from_filter is ['@acme.example']: '@acme.example' never matches in Odoo",
        ),
    ],
)
def test_a_policy_that_cannot_be(section: dict[str, Any], series: int, message: str) -> None:
    with pytest.raises(MailopsError) as error:
        registry.from_policy(section, series)
    assert error.value.text().startswith(message)


def test_the_senders_of_a_policy() -> None:
    daemon = '"MAILER-DAEMON" <bounce@{}>'.format
    assert senders.from_policy(POLICY, 19) == [
        Mail("no-reply@acme.example", "acme.example", what="default sender"),
        Mail(daemon("acme.example"), "acme.example", what="Odoo's own failure reports"),
        Mail("notifications@brand.example", "brand.example", what="default sender"),
        Mail(daemon("brand.example"), "brand.example", what="Odoo's own failure reports"),
        Mail("mary@acme.example", "acme.example", "mary", what="user mary"),
        Mail("bot@acme.example", "acme.example", what="OdooBot"),
        Mail('"Acme" <office@acme.example>', "acme.example", what="company Acme"),
        Mail("anybody@mg.acme.example", "acme.example", what="filter of Bulk"),
        Mail("anybody@mg.acme.example", "acme.example", server="Bulk", what="a campaign"),
        Mail("customer@example.org", "acme.example", what="a customer, passed on"),
    ]


def test_the_routes_of_a_policy() -> None:
    found = explain.by_policy({"odoo": POLICY}, ["Mary <mary@customer.example>"])
    assert found["version"] == 19
    assert [(route["server"], route["from"], route["envelope_from"]) for route in found["routes"]] == [
        ("Main", '"Mary" <no-reply@acme.example>', "bounce@acme.example")
    ]
    # 14 knows no filter, so the lowest sequence takes it; and a policy says which version it is for.
    for found in (
        explain.by_policy({"odoo": {**POLICY, "version": 14}}),
        explain.by_policy({"odoo": POLICY}, None, 14),
    ):
        assert found["version"] == 14
        assert {route["server"] for route in found["routes"]} == {"Main", "Bulk"}
        assert [route["what"] for route in found["routes"] if route["server"] == "Bulk"] == ["a campaign"]


@pytest.mark.parametrize(
    ("sender", "message"),
    [
        ("", "senders[1] is '': this is not one e-mail address, with a name or without."),
        ("mary", "senders[1] is 'mary': this is not one e-mail address, with a name or without."),
        ("a@b.example, c@d.example", "senders[1] is 'a@b.example, c@d.example': this is not one e-mail address"),
        ("mary@", "senders[1] is 'mary@': this is not one e-mail address"),
        ("@acme.example", "senders[1] is '@acme.example': this is no local part of an address"),
        ("mary@acme", "senders[1] is 'mary@acme': this is no domain name"),
    ],
)
def test_a_sender_that_is_no_address_is_named(sender: str, message: str) -> None:
    with pytest.raises(MailopsError) as error:
        explain.by_policy({"odoo": POLICY}, ["mary@acme.example", sender])
    assert message in error.value.text()


def test_a_sender_may_have_a_name_and_an_idn() -> None:
    assert explain.given(['"Mary, X" <mary@münchen.example>'], "mary", "acme.example", "Bulk") == [
        Mail('"Mary, X" <mary@münchen.example>', "acme.example", "mary", "Bulk")
    ]
