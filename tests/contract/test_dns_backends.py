# SPDX-License-Identifier: GPL-3.0-or-later
"""The back ends for APIs against the simulated providers; each request is held against its specification."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core import calls
from ansible_collections.mailops.odoo.plugins.module_utils._core.calls import RateLimitedError
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    ConflictError,
    MailopsError,
    NotFoundError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns import connect, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends import by_record, cloudflare, digitalocean
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends.by_record import ByRecord
from ansible_collections.mailops.odoo.plugins.module_utils._dns.publish import Outcome, publish
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key, Wish
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wishes import DkimWish, SpfWish, ValuesWish
from support.dns_api import FOREIGN, OTHER, ZONE, DnsApi
from support.modules import run_module

pytestmark = pytest.mark.contract

SPF, FOREIGN_TEXT = "v=spf1 a ~all", "google-site-verification=canary"
# As a key of 2048 bits is (RFC 5280); its modulus is of no concern here.
HEAD, TAIL = "30820122300d06092a864886f70d01010105000382010f003082010a0282010100", "0203010001"


def long_key(byte: bytes) -> str:
    """Return the value of a key of 2048 bits."""
    return f"v=DKIM1; k=rsa; p={base64.b64encode(bytes.fromhex(HEAD) + byte * 256 + bytes.fromhex(TAIL)).decode()}"


def connected(api: DnsApi, zone: str | None = ZONE, token: str = DnsApi.token) -> ByRecord:
    """Return a back end for an API, as the modules get it."""
    given = {"backend": api.provider, "zone": zone, "api_token": token, "api_url": api.url, "ca_file": None}
    made = connect.backend({**given, "timeout": 5.0})
    assert isinstance(made, ByRecord)
    return made


def key(relative: str, kind: str = "TXT") -> Key:
    """Return the key of a name in ZONE."""
    return Key(values.name(ZONE if relative == "@" else f"{relative}.{ZONE}"), kind)


def done(api: DnsApi, *wishes: Wish, zone: str | None = ZONE) -> Outcome:
    """Fulfil wishes, which must go well and leave nothing to do; the calls since are those of the first run."""
    outcome = publish(connected(api, zone), wishes, check_mode=False)
    assert outcome.error is None, outcome.error
    made = list(api.server.calls)
    assert publish(connected(api, zone), wishes, check_mode=False).applied == []
    api.server.calls[:] = made
    return outcome


def refused(api: DnsApi, kind: type[MailopsError], *wishes: Wish, zone: str | None = ZONE) -> str:
    """Fulfil wishes, which must fail before anything is written; return what is said."""
    with pytest.raises(kind) as caught:
        publish(connected(api, zone), wishes, check_mode=False)
    assert api.writes() == []
    assert "token-" not in caught.value.text()
    return caught.value.text()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for long."""
    monkeypatch.setattr(calls, "TRIES", (0.01, 0.01))
    monkeypatch.setattr(by_record, "BACK_OFF", 0.2)


# --- What is there


SUBMISSION = {"priority": 1, "weight": 2, "port": 587}
TLSA = {"usage": 3, "selector": 1, "matching_type": 1, "certificate": "AB" * 32}
FORMS: dict[str, list[tuple[str, str, str, dict[str, Any], str]]] = {
    "digitalocean": [
        ("@", "MX", "mx.acme.example.", {"priority": 10}, "10 mx.acme.example"),
        ("@", "MX", "acme.example.", {"priority": 20}, "20 acme.example"),
        ("sub", "CNAME", "Mailgun.ORG.", {}, "mailgun.org"),
        ("_submission._tcp", "SRV", "mx.acme.example.", SUBMISSION, "1 2 587 mx.acme.example"),
        ("text", "TXT", FOREIGN_TEXT, {}, FOREIGN_TEXT),
        ("text", "TXT", '"in two" " parts"', {}, "in two parts"),
        ("text", "TXT", '"no end', {}, '"no end'),
        ("sub6", "AAAA", "2001:DB8::1", {}, "2001:db8::1"),
    ],
    "cloudflare": [
        ("@", "MX", "mx.acme.example", {"priority": 10}, "10 mx.acme.example"),
        ("sub", "CNAME", "Mailgun.ORG", {}, "mailgun.org"),
        ("_submission._tcp", "SRV", "", {"data": {**SUBMISSION, "target": "Mx.example"}}, "1 2 587 mx.example"),
        ("_25._tcp", "TLSA", "", {"data": TLSA}, f"3 1 1 {'ab' * 32}"),
        ("text", "TXT", FOREIGN_TEXT, {}, FOREIGN_TEXT),
        ("text", "TXT", '"in two" " parts"', {}, "in two parts"),
        ("proxied", "A", "192.0.2.1", {"proxied": True}, "192.0.2.1 (proxied)"),
    ],
}  # fmt: skip


def test_values_are_read_in_canonical_form(dns_api: DnsApi) -> None:
    for name, kind, content, fields, _value in FORMS[dns_api.provider]:
        dns_api.add(name, kind, content, **fields)
    wanted: dict[Key, list[str]] = {}
    for name, kind, _content, _fields, value in FORMS[dns_api.provider]:
        wanted.setdefault(key(name, kind), []).append(value)
    found = connected(dns_api).read(list(wanted))
    assert {one: list(has.values) for one, has in found.items()} == {one: sorted(all_) for one, all_ in wanted.items()}
    for one, has in found.items():
        # At Cloudflare the TTL 1 of proxied records stands for 300.
        assert (has.ttl, has.zone) == (300 if "proxied" in one.shown() else 3600, values.name(ZONE))


@pytest.mark.parametrize("kind", ["MX", "CNAME", "SRV", "A", "AAAA", "TXT"])
def test_what_is_written_is_read_back(dns_api: DnsApi, kind: str) -> None:
    given = {"MX": "10 MX.acme.example.", "CNAME": "mailgun.org", "SRV": "1 2 587 mx.acme.example", "A": "192.0.2.1",
             "AAAA": "2001:db8::1", "TXT": 'k="ä"; v=1'}[kind]  # fmt: skip
    outcome = done(dns_api, ValuesWish(key("sub", kind), [given], ttl=600))
    assert [change.after.values for change in outcome.applied] == [(values.wanted(kind, given),)]
    assert dns_api.shown()[0][3] == 600
    done(dns_api, ValuesWish(key("sub", kind), exact=True))
    assert dns_api.shown() == []


def test_an_alias_and_what_stands_beside(dns_api: DnsApi) -> None:
    dns_api.add("alias", "CNAME", "mailgun.org.")
    dns_api.add("host", "A", "192.0.2.1")
    found = connected(dns_api).read([key("alias"), key("host", "CNAME"), key("@", "CNAME"), key("none", "MX")])
    alias, host, apex, none = found.values()
    assert (alias.values, alias.ttl, alias.alias) == ((), None, "mailgun.org")
    assert host.beside == ("A",)
    assert apex.beside == ("NS", "SOA")
    assert (none.values, none.ttl, none.alias, none.beside) == ((), None, "", ())
    text = refused(dns_api, ConflictError, ValuesWish(key("alias"), ["x"]))
    assert "alias.acme.example is a CNAME, to mailgun.org" in text
    assert "host.acme.example has other records (A)" in refused(
        dns_api, ConflictError, ValuesWish(key("host", "CNAME"), ["mailgun.org"])
    )


def test_a_wildcard_is_no_record_of_the_name(dns_api: DnsApi) -> None:
    dns_api.add("*", "MX", "mx.acme.example.", priority=10)
    dns_api.add("there", "A", "192.0.2.1")
    found = connected(dns_api).read([key("new.sub"), key("new", "MX"), key("below.there"), key("there", "MX")])
    assert [has.covered for has in found.values()] == [("MX",), ("MX",), (), ()]
    assert all(has.values == () for has in found.values())


def test_names_are_asked_for_once_and_no_others(dns_api: DnsApi) -> None:
    """What planning costs does not depend on how large the zone is."""
    (example,) = [dns_api.add("n0", "TXT", "x")]
    zone = dns_api.zone()
    for number in range(20_000):
        name = f"n{number}" if dns_api.provider == "digitalocean" else f"n{number}.{ZONE}"
        zone.records[f"r{number}"] = {**example, "id": f"r{number}", "name": name}
    for kind in ("TXT", "A"):
        dns_api.add("@", kind, {"TXT": SPF, "A": "192.0.2.1"}[kind])
    dns_api.calls()
    keys = [key("@"), key("@", "MX"), key("@", "A"), key("n1"), key("n2", "MX")]
    found = connected(dns_api).read(keys)
    assert [found[one].values for one in keys] == [(SPF,), (), ("192.0.2.1",), ("x",), ()]
    asked = [call["query"] for call in dns_api.server.calls if "records" in call["path"]]
    assert [query.get("name") for query in asked] == [None, ZONE, f"n1.{ZONE}", f"n2.{ZONE}"]
    assert asked[0]["type"] == "NS"
    # And once for the zones.
    assert len(dns_api.calls()) == 5


def test_all_pages_are_read(dns_api: DnsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr({"cloudflare": cloudflare, "digitalocean": digitalocean}[dns_api.provider], "PAGE", 2)
    for number in range(5):
        dns_api.add("many", "TXT", f"text {number}")
    assert len(connected(dns_api).read([key("many")])[key("many")].values) == 5


# --- Values of others


def test_a_text_beside_the_spf_record_survives(dns_api: DnsApi) -> None:
    dns_api.add("@", "TXT", FOREIGN_TEXT)
    dns_api.add("@", "TXT", SPF)
    dns_api.add("sub", "TXT", SPF)
    dns_api.calls()
    done(dns_api, SpfWish(key("@"), ["include:mailgun.org"]))
    assert dns_api.writes() == ["PATCH"]
    assert FOREIGN_TEXT in dns_api.texts()
    (spf,) = [text for text in dns_api.texts() if text != FOREIGN_TEXT]
    assert spf.strip('"') == "v=spf1 a include:mailgun.org ~all"
    assert dns_api.texts("sub") == [SPF]


def test_check_mode_writes_nothing(dns_api: DnsApi) -> None:
    dns_api.add("@", "TXT", SPF)
    wishes: list[Wish] = [SpfWish(key("@"), ["mx"]), ValuesWish(key("new"), ["x"])]
    planned = publish(connected(dns_api), wishes, check_mode=True)
    assert dns_api.writes() == []
    assert planned.applied == done(dns_api, *wishes).applied


def test_the_ttl_is_that_of_all_values(dns_api: DnsApi) -> None:
    dns_api.add("@", "TXT", FOREIGN_TEXT)
    dns_api.add("@", "TXT", SPF, ttl=7200)
    dns_api.add("other", "TXT", "x")
    done(dns_api, SpfWish(key("@"), ["a"], ttl=600))
    assert {(content, ttl) for name, _kind, content, ttl in dns_api.shown() if not name.startswith("other")} == {
        (FOREIGN_TEXT, 600), (SPF, 600),
    }  # fmt: skip
    dns_api.calls()
    done(dns_api, ValuesWish(key("@"), [SPF]))
    assert dns_api.writes() == []


def test_a_long_key(dns_api: DnsApi) -> None:
    at = key("s1._domainkey")
    dns_api.calls()
    for byte, call in ((b"\x81", "POST"), (b"\x83", "PATCH")):
        value = long_key(byte)
        assert len(value) > 255
        done(dns_api, DkimWish(at, value))
        assert dns_api.writes() == [call]
        assert connected(dns_api).read([at])[at].values == (value,)


def test_a_name_that_is_not_ascii(dns_api: DnsApi) -> None:
    done(dns_api, ValuesWish(key("bücher"), ["x"]))
    assert dns_api.shown()[0][0].startswith("xn--bcher-kva")


# --- The order of calls, and what fails between them


def test_what_comes_is_there_before_anything_goes(dns_api: DnsApi) -> None:
    dns_api.add("@", "MX", "old.acme.example.", priority=10)
    dns_api.calls()
    done(dns_api, ValuesWish(key("@", "MX"), ["10 new.acme.example"], exact=True))
    assert dns_api.writes() == ["POST", "DELETE"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_failure_in_between_leaves_something_that_works(dns_api: DnsApi, method: str) -> None:
    dns_api.add("@", "MX", "old.acme.example.", priority=10)
    dns_api.server.fail("500", method=method)
    wish = ValuesWish(key("@", "MX"), ["10 new.acme.example"], exact=True)
    outcome = publish(connected(dns_api), [wish], check_mode=False)
    assert isinstance(outcome.error, TemporaryError)
    assert (outcome.applied, len(outcome.remaining)) == ([], 1)
    left = ["10 new.acme.example"] * (method == "DELETE") + ["10 old.acme.example"]
    assert [content for _name, _kind, content, _ttl in dns_api.shown()] == left
    done(dns_api, wish)
    assert [content for _name, _kind, content, _ttl in dns_api.shown()] == ["10 new.acme.example"]


def test_an_spf_record_that_cannot_be_edited_stays(dns_api: DnsApi) -> None:
    dns_api.add("@", "TXT", SPF)
    dns_api.server.fail("500", method="PATCH")
    outcome = publish(connected(dns_api), [SpfWish(key("@"), ["mx"])], check_mode=False)
    assert outcome.error is not None
    assert dns_api.texts() == [SPF]


@pytest.mark.parametrize("form", ["cut", "truncated", "html", "500"])
def test_a_write_whose_answer_is_lost_is_looked_for_and_not_repeated(dns_api: DnsApi, form: str) -> None:
    dns_api.server.fail(form, method="POST", carried_out=True)
    done(dns_api, ValuesWish(key("@"), ["x"]))
    assert dns_api.writes() == ["POST"]
    assert [text.strip('"') for text in dns_api.texts()] == ["x"]


def test_a_write_that_failed_is_not_repeated(dns_api: DnsApi) -> None:
    dns_api.server.fail("cut", method="POST")
    outcome = publish(connected(dns_api), [ValuesWish(key("@"), ["x"])], check_mode=False)
    assert isinstance(outcome.error, TemporaryError)
    assert (dns_api.writes(), dns_api.texts()) == (["POST"], [])


def test_a_ttl_that_could_not_be_written_is_told(dns_api: DnsApi) -> None:
    dns_api.add("@", "TXT", SPF)
    dns_api.server.fail("500", method="PATCH")
    outcome = publish(connected(dns_api), [ValuesWish(key("@"), [SPF], ttl=600)], check_mode=False)
    assert isinstance(outcome.error, TemporaryError)


def test_what_was_done_is_told_when_something_fails(dns_api: DnsApi) -> None:
    dns_api.server.fail("500", method="POST", after=1)
    outcome = publish(connected(dns_api), [ValuesWish(key(name), ["x"]) for name in ("a", "b", "c")], check_mode=False)
    assert [change.key for change in outcome.applied] == [key("a")]
    assert [change.key for change in outcome.remaining] == [key("b"), key("c")]


def test_equal_records_are_one_value(dns_api: DnsApi) -> None:
    if dns_api.provider == "cloudflare":
        dns_api.add("@", "TXT", f'"{SPF}"')
    else:
        dns_api.add("@", "TXT", SPF)
    dns_api.add("@", "TXT", SPF)
    dns_api.calls()
    done(dns_api, SpfWish(key("@"), ["mx"]))
    assert dns_api.writes() == ["DELETE", "PATCH"]
    assert [text.strip('"') for text in dns_api.texts()] == ["v=spf1 a mx ~all"]


def test_a_key_gives_way_to_an_alias(dns_api: DnsApi) -> None:
    dns_api.add("s1._domainkey", "TXT", "v=DKIM1; p=AAAA")
    wishes = [
        ValuesWish(key("s1._domainkey", "CNAME"), ["s1.mgsend.org"]),
        ValuesWish(key("s1._domainkey"), exact=True),
    ]
    dns_api.calls()
    done(dns_api, *wishes)
    assert dns_api.writes() == ["DELETE", "POST"]
    assert [(kind, content) for _name, kind, content, _ttl in dns_api.shown()] == [("CNAME", "s1.mgsend.org")]
    back = [
        ValuesWish(key("s1._domainkey"), ["v=DKIM1; p=AAAA"]),
        ValuesWish(key("s1._domainkey", "CNAME"), exact=True),
    ]
    done(dns_api, *back)
    assert [kind for _name, kind, _content, _ttl in dns_api.shown()] == ["TXT"]


@pytest.mark.parametrize("form", ["cut", "html"])
def test_a_key_is_put_back_if_the_alias_cannot_come(dns_api: DnsApi, form: str) -> None:
    dns_api.add("s1._domainkey", "TXT", "v=DKIM1; p=AAAA", ttl=600)
    dns_api.server.fail(form, method="POST")
    wishes = [
        ValuesWish(key("s1._domainkey", "CNAME"), ["s1.mgsend.org"]),
        ValuesWish(key("s1._domainkey"), exact=True),
    ]
    outcome = publish(connected(dns_api), wishes, check_mode=False)
    assert isinstance(outcome.error, MailopsError)
    assert (outcome.applied, len(outcome.remaining)) == ([], 2)
    ((_name, kind, content, ttl),) = dns_api.shown()
    assert (kind, content.strip('"'), ttl) == ("TXT", "v=DKIM1; p=AAAA", 600)


def test_what_cannot_be_put_back_is_named(dns_api: DnsApi) -> None:
    dns_api.add("s1._domainkey", "TXT", "v=DKIM1; p=AAAA")
    dns_api.server.fail("html", method="POST", count=2)
    wishes = [
        ValuesWish(key("s1._domainkey", "CNAME"), ["s1.mgsend.org"]),
        ValuesWish(key("s1._domainkey"), exact=True),
    ]
    outcome = publish(connected(dns_api), wishes, check_mode=False)
    assert outcome.error is not None
    assert "could not be put back" in outcome.error.message
    assert "s1._domainkey.acme.example TXT 'v=DKIM1; p=AAAA'" in outcome.error.message


# --- Other writers


def once_before(api: DnsApi, method: str, act: Callable[[], Any]) -> None:
    """Let somebody else act right before the first call of this method."""

    def before(made: str, _path: str) -> None:
        if made == method:
            api.server.before = lambda method, path: None
            act()

    api.server.before = before


def test_two_writers_of_values_lose_nothing(dns_api: DnsApi) -> None:
    together([lambda me=me: [done(dns_api, ValuesWish(key("@"), [f"{me}{n}"])) for n in range(5)] for me in "ab"])
    assert sorted(text.strip('"') for text in dns_api.texts()) == sorted(f"{me}{n}" for me in "ab" for n in range(5))


def test_two_writers_of_a_first_spf_record_lose_nothing(dns_api: DnsApi) -> None:
    for turn in range(5):
        at = key(f"n{turn}")
        barrier = threading.Barrier(2)

        def write(term: str, at: Key = at, barrier: threading.Barrier = barrier) -> None:
            backend = connected(dns_api)
            backend.read([at])
            barrier.wait()
            outcome = publish(backend, [SpfWish(at, [term], all_="~all")], check_mode=False)
            assert outcome.error is None

        together([lambda: write("ip4:192.0.2.1"), lambda: write("ip4:192.0.2.2")])
        (spf,) = dns_api.texts(f"n{turn}")
        assert {"ip4:192.0.2.1", "ip4:192.0.2.2"} <= set(spf.strip('"').split())


def test_an_spf_record_that_another_creates_at_the_same_time_is_merged(dns_api: DnsApi) -> None:
    once_before(dns_api, "POST", lambda: dns_api.add("@", "TXT", "v=spf1 ip4:192.0.2.9 -all"))
    done(dns_api, SpfWish(key("@"), ["mx"], all_="~all"))
    # Ours was taken back, and theirs edited.
    assert dns_api.writes() == ["POST", "DELETE", "PATCH"]
    assert [text.strip('"') for text in dns_api.texts()] == ["v=spf1 ip4:192.0.2.9 mx ~all"]


def test_what_another_made_of_ours_is_not_taken_back(dns_api: DnsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two who created a record at once one takes his back, and edits the other's."""
    theirs = []
    once_before(dns_api, "POST", lambda: theirs.append(dns_api.add("@", "TXT", "v=spf1 ip4:192.0.2.9 ~all")))

    def merge(_clock: calls.Clock, _seconds: float) -> None:
        records = dns_api.zone().records
        del records[str(theirs[0]["id"])]
        (ours,) = records.values()
        ours["data" if dns_api.provider == "digitalocean" else "content"] = "v=spf1 mx ip4:192.0.2.9 ~all"

    monkeypatch.setattr(calls.Clock, "sleep", merge)
    done(dns_api, SpfWish(key("@"), ["mx"], all_="~all"))
    assert dns_api.writes() == ["POST"]
    assert dns_api.texts() == ["v=spf1 mx ip4:192.0.2.9 ~all"]


def test_a_change_before_ours_is_planned_for(dns_api: DnsApi) -> None:
    record = dns_api.add("@", "TXT", SPF)
    backend = connected(dns_api)
    read = backend.read
    content = "data" if dns_api.provider == "digitalocean" else "content"

    def read_and_lose(keys: Sequence[Key]) -> Any:
        found = read(keys)
        record[content] = "v=spf1 a ip4:192.0.2.9 ~all"
        return found

    backend.read = read_and_lose  # type: ignore[method-assign]
    outcome = publish(backend, [SpfWish(key("@"), ["mx"])], check_mode=False)
    assert outcome.error is None
    assert [text.strip('"') for text in dns_api.texts()] == ["v=spf1 a ip4:192.0.2.9 mx ~all"]


def test_a_change_after_ours_is_seen(dns_api: DnsApi) -> None:
    """Somebody who had read before us writes over what we wrote."""
    record = dns_api.add("@", "TXT", SPF)
    content = "data" if dns_api.provider == "digitalocean" else "content"
    backend = connected(dns_api)
    edit, overwritten = backend._provider.edit, []

    def edit_and_lose(*arguments: Any) -> None:
        edit(*arguments)
        if not overwritten:
            overwritten.append(record[content])
            record[content] = "v=spf1 a ip4:192.0.2.9 ~all"

    backend._provider.edit = edit_and_lose  # type: ignore[method-assign]
    outcome = publish(backend, [SpfWish(key("@"), ["mx"])], check_mode=False)
    assert (outcome.error, len(overwritten)) == (None, 1)
    assert [text.strip('"') for text in dns_api.texts()] == ["v=spf1 a ip4:192.0.2.9 mx ~all"]


def test_a_value_that_another_deletes_at_once_is_created_anew(dns_api: DnsApi) -> None:
    backend = connected(dns_api)
    create, deleted = backend._provider.create, []

    def create_and_lose(*arguments: Any) -> str:
        identity = create(*arguments)
        if not deleted:
            deleted.append(dns_api.zone().records.pop(identity))
        return identity

    backend._provider.create = create_and_lose  # type: ignore[method-assign]
    outcome = publish(backend, [ValuesWish(key("@"), ["x"])], check_mode=False)
    assert (outcome.error, len(deleted)) == (None, 1)
    assert [text.strip('"') for text in dns_api.texts()] == ["x"]


def test_a_second_spf_record_that_another_creates_is_told(dns_api: DnsApi) -> None:
    dns_api.add("@", "TXT", SPF)
    once_before(dns_api, "PATCH", lambda: dns_api.add("@", "TXT", "v=spf1 ip4:192.0.2.9 -all"))
    outcome = publish(connected(dns_api), [SpfWish(key("@"), ["mx"])], check_mode=False)
    assert isinstance(outcome.error, ConflictError)
    assert "acme.example TXT: there are 2 SPF records" in outcome.error.message
    # Ours was edited before that was seen.
    assert dns_api.writes() == ["PATCH"]
    assert (outcome.error.definite, outcome.applied) == (False, [])


def test_a_record_that_another_deletes_is_created_anew(dns_api: DnsApi) -> None:
    dns_api.add("@", "TXT", SPF)
    once_before(dns_api, "PATCH", dns_api.zone().records.clear)
    done(dns_api, SpfWish(key("@"), ["mx"], all_="~all"))
    assert dns_api.writes() == ["PATCH", "POST"]


def test_a_writer_that_never_stops(dns_api: DnsApi) -> None:
    dns_api.add("@", "TXT", SPF)
    dns_api.server.before = lambda method, path: dns_api.zone().records.clear() or dns_api.add("@", "TXT", SPF)  # type: ignore[assignment,func-returns-value]
    with pytest.raises(ConflictError, match=r"another writer changed .* 5 times .* acme.example TXT"):
        publish(connected(dns_api), [SpfWish(key("@"), ["mx"])], check_mode=False)


def test_a_provider_that_keeps_something_else(dns_api: DnsApi) -> None:
    """What was written is not what is read, each time: something was written, though not what was wanted."""
    backend = connected(dns_api)
    create = backend._provider.create

    def create_another(zone: Any, at: Key, value: str, ttl: int) -> str:
        return create(zone, at, f"{value}!", ttl)

    backend._provider.create = create_another  # type: ignore[method-assign]
    outcome = publish(backend, [ValuesWish(key("@"), ["x"])], check_mode=False)
    assert isinstance(outcome.error, ConflictError)
    assert (outcome.error.definite, len(outcome.remaining)) == (False, 1)


def together(writers: Sequence[Callable[[], Any]]) -> None:
    """Let writers run at the same time; what one raises is raised."""
    failed: list[BaseException] = []

    def run(write: Callable[[], Any]) -> None:
        try:
            write()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=[write]) for write in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


# --- Whose zone it is, and what the token may do


def test_the_zone_is_found(dns_api: DnsApi) -> None:
    other = Key(values.name(f"sub.{OTHER}"), "TXT")
    dns_api.calls()
    done(dns_api, ValuesWish(key("sub"), ["x"]), ValuesWish(other, ["y"]), zone=None)
    assert [text.strip('"') for text in dns_api.texts("sub")] == ["x"]
    assert len(dns_api.shown(OTHER)) == 1
    zones = [path for _method, path in dns_api.calls() if path.endswith(("/domains", "/zones"))]
    assert len(zones) == 1
    foreign = Key(values.name(f"sub.{FOREIGN}"), "TXT")
    told = refused(dns_api, NotFoundError, ValuesWish(foreign, ["x"]), zone=None)
    assert f"no zone for sub.{FOREIGN} that this token may see. It may see: {ZONE}, {OTHER}" in told


def test_a_zone_of_somebody_else(dns_api: DnsApi) -> None:
    foreign = Key(values.name(FOREIGN), "TXT")
    told = refused(dns_api, NotFoundError, ValuesWish(foreign, ["x"]), zone=FOREIGN)
    assert FOREIGN in told
    assert "that this token may see" in told
    assert "Check zone" in told


def test_a_name_that_is_not_in_the_zone(dns_api: DnsApi) -> None:
    other = Key(values.name(OTHER), "TXT")
    assert f"{OTHER} is not in the zone {ZONE}" in refused(dns_api, ValidationError, ValuesWish(other, ["x"]))


@pytest.mark.parametrize("dns_api", ["digitalocean"], indirect=True)
def test_a_zone_below_needs_no_delegation_at_digitalocean(dns_api: DnsApi) -> None:
    """Its servers answer from the zone below where both are there: what is written above it nobody sees."""
    dns_api.server.zones.all.append(type(dns_api.zone())(f"mg.{ZONE}", "acme"))
    told = refused(dns_api, ValidationError, ValuesWish(key("s1._domainkey.mg"), ["x"]))
    assert f"s1._domainkey.mg.{ZONE} is in the zone mg.{ZONE}, which is below {ZONE}" in told
    done(dns_api, ValuesWish(key("s1._domainkey.mg"), ["x"]), zone=None)
    assert len(dns_api.shown(f"mg.{ZONE}")) == 1


def test_a_name_that_is_delegated(dns_api: DnsApi) -> None:
    dns_api.add("sub", "NS", "ns1.other.example.")
    dns_api.add("@", "NS", "ns1.provider.example.")
    for name in ("sub", "below.sub"):
        told = refused(dns_api, ValidationError, ValuesWish(key(name), ["x"]))
        assert f"{name}.{ZONE} is delegated" in told
        assert f"the servers of the zone sub.{ZONE}" in told
    done(dns_api, ValuesWish(key("@"), ["x"]))


def test_tokens(dns_api: DnsApi) -> None:
    wish = ValuesWish(key("@"), ["x"])
    told = {}
    for token in ("token-wrong", DnsApi.read_token):
        with pytest.raises(AuthenticationError) as caught:
            publish(connected(dns_api, token=token), [wish], check_mode=False)
        told[token] = caught.value.text()
        assert token not in told[token]
    assert "wrong, expired or was revoked" in told["token-wrong"]
    assert "The token is right, but lacks a" in told[DnsApi.read_token]
    assert dns_api.texts() == []


def test_a_token_without_access_to_dns(dns_api: DnsApi) -> None:
    expected = AuthenticationError if dns_api.provider == "digitalocean" else NotFoundError
    with pytest.raises(expected) as caught:
        connected(dns_api, token=DnsApi.none_token).read([key("@")])
    assert ("lacks a scope" if dns_api.provider == "digitalocean" else "Zone:Read") in caught.value.text()


@pytest.mark.parametrize("token", ["Bearer x", "tökén", ""])
def test_what_is_no_token_is_not_sent(dns_api: DnsApi, token: str) -> None:
    with pytest.raises(ValidationError, match="api_token"):
        connected(dns_api, token=token)


# --- What cannot be


def test_types_that_cannot_be_changed(dns_api: DnsApi) -> None:
    told = refused(dns_api, ValidationError, ValuesWish(key("@", "CAA"), ['0 issue "ca.example"']))
    assert "acme.example CAA: records of this type cannot be changed" in told


def test_everything_is_checked_before_anything_is_written(dns_api: DnsApi) -> None:
    told = refused(dns_api, ValidationError, ValuesWish(key("a"), ["x"]), ValuesWish(key("b"), ["x"], ttl=29))
    assert "b.acme.example TXT: the TTL is 29" in told


def test_what_the_provider_refuses(dns_api: DnsApi) -> None:
    dns_api.server.fail({"digitalocean": "422", "cloudflare": "400"}[dns_api.provider], method="POST")
    with pytest.raises(ValidationError, match=r"refused POST .* \(HTTP 4"):
        publish(connected(dns_api), [ValuesWish(key("@"), ["x"])], check_mode=False)


# --- Faults and limits


@pytest.mark.parametrize("form", ["500", "html", "truncated", "cut"])
def test_a_read_that_fails_is_repeated(dns_api: DnsApi, form: str) -> None:
    dns_api.add("@", "TXT", SPF)
    dns_api.server.fail(form, method="GET", path="records", after=1)
    assert connected(dns_api).read([key("@")])[key("@")].values == (SPF,)


LIMITS = [
    ("digitalocean", "rate-limit"), ("digitalocean", "retry-after"),
    ("cloudflare", "ratelimit"), ("cloudflare", "retry-after"),
]  # fmt: skip


@pytest.mark.parametrize(("dns_api", "form"), LIMITS, indirect=["dns_api"])
def test_a_limit_is_waited_for_and_the_write_made_once(dns_api: DnsApi, form: str) -> None:
    dns_api.server.fail(form, method="POST", seconds=1)
    done(dns_api, ValuesWish(key("@"), ["x"]))
    assert dns_api.writes() == ["POST", "POST"]
    assert len(dns_api.texts()) == 1


@pytest.mark.parametrize(("dns_api", "form"), LIMITS, indirect=["dns_api"])
def test_a_limit_that_lasts_too_long(dns_api: DnsApi, form: str) -> None:
    dns_api.server.fail(form, method="POST", seconds=3600)
    with pytest.raises(RateLimitedError, match=r"limits the rate of calls: POST .* must wait for 3[56]\d\d s"):
        publish(connected(dns_api), [ValuesWish(key("@"), ["x"])], check_mode=False)
    assert dns_api.texts() == []


# --- What one provider has alone


@pytest.mark.parametrize("dns_api", ["digitalocean"], indirect=True)
@pytest.mark.parametrize("value", ["a\\b", '"\\""'])
def test_texts_that_digitalocean_cannot_hold(dns_api: DnsApi, value: str) -> None:
    assert "cannot be had at DigitalOcean" in refused(dns_api, ValidationError, ValuesWish(key("@"), [value]))


@pytest.mark.parametrize("dns_api", ["cloudflare"], indirect=True)
def test_a_record_that_is_proxied(dns_api: DnsApi) -> None:
    """DNS does not have its value; it is edited where the set is to be exact, and is somebody's otherwise."""
    record = dns_api.add("email", "CNAME", "mailgun.org", proxied=True, comment="by hand")
    at = key("email", "CNAME")
    told = refused(dns_api, ConflictError, ValuesWish(at, ["mailgun.org"]))
    assert "a name has one CNAME, not 2: mailgun.org, mailgun.org (proxied)" in told
    done(dns_api, ValuesWish(at, ["mailgun.org"], exact=True))
    assert dns_api.writes() == ["PATCH"]
    assert (record["proxied"], record["content"], record["comment"]) == (False, "mailgun.org", "by hand")
    dns_api.add("www", "A", "192.0.2.1", proxied=True)
    done(dns_api, ValuesWish(key("www", "A"), ["192.0.2.2"], ttl=600))
    assert {(content, ttl) for name, _kind, content, ttl in dns_api.shown() if name.startswith("www")} == {
        ("192.0.2.1", 1), ("192.0.2.2", 600),
    }  # fmt: skip


@pytest.mark.parametrize("dns_api", ["cloudflare"], indirect=True)
def test_texts_of_others_at_cloudflare_are_sent_back_as_they_were(dns_api: DnsApi) -> None:
    for content in ("plain text", '"in two" " parts"'):
        dns_api.add("@", "TXT", content)
    done(dns_api, ValuesWish(key("@"), ["plain text"], ttl=600))
    assert dns_api.texts() == ['"in two" " parts"', "plain text"]


@pytest.mark.parametrize("dns_api", ["cloudflare"], indirect=True)
def test_a_token_of_an_account_cannot_be_verified(dns_api: DnsApi) -> None:
    dns_api.server.fail("html", path="/verify", count=9)
    with pytest.raises(AuthenticationError) as caught:
        publish(connected(dns_api, token=DnsApi.read_token), [ValuesWish(key("@"), ["x"])], check_mode=False)
    assert "Check api_token" in caught.value.text()
    assert "DNS:Edit" in caught.value.text()


# --- As a module


def test_a_module(dns_api: DnsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"backend": dns_api.provider, "api_url": dns_api.url, "api_token": DnsApi.token, "zone": ZONE}
    record = {"name": ZONE, "type": "TXT", "values": ["x"]}
    done = run_module("dns_record_set", {**options, **record})
    assert (done["changed"], done["changes"][0]["action"]) == (True, "create")
    assert not run_module("dns_record_set", {**options, **record})["changed"]
    failed = run_module("dns_record_set", {**options, **record, "api_token": "token-canary-wrong"})
    assert (failed["failed"], failed["error"]) == (True, "authentication")
    assert "canary" not in str({**failed, "invocation": None})


# --- What a failure leaves is told


def test_a_change_that_was_begun_is_not_said_to_be_none(dns_api: DnsApi) -> None:
    """What fails for certain may come after what was done."""
    dns_api.server.fail({"digitalocean": "422", "cloudflare": "400"}[dns_api.provider], method="POST", after=1)
    outcome = publish(connected(dns_api), [ValuesWish(key("@"), ["x", "y"])], check_mode=False)
    assert isinstance(outcome.error, ValidationError)
    assert not outcome.error.definite
    assert (outcome.applied, len(outcome.remaining), len(dns_api.texts())) == ([], 1, 1)


@pytest.mark.parametrize(("dns_api", "form"), LIMITS, indirect=["dns_api"])
def test_a_change_that_could_not_be_looked_at_is_not_said_to_be_none(dns_api: DnsApi, form: str) -> None:
    # Of the zone's delegations, of what is there, of that right before the call, and after it.
    dns_api.server.fail(form, method="GET", path="records", after=3, seconds=3600)
    outcome = publish(connected(dns_api), [ValuesWish(key("@"), ["x"])], check_mode=False)
    assert isinstance(outcome.error, RateLimitedError)
    assert not outcome.error.definite
    assert len(dns_api.texts()) == 1


def gives_way(name: str) -> list[Wish]:
    """Return the wish that a name is an alias, and nothing else."""
    alias = ValuesWish(key(name, "CNAME"), ["s1.mgsend.org"])
    return [alias, *(ValuesWish(key(name, kind), exact=True) for kind in ("A", "TXT", "MX"))]


def test_all_that_had_to_go_is_put_back(dns_api: DnsApi) -> None:
    for kind, content in (("A", "192.0.2.1"), ("TXT", "x"), ("TXT", "y")):
        dns_api.add("s1", kind, content)
    dns_api.server.fail({"digitalocean": "422", "cloudflare": "400"}[dns_api.provider], method="POST")
    outcome = publish(connected(dns_api), gives_way("s1"), check_mode=False)
    assert isinstance(outcome.error, ValidationError)
    assert not outcome.error.definite
    assert [content.strip('"') for _name, _kind, content, _ttl in dns_api.shown()] == ["192.0.2.1", "x", "y"]


def test_what_went_and_cannot_be_looked_for_is_named(dns_api: DnsApi) -> None:
    dns_api.add("s1._domainkey", "TXT", "v=DKIM1; p=AAAA")
    dns_api.server.fail("retry-after", method="POST", seconds=3600)
    outcome = publish(connected(dns_api), gives_way("s1._domainkey"), check_mode=False)
    assert isinstance(outcome.error, RateLimitedError)
    assert not outcome.error.definite
    assert "may be missing now" in outcome.error.message
    assert "s1._domainkey.acme.example TXT 'v=DKIM1; p=AAAA'" in outcome.error.message


@pytest.mark.parametrize("dns_api", ["cloudflare"], indirect=True)
def test_a_proxied_record_is_put_back_as_it_was(dns_api: DnsApi) -> None:
    dns_api.add("www", "A", "192.0.2.1", proxied=True, comment="by hand")
    dns_api.server.fail("400", method="POST")
    wishes = [ValuesWish(key("www", "A"), exact=True), ValuesWish(key("www", "CNAME"), ["mailgun.org"])]
    outcome = publish(connected(dns_api), wishes, check_mode=False)
    assert outcome.error is not None
    (left,) = dns_api.zone().records.values()
    assert (left["type"], left["content"], left["proxied"], left["ttl"]) == ("A", "192.0.2.1", True, 1)


@pytest.mark.parametrize("dns_api", ["cloudflare"], indirect=True)
def test_a_proxied_address_is_edited_where_the_set_is_to_be_exact(dns_api: DnsApi) -> None:
    dns_api.add("www", "A", "192.0.2.1", proxied=True)
    dns_api.calls()
    done(dns_api, ValuesWish(key("www", "A"), ["192.0.2.1"], exact=True))
    assert [(one["content"], one["proxied"]) for one in dns_api.zone().records.values()] == [("192.0.2.1", False)]


@pytest.mark.parametrize("dns_api", ["cloudflare"], indirect=True)
def test_a_long_certificate(dns_api: DnsApi) -> None:
    given = f"3 0 0 {'ab' * 400}"
    done(dns_api, ValuesWish(key("_25._tcp.mx", "TLSA"), [given]))
    (record,) = dns_api.zone().records.values()
    assert record["data"]["certificate"] == "ab" * 400


def test_what_was_written_before_another_was_faster_is_told(dns_api: DnsApi) -> None:
    """Planned anew nothing is left to do, as what was to come is there: by us."""
    theirs = dns_api.add("@", "TXT", FOREIGN_TEXT)
    once_before(dns_api, "PATCH", lambda: dns_api.zone().records.pop(str(theirs["id"])))
    outcome = publish(connected(dns_api), [ValuesWish(key("@"), ["x"], ttl=600)], check_mode=False)
    assert outcome.error is None
    assert [text.strip('"') for text in dns_api.texts()] == ["x"]
    assert [(change.added, change.after.values) for change in outcome.applied] == [(("x",), ("x",))]


# --- Values of others that look like ours


@pytest.mark.parametrize("dns_api", ["digitalocean"], indirect=True)
def test_a_text_of_others_that_could_not_be_written_gets_another_ttl(dns_api: DnsApi) -> None:
    dns_api.add("@", "TXT", "a\\b")
    done(dns_api, ValuesWish(key("@"), ["x"], ttl=600))
    assert [(content, ttl) for _name, _kind, content, ttl in dns_api.shown()] == [("a\\b", 600), ("x", 600)]


# --- Check mode


def test_check_mode_refuses_what_the_provider_cannot_hold(dns_api: DnsApi) -> None:
    with pytest.raises(ValidationError, match=r"b.acme.example TXT: the TTL is 29"):
        publish(connected(dns_api), [ValuesWish(key("b"), ["x"], ttl=29)], check_mode=True)
    assert dns_api.writes() == []


@pytest.mark.parametrize("dns_api", ["digitalocean"], indirect=True)
def test_a_record_of_digitalocean_without_a_ttl(dns_api: DnsApi) -> None:
    """Values beside it get the one that DNS has for it."""
    dns_api.add("@", "TXT", FOREIGN_TEXT)["ttl"] = None
    dns_api.calls()
    done(dns_api, ValuesWish(key("@"), ["x"]))
    assert dns_api.writes() == ["POST"]
    assert {record["data"]: record["ttl"] for record in dns_api.zone().records.values()} == {
        FOREIGN_TEXT: None, "x": 1800,
    }  # fmt: skip
