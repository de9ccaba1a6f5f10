# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server takes which mail, and at which addresses mail arrives, as read from Odoo 14 and 19."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module

pytestmark = pytest.mark.integration

DOMAIN = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall", "default_from": "no-reply"}
SERVERS: list[dict[str, Any]] = [
    {"name": "Main", "sequence": 1, "from_filter": "no-reply@acme.example, BOUNCE@acme.example"},
    {"name": "Bulk", "sequence": 2, "from_filter": "mg.acme.example,bounce@acme.example"},
    {"name": "Archived", "sequence": 0, "active": False},
]
BOUNCE = {"odoo": "bounce@acme.example", "odoo14": "bounce+<id>@acme.example"}
QUIET = {"no_reset_password": True}  # no invitations
Way = tuple[str | None, str, str, str]


@pytest.fixture(scope="module", autouse=True)
def seeded(any_odoo: Odoo) -> None:
    """What an administrator set up."""
    old = any_odoo.name == "odoo14"
    any_odoo.clear("ir.mail_server")
    run_module("alias_domain", {**any_odoo.connection(), **DOMAIN})
    servers = [{**server, "smtp_host": "relay.acme.example", "smtp_port": 25} for server in SERVERS]
    for server in servers:
        if old:
            server.pop("from_filter", None)
    created = any_odoo.call("ir.mail_server", "create", servers)
    run_module("mass_mailing_server", {**any_odoo.connection(), "server": "Bulk"})
    any_odoo.call("res.company", "write", [1], {"name": "Acme", "email": "office@acme.example"})
    any_odoo.call("res.users", "write", [2], {"name": "Ann Admin", "email": "ann@acme.example"})
    any_odoo.call("res.partner", "write", [2], {"email": "bot@acme.example"})
    emails = {"mary": "mary@mg.acme.example", "gone": "gone@acme.example", "mute": False}
    users = [{"login": login, "name": login.title(), "email": email} for login, email in emails.items()]
    numbers = any_odoo.call("res.users", "create", users, context=QUIET)
    any_odoo.call("res.users", "write", numbers[1:2], {"active": False})
    mark = "${%s}" if old else "{{ %s }}"
    any_odoo.call(
        "mail.template",
        "create",
        [
            {"name": "Literal", "email_from": '"Shop" <shop@acme.example>', "mail_server_id": created[1]},
            {"name": "User's", "email_from": mark % "object.user_id.email_formatted or object.company_id.email"},
            {"name": "Company's", "email_from": mark % "(object.company_id.partner_id.email_formatted)"},
            {"name": "Author's", "email_from": False},
            {"name": "Record's", "email_from": mark % "object.email"},
            {"name": "Nobody's", "email_from": "nobody"},
        ],
    )
    mailing = {"email_from": "news@mg.acme.example", "mail_server_id": False}
    any_odoo.call(
        "mailing.mailing",
        "create",
        [{**mailing, "subject": "Spring"}, {**mailing, "subject": "Winter", "state": "done"}],
    )


def routed(odoo: Odoo, **options: Any) -> dict[str, Any]:
    result = run_module("mail_route_info", {**odoo.connection(), **options})
    assert not result.get("failed"), result
    assert result["changed"] is False
    return result


def ways(found: dict[str, Any]) -> dict[str, Way]:
    """Return what sends → server, From, envelope sender and step."""
    return {
        route["what"] or route["sender"]: (route["server"], route["from"], route["envelope_from"], route["step"])
        for route in found["routes"]
    }


def test_every_sender_the_database_knows(any_odoo: Odoo) -> None:
    found = routed(any_odoo)
    told = ways(found)
    bounce = BOUNCE[any_odoo.name]
    of_record = "template Record's: its sender depends on the record: "
    assert found["unknown"][:1] == ["user mute: its e-mail address is empty."]
    assert "template Nobody's: its sender 'nobody' is no address." in found["unknown"]
    assert [text.removeprefix(of_record) for text in found["unknown"] if text.startswith(of_record)] == [
        "${object.email}" if any_odoo.name == "odoo14" else "{{ object.email }}"
    ]
    assert not {"user gone", "user mute", "mailing Winter", "template Nobody's"} & told.keys()
    assert "template Calendar: Meeting Invitation (a user's address)" in told

    def main(sender: str, rewritten: str) -> Way:
        """Return the way of what 19 sends as its default sender, and 14 as it is."""
        if any_odoo.name == "odoo14":
            return "Main", sender, bounce, "first"
        return "Main", rewritten, bounce, "notification_address"

    new = any_odoo.name != "odoo14"
    ann, ann_default = '"Ann Admin" <ann@acme.example>', '"Ann Admin" <no-reply@acme.example>'
    office, office_default = '"Acme" <office@acme.example>', '"Acme" <no-reply@acme.example>'
    expected = {
        "default sender": ("Main", "no-reply@acme.example", bounce, "address" if new else "first"),
        "Odoo's own failure reports": (
            "Main",
            '"MAILER-DAEMON" <bounce@acme.example>',
            bounce,
            "address" if new else "first",
        ),
        "OdooBot": main('"OdooBot" <bot@acme.example>', '"OdooBot" <no-reply@acme.example>'),
        "company Acme": main(office, office_default),
        "user admin": main(ann, ann_default),
        "user mary": ("Bulk" if new else "Main", '"Mary" <mary@mg.acme.example>', bounce, "domain" if new else "first"),
        "template Literal": ("Bulk", '"Shop" <shop@acme.example>', bounce, "forced"),
        "template User's (a user's address)": main(ann, ann_default),
        "template Company's (the company's address)": main(office, office_default),
        "template Author's (a user's address)": main(ann, ann_default),
        "mailing Spring": ("Bulk" if new else "Main", "news@mg.acme.example", bounce, "domain" if new else "first"),
        "a new mailing (a user's address)": ("Bulk", ann, bounce, "forced"),
        "a customer, passed on": main("customer@example.org", '"customer" <no-reply@acme.example>'),
    }
    assert {what: told[what] for what in expected} == expected
    assert found["version"] == (19 if new else 14)


def test_given_senders(any_odoo: Odoo) -> None:
    found = routed(any_odoo, senders=["x@mg.acme.example", '"Mary" <mary@customer.example>'])
    bounce = BOUNCE[any_odoo.name]
    if any_odoo.name == "odoo14":
        expected: list[Way] = [
            ("Main", "x@mg.acme.example", bounce, "first"),
            ("Main", '"Mary" <mary@customer.example>', bounce, "first"),
        ]
    else:
        expected = [
            ("Bulk", "x@mg.acme.example", bounce, "domain"),
            ("Main", '"Mary" <no-reply@acme.example>', bounce, "notification_address"),
        ]
    assert list(ways(found).values()) == expected
    assert [route["reply_to"] for route in found["routes"]] == (
        ['"Acme" <catchall@acme.example>'] * 2 if any_odoo.name == "odoo14" else ["catchall@acme.example"] * 2
    )
    assert found["unknown"] == []
    forced = routed(any_odoo, senders=["x@acme.example"], server="Bulk", author="admin")
    assert list(ways(forced).values()) == [("Bulk", "x@acme.example", bounce, "forced")]


@pytest.mark.parametrize("any_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")
def test_a_users_own_server_takes_that_users_mail_alone(any_odoo: Odoo) -> None:
    """There are none before 19."""
    own = {"name": "Ann's own", "smtp_host": "relay.acme.example", "smtp_port": 25, "sequence": 9, "owner_user_id": 2}
    own |= {"from_filter": "ann@acme.example", "smtp_user": "ann@acme.example"}
    number = any_odoo.call("ir.mail_server", "create", own)
    off = {"key": "mail.disable_personal_mail_servers", "value": "True"}
    try:
        told = ways(routed(any_odoo))
        assert told["user admin"] == (own["name"], '"Ann Admin" <ann@acme.example>', "ann@acme.example", "address")
        assert told["company Acme"][0] == "Main"
        asked = {"senders": ["ann@acme.example"], "alias_domain": "acme.example"}
        assert ways(routed(any_odoo, **asked, author="admin"))["ann@acme.example"][0] == own["name"]
        assert ways(routed(any_odoo, **asked))["ann@acme.example"][0] == "Main"
        # Without an address in its filter Odoo no longer takes it for the user's, and refuses.
        any_odoo.call("ir.mail_server", "write", [number], {"from_filter": "acme.example"})
        assert ways(routed(any_odoo))["user admin"] == (own["name"], "", "", "refused")
        any_odoo.call("ir.mail_server", "write", [number], {"from_filter": own["from_filter"]})
        disabled = any_odoo.call("ir.config_parameter", "create", off)
        assert ways(routed(any_odoo))["user admin"][0] == "Main"
        any_odoo.call("ir.config_parameter", "unlink", [disabled])
    finally:
        any_odoo.call("ir.mail_server", "unlink", [number])


def test_a_default_from_filter_where_there_is_no_server(any_odoo: Odoo) -> None:
    # Odoo itself would not archive servers that something is set to send by.
    any_odoo.sql("UPDATE ir_mail_server SET active = false")
    parameter = {"key": "mail.default.from_filter", "value": "mg.acme.example"}
    number = any_odoo.call("ir.config_parameter", "create", parameter)
    try:
        there, elsewhere = "x@mg.acme.example", "x@acme.example"
        told = ways(routed(any_odoo, senders=[there, elsewhere]))
        if any_odoo.name == "odoo14":  # which knows no such parameter
            bounce = BOUNCE["odoo14"]
            expected: list[Way] = [(None, sender, bounce, "configuration") for sender in (there, elsewhere)]
        else:
            expected = [
                (None, there, there, "configuration"),
                (None, '"x" <no-reply@acme.example>', "no-reply@acme.example", "configuration"),
            ]
        assert list(told.values()) == expected
    finally:
        any_odoo.call("ir.config_parameter", "unlink", [number])
        any_odoo.sql("UPDATE ir_mail_server SET active = name <> 'Archived'")


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        (
            {"senders": ["a@b.example", "nobody"]},
            "validation",
            "senders[1] is 'nobody': this is not one e-mail address",
        ),
        ({"author": "jim"}, "not_found", "author is 'jim': this Odoo has no such user."),
        (
            {"alias_domain": "b.example"},
            "not_found",
            "alias_domain is 'b.example': this Odoo has no such alias domain. It has: acme.example.",
        ),
        (
            {"server": "Mian"},
            "not_found",
            "server is 'Mian': this Odoo has no such outgoing server. It has: Main, Bulk, Archived.",
        ),
    ],
)
def test_what_is_asked_wrongly(any_odoo: Odoo, options: dict[str, Any], kind: str, message: str) -> None:
    result = run_module("mail_route_info", {**any_odoo.connection(), "senders": ["a@b.example"], **options})
    assert result["failed"]
    assert (result["error"], message in result["msg"]) == (kind, True), result["msg"]


def test_a_wrong_sender_is_told_before_odoo_is_asked(any_odoo: Odoo) -> None:
    result = run_module(
        "mail_route_info", {**any_odoo.connection(), "odoo_url": "https://127.0.0.1:9", "senders": ["nobody"]}
    )
    assert result["msg"].startswith("senders[0] is 'nobody'")


def test_the_addresses_at_which_mail_arrives(any_odoo: Odoo) -> None:
    any_odoo.clear("fetchmail.server")
    run_module(
        "mail_alias", {**any_odoo.connection(), "alias_name": "sales", "alias_model": "crm.lead", "alias_defaults": {}}
    )
    former = {"old@acme.example": "catchall@acme.example", "sales@acme.example": "catchall@acme.example"}
    former["lost@acme.example"] = "gone@acme.example"
    any_odoo.call(
        "ir.config_parameter", "create", {"key": "mail_delivery.former_addresses", "value": json.dumps(former)}
    )
    inbox = {"server_type": "imap", "server": "imap.acme.example", "password": "secret", "state": "done"}
    any_odoo.call(
        "fetchmail.server",
        "create",
        [
            {**inbox, "name": "Inbox", "user": "Inbox@acme.example"},
            {**inbox, "name": "Draft", "user": "draft@acme.example", "state": "draft"},
            {**inbox, "name": "Archived", "user": "archived@acme.example", "active": False},
        ],
    )
    result = run_module("mail_address_info", any_odoo.connection())
    assert not result.get("failed"), result
    found = {(each["address"], each["kind"]): (each["target"], each["server"]) for each in result["addresses"]}
    expected = {
        ("sales@acme.example", "alias"): ("crm.lead", ""),
        ("catchall@acme.example", "catchall"): ("", ""),
        ("bounce@acme.example", "bounce"): ("", ""),
        ("no-reply@acme.example", "default_from"): ("", ""),
        ("old@acme.example", "former"): ("catchall@acme.example", ""),
        ("inbox@acme.example", "mailbox"): ("imap.acme.example", "Inbox"),
    }
    assert {key: found[key] for key in expected} == expected
    assert {kind for _address, kind in found.keys() - expected.keys()} <= {"alias"}
    assert "secret" not in json.dumps(result)


def test_the_reads_do_not_grow_with_the_senders(any_odoo: Odoo) -> None:
    def calls(module: str, **options: Any) -> list[tuple[str, str]]:
        with recorded(any_odoo.url, any_odoo.ca_file) as (url, made):
            result = run_module(module, {**any_odoo.connection(), "odoo_url": url, **options})
        assert not result.get("failed"), result
        return made

    before = [calls("mail_route_info"), calls("mail_address_info")]
    assert {method for made in before for _model, method in made} <= {
        "version", "authenticate", "fields_get", "search_read",
    }  # fmt: skip
    any_odoo.call(
        "res.users",
        "create",
        [{"login": f"many{number}", "name": "Many", "email": f"m{number}@acme.example"} for number in range(3)],
        context=QUIET,
    )
    model = any_odoo.call("ir.model", "search", [["model", "=", "res.partner"]])[0]
    any_odoo.call(
        "mail.alias", "create", [{"alias_name": f"many-{number}", "alias_model_id": model} for number in range(3)]
    )
    assert [calls("mail_route_info"), calls("mail_address_info")] == before
    asked = [
        calls("mail_route_info", senders=[f"x{number}@acme.example" for number in range(count)]) for count in (1, 50)
    ]
    assert asked[0] == asked[1]
