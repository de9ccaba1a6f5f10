# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of the lint: what it says, exactly, of a policy that breaks it, and nothing of one that hardly differs."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.odoo.plugins.filter import mail_lint
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint import RULES, SEVERITIES, lint
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint_setup import Outgoing, Person, Placed, Setup
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain, Mail, Registry, Server
from ansible_collections.mailops.odoo.plugins.module_utils._policy import findings, problems

ROOT = Path(__file__).resolve().parents[3]
Section = dict[str, Any]


def server(name: str = "Own", **values: Any) -> Section:
    """Return a server of the policy with which nothing is amiss."""
    sound = {
        "name": name,
        "sequence": 1,
        "smtp_host": "smtp.acme.example",
        "smtp_port": 587,
        "encryption": "starttls",
        "smtp_user": "office@acme.example",
        "from_filter": ["acme.example"],
    }
    return {key: value for key, value in {**sound, **values}.items() if value is not None}


def section(*servers: Section, **values: Any) -> Section:
    """Return a section with these servers, for Odoo 19 unless it says otherwise."""
    domain = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall", "default_from": "office"}
    return {"version": 19, "alias_domains": [domain], "servers": list(servers), **values}


def domain(name: str = "acme.example", **values: Any) -> list[Section]:
    return [{"name": name, "bounce_alias": "bounce", "catchall_alias": "catchall", "default_from": "office", **values}]


def at_mailgun(**values: Any) -> list[Section]:
    """Return the section `providers` with the login of MAILGUN."""
    credentials = [{"login": "No-Reply", "password": "from-the-vault"}]
    return [{"provider": "mailgun", "domains": [{"name": "mg.acme.example", "credentials": credentials}], **values}]


def told(odoo: Section) -> list[str]:
    """Return severity and text of everything that is found; the sections beside Odoo's own stand in it."""
    inside = {key: value for key, value in odoo.items() if key not in ("providers", "dns", "inbound")}
    beside = {key: value for key, value in odoo.items() if key not in inside}
    policy = {"version": 1, "odoo": inside, "providers": [], "inbound": {"domains": []}, **beside}
    return [f"{finding.severity} {finding.text()}" for finding in findings(policy)]


def dns(*zones: str, **said: Any) -> Section:
    """Return the section `dns` that publishes in zones, and says something of acme.example."""
    reached = {"backend": "rfc2136", "server": "192.0.2.53", "key_name": "k", "key_secret": "from-the-vault"}
    domains = [{"name": "acme.example", **said}] if said else []
    return {"zones": [{"zone": zone, **reached} for zone in zones], "domains": domains}


BULK = {"purpose": "bulk", "from_filter": ["mg.acme.example", "bounce@acme.example"], "sequence": 2}
ZOHO = {"provider": "zoho", "smtp_host": None, "smtp_port": None, "encryption": None}
GMAIL = {**ZOHO, "provider": "gmail", "smtp_user": "office@acme.example"}
MAILGUN = {**ZOHO, "provider": "mailgun", "smtp_user": "no-reply@mg.acme.example"}
MAILGUN_ELSEWHERE = {**ZOHO, "provider": "mailgun", "smtp_user": "news@elsewhere.example"}
BOUNCE = "bounce@acme.example"
ODOOS_KEY = {"name": "odoo._domainkey.acme.example", "type": "CNAME", "values": ["odoo._domainkey.odoo.com"]}
MX_OF_MG = {"domains": [{"name": "mg.acme.example", "mx": ["10 mxa.mailgun.org"]}]}
REJECTING = {"domains": [{"name": "acme.example", "others": "reject"}]}
PORT = "odoo.servers[0].smtp_port"
FILTER = "odoo.servers[0].from_filter"

# Rule, what breaks it → all that is said, and what hardly differs → nothing.
CASES: list[tuple[str, Section, str, Section]] = [
    (
        "A10",
        section(server("One"), server("Two", from_filter=["two.example", BOUNCE])),
        "warning A10 odoo.servers[0].sequence: One, Two have the same sequence, 1: among equals Odoo takes the one "
        "that was "
        "made first. Give each a sequence of its own.",
        section(server("One"), server("Two", from_filter=["two.example", BOUNCE], sequence=2)),
    ),
    (
        "A10",
        section(server("One"), server("Two", from_filter=["two.example"]), version=16, alias_domains=[]),
        "warning A10 odoo.servers[0].sequence: One, Two have the same sequence, 1: among equals Odoo takes either. "
        "Give each a sequence of its own.",
        section(server("One"), server("Two", active=False), version=15, alias_domains=[]),
    ),
    (
        "A16",
        section(server(from_filter=["acme.odoo.com"]), alias_domains=domain("acme.odoo.com")),
        "error A16 odoo.alias_domains[0].name: acme.odoo.com belongs to Odoo S.A., so nothing in its DNS lets Own "
        "send for it. "
        "Use a domain of your own.",
        section(server(from_filter=["acme.odoo.com"], active=False), alias_domains=domain("acme.odoo.com")),
    ),
    (
        "A19",
        section(server(), parameters=[{"key": "mail.default.from_filter", "value": "acme.example"}]),
        "warning A19 odoo.parameters[0]: mail.default.from_filter counts only while there is no outgoing mail "
        "server, but "
        "there are: Own. Delete it, and give the servers their from_filter.",
        section(parameters=[{"key": "mail.default.from_filter", "value": "acme.example"}]),
    ),
    (
        "A21",
        section(
            server(**GMAIL, purpose="bulk", from_filter=["office@acme.example", BOUNCE]),
            mass_mailing_server="Own",
        ),
        "warning A21 odoo.servers[0]: Gmail is not meant for bulk mail: at most 500 mails a day, 2,000 with Workspace. "
        "Such mail can go by brevo, mailgun, mailjet, postmark-broadcast, relay, sendgrid, ses.",
        section(server(**GMAIL, purpose="transactional", from_filter=["office@acme.example", BOUNCE])),
    ),
    (
        "B01",
        section(server(from_filter=None)),
        "warning B01 odoo.servers[0].from_filter: Own has no from_filter, so it gets whatever no other server's filter "
        "matches. Name the addresses and domains that it may send for.",
        section(server(from_filter=None, active=False)),
    ),
    (
        "B02",
        section(server(from_filter=["@acme.example", "acme.example"])),
        "error B02 odoo.servers[0].from_filter: '@acme.example' never matches in Odoo. Write the domain without @: "
        "acme.example.",
        section(server(from_filter=["acme.example", "two.example"])),
    ),
    (
        "B02",
        section(server(from_filter=["acme.example", "two.example"]), version=16, alias_domains=[]),
        "error B02 odoo.servers[0].from_filter: it has 2 parts (acme.example, two.example), and Odoo 16 knows no "
        "list there "
        "(17 and later do): it would match nothing. Make one server for each.",
        section(server(from_filter=["acme.example"]), version=16),
    ),
    (
        "B04",
        section(server(**ZOHO, from_filter=None)),
        "error B04 odoo.servers[0].from_filter: Zoho Mail, personal or free sends only as the mailbox that logs in. "
        "Set from_filter to its addresses.",
        section(server(**ZOHO, from_filter=["office@acme.example", BOUNCE])),
    ),
    (
        "B04",
        section(server(**ZOHO)),
        "warning B04 odoo.servers[0].from_filter: Zoho Mail, personal or free sends only as the mailbox that logs "
        "in, not as "
        "any address at acme.example. Name the addresses in its place.",
        section(server(**MAILGUN)),
    ),
    (
        "B04",
        section(
            server(smtp_host="SMTP.gmail.com", from_filter=["sales@acme.example", BOUNCE]),
            alias_domains=domain(default_from="sales"),
        ),
        "warning B04 odoo.servers[0].from_filter: Gmail sends as office@acme.example, which is not in the filter. "
        "Add office@acme.example.",
        section(server(smtp_host="smtp.gmail.com", from_filter=["Office@acme.example", BOUNCE])),
    ),
    (
        "B04",
        section(server(smtp_host="smtp.mailgun.org", from_filter=None)),
        "warning B04 odoo.servers[0].from_filter: Mailgun sends only for what is verified there. "
        "Set from_filter to the domains that are.",
        section(server(smtp_host="smtp.mailgun.org")),
    ),
    (
        "B11",
        section(server(), alias_domains=domain(default_from="office@acme.example")),
        "warning B11 odoo.alias_domains[0].default_from: office@acme.example is a whole address: all mail that no "
        "server takes "
        "under its own sender leaves as it, whatever the alias domain. Write office alone, unless one sender for "
        "everything is "
        "what you want.",
        section(server(), alias_domains=domain(default_from="office")),
    ),
    (
        "B18",
        section(server(), users=[{"login": "odoobot", "email": "odoobot@example.com"}]),
        "warning B18 odoo.users[0]: the e-mail address of OdooBot is odoobot@example.com, no real one; Odoo sends "
        "mail in its "
        "name. Set one that somebody reads.",
        section(server(), users=[{"login": "odoobot", "email": "office@acme.example"}, {"login": "admin"}]),
    ),
    (
        "B19",
        section(
            server(from_filter=["two.example", BOUNCE]),
            alias_domains=domain(default_from="office"),
            users=[{"login": "admin", "email": "boss@acme.example"}],
        ),
        "warning B19 odoo.servers: no server's filter has boss@acme.example (user admin), customer@example.org (a "
        "customer, "
        "passed on), office@acme.example (default sender); Odoo takes the first server all the same. "
        "Name them, or their domains, in the filter of a server that may send for them.",
        section(
            server(from_filter=["office@acme.example", BOUNCE]),
            users=[{"login": "admin", "email": "a@b.example"}],
        ),
    ),
    (
        "C02",
        section(server("Bulk", **{**BULK, "sequence": 1}), server("Own", sequence=2), mass_mailing_server="Bulk"),
        "warning C02 odoo.servers[0].sequence: Bulk is for bulk mail and does not come after Own: where filters "
        "match alike, or "
        "none does, ordinary mail leaves by it. Give it a sequence above 2.",
        section(
            server("Own", purpose="transactional"),
            server("Bulk", **BULK),
            server("Last", purpose="notification", sequence=3),
            mass_mailing_server="Bulk",
        ),
    ),
    (
        "C03",
        section(server("Own"), server("Bulk", **BULK)),
        "warning C03 odoo.mass_mailing_server: no server is chosen for Email Marketing, so campaigns leave like any "
        "other mail. "
        "Choose Bulk.",
        section(server("Own"), server("Bulk", **BULK), mass_mailing_server="Bulk"),
    ),
    (
        "C03",
        section(server("Own"), modules=["crm", "mass_mailing"]),
        "warning C03 odoo.mass_mailing_server: no server is chosen for Email Marketing, so campaigns leave like any "
        "other mail. "
        "Choose one for bulk mail.",
        section(server("Own"), modules=["crm"]),
    ),
    (
        "C03",
        section(server("Own", purpose="transactional"), mass_mailing_server="Own"),
        "warning C03 odoo.mass_mailing_server: campaigns leave by Own, which is for transactional mail. "
        "Choose a server for bulk mail.",
        section(server("Own"), mass_mailing_server="Own"),
    ),
    (
        "C05",
        section(
            server("Own"), server("Bulk", **{**BULK, "from_filter": None}), server("B", **{**BULK, "sequence": 3}),
            mass_mailing_server="B",
        ),
        "warning C05 odoo.servers[1].from_filter: Bulk is for bulk mail, has no from_filter and is not chosen for "
        "Email "
        "Marketing: it only gets mail that is not meant for it. Choose it for Email Marketing, or give it a "
        "from_filter.",
        section(server("Own"), server("Bulk", **{**BULK, "from_filter": None}), mass_mailing_server="Bulk"),
    ),
    (
        "D16",
        section(server(from_filter=["office@acme.example"])),
        "warning D16 odoo.servers[0].from_filter: it lacks bounce@acme.example, so what Own sends has the sender as "
        "its "
        "envelope sender too, and Odoo never learns of a bounce. Add bounce@acme.example.",
        section(server(from_filter=["office@acme.example", BOUNCE])),
    ),
    (
        "D16",
        section(server(from_filter=["office@acme.example"]), version=15),
        "warning D16 odoo.servers[0].from_filter: it lacks bounce@acme.example, so what Own sends has the sender as "
        "its "
        "envelope sender too, and Odoo never learns of a bounce. Make it acme.example: Odoo 15 takes one item there.",
        section(server(from_filter=["acme.example"]), version=15),
    ),
    (
        "I08",
        section(server(spf=["mx", "include:_SPF.odoo.com"]), dns=dns()),
        "warning I08 odoo.servers[0].spf: include:_spf.odoo.com lets the servers of Odoo S.A. send, and none of them "
        "does; it costs receivers look-ups, of which there may be ten. Leave it out.",
        section(server(spf=["mx", "include:_spf.odoo.com"], smtp_host="smtp.odoo.com"), dns=dns()),
    ),
    (
        "I08",
        section(server(spf=["mx"]), dns=dns(spf={"terms": ["include:_spf.odoo.com"]})),
        "warning I08 dns.domains[0].spf.terms: include:_spf.odoo.com lets the servers of Odoo S.A. send, and none of "
        "them does; it costs receivers look-ups, of which there may be ten. Leave it out.",
        section(server(spf=["mx"]), dns=dns(spf={"remove": ["include:_spf.odoo.com"]})),
    ),
    (
        "I08",
        section(server(spf=["mx"]), dns=dns(records=[ODOOS_KEY])),
        "warning I08 dns.domains[0].records[0]: odoo._domainkey.acme.example is the key of Odoo S.A.'s servers, and "
        "none of them sends. Leave it out; the key of the provider that sends is the right one.",
        section(server(spf=["mx"]), dns=dns(records=[{**ODOOS_KEY, "type": "TXT", "values": ["v=DKIM1; p="]}])),
    ),
    (
        "I12",
        section(server(), dns=dns("acme.example")),
        "warning I12 odoo.servers[0].spf: Own sends for acme.example, and by which terms of SPF is not known. "
        "Say them, such as spf: [a:mx.acme.example], or spf: [] if it needs none.",
        section(server(spf=[]), dns=dns("acme.example")),
    ),
    (
        "I12",
        section(server(), dns=dns(spf={"terms": ["mx"]})),
        "warning I12 odoo.servers[0].spf: Own sends for acme.example, and by which terms of SPF is not known. "
        "Say them, such as spf: [a:mx.acme.example], or spf: [] if it needs none.",
        # Of a domain that is nobody's matter here nothing has to be known.
        section(server(), dns=dns("two.example")),
    ),
    (
        "I12",
        section(dns=dns("acme.example")),
        "warning I12 odoo.servers: the server of odoo.conf sends for acme.example, and by which terms of SPF is not "
        "known. Name the server, with spf, in the policy.",
        section(),
    ),
    (
        "I12",
        section(server(spf=["mx", "a:one.example"]), dns=dns(spf={"remove": ["A:one.example", "ptr"]})),
        "error I12 dns.domains[0].spf.remove: A:one.example is to be removed, and Own sends by it for acme.example. "
        "Leave it there, or let another server send.",
        section(server(spf=["mx", "a:one.example"]), dns=dns(spf={"remove": ["a:two.example", "?mx"]})),
    ),
    (
        "K03",
        section(server(**MAILGUN_ELSEWHERE), dns=dns(dmarc={"p": "reject"})),
        "error K03 dns.domains[0].dmarc: receivers would refuse or put aside mail that fails DMARC, and some of the "
        "policy's would: Own sends for office@acme.example, bounce@acme.example, anybody@acme.example, 1 more, and SPF "
        "is looked up at elsewhere.example and it is signed by elsewhere.example: neither is aligned with "
        "acme.example. Keep p: none until it passes: give the server an envelope sender at the domain of From, or have "
        "it sign as that domain.",
        section(server(**MAILGUN_ELSEWHERE), dns=dns(dmarc={"p": "none"})),
    ),
    (
        "K05",
        section(server(), inbound=REJECTING, dns=dns(dmarc={"p": "none", "rua": ["mailto:Dmarc@acme.example!1m"]})),
        "warning K05 dns.domains[0].dmarc.rua[0]: the policy has no dmarc@acme.example, and the gateway refuses what "
        "Odoo does not have. Make an alias of it, or name an address that somebody reads.",
        section(
            server(),
            inbound=REJECTING,
            aliases=[{"alias_name": "Dmarc", "alias_model": "crm.lead"}],
            dns=dns(dmarc={"p": "none", "rua": ["mailto:dmarc@acme.example", "mailto:OFFICE@acme.example"]}),
        ),
    ),
    (
        "K05",
        section(server(), dns=dns(dmarc={"p": "none", "ruf": ["mailto:a@acme.example", "mailto:a@two.example"]})),
        "info K05 dns.domains[0].dmarc.ruf[1]: reports of acme.example go to two.example only if "
        "acme.example._report._dmarc.two.example has a TXT record v=DMARC1, and that zone is not the policy's. "
        "See that two.example publishes it.",
        section(server(), dns=dns("two.example", dmarc={"p": "none", "ruf": ["mailto:a@two.example"]})),
    ),
    (
        "L01",
        section(server(verify=False)),
        "warning L01 odoo.servers[0].encryption: the certificate of smtp.acme.example is not verified: whoever "
        "answers gets the "
        "password. Say verify: true.",
        section(server(verify=True)),
    ),
    (
        "L02",
        section(server(**MAILGUN, spf=[]), providers=at_mailgun(), dns=MX_OF_MG),
        "error L02 dns.domains[0].mx: mg.acme.example only sends, and mail to it would go to 10 mxa.mailgun.org, where "
        "nobody waits for it. Leave mx out. If mail is to arrive, say inbound_routes: true at the provider's domain, "
        "or name the domain under inbound.domains.",
        section(
            server(**MAILGUN, spf=[]),
            providers=at_mailgun(),
            dns=MX_OF_MG,
            inbound={"domains": [{"name": "mg.acme.example", "others": "reject"}]},
        ),
    ),
    (
        "L02",
        section(server(), dns=dns(mx=[])),
        "error L02 dns.domains[0].mx: mail to acme.example is to arrive, by the policy's other sections, and without "
        "an MX record it does not. Name its MX, or leave mx out: then it stays as it is.",
        section(server(), dns={"domains": [{"name": "www.acme.example", "mx": []}]}),
    ),
    (
        "M01",
        section(server(**MAILGUN), providers=at_mailgun(region="eu")),
        "error M01 odoo.servers[0].smtp_host: smtp.mailgun.org is of Mailgun's region us, and no-reply@mg.acme.example "
        "of its region eu (providers[0].domains[0].credentials[0]): the login is not known there. "
        "Use smtp.eu.mailgun.org, or say region: us in the place of the login.",
        section(server(**MAILGUN, region="eu"), providers=at_mailgun(region="eu")),
    ),
    (
        "M08",
        section(server(), providers=at_mailgun()),
        "warning M08 providers[0].domains[0].credentials[0]: no server logs in as no-reply@mg.acme.example. "
        "Let one do so, or leave the login out.",
        section(alias_domains=[], providers=at_mailgun()),
    ),
    (
        "M08",
        section(
            server(**MAILGUN),
            server("Two", **{**MAILGUN, "smtp_user": "noreply@mg.acme.example"}, sequence=2),
            providers=at_mailgun(),
        ),
        "warning M08 odoo.servers[1].smtp_user: noreply@mg.acme.example is not among the logins that the policy makes "
        "for its domain. Add it there, or let the server use one of them.",
        section(
            server(**MAILGUN),
            server("Two", smtp_user="noreply@acme.example", sequence=2),
            providers=at_mailgun(),
        ),
    ),
    (
        "R01",
        section(server(smtp_port=25, encryption="starttls")),
        "warning R01 odoo.servers[0].smtp_port: port 25 is for mail between servers, and many networks let nobody "
        "connect to "
        "it. Use 587 or 465 or 2525, if the provider has it.",
        section(server(smtp_port=25, encryption="none", smtp_host="10.0.0.5")),
    ),
    (
        "R01",
        section(server(smtp_port=25, encryption="none")),
        "warning R01 odoo.servers[0].smtp_port: port 25 is for mail between servers, and many networks let nobody "
        "connect to "
        "it. Use 587 or 465 or 2525, if the provider has it.",
        section(server(smtp_port=25, encryption="none", provider="relay")),
    ),
    (
        "R02",
        section(server(**{**MAILGUN, "smtp_port": 587}), platform="digitalocean"),
        "error R02 odoo.servers[0].smtp_port: DigitalOcean blocks port 587: Odoo there does not reach "
        "smtp.mailgun.org. "
        "Use 2525 (starttls).",
        section(server(**MAILGUN), platform="digitalocean"),
    ),
    (
        "R02",
        section(server(**ZOHO, from_filter=["office@acme.example", BOUNCE]), platform="digitalocean"),
        "error R02 odoo.servers[0].smtp_port: DigitalOcean blocks port 465: Odoo there does not reach smtp.zoho.com. "
        "Use another provider: Zoho Mail, personal or free has no port that is open there.",
        section(server(**ZOHO, from_filter=["office@acme.example", BOUNCE]), platform="aws"),
    ),
    (
        "R04",
        section(server(smtp_port=587, encryption="ssl")),
        "error R04 odoo.servers[0]: port 587 does not go with encryption ssl. "
        "Port 587 takes starttls; 465 is for ssl, 587 and 2525 are for starttls.",
        section(server(smtp_port=465, encryption="ssl")),
    ),
    (
        "R04",
        section(server(**{**ZOHO, "smtp_port": 2525}, from_filter=["office@acme.example", BOUNCE])),
        "warning R04 odoo.servers[0]: Zoho Mail, personal or free is not known to take mail on port 2525. "
        "It has 465 (ssl), 587 (starttls).",
        section(server(**{**ZOHO, "smtp_port": 587}, from_filter=["office@acme.example", BOUNCE])),
    ),
    (
        "X02",
        section(server(), parameters=[{"key": "mail.catchall.domain", "value": "acme.example"}]),
        "error X02 odoo.parameters[0]: mail.catchall.domain would have no effect: Odoo 19 has mail.alias.domain and "
        "does not "
        "read it. Use alias_domain.",
        section(
            server(),
            version=16,
            alias_domains=[],
            parameters=[{"key": "mail.catchall.domain", "value": "acme.example"}],
        ),
    ),
    (
        "X02",
        section(server(max_email_size=20.0), version=17),
        "error X02 odoo.servers[0].max_email_size: Odoo 17 has no max_email_size, which came with 18. "
        "Leave it out for this version.",
        section(server(max_email_size=20.0), version=18),
    ),
    (
        "X02",
        section(server(smtp_authentication="cli"), version=16),
        "error X02 odoo.servers[0].smtp_authentication: Odoo 16 has no smtp_authentication cli, which came with 17. "
        "Leave it out for this version.",
        section(server(smtp_authentication="login"), version=16),
    ),
    (
        "X02",
        section(server(), aliases=[{"alias_name": "a", "alias_model": "crm.lead", "alias_user": "admin"}]),
        "error X02 odoo.aliases[0].alias_user: Odoo 19 has no alias_user any more. Leave it out for this version.",
        section(server(), version=16, aliases=[{"alias_name": "a", "alias_model": "crm.lead", "alias_user": "admin"}]),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "broken", "expected", "kept"), CASES, ids=[case[2][:70] for case in CASES])
def test_a_rule_speaks_when_it_is_broken_and_only_then(
    rule: str, broken: Section, expected: str, kept: Section
) -> None:
    assert [line for line in told(broken) if " L01 " not in line or rule == "L01"] == [expected]
    assert [line for line in told(kept) if not line.startswith("info ")] == []


def test_no_rule_is_without_a_case() -> None:
    assert {case[0] for case in CASES} == set(RULES)


@pytest.mark.parametrize("inventory", ["sandbox", "example"])
def test_our_own_policies_are_clean(inventory: str) -> None:
    path = ROOT / "inventories" / inventory / "group_vars/acme/mail_policy.yml"
    policy = yaml.safe_load(path.read_text())["mail_policy"]
    assert mail_lint.FilterModule().filters()["mail_lint"](policy) == []


def test_before_19_no_certificate_is_verified() -> None:
    assert told(section(server(), version=18)) == [
        "info L01 odoo.servers[0].encryption: Odoo 18 does not verify the certificate of smtp.acme.example. "
        "Odoo 19 does; before, a relay of your own can."
    ]


def test_14_has_no_filters_to_speak_of() -> None:
    odoo = section(server(from_filter=None, verify=None), version=14)
    assert [line for line in told(odoo) if not line.startswith("info L01")] == []


def test_what_depends_on_an_assumed_version_is_no_error() -> None:
    odoo = section(server(), parameters=[{"key": "mail.catchall.domain", "value": "acme.example"}])
    del odoo["version"]
    (line,) = told(odoo)
    assert line.startswith("warning X02 odoo.parameters[0]: mail.catchall.domain would have no effect: Odoo 19 has")


def test_a_server_that_odoo_fills_in_itself_has_a_filter() -> None:
    """Odoo's form puts the account's address there; the module does the same."""
    account = {**GMAIL, "provider": None, "smtp_authentication": "gmail", "from_filter": None}
    assert told(section(server(**account), alias_domains=[])) == []


def test_where_the_default_sender_is_not_known_no_sender_is_called_uncovered() -> None:
    users = [{"login": "admin", "email": "boss@other.example"}]
    assert told(section(server(), users=users, alias_domains=[])) == []


def test_several_alias_domains_each_need_their_bounces() -> None:
    domains = [*domain(), *domain("two.example", default_from="sales")]
    odoo = section(server(from_filter=["acme.example", "sales@two.example"]), alias_domains=domains)
    (line,) = told(odoo)
    assert line.endswith("Add bounce@two.example.")
    # Of a name that is no alias domain nobody can tell whose bounces they are.
    elsewhere = section(server(from_filter=["acme.example", "elsewhere.example"]), alias_domains=domains)
    assert not [line for line in told(elsewhere) if " D16 " in line]


# The same rules over what a database has.
STORED = Setup(
    19,
    stored=True,
    servers_place="mail servers",
    servers=(
        Outgoing(
            "mail server Mailgun", "Mailgun", "smtp.mailgun.org", 2525, "starttls", True, from_filter=("acme.example",)
        ),
    ),
    alias_domains=(("alias domain acme.example", AliasDomain("acme.example", "bounce", "catchall", "office")),),
    campaign_place="Email Marketing",
)  # fmt: skip


def stored(**values: Any) -> list[str]:
    return [f"{finding.severity} {finding.text()}" for finding in lint(replace(STORED, **values))]


def outgoing(**values: Any) -> tuple[Outgoing, ...]:
    return (replace(STORED.servers[0], **values),)


DATABASE: dict[str, tuple[dict[str, Any], str]] = {
    "a dead parameter misleads only": (
        {"parameters": {"mail.catchall.domain": Placed("system parameter mail.catchall.domain", "acme.example")}},
        "warning X02 system parameter mail.catchall.domain: mail.catchall.domain would have no effect: Odoo 19 has "
        "mail.alias.domain and does not read it. Use alias_domain.",
    ),
    "a dead filter": (
        {"servers": outgoing(from_filter=("@acme.example", "acme.example"))},
        "error B02 mail server Mailgun.from_filter: '@acme.example' never matches in Odoo. "
        "Write the domain without @: acme.example.",
    ),
    "an unmet demand of a provider known by its host": (
        {"servers": outgoing(from_filter=())},
        "warning B04 mail server Mailgun.from_filter: Mailgun sends only for what is verified there. "
        "Set from_filter to the domains that are.",
    ),
    "the dedicated server is for bulk mail": (
        {"servers": outgoing(host="smtp.office365.com", port=587, purpose="bulk"), "campaign_server": "Mailgun"},
        "warning A21 mail server Mailgun: Microsoft 365 is not meant for bulk mail: at most 30 mails a minute and "
        "10,000 recipients a day. "
        "Such mail can go by brevo, mailgun, mailjet, postmark-broadcast, relay, sendgrid, ses.",
    ),
    "Email Marketing without a server of its own": (
        {"campaigns": True},
        "warning C03 Email Marketing: no server is chosen for Email Marketing, so campaigns leave like any other mail. "
        "Choose one for bulk mail.",
    ),
    "a placeholder": (
        {"people": (Person("user OdooBot", "OdooBot", ""), Person("user admin", "admin", "boss@acme.example"))},
        "warning B18 user OdooBot: the e-mail address of OdooBot is empty, no real one; Odoo sends mail in its name. "
        "Set one that somebody reads.",
    ),
    "a blocked port": (
        {"servers": outgoing(port=465, encryption="ssl"), "platform": "digitalocean"},
        "error R02 mail server Mailgun.smtp_port: DigitalOcean blocks port 465: Odoo there does not reach "
        "smtp.mailgun.org. "
        "Use 2525 (starttls).",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(DATABASE))
def test_the_rules_hold_for_a_database_as_well(case: str) -> None:
    values, expected = DATABASE[case]
    found = [line for line in stored(**values) if " B04 " not in line or " B04 " in expected]
    assert found == [expected]


def test_a_sound_database_is_clean() -> None:
    assert stored(people=(Person("user admin", "admin", "boss@acme.example"),), campaigns=False) == []


def test_a_users_own_server_is_left_alone() -> None:
    own = replace(STORED.servers[0], name="Boss", owner=True, from_filter=(), sequence=10)
    assert stored(servers=(*STORED.servers, own)) == []


def test_senders_that_somebody_chose_are_named_when_odoo_replaces_them() -> None:
    registry = Registry(
        19,
        (Server("Mailgun", from_filter="acme.example", id=1),),
        (AliasDomain("acme.example", "bounce", "catchall", "office"),),
        {"Acme": "acme.example"},
        "Acme",
    )
    mails = (
        Mail("news@other.example", what="mailing Spring", chosen=True),
        Mail("sales@other.example", what="template Offer", chosen=True),
        Mail("boss@other.example", author="boss", what="template Order (a user's address)"),
        Mail("boss@other.example", author="boss", what="user boss"),
        Mail("shop@acme.example", what="template Shop", chosen=True),
    )
    assert stored(registry=registry, mails=mails) == [
        "warning B19 mail servers: no server's filter has news@other.example (mailing Spring), sales@other.example "
        "(template "
        "Offer); Odoo sends as office@acme.example in its place. "
        "Name the sender, or its domain, in the filter of a server that may send for it."
    ]


def test_many_senders_are_not_all_listed() -> None:
    registry = Registry(19, (Server("Mailgun", from_filter="acme.example", id=1),))
    mails = tuple(Mail(f"user{number}@other.example", what=f"user {number}") for number in range(7))
    (line,) = stored(registry=registry, mails=mails)
    assert "user4@other.example (user 4), 2 more; Odoo takes" in line


def test_of_mail_that_fails_dmarc_only_some_is_named() -> None:
    users = [{"login": f"user{number}", "email": f"user{number}@acme.example"} for number in range(3)]
    odoo = section(server(**MAILGUN_ELSEWHERE), users=users, dns=dns(dmarc={"p": "reject"}))
    (line,) = [line for line in told(odoo) if " K03 " in line]
    assert "Own sends for office@acme.example, bounce@acme.example, user0@acme.example, 4 more, and SPF" in line


def test_what_a_provider_receives_for_a_domain_needs_its_mx() -> None:
    (account,) = at_mailgun()
    account["domains"][0]["inbound_routes"] = True
    odoo = section(server(**MAILGUN), providers=[account], dns={"domains": [{"name": "mg.acme.example", "mx": []}]})
    assert [line.split()[:2] for line in told(odoo) if " L02 " in line] == [["error", "L02"]]
    odoo["dns"] = MX_OF_MG
    assert not [line for line in told(odoo) if " L02 " in line]


def test_up_to_16_a_parameter_names_the_domain_that_takes_reports() -> None:
    parameters = [
        {"key": "mail.catchall.domain", "value": "acme.example"},
        {"key": "mail.catchall.alias", "value": "all"},
    ]
    alias = {"alias_name": "dmarc", "alias_model": "crm.lead"}
    tags = {"p": "none", "rua": ["mailto:dmarc@acme.example", "mailto:all@acme.example"]}
    given = {"alias_domains": [], "inbound": REJECTING, "aliases": [alias], "dns": dns(dmarc=tags, mx=[])}
    odoo = section(server(spf=["mx"]), version=16, parameters=parameters, **given)
    assert not [line for line in told(odoo) if " K05 " in line]


def test_leave_for_reports_that_we_publish_is_not_told() -> None:
    tags = {"p": "none", "rua": ["mailto:a@two.example"]}
    assert [line.split()[1] for line in told(section(server(), dns=dns(dmarc=tags)))] == ["K05"]
    assert told(section(server(), dns=dns("two.example", dmarc=tags))) == []


def test_an_alias_of_every_domain_takes_reports_in_each() -> None:
    alias: Section = {"alias_name": "dmarc", "alias_model": "crm.lead", "alias_domain": "two.example"}
    tags = {"p": "none", "rua": ["mailto:dmarc@acme.example"]}
    odoo = section(
        server(),
        alias_domains=[*domain(), *domain("two.example")],
        inbound=REJECTING,
        aliases=[alias],
        dns=dns(dmarc=tags),
    )
    assert [line.split()[1] for line in told(odoo) if " K05 " in line] == ["K05"]
    alias["alias_incoming_local"] = True
    assert not [line for line in told(odoo) if " K05 " in line]


@pytest.mark.parametrize(
    "unsound", [{"dns": {"zones": {}}}, {"dns": []}, {"dns": dns(mx=[3])}, {"providers": {}}, {"inbound": []}]
)
def test_of_unsound_sections_nothing_is_told_about_dns(unsound: Section) -> None:
    odoo = section(server(), **{"dns": dns("acme.example", mx=[]), **unsound})
    assert not [line for line in told(odoo) if line.split()[1][0] in "IK" or " L02 " in line]
    policy = {"version": 1, "odoo": section(server()), "inbound": {"domains": []}, "dns": dns("acme.example", mx=[])}
    assert problems({**policy, **unsound}) != []


def test_errors_come_first() -> None:
    odoo = section(server("One", from_filter=["@acme.example"]), server("Two", verify=False))
    severities = [line.split()[0] for line in told(odoo)]
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert severities[0] == "error"


def test_an_error_of_the_lint_is_a_problem_of_the_policy_and_said_once() -> None:
    odoo = section(server(**{**MAILGUN, "smtp_port": 587}), platform="digitalocean")
    policy = {"version": 1, "odoo": odoo, "inbound": {"domains": []}}
    assert problems(policy) == [
        "R02 odoo.servers[0].smtp_port: DigitalOcean blocks port 587: Odoo there does not reach smtp.mailgun.org. "
        "Use 2525 (starttls)."
    ]
    dead = copy.deepcopy(policy)
    dead["odoo"]["servers"][0]["from_filter"] = ["@acme.example"]
    assert problems(dead) == [
        "odoo.servers[0].from_filter is ['@acme.example']: '@acme.example' never matches in Odoo: "
        "write the domain without @: acme.example."
    ]


@pytest.mark.parametrize("policy", [None, [], {}, {"odoo": []}, {"odoo": {}}])
def test_no_settings_no_findings(policy: Any) -> None:
    assert findings(policy) == []


def test_values_of_the_wrong_type_are_no_matter_of_the_lint() -> None:
    odoo = {
        "version": "19",
        "platform": 7,
        "modules": {},
        "mass_mailing_server": [],
        "parameters": [{}, 3],
        "users": [{"email": 1}],
        "alias_domains": [{"name": 4}],
        "servers": [None, {}, {"name": 1, "from_filter": "x", "smtp_port": "25", "sequence": "a", "provider": []}],
    }
    assert {line.split()[1] for line in told(odoo)} <= {"A10", "B01", "B18"}


def test_the_documentation_names_exactly_the_rules_there_are() -> None:
    text = (ROOT / "docs" / "lint.md").read_text()
    assert re.findall(r"^\| ([A-Z]\d\d) \|", text, re.MULTILINE) == list(RULES)
