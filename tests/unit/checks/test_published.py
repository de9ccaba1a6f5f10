# SPDX-License-Identifier: GPL-3.0-or-later
"""What the policy wants in DNS: what is published is judged by the wishes that publish it, mail as receivers do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._checks import collect
from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import Place
from support.signing import KeyPair

DATABASE = Place("acme_prod", ["odoo_databases"])
KEY = KeyPair()
SELECTOR = "zoho._domainkey.acme.example"
BULK_KEY = "s1._domainkey.mg.acme.example"
SERVERS: list[dict[str, Any]] = [
    {"name": "Zoho", "provider": "zoho", "sequence": 1, "smtp_user": "a@acme.example", "smtp_pass": "canary",
     "from_filter": ["a@acme.example", "bounce@acme.example"]},
    {"name": "Mailgun", "provider": "mailgun", "sequence": 2, "smtp_port": 2525, "smtp_pass": "canary",
     "smtp_user": "no-reply@mg.acme.example", "from_filter": ["mg.acme.example", "bounce@acme.example"]},
]  # fmt: skip
POLICY: dict[str, Any] = {
    "version": 1,
    "odoo": {
        "alias_domains": [{"name": "acme.example", "bounce_alias": "bounce", "default_from": "a"}],
        "servers": SERVERS,
    },
    "providers": [{"provider": "mailgun", "api_key": "canary", "domains": [{"name": "mg.acme.example"}]}],
    "inbound": {"domains": [{"name": "acme.example", "others": "reject"}]},
    "dns": {
        "zones": [{"zone": "acme.example", "backend": "digitalocean", "api_token": "canary"}],
        "domains": [
            {
                "name": "acme.example",
                "spf": {"terms": ["mx"]},
                "dmarc": {"p": "none", "rua": ["mailto:dmarc@reports.test"]},
                "mx": ["10 mx.acme.example"],
                "records": [{"name": SELECTOR, "type": "TXT", "values": [KEY.record]}],
            }
        ],
    },
}
WITH_DKIM = [
    {"name": "mg.acme.example", "type": "TXT", "values": ["v=spf1 include:mailgun.org ~all"], "valid": True},
    {"name": BULK_KEY, "type": "CNAME", "values": ["s1.dkim.mgsend.org"], "valid": True},
    {"name": "email.mg.acme.example", "type": "CNAME", "values": ["mailgun.org"], "valid": False},
]
# What is published where all is well, others' values beside it.
THERE: dict[str, list[str]] = {
    "TXT acme.example": ["owner=1", "v=spf1 include:mailgun.org a include:zohomail.com mx -all"],
    "TXT mg.acme.example": ["v=spf1 include:mailgun.org ~all"],
    "TXT _dmarc.acme.example": ["v=DMARC1; p=none; rua=mailto:dmarc@reports.test; ruf=mailto:x@acme.example"],
    "MX acme.example": ["10 mx.acme.example"],
    f"TXT {SELECTOR}": [KEY.record],
    f"CNAME {BULK_KEY}": ["s1.dkim.mgsend.org"],
    "TXT acme.example._report._dmarc.reports.test": ["v=DMARC1"],
}


def mailgun_told(state: str = "active", click: str = "no") -> dict[str, Any]:
    domain = {"name": "mg.acme.example", "state": state, "region": "us", "is_disabled": False, "awaited": []}
    shown = {
        "domain": domain,
        "sending_records": WITH_DKIM,
        "receiving_records": [],
        "tracking": {"open": False, "click": click, "unsubscribe": False},
    }
    return {"results": [{"verify_domain": {"name": "mg.acme.example"}, "domains": [shown]}]}


def server(values: list[str] | str | None) -> dict[str, Any]:
    """Return what a server said: values, the target of a CNAME, or nothing."""
    if isinstance(values, str):
        return {"answer": "cname", "values": [values]}
    return {"answer": "found", "values": values} if values else {"answer": "nxdomain", "values": []}


def answered(asked: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    servers = [server(there.get(f"{asked['type']} {asked['name']}"))]
    return {"detail": "", "servers": servers, "problems": [], "hints": []}


def receivers_found(asked: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """Return what mail_domain_info tells of a domain in order, but for what is named."""
    senders = [{"term": term, "ip": "192.0.2.1", "result": "pass", "explanation": ""} for term in asked["terms"]]
    keys = [{"name": name, "status": "present", "detail": "", "type": "rsa", "bits": 2048} for name in asked["keys"]]
    found: dict[str, Any] = {
        "spf": {"status": "present", "detail": "", "lookups": ["mx"], "void_lookups": [], "senders": senders},
        "dkim": keys,
        "dmarc": {
            "status": "present", "detail": "", "record": "_dmarc.acme.example", "policy": "none",
            "tags": {"v": "DMARC1", "p": "none"}, "reports": [],
        },
    }  # fmt: skip
    return {name: {**value, **changed.get(name, {})} if name != "dkim" else value for name, value in found.items()}


def checks(
    there: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    told: Any = ...,
    receivers: Mapping[str, Mapping[str, Any]] | None = None,
    receivers_result: Any = ...,
    **found: Any,
) -> dict[str, Check]:
    """Return the checks of DNS: where all is well, but for what is there, or what receivers find of domains."""
    policy = policy or POLICY
    known = {"mailgun": mailgun_told() if told is ... else told}
    looks = collect.looks(policy, DATABASE, known)
    published = {**THERE, **(there or {})}
    known["dns"] = {"records": [answered(one, published) for one in looks["records"]]}
    changed = receivers or {}
    well = {"domains": [receivers_found(one, **changed.get(one["name"], {})) for one in looks["senders"]]}
    known["receivers"] = well if receivers_result is ... else receivers_result
    known = {**known, **found, "document": {"path": "", "exists": False, "text": ""}}
    every = collect.collect(policy, DATABASE, known)
    return {check.id: check for check in every if re.match(r"(DNS|SPF|DKIM|DMARC)\b", check.id)}


def changed_policy(**dns: Any) -> dict[str, Any]:
    (domain,) = POLICY["dns"]["domains"]
    return {**POLICY, "dns": {**POLICY["dns"], "domains": [{**domain, **dns}]}}


def test_all_that_the_policy_wants_is_there() -> None:
    found = checks()
    assert {check.status for check in found.values()} == {"passed"}, found
    assert list(found) == [
        "DNS.TXT.acme.example",
        "DNS.TXT._dmarc.acme.example",
        "DNS.MX.acme.example",
        "DNS.CNAME.odoo._domainkey.acme.example",
        f"DNS.TXT.{SELECTOR}",
        "DNS.TXT.mg.acme.example",
        f"DNS.CNAME.{BULK_KEY}",
        "DNS.MX.mg.acme.example",
        "DNS.CNAME.odoo._domainkey.mg.acme.example",
        "DNS.TXT.acme.example._report._dmarc.reports.test",
        "SPF.acme.example",
        f"DKIM.{SELECTOR}",
        "DMARC.acme.example",
        "SPF.mg.acme.example",
        f"DKIM.{BULK_KEY}",
        "DMARC.mg.acme.example",
    ]


def test_others_values_are_of_no_concern() -> None:
    told = checks()["DNS.TXT.acme.example"].detail
    assert told == f"published: {THERE['TXT acme.example'][1]}"


RIGHT = "v=spf1 include:mailgun.org include:zohomail.com mx -all"


@pytest.mark.parametrize(
    ("name", "there", "told", "fix"),
    [
        ("TXT acme.example", None, "missing: there is no such name", "Run site.yml --tags dns, which publishes"),
        ("TXT acme.example", ["owner=1"], "missing: there is only owner=1", "publishes acme.example TXT v=spf1 "),
        ("TXT acme.example", ["v=spf1 mx -all"], "different: there is v=spf1 mx -all", "in place of v=spf1 mx -all"),
        # Two of them are none, and which is right nobody knows (RFC 7208, 4.5).
        ("TXT acme.example", [RIGHT, "v=spf1 -all"], "there are 2 SPF records", "remove the others"),
        ("TXT acme.example", [RIGHT.replace("mx", "-mx")], "it has -mx, which forbids", "Correct"),
        # What comes after all is not read (RFC 7208, 5.1).
        ("TXT acme.example", ["v=spf1 include:mailgun.org -all include:zohomail.com mx"], "different", "publishes"),
        ("TXT acme.example", [f"{RIGHT[:-4]} include:_spf.odoo.com -all"], "different", RIGHT),
        ("TXT acme.example", "elsewhere.test", "a CNAME is there, to elsewhere.test", "Remove the CNAME."),
        ("TXT mg.acme.example", ["v=spf10 include:mailgun.org"], "must begin with v=spf1", "Correct"),
        ("TXT _dmarc.acme.example", ["v=DMARC1; p=reject"], "different", "v=DMARC1; p=none; rua=mailto:dmarc@reports"),
        ("MX acme.example", ["20 mx.acme.example"], "different: there is 20 mx.acme.example", "10 mx.acme.example"),
        ("MX acme.example", ["10 mx.acme.example", "5 old.test"], "there is 5 old.test", "Name it in mx"),
        (
            "MX acme.example",
            ["5 old.test"],
            "there is 5 old.test",
            'dns -e \'{"mail_dns_mx_remove": ["acme.example"]}\'',
        ),
        (
            "MX mg.acme.example",
            ["10 mxa.mailgun.org"],
            "there is 10 mxa.mailgun.org, and there is to be none",
            "Remove",
        ),
        (f"TXT {SELECTOR}", [KeyPair().record], "different", KEY.record),
        (f"CNAME {BULK_KEY}", None, "missing", f"publishes {BULK_KEY} CNAME s1.dkim.mgsend.org"),
        ("CNAME odoo._domainkey.acme.example", ["odoo._domainkey.odoo.com"], "it is not to be there", "Remove it."),
        # Nobody of ours can publish it.
        (
            "TXT acme.example._report._dmarc.reports.test",
            None,
            "missing",
            "Publish acme.example._report._dmarc.reports.test TXT v=DMARC1",
        ),
    ],
)
def test_what_is_not_as_it_is_wanted(name: str, there: Any, told: str, fix: str) -> None:
    found = checks({name: there})
    check = found[f"DNS.{name.replace(' ', '.')}"]
    assert (check.status, told in check.detail, fix in check.fix) == ("failed", True, True), check
    assert [one for one in found.values() if one.status == "failed" and one.id.startswith("DNS.")] == [check]


def test_an_mx_of_a_name_below() -> None:
    """The option that removes others goes by domains."""
    record = {"name": "lists.acme.example", "type": "MX", "values": ["10 mx.acme.example"]}
    check = checks({"MX lists.acme.example": ["5 old.test"]}, changed_policy(records=[record]))
    assert check["DNS.MX.lists.acme.example"].fix.endswith("or remove it by hand.")


def test_an_mx_that_is_wrong_in_a_zone_that_is_not_ours() -> None:
    """It is published by hand, and no option of ours removes the other one."""
    policy = {**POLICY, "dns": {**POLICY["dns"], "zones": []}}
    check = checks({"MX acme.example": ["5 old.test"]}, policy)["DNS.MX.acme.example"]
    assert (check.status, check.fix) == (
        "failed",
        "Name it in mx if it is right; else publish acme.example MX 10 mx.acme.example in its place",
    )


@pytest.mark.parametrize(
    "there",
    [
        "v=spf1 include:_spf.zoho.com include:mailgun.org -all",
        "V=SPF1 Include:Mailgun.org -all",
        "v=spf1 include:_spf.zoho.com +include:mailgun.org -all",
    ],
)
def test_an_spf_record_that_others_share(there: str) -> None:
    assert checks({"TXT mg.acme.example": ["owner=1", there]})["DNS.TXT.mg.acme.example"].status == "passed"


def look(name: str, *servers: dict[str, Any], **result: Any) -> Check:
    """Return the check of a record of which servers said this."""
    asked = collect.looks(POLICY, DATABASE, {"mailgun": mailgun_told()})["records"]
    records = [answered(one, THERE) for one in asked]
    number = [f"{one['type']} {one['name']}" for one in asked].index(name)
    records[number].update(servers=list(servers), **result)
    return checks(dns={"records": records})[f"DNS.{name.replace(' ', '.')}"]


def test_one_server_does_not_speak_for_another() -> None:
    name = "TXT mg.acme.example"
    right, silent = server(THERE[name]), {"answer": "unreachable", "values": []}
    noted = {"problems": ["ns2.acme.example (192.0.2.53): no answer within 2 s"]}
    for check in (look(name, right, silent, **noted), look("MX mg.acme.example", server(None), silent, **noted)):
        assert (check.status, "ns2.acme.example (192.0.2.53): no answer" in check.detail) == ("passed", True)
    check = look(name, right, server(None), problems=["the servers disagree: …"])
    assert (check.status, "the servers disagree" in check.detail) == ("failed", True)
    check = look(name, silent, detail="no server of acme.example told")
    assert (check.status, check.detail) == ("failed", "no server of acme.example told")


def test_a_likely_mistake_is_told() -> None:
    hints = ["it is published at mg.acme.example.acme.example"]
    assert hints[0] in look("TXT mg.acme.example", server(None), hints=hints).detail


def test_what_is_asked_for_serves_the_hints() -> None:
    asked = collect.looks(POLICY, DATABASE, {"mailgun": mailgun_told()})["records"]
    wanted = {f"{one['type']} {one['name']}": one.get("values") for one in asked}
    assert wanted["TXT mg.acme.example"] == ["v=spf1 include:mailgun.org ~all"]
    assert wanted["MX acme.example"] == ["10 mx.acme.example"]
    assert wanted["MX mg.acme.example"] is None


def test_a_tracked_domain_needs_its_links() -> None:
    name = "DNS.CNAME.email.mg.acme.example"
    assert name not in checks()
    assert checks(told=mailgun_told(click="yes"))[name].status == "failed"


def test_records_of_a_new_domain_are_pending() -> None:
    nothing = dict.fromkeys(THERE)
    missing = {"spf": {"status": "missing", "detail": "no SPF record"}}
    found = checks(
        nothing, told=mailgun_told("unverified"), receivers={"acme.example": missing, "mg.acme.example": missing}
    )
    assert {name for name, check in found.items() if check.pending} == {
        "DNS.TXT.mg.acme.example",
        f"DNS.CNAME.{BULK_KEY}",
        "SPF.mg.acme.example",
    }
    assert found["SPF.acme.example"].status == "failed"


def test_a_record_that_cannot_be_published_is_told() -> None:
    told = mailgun_told()
    told["results"][0]["domains"][0]["sending_records"] = [
        {"name": BULK_KEY, "type": "TXT", "values": ["k=rsa; p=AAAA"], "valid": True}
    ]
    check = checks(told=told)["DNS.mg.acme.example"]
    assert check.status == "failed"
    assert f"{BULK_KEY} TXT, DKIM: its key (p) does not parse" in check.detail


def test_what_mailgun_did_not_tell_is_looked_at_as_far_as_the_policy_says_it() -> None:
    found = checks(told={"results": [{"verify_domain": {"name": "mg.acme.example"}, "msg": "refused"}]})
    assert (found["DNS.mg.acme.example"].status, f"DNS.CNAME.{BULK_KEY}" in found) == ("skipped", False)
    assert found["DNS.TXT.mg.acme.example"].status == found["SPF.mg.acme.example"].status == "passed"


def test_without_the_section_only_mailguns_records_are_looked_at() -> None:
    policy = {name: section for name, section in POLICY.items() if name != "dns"}
    found = checks(policy=policy)
    assert list(found) == ["DNS.TXT.mg.acme.example", f"DNS.CNAME.{BULK_KEY}", "DNS.MX.mg.acme.example"]
    assert collect.looks(policy, DATABASE, {"mailgun": mailgun_told()})["senders"] == []
    (check,) = checks(policy={**policy, "providers": []}).values()
    assert (check.id, check.status, check.asked) == ("DNS", "skipped", False)


@pytest.mark.parametrize(
    "receiving",
    [
        {"inbound": {"domains": [{"name": "mg.acme.example", "others": "reject"}]}},
        {"odoo": {**POLICY["odoo"], "alias_domains": [{"name": "mg.acme.example", "bounce_alias": "bounce"}]}},
        {"odoo": {**POLICY["odoo"], "users": [{"login": "admin", "email": "me@mg.acme.example"}]}},
    ],
)
def test_without_the_section_too_a_domain_that_receives_may_have_an_mx(receiving: dict[str, Any]) -> None:
    policy = {**{name: section for name, section in POLICY.items() if name != "dns"}, **receiving}
    found = checks({"MX mg.acme.example": ["10 mx.acme.example"]}, policy)
    assert list(found) == ["DNS.TXT.mg.acme.example", f"DNS.CNAME.{BULK_KEY}"]


@pytest.mark.parametrize("there", ["v=DMARC1; rua=mailto:all@reports.test", "v=DMARC1; p=none", "v=DMARC1;"])
def test_reports_are_allowed_by_any_dmarc_record(there: str) -> None:
    """It may send them elsewhere (RFC 7489, 7.1)."""
    name = "acme.example._report._dmarc.reports.test"
    check = checks({f"TXT {name}": ["owner=1", there]})[f"DNS.TXT.{name}"]
    assert (check.status, check.detail) == ("passed", f"published: {there}")


# --- Receivers


def judged(domain: str, kind: str, by: Mapping[str, Any] | None = None, **changed: Any) -> Check:
    return checks(policy=by, receivers={domain: {kind.lower(): changed}})[f"{kind}.{domain}"]


def test_who_is_asked_for() -> None:
    assert collect.looks(POLICY, DATABASE, {"mailgun": mailgun_told()})["senders"] == [
        {"name": "acme.example", "terms": ["include:zohomail.com", "mx"], "keys": [SELECTOR]},
        {"name": "mg.acme.example", "terms": ["include:mailgun.org"], "keys": [BULK_KEY]},
    ]


def test_spf_lets_the_providers_send() -> None:
    assert judged("acme.example", "SPF").detail == (
        "lets send Zoho (include:zohomail.com, 192.0.2.1), the policy (spf.terms) (mx, 192.0.2.1); it takes 1 of 10 "
        "look-ups, and names 0 of 2 that are not in DNS"
    )


@pytest.mark.parametrize("result", ["fail", "softfail", "neutral", "none", "permerror", "temperror"])
def test_spf_that_does_not_let_one_send(result: str) -> None:
    sender = {"term": "include:mailgun.org", "ip": "192.0.2.1", "result": result, "explanation": "it matches ~all"}
    check = judged("mg.acme.example", "SPF", senders=[sender])
    assert (check.status, check.detail) == (
        "failed",
        f"receivers do not let send Mailgun (include:mailgun.org, 192.0.2.1): {result}, it matches ~all",
    )


@pytest.mark.parametrize("status", ["missing", "permerror", "temperror"])
def test_an_spf_record_that_is_not_in_order(status: str) -> None:
    check = judged("mg.acme.example", "SPF", status=status, detail="why")
    assert (check.status, check.detail, bool(check.fix)) == ("failed", "why", True)


def test_what_cannot_be_tried_is_told() -> None:
    sender = {"term": "include:mailgun.org", "ip": "", "result": "unknown", "explanation": "it names no address"}
    check = judged("mg.acme.example", "SPF", senders=[sender])
    assert (check.status, "in order; it names no address" in check.detail) == ("passed", True)
    own = {"name": "Own", "sequence": 3, "smtp_host": "mail.acme.example", "from_filter": ["own@acme.example"]}
    policy = {**POLICY, "odoo": {**POLICY["odoo"], "servers": [*SERVERS, own]}}
    check = judged("acme.example", "SPF", policy)
    assert (check.status, check.asked) == ("skipped", True)
    assert "by which terms Own sends is not known" in check.detail


def test_an_spf_record_that_nobody_wants() -> None:
    """Publishing would make none, so that it is not there is no failure that publishing could mend."""
    (domain,) = POLICY["dns"]["domains"]
    own = {"name": "Own", "smtp_host": "mail.acme.example", "from_filter": ["acme.example"], "spf": []}

    def missing(said: dict[str, Any]) -> Check:
        said = {**{key: value for key, value in domain.items() if key != "spf"}, **said}
        policy = {**changed_policy(), "odoo": {**POLICY["odoo"], "servers": [own]}}
        policy["dns"] = {**policy["dns"], "domains": [said]}
        return judged("acme.example", "SPF", policy, status="missing", detail="acme.example has no SPF record")

    for said in ({}, {"spf": {"remove": ["mx"]}}):
        check = missing(said)
        assert (check.status, check.asked) == ("skipped", False)
        assert "acme.example has no SPF record, and the policy wants none" in check.detail
    assert missing({"spf": {"all": "-all"}}).status == "failed"
    # Mail is sent from there, and nobody knows by whom.
    del own["spf"]
    check = missing({})
    assert (check.status, "Say spf at the server" in check.fix) == ("failed", True)


@pytest.mark.parametrize("status", ["missing", "revoked", "permerror", "temperror"])
def test_a_key_that_receivers_cannot_use(status: str) -> None:
    looks = collect.looks(POLICY, DATABASE, {"mailgun": mailgun_told()})["senders"]
    found = [receivers_found(one) for one in looks]
    for one in found:
        one["dkim"][0].update(status=status, detail="why")
    result = checks(receivers_result={"domains": found})
    assert (result[f"DKIM.{SELECTOR}"].status, result[f"DKIM.{SELECTOR}"].detail) == ("failed", "why")
    # Mailgun keeps it, and changes it by itself.
    alias = result[f"DKIM.{BULK_KEY}"]
    assert (alias.status, alias.asked) == (("skipped", False) if status == "missing" else ("failed", True))


ACCUSED = "Zoho sends for a@acme.example"


def test_dmarc_that_loses_mail() -> None:
    # Zoho keeps the envelope sender; Amazon has one of its own.
    strict = {"v": "DMARC1", "p": "reject", "aspf": "s", "adkim": "S"}
    assert judged("acme.example", "DMARC", policy="reject", tags=strict).status == "passed"
    servers = [{**SERVERS[0], "provider": "ses", "region": "eu-west-1"}, SERVERS[1]]
    policy = {**changed_policy(records=[]), "odoo": {**POLICY["odoo"], "servers": servers}}
    check = judged("acme.example", "DMARC", policy, policy="reject", tags=strict)
    assert (check.status, ACCUSED in check.detail) == ("failed", True), check
    check = judged("acme.example", "DMARC", policy)
    assert (check.status, ACCUSED in check.detail) == ("passed", True)
    assert "asks for nothing; of more, mail would fail" in check.detail


def test_dmarc_of_the_organisation_counts_below_it() -> None:
    tags = {"v": "DMARC1", "p": "none", "sp": "quarantine"}
    check = judged("mg.acme.example", "DMARC", policy="quarantine", tags=tags)
    assert check.detail == "_dmarc.acme.example has sp=quarantine; mail from it passes by alignment"


@pytest.mark.parametrize("authorised", [False, None])
def test_reports_that_are_not_sent(authorised: bool | None) -> None:
    name = "acme.example._report._dmarc.reports.test"
    report = {"host": "reports.test", "name": name, "authorised": authorised, "detail": "why"}
    check = judged("acme.example", "DMARC", reports=[report])
    assert (check.status, check.detail) == ("failed", "reports to reports.test are not sent: why")
    assert name in check.fix
    assert judged("acme.example", "DMARC", reports=[{**report, "authorised": True}]).status == "passed"


@pytest.mark.parametrize("status", ["missing", "permerror", "temperror"])
def test_a_dmarc_record_that_is_not_in_order(status: str) -> None:
    check = judged("acme.example", "DMARC", status=status, detail="why")
    assert (check.status, check.detail) == ("failed", "why")
    check = judged("mg.acme.example", "DMARC", status=status, detail="why")
    # Of that one the policy says nothing.
    assert (check.status, check.asked) == (("skipped", False) if status == "missing" else ("failed", True))


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (None, "failed"),
        ({"msg": "Failed to import the required Python library (pyspf) on host's Python"}, "skipped"),
        ({"msg": "this machine has no resolver"}, "failed"),
    ],
)
def test_receivers_that_could_not_be_asked_for(result: Any, status: str) -> None:
    found = checks(receivers_result=result)
    assert [check.status for name, check in found.items() if not name.startswith("DNS")] == [status]
    assert "SPF" in found
