# SPDX-License-Identifier: GPL-3.0-or-later
"""How mail to each address arrives, by what the policy and Odoo have."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.filter.mail_arrivals import mail_arrivals
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import inbound
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.inbound import Address

ACME = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall", "default_from": "no-reply"}
GATEWAY = {
    "domains": [
        {"name": "acme.example", "others": "relay", "relay_host": "mx.zoho.com"},
        {"name": "old.example", "others": "reject"},
    ]
}
INBOX = {
    "name": "Inbox",
    "server_type": "imap",
    "server": "imap.acme.example",
    "user": "Inbox@acme.example",
    "password": "secret",
}


def arrived(policy: dict[str, Any], addresses: list[dict[str, str]] | None = None) -> dict[str, tuple[str, str, str]]:
    """Return address → kind, way, how."""
    found = mail_arrivals(policy, addresses)
    return {each["address"]: (each["kind"], each["way"], each["how"]) for each in found}


def test_the_addresses_of_a_policy() -> None:
    section = {
        "alias_domains": [
            {**ACME, "former_names": ["old.example"], "former_catchall_aliases": ["replies"]},
            {"name": "brand.example", "catchall_alias": "catchall", "default_from": "shop@acme.example"},
        ],
        "aliases": [
            {"alias_name": "Sales", "alias_domain": "acme.example", "alias_model": "crm.lead"},
            {"alias_name": "help", "alias_domain": "acme.example", "alias_incoming_local": True},
        ],
        "incoming_servers": [
            INBOX,
            {**INBOX, "name": "Archived", "user": "a@acme.example", "active": False},
            {"name": "Script", "server_type": "local", "user": "b@acme.example"},
        ],
    }
    catchall = "catchall@acme.example"
    assert sorted(inbound.from_policy(section), key=lambda each: (each.kind, each.address)) == [
        Address("help@acme.example", "alias"),
        Address("help@brand.example", "alias"),
        Address("sales@acme.example", "alias", "crm.lead"),
        Address("bounce@acme.example", "bounce"),
        Address(catchall, "catchall"),
        Address("catchall@brand.example", "catchall"),
        Address("no-reply@acme.example", "default_from"),
        Address("shop@acme.example", "default_from"),
        Address("bounce@old.example", "former", "bounce@acme.example"),
        Address("catchall@old.example", "former", catchall),
        Address("replies@acme.example", "former", catchall),
        Address("replies@old.example", "former", catchall),
        Address("inbox@acme.example", "mailbox", "imap.acme.example", "Inbox"),
    ]


def test_an_alias_without_a_domain_is_at_the_only_one() -> None:
    section = {"alias_domains": [ACME], "aliases": [{"alias_name": "sales", "alias_model": "crm.lead"}]}
    assert Address("sales@acme.example", "alias", "crm.lead") in inbound.from_policy(section)


def test_mail_by_way_of_the_gateway() -> None:
    odoo = {
        "alias_domains": [{**ACME, "former_names": ["old.example"]}],
        "aliases": [{"alias_name": "sales", "alias_model": "crm.lead"}],
        "incoming_servers": [INBOX, {**INBOX, "name": "Old", "user": "inbox@old.example"}],
    }
    assert arrived({"odoo": odoo, "inbound": GATEWAY}) == {
        "bounce@acme.example": ("bounce", "gateway", "MX: gateway, bridge, Odoo; Odoo notes the failure"),
        "catchall@acme.example": ("catchall", "gateway", "MX: gateway, bridge, Odoo; Odoo finds the thread of a reply"),
        "inbox@acme.example": (
            "mailbox",
            "fetched",
            "MX: gateway, mx.zoho.com; fetched by Inbox from imap.acme.example",
        ),
        "no-reply@acme.example": (
            "default_from",
            "gateway",
            "MX: gateway, bridge, Odoo; Odoo finds the thread of a reply",
        ),
        "sales@acme.example": ("alias", "gateway", "MX: gateway, bridge, Odoo; Odoo makes a record of crm.lead"),
        "*@acme.example": ("others", "relayed", "MX: gateway, relayed to mx.zoho.com"),
        "bounce@old.example": ("former", "gateway", "MX: gateway, bridge, Odoo; rewritten to bounce@acme.example"),
        "catchall@old.example": ("former", "gateway", "MX: gateway, bridge, Odoo; rewritten to catchall@acme.example"),
        "inbox@old.example": (
            "mailbox",
            "refused",
            "MX: gateway, which refuses it (others: reject), so Old never gets any at imap.acme.example",
        ),
        "*@old.example": ("others", "refused", "MX: gateway, which refuses it (550)"),
    }
    # By domain, what is true of the rest of it last.
    assert [each["address"] for each in mail_arrivals({"odoo": odoo, "inbound": GATEWAY})][-4:] == [
        "bounce@old.example",
        "catchall@old.example",
        "inbox@old.example",
        "*@old.example",
    ]


def redirects(policy: dict[str, Any]) -> dict[str, str]:
    return {each["address"]: each["redirect"] for each in mail_arrivals(policy) if each["redirect"]}


@pytest.mark.parametrize(
    ("incoming", "gateway", "redirect"),
    [
        ([INBOX], GATEWAY, "to inbox@acme.example, which Odoo fetches"),
        ([], GATEWAY, "or the MX of brand.example pointed at the gateway, and brand.example in inbound.domains"),
        ([], {}, "to a mailbox that Odoo fetches (incoming_servers), or a gateway (inbound.domains)"),
    ],
)
def test_what_nothing_brings_needs_a_redirect(
    incoming: list[dict[str, Any]], gateway: dict[str, Any], redirect: str
) -> None:
    odoo = {
        "alias_domains": [{**ACME, "name": "brand.example"}],
        "aliases": [{"alias_name": "sales", "alias_model": "crm.lead"}],
        "incoming_servers": incoming,
    }
    policy = {"odoo": odoo, "inbound": gateway}
    needed = ["bounce@brand.example", "catchall@brand.example", "sales@brand.example"]
    assert redirects(policy) == dict.fromkeys(needed, redirect)
    assert arrived(policy)["sales@brand.example"][:2] == ("alias", "redirect")
    assert arrived(policy)["no-reply@brand.example"][:2] == ("default_from", "not needed")


def test_a_mailbox_of_its_own_provider_is_fetched() -> None:
    odoo = {"incoming_servers": [{**INBOX, "user": "sales@brand.example"}]}
    found = arrived({"odoo": odoo, "inbound": GATEWAY})
    assert found["sales@brand.example"] == (
        "mailbox",
        "fetched",
        "its own provider; fetched by Inbox from imap.acme.example",
    )


def test_odoos_own_addresses_count_too_and_what_it_lacks_is_said() -> None:
    odoo = {"aliases": [{"alias_name": "sales", "alias_domain": "acme.example", "alias_model": "crm.lead"}]}
    there = [
        {"address": "team@acme.example", "kind": "alias", "target": "crm.lead", "server": ""},
        # The present use of an address counts, not that it was something else, or is fetched as well.
        {"address": "old@acme.example", "kind": "former", "target": "team@acme.example", "server": ""},
        {"address": "old@acme.example", "kind": "alias", "target": "project.task", "server": ""},
        {"address": "team@acme.example", "kind": "mailbox", "target": "imap.acme.example", "server": "Inbox"},
    ]
    makes = "MX: gateway, bridge, Odoo; Odoo makes a record of "
    found = arrived({"odoo": odoo, "inbound": {"domains": GATEWAY["domains"][:1]}}, there)
    assert found == {
        "old@acme.example": ("alias", "gateway", makes + "project.task"),
        "sales@acme.example": ("alias", "gateway", makes + "crm.lead (not in Odoo yet)"),
        "team@acme.example": ("alias", "gateway", makes + "crm.lead"),
        "*@acme.example": ("others", "relayed", "MX: gateway, relayed to mx.zoho.com"),
    }
