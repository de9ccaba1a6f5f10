# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated DigitalOcean and Cloudflare against their published specifications."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.dns_api import FOREIGN, OTHER, ZONE, DnsApi
from support.openapi import CLOUDFLARE, DIGITALOCEAN, Specification

pytestmark = pytest.mark.contract

RECORDS = f"/v2/domains/{ZONE}/records"
Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def digitalocean(tmp_path: Path) -> Iterator[DnsApi]:
    """A simulator with empty zones."""
    with DnsApi("digitalocean", tmp_path) as running:
        yield running


@pytest.fixture
def cloudflare(tmp_path: Path) -> Iterator[DnsApi]:
    """A simulator with empty zones."""
    with DnsApi("cloudflare", tmp_path) as running:
        yield running


def calling(api: DnsApi, specification: Specification) -> Call:
    """Return how to make a call, both sides of which are held against the specification: status and body."""

    def made(method: str, path: str, body: Any = None, token: str = DnsApi.token, **query: str) -> tuple[int, Any]:
        assert specification.request_problems(method, path, query, None, body) == []
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, api.url + path, json=body, params=query, headers=headers, timeout=5)
        told = answer.json() if answer.content else None
        assert specification.answer_problems(method, path, answer.status_code, told) == [], told
        return answer.status_code, told

    return made


@pytest.fixture
def do(digitalocean: DnsApi) -> Call:
    """A call to DigitalOcean."""
    return calling(digitalocean, DIGITALOCEAN)


@pytest.fixture
def cf(cloudflare: DnsApi) -> Call:
    """A call to Cloudflare."""
    return calling(cloudflare, CLOUDFLARE)


@pytest.fixture
def records(cloudflare: DnsApi) -> str:
    """The path of Cloudflare's records of ZONE."""
    return f"/client/v4/zones/{cloudflare.zone().id}/dns_records"


# --- DigitalOcean


def test_digitalocean_keeps_records(do: Call) -> None:
    text = {"type": "TXT", "name": "@", "data": "v=spf1 -all", "ttl": 300}
    status, body = do("POST", RECORDS, text)
    record = body["domain_record"]
    assert status == 201
    assert {name: record[name] for name in text} == text
    assert (record["priority"], record["weight"], record["port"], record["flags"], record["tag"]) == (None,) * 5
    at = f"{RECORDS}/{record['id']}"
    for method in ("PATCH", "PUT"):
        assert do(method, at, {"type": "TXT", "ttl": 600})[1]["domain_record"] == {**record, "ttl": 600}
    assert do("GET", at) == (200, {"domain_record": {**record, "ttl": 600}})
    assert do("DELETE", at) == (204, None)
    for method, sent in (("GET", None), ("PATCH", {"type": "TXT"}), ("DELETE", None)):
        assert do(method, at, sent)[1]["id"] == "not_found"


@pytest.mark.parametrize(
    ("kind", "fields", "given", "shown"),
    [
        ("CNAME", {}, "mailgun.org.", "mailgun.org"),
        ("MX", {"priority": 10}, "mx.acme.example.", "mx.acme.example"),
        ("MX", {"priority": 10}, "acme.example.", "@"),
        ("SRV", {"priority": 1, "weight": 2, "port": 25}, "mx.acme.example.", "mx.acme.example"),
    ],
)
def test_digitalocean_takes_targets_with_a_dot_and_shows_them_without(
    do: Call, kind: str, fields: dict[str, int], given: str, shown: str
) -> None:
    record = {"type": kind, "name": "sub", "ttl": 300, **fields}
    status, body = do("POST", RECORDS, {**record, "data": given.rstrip(".")})
    assert (status, body["message"]) == (422, "Data needs to end with a dot (.)")
    status, body = do("POST", RECORDS, {**record, "data": given})
    assert (status, body["domain_record"]["data"]) == (201, shown)
    # What was read is taken back as it was.
    again = do("PATCH", f"{RECORDS}/{body['domain_record']['id']}", {"type": kind, "ttl": 600})
    assert again[1]["domain_record"]["data"] == shown


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"type": "SOA", "name": "@", "data": "x"}, "Type is not included"),
        ({"type": "TXT", "name": "@", "data": ""}, "Data can't be blank"),
        ({"type": "TXT", "name": "@", "data": "x", "ttl": 29}, "TTL must be"),
        ({"type": "MX", "name": "@", "data": "mx.acme.example."}, "Priority is not"),
        ({"type": "TXT", "name": "@", "data": "x" * 513}, "Data is too long"),
    ],
)
def test_what_digitalocean_refuses(do: Call, given: dict[str, Any], message: str) -> None:
    status, body = do("POST", RECORDS, given)
    assert (status, body["id"]) == (422, "unprocessable_entity")
    assert message in body["message"]


def test_a_cname_is_alone_at_digitalocean(do: Call) -> None:
    text = {"type": "TXT", "name": "a", "data": "x"}
    cname = {"type": "CNAME", "name": "a", "data": "mailgun.org."}
    assert do("POST", RECORDS, text)[0] == 201
    assert do("POST", RECORDS, text)[0] == 201
    status, body = do("POST", RECORDS, cname)
    assert (status, body["message"]) == (422, "CNAME records cannot share a name with other records")


def test_digitalocean_has_pages_and_filters(do: Call, digitalocean: DnsApi) -> None:
    for number in range(5):
        digitalocean.add("sub" if number else "@", "TXT", str(number))
    digitalocean.add("sub", "A", "192.0.2.1")
    seen = []
    for page in ("1", "2", "3"):
        body = do("GET", RECORDS, name=f"sub.{ZONE}", type="TXT", per_page="2", page=page)[1]
        seen += [record["data"] for record in body["domain_records"]]
        assert body["meta"]["total"] == 4
        assert ("last" in body["links"].get("pages", {})) == (page == "1")
    assert seen == ["1", "2", "3", "4"]
    assert len(do("GET", RECORDS)[1]["domain_records"]) == 6
    answer = requests.get(
        f"{digitalocean.url}{RECORDS}?per_page=201", headers={"Authorization": f"Bearer {DnsApi.token}"}, timeout=5
    )
    assert answer.status_code == 422


def test_whose_zones_digitalocean_shows(do: Call) -> None:
    assert [zone["name"] for zone in do("GET", "/v2/domains")[1]["domains"]] == [ZONE, OTHER]
    assert do("GET", f"/v2/domains/{ZONE}")[1]["domain"]["name"] == ZONE
    for path in (f"/v2/domains/{FOREIGN}", f"/v2/domains/{FOREIGN}/records"):
        assert do("GET", path)[1]["id"] == "not_found"
    assert do("GET", RECORDS, token="wrong")[1]["id"] == "Unauthorized"
    assert do("GET", RECORDS, token=DnsApi.none_token)[0] == 403
    assert do("GET", RECORDS, token=DnsApi.read_token)[0] == 200
    new = {"type": "TXT", "name": "@", "data": "x"}
    assert do("POST", RECORDS, new, token=DnsApi.read_token)[0] == 403


# --- Cloudflare


def test_cloudflare_keeps_records(cf: Call, records: str) -> None:
    text = {"type": "TXT", "name": ZONE, "content": '"v=spf1 -all"', "ttl": 300}
    status, body = cf("POST", records, text)
    record = body["result"]
    assert status == 200
    assert {name: record[name] for name in text} == text
    assert (record["proxied"], record["proxiable"], record["zone_name"]) == (False, False, ZONE)
    at = f"{records}/{record['id']}"
    patched = cf("PATCH", at, {**text, "ttl": 600, "comment": "by hand"})[1]["result"]
    assert patched == {**record, "ttl": 600, "comment": "by hand", "modified_on": patched["modified_on"]}
    assert cf("GET", at)[1]["result"] == patched
    assert cf("DELETE", at)[1]["result"] == {"id": record["id"]}
    for method, sent in (("GET", None), ("PATCH", text), ("DELETE", None)):
        assert cf(method, at, sent)[1]["errors"][0]["code"] == 81044


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("x", "x"),
        ('"x"', '"x"'),
        (f'"{"x" * 300}"', f'"{"x" * 255}" "{"x" * 45}"'),
        ('"a" "b"', '"a" "b"'),
    ],
)
def test_texts_at_cloudflare(cf: Call, records: str, given: str, shown: str) -> None:
    text = {"type": "TXT", "name": ZONE, "content": given}
    assert cf("POST", records, text)[1]["result"]["content"] == shown


@pytest.mark.parametrize(
    ("given", "content"),
    [
        ({"type": "SRV", "data": {"priority": 1, "weight": 2, "port": 25, "target": "a.example"}}, "2 25 a.example"),
        ({"type": "TLSA", "data": {"usage": 3, "selector": 1, "matching_type": 1, "certificate": "ab"}}, "3 1 1 ab"),
        ({"type": "MX", "content": "MX.acme.example", "priority": 10}, "mx.acme.example"),
    ],
)  # fmt: skip
def test_records_of_parts_at_cloudflare(cf: Call, records: str, given: dict[str, Any], content: str) -> None:
    assert cf("POST", records, {"name": f"sub.{ZONE}", **given})[1]["result"]["content"] == content


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"type": "TXT", "content": "x", "ttl": 59}, 9021),
        ({"type": "TXT", "content": '"a', "ttl": 300}, 1004),
        ({"type": "CNAME", "content": "a b", "ttl": 300}, 1004),
    ],
)
def test_what_cloudflare_refuses(cf: Call, records: str, given: dict[str, Any], code: int) -> None:
    status, body = cf("POST", records, {"name": ZONE, **given})
    assert (status, body["errors"][0]["code"]) == (400, code)


def test_what_cannot_be_twice_at_cloudflare(cf: Call, records: str) -> None:
    text = {"type": "TXT", "name": f"a.{ZONE}", "content": "x"}
    address = {"type": "A", "name": f"a.{ZONE}", "content": "192.0.2.1", "proxied": True}
    cname = {"type": "CNAME", "name": f"a.{ZONE}", "content": "mailgun.org"}
    assert cf("POST", records, text)[0] == 200
    assert cf("POST", records, text)[1]["errors"][0]["code"] == 81058
    made = cf("POST", records, address)[1]["result"]
    assert (made["proxied"], made["ttl"]) == (True, 1)
    assert cf("POST", records, cname)[1]["errors"][0]["code"] == 81053
    assert cf("POST", records, {**cname, "name": f"b.{ZONE}"})[0] == 200
    assert cf("POST", records, {**text, "name": f"b.{ZONE}"})[1]["errors"][0]["code"] == 81054


def test_cloudflare_has_pages_and_filters(cf: Call, records: str, cloudflare: DnsApi) -> None:
    for number in range(5):
        cloudflare.add("sub" if number else "@", "TXT", str(number))
    cloudflare.add("sub", "A", "192.0.2.1")
    seen = []
    for page in ("1", "2"):
        body = cf("GET", records, name=f"sub.{ZONE}", type="TXT", per_page="2", page=page)[1]
        seen += [record["content"] for record in body["result"]]
        assert (body["result_info"]["total_count"], body["result_info"]["total_pages"]) == (4, 2)
    assert seen == ["1", "2", "3", "4"]
    assert len(cf("GET", records)[1]["result"]) == 6


def test_whose_zones_cloudflare_shows(cf: Call, records: str, cloudflare: DnsApi) -> None:
    zones, verify = "/client/v4/zones", "/client/v4/user/tokens/verify"
    assert [zone["name"] for zone in cf("GET", zones)[1]["result"]] == [ZONE, OTHER]
    assert [zone["name"] for zone in cf("GET", zones, name=ZONE, per_page="50")[1]["result"]] == [ZONE]
    assert cf("GET", zones, name=FOREIGN)[1]["result"] == []
    assert cf("GET", zones, token=DnsApi.none_token)[1]["result"] == []
    foreign = f"/client/v4/zones/{cloudflare.zone(FOREIGN).id}/dns_records"
    for path, token in ((foreign, DnsApi.token), (records, DnsApi.none_token)):
        status, body = cf("GET", path, token=token)
        assert (status, body["errors"][0]["code"]) == (403, 10000)
    new = {"type": "TXT", "name": ZONE, "content": "x"}
    assert cf("POST", records, new, token=DnsApi.read_token)[1]["errors"][0]["code"] == 10000
    assert cf("GET", records, token="wrong")[1]["errors"][0]["code"] == 9109
    assert cf("GET", records, token="no token")[1]["errors"][0]["code"] == 6003
    assert cf("GET", verify)[1]["result"]["status"] == "active"
    assert cf("GET", verify, token="wrong")[0] == 401


# --- Faults


@pytest.mark.parametrize(("form", "status"), [("rate-limit", 429), ("retry-after", 429), ("500", 500), ("422", 422)])
def test_faults_of_digitalocean(do: Call, digitalocean: DnsApi, form: str, status: int) -> None:
    digitalocean.server.fail(form, after=1)
    assert [do("GET", RECORDS)[0] for _time in range(3)] == [200, status, 200]


@pytest.mark.parametrize(("form", "status"), [("ratelimit", 429), ("retry-after", 429), ("400", 400)])
def test_faults_of_cloudflare(cf: Call, cloudflare: DnsApi, records: str, form: str, status: int) -> None:
    cloudflare.server.fail(form)
    assert [cf("GET", records)[0] for _time in range(2)] == [status, 200]
