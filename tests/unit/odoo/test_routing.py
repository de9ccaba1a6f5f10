# SPDX-License-Identifier: GPL-3.0-or-later
"""The router, version by version.

That 14 and 19 do what is written here is proved by integration/test_routing_proof.py; 15 to 18 are written down from
their sources and from what was seen on them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import routing_words
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import (
    STEPS,
    AliasDomain,
    Mail,
    Registry,
    Route,
    Router,
    Server,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing_rules import RULES
from hypothesis import given
from hypothesis import strategies as st

ACME = AliasDomain("acme.example", "bounce", "catchall", "notifications")
SHOP = AliasDomain("Shop.Example", "returns", "answers", "hello")
BREVO = Server("Brevo", 5, "", id=1)
O365 = Server("O365", 10, "acme.example", id=2)
HR = Server("HR", 20, "HR@acme.example, jobs.example", id=3)
NOTIFICATIONS = "notifications@acme.example"
BOUNCE = "bounce@acme.example"
VERP = "bounce+<id>@acme.example"


def registry(series: int, *servers: Server, **changes: object) -> Registry:
    """Return a registry of one company with one alias domain."""
    one = Registry(series, servers, (ACME,), {"ACME": "acme.example"} if series >= 17 else {}, "ACME")
    return replace(one, **changes)  # type: ignore[arg-type]


def route(series: int, mail: Mail | str, *servers: Server, **changes: object) -> Route:
    """Return what the router says of one mail."""
    mail = Mail(mail) if isinstance(mail, str) else mail
    return Router(registry(series, *servers, **changes)).route(mail)


def said(found: Route) -> tuple[str, str, str, str]:
    """Return what the table of the versions' differences has of a route."""
    return (found.server.name if found.server else "-", found.email_from, found.envelope_from, found.step)


# (servers, sender, {first series that does it: server, From, envelope sender, step})
DIFFERENCES = {
    "an address in a list of filters": (
        [BREVO, O365, HR],
        '"People" <HR@ACME.example>',
        {
            14: ("Brevo", '"People" <HR@ACME.example>', VERP, "first"),
            # Of the whole text, an address is what Odoo finds in it.
            15: ("HR", '"People" <HR@ACME.example>', "HR@ACME.example", "address"),
            17: ("HR", '"People" <hr@acme.example>', "hr@acme.example", "address"),
        },
    ),
    "a domain in a list of filters": (
        [Server("list", from_filter="jobs.example,acme.example"), BREVO],
        "a@acme.example",
        {
            14: ("Brevo", "a@acme.example", VERP, "first"),
            15: ("Brevo", "a@acme.example", BOUNCE, "no_filter"),
            16: ("Brevo", f'"a" <{NOTIFICATIONS}>', BOUNCE, "no_filter"),
            17: ("list", "a@acme.example", BOUNCE, "domain"),
        },
    ),
    "two addresses in a list of filters": (
        [Server("list", from_filter="b@acme.example,a@acme.example"), BREVO],
        "a@acme.example",
        {
            14: ("Brevo", "a@acme.example", VERP, "first"),
            15: ("Brevo", "a@acme.example", BOUNCE, "no_filter"),
            16: ("Brevo", f'"a" <{NOTIFICATIONS}>', BOUNCE, "no_filter"),
            17: ("list", "a@acme.example", "a@acme.example", "address"),
        },
    ),
    "a stranger, and a server for the notification address's domain": (
        [BREVO, O365, HR],
        "c@customer.example",
        {
            14: ("Brevo", "c@customer.example", VERP, "first"),
            15: ("O365", f'"c" <{NOTIFICATIONS}>', BOUNCE, "notification_domain"),
        },
    ),
    "a stranger, and a server without a filter": (
        [HR, BREVO],
        '"Customer" <c@customer.example>',
        {
            14: ("Brevo", '"Customer" <c@customer.example>', VERP, "first"),
            15: ("Brevo", '"Customer" <c@customer.example>', BOUNCE, "no_filter"),
            16: ("Brevo", f'"Customer" <{NOTIFICATIONS}>', BOUNCE, "no_filter"),
        },
    ),
    "the notification address, and a server without a filter": (
        [BREVO],
        f'"ACME" <{NOTIFICATIONS}>',
        {
            14: ("Brevo", f'"ACME" <{NOTIFICATIONS}>', VERP, "first"),
            15: ("Brevo", f'"ACME" <{NOTIFICATIONS}>', BOUNCE, "no_filter"),
            17: ("Brevo", NOTIFICATIONS, BOUNCE, "no_filter"),
        },
    ),
    "no filter fits": (
        [HR],
        '"Customer" <c@customer.example>',
        {
            14: ("HR", '"Customer" <c@customer.example>', VERP, "first"),
            15: ("HR", '"Customer" <c@customer.example>', "c@customer.example", "mismatch"),
            16: ("HR", f'"Customer" <{NOTIFICATIONS}>', NOTIFICATIONS, "mismatch"),
        },
    ),
    "several senders": (
        [O365, BREVO],
        "A@acme.example, b@customer.example",
        {
            14: ("Brevo", "A@acme.example, b@customer.example", VERP, "first"),
            15: ("Brevo", "A@acme.example, b@customer.example", BOUNCE, "several"),
            17: ("O365", "a@acme.example", BOUNCE, "domain"),
        },
    ),
    "no server": (
        [],
        '"Sales" <Sales@acme.example>',
        {
            14: ("-", '"Sales" <Sales@acme.example>', VERP, "configuration"),
            15: ("-", '"Sales" <Sales@acme.example>', BOUNCE, "configuration"),
            17: ("-", '"Sales" <sales@acme.example>', BOUNCE, "configuration"),
        },
    ),
}


@pytest.mark.parametrize("series", RULES)
@pytest.mark.parametrize("case", DIFFERENCES)
def test_the_versions_differ(case: str, series: int) -> None:
    servers, sender, expected = DIFFERENCES[case]
    since = max(first for first in expected if first <= series)
    assert said(route(series, sender, *servers)) == expected[since]


SINCE_15 = [series for series in RULES if series >= 15]
SINCE_17 = [series for series in RULES if series >= 17]


@pytest.mark.parametrize("series", SINCE_15)
@pytest.mark.parametrize(
    ("sender", "from_filter", "matches"),
    [
        ("a@acme.example", "acme.example", True),
        ("a@ACME.example", "Acme.Example", True),
        ("a@acme.example", "A@ACME.EXAMPLE", True),
        ("a@acme.example", "Sales <a@acme.example>", True),
        ("a@sub.acme.example", "acme.example", False),
        ("a@acme.example", "sub.acme.example", False),
        ("a@acme.example", "@acme.example", False),
        ("a@münchen.example", "MÜNCHEN.example", True),
        ("a@münchen.example", "xn--mnchen-3ya.example", False),
    ],
)
def test_what_a_filter_matches(series: int, sender: str, from_filter: str, matches: bool) -> None:
    found = route(series, sender, Server("one", from_filter=from_filter), alias_domains=())
    assert (found.step in ("address", "domain")) is matches


@given(
    series=st.sampled_from(SINCE_15),
    address_sequence=st.integers(0, 100),
    domain_sequences=st.lists(st.integers(0, 100), max_size=4),
    place=st.integers(0, 4),
)
def test_an_address_beats_a_domain_whatever_the_sequence(
    series: int, address_sequence: int, domain_sequences: list[int], place: int
) -> None:
    servers = [Server("domain", sequence, "acme.example") for sequence in domain_sequences]
    servers.insert(place, Server("address", address_sequence, "a@acme.example"))
    assert said(route(series, "A@acme.example", *servers))[0] == "address"


FILTERS = [
    "",
    "acme.example",
    "a@acme.example",
    "notifications@acme.example",
    "@acme.example",
    "other.example, a@b.example",
]


@given(
    series=st.sampled_from(list(RULES)),
    kinds=st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from(FILTERS), st.booleans()), max_size=6),
    sender=st.sampled_from(["a@acme.example", '"B" <B@acme.example>', "c@other.example", "d@customer.example"]),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_the_list_does_not_matter_and_the_archived_are_not_taken(
    series: int, kinds: list[tuple[int, str, bool]], sender: str, order: object
) -> None:
    servers = [
        Server(f"S{number}", sequence, text, active, number) for number, (sequence, text, active) in enumerate(kinds, 1)
    ]
    found = route(series, sender, *servers)
    assert (found.server is None) is not any(server.active for server in servers)
    assert found.server is None or found.server.active
    order.shuffle(servers)  # type: ignore[attr-defined]
    assert route(series, sender, *servers) == found
    # The envelope sender is the bounce address, or else it is in the From.
    assert found.envelope_from in (BOUNCE, VERP) or found.envelope_from.lower() in found.email_from.lower()


@pytest.mark.parametrize("series", RULES)
def test_of_equal_sequences_the_lower_id_is_first_and_before_17_that_is_chance(series: int) -> None:
    late, early = (Server(name, 10, "acme.example", id=number) for name, number in (("late", 9), ("early", 3)))
    found = route(series, "a@acme.example", late, early, Server("first", 5, "b@acme.example", id=1))
    if series == 14:
        assert said(found)[0] == "first"
        found = route(series, "a@acme.example", late, early)
    assert said(found)[0] == "early"
    tie = f"early has the same sequence as late: which of them Odoo {series} takes is not defined."
    assert (tie in found.warnings) is (series < 17)


# Demanded servers


@pytest.mark.parametrize("series", RULES)
def test_a_demanded_server_is_taken_whatever_its_filter(series: int) -> None:
    found = route(series, Mail("c@customer.example", server="HR"), BREVO, O365, HR)
    envelope = VERP if series == 14 else "c@customer.example"
    assert said(found) == ("HR", "c@customer.example", envelope, "forced")
    if series >= 15:
        assert found.warnings == (
            "The from_filter 'HR@acme.example, jobs.example' of HR does not take the bounce address"
            " bounce@acme.example, so the envelope sender is c@customer.example and failures never reach Odoo.",
            "The From c@customer.example is spoofed: the from_filter 'HR@acme.example, jobs.example' of HR does not"
            " take it.",
        )


@pytest.mark.parametrize("series", RULES)
def test_a_demanded_server_that_is_archived_is_refused_except_on_14(series: int) -> None:
    found = route(series, Mail("a@acme.example", server="HR"), O365, replace(HR, active=False))
    assert found.server == replace(HR, active=False)
    if series == 14:
        assert found.step == "forced"
    else:
        told = "HR is demanded but archived: Odoo refuses to use it, and the mail fails."
        assert (found.step, found.email_from, found.envelope_from, found.reply_to) == ("refused", "", "", "")
        assert (found.reason, found.warnings) == (told, (told,))


# Personal servers (19)

OWN = Server("Own", 1, "eve@acme.example", owner="eve", id=7)


def test_a_personal_server_is_for_its_owner_s_mail() -> None:
    assert said(route(19, Mail("Eve@acme.example", author="eve"), O365, OWN))[0] == "Own"
    assert said(route(19, Mail("eve@acme.example", author="bob"), O365, OWN))[0] == "O365"
    assert said(route(19, Mail("eve@acme.example"), O365, OWN))[0] == "O365"
    assert said(route(19, Mail("eve@acme.example", author="eve"), O365, OWN, personal_servers=False))[0] == "O365"


def test_a_personal_server_never_stands_in() -> None:
    assert said(route(19, Mail("x@other.example", author="eve"), OWN))[0] == "-"
    assert said(route(19, Mail("x@other.example", author="eve"), replace(OWN, from_filter="")))[0] == "-"
    notified = replace(OWN, from_filter=NOTIFICATIONS)
    assert said(route(19, Mail("x@other.example", author="eve"), notified, BREVO))[0] == "Brevo"


@pytest.mark.parametrize(
    ("mail", "own", "personal", "told"),
    [
        (Mail("b@acme.example", author="bob", server="Own"), OWN, True, "for the mail of others"),
        (Mail("eve@acme.example", author="eve", server="Own"), OWN, False, "personal servers are turned off"),
        (Mail("eva@acme.example", author="eve", server="Own"), OWN, True, "is not exactly the sender's address"),
        (Mail("eve@acme.example", author="eve"), replace(OWN, from_filter="acme.example"), True, "is not exactly"),
        (Mail("eve@acme.example", author="eve"), replace(OWN, from_filter="Eve@acme.example"), True, "in lower case"),
        (Mail("eve@acme.example", author="eve"), replace(OWN, in_use=False), True, "whose address is another by now"),
    ],
)
def test_a_personal_server_may_be_refused(mail: Mail, own: Server, personal: bool, told: str) -> None:
    found = route(19, mail, own, personal_servers=personal)
    assert (found.server, found.step) == (own, "refused")
    assert told in found.reason


# Alias domains and odoo.conf


def two_domains(series: int, *servers: Server, **changes: object) -> Registry:
    """Return a registry of two companies, the first of which sends."""
    companies = {"ACME": "acme.example", "Shop": "Shop.Example"}
    return registry(series, *servers, **{"alias_domains": (ACME, SHOP), "companies": companies, **changes})


@pytest.mark.parametrize("series", SINCE_17)
def test_a_mail_about_a_record_has_its_company_s_alias_domain(series: int) -> None:
    router = Router(two_domains(series, BREVO))
    found = router.route(Mail("c@customer.example", alias_domain="Shop.Example", author_name="Eve"))
    # The bounce address is written as the alias domain is.
    assert said(found) == ("Brevo", '"c" <hello@shop.example>', "returns@Shop.Example", "no_filter")
    assert found.reply_to == f'"{"Eve" if series == 19 else "Shop"}" <answers@Shop.Example>'
    with pytest.raises(ValidationError, match="no alias domain 'none.example'"):
        router.route(Mail("c@customer.example", alias_domain="none.example"))


@pytest.mark.parametrize("series", SINCE_17)
def test_capitals_in_an_alias_domain_hide_its_notification_address(series: int) -> None:
    servers = (Server("domain", 20, "shop.example"), Server("address", 10, "hello@shop.example"))
    mail = Mail("c@customer.example", alias_domain="Shop.Example")
    assert Router(two_domains(series, *servers)).route(mail).step == "notification_domain"
    # As the company's own it is compared in lower case.
    of_company = two_domains(series, *servers, company="Shop")
    assert Router(of_company).route(Mail("c@customer.example")).step == "notification_address"


@pytest.mark.parametrize("series", SINCE_17)
def test_without_a_server_odoo_chooses_twice(series: int) -> None:
    conf = {"from_filter": "nobody@nowhere.example"}
    found = Router(two_domains(series, configuration=conf)).route(Mail("c@x.example", alias_domain="Shop.Example"))
    # The second time it takes the company's address, and does not know it for the notification address afterwards.
    assert said(found) == ("-", NOTIFICATIONS, NOTIFICATIONS, "configuration")


@pytest.mark.parametrize("series", SINCE_15)
def test_the_filter_of_odoo_conf(series: int) -> None:
    conf = {"from_filter": "other.example"}
    assert route(series, "a@other.example", configuration=conf).email_from == "a@other.example"
    parameter = {"configuration": conf, "default_from_filter": "acme.example"}
    assert route(series, "a@other.example", **parameter).email_from == f'"a" <{NOTIFICATIONS}>'
    nobody = route(series, "a@other.example", default_from_filter="nobody.example")
    assert nobody.email_from == ("a@other.example" if series == 15 else f'"a" <{NOTIFICATIONS}>')


@pytest.mark.parametrize("series", RULES)
def test_without_a_bounce_address(series: int) -> None:
    bare = (AliasDomain("acme.example"),)
    conf = {"configuration": {"email_from": "odoo@acme.example"}}
    found = route(series, '"C" <c@customer.example>', BREVO, alias_domains=bare, **conf)
    assert found.envelope_from == ("postmaster-odoo@acme.example" if series <= 16 else "odoo@acme.example")
    nothing = route(series, '"C" <c@customer.example>', BREVO, alias_domains=())
    assert nothing.envelope_from == "c@customer.example"
    assert "No bounce address is set, so failures never reach Odoo." in nothing.warnings


@pytest.mark.parametrize("series", RULES)
def test_an_envelope_sender_is_ascii(series: int) -> None:
    found = route(series, '"Ä" <a@münchen.example>', Server("one", from_filter="münchen.example"), alias_domains=())
    assert found.email_from == '"Ä" <a@münchen.example>'
    assert found.envelope_from == "a@xn--mnchen-3ya.example"


# Reply-To


@pytest.mark.parametrize("series", RULES)
def test_reply_to(series: int) -> None:
    mail = Mail("A@acme.example", author_name="Eve")
    assert route(series, mail, BREVO).reply_to == f'"{"Eve" if series == 19 else "ACME"}" <catchall@acme.example>'
    no_catchall = (replace(ACME, catchall_alias=""),)
    assert route(series, mail, BREVO, alias_domains=no_catchall).reply_to == "A@acme.example"
    long = "A company with quite a long name that goes on"
    found = route(
        series, replace(mail, author_name=long), BREVO, company=long, companies={long: "acme.example"}
    ).reply_to
    assert found == (f'"{long}" <catchall@acme.example>' if series <= 15 else "catchall@acme.example")


def test_reply_to_has_no_name_where_it_is_not_known() -> None:
    assert route(19, "a@acme.example", BREVO).reply_to == "catchall@acme.example"
    shared = two_domains(18, BREVO, companies={"ACME": "acme.example", "B": "Shop.Example", "C": "Shop.Example"})
    mail = Mail("a@acme.example", alias_domain="Shop.Example")
    assert Router(shared).route(mail).reply_to == "answers@Shop.Example"


# What is told, what is refused


def test_a_good_route_has_no_warning() -> None:
    for series in RULES:
        found = route(series, "a@acme.example", O365)
        assert (found.server, found.warnings) == (O365, ())
    assert found.reason == "No from_filter has the address a@acme.example; the one of O365 has its domain."


def test_warnings_of_a_mismatch() -> None:
    assert route(19, "c@customer.example", HR).warnings == (
        "No server takes this sender: HR may refuse the mail.",
        "The from_filter 'HR@acme.example, jobs.example' of HR does not take the bounce address bounce@acme.example, so"
        " the envelope sender is notifications@acme.example and failures never reach Odoo.",
        "The From notifications@acme.example is spoofed: the from_filter 'HR@acme.example, jobs.example' of HR does not"
        " take it.",
    )


def test_warning_of_a_sender_that_nothing_covers() -> None:
    (warning,) = route(15, "c@customer.example", BREVO).warnings
    assert warning == (
        "The From c@customer.example is spoofed: customer.example is no alias domain of this Odoo, and Brevo has no"
        " from_filter."
    )


def test_a_server_that_odoo_conf_describes() -> None:
    cli = replace(O365, authentication="cli")
    assert "reached with the settings of odoo.conf" in route(19, "a@acme.example", cli).reason


@pytest.mark.parametrize("sender", ["", "Sales", '"Sales" <>', "a@", "@acme.example"])
@pytest.mark.parametrize("series", RULES)
def test_a_sender_is_an_address(series: int, sender: str) -> None:
    with pytest.raises(ValidationError, match="is no sender: an address is needed") as raised:
        route(series, sender, O365)
    assert repr(sender) in raised.value.message


def test_what_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValidationError, match="no outgoing server 'None', which a mail demands"):
        route(19, Mail("a@acme.example", server="None"), O365)
    with pytest.raises(ValidationError, match="how Odoo 13 chooses a server is not known here"):
        route(13, "a@acme.example", O365)


def test_every_step_is_explained() -> None:
    assert set(STEPS) - {"refused"} == set(routing_words.REASONS)
