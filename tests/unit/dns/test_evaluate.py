# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver makes of a mail, with signatures that are real."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import dkim
import dns.message
import dns.rdatatype
import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import TemporaryError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import evaluate
from ansible_collections.mailops.odoo.plugins.module_utils._dns.evaluate import Signature, SpfResult
from ansible_collections.mailops.odoo.plugins.module_utils._dns.resolver import Resolver
from hypothesis import given
from hypothesis import strategies as st
from support.modules import run_module
from support.scripted_dns import Zones, answering
from support.signing import KeyPair, short_key, signed

KEYS = KeyPair(), KeyPair()
MESSAGE = b"From: Sales <sales@acme.example>\nTo: x@y.example\nSubject: Offer\n\nHello,\nhere it is.\n"
SIGNED = signed(MESSAGE, KEYS[0], "acme.example", "s1")
NAME = "s1._domainkey.acme.example"
RECORDS: dict[tuple[str, str], Sequence[str]] = {
    (NAME, "TXT"): ("owner=1", KEYS[0].record),
    ("acme.example", "TXT"): ("owner=1", "v=spf1 mx include:mailgun.org -all"),
    ("acme.example", "MX"): ("10 mx.acme.example",),
    ("mx.acme.example", "A"): ("192.0.2.30",),
    ("mx.acme.example", "AAAA"): ("2001:db8::30",),
    ("mailgun.org", "TXT"): ("v=spf1 ip4:192.0.2.64/26 ?all",),
    ("_dmarc.acme.example", "TXT"): ("v=DMARC1; p=reject; sp=quarantine",),
}


def world(**changed: Sequence[str] | None) -> Any:
    """Return look-ups in the records; `changed` names replaced TXT records, None what cannot be looked up."""
    there = {**RECORDS, **{(name, "TXT"): found for name, found in changed.items()}}

    def resolve(name: str, record_type: str) -> Sequence[str]:
        found = there.get((name.rstrip(".").lower(), record_type), ())
        if found is None:
            raise TemporaryError(f"{name} {record_type} could not be looked up")
        return found

    return resolve


@pytest.mark.parametrize(
    ("ip", "result", "told", "lookups"),
    [
        ("192.0.2.30", "pass", "acme.example: 192.0.2.30 matches mx", 1),
        ("2001:db8::30", "pass", "acme.example: 2001:db8::30 matches mx", 1),
        ("192.0.2.70", "pass", "acme.example: 192.0.2.70 matches include:mailgun.org", 2),
        ("192.0.2.1", "fail", "acme.example: 192.0.2.1 matches -all", 2),
    ],
)
def test_spf(ip: str, result: str, told: str, lookups: int) -> None:
    found = evaluate.spf(ip, "bounce@Acme.example", "", world())
    assert (found.result, found.explanation.lower(), found.lookups) == (result, told.lower(), lookups)
    assert (found.domain, found.void_lookups) == ("acme.example", 0)
    # The null sender is judged by the name of its host.
    assert evaluate.spf(ip, "", "acme.example", world()).result == result


@pytest.mark.parametrize(
    ("records", "result", "told"),
    [
        ((), "none", "acme.example has no SPF record"),
        (("v=spf1 a -all", "v=spf1 -all"), "permerror", "acme.example: Two or more type TXT spf records found."),
        (("v=spf1 moo",), "permerror", "acme.example: Unknown mechanism found (moo)"),
        (
            ("v=spf1 " + " ".join(f"exists:{number}.example" for number in range(3)),),
            "permerror",
            "more than 2 look-ups",
        ),
        (("v=spf1 " + "include:mailgun.org " * 11,), "permerror", "Too many DNS lookups"),
        (("v=spf1 \u201cmx\u201d",), "permerror", "Non-ascii"),
        (("v=spf1 include:acme.example",), "permerror", "trivial recursion"),
        (("v=spf1 ip4:192.0.2.9",), "neutral", "acme.example: nothing matches 192.0.2.1"),
        (None, "temperror", "acme.example: acme.example TXT could not be looked up"),
    ],
)
def test_spf_of_records_that_do_not_help(records: Sequence[str] | None, result: str, told: str) -> None:
    found = evaluate.spf("192.0.2.1", "a@acme.example", "", world(**{"acme.example": records}))
    assert found.result == result
    assert told in found.explanation


@pytest.mark.parametrize(
    ("ip", "mail_from", "told"), [("mx", "a@acme.example", "no IP address"), ("::1", "", "no domain")]
)
def test_spf_of_nothing(ip: str, mail_from: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        evaluate.spf(ip, mail_from, "", world())


@pytest.mark.parametrize("message", [SIGNED, SIGNED.replace(b"\r\n", b"\n"), b"Received: by x\n" + SIGNED])
def test_a_signature_round_trip(message: bytes) -> None:
    assert evaluate.verify(message, world()) == [Signature("acme.example", "s1", "pass", "", 1024)]


@pytest.mark.parametrize(
    ("message", "result", "told"),
    [
        (SIGNED.replace(b"here", b"there"), "fail", "the body is not what was signed"),
        (SIGNED.replace(b"Offer", b"Demand"), "fail", "the signed headers are not what was signed"),
        (b"From: x@acme.example\n" + SIGNED, "fail", "the signed headers are not what was signed"),
        (
            SIGNED.replace(b"d=acme.example", b"d=other.example"),
            "permerror",
            "i= domain is not a subdomain of d= (i=@acme",
        ),
        (SIGNED.replace(b"s=s1", b"s=s2"), "permerror", "s2._domainkey.acme.example has no keys"),
        (SIGNED.replace(b"a=rsa-sha256", b"a=rsa-sha9"), "permerror", "unknown signature algorithm: rsa-sha9"),
        (SIGNED.replace(b"h=", b"h=x", 1).replace(b"from", b"form"), "permerror", "it does not sign From"),
        (SIGNED.replace(b"v=1;", b"v=1;;", 1), "permerror", "the signature does not parse"),
        (b"DKIM-Signature: x\n" + MESSAGE, "permerror", "x"),
        (b"DKIM-Signature:\n" + MESSAGE, "permerror", "missing v="),
    ],
)
def test_signatures_that_do_not_hold(message: bytes, result: str, told: str) -> None:
    (found,) = evaluate.verify(message, world())
    assert found.result == result
    assert told in found.reason and found.reason


@pytest.mark.parametrize(
    ("records", "result", "told"),
    [
        ((), "permerror", f"{NAME} has no keys"),
        ((KEYS[0].record, KEYS[1].record), "permerror", f"{NAME} has 2 keys"),
        ((KEYS[1].record,), "fail", "or the key is another one"),
        (("v=DKIM1; p=",), "permerror", f"{NAME}: the key was revoked"),
        ((KEYS[0].record[:98],), "permerror", f"{NAME}: its key (p) does not parse"),
        ((KEYS[0].record[:99],), "permerror", f"{NAME}: its key (p) is no base64"),
        ((short_key(),), "permerror", f"{NAME}: its RSA key has 512 bits"),
        (("v=DKIM1; k=ed25519; p=" + "A" * 43 + "=",), "neutral", "PyNaCl"),
        (None, "temperror", "could not be looked up"),
    ],
)
def test_signatures_by_keys_that_do_not_help(records: Sequence[str] | None, result: str, told: str) -> None:
    (found,) = evaluate.verify(SIGNED, world(**{NAME: records}))
    assert (found.domain, found.selector, found.result) == ("acme.example", "s1", result)
    assert told in found.reason


def test_several_signatures() -> None:
    twice = signed(SIGNED, KEYS[1], "mailgun.org", "k1")
    found = evaluate.verify(twice, world(**{"k1._domainkey.mailgun.org": (KEYS[1].record,)}))
    assert [(one.domain, one.result) for one in found] == [("mailgun.org", "pass"), ("acme.example", "pass")]
    assert evaluate.verify(MESSAGE, world()) == []


@given(st.binary(max_size=80), st.integers(0, len(SIGNED)), st.integers(0, 40))
def test_no_message_breaks_it(insert: bytes, at: int, cut: int) -> None:
    """Whatever became of a signed message, there is a verdict; it passes only if what was signed is untouched."""
    for found in evaluate.verify(SIGNED[:at] + insert + SIGNED[at + cut :], world()):
        assert found.result in ("pass", "fail", "permerror", "neutral")
        assert found.result == "pass" or found.reason


def spf(result: str, domain: str) -> SpfResult:
    return SpfResult(result, "", 1, 0, domain)


@pytest.mark.parametrize(
    ("domain", "spf_result", "signatures", "result", "told", "policy"),
    [
        ("acme.example", spf("pass", "mg.acme.example"), [], "pass", "SPF passes for mg.acme.example", "reject"),
        (
            "acme.example",
            spf("pass", "mailgun.org"),
            [],
            "fail",
            "neither DKIM nor SPF is of an aligned domain",
            "reject",
        ),
        ("acme.example", spf("softfail", "acme.example"), [], "fail", "SPF of acme.example: softfail", "reject"),
        ("acme.example", spf("temperror", "acme.example"), [], "temperror", "SPF of acme.example: temperror", "reject"),
        ("acme.example", spf("fail", "x.example"), [("acme.example", "pass")], "pass", "DKIM passes for", "reject"),
        ("acme.example", None, [("acme.example", "pass")], "pass", "DKIM passes for acme.example", "reject"),
        ("acme.example", None, [("mailgun.org", "pass")], "unknown", "SPF was not looked at", "reject"),
        ("acme.example", None, [("acme.example", "temperror")], "temperror", "temperror", "reject"),
        # What the organisation asks for those below it.
        ("News.Acme.example", spf("pass", "acme.example"), [], "pass", "SPF passes", "quarantine"),
        ("other.example", spf("pass", "other.example"), [], "none", "other.example has no DMARC record", ""),
    ],
)
def test_dmarc(
    domain: str, spf_result: SpfResult | None, signatures: list[tuple[str, str]], result: str, told: str, policy: str
) -> None:
    found = evaluate.dmarc(domain, spf_result, [Signature(of, "s", said) for of, said in signatures], world())
    assert (found.result, found.policy) == (result, policy)
    assert told in found.reason
    assert found.record == ("_dmarc.acme.example" if policy else "")


@pytest.mark.parametrize(
    ("records", "result", "told"),
    [
        (("v=DMARC1; p=none; aspf=s",), "fail", "aligned"),
        (("v=DMARC1; p=none; adkim=s",), "pass", "SPF passes"),
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), "permerror", "2 DMARC records"),
        (("v=DMARC1; p=block",), "permerror", "p=block is no value"),
        (("v=DMARC1; rua=nobody",), "permerror", "no tag p"),
        # What is wrong but for the policy is ignored (RFC 7489, 6.3), and a wrong policy is none where reports may go
        # somewhere (6.6.3).
        (("v=DMARC1; p=none; aspf=s; rua=postmaster@acme.example; pct=all; x",), "fail", "aligned"),
        (("v=DMARC1; p=none; aspf=strict",), "pass", "SPF passes"),
        (("v=DMARC1; p=block; rua=nobody,mailto:a@acme.example",), "pass", "SPF passes"),
        (("\u201cv=DMARC1; p=none\u201d",), "none", "receivers do not take for one"),
        (None, "temperror", "could not be looked up"),
    ],
)
def test_dmarc_of_records(records: Sequence[str] | None, result: str, told: str) -> None:
    resolve = world(**{"_dmarc.acme.example": records})
    found = evaluate.dmarc("acme.example", spf("pass", "mg.acme.example"), [], resolve)
    assert found.result == result
    assert told in found.reason


@pytest.mark.parametrize(
    ("record", "policy"),
    [
        ("v=DMARC1; p=reject; sp=none; rua=postmaster@acme.example", "none"),
        ("v=DMARC1; p=reject; fo=x", "reject"),
        ("v=DMARC1; p=reject; sp=all; rua=mailto:a@acme.example", "none"),
        ("v=DMARC1; rua=mailto:a@acme.example", "none"),
    ],
)
def test_the_policy_of_a_record_with_mistakes(record: str, policy: str) -> None:
    resolve = world(**{"_dmarc.acme.example": (record,)})
    assert evaluate.dmarc("news.acme.example", None, [], resolve).policy == policy


@pytest.mark.parametrize("domain", ["acme.example>", "Sales <a@acme.example>", "a,b.example"])
def test_what_is_no_domain_of_from(domain: str) -> None:
    with pytest.raises(ValidationError, match="is no domain"):
        evaluate.dmarc(domain.rpartition("@")[2], None, [], world())


def test_strict_dkim() -> None:
    resolve = world(**{"_dmarc.acme.example": ("v=DMARC1; p=none; adkim=s",)})
    below = [Signature("mg.acme.example", "s", "pass")]
    assert evaluate.dmarc("acme.example", spf("fail", "acme.example"), below, resolve).result == "fail"


@pytest.mark.parametrize(
    ("message", "domain"),
    [
        (b"From: =?utf-8?q?Acme=2C_Sales?= <sales@ACME.example>\n\n", "acme.example"),
        (b"From: a@acme.example, b@acme.example\n\n", "acme.example"),
        (b"From: a@acme.example, b@other.example\n\n", None),
        (b"From: nobody\n\n", None),
        (b"Subject: x\n\n", None),
    ],
)
def test_whom_it_is_from(message: bytes, domain: str | None) -> None:
    if domain:
        assert evaluate.from_domain(message) == domain
    else:
        with pytest.raises(ValidationError, match="From has"):
            evaluate.from_domain(message)


@pytest.mark.parametrize(
    ("message", "sender"),
    [(b"Return-Path: <a@b.example>\n\n", "a@b.example"), (b"Return-Path: <>\n\n", ""), (b"\n", None)],
)
def test_where_it_returns(message: bytes, sender: str | None) -> None:
    assert evaluate.return_path(message) == sender


# A name server on loopback, as the module asks one.
SERVER, SILENT, BROKEN, REFERRING = "127.0.0.71", "127.0.0.72", "127.0.0.73", "127.0.0.74"
SOON = 0.3  # seconds
ZONE = Zones(
    {
        "acme.example.": f"""
@ TXT "v=spf1 " "ip4:192.0.2.30 -all"
@ MX 10 Mail.acme.example.
mail CNAME host
host A 192.0.2.5
_dmarc TXT "v=DMARC1; p=reject"
s1._domainkey TXT {" ".join(f'"{KEYS[0].record[at : at + 200]}"' for at in range(0, len(KEYS[0].record), 200))}
""",
    }
)


def following(question: dns.message.Message) -> dns.message.Message:
    """Answer as a resolver does: with an alias comes what it points to."""
    answer = ZONE.resolver()(question)
    assert isinstance(answer, dns.message.Message)
    for alias in [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.CNAME]:
        answer.answer += ZONE.resolver()(dns.message.make_query(alias[0].target, question.question[0].rdtype)).answer
    return answer


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    handlers = {
        SERVER: following,
        SILENT: lambda question: None,
        BROKEN: ZONE.resolver(broken=("acme.example.",)),
        REFERRING: Zones({"example.": "acme 60 NS ns.acme\n"}).server("example."),
    }
    with answering(handlers) as found:
        yield found


def test_looking_up(port: int) -> None:
    resolve = Resolver([SERVER], SOON, port)
    assert resolve("ACME.example.", "TXT") == ("v=spf1 ip4:192.0.2.30 -all",)
    assert resolve("acme.example", "MX") == ("10 mail.acme.example",)
    assert resolve("mail.acme.example", "A") == ("192.0.2.5",)
    assert resolve("mail.acme.example", "AAAA") == ()
    assert resolve("nowhere.acme.example", "A") == ()
    assert resolve("not..a.name", "A") == ()


def test_the_next_resolver_is_asked(port: int) -> None:
    assert Resolver([SILENT, BROKEN, SERVER], SOON, port)("acme.example", "MX") == ("10 mail.acme.example",)
    with pytest.raises(TemporaryError) as error:
        Resolver([SILENT, BROKEN], SOON, port)("acme.example", "MX")
    assert error.value.message == (
        f"acme.example MX could not be looked up: resolver {SILENT}: no answer within 0.3 s; "
        f"resolver {BROKEN} answers SERVFAIL"
    )


def test_a_server_that_only_refers_to_others_is_no_resolver(port: int) -> None:
    """It says nothing of the name, which is not to say that there is none."""
    assert Resolver([REFERRING, SERVER], SOON, port)("acme.example", "MX") == ("10 mail.acme.example",)
    with pytest.raises(TemporaryError, match=f"resolver {REFERRING}: it does not resolve for this machine .NOERROR"):
        Resolver([REFERRING], SOON, port)("acme.example", "MX")


def test_a_name_is_looked_up_once(port: int) -> None:
    asked = []
    handler = ZONE.resolver()

    def counting(question: Any) -> Any:
        asked.append(question.question[0].name)
        return handler(question)

    with answering({SERVER: counting}) as other_port:
        resolve = Resolver([SERVER], SOON, other_port)
        assert resolve("acme.example", "MX") == resolve("Acme.Example.", "MX")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "one of the following is required: path, ip"),
        ({"path": "/nowhere/mail.eml"}, "path /nowhere/mail.eml cannot be read: No such file"),
        ({"ip": "192.0.2.1"}, "there is no envelope sender. Give mail_from"),
        ({"ip": "mx", "mail_from": "a@acme.example"}, "ip 'mx' is no IP address"),
        ({"ip": "fe80::1%eth0", "mail_from": "a@acme.example"}, "ip 'fe80::1%eth0' is no IP address"),
        ({"ip": "192.0.2.1", "mail_from": "a@acme.example", "resolver": ["ns1"]}, "resolver 'ns1' is no address"),
        ({"ip": "192.0.2.1", "mail_from": "", "timeout": 0}, "timeout is 0 s"),
    ],
)
def test_the_module_refuses(options: dict[str, Any], told: str) -> None:
    result = run_module("mail_authentication_info", {"resolver": [SERVER], **options})
    assert result["failed"]
    assert told in result["msg"]


def test_dkimpy_knows_no_more_algorithms() -> None:
    """A new one would need its own word in `verify`."""
    assert set(dkim.HASH_ALGORITHMS) == {b"rsa-sha1", b"rsa-sha256", b"ed25519-sha256"}
