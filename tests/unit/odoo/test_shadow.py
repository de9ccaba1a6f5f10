# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers nobody declared take mail from those that are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain, Mail, Registry, Server
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.shadow import shadows
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.unmanaged import planned, told, warnings

ACME = AliasDomain("acme.example", "bounce", "catchall", "no-reply")
MAIN = Server("Main", 5, "no-reply@acme.example,bounce@acme.example", id=1)
BULK = Server("Bulk", 6, "mg.acme.example,bounce@acme.example", id=2)
DECLARED = ("Main", "Bulk")
BOSS = Mail("boss@acme.example", "acme.example")
NEWS = Mail("News <news@mg.acme.example>", "acme.example")


def registry(*servers: Server, series: int = 19) -> Registry:
    return Registry(series, (MAIN, BULK, *servers), (ACME,), {"ACME": "acme.example"}, "ACME")


def taken(found: Registry, *mails: Mail) -> dict[str, list[tuple[str, str]]]:
    """Return by undeclared server each sender it takes and from which declared one."""
    return {
        shadow.server.name: [(one.mail.email_from, one.loser) for one in shadow.takes]
        for shadow in shadows(found, DECLARED, mails)
    }


def test_nobody_else() -> None:
    assert shadows(registry(), DECLARED, [BOSS, NEWS]) == []


@pytest.mark.parametrize(
    ("stranger", "takes"),
    [
        # The boss has no server of his own and leaves as no-reply@ by Main, until somebody adds one for the domain.
        (Server("X", 99, "acme.example", id=9), [("boss@acme.example", "Main")]),
        # The whole address beats the domain, whatever the sequence.
        (Server("X", 99, "news@mg.acme.example", id=9), [(NEWS.email_from, "Bulk")]),
        # As good a match with a lower sequence.
        (Server("X", 1, "mg.acme.example", id=9), [(NEWS.email_from, "Bulk")]),
        # As good a match with the same sequence, and newer.
        (Server("X", 6, "mg.acme.example", id=9), []),
        # A filter that never matches, and no filter where others match.
        (Server("X", 1, "@acme.example", id=9), []),
        (Server("X", 1, "", id=9), []),
    ],
)
def test_what_a_stranger_takes(stranger: Server, takes: list[tuple[str, str]]) -> None:
    assert taken(registry(stranger), BOSS, NEWS) == {"X": takes}


def test_an_archived_or_personal_server_is_no_stranger() -> None:
    archived = Server("Archived", 1, "acme.example", active=False, id=8)
    own = Server("Own", 1, "boss@acme.example", id=9, owner="boss")
    assert taken(registry(archived, own), replace(BOSS, author="boss"), NEWS) == {}


def test_in_14_the_lowest_sequence_takes_all() -> None:
    found = registry(Server("X", 1, id=9), Server("Y", 2, id=10), series=14)
    assert taken(found, BOSS, NEWS) == {"X": [("boss@acme.example", "Main"), (NEWS.email_from, "Main")], "Y": []}


def test_what_would_leave_by_no_declared_server_is_taken_from_nobody() -> None:
    alone = replace(registry(Server("X", id=9)), servers=(Server("X", id=9),))
    assert taken(alone, BOSS) == {"X": []}


def test_a_template_that_demands_the_stranger() -> None:
    """Its mail would leave by Bulk if the stranger, and with it the demand, were gone."""
    assert taken(registry(Server("X", 99, "x.example", id=9)), replace(NEWS, server="X")) == {
        "X": [(NEWS.email_from, "Bulk")]
    }


def test_what_no_mail_can_be_sent_for() -> None:
    odd = [Mail("no address"), replace(BOSS, server="gone"), replace(BOSS, alias_domain="gone.example")]
    found = taken(registry(Server("X", 99, "acme.example", id=9)), *odd)
    assert found == {"X": [("boss@acme.example", "Main")] * 2}


def test_the_registry_once_the_changes_are_made() -> None:
    servers = [
        Change("create", "New", {"name": "New", "sequence": 1, "from_filter": ["a.example", "b@a.example"]}),
        Change("update", "Main", {"sequence": 7, "from_filter": None}, {"name": "Main"}, 1),
        Change("update", "Mailgun", {"name": "Mailgun"}, {"name": "Bulk"}, 2),
    ]
    domains = [
        Change("update", "new.example", {"name": "new.example"}, {"name": "acme.example"}, 1),
        Change("create", "two.example", {"name": "two.example", "bounce_alias": "b", "catchall_alias": "c"}),
    ]
    then = planned(registry(), servers, domains)
    assert then.servers == (
        replace(MAIN, sequence=7, from_filter=""),
        replace(BULK, name="Mailgun"),
        Server("New", 1, "a.example,b@a.example", id=3),
    )
    assert [domain.name for domain in then.alias_domains] == ["new.example", "two.example"]
    assert then.alias_domains[0] == replace(ACME, name="new.example")
    assert then.companies == {"ACME": "new.example"}


def test_the_first_alias_domain_is_every_companys() -> None:
    empty = Registry(19, (), (), {"ACME": "", "Brand": ""}, "ACME")
    values = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"}
    then = planned(empty, [], [Change("create", "acme.example", values)])
    assert then.companies == {"ACME": "acme.example", "Brand": "acme.example"}
    # What Odoo gives a new one that is not told otherwise; 16 gives nothing.
    assert then.alias_domains[0].default_from == "notifications"
    older = planned(replace(empty, series=16), [], [Change("create", "acme.example", values)])
    assert older.alias_domains[0].default_from == ""


def test_what_is_told() -> None:
    found = registry(Server("X", 99, "acme.example", id=9))
    people = [Mail(f"user{number}@acme.example", "acme.example") for number in (1, 2, 3, 4, 5, 6, 6)]
    servers = [
        Existing(9, {"name": "X", "active": True}),
        Existing(10, {"name": "Y", "active": True}),
        Existing(11, {"name": "Z", "active": False}),
    ]
    shown = told(servers, shadows(found, DECLARED, people))
    assert shown[0] == {
        "name": "X",
        "active": True,
        "takes": [{"sender": f"user{number}@acme.example", "from": "Main"} for number in range(1, 7)],
    }
    takes, idle = warnings(shown)
    assert takes.startswith("mail server X is active and not in the policy, and takes mail that another server is ")
    assert "user5@acme.example (Main) and 1 more." in takes
    assert "user6" not in takes
    assert idle == ("mail server Y is active and not in the policy; it takes no mail of a known sender from another")
