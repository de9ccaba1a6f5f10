# SPDX-License-Identifier: GPL-3.0-or-later
"""Which records a policy needs in DNS, from who sends and from what its providers say."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.odoo.plugins.filter import mail_dns_wanted
from ansible_collections.mailops.odoo.plugins.module_utils._dns import alignment, mail, wishes
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key, RecordSet, plan
from ansible_collections.mailops.odoo.plugins.module_utils._dns.values import name as dns_name
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wanted import wanted

Policy = dict[str, Any]
ODOO = "include:_spf.odoo.com"
ODOOS_KEY = {
    "name": "odoo._domainkey.acme.example", "type": "CNAME", "values": ["odoo._domainkey.odoo.com"],
}  # fmt: skip


def server(name: str, **values: Any) -> Policy:
    return {"name": name, "sequence": 1, "smtp_user": "office@acme.example", "from_filter": ["acme.example"], **values}


KEY_OF_MAILGUN = (
    "k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCjyvh5skJppe32m0QbX5Qekg+yWWdnw6xRvK4ptPj3nNZfl+GqZpiq54/v1FARa"
    "/NiB5mfS8fduCYcxOd0FOnpt1MvKJ5lxdNynNfZmw7r9fh3FPthsPzxheAFpIRbnZ9Gh+y0tFLumCs21+TxSJAxx/JDpyMrJlwKAZvG2KH0pwIDAQAB"
)
OWN = server("Own", provider="relay", smtp_host="smtp.acme.example", spf=["a:smtp.acme.example"])
BULK = server(
    "Bulk",
    sequence=2,
    provider="mailgun",
    smtp_user="no-reply@mg.acme.example",
    from_filter=["mg.acme.example", "bounce@acme.example"],
)
ZONE = {"backend": "rfc2136", "server": "192.0.2.53", "key_name": "k", "key_secret": "canary"}
ACME = {**ZONE, "zone": "acme.example"}


def policy(*servers: Policy, zones: Any = (ACME,), domains: Any = (), **sections: Any) -> Policy:
    """Return a policy for Odoo 19 with one alias domain."""
    alias_domain = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "all", "default_from": "office"}
    odoo = {"version": 19, "alias_domains": [alias_domain], "servers": list(servers)}
    dns = {"zones": list(zones), "domains": list(domains)}
    return {"version": 1, "odoo": odoo, "dns": dns, "inbound": {"domains": []}, **sections}


def at_mailgun(**values: Any) -> list[Policy]:
    return [{"provider": "mailgun", "domains": [{"name": "mg.acme.example", **values}]}]


def told(**values: Any) -> list[Policy]:
    """Return what the role mailgun keeps of mg.acme.example."""
    sending = [
        {"name": "mg.acme.example", "type": "TXT", "values": ["v=spf1 include:mailgun.org ~all"]},
        {"name": "pic._domainkey.mg.acme.example", "type": "TXT", "values": [KEY_OF_MAILGUN]},
        {"name": "email.mg.acme.example", "type": "CNAME", "values": ["mailgun.org"]},
    ]
    receiving = [{"name": "mg.acme.example", "type": "MX", "values": ["10 mxa.mailgun.org", "10 mxb.mailgun.org"]}]
    return [
        {
            "domain": {"name": "mg.acme.example"},
            "sending_records": sending,
            "receiving_records": receiving,
            "dns_records": sending,
            "tracking": {"open": False, "click": "no", "unsubscribe": False},
            **values,
        }
    ]


def entry(found: list[Policy], domain: str, zone: str | None = "acme.example") -> Policy:
    """Return the one entry of a domain in a zone."""
    (one,) = [item for item in found if (item["domain"], item["zone"]) == (domain, zone)]
    return one


def terms(given: Policy, domain: str = "acme.example") -> list[str]:
    found: list[str] = entry(wanted(given), domain)["spf"]["terms"]
    return found


def test_spf_of_an_envelope_domain_is_the_union_of_what_its_servers_send_through() -> None:
    assert terms(policy(OWN, BULK)) == ["a:smtp.acme.example", "include:mailgun.org"]
    # Whose filter hides the bounce address sends under the sender's domain.
    apart = {**BULK, "from_filter": ["mg.acme.example"]}
    found = wanted(policy(OWN, apart))
    assert entry(found, "acme.example")["spf"]["terms"] == ["a:smtp.acme.example"]
    assert entry(found, "mg.acme.example")["spf"]["terms"] == ["include:mailgun.org"]


def test_a_server_that_sends_nothing_is_not_let_in() -> None:
    assert terms(policy(OWN, {**BULK, "active": False})) == ["a:smtp.acme.example"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"provider": "zoho", "region": "eu"}, ["include:zohomail.eu"]),
        ({"provider": "zoho"}, ["include:zohomail.com"]),
        ({"smtp_host": "smtp.zoho.in"}, ["include:zohomail.in"]),
        ({"provider": "zoho", "smtp_host": "mail.zoho.eu"}, ["include:zohomail.eu"]),
        ({"provider": "zoho", "smtp_host": "smtp.zoho.com.cn"}, []),
        ({"provider": "zoho", "smtp_host": "smtp.zoho.com.cn", "region": "eu"}, ["include:zohomail.eu"]),
        ({"provider": "gmail", "smtp_host": "relay.acme.example"}, ["include:_spf.google.com"]),
        ({"provider": "zoho", "spf": ["include:zoho.com"]}, ["include:zoho.com"]),
        ({"provider": "gmail"}, ["include:_spf.google.com"]),
        ({"provider": "microsoft365"}, ["include:spf.protection.outlook.com"]),
        ({"smtp_host": "smtp-relay.gmail.com"}, ["include:_spf.google.com"]),
        ({"provider": "relay", "smtp_host": "mx.acme.example", "spf": ["mx", "a"]}, ["mx", "a"]),
        # They take a domain of their own as envelope sender, and ask for nothing.
        ({"provider": "postmark"}, []),
        ({"provider": "ses", "region": "eu-west-1"}, []),
        # Not known: I12 says so.
        ({"provider": "zoho", "region": "ca"}, []),
        ({"provider": "relay", "smtp_host": "mx.acme.example"}, []),
    ],
)  # fmt: skip
def test_the_terms_are_the_servers_or_its_providers(values: Policy, expected: list[str]) -> None:
    assert terms(policy(server("One", **values))) == expected


def test_people_write_for_each_company() -> None:
    """What a mail is about decides where its bounces go, and then whose SPF must let the server send."""
    given = policy({**OWN, "from_filter": ["news@mg.acme.example", "bounce@acme.example"]}, zones=[])
    two = {"name": "two.example", "bounce_alias": "bounce", "default_from": None, "sequence": 20}
    given["odoo"]["alias_domains"].append(two)
    given["odoo"]["companies"] = [{"name": name, "alias_domain": f"{name}.example"} for name in ("acme", "two")]
    found = {item["domain"]: item["spf"]["terms"] for item in wanted(given)}
    assert found["mg.acme.example"] == found["acme.example"] == ["a:smtp.acme.example"]


def test_odoos_mail_in_the_name_of_somebody_with_a_server_of_his_own() -> None:
    joes = server("Joe's", owner="joe", from_filter=["joe@acme.example"], spf=["a:joe.acme.example"])
    rest = server("Rest", sequence=3, from_filter=None, spf=["a:rest.acme.example"])
    given = policy(joes, {**OWN, "sequence": 2, "from_filter": ["joe@acme.example"]}, rest)
    given["odoo"]["users"] = [{"login": "joe", "email": "joe@acme.example"}]
    given["odoo"]["alias_domains"][0]["default_from"] = None
    assert set(terms(given)) == {"a:joe.acme.example", "a:smtp.acme.example", "a:rest.acme.example"}


def test_of_servers_that_match_alike_up_to_16_each_may_send() -> None:
    """Odoo takes the one that its database gives first; from 17 on it is the older one."""
    other = server("Other", provider="relay", smtp_host="b.acme.example", spf=["a:b.acme.example"])
    for version, expected in ((16, ["a:smtp.acme.example", "a:b.acme.example"]), (17, ["a:smtp.acme.example"])):
        given = policy(OWN, other)
        given["odoo"]["version"] = version
        assert terms(given) == expected


@pytest.mark.parametrize("version", [14, 19])
def test_a_campaign_server_without_a_filter_is_let_in(version: int) -> None:
    """Nobody else's mail goes by it, and 14 has no filters at all."""
    given = policy(OWN, {**BULK, "from_filter": None})
    given["odoo"].update(version=version, mass_mailing_server="Bulk")
    assert terms(given) == ["a:smtp.acme.example", "include:mailgun.org"]


def test_what_the_policy_says_of_spf_comes_on_top() -> None:
    said = {"name": "acme.example", "spf": {"terms": ["mx", "a:smtp.acme.example"], "remove": ["ptr"], "all": "-all"}}
    assert entry(wanted(policy(OWN, domains=[said])), "acme.example")["spf"] == {
        "terms": ["a:smtp.acme.example", "mx"],
        "remove": ["ptr", ODOO],
        "all": "-all",
    }


def test_the_same_term_in_another_spelling_is_there_once() -> None:
    other = server("Other", provider="relay", smtp_host="b", spf=["A:SMTP.acme.example."], sequence=3)
    assert terms(policy(OWN, {**other, "from_filter": ["other@acme.example", "bounce@acme.example"]})) == [
        "a:smtp.acme.example"
    ]


def test_what_is_removed_is_not_wanted() -> None:
    said = {"name": "acme.example", "spf": {"remove": ["a:smtp.acme.example"]}}
    assert terms(policy(OWN, domains=[said])) == []


def test_a_term_is_wanted_though_it_is_removed_with_another_qualifier() -> None:
    said = {"name": "acme.example", "spf": {"remove": ["?a:smtp.acme.example"]}}
    spf = entry(wanted(policy(OWN, domains=[said])), "acme.example")["spf"]
    wish = wishes.SpfWish(Key(dns_name("acme.example"), "TXT"), spf["terms"], spf["remove"])
    assert wish.after(["v=spf1 ?a:smtp.acme.example -all"]) == ["v=spf1 a:smtp.acme.example -all"]


def test_what_is_removed_hides_no_other_term_that_matches_the_same() -> None:
    own = {**OWN, "spf": ["?mx"]}
    for removed, left in (("?mx", ["mx"]), ("-mx", ["?mx"]), ("mx", [])):
        said = {"name": "acme.example", "spf": {"terms": ["mx"], "remove": [removed]}}
        assert terms(policy(own, domains=[said])) == left


def test_the_spf_that_is_wanted_can_be_merged() -> None:
    """The wishes refuse what contradicts itself; ours do not, whatever the record has."""
    spf = entry(wanted(policy(OWN, BULK)), "acme.example")["spf"]
    wish = wishes.SpfWish(Key(dns_name("acme.example"), "TXT"), spf["terms"], spf["remove"])
    there = ["site-verification=1", f"v=spf1 ip4:192.0.2.9 {ODOO} -all"]
    assert wish.after(there) == [
        "site-verification=1",
        "v=spf1 ip4:192.0.2.9 a:smtp.acme.example include:mailgun.org -all",
    ]


def test_odoos_own_records_go_where_others_send() -> None:
    found = entry(wanted(policy(OWN)), "acme.example")
    assert found["spf"]["remove"] == [ODOO]
    assert found["records"] == [{**ODOOS_KEY, "state": "absent"}]
    assert found["dkim"] == []


def test_odoos_own_records_are_wanted_where_its_servers_send() -> None:
    odoos = server("Odoo", smtp_host="mail.acme.odoo.com")
    found = entry(wanted(policy(odoos)), "acme.example")
    assert found["spf"] == {"terms": [ODOO], "remove": []}
    assert found["records"] == []
    assert found["dkim"] == [
        {"name": "odoo._domainkey.acme.example", "type": "CNAME", "value": "odoo._domainkey.odoo.com"}
    ]
    # Its name only ends alike.
    other = server("Other", smtp_host="smtp.notodoo.com", spf=["mx"])
    assert entry(wanted(policy(other)), "acme.example")["spf"] == {"terms": ["mx"], "remove": [ODOO]}


def test_odoos_key_is_the_one_that_the_policy_says() -> None:
    """Odoo S.A. has keys of single databases too, and one that others need is not to go."""
    of_database = {**ODOOS_KEY, "values": ["odoo._domainkey.acme.odoo.com"]}
    for one, record in ((server("Odoo", smtp_host="smtp.odoo.com"), of_database), (OWN, ODOOS_KEY)):
        found = entry(wanted(policy(one, domains=[{"name": "acme.example", "records": [record]}])), "acme.example")
        assert (found["dkim"], found["records"]) == ([], [record])
    # A key of one's own has no room beside it.
    own = {**ODOOS_KEY, "type": "TXT", "values": [f"v=DKIM1; {KEY_OF_MAILGUN}"]}
    found = entry(wanted(policy(OWN, domains=[{"name": "acme.example", "records": [own]}])), "acme.example")
    assert found["records"] == [{**ODOOS_KEY, "state": "absent"}, own]


def test_odoos_include_stays_where_the_policy_says_so() -> None:
    said = {"name": "acme.example", "spf": {"terms": ["?include:_spf.Odoo.com"]}}
    spf = entry(wanted(policy(OWN, domains=[said])), "acme.example")["spf"]
    assert (spf["terms"], spf["remove"]) == (["a:smtp.acme.example", "?include:_spf.Odoo.com"], [])


def test_nothing_of_odoos_is_removed_where_it_is_not_known_who_sends() -> None:
    """Without a server in the policy Odoo keeps those that it has, or the one of odoo.conf."""
    assert wanted(policy()) == []


def test_the_providers_records() -> None:
    found = entry(wanted(policy(OWN, BULK, providers=at_mailgun()), told()), "mg.acme.example")
    assert found["spf"] == {"terms": ["include:mailgun.org"], "remove": [ODOO]}
    assert found["dkim"] == [{"name": "pic._domainkey.mg.acme.example", "type": "TXT", "value": KEY_OF_MAILGUN}]
    assert found["mx"] == []
    # Nothing is tracked, so nobody asks for the links' host.
    assert [record["name"] for record in found["records"]] == ["odoo._domainkey.mg.acme.example"]


@pytest.mark.parametrize("tracking", [{"open": True}, {"click": "htmlonly"}, {"unsubscribe": True}])
def test_the_host_of_tracked_links_is_wanted_where_any_are(tracking: Policy) -> None:
    found = wanted(policy(OWN, BULK, providers=at_mailgun()), told(tracking=tracking))
    tracked = {"name": "email.mg.acme.example", "type": "CNAME", "values": ["mailgun.org"]}
    assert tracked in entry(found, "mg.acme.example")["records"]


def test_a_providers_two_keys_are_two() -> None:
    keys = [{"name": f"pdk{n}._domainkey.mg.acme.example", "type": "CNAME", "values": [f"pdk{n}.x"]} for n in (1, 2)]
    found = wanted(policy(BULK, providers=at_mailgun()), told(sending_records=keys))
    assert [key["value"] for key in entry(found, "mg.acme.example")["dkim"]] == ["pdk1.x", "pdk2.x"]


def test_mx_of_a_sending_domain() -> None:
    def mx(found: list[Policy]) -> Any:
        return entry(found, "mg.acme.example")["mx"]

    given = policy(BULK, providers=at_mailgun())
    assert mx(wanted(given, told())) == []
    # It was not told yet, but that it only sends is known.
    assert mx(wanted(given)) == []
    receives = policy(BULK, providers=at_mailgun(inbound_routes=True))
    assert mx(wanted(receives, told())) == ["10 mxa.mailgun.org", "10 mxb.mailgun.org"]
    assert mx(wanted(receives)) is None
    # The gateway takes mail for it, or answers come back there.
    inbound = {"domains": [{"name": "mg.acme.example", "others": "reject"}]}
    assert mx(wanted(policy(BULK, providers=at_mailgun(), inbound=inbound), told())) is None
    aliased = policy(BULK, providers=at_mailgun())
    aliased["odoo"]["alias_domains"][0].update(name="acme.example", former_names=["mg.acme.example"])
    assert mx(wanted(aliased, told())) is None
    # Odoo fetches mail there, or people have their addresses there.
    for sections in (
        {"incoming_servers": [{"name": "Box", "user": "box@MG.acme.example"}]},
        {"users": [{"login": "mary", "email": "Mary <mary@mg.acme.example>"}]},
        {"companies": [{"name": "Acme", "email": "office@mg.acme.example"}]},
        {
            "version": 14,
            "alias_domains": [],
            "parameters": [{"key": "mail.catchall.domain", "value": "mg.acme.example"}],
        },
    ):
        elsewhere = policy(BULK, providers=at_mailgun())
        elsewhere["odoo"].update(sections)
        assert mx(wanted(elsewhere, told())) is None
    reported = [{"name": "acme.example", "dmarc": {"p": "none", "rua": ["mailto:a@mg.acme.example"]}}]
    assert mx(wanted(policy(BULK, providers=at_mailgun(), domains=reported), told())) is None
    said = [{"name": "mg.acme.example", "mx": ["10 mx.acme.example"]}]
    assert mx(wanted(policy(BULK, providers=at_mailgun(), domains=said), told())) == ["10 mx.acme.example"]


def test_the_mx_of_a_receiving_domain_is_left_alone() -> None:
    assert entry(wanted(policy(OWN)), "acme.example")["mx"] is None


def test_a_domain_that_does_not_exist_at_the_provider_yet_is_passed_over() -> None:
    (gone,) = told(domain=None, sending_records=[], receiving_records=[], tracking=None)
    assert entry(wanted(policy(BULK, providers=at_mailgun()), [gone]), "mg.acme.example")["dkim"] == []


def test_names_go_into_the_zone_that_holds_them() -> None:
    names = ("mg.acme.example", "_domainkey.mg.acme.example", "_domainkey.acme.example", "_dmarc.acme.example")
    zones = [ACME, *({**ZONE, "zone": name} for name in names)]
    record = {"name": "k1._domainkey.acme.example", "type": "CNAME", "values": ["k1.provider.example"]}
    said = [{"name": "acme.example", "records": [record], "dmarc": {"p": "none"}}]
    found = wanted(policy(OWN, BULK, zones=zones, domains=said, providers=at_mailgun()), told())
    assert [(item["domain"], item["zone"]) for item in found] == [
        ("acme.example", "_dmarc.acme.example"),
        ("acme.example", "_domainkey.acme.example"),
        ("acme.example", "acme.example"),
        ("mg.acme.example", "_domainkey.mg.acme.example"),
        ("mg.acme.example", "mg.acme.example"),
    ]
    of_dmarc, of_key, itself, of_mailguns_key, mailguns = found
    assert of_dmarc["dmarc"] == {"p": "none"}
    assert record in of_key["records"]
    assert [key["name"] for key in of_mailguns_key["dkim"]] == ["pic._domainkey.mg.acme.example"]
    assert itself["spf"]["terms"] == ["a:smtp.acme.example", "include:mailgun.org"]
    assert mailguns["mx"] == []
    assert [item["spf"] is None for item in found] == [True, True, False, True, False]
    assert [item["dmarc"] is None for item in found] == [False, True, True, True, True]


def test_a_domain_without_a_zone_is_only_looked_at() -> None:
    found = entry(wanted(policy(OWN, zones=[])), "acme.example", None)
    assert found["spf"]["terms"] == ["a:smtp.acme.example"]
    # Only what we publish can be taken away.
    assert found["records"] == []


def test_without_the_section_everything_is_only_looked_at() -> None:
    given = policy(OWN)
    del given["dns"]
    assert [item["zone"] for item in wanted(given)] == [None]


def test_somebody_whose_mail_is_passed_on_is_no_domain_of_ours() -> None:
    """Without a default sender Odoo leaves the customer's address as it is, and in the envelope a filter may too."""
    given = policy({**OWN, "from_filter": ["office@acme.example"]}, zones=[], domains=dmarc(p="reject"))
    given["odoo"]["alias_domains"][0].update(default_from=None)
    assert [item["domain"] for item in wanted(given)] == ["acme.example"]
    odoos = policy(server("Odoo", smtp_host="smtp.odoo.com", from_filter=None))
    odoos["odoo"]["alias_domains"][0].update(default_from=None)
    (found,) = wanted(odoos)
    assert found["spf"]["terms"] == [ODOO]


def test_a_server_that_only_passes_on_is_let_in_too() -> None:
    passing_on = server("Open", provider="relay", smtp_host="b", spf=["a:b.acme.example"], from_filter=None, sequence=5)
    given = policy(OWN, passing_on)
    given["odoo"]["alias_domains"][0].update(default_from=None)
    assert terms(given) == ["a:smtp.acme.example", "a:b.acme.example"]


def test_dmarc_and_further_records() -> None:
    record = {"name": "www.acme.example", "type": "CNAME", "values": ["Host.Example."], "ttl": 60}
    said = [{"name": "ACME.example", "dmarc": {"p": "none", "pct": 50}, "mx": [], "records": [record]}]
    found = entry(wanted(policy(domains=said)), "acme.example")
    assert found["dmarc"] == {"p": "none", "pct": 50}
    assert found["records"] == [{**record, "values": ["host.example"]}]
    assert found["mx"] == []
    assert found["spf"] is None


def test_reports_to_another_organisation_need_its_leave() -> None:
    uris = ["mailto:a@acme.example", "mailto:a@mail.acme.example", "mailto:a@two.example!1m", "mailto:a@three.example"]
    said = [{"name": "acme.example", "dmarc": {"p": "none", "rua": uris, "ruf": uris[2:3]}}]
    found = wanted(policy(OWN, zones=[ACME, {**ZONE, "zone": "two.example"}], domains=said))

    def leave(host: str) -> list[Policy]:
        return [{"name": f"acme.example._report._dmarc.{host}", "type": "TXT", "values": ["v=DMARC1"]}]

    assert [item["domain"] for item in found] == ["acme.example", "three.example", "two.example"]
    assert entry(found, "two.example", "two.example")["records"] == leave("two.example")
    assert entry(found, "three.example", None)["records"] == leave("three.example")


def dmarc(**tags: Any) -> list[Policy]:
    return [{"name": "acme.example", "dmarc": tags}]


SES = server("SES", provider="ses", region="eu-west-1")
KEY = {"name": "k1._domainkey.acme.example", "type": "CNAME", "values": ["k1.dkim.amazonses.com"]}
# Servers and what is said of acme.example → why its DMARC is refused, empty if it is not.
GUARDED: dict[str, tuple[list[Policy], list[Policy], str]] = {
    "SPF aligned": ([OWN], dmarc(p="reject"), ""),
    "signed by a domain of the same organisation": ([BULK], dmarc(p="quarantine"), ""),
    "signed by the very domain": (
        [OWN, BULK],
        dmarc(p="reject", adkim="s", aspf="r"),
        "",
    ),
    "of another organisation": (
        [server("News", provider="mailgun", smtp_user="news@elsewhere.example")],
        dmarc(p="reject"),
        "News sends for office@acme.example, bounce@acme.example, anybody@acme.example, 1 more, and SPF is "
        "looked up at elsewhere.example and it is signed by elsewhere.example: neither is aligned with acme.example",
    ),
    "nothing is asked of it": (
        [server("News", provider="mailgun", smtp_user="a@elsewhere.example")],
        dmarc(p="none"),
        "",
    ),
    "a provider's own envelope sender, and no key": (
        [SES],
        dmarc(p="quarantine"),
        "SPF is looked up at the provider's own domain and who signs it is not known: neither is aligned with "
        "acme.example",
    ),
    "a provider's own envelope sender, and a key": (
        [SES],
        [{"name": "acme.example", "dmarc": {"p": "quarantine"}, "records": [KEY]}],
        "",
    ),
    "a key of Odoo's servers, which do not send": (
        [SES],
        [{
            "name": "acme.example", "dmarc": {"p": "quarantine"},
            "records": [{**ODOOS_KEY}],
        }],
        "who signs it is not known",
    ),
    "a key of one's own at the selector that Odoo's has": (
        [SES],
        [{
            "name": "acme.example", "dmarc": {"p": "quarantine"},
            "records": [{**ODOOS_KEY, "type": "TXT", "values": [f"v=DKIM1; {KEY_OF_MAILGUN}"]}],
        }],
        "",
    ),
    "its term is no pass": (
        [{**OWN, "spf": ["?a:smtp.acme.example"]}],
        dmarc(p="quarantine"),
        "and SPF has it as ?a:smtp.acme.example, which is no pass, and who signs it is not known",
    ),
    "nothing lets it send": (
        [{**OWN, "spf": []}],
        dmarc(p="reject"),
        "and no term of SPF lets it send, and who signs it is not known",
    ),
    "nothing lets it send, and a key": (
        [{**OWN, "spf": []}],
        [{"name": "acme.example", "dmarc": {"p": "reject"}, "records": [KEY]}],
        "",
    ),
    "it is not known what lets it send": (
        [server("Own", provider="relay", smtp_host="smtp.acme.example")],
        dmarc(p="reject"),
        "and neither what lets it send nor who signs its mail is known",
    ),
    "a subdomain under the organisation's policy": (
        [OWN, server("Sub", smtp_user="a@elsewhere.example", provider="mailgun", from_filter=["sub.acme.example"])],
        dmarc(p="reject"),
        "Sub sends for anybody@sub.acme.example, and ",
    ),
    "a subdomain of which less is asked": (
        [OWN, server("Sub", smtp_user="a@elsewhere.example", provider="mailgun", from_filter=["sub.acme.example"])],
        dmarc(p="reject", sp="none"),
        "",
    ),
    "a subdomain with a record of its own": (
        [OWN, server("Sub", smtp_user="a@elsewhere.example", provider="mailgun", from_filter=["sub.acme.example"])],
        [*dmarc(p="reject"), {"name": "sub.acme.example", "dmarc": {"p": "none"}}],
        "",
    ),
    "strictly, another name of the organisation is another": (
        [server("Bulk", provider="mailgun", smtp_user="a@mg.acme.example")],
        dmarc(p="Reject", adkim="S", aspf="s"),
        "neither is aligned with acme.example",
    ),
    "strictly in one of both ways is enough": (
        [server("Bulk", provider="mailgun", smtp_user="a@mg.acme.example")],
        dmarc(p="reject", aspf="s"),
        "",
    ),
    "Odoo's servers sign": ([server("Odoo", smtp_host="smtp.odoo.com")], dmarc(p="reject"), ""),
    "the server of odoo.conf": ([], dmarc(p="reject"), "the server of odoo.conf sends for office@acme.example, "),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(GUARDED))
def test_dmarc_is_not_raised_while_mail_of_the_policy_would_fail(case: str) -> None:
    servers, said, refused = GUARDED[case]
    given = policy(*copy.deepcopy(servers), domains=said)
    if refused:
        with pytest.raises(AnsibleFilterError, match=r"^_dmarc\.acme\.example TXT: p=") as caught:
            mail_dns_wanted.FilterModule().filters()["mail_dns_wanted"](given)
        assert refused in str(caught.value)
    else:
        assert entry(wanted(given), "acme.example")["dmarc"] == said[0]["dmarc"]


STRICT = "v=DMARC1; p=none; adkim=s; aspf=s"


@pytest.mark.parametrize(
    ("servers", "tags", "there", "refused"),
    [
        ([BULK], {"p": "reject"}, STRICT, True),
        # One of both is enough.
        ([BULK], {"p": "reject"}, "v=DMARC1; p=none; adkim=s", False),
        ([BULK], {"p": "reject"}, "v=DMARC1; p=none; aspf=S", False),
        # What the policy says takes its place.
        ([BULK], {"p": "reject", "adkim": "r"}, STRICT, False),
        ([BULK], {"p": "none"}, STRICT, False),
        ([OWN], {"p": "reject"}, STRICT, False),
        ([BULK], {"p": "reject"}, "somebody's", False),
    ],
)
def test_dmarc_is_not_raised_beside_tags_that_stay_and_are_strict(
    servers: list[Policy], tags: Policy, there: str, refused: bool
) -> None:
    """What the policy does not say of a record stays in it, and counts as well."""
    signing = [{**one, "from_filter": ["acme.example"]} for one in servers]
    given = policy(*signing, domains=dmarc(**tags))
    there_now = [
        {"name": "acme.example", "type": "TXT", "values": [STRICT]},
        {"name": "_dmarc.acme.example", "type": "TXT", "values": [there], "ttl": 60},
    ]
    if refused:
        with pytest.raises(AnsibleFilterError, match=r"beside adkim=s, aspf=s, which it has, p=reject would") as caught:
            mail_dns_wanted.mail_dns_wanted(given, records=there_now)
        assert "say adkim: r or aspf: r" in str(caught.value)
    else:
        assert mail_dns_wanted.mail_dns_wanted(given, records=there_now) == wanted(given)


def test_what_is_wanted_is_what_mail_dns_takes() -> None:
    """From the filter to the changes, of a zone that has some of it."""
    said = [
        {"name": "acme.example", "dmarc": {"p": "Quarantine", "pct": 50, "fo": 1, "rua": ["mailto:a@acme.example"]}}
    ]
    given = policy(OWN, BULK, domains=said, providers=at_mailgun())
    taken = ArgumentSpecValidator({"domains": {"type": "list", "elements": "dict", "options": mail.DOMAIN}}).validate(
        {"domains": wanted(given, told(tracking={"open": True}))}
    )
    assert taken.error_messages == []
    made = [wish for one in taken.validated_parameters["domains"] for wish in mail.of_domain(one, "acme.example")]
    mail.check(made)
    there = {
        Key(dns_name("acme.example"), "TXT"): RecordSet(("proof=1", f"v=spf1 {ODOO} -all"), 60),
        Key(dns_name("odoo._domainkey.acme.example"), "CNAME"): RecordSet(("odoo._domainkey.odoo.com",), 60),
    }
    changes = {change.key.shown(): change.after.values for change in plan(made, there)}
    assert changes == {
        "acme.example TXT": ("proof=1", "v=spf1 a:smtp.acme.example include:mailgun.org -all"),
        "odoo._domainkey.acme.example CNAME": (),
        "_dmarc.acme.example TXT": ("v=DMARC1; p=quarantine; pct=50; fo=1; rua=mailto:a@acme.example",),
        "mg.acme.example TXT": ("v=spf1 include:mailgun.org ~all",),
        "pic._domainkey.mg.acme.example TXT": (KEY_OF_MAILGUN,),
        "email.mg.acme.example CNAME": ("mailgun.org",),
    }


def test_the_same_policy_gives_the_same_and_is_left_as_it_is() -> None:
    given = policy(OWN, BULK, domains=dmarc(p="none"), providers=at_mailgun())
    before = copy.deepcopy(given)
    first = wanted(given, told())
    assert wanted(given, told()) == first
    assert given == before
    assert "canary" not in str(first)


def test_without_its_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "IMPORT_ERROR", "No module named 'publicsuffixlist'")
    with pytest.raises(AnsibleFilterError, match="publicsuffixlist"):
        mail_dns_wanted.mail_dns_wanted(policy(OWN))


def test_additions_harm_nobody_who_sends_until_the_servers_change() -> None:
    said = {
        "name": "acme.example",
        "spf": {"terms": ["mx"], "remove": ["a"], "all": "-all"},
        "dmarc": {"p": "none", "rua": ["mailto:dmarc@reports.example"]},
        "mx": ["10 mx.acme.example"],
        "records": [
            {"name": "key._domainkey.acme.example", "type": "CNAME", "values": ["key.provider.example"]},
            {"name": "lists.acme.example", "type": "MX", "values": ["10 mx.acme.example"]},
        ],
    }
    sound = policy(OWN, BULK, domains=[said], providers=at_mailgun())
    whole, added = wanted(sound, told()), mail_dns_wanted.mail_dns_wanted(sound, told(), additions=True)
    assert [(one["domain"], one["zone"]) for one in added] == [(one["domain"], one["zone"]) for one in whole]
    acme, all_of_it = entry(added, "acme.example"), entry(whole, "acme.example")
    assert acme["spf"] == {"terms": all_of_it["spf"]["terms"], "remove": []}
    assert (acme["dmarc"], acme["mx"]) == (None, None)
    assert ODOOS_KEY["name"] in [record["name"] for record in all_of_it["records"]]
    assert [record["name"] for record in acme["records"]] == ["key._domainkey.acme.example"]
    bulk, all_of_bulk = entry(added, "mg.acme.example"), entry(whole, "mg.acme.example")
    assert bulk["dkim"] == all_of_bulk["dkim"] != []
    assert (all_of_bulk["mx"], bulk["mx"]) == ([], None)
    # Where only something is to go, nothing is left to add.
    none = mail_dns_wanted.mail_dns_wanted(
        policy(domains=[{"name": "b.example", "spf": {"remove": ["a"]}}]), additions=True
    )
    assert entry(none, "b.example", None)["spf"] is None
