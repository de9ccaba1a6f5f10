# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail records of domains: what is merged, what is replaced, what is refused, and what is never touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    MailopsError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns import mail, mail_run, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Change, Key, RecordSet, plan

OWNER = "site-verification=2f6a1c"
SPF = "v=spf1 mx include:zoho.com ?all"
KEY = "v=DKIM1; k=ed25519; p=" + "A" * 43 + "="
OTHER_KEY = KEY.replace("AAAA", "BBBB", 1)
# What the world has, by name and type.
WORLD: dict[tuple[str, str], Sequence[str]] = {
    ("mailgun.org", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"],
    ("zoho.com", "TXT"): [OWNER, "v=spf1 ip4:198.51.100.0/24 -all"],
    ("acme.example", "MX"): ["10 mx.acme.example"],
    **{(f"n{number}.example", "A"): ["192.0.2.1"] for number in range(12)},
}


def resolve(name: str, record_type: str) -> Sequence[str]:
    return WORLD.get((name, record_type), ())


def key(name: str, record_type: str) -> Key:
    return Key(values.name(name), record_type)


def changes(
    domains: list[dict[str, Any]],
    there: dict[tuple[str, str], tuple[str, ...]] | None = None,
    warnings: list[str] | None = None,
    look: Any = resolve,
) -> list[Change]:
    """Return what must change for domains, given as a task does, where names have what is there."""
    spec = {"domains": {"type": "list", "elements": "dict", "options": mail.DOMAIN}}
    checked = ArgumentSpecValidator(spec).validate({"domains": domains})
    assert not checked.error_messages
    wishes = [wish for one in checked.validated_parameters["domains"] for wish in mail.of_domain(one)]
    mail.check(wishes)
    told: list[str] = [] if warnings is None else warnings
    has = {key(*at): RecordSet(tuple(sorted(found)), 300) for at, found in (there or {}).items()}
    return plan(mail_run.limited(wishes, look, told.append), has)


def after(domain: dict[str, Any], there: dict[tuple[str, str], tuple[str, ...]] | None = None) -> dict[str, Any]:
    """Return what changed record sets of acme.example come to, by their names and types."""
    found = changes([{"domain": "acme.example", **domain}], there)
    return {change.key.shown(): (list(change.after.values), change.after.ttl) for change in found}


def refused(error: type[MailopsError], domain: dict[str, Any], **there: tuple[str, ...]) -> str:
    """Return why a domain is refused; `there` is what acme.example has, by type."""
    with pytest.raises(error) as caught:
        changes([{"domain": "acme.example", **domain}], {("acme.example", kind): has for kind, has in there.items()})
    return caught.value.text()


# --- What comes of it


def test_a_domain_that_has_nothing() -> None:
    assert after(
        {
            "spf": {"terms": ["mx", "include:mailgun.org"]},
            "dkim": [
                {"name": "s1._domainkey.acme.example", "type": "TXT", "value": KEY},
                {"name": "s2._domainkey.acme.example", "type": "CNAME", "value": "S2.provider.example."},
            ],
            "dmarc": {"rua": ["mailto:a@acme.example", "mailto:b@acme.example"], "p": "none", "pct": 50},
            "mx": ["10 MX.acme.example."],
            "records": [{"name": "email.acme.example", "type": "CNAME", "values": ["mailgun.org"], "ttl": 60}],
            "ttl": 600,
        }
    ) == {
        "acme.example TXT": (["v=spf1 mx include:mailgun.org ~all"], 600),
        "s1._domainkey.acme.example TXT": ([KEY], 600),
        "s2._domainkey.acme.example CNAME": (["s2.provider.example"], 600),
        "_dmarc.acme.example TXT": (
            ["v=DMARC1; p=none; pct=50; rua=mailto:a@acme.example,mailto:b@acme.example"],
            600,
        ),
        "acme.example MX": (["10 mx.acme.example"], 600),
        "email.acme.example CNAME": (["mailgun.org"], 60),
    }


def test_what_others_have_beside_it_stays() -> None:
    there = {("acme.example", "TXT"): (OWNER, SPF)}
    found = after({"spf": {"terms": ["include:mailgun.org"], "remove": ["include:zoho.com"]}}, there)
    assert found == {"acme.example TXT": ([OWNER, "v=spf1 mx include:mailgun.org ?all"], 300)}


def test_nothing_to_change() -> None:
    there = {
        ("acme.example", "TXT"): (SPF, OWNER),
        ("_dmarc.acme.example", "TXT"): ("v=DMARC1;p=none; ruf=mailto:x@acme.example",),
        ("s1._domainkey.acme.example", "TXT"): ("k=ed25519;p=" + "A" * 43 + "=",),
        ("acme.example", "MX"): ("10 mx.acme.example",),
        ("email.acme.example", "CNAME"): ("mailgun.org",),
    }
    domain = {
        "spf": {"terms": ["include:zoho.com"], "remove": ["include:_spf.odoo.com"]},
        "dmarc": {"p": "none"},
        "dkim": [{"name": "s1._domainkey.acme.example", "type": "TXT", "value": KEY}],
        "mx": ["10 mx.acme.example"],
        "records": [{"name": "email.acme.example", "type": "CNAME", "values": ["MAILGUN.org."]}],
    }
    assert after(domain, there) == {}
    assert after({}, there) == {}


def test_what_a_provider_returns() -> None:
    """SPF is merged and a key replaced, whatever state the provider sees them in."""
    records = [
        {"name": "acme.example", "type": "TXT", "values": ["v=spf1 include:mailgun.org ~all"], "state": "unknown"},
        {"name": "s1._domainkey.acme.example", "type": "TXT", "values": [KEY], "valid": True, "state": "valid"},
        {"name": "email.acme.example", "type": "CNAME", "values": ["eu.mailgun.org"], "ttl": None},
        {"name": "acme.example", "type": "TXT", "values": ["provider=1", "gone=1"], "state": "present"},
    ]
    there = {
        ("acme.example", "TXT"): (OWNER, SPF),
        ("s1._domainkey.acme.example", "TXT"): (OTHER_KEY,),
        ("email.acme.example", "CNAME"): ("mailgun.org",),
    }
    assert after({"records": records}, there) == {
        "acme.example TXT": (
            ["gone=1", "provider=1", OWNER, "v=spf1 mx include:zoho.com include:mailgun.org ?all"],
            300,
        ),
        "s1._domainkey.acme.example TXT": ([KEY], 300),
        "email.acme.example CNAME": (["eu.mailgun.org"], 300),
    }


def test_values_that_are_to_be_gone() -> None:
    there = {("odoo._domainkey.acme.example", "CNAME"): ("odoo._domainkey.odoo.com",), ("x.test", "TXT"): ("1", "2")}
    gone = {"type": "CNAME", "values": ["odoo._domainkey.odoo.com."], "state": "absent"}
    records = [{"name": "odoo._domainkey.acme.example", **gone}, {"name": "odoo._domainkey.b.example", **gone}]
    records.append({"name": "x.test", "type": "TXT", "values": ["2", "3"], "state": "absent"})
    assert after({"records": records}, there) == {
        "odoo._domainkey.acme.example CNAME": ([], None),
        "x.test TXT": (["1"], 300),
    }


def test_several_domains_and_punycode() -> None:
    domains = [{"domain": "b\xfccher.example", "mx": ["10 mx.m\xfcll.example"]}, {"domain": "Acme.example.", "mx": []}]
    found = changes([*domains, {"domain": "b\xfccher.example", "dmarc": {"p": "none"}}])
    assert [(change.key.shown(), change.after.values) for change in found] == [
        ("xn--bcher-kva.example MX", ("10 mx.xn--mll-hoa.example",)),
        ("_dmarc.xn--bcher-kva.example TXT", ("v=DMARC1; p=none",)),
    ]


# --- MX


def test_a_host_that_takes_mail_is_not_removed() -> None:
    theirs = ("10 aspmx.l.google.com", "5 mx.acme.example")
    told = refused(ConflictError, {"mx": ["10 mx.acme.example"]}, MX=theirs)
    assert told.startswith("acme.example MX: there is 10 aspmx.l.google.com, which is not to be there; mail would go")
    assert told.endswith("say mx_remove: true (site.yml: mail_dns_mx_remove).")
    told = refused(ConflictError, {"mx": []}, MX=theirs)
    assert "there must be none, and there is 10 aspmx.l.google.com, 5 mx.acme.example" in told
    assert "mx_remove: true" in told
    record = {"name": "acme.example", "type": "MX", "values": ["10 mx.acme.example"]}
    assert "10 aspmx.l.google.com" in refused(ConflictError, {"records": [record]}, MX=theirs)
    # A null MX is none either (RFC 7505).
    assert "there is 0 ." in refused(ConflictError, {"mx": []}, MX=("0 .",))


def test_a_host_that_takes_mail_is_removed_where_that_is_said() -> None:
    there = {("acme.example", "MX"): ("10 aspmx.l.google.com", "5 mx.acme.example")}
    found = after({"mx": ["5 mx.acme.example"], "mx_remove": True}, there)
    assert found == {"acme.example MX": (["5 mx.acme.example"], 300)}
    assert after({"mx": [], "mx_remove": True}, there) == {"acme.example MX": ([], None)}


def test_the_preference_of_a_host_is_changed() -> None:
    there = {("acme.example", "MX"): ("10 mx.acme.example", "20 mx2.acme.example")}
    wanted = ["20 mx.acme.example", "10 mx2.acme.example", "30 mx3.acme.example"]
    assert after({"mx": wanted}, there) == {"acme.example MX": (sorted(wanted), 300)}


# --- What SPF costs


def test_too_many_look_ups_are_refused() -> None:
    ten = [f"a:n{number}.example" for number in range(10)]
    assert after({"spf": {"terms": ten}})
    told = refused(ValidationError, {"spf": {"terms": [*ten, "a:n10.example"]}})
    assert told.startswith("acme.example TXT, the SPF record 'v=spf1 a:n0.example")
    assert (
        "it makes receivers ask 11 times, and after 10 they give up (RFC 7208, section 4.6.4): a:n0.example, " in told
    )
    # Those of the owner count, and those of two wishes together.
    assert "ask 12 times" in refused(ValidationError, {"spf": {"terms": ten}}, TXT=(SPF,))
    provider = {"name": "acme.example", "type": "TXT", "values": ["v=spf1 include:mailgun.org ~all"]}
    assert "ask 11 times" in refused(ValidationError, {"spf": {"terms": ten}, "records": [provider]})


def test_what_is_removed_in_the_same_call_does_not_count() -> None:
    eleven = "v=spf1 " + " ".join(f"a:n{number}.example" for number in range(11)) + " -all"
    provider = {"name": "acme.example", "type": "TXT", "values": ["v=spf1 include:mailgun.org ~all"]}
    domains = [
        {"domain": "acme.example", "records": [provider]},
        {"domain": "acme.example", "spf": {"remove": ["a:n0.example", "a:n1.example"]}},
    ]
    (change,) = changes(domains, {("acme.example", "TXT"): (eleven,)})
    assert "n1.example" not in change.after.values[0].replace("n10.example", "")


def test_names_that_are_not_there_are_refused() -> None:
    lost = ["a:x.acme.example", "mx:y.acme.example", "exists:z.acme.example"]
    assert after({"spf": {"terms": lost[:2]}})
    told = refused(ValidationError, {"spf": {"terms": lost}})
    assert "it names what is not in DNS 3 times, and after 2 they give up" in told
    assert "x.acme.example (a:x.acme.example)" in told


def test_what_is_published_in_the_same_call_is_there() -> None:
    asked: list[tuple[str, str]] = []

    def noting(name: str, record_type: str) -> Sequence[str]:
        asked.append((name, record_type))
        return resolve(name, record_type)

    hosts = [f"{host}.new.example" for host in "xyz"]
    domain = {
        "domain": "new.example",
        "spf": {"terms": [*(f"a:{host}" for host in hosts), "mx", "include:spf.new.example"]},
        "mx": ["10 x.new.example"],
        "records": [
            *({"name": host.upper(), "type": "A", "values": ["192.0.2.1"]} for host in hosts),
            {"name": "spf.new.example", "type": "TXT", "values": ["v=spf1 ip4:192.0.2.7 -all"]},
        ],
    }
    assert len(changes([domain], look=noting)) == 6
    # A resolver that is asked for what is not there yet remembers that.
    assert asked == [("spf.new.example", "TXT")]


def test_what_a_cache_still_has_stops_nobody() -> None:
    """The zone has neither that MX nor two SPF records any more, which is what counts."""

    def stale(name: str, record_type: str) -> Sequence[str]:
        return ["v=spf1 a -all", SPF] if name == "spf.acme.example" else resolve(name, record_type)

    provider = {"name": "spf.acme.example", "type": "TXT", "values": ["v=spf1 ip4:192.0.2.7 ~all"]}
    domain = {
        "domain": "acme.example",
        "spf": {"terms": ["mx", "include:spf.acme.example"]},
        "mx": [],
        "records": [provider],
    }
    assert resolve("acme.example", "MX")
    assert len(changes([domain], {}, look=stale)) == 2


def test_an_include_without_a_record_is_refused() -> None:
    told = refused(ValidationError, {"spf": {"terms": ["include:mailgum.org"]}})
    assert "mailgum.org has no SPF record (RFC 7208, sections 5.2 and 6.1)" in told


def test_what_cannot_be_looked_up_is_warned_of() -> None:
    def silent(name: str, record_type: str) -> Sequence[str]:
        raise TemporaryError(f"{name} {record_type} could not be looked up: resolver 192.0.2.53: no answer")

    warnings: list[str] = []
    found = changes([{"domain": "acme.example", "spf": {"terms": ["include:mailgun.org"]}}], {}, warnings, silent)
    assert len(found) == 1
    assert warnings == [
        "acme.example TXT, the SPF record 'v=spf1 include:mailgun.org ~all': what it costs receivers could not be "
        "counted: mailgun.org TXT could not be looked up: resolver 192.0.2.53: no answer"
    ]


# --- What is refused


@pytest.mark.parametrize(
    ("domain", "told"),
    [
        ({"domain": "a b"}, None),
        ({"dmarc": {"rua": ["mailto:x@acme.example"]}}, "_dmarc.acme.example TXT, DMARC: a new record needs the tag p"),
        ({"dmarc": {"p": "none", "rua": ["\u201cmailto:x@acme.example\u201d"]}}, "a typographic quotation mark"),
        ({"dmarc": {"p": "none", "pct": 101}}, "pct=101 is no value of this tag"),
        ({"spf": {"terms": ["include:\u201cmailgun.org\u201d"]}}, "acme.example TXT, SPF: it has a typographic"),
        ({"spf": {"terms": ["inlcude:mailgun.org"]}}, "is no mechanism of SPF"),
        ({"mx": ["mx.acme.example"]}, "acme.example MX: 'mx.acme.example' is no value of a MX record"),
        ({"mx": ["10 192.0.2.1"]}, "'10 192.0.2.1' names an address; an MX names a host"),
        ({"mx": ["10 mx"]}, "acme.example MX: '10 mx' names no full host; nothing is appended to it"),
        ({"records": [{"name": "x.test", "type": "MX", "values": ["10 mx"]}]}, "x.test MX: '10 mx' names no full host"),
        ({"ttl": 0}, "domain acme.example: ttl is 0"),
        ({"records": [{"name": "x.test", "type": "A", "values": ["192.0.2.1"], "ttl": 2**31}]}, "x.test A: ttl is "),
        ({"records": [{"name": "x.test", "type": "A", "values": []}]}, "x.test A: values is empty"),
        ({"records": [{"name": "x.test", "type": "A", "values": ["x"]}]}, "x.test A: 'x' is no value of a A record"),
        ({"records": [{"name": "x.test", "type": "TXT", "values": ["v=spf1 foo:x -all"]}]}, "'foo:x' is no mechanism"),
    ],
)
def test_what_cannot_be(domain: dict[str, Any], told: str | None) -> None:
    assert (told or "'a b' is no name") in refused(ValidationError, {"mx": [], **domain})


@pytest.mark.parametrize(
    ("name", "record_type", "value", "told"),
    [
        ("s1._domainkey.acme.example", "TXT", "v=DKIM1; p=MIIB", "its key (p) does not parse"),
        ("s1._domainkey.acme.example", "TXT", f"\u201c{KEY}\u201d", "typographic quotation mark"),
        ("s1.acme.example", "TXT", KEY, "s1.acme.example TXT: it is no name of a DKIM key"),
        ("_domainkey.acme.example", "CNAME", "x.example", "it is no name of a DKIM key"),
    ],
)
def test_a_key_that_is_none(name: str, record_type: str, value: str, told: str) -> None:
    domain = {"dkim": [{"name": name, "type": record_type, "value": value}]}
    assert told in refused(ValidationError, domain)
    if record_type == "TXT" and "_domainkey" in name:
        record = {"name": name, "type": record_type, "values": [value]}
        assert told in refused(ValidationError, {"records": [record]})


def test_two_spf_or_dmarc_records() -> None:
    told = refused(ConflictError, {"spf": {"terms": ["mx"]}}, TXT=(SPF, "v=spf1 -all"))
    assert "acme.example TXT: there are 2 SPF records, and there may be one only (RFC 7208, section 4.5)" in told
    with pytest.raises(ConflictError, match="_dmarc.acme.example TXT: there are 2 DMARC records"):
        two = {("_dmarc.acme.example", "TXT"): ("v=DMARC1; p=none", "v=DMARC1; p=reject")}
        changes([{"domain": "acme.example", "dmarc": {"p": "none"}}], two)


def test_a_key_beside_an_alias() -> None:
    name = "s1._domainkey.acme.example"
    keys = [{"name": name, "type": "TXT", "value": KEY}, {"name": name, "type": "CNAME", "value": "x.example"}]
    assert f"{name} is a CNAME, to x.example" in refused(ConflictError, {"dkim": keys})


@pytest.mark.parametrize(
    "domain",
    [
        {"dkim": [{"name": "s._domainkey.a.example", "type": "TXT", "value": value} for value in (KEY, OTHER_KEY)]},
        {"dkim": [{"name": "s._domainkey.a.example", "type": "CNAME", "value": value} for value in ("a.b", "a.c")]},
        {"mx": [], "records": [{"name": "acme.example", "type": "MX", "values": ["10 a.b"]}]},
        {"records": [{"name": "x.test", "type": "CNAME", "values": [value]} for value in ("a.b", "a.c")]},
    ],
    ids=["keys", "aliases of keys", "mx", "aliases"],
)
def test_the_same_is_wanted_in_two_ways(domain: dict[str, Any]) -> None:
    assert " is wanted twice, with " in refused(ValidationError, domain)
    # Twice the same is once.
    assert changes([{"domain": "acme.example", "mx": ["10 a.b"]}] * 2)[0].after.values == ("10 a.b",)


def test_another_zone() -> None:
    given = {"domain": "mg.acme.example", "zone": "mg.acme.example", "ttl": None, "spf": None, "dkim": []}
    given |= {"dmarc": None, "mx": [], "mx_remove": False, "records": []}
    assert len(mail.of_domain(given, "MG.acme.example.")) == 1
    with pytest.raises(ValidationError, match="its zone is mg.acme.example, and this task changes acme.example"):
        mail.of_domain(given, "acme.example")
