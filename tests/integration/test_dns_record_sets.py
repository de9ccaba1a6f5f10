# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets changed at a real BIND by dynamic updates, through a proxy that counts the messages."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import secretfiles
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import connect, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.publish import publish
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key, Wish
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wishes import SpfWish, ValuesWish
from integration.test_examples import examples
from support.bind import Bind, bind
from support.dns_proxy import Proxy, proxied
from support.machines import Internet
from support.modules import run_module, warned
from support.playbooks import ROOT, local_play, run_playbook

pytestmark = pytest.mark.integration

SPF = "v=spf1 mx include:mailgun.org ~all"
VERIFIED = "site-verification=2f6a1c"
ACME = f"""
@ TXT "{SPF}"
@ TXT "{VERIFIED}"
@ MX 10 mx
mx A 192.0.2.25
www CNAME mx
mg NS ns.mg
ns.mg A 192.0.2.54
child NS ns.elsewhere.test.
*.wild A 192.0.2.9
*.wild TXT "of the wildcard"
own.wild TXT "of the wildcard"
own.wild 299 A 192.0.2.10
a.ent.wild A 192.0.2.11
*.alias CNAME mx
"""
MG = '@ TXT "v=spf1 include:mailgun.org ~all"\n'


@pytest.fixture(scope="module")
def server(internet: Internet) -> Iterator[Bind]:
    with bind(internet, {"acme.example": ACME, "mg.acme.example": MG, "empty.test": ""}) as running:
        yield running


@pytest.fixture
def proxy(server: Bind) -> Iterator[Proxy]:
    with proxied(server.address, server.port) as running:
        yield running


class Modules:
    """Our modules, connected through the proxy."""

    def __init__(self, server: Bind, proxy: Proxy) -> None:
        self.server = server
        self.proxy = proxy

    def options(self, **options: Any) -> dict[str, Any]:
        """Return a module's options with the connection."""
        return self.server.connection(server="127.0.0.1", port=self.proxy.port, **options)

    def run(self, name: str, record_type: str, *values: str, changed: bool = True, **options: Any) -> dict[str, Any]:
        """Run dns_record_set, after check mode, which must tell the same and send no update; and then once more."""
        options = {"name": name, "type": record_type, **options, **({"values": list(values)} if values else {})}
        before = self.proxy.updates()
        checked = self.once(check=True, **options)
        assert self.proxy.updates() == before
        result = self.once(**options)
        assert result["changed"] is changed, result
        assert [checked[name] for name in ("changes", "diff", "records")] == [
            result[name] for name in ("changes", "diff", "records")
        ]
        again = self.once(**options)
        assert (again["changed"], again["changes"], again["records"]) == (False, [], result["records"])
        assert self.proxy.updates() == before + changed
        return result

    def once(self, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run dns_record_set, which must go well."""
        result = run_module("dns_record_set", self.options(**options), check=check)
        assert not result.get("failed"), result["msg"]
        return result

    def many(self, *record_sets: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        """Run dns_record_sets."""
        return run_module("dns_record_sets", self.options(record_sets=list(record_sets), **options), check=check)

    def refused(self, *record_sets: dict[str, Any], check: bool = True, **options: Any) -> dict[str, Any]:
        """Run dns_record_sets, which must fail without a change and without telling the secret."""
        before = self.proxy.updates()
        result = self.many(*record_sets, check=check, **options)
        assert result.get("failed"), result
        assert (result["changed"], result["changes"]) == (False, [])
        assert secretfiles.values()["vault_dns_tsig_secret"] not in str({**result, "invocation": None})
        assert self.proxy.updates() == before + (not check)
        return result


@pytest.fixture
def modules(server: Bind, proxy: Proxy) -> Modules:
    return Modules(server, proxy)


def record_set(name: str, record_type: str, *values: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": record_type, **({"values": list(values)} if values else {}), **options}


def test_a_value_comes_beside_those_of_others_and_goes_again(modules: Modules, server: Bind) -> None:
    result = modules.run("acme.example", "TXT", "ours")
    assert server.has("acme.example", "TXT") == ['300 "ours"', f'300 "{VERIFIED}"', f'300 "{SPF}"']
    assert result["changes"] == [
        {
            "action": "update",
            "name": "acme.example",
            "type": "TXT",
            "before": {"values": [VERIFIED, SPF], "ttl": 300},
            "after": {"values": ["ours", VERIFIED, SPF], "ttl": 300},
        }
    ]
    modules.run("acme.example", "TXT", "ours", "never there", state="absent")
    assert server.has("acme.example", "TXT") == [f'300 "{VERIFIED}"', f'300 "{SPF}"']


def test_no_client_is_given_the_servers_port(internet: Internet, server: Bind) -> None:
    clients = internet.run("cat", "/proc/sys/net/ipv4/ip_local_port_range", check=True).stdout.split()
    assert server.port < int(clients[0])
    asked = internet.run("dig", "-b", f"127.0.0.1#{server.port}", "-p", str(server.port), "@127.0.0.1", "acme.example")
    assert "query response not set" in asked.stdout  # what this is about


def test_exactly_these_values_and_then_none(modules: Modules, server: Bind) -> None:
    modules.run("lists.acme.example", "MX", "10 MX.acme.example.", "20 mx.provider.test", ttl=60)
    modules.run("lists.acme.example", "MX", "10 mx.acme.example", state="exact")
    assert server.has("lists.acme.example", "MX") == ["60 10 mx.acme.example."]
    assert modules.run("lists.acme.example", "MX", state="absent")["records"] == [
        {"name": "lists.acme.example", "type": "MX", "values": [], "ttl": None}
    ]
    assert server.has("lists.acme.example", "MX") == []


def test_what_the_server_refuses_for_what_it_is(modules: Modules) -> None:
    error = modules.refused(record_set("acme.example", "MX", "20 none.acme.example"), check=False)["msg"]
    assert "an MX whose host has no address in its zone (check-integrity)" in error


def test_a_ttl_is_changed_for_all_values(modules: Modules, server: Bind) -> None:
    modules.run("ttl.acme.example", "TXT", "one", "two")
    assert server.has("ttl.acme.example", "TXT") == ['3600 "one"', '3600 "two"']
    result = modules.run("ttl.acme.example", "TXT", "one", ttl=600)
    assert server.has("ttl.acme.example", "TXT") == ['600 "one"', '600 "two"']
    assert result["diff"] == {
        "before": "ttl.acme.example 3600 TXT one\nttl.acme.example 3600 TXT two\n",
        "after": "ttl.acme.example 600 TXT one\nttl.acme.example 600 TXT two\n",
    }
    modules.run("ttl.acme.example", "TXT", "one", "three", state="exact", ttl=900)
    assert server.has("ttl.acme.example", "TXT") == ['900 "one"', '900 "three"']


def test_texts_of_every_kind(modules: Modules, server: Bind) -> None:
    key = f"v=DKIM1; k=rsa; p={'A' * 700}"
    name = "s1._domainkey.acme.example"
    modules.run(name, "TXT", key)
    assert server.has(name, "TXT") == [f'3600 "{key[:255]}" "{key[255:510]}" "{key[510:]}"']
    odd = 'with "quotation marks", a \\, a ; and ünicode'
    modules.run("odd.acme.example", "TXT", odd)
    server.update(r'update add odd.acme.example 3600 TXT "\255 is not UTF-8"', "")
    modules.run("odd.acme.example", "TXT", "more", ttl=60)
    found = server.has("odd.acme.example", "TXT")
    assert r'60 "\255 is not UTF-8"' in found
    assert len(found) == 3
    assert odd in modules.run("odd.acme.example", "TXT", odd, changed=False)["records"][0]["values"]


def test_the_same_in_other_parts_is_no_change(modules: Modules, server: Bind) -> None:
    server.update('update add parts.acme.example 60 TXT "v=spf1 " "-all"')
    modules.run("parts.acme.example", "TXT", "v=spf1 -all", changed=False)
    modules.run("parts.acme.example", "TXT", '"v=spf1 -all"', state="exact", changed=False)
    modules.run("parts.acme.example", "TXT", "v=spf1 -all", state="absent")
    assert server.has("parts.acme.example", "TXT") == []


def test_names_beyond_ascii_are_encoded(modules: Modules, server: Bind) -> None:
    result = modules.run("Bücher.acme.example.", "CNAME", "ziel-ä.acme.example")
    assert server.has("xn--bcher-kva.acme.example", "CNAME") == ["3600 xn--ziel--kra.acme.example."]
    assert result["records"][0]["name"] == "xn--bcher-kva.acme.example"


@pytest.mark.parametrize(
    ("record_type", "value"),
    [
        ("A", "192.0.2.77"),
        ("AAAA", "2001:db8::77"),
        ("CAA", '0 issue "letsencrypt.org"'),
        ("PTR", "mx.acme.example"),
        ("SRV", "0 1 587 smtp.acme.example"),
        ("TLSA", "3 1 1 " + "ab" * 32),
    ],
)
def test_every_type(modules: Modules, record_type: str, value: str) -> None:
    name = f"type-{record_type.lower()}.acme.example"
    assert modules.run(name, record_type, value)["records"][0]["values"] == [value]
    modules.run(name, record_type, value, state="absent")


def test_a_name_is_changed_in_its_own_zone(modules: Modules, server: Bind) -> None:
    """acme.example is on the same server, which would take a record of a name below mg there."""
    modules.run("s1.mg.acme.example", "TXT", "deep")
    assert server.has("s1.mg.acme.example", "TXT") == ['3600 "deep"']
    there = [("s1.mg.acme.example", "TXT", "there"), ("new.mg.acme.example", "TXT", "nowhere yet")]
    for name, record_type, value in [*there, ("mg.acme.example", "TXT", "the apex")]:
        error = modules.refused(record_set(name, record_type, value), zone="acme.example")["msg"]
        assert f"{name} is in the zone mg.acme.example, which is below acme.example. " in error
    error = modules.refused(record_set("empty.test", "TXT", "x"), zone="acme.example")["msg"]
    assert "empty.test is not in the zone acme.example. Names are given in full" in error
    error = modules.refused(record_set("x.acme.example", "TXT", "x"), zone="x.acme.example")
    assert "has no zone x.acme.example: x.acme.example is in acme.example there" in error["msg"]
    assert error["error"] == "not_found"


def test_several_zones_in_one_call(modules: Modules, server: Bind, proxy: Proxy) -> None:
    names = ["zones.acme.example", "zones.mg.acme.example", "zones.empty.test"]
    result = modules.many(*(record_set(name, "TXT", "one", "two") for name in names))
    assert [change["name"] for change in result["changes"]] == names
    assert proxy.updates() == 3
    assert [server.has(name, "TXT") for name in names] == [['3600 "one"', '3600 "two"']] * 3


def test_a_delegated_name_is_refused(modules: Modules) -> None:
    for name in ("child.acme.example", "x.child.acme.example"):
        error = modules.refused(record_set(name, "TXT", "x"))
        assert f"{name} is delegated: " in error["msg"]
        assert "refers to the servers of the zone child.acme.example. It can be changed only there" in error["msg"]


def test_a_zone_that_is_not_there(modules: Modules) -> None:
    error = modules.refused(record_set("x.foreign.test", "TXT", "x"))
    assert (error["error"], "has no authority for x.foreign.test (REFUSED)" in error["msg"]) == ("not_found", True)


def test_a_doubled_zone_gets_nothing_new_but_can_be_cleaned(modules: Modules, server: Bind) -> None:
    name = "_dmarc.acme.example.acme.example"
    error = modules.refused(record_set(name, "TXT", "v=DMARC1; p=none"))["msg"]
    assert f"{name} TXT: the name has that of its zone acme.example twice" in error
    assert "write _dmarc.acme.example. " in error
    server.update(f'update add {name} 60 TXT "v=DMARC1; p=none"')
    modules.run(name, "TXT", "v=DMARC1; p=none", state="absent")


def test_a_cname_stands_alone(modules: Modules, server: Bind) -> None:
    for named, beside in (("mx", "A"), ("", "MX, NS, SOA, TXT")):
        name = f"{named}.acme.example".lstrip(".")
        error = modules.refused(record_set(name, "CNAME", "there.example"))
        assert f"{name} has other records ({beside}), and a CNAME may not stand beside any" in error["msg"]
        assert error["error"] == "conflict"
    error = modules.refused(record_set("www.acme.example", "TXT", "x"))["msg"]
    assert "www.acme.example is a CNAME, to mx.acme.example, and beside one there may be no other record" in error
    # Below it may be anything, and what it was may go in the same update.
    modules.run("below.deep.acme.example", "A", "192.0.2.1")
    modules.run("deep.acme.example", "CNAME", "mx.acme.example")
    modules.run("deep.acme.example", "CNAME", "www.acme.example", state="exact")
    swap = [record_set("deep.acme.example", "TXT", "x"), record_set("deep.acme.example", "CNAME", state="absent")]
    assert modules.many(*swap)["changed"] is True
    back = [
        record_set("deep.acme.example", "CNAME", "mx.acme.example"),
        record_set("deep.acme.example", "TXT", state="absent"),
    ]
    assert modules.many(*back)["changed"] is True
    assert server.has("deep.acme.example", "ANY", "+tcp") == ["3600 mx.acme.example."]


def test_what_a_wildcard_answers_is_no_record_of_the_name(modules: Modules, server: Bind) -> None:
    name = "new.wild.acme.example"
    assert server.has(name, "TXT") == ['300 "of the wildcard"']
    modules.run(name, "TXT", state="absent", changed=False)
    checked = modules.once(check=True, name=name, type="TXT", values=["of the wildcard"])
    assert warned(checked) == [
        f"{name} has records of its own now, so the wildcard that answered for it does not any more (A). "
        "Give it these records too if they are needed (RFC 4592, section 2.2.1)."
    ]
    result = modules.run(name, "TXT", "of the wildcard")
    assert result["changes"][0]["before"] == {}
    assert (server.has(name, "TXT"), server.has(name, "A")) == (['3600 "of the wildcard"'], [])
    # Once it is there nothing is shadowed any more.
    assert warned(modules.once(name=name, type="A", values=["192.0.2.9"])) == []


def test_the_wildcard_may_be_further_up_or_have_nothing_of_the_type(modules: Modules) -> None:
    for name, record_type, value in (
        ("further.down.wild.acme.example", "TXT", "x"),
        ("nothing.wild.acme.example", "MX", "10 mx.acme.example"),
    ):
        result = modules.once(check=True, name=name, type=record_type, values=[value])
        assert (result["changes"][0]["before"], len(warned(result))) == ({}, 1)
        assert f"({'A' if record_type == 'TXT' else 'A, TXT'})" in warned(result)[0]


def test_a_wildcard_that_is_an_alias_does_not_make_names_aliases(modules: Modules, server: Bind) -> None:
    result = modules.run("own.alias.acme.example", "TXT", "x")
    assert server.has("own.alias.acme.example", "TXT") == ['3600 "x"']
    modules.run("cname.alias.acme.example", "CNAME", "mx.acme.example")
    assert result["changes"][0]["before"] == {}
    assert server.has("cname.alias.acme.example", "CNAME") == ["3600 mx.acme.example."]


def test_names_that_exist_beside_a_wildcard_are_what_they_are(modules: Modules, server: Bind) -> None:
    """One has the same text as the wildcard has, one has nothing but another below it."""
    modules.run("own.wild.acme.example", "TXT", "of the wildcard", changed=False)
    result = modules.run("ent.wild.acme.example", "TXT", "x")
    assert warned(result) == []
    modules.run("own.wild.acme.example", "TXT", state="absent")
    assert server.has("own.wild.acme.example", "A") == ["299 192.0.2.10"]
    modules.run("*.wild.acme.example", "TXT", "of the wildcard", "more")


def test_a_name_that_has_what_the_wildcard_beside_it_has(modules: Modules, server: Bind) -> None:
    """Also where names below it are a wildcard's of its own, the records are its own."""
    name = "same.wild.acme.example"
    server.update(
        f'update add {name} 300 TXT "of the wildcard"',
        f"update add {name} 300 A 192.0.2.9",
        f"update add *.{name} 300 A 192.0.2.9",
    )
    modules.run(name, "TXT", "of the wildcard", changed=False)
    assert warned(modules.once(check=True, name=name, type="MX", values=["10 mx.acme.example"])) == []
    modules.run(name, "TXT", "more")
    assert server.has(name, "TXT") == ['300 "more"', '300 "of the wildcard"']
    modules.run(name, "TXT", state="absent")
    below = modules.run(f"below.{name}", "TXT", "x")
    assert below["changes"][0]["before"] == {}


def test_a_hundred_record_sets_are_one_question_each_and_one_update(modules: Modules, proxy: Proxy) -> None:
    sets = [record_set(f"s{number}.acme.example", "TXT", f"value {number}") for number in range(100)]
    assert len(modules.many(*sets, check=True)["changes"]) == 100
    # None of the names is there: each answer says so, and which zone it is in.
    assert Counter(proxy.calls) == Counter(("QUERY", one["name"], "TXT") for one in sets)
    proxy.calls.clear()
    assert modules.many(*sets)["changed"] is True
    assert proxy.updates() == 1
    proxy.calls.clear()
    assert modules.many(*sets)["changed"] is False
    # Each name and type once, and for all of them once whether their names may be a wildcard's.
    parent = Counter([("QUERY", "*.acme.example", "SOA")])
    assert Counter(proxy.calls) == Counter(("QUERY", one["name"], "TXT") for one in sets) + parent
    assert modules.many(*({**one, "state": "absent"} for one in sets))["changed"] is True


def test_a_server_that_says_the_least_is_asked_in_which_zone_each_name_is(internet: Internet) -> None:
    """It does not name its zone beside what it finds; then what is below the name tells."""
    zone = 'zone "{0}" {{ type primary; file "FOLDER/{0}.zone"; allow-update {{ key mailops; }}; }};'
    view = "view all { minimal-responses yes; %s };"
    configuration = view % " ".join(zone.format(name) for name in ("acme.example", "mg.acme.example"))
    records = {"acme.example": 'a TXT "x"\nb TXT "x"\n', "mg.acme.example": '@ TXT "x"\n'}
    with bind(internet, records, configuration) as server, proxied(server.address, server.port) as proxy:
        modules = Modules(server, proxy)
        names = ["a.acme.example", "b.acme.example"]
        assert modules.many(*(record_set(name, "TXT", "x") for name in names))["changed"] is False
        asked = [*(("QUERY", name, "TXT") for name in names), *(("QUERY", f"*.{name}", "SOA") for name in names)]
        assert Counter(proxy.calls) == Counter(asked)
        error = modules.refused(record_set("mg.acme.example", "TXT", "x"), zone="acme.example")["msg"]
        assert "mg.acme.example is in the zone mg.acme.example, which is below acme.example. " in error
        modules.run("a.acme.example", "TXT", "more")


def test_what_does_not_fit_into_one_update_takes_few(modules: Modules, server: Bind, proxy: Proxy) -> None:
    sets = [record_set(f"long{number}.acme.example", "TXT", f"{number} " + "x" * 1000) for number in range(100)]
    assert len(modules.many(*sets)["changes"]) == 100
    assert 2 <= proxy.updates() <= 5
    assert len(modules.many(*sets, check=True)["records"]) == 100
    assert modules.many(*({**one, "state": "absent"} for one in sets))["changed"] is True
    assert server.has("long99.acme.example", "TXT") == []


def test_letters_of_several_bytes_fit_into_few_updates_too(modules: Modules, proxy: Proxy) -> None:
    sets = [record_set(f"wide{number}.acme.example", "TXT", f"{number} " + "\u20ac" * 400) for number in range(60)]
    assert len(modules.many(*sets)["changes"]) == 60
    assert 2 <= proxy.updates() <= 5
    assert modules.many(*({**one, "state": "absent"} for one in sets))["changed"] is True


def test_what_fits_into_no_update_is_refused(modules: Modules, proxy: Proxy) -> None:
    """In check mode too, and before what goes into an update of its own is written."""
    huge = record_set("huge.acme.example", "TXT", *(f"{number} " + "x" * 1000 for number in range(70)))
    first = record_set("first.acme.example", "TXT", *(f"{number} " + "x" * 1000 for number in range(30)))
    # So large that it is no record either.
    larger = record_set("huge.acme.example", "TXT", "x" * 70_000)
    for wanted, check in ((huge, True), (huge, False), (larger, False)):
        result = modules.many(first, wanted, check=check)
        assert (result["changed"], result["error"], proxy.updates()) == (False, "validation", 0)
        assert "huge.acme.example TXT: too much for one update" in result["msg"]


def test_a_writer_in_between_loses_nothing(modules: Modules, server: Bind, proxy: Proxy) -> None:
    def other_writes(number: int) -> None:
        if number < 2:
            server.update(f'update add race.acme.example 60 TXT "of the other {number}"')

    proxy.before_update = other_writes
    result = modules.once(name="race.acme.example", type="TXT", values=["ours"])
    assert server.has("race.acme.example", "TXT") == ['60 "of the other 0"', '60 "of the other 1"', '60 "ours"']
    assert (result["changed"], proxy.updates()) == (True, 3)
    assert result["records"][0]["values"] == ["of the other 0", "of the other 1", "ours"]


def test_a_cname_in_between_is_not_ignored(modules: Modules, server: Bind, proxy: Proxy) -> None:
    """A server ignores what cannot stand beside a CNAME, and answers that all is well."""

    def other_writes(number: int) -> None:
        server.update("update add between.acme.example 60 CNAME mx.acme.example")
        server.update('update add between2.acme.example 60 TXT "x"')

    proxy.before_update = other_writes
    for wanted in (
        record_set("between.acme.example", "TXT", "x"),
        record_set("between2.acme.example", "CNAME", "mx.a"),
    ):
        result = modules.many(wanted)
        assert (result["error"], result["changed"]) == ("conflict", False), result


def test_what_an_alias_replaces_stays_where_the_alias_cannot_come(modules: Modules, server: Bind, proxy: Proxy) -> None:
    """A server ignores a CNAME beside other data, answers that all is well, and has deleted what was to make way."""
    name = "way.acme.example"
    modules.run(name, "TXT", "v=DKIM1; p=")
    proxy.before_update = lambda number: server.update(f"update add {name} 60 A 192.0.2.1")
    result = modules.many(record_set(name, "CNAME", "mx.acme.example"), record_set(name, "TXT", state="absent"))
    assert (result["error"], result["changed"]) == ("conflict", False), result
    assert f"{name} has other records (A), and a CNAME may not stand beside any" in result["msg"]
    assert server.has(name, "TXT") == ['3600 "v=DKIM1; p="']


def test_who_is_always_slower_gives_up(modules: Modules, server: Bind, proxy: Proxy) -> None:
    proxy.before_update = lambda number: server.update(f'update add slow.acme.example 60 TXT "{number}"')
    result = modules.many(record_set("slow.acme.example", "TXT", "ours"))
    assert (result["failed"], result["changed"], result["error"], proxy.updates()) == (True, False, "conflict", 5)
    assert (
        "another writer changed the same record sets 5 times while this task wrote: slow.acme.example TXT"
        in result["msg"]
    )


def test_two_writers_at_once_lose_nothing(server: Bind) -> None:
    """Both merge terms into the same SPF record, one after the other, and put texts beside it and take them away."""
    name = "both.acme.example"
    key = Key(values.name(name), "TXT")
    failed: list[str] = []

    def write(writer: int) -> None:
        for number in range(10):
            text = f"of {writer}: {number}"
            publish_surely(server, SpfWish(key, [f"ip4:192.0.{writer}.{number}"], all_="~all"), failed)
            publish_surely(server, ValuesWish(key, present=[text]), failed)
            if number % 2:
                publish_surely(server, ValuesWish(key, absent=[text]), failed)

    threads = [threading.Thread(target=write, args=[writer]) for writer in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    *texts, spf = [value.removeprefix("3600 ").replace('" "', "").strip('"') for value in server.has(name, "TXT")]
    assert texts == [f"of {writer}: {number}" for writer in (1, 2) for number in range(0, 10, 2)]
    terms = {f"ip4:192.0.{writer}.{number}" for writer in (1, 2) for number in range(10)}
    first, *merged, last = spf.split()
    assert (first, set(merged), len(merged), last) == ("v=spf1", terms, 20, "~all")


def publish_surely(server: Bind, wish: Wish, failed: list[str]) -> None:
    """Publish a wish without the module around it, as run_module is for one thread; again if it is always slower."""
    params = {name: spec.get("default") for name, spec in connect.connection_spec().items()}
    while True:
        try:
            publish(connect.backend({**params, **server.connection()}), [wish], check_mode=False)
        except ConflictError as error:
            if "another writer" in error.message:
                continue
            failed.append(error.text())
        except MailopsError as error:
            failed.append(error.text())
        return


def test_a_lost_answer_is_looked_up(modules: Modules, server: Bind, proxy: Proxy) -> None:
    proxy.lose = "answer"
    result = modules.many(record_set("lost.acme.example", "TXT", "ours", ttl=60))
    assert (result["changed"], proxy.updates()) == (True, 1), result
    assert server.has("lost.acme.example", "TXT") == ['60 "ours"']


def test_a_lost_question_is_told(modules: Modules, server: Bind, proxy: Proxy) -> None:
    proxy.lose = "question"
    result = modules.many(record_set("never.acme.example", "TXT", "ours"))
    assert (result["failed"], result["changed"], result["error"]) == (True, False, "temporary")
    assert (result["applied"], result["remaining"]) == ([], ["never.acme.example TXT"])
    assert "Of the others it is not known; running again finds out before it writes." in result["msg"]
    assert server.has("never.acme.example", "TXT") == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"key_name": "unknown"}, "TSIG key unknown (hmac-sha256): 127.0.0.1 port {port} knows no such key (BADKEY)"),
        ({"key_algorithm": "hmac-sha512"}, "TSIG key mailops (hmac-sha512): 127.0.0.1 port {port} knows no such key"),
        ({"key_secret": "YWJj"}, "TSIG key mailops (hmac-sha256): 127.0.0.1 port {port} has another secret for it"),
    ],
)
def test_a_key_that_is_refused(modules: Modules, proxy: Proxy, options: dict[str, str], told: str) -> None:
    error = modules.refused(record_set("x.acme.example", "TXT", "x"), **options)
    assert (error["error"], told.format(port=proxy.port) in error["msg"]) == ("authentication", True), error["msg"]


def test_a_clock_that_is_wrong(modules: Modules, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 3600)
    error = modules.refused(record_set("x.acme.example", "TXT", "x"))
    assert "has another time than this machine (BADTIME)" in error["msg"]


def test_a_server_that_is_not_there(server: Bind) -> None:
    options = server.connection(port=1, name="x.acme.example", type="TXT", values=["x"])
    result = run_module("dns_record_set", options)
    assert result["error"] == "unreachable"
    assert f"{server.address} port 1 cannot be reached: Connection refused" in result["msg"]


POLICY = """
view ours {
    match-clients { key mailops; };
    zone "acme.example" { type primary; file "FOLDER/acme.example.zone";
        update-policy { grant mailops name allowed.acme.example TXT; }; };
};
view world {
    match-clients { any; };
    zone "acme.example" { type primary; file "FOLDER/world.zone"; };
};
"""


def test_views_and_policies(internet: Internet) -> None:
    """What is read is what the key changes, whoever else sees another zone; and what it may not change is named."""
    zones = {"acme.example": 'allowed TXT "ours"\n', "world": ""}
    with bind(internet, zones, POLICY) as server, proxied(server.address, server.port) as proxy:
        modules = Modules(server, proxy)
        modules.run("allowed.acme.example", "TXT", "ours", changed=False)
        modules.run("allowed.acme.example", "TXT", "more")
        both = [record_set("allowed.acme.example", "TXT", "third"), record_set("other.acme.example", "TXT", "x")]
        error = modules.refused(*both, check=False)
        assert "does not let the key mailops change allowed.acme.example TXT, other.acme.example TXT" in error["msg"]
        assert "in the zone acme.example (REFUSED)" in error["msg"]
        modules.run("allowed.acme.example", "TXT", "third")


SECONDARY = """
zone "acme.example" { type secondary; primaries { 127.0.0.1 port 1; }; masterfile-format text;
    file "FOLDER/acme.example.zone"; };
"""


def test_a_server_that_only_has_a_copy_of_the_zone(internet: Internet) -> None:
    with bind(internet, {"acme.example": ACME}, SECONDARY) as server, proxied(server.address, server.port) as proxy:
        error = Modules(server, proxy).refused(record_set("acme.example", "TXT", "x"), check=False)["msg"]
        assert "does not let the key mailops change acme.example TXT in the zone acme.example (REFUSED)" in error
        assert "at the zone's primary alone" in error


def test_a_large_zone_is_never_transferred(internet: Internet) -> None:
    records = "".join(f"host{number} A 192.0.2.{number % 256}\n" for number in range(20_000))
    with bind(internet, {"acme.example": ACME + records}) as server:
        wanted = record_set("acme.example", "TXT", "ours")
        result = run_module("dns_record_sets", server.connection(record_sets=[wanted]))
        assert result["changed"] is True, result
        log = server.log()
        assert "query: acme.example IN TXT" in log
        assert "AXFR" not in log
        assert "IXFR" not in log
        assert "transfer" not in log


def test_the_examples_run(server: Bind, tmp_path: Path) -> None:
    connection = {name: server.connection()[name] for name in ("server", "port")}
    modules = ("dns_record_set", "dns_record_sets")
    tasks = [task for module in modules for task in examples(ROOT / "plugins" / "modules" / f"{module}.py")]
    for task in tasks:
        for module in modules:
            task.get(f"mailops.odoo.{module}", {}).pop("server", None)
    done = run_playbook([local_play(tasks, connection, "dns")], tmp_path, variables=secretfiles.values())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("changed: [") == 5
    assert secretfiles.values()["vault_dns_tsig_secret"] not in done.stdout + done.stderr
