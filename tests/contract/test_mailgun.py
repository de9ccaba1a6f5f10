# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Mailgun against Mailgun's published specification, and what the live API does otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from support.mailgun import Mailgun
from support.openapi import MAILGUN

pytestmark = pytest.mark.contract

NAME, OTHER, LOGIN = "mg.acme.example", "mg.other.example", "no-reply@mg.acme.example"
PASSWORD = "correct-horse"
DOMAIN, CREDENTIALS = f"/v4/domains/{NAME}", f"/v3/domains/{NAME}/credentials"
TRACKING, KEYS = f"/v3/domains/{NAME}/tracking", f"/v4/domains/{NAME}/keys"

# Who says that the live API does what the specification does not have.
SEEN = "recordings of the live API"
EXAMPLE = "the specification's own example of this answer"
SISTERS = "the specification has it for a sister call"
PHP = "Mailgun's own PHP library reads it so (ClickTracking.php)"
HTML_ONLY = "click.active: 'htmlonly' is not of type 'boolean'"
NO_400, NO_403, NO_404 = (f"status {status} is not in the specification" for status in (400, 403, 404))
NO_401 = "status 401 is not in the specification"


@dataclass(frozen=True)
class Deviation:
    """A call whose answer the specification does not have, what it lacks, and the source of the answer."""

    method: str
    path: str
    status: int
    lacks: str
    source: str
    form: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    key: str = Mailgun.key

    @property
    def answer(self) -> tuple[str, str, int]:
        """Return which answer of which call it is."""
        return self.method, template(self.path), self.status


def template(path: str) -> str:
    """Return a path with its variable parts taken out."""
    path = re.sub(r"/domains/[^/]+", "/domains/{name}", path)
    return re.sub(r"/(credentials|keys)/[^/]+", r"/\1/{}", path)


DEVIATIONS = [
    Deviation("GET", "/v4/domains", 400, NO_400, f"{SISTERS}: the limit of credentials", query={"limit": "1001"}),
    Deviation(
        "POST", "/v4/domains", 400, "body: 'Reason' is a required property", f"{EXAMPLE}; {SEEN}", {"name": NAME}
    ),
    Deviation("POST", "/v4/domains", 403, NO_403, f"{SISTERS}: POST /v1/keys", {"name": NAME}, key=Mailgun.read_key),
    Deviation("PUT", DOMAIN, 400, NO_400, SEEN, {"spam_action": "delete"}),
    Deviation("GET", TRACKING, 401, "body: 'Forbidden' is not of type 'object'", SEEN, key="wrong"),
    Deviation("GET", TRACKING, 200, f"tracking.{HTML_ONLY}", PHP),
    Deviation("PUT", f"{TRACKING}/click", 200, HTML_ONLY, PHP, {"active": "htmlonly"}),
    Deviation("PUT", f"{TRACKING}/click", 400, NO_400, f"{SISTERS}: PUT {DOMAIN}", {"active": "sometimes"}),
    Deviation("GET", CREDENTIALS, 401, NO_401, SEEN, key="wrong"),
    Deviation("GET", CREDENTIALS, 404, NO_404, SEEN, key=Mailgun.other_key),
    Deviation("POST", CREDENTIALS, 404, NO_404, SEEN, {"login": "x"}, key=Mailgun.other_key),
    Deviation("PUT", f"{CREDENTIALS}/{LOGIN}", 400, NO_400, SEEN, {"password": PASSWORD}),
    Deviation("DELETE", f"{CREDENTIALS}/nobody", 404, NO_404, SEEN),
    Deviation("POST", "/v1/dkim/keys", 400, NO_400, f"{SISTERS}: DELETE", {"signing_domain": NAME, "selector": "mx"}),
    Deviation("POST", "/v1/dkim/keys", 404, NO_404, SISTERS, {"signing_domain": OTHER, "selector": "mx"}),
    Deviation("GET", KEYS, 404, NO_404, SISTERS, key=Mailgun.other_key),
    Deviation("PUT", f"{KEYS}/mx/activate", 400, NO_400, "its description: the DNS record must be valid"),
    Deviation("PUT", f"{KEYS}/mx/deactivate", 400, NO_400, f"{SISTERS}: DELETE /v1/dkim/keys"),
]
KNOWN = {deviation.answer: deviation.lacks for deviation in DEVIATIONS}

Answer = tuple[int, Any]
Call = Callable[..., Answer]


@pytest.fixture
def mailgun(tmp_path: Path) -> Iterator[Mailgun]:
    """A simulator without domains, in which nothing takes time."""
    with Mailgun(tmp_path / "mailgun.json", verify_interval=0, deletion_time=0) as running:
        yield running


@pytest.fixture
def call(mailgun: Mailgun) -> Call:
    """A call as account acme in the US, held against the specification; returns status and body."""

    def made(
        method: str, path: str, form: dict[str, Any] | None = None, *, query: dict[str, str] | None = None,
        key: str = Mailgun.key, url: str = "", multipart: bool = False,
    ) -> Answer:  # fmt: skip
        assert MAILGUN.request_problems(method, path, query, form) == []
        parts = [(name, (None, value)) for name, value in (form or {}).items()] if multipart else None
        answer = requests.request(
            method, (url or mailgun.us) + path, params=query, data=None if multipart else form, files=parts,
            auth=("api", key), timeout=10,
        )  # fmt: skip
        is_json = answer.headers["Content-Type"].startswith("application/json")
        body = answer.json() if is_json else answer.text
        problems = MAILGUN.answer_problems(method, path, answer.status_code, body)
        known = KNOWN.get((method, template(path), answer.status_code))
        assert problems in ([], [known]), (method, path, answer.status_code, body)
        return answer.status_code, body

    return made


@pytest.fixture
def domain(call: Call) -> dict[str, Any]:
    """A new domain of acme, as creating it answered."""
    status, body = call("POST", "/v4/domains", {"name": NAME, "smtp_password": PASSWORD})
    assert status == 200
    created: dict[str, Any] = body
    return created


@pytest.fixture
def credential(domain: dict[str, Any], call: Call) -> str:
    """A login of the domain, with PASSWORD."""
    assert call("POST", CREDENTIALS, {"login": LOGIN, "password": PASSWORD})[0] == 200
    return LOGIN


# --- Who may call


def test_keys(mailgun: Mailgun, call: Call) -> None:
    assert call("GET", "/v4/domains", key="wrong") == (401, {"message": "Invalid private key"})
    assert call("GET", TRACKING, key="wrong") == (401, "Forbidden")
    assert call("GET", CREDENTIALS, key="wrong") == (401, "Forbidden")
    assert call("GET", "/v4/domains", key=mailgun.read_key)[0] == 200
    assert call("POST", "/v4/domains", {"name": NAME}, key=mailgun.read_key) == (403, {"message": "Forbidden"})
    for auth in (("api", mailgun.sending_key), ("user", mailgun.key), None):
        answer = requests.get(f"{mailgun.us}/v4/domains", auth=auth, timeout=10)
        assert (answer.status_code, answer.text) == (401, "Forbidden")
        assert answer.headers["Content-Type"].startswith("text/plain")
    broken = requests.get(f"{mailgun.us}/v4/domains", headers={"Authorization": "Basic %%%"}, timeout=10)
    assert broken.status_code == 401


def test_domains_of_other_accounts_and_regions_are_not_found(
    mailgun: Mailgun, call: Call, domain: dict[str, Any]
) -> None:
    assert call("GET", DOMAIN)[0] == 200
    missing = (404, {"message": "Domain not found"})
    for method, path in [
        ("GET", DOMAIN), ("PUT", DOMAIN), ("PUT", f"{DOMAIN}/verify"), ("DELETE", f"/v3/domains/{NAME}"),
        ("GET", TRACKING), ("PUT", f"{TRACKING}/open"), ("GET", CREDENTIALS), ("GET", KEYS),
    ]:  # fmt: skip
        assert call(method, path, key=mailgun.other_key) == missing, (method, path)
        assert call(method, path, url=mailgun.eu) == missing, (method, path)
    assert call("POST", CREDENTIALS, {"login": "x"}, url=mailgun.eu) == missing
    assert call("POST", "/v1/dkim/keys", {"signing_domain": NAME, "selector": "x"}, url=mailgun.eu) == missing
    assert call("GET", "/v4/domains", key=mailgun.other_key) == (200, {"total_count": 0, "items": []})
    assert call("GET", "/v4/domains", url=mailgun.eu)[1]["total_count"] == 0


# --- Domains


def test_a_new_domain(domain: dict[str, Any], call: Call) -> None:
    assert domain["message"] == "Domain DNS records have been created"
    shown = domain["domain"]
    assert (shown["name"], shown["state"], shown["is_disabled"], shown["type"]) == (NAME, "unverified", False, "custom")
    assert (shown["smtp_login"], shown["web_prefix"], shown["web_scheme"]) == (f"postmaster@{NAME}", "email", "http")
    assert "smtp_password" not in shown
    sending = [(one["record_type"], one["name"], one["value"]) for one in domain["sending_dns_records"]]
    assert sending[0] == ("TXT", NAME, "v=spf1 include:mailgun.org ~all")
    assert sending[1][:2] == ("TXT", f"mx._domainkey.{NAME}")
    assert re.fullmatch(r"k=rsa; p=[A-Za-z0-9+/]{216}", sending[1][2])
    assert sending[2] == ("CNAME", f"email.{NAME}", "mailgun.org")
    receiving = [(one["record_type"], one["priority"], one["value"]) for one in domain["receiving_dns_records"]]
    assert receiving == [("MX", "10", "mxa.mailgun.org"), ("MX", "10", "mxb.mailgun.org")]
    both = domain["sending_dns_records"] + domain["receiving_dns_records"]
    assert {(one["valid"], tuple(one["cached"])) for one in both} == {("unknown", ())}
    assert not any("name" in one for one in domain["receiving_dns_records"])
    status, body = call("GET", DOMAIN)
    assert (status, body) == (200, {name: value for name, value in domain.items() if name != "message"})


def test_automatic_sender_security_and_the_european_names(mailgun: Mailgun, call: Call) -> None:
    given = {"name": NAME, "use_automatic_sender_security": "true", "web_prefix": "links", "web_scheme": "https"}
    status, body = call("POST", "/v4/domains", given, url=mailgun.eu, multipart=True)
    assert (status, body["domain"]["use_automatic_sender_security"]) == (200, True)
    _spf, first, second, tracking = body["sending_dns_records"]
    for record, selector in ((first, "pdk1"), (second, "pdk2")):
        assert (record["record_type"], record["name"]) == ("CNAME", f"{selector}._domainkey.{NAME}")
        assert re.fullmatch(rf"{selector}\._domainkey\.[0-9a-f]+\.dkim1\.eu\.mgsend\.org", record["value"])
    assert (tracking["name"], tracking["value"]) == (f"links.{NAME}", "eu.mailgun.org")
    assert [one["value"] for one in body["receiving_dns_records"]] == ["mxa.eu.mailgun.org", "mxb.eu.mailgun.org"]


def test_a_key_of_2048_bits_and_a_selector(call: Call) -> None:
    given = {"name": NAME, "dkim_key_size": "2048", "dkim_selector": "s1"}
    record = call("POST", "/v4/domains", given)[1]["sending_dns_records"][1]
    assert record["name"] == f"s1._domainkey.{NAME}"
    assert re.fullmatch(r"k=rsa; p=[A-Za-z0-9+/]{392}", record["value"])


def test_a_name_that_is_taken(mailgun: Mailgun, call: Call, domain: dict[str, Any]) -> None:
    status, body = call("POST", "/v4/domains", {"name": NAME.upper()})
    assert status == 400 and body["message"].endswith("already exists")
    status, body = call("POST", "/v4/domains", {"name": NAME}, key=mailgun.other_key)
    assert status == 400 and body["message"].endswith("already taken")
    assert call("POST", "/v4/domains", {"name": NAME}, key=mailgun.other_key, url=mailgun.eu)[0] == 200


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "acme"}, "name"), ({"name": "-a.example"}, "name"), ({"spam_action": "delete"}, "spam_action"),
        ({"web_scheme": "ftp"}, "web_scheme"), ({"web_prefix": "a.b"}, "web_prefix"),
        ({"dkim_key_size": "512"}, "dkim_key_size"), ({"dkim_selector": "a.b"}, "dkim_selector"),
    ],
)  # fmt: skip
def test_what_a_new_domain_must_not_be(call: Call, given: dict[str, str], field: str) -> None:
    status, body = call("POST", "/v4/domains", {"name": NAME, **given})
    assert (status, body["Field"]) == (400, field)
    assert body["Reason"]
    assert call("GET", "/v4/domains")[1]["total_count"] == 0


@pytest.mark.parametrize("password", ["1234", "x" * 33])
def test_passwords_of_a_new_domain(call: Call, password: str) -> None:
    status, body = call("POST", "/v4/domains", {"name": NAME, "smtp_password": password})
    assert status == 400 and body["Reason"].endswith("It must be between 5 and 32 characters.")


def test_listing(call: Call, mailgun: Mailgun) -> None:
    for number in range(4):
        assert call("POST", "/v4/domains", {"name": f"m{number}.acme.example"})[0] == 200
    assert mailgun.api.disable("us", "m3.acme.example", "for testing")

    def names(**query: str) -> tuple[int, list[str]]:
        body = call("GET", "/v4/domains", query=query)[1]
        return body["total_count"], [item["name"].partition(".")[0] for item in body["items"]]

    assert names() == (4, ["m0", "m1", "m2", "m3"])
    assert names(limit="2", skip="1") == (4, ["m1", "m2"])
    assert names(search="M2.") == (1, ["m2"])
    assert names(state="disabled") == (1, ["m3"])
    assert names(state="active") == (0, [])
    item = call("GET", "/v4/domains", query={"state": "disabled"})[1]["items"][0]
    assert (item["is_disabled"], item["disabled"]["reason"]) == (True, "for testing")
    assert call("GET", "/v4/domains", query={"limit": "1001"}) == (
        400, {"message": "Limit parameter can't be larger than 1000"},
    )  # fmt: skip


def test_settings(domain: dict[str, Any], call: Call) -> None:
    wanted = {"spam_action": "tag", "wildcard": "true", "web_scheme": "https", "web_prefix": "links",
              "require_tls": "yes", "skip_verification": "true"}  # fmt: skip
    status, body = call("PUT", DOMAIN, wanted, multipart=True)
    assert (status, body["message"]) == (200, "Domain has been updated")
    expected = {**wanted, "wildcard": True, "require_tls": True, "skip_verification": True}
    assert {name: body["domain"][name] for name in wanted} == expected
    assert body["sending_dns_records"][-1]["name"] == f"links.{NAME}"
    assert call("PUT", DOMAIN, {"spam_action": "x", "wildcard": "false"})[1]["Field"] == "spam_action"
    assert {name: call("GET", DOMAIN)[1]["domain"][name] for name in wanted} == expected


def test_deletion_takes_a_moment(call: Call, domain: dict[str, Any], mailgun: Mailgun) -> None:
    mailgun.simulator.deletion_time = 3600
    deleted = (200, {"message": "Domain will be deleted in the background"})
    assert call("DELETE", f"/v3/domains/{NAME}") == deleted
    assert call("GET", DOMAIN)[0] == 200
    assert call("POST", "/v4/domains", {"name": NAME})[0] == 400
    present = mailgun.simulator.state.find("us", NAME)
    assert present
    present.gone_at = 0
    assert call("GET", DOMAIN) == (404, {"message": "Domain not found"})
    assert call("DELETE", f"/v3/domains/{NAME}")[0] == 404
    assert call("POST", "/v4/domains", {"name": NAME})[0] == 200


# --- Verification


def test_verification_looks_records_up(call: Call, domain: dict[str, Any], mailgun: Mailgun) -> None:
    spf, dkim, tracking = domain["sending_dns_records"]

    def verified() -> tuple[str, list[str]]:
        status, body = call("PUT", f"{DOMAIN}/verify")
        assert (status, body["message"]) == (200, "Domain DNS records have been updated")
        assert call("GET", DOMAIN)[1]["domain"]["state"] == body["domain"]["state"]
        records = body["sending_dns_records"] + body["receiving_dns_records"]
        return body["domain"]["state"], [record["valid"] for record in records]

    unknown = ["unknown"] * 5
    assert verified() == ("unverified", unknown)
    mailgun.dns.publish([{**dkim, "value": "k=rsa; p=other"}], NAME)
    mailgun.dns.records[NAME, "TXT"] = ["google-site-verification=1"]
    assert verified() == ("unverified", ["unknown", "invalid", *unknown[2:]])
    mailgun.dns.records.clear()
    mailgun.dns.publish([{**spf, "value": "v=spf1 mx include:mailgun.org -all"}], NAME)
    assert verified() == ("unverified", ["valid", *unknown[1:]])
    mailgun.dns.publish([dkim], NAME)
    assert verified() == ("active", ["valid", "valid", *unknown[2:]])
    mailgun.dns.publish([tracking, *domain["receiving_dns_records"]], NAME)
    assert verified() == ("active", ["valid"] * 5)
    cached = call("GET", DOMAIN)[1]["receiving_dns_records"][0]["cached"]
    assert cached == ["10 mxa.mailgun.org", "10 mxb.mailgun.org"]
    mailgun.dns.records.clear()
    assert verified() == ("unverified", unknown)


def test_verification_with_automatic_sender_security(call: Call, domain: dict[str, Any], mailgun: Mailgun) -> None:
    mailgun.dns.publish(domain["sending_dns_records"], NAME)
    assert call("PUT", f"{DOMAIN}/verify")[1]["domain"]["state"] == "active"
    body = call("PUT", DOMAIN, {"use_automatic_sender_security": "true"})[1]
    assert body["domain"]["state"] == "unverified"
    assert [one["valid"] for one in body["sending_dns_records"]] == ["valid", "unknown", "unknown", "valid"]
    mailgun.dns.publish(body["sending_dns_records"][1:2], NAME)
    assert call("PUT", f"{DOMAIN}/verify")[1]["domain"]["state"] == "unverified"
    mailgun.dns.publish(body["sending_dns_records"][2:3], NAME)
    assert call("PUT", f"{DOMAIN}/verify")[1]["domain"]["state"] == "active"


def test_verification_is_rate_limited(call: Call, domain: dict[str, Any], mailgun: Mailgun) -> None:
    mailgun.simulator.verify_interval = 60
    assert call("PUT", f"{DOMAIN}/verify")[0] == 200
    assert call("PUT", f"{DOMAIN}/verify") == (429, {"message": "Too many requests", "retry-seconds": 60})


# --- Tracking


def test_tracking(call: Call, domain: dict[str, Any]) -> None:
    tracking = call("GET", TRACKING)[1]["tracking"]
    assert [tracking[kind]["active"] for kind in ("open", "click", "unsubscribe")] == [False] * 3
    assert tracking["web_scheme"] == "http"
    for kind, text, active in [
        ("open", "yes", True), ("click", "htmlonly", "htmlonly"), ("click", "yes", True), ("unsubscribe", "true", True),
        ("click", "no", False),
    ]:  # fmt: skip
        status, body = call("PUT", f"{TRACKING}/{kind}", {"active": text})
        assert (status, body["message"]) == (200, "Domain tracking settings have been updated")
        assert body[kind]["active"] == active == call("GET", TRACKING)[1]["tracking"][kind]["active"]
    assert call("PUT", f"{TRACKING}/unsubscribe", {"html_footer": "<p>"})[1]["unsubscribe"]["html_footer"] == "<p>"


def test_tracking_that_is_neither_on_nor_off(call: Call, domain: dict[str, Any]) -> None:
    status, body = call("PUT", f"{TRACKING}/click", {"active": "sometimes"})
    assert (status, body["Field"]) == (400, "active")


# --- Credentials


def test_credentials(call: Call, domain: dict[str, Any], mailgun: Mailgun) -> None:
    def logins() -> list[str]:
        body = call("GET", CREDENTIALS)[1]
        assert body["total_count"] == len(body["items"])
        assert all(item["mailbox"] == item["login"] for item in body["items"])
        return [item["login"] for item in body["items"]]

    assert logins() == [f"postmaster@{NAME}"]
    created = (200, {"message": "Created 1 credentials pair(s)"})
    assert call("POST", CREDENTIALS, {"login": "No-Reply", "password": PASSWORD}) == created
    assert call("POST", CREDENTIALS, {"login": f"bulk@{NAME}", "password": PASSWORD}, multipart=True) == created
    assert logins() == [f"postmaster@{NAME}", LOGIN, f"bulk@{NAME}"]
    assert len(call("GET", CREDENTIALS, query={"limit": "1", "skip": "1"})[1]["items"]) == 1
    status, body = call("POST", CREDENTIALS, {"login": LOGIN, "password": "another"})
    assert status == 400 and body["message"].endswith("already exists")
    assert mailgun.simulator.state.authenticates("us", LOGIN, PASSWORD.encode())
    assert call("DELETE", f"{CREDENTIALS}/{LOGIN}") == (
        200, {"message": "Credentials have been deleted", "spec": LOGIN},
    )  # fmt: skip
    gone = (404, {"message": "Credentials not found"})
    assert call("DELETE", f"{CREDENTIALS}/{LOGIN}") == gone
    assert call("PUT", f"{CREDENTIALS}/{LOGIN}", {"password": PASSWORD}) == gone
    assert call("DELETE", f"{CREDENTIALS}/postmaster@{NAME}") == (
        400, {"message": f"Cannot delete system mailbox: postmaster@{NAME}"},
    )  # fmt: skip
    assert call("DELETE", CREDENTIALS) == (200, {"message": "All domain credentials have been deleted", "count": 1})
    assert logins() == [f"postmaster@{NAME}"]


def test_several_pairs_in_one_call(call: Call, domain: dict[str, Any], mailgun: Mailgun) -> None:
    status, body = call("POST", CREDENTIALS, {"login": ["a", "b", "c"], "password": ["first", "second"]})
    assert (status, body["message"]) == (200, "Created 3 credentials pair(s)")
    made = body["credentials"]
    assert list(made) == [f"c@{NAME}"]
    for login, password in {f"a@{NAME}": "first", f"b@{NAME}": "second", **made}.items():
        assert mailgun.simulator.state.authenticates("us", login, password.encode())


def test_a_generated_password_is_shown_once(call: Call, credential: str, mailgun: Mailgun) -> None:
    status, body = call("POST", CREDENTIALS, {"login": "other"})
    assert (status, list(body["credentials"])) == (200, [f"other@{NAME}"])
    assert body["note"]
    status, body = call("PUT", f"{CREDENTIALS}/{LOGIN}")
    assert (status, body["message"]) == (200, "Password changed")
    new = body["credentials"][LOGIN]
    assert 5 <= len(new) <= 32
    assert mailgun.simulator.state.authenticates("us", LOGIN, new.encode())
    assert new not in str(call("GET", CREDENTIALS))


@pytest.mark.parametrize("wrong", ["1234", "x" * 33, ""])
def test_passwords_of_the_wrong_length(call: Call, credential: str, wrong: str, mailgun: Mailgun) -> None:
    for method, path, form in [("POST", CREDENTIALS, {"login": "x"}), ("PUT", f"{CREDENTIALS}/{LOGIN}", {})]:
        status, body = call(method, path, {**form, "password": wrong})
        assert status == 400 and body["message"].endswith("It must be between 5 and 32 characters.")
    assert mailgun.simulator.state.authenticates("us", LOGIN, PASSWORD.encode())


def test_changing_a_password(call: Call, credential: str, mailgun: Mailgun) -> None:
    same = (400, {"message": "New password cannot be the same as old password."})
    assert call("PUT", f"{CREDENTIALS}/{LOGIN}", {"password": PASSWORD}) == same
    assert call("PUT", f"{CREDENTIALS}/no-reply", {"password": "x" * 32}) == (200, {"message": "Password changed"})
    assert call("PUT", DOMAIN, {"smtp_password": PASSWORD}) == same
    assert call("PUT", DOMAIN, {"smtp_password": "y" * 5})[0] == 200
    state = mailgun.simulator.state
    assert state.authenticates("us", LOGIN, b"x" * 32)
    assert state.authenticates("us", f"postmaster@{NAME}", b"y" * 5)
    assert not state.authenticates("us", LOGIN, PASSWORD.encode())
    assert not state.authenticates("eu", LOGIN, b"x" * 32)
    assert not state.authenticates("us", "nobody@mg.acme.example", b"x" * 32)


def test_credentials_without_a_login(call: Call, domain: dict[str, Any], mailgun: Mailgun) -> None:
    answer = requests.post(f"{mailgun.us}{CREDENTIALS}", auth=("api", mailgun.key), timeout=10)
    assert (answer.status_code, answer.json()) == (400, {"message": "Parameter 'login' is missing"})
    assert call("POST", CREDENTIALS, {"login": "x@elsewhere.example"})[0] == 400


# --- DKIM keys


def test_keys_of_a_domain(call: Call, domain: dict[str, Any], mailgun: Mailgun) -> None:
    new = {"signing_domain": NAME, "selector": "s2"}
    status, key = call("POST", "/v1/dkim/keys", {**new, "bits": "2048"}, multipart=True)
    assert (status, key["selector"], key["dns_record"]["is_active"]) == (200, "s2", False)
    assert call("POST", "/v1/dkim/keys", new)[0] == 400
    assert call("POST", "/v1/dkim/keys", {**new, "selector": "s3"})[0] == 200
    status, body = call("POST", "/v1/dkim/keys", {**new, "selector": "s4"})
    assert status == 400 and "at most 3" in body["message"]
    assert [item["selector"] for item in call("GET", KEYS)[1]["items"]] == ["mx", "s2", "s3"]

    refused = call("PUT", f"{KEYS}/s2/activate")
    assert refused == (400, {"message": "cannot activate domain key: its DNS record is not valid"})
    mailgun.dns.publish([key["dns_record"]], NAME)
    expected = {"authority": NAME, "selector": "s2", "active": True, "message": "domain key activated"}
    assert call("PUT", f"{KEYS}/s2/activate") == (200, expected)
    expected = {"authority": NAME, "selector": "mx", "active": False, "message": "domain key deactivated"}
    assert call("PUT", f"{KEYS}/mx/deactivate") == (200, expected)
    last = call("PUT", f"{KEYS}/s2/deactivate")
    assert last == (400, {"message": "cannot deactivate domain key: must have at least one active domain key"})
    assert call("PUT", f"{KEYS}/nothing/activate") == (404, {"message": "domain key not found"})

    query = {"signing_domain": NAME, "selector": "s2"}
    kept = call("DELETE", "/v1/dkim/keys", query=query)
    assert kept == (400, {"message": "cannot delete domain key: must have at least one active domain key"})
    assert call("DELETE", "/v1/dkim/keys", query={**query, "selector": "mx"}) == (200, {"message": "success"})
    assert call("DELETE", "/v1/dkim/keys", query={**query, "selector": "mx"})[0] == 404
    assert [item["selector"] for item in call("GET", KEYS)[1]["items"]] == ["s2", "s3"]


def test_keys_of_an_account(domain: dict[str, Any], mailgun: Mailgun) -> None:
    """The specification wants a form in a GET, with page and limit; the live API takes filters from the query."""
    path = "/v1/dkim/keys"
    assert MAILGUN.request_problems("GET", path) == [
        f"GET {path}: form: page is missing",
        f"GET {path}: form: limit is missing",
    ]
    for query, count in (({}, 1), ({"signing_domain": NAME}, 1), ({"selector": "other"}, 0)):
        answer = requests.get(f"{mailgun.us}{path}", params=query, auth=("api", mailgun.key), timeout=10)
        assert MAILGUN.answer_problems("GET", path, answer.status_code, answer.json()) == []
        assert len(answer.json()["items"]) == count


# --- The table


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: " ".join(map(str, deviation.answer)))
def test_deviations(mailgun: Mailgun, call: Call, credential: str, deviation: Deviation) -> None:
    assert call("PUT", f"{TRACKING}/click", {"active": "htmlonly"})[0] == 200
    answer = requests.request(
        deviation.method, mailgun.us + deviation.path, params=deviation.query, data=deviation.form,
        auth=("api", deviation.key), timeout=10,
    )  # fmt: skip
    assert answer.status_code == deviation.status
    body = answer.json() if "json" in answer.headers["Content-Type"] else answer.text
    assert MAILGUN.answer_problems(deviation.method, deviation.path, deviation.status, body) == [deviation.lacks]
