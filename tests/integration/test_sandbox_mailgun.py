# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's Mailgun in its container: API, DNS and SMTP as one, and what DigitalOcean keeps from leaving."""

from __future__ import annotations

import contextlib
import json
import smtplib
import ssl
import uuid
from collections.abc import Iterator
from typing import Any

import dns.resolver
import pytest
import requests
import secretfiles
from support.machines import Internet, Machine
from support.waiting import until

pytestmark = pytest.mark.integration

PASSWORD = "canary-password"
PORTS = {"us": 443, "eu": 8443}
SMTP = {"us": "smtp.mailgun.org", "eu": "smtp.eu.mailgun.org"}


class Api:
    """One region of the simulator, called with a key of the sandbox's secrets."""

    def __init__(self, internet: Internet, region: str) -> None:
        self.internet = internet
        self.region = region
        self.url = f"https://{internet.ip}:{PORTS[region]}"

    def __call__(self, method: str, path: str, key: str = "vault_mailgun_api_key", **form: str) -> requests.Response:
        auth = ("api", secretfiles.values()[key])
        return requests.request(method, self.url + path, data=form, auth=auth, timeout=20, verify=self.internet.ca_file)


@pytest.fixture(params=["us", "eu"])
def api(internet: Internet, request: pytest.FixtureRequest) -> Api:
    """Each of the regions."""
    return Api(internet, request.param)


@pytest.fixture
def domain(api: Api) -> Iterator[str]:
    """A domain of its own, under the name whose zone may be changed, with a login `no-reply`."""
    name = f"t{uuid.uuid4().hex[:8]}.mg.acme.example"
    assert api("POST", "/v4/domains", name=name).status_code == 200
    made = api("POST", f"/v3/domains/{name}/credentials", login="no-reply", password=PASSWORD)
    assert made.status_code == 200, made.text
    yield name
    api("DELETE", f"/v3/domains/{name}")


@contextlib.contextmanager
def connection(internet: Internet, host: str) -> Iterator[smtplib.SMTP]:
    """Connect to port 2525 with verified TLS, asking for `host`."""
    smtp = smtplib.SMTP(timeout=20)
    smtp._host = host  # verified, and named in SNI
    smtp.connect(internet.ip, 2525)
    smtp.starttls(context=ssl.create_default_context(cafile=internet.ca_file))
    with smtp:
        yield smtp


def accepted(api: Api, login: str, password: str, host: str = "") -> bool:
    """Whether SMTP AUTH succeeds in the API's region, or at `host`."""
    with connection(api.internet, host or SMTP[api.region]) as smtp:
        try:
            return smtp.login(login, password)[0] == 235
        except smtplib.SMTPAuthenticationError as error:
            assert error.smtp_code == 535
            return False


def test_credentials_are_what_smtp_takes(api: Api, domain: str, internet: Internet) -> None:
    login, path = f"no-reply@{domain}", f"/v3/domains/{domain}/credentials/no-reply"
    other = {"us": "eu", "eu": "us"}[api.region]
    assert accepted(api, login, PASSWORD)
    assert not accepted(api, login, PASSWORD + "x")
    assert not accepted(api, login, PASSWORD, SMTP[other])
    assert not accepted(api, login, PASSWORD, "mail.zoho.com")
    fixed = "no-reply@acme.example"
    assert not accepted(api, fixed, internet.accounts[fixed])
    assert api("PUT", path, password="another").status_code == 200
    assert (accepted(api, login, PASSWORD), accepted(api, login, "another")) == (False, True)
    assert api("DELETE", path).status_code == 200
    assert not accepted(api, login, "another")


def test_a_disabled_domain_sends_nothing(api: Api, domain: str, internet: Internet) -> None:
    with connection(internet, SMTP[api.region]) as smtp:
        smtp.login(f"no-reply@{domain}", PASSWORD)
        assert smtp.mail("bounce@acme.example")[0] == 250
        smtp.rset()
        internet.run("sandbox-mailgun", "disable", domain, "--region", api.region, check=True)
        code, text = smtp.mail("bounce@acme.example")
    assert (code, text.decode()) == (550, f"5.7.1 Domain {domain} is disabled: for testing")


def records(api: Api, domain: str) -> list[dict[str, Any]]:
    """Return the domain's records for sending."""
    found: list[dict[str, Any]] = api("GET", f"/v4/domains/{domain}").json()["sending_dns_records"]
    return found


@pytest.mark.parametrize("security", ["no", "yes"])
def test_verification_finds_what_was_published(api: Api, domain: str, internet: Internet, security: str) -> None:
    assert api("PUT", f"/v4/domains/{domain}", use_automatic_sender_security=security).status_code == 200

    def verified() -> str:
        answer = until(
            lambda: (made := api("PUT", f"/v4/domains/{domain}/verify")).status_code == 200 and made, "a look-up"
        )
        state: str = answer.json()["domain"]["state"]
        return state

    assert verified() == "unverified"
    published = [(one["name"], one["record_type"], one["value"]) for one in records(api, domain)]
    try:
        for record in published:
            internet.run("sandbox-dns", "add", *record, check=True)
        assert verified() == "active"
        assert {record["valid"] for record in records(api, domain)} == {"valid"}
    finally:
        for record in published:
            internet.run("sandbox-dns", "delete", *record, check=True)
    assert verified() == "unverified"


def test_only_the_zone_for_it_may_be_changed(internet: Internet) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [internet.ip]
    name = f"t{uuid.uuid4().hex[:8]}.mg.acme.example"
    value = 'v=spf1 "quoted" \\ ' + "x" * 300
    internet.run("sandbox-dns", "add", name, "TXT", value, "another", check=True)
    try:
        found = {b"".join(data.strings).decode() for data in resolver.resolve(name, "TXT")}
        assert found == {value, "another"}
        internet.run("sandbox-dns", "delete", name, "TXT", value, check=True)
        assert [data.to_text() for data in resolver.resolve(name, "TXT")] == ['"another"']
    finally:
        internet.run("sandbox-dns", "delete", name, "TXT", check=True)
    refused = internet.run("sandbox-dns", "add", "x.zoho.com", "A", "192.0.2.1")
    assert (refused.returncode, refused.stderr) == (1, "sandbox-dns: x.zoho.com: REFUSED\n")


def test_calls_and_faults_are_for_those_inside(api: Api, internet: Internet) -> None:
    path = f"/v4/domains/{uuid.uuid4()}.example"
    internet.run("sandbox-mailgun", "fail", "html", "--path", path, check=True)
    assert [api("GET", path).status_code for _time in range(2)] == [502, 404]
    calls = json.loads(internet.run("sandbox-mailgun", "calls", "--json", check=True).stdout)
    assert [call.get("fault", call.get("status")) for call in calls if call["path"] == path] == ["html", 404]
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"http://{internet.ip}:8025/calls", timeout=5)


def test_no_key_and_no_password_is_kept(api: Api, domain: str, internet: Internet) -> None:
    assert accepted(api, f"no-reply@{domain}", PASSWORD)
    kept = internet.run("cat", "/var/lib/sandbox/mailgun.json", check=True).stdout
    journal = internet.run("journalctl", "--boot", "--no-pager", check=True).stdout
    key = secretfiles.values()["vault_mailgun_api_key"]
    assert domain in kept
    assert not [secret for secret in (PASSWORD, key) if secret in kept + journal]


@pytest.mark.parametrize(("port", "open_"), [(25, False), (465, False), (587, False), (2525, True)])
def test_what_leaves_the_gateway(internet: Internet, port: int, open_: bool) -> None:
    connect = f"import socket; socket.create_connection(('{internet.ip}', {port}), 1)"
    gateway = Machine("gateway").run("python3", "-c", connect)
    assert (gateway.returncode == 0) == open_, gateway.stderr
    assert open_ or "TimeoutError: timed out" in gateway.stderr
    assert Machine("odoo").run("python3", "-c", connect).returncode == 0
