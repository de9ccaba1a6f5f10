# SPDX-License-Identifier: GPL-3.0-or-later
"""What receivers find of a domain: whom SPF lets send, keys, DMARC; the module at servers that a test scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dns.message
import dns.rdatatype
import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import TemporaryError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import receivers, spf
from support.modules import run_module
from support.scripted_dns import Zones, answering
from support.signing import KeyPair

KEY = KeyPair()
NAME = "s1._domainkey.acme.example"
Records = Mapping[tuple[str, str], Sequence[str] | None]
RECORDS: Records = {
    ("acme.example", "TXT"): ["owner=1", "v=spf1 mx include:mailgun.org -all"],
    ("acme.example", "MX"): ["10 mx.acme.example"],
    ("mx.acme.example", "A"): ["192.0.2.30"],
    ("mailgun.org", "TXT"): ["v=spf1 include:spf1.mailgun.org ~all"],
    ("spf1.mailgun.org", "TXT"): ["v=spf1 ip4:192.0.2.64/26 ip6:2001:db8::/32 -all"],
    (NAME, "TXT"): [KEY.record],
    ("_dmarc.acme.example", "TXT"): [
        "v=DMARC1; p=Reject; sp=quarantine; rua=mailto:a@acme.example,mailto:a@other.test"
    ],
    ("acme.example._report._dmarc.other.test", "TXT"): ["v=DMARC1"],
}


def world(**changed: Any) -> spf.Resolve:
    """Return look-ups in the records; `changed` has other TXT records, None for what cannot be looked up."""
    there: Records = {**RECORDS, **{(name, "TXT"): found for name, found in changed.items()}}

    def resolve(name: str, record_type: str) -> Sequence[str]:
        found = there.get((name.rstrip(".").lower(), record_type), ())
        if found is None:
            raise TemporaryError(f"{name} {record_type} could not be looked up")
        return found

    return resolve


def sent(*terms: str, **changed: Any) -> receivers.SpfRecord:
    return receivers.spf_record("acme.example", terms, world(**changed))


def test_senders_by_their_own_terms() -> None:
    found = sent("include:mailgun.org", "mx", "ip4:192.0.2.65", "~include:mailgun.org")
    assert (found.status, found.record) == ("present", "v=spf1 mx include:mailgun.org -all")
    assert found.lookups == ["mx", "include:mailgun.org", "include:spf1.mailgun.org of mailgun.org"]
    assert [(one.term, one.ip, one.result) for one in found.senders] == [
        ("include:mailgun.org", "192.0.2.64", "pass"),
        ("mx", "192.0.2.30", "pass"),
        ("ip4:192.0.2.65", "192.0.2.65", "pass"),
    ]


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 mx -all", "fail"),
        ("v=spf1 mx ~all", "softfail"),
        ("v=spf1 mx ?include:mailgun.org -all", "neutral"),
        # All the terms are there, and one before them takes it away.
        ("v=spf1 -ip4:192.0.2.0/24 include:mailgun.org -all", "fail"),
        ("v=spf1 -all include:mailgun.org", "fail"),
    ],
)
def test_a_record_that_does_not_let_it_send(record: str, result: str) -> None:
    (sender,) = sent("include:mailgun.org", **{"acme.example": [record]}).senders
    assert (sender.ip, sender.result) == ("192.0.2.64", result)
    assert sender.explanation.startswith("acme.example: ")


@pytest.mark.parametrize(
    ("records", "status", "told"),
    [
        (["owner=1"], "missing", "acme.example has no SPF record"),
        (None, "temperror", "acme.example TXT could not be looked up"),
        (["v=spf1 -all", "v=spf1 mx -all"], "permerror", "acme.example has 2 SPF records"),
        (["v=spf1 moo -all"], "permerror", "'moo' is no mechanism"),
        (["v=spf1 include:nothing.test -all"], "permerror", "nothing.test has no SPF record"),
        (["v=spf1 " + "include:mailgun.org " * 6 + "-all"], "permerror", "it makes receivers ask 12 times"),
        ([f"v=spf1 a:{' a:'.join(f'{n}.test' for n in range(3))} -all"], "permerror", "it names what is not in DNS 3"),
    ],
)
def test_a_record_that_receivers_do_not_take(records: Any, status: str, told: str) -> None:
    found = sent("mx", **{"acme.example": records})
    assert (found.status, told in found.detail) == (status, True), found


@pytest.mark.parametrize(
    ("term", "result", "told"),
    [
        ("exists:%{i}.spf.test", "unknown", "exists:%{i}.spf.test names no address that could be tried"),
        ("include:%{ir}.spf.test", "unknown", "names no address"),
        ("a:nothing.test", "unknown", "names no address"),
        ("include:nothing.test", "permerror", "nothing.test has no SPF record"),
        ("include:broken.test", "temperror", "broken.test TXT could not be looked up"),
        # One that includes itself names nobody; one that excludes what it names lets nobody send.
        ("include:loop.test", "unknown", "names no address"),
        ("include:none.test", "unknown", "names no address"),
    ],
)
def test_a_term_that_names_nobody(term: str, result: str, told: str) -> None:
    others = {
        "broken.test": None,
        "loop.test": ["v=spf1 include:loop.test -all"],
        "none.test": ["v=spf1 -ip4:192.0.2.0/24 ip4:192.0.2.1 -all"],
    }
    (sender,) = sent(term, **others).senders
    assert (sender.result, sender.ip, told in sender.explanation) == (result, "", True), sender


def test_an_address_that_a_providers_record_excludes_is_not_tried() -> None:
    record = ["v=spf1 -ip4:192.0.2.64 ip4:192.0.2.64/26 redirect=spf1.mailgun.org"]
    (sender,) = sent("include:mailgun.org", **{"mailgun.org": record}).senders
    assert (sender.ip, sender.result) == ("2001:db8::", "pass")


@pytest.mark.parametrize(
    ("records", "status", "told"),
    [
        (["owner=1", KEY.record], "present", ""),
        ([], "missing", "there is no key"),
        ([KEY.record, KeyPair().record], "permerror", "there are 2 keys"),
        ([KEY.record[:-40]], "permerror", "does not parse"),
        (["v=DKIM1; k=rsa; p="], "revoked", "was revoked"),
        (None, "temperror", "could not be looked up"),
    ],
)
def test_a_key(records: Any, status: str, told: str) -> None:
    found = receivers.key_record(NAME, world(**{NAME: records}))
    assert (found.status, told in found.detail) == (status, True), found
    assert (found.type, found.bits) == (("rsa", 1024) if status == "present" else ("rsa" * (status == "revoked"), 0))


def test_dmarc() -> None:
    found = receivers.dmarc_record("acme.example", world())
    assert (found.status, found.record, found.policy) == ("present", "_dmarc.acme.example", "reject")
    below = receivers.dmarc_record("mg.acme.example", world())
    assert (below.record, below.policy) == ("_dmarc.acme.example", "quarantine")
    # Reports are the organisation's, whoever sent the mail.
    name = "acme.example._report._dmarc.other.test"
    assert receivers.external(below) == {"other.test": name}
    (report,) = receivers.reports(below, world())
    assert (report.host, report.authorised) == ("other.test", True)
    for there, authorised in (([], False), (["owner=1"], False), (None, None)):
        (report,) = receivers.reports(found, world(**{name: there}))
        assert (report.authorised, name in report.detail) == (authorised, True)


@pytest.mark.parametrize(
    ("records", "status", "told"),
    [
        ([], "missing", "acme.example has no DMARC record"),
        (["v=DMARC1; p=all"], "permerror", "p=all"),
        (["v=DMARC1; p=none"] * 2, "permerror", "2 DMARC records"),
        (None, "temperror", "could not be looked up"),
    ],
)
def test_a_dmarc_record_that_does_not_count(records: Any, status: str, told: str) -> None:
    found = receivers.dmarc_record("acme.example", world(**{"_dmarc.acme.example": records}))
    assert (found.status, told in found.detail, found.policy) == (status, True, ""), found
    assert receivers.external(found) == {}


# --- The module

SERVER, RESOLVER = "127.9.53.11", "127.9.53.12"
ZONE = f"""
@ 60 NS ns
ns 60 A {SERVER}
@ 60 TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc 60 TXT "v=DMARC1; p=none; rua=mailto:a@other.test"
s1._domainkey 60 CNAME s1.keys.test.
"""
OTHERS = {
    "example.": f"@ 60 NS ns\nns 60 A {SERVER}\nacme 60 NS ns.acme\nns.acme 60 A {SERVER}\n",
    "keys.test.": f'@ 60 NS ns\nns 60 A {SERVER}\ns1 60 TXT "{KEY.record}"\n',
    "other.test.": f'@ 60 NS ns\nns 60 A {SERVER}\nacme.example._report._dmarc 60 TXT "v=DMARC1"\n',
}
ASKED = {"name": "Acme.example.", "terms": ["ip4:192.0.2.1"], "keys": [NAME]}


def told(server: Callable[..., Any], resolver: Callable[..., Any], *asked: Mapping[str, Any]) -> dict[str, Any]:
    with answering({SERVER: server, RESOLVER: resolver}, port=53):
        return run_module("mail_domain_info", {"domains": list(asked), "resolver": [RESOLVER], "timeout": 1})


def test_the_zones_own_servers_are_asked_for_what_the_domain_publishes() -> None:
    new = Zones({"acme.example.": ZONE, **OTHERS})
    # The resolver remembers what was there before.
    old = Zones({"acme.example.": ZONE.replace("192.0.2.1", "192.0.2.9").replace("p=none", "p=reject"), **OTHERS})
    asked: list[str] = []
    resolver = old.resolver()

    def counted(question: dns.message.Message) -> Any:
        asked.append(f"{question.question[0].name} {dns.rdatatype.to_text(question.question[0].rdtype)}")
        answer = resolver(question)
        assert isinstance(answer, dns.message.Message)
        # As resolvers do it: what the alias leads to is in the answer.
        for alias in [one for one in answer.answer if one.rdtype == dns.rdatatype.CNAME]:
            onward = resolver(dns.message.make_query(alias[0].target, question.question[0].rdtype))
            assert isinstance(onward, dns.message.Message)
            answer.answer += onward.answer
        return answer

    found = told(new.server("acme.example.", "keys.test.", "other.test."), counted, ASKED)
    assert not found.get("failed"), found
    (domain,) = found["domains"]
    assert domain["name"] == "acme.example"
    assert [one["result"] for one in domain["spf"]["senders"]] == ["pass"]
    assert (domain["dmarc"]["policy"], domain["dmarc"]["reports"][0]["authorised"]) == ("none", True)
    assert domain["dkim"] == [{"name": NAME, "status": "present", "detail": "", "type": "rsa", "bits": 1024}]
    assert "acme.example. TXT" not in asked
    # Of what is not there yet no resolver is made to remember that it is not.
    assert "_dmarc.acme.example. TXT" not in asked


def test_servers_that_say_nothing_are_told() -> None:
    zones = Zones({"acme.example.": ZONE, **OTHERS})
    found = told(lambda _question: None, zones.resolver(broken=("acme.example.",)), ASKED)
    (domain,) = found["domains"]
    assert (domain["spf"]["status"], domain["dmarc"]["status"]) == ("temperror", "temperror")
    assert "SERVFAIL" in domain["spf"]["detail"]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({**ASKED, "name": "acme..example"}, "domain acme..example: "),
        ({**ASKED, "terms": ["moo"]}, "domain Acme.example.: 'moo' is no mechanism of SPF"),
        ({**ASKED, "keys": ["a b"]}, "'a b' is no name"),
    ],
)
def test_what_cannot_be_asked_for(asked: Mapping[str, Any], text: str) -> None:
    found = run_module("mail_domain_info", {"domains": [asked], "resolver": ["127.0.0.1"]})
    assert found["failed"]
    assert text in found["msg"]
