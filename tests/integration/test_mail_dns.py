# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail records of domains published at a real BIND; the look-ups of SPF are counted in the sandbox's DNS."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import secretfiles
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from integration.test_examples import examples
from support.bind import Bind, bind
from support.dns_proxy import Proxy, proxied
from support.machines import Internet
from support.modules import run_module, warned
from support.playbooks import ROOT, run_playbook
from support.scripted_dns import Zones, answering

pytestmark = pytest.mark.integration

SPF = "v=spf1 mx include:zoho.com include:mailgun.org ~all"
DMARC = "v=DMARC1; p=none; rua=mailto:postmaster@acme.example"
OWNER = "site-verification=2f6a1c"
ACME = f"""
@ TXT "{SPF}"
@ TXT "{OWNER}"
@ MX 10 mx
mx A 192.0.2.25
_dmarc TXT "{DMARC}"
two TXT "v=spf1 -all"
two TXT "v=spf1 ~all"
www A 192.0.2.80
*.stars A 192.0.2.9
"""
MODULE = ROOT / "plugins" / "modules" / "mail_dns.py"
# No other test's, and not that of this machine's own resolver.
DNS_ADDRESS = "127.9.53.4"


@pytest.fixture
def server(internet: Internet) -> Iterator[Bind]:
    with bind(internet, {"acme.example": ACME, "mg.acme.example": ""}) as running:
        yield running


@pytest.fixture
def proxy(server: Bind) -> Iterator[Proxy]:
    with proxied(server.address, server.port) as running:
        yield running


class Module:
    """Our module, connected through the proxy."""

    def __init__(self, server: Bind, proxy: Proxy, resolver: str) -> None:
        self._server = server
        self._proxy = proxy
        self._resolver = resolver

    def once(self, *domains: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        """Run it."""
        given = {"domains": list(domains), "resolver": [self._resolver], **options}
        given = self._server.connection(server="127.0.0.1", port=self._proxy.port, **given)
        result = run_module("mail_dns", given, check=check)
        assert secretfiles.values()["vault_dns_tsig_secret"] not in str({**result, "invocation": None})
        return result

    def run(self, *domains: dict[str, Any]) -> dict[str, Any]:
        """Run it after check mode, which must tell the same and write nothing, and again, which must not write."""
        checked = self.once(*domains, check=True)
        assert self._proxy.updates() == 0
        result = self.once(*domains)
        assert not result.get("failed"), result
        assert [checked[name] for name in ("changed", "changes", "diff", "records")] == [
            result[name] for name in ("changed", "changes", "diff", "records")
        ]
        updates = self._proxy.updates()
        assert bool(updates) is result["changed"]
        again = self.once(*domains)
        assert (again["changed"], again["changes"], again["records"]) == (False, [], result["records"])
        assert self._proxy.updates() == updates
        return result

    def refused(self, *domains: dict[str, Any], **options: Any) -> str:
        """Run it, which must fail with nothing changed; return why."""
        result = self.once(*domains, **options)
        assert (result["failed"], result["changed"], result["changes"]) == (True, False, [])
        assert self._proxy.updates() == 0
        message: str = result["msg"]
        return message


@pytest.fixture
def module(server: Bind, proxy: Proxy, internet: Internet) -> Module:
    return Module(server, proxy, internet.ip)


def long_key() -> str:
    """Return a DKIM key of 4096 bits, which needs three strings."""
    key = rsa.generate_private_key(65537, 4096).public_key()
    public = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def test_the_records_of_two_domains(module: Module, server: Bind, proxy: Proxy) -> None:
    key = long_key()
    result = module.run(
        {
            "domain": "acme.example",
            "spf": {"terms": ["a:mx.acme.example"], "remove": ["include:zoho.com"]},
            "dmarc": {"p": "quarantine", "pct": 10},
            "mx": ["10 mx.acme.example"],
        },
        {
            "domain": "mg.acme.example",
            "dkim": [{"name": "s1._domainkey.mg.acme.example", "type": "TXT", "value": key}],
            "mx": [],
            "records": [
                {"name": "mg.acme.example", "type": "TXT", "values": ["v=spf1 include:mailgun.org ~all"]},
                {"name": "email.mg.acme.example", "type": "CNAME", "values": ["mailgun.org"], "state": "unknown"},
            ],
            "ttl": 60,
        },
    )
    changed = "v=spf1 mx include:mailgun.org a:mx.acme.example ~all"
    assert server.has("acme.example", "TXT") == [f'300 "{OWNER}"', f'300 "{changed}"']
    assert server.has("_dmarc.acme.example", "TXT") == [
        '300 "v=DMARC1; p=quarantine; rua=mailto:postmaster@acme.example; pct=10"'
    ]
    assert server.has("acme.example", "MX") == ["300 10 mx.acme.example."]
    (strings,) = server.has("s1._domainkey.mg.acme.example", "TXT")
    assert strings.partition(" ")[2].replace('" "', "") == f'"{key}"'
    assert server.has("mg.acme.example", "TXT") == ['60 "v=spf1 include:mailgun.org ~all"']
    assert server.has("email.mg.acme.example", "CNAME") == ["60 mailgun.org."]
    assert [f"{change['name']} {change['type']}" for change in result["changes"]] == [
        "acme.example TXT",
        "_dmarc.acme.example TXT",
        "s1._domainkey.mg.acme.example TXT",
        "mg.acme.example TXT",
        "email.mg.acme.example CNAME",
    ]
    assert {"name": "mg.acme.example", "type": "MX", "values": [], "ttl": None} in result["records"]
    # One update for each zone.
    assert proxy.updates() == 2


def test_what_others_write_meanwhile_stays(module: Module, server: Bind, proxy: Proxy) -> None:
    """Just before our update comes another term of SPF and another owner's text: both are there in the end."""

    def meanwhile(number: int) -> None:
        if number == 0:
            server.update(
                f'update delete acme.example TXT "{SPF}"',
                f'update add acme.example 300 TXT "{SPF.replace(" ~all", " ip4:192.0.2.7 ~all")}"',
                'update add acme.example 300 TXT "another=1"',
            )

    proxy.before_update = meanwhile
    result = module.once({"domain": "acme.example", "spf": {"terms": ["a:mx.acme.example"]}})
    assert not result.get("failed"), result
    merged = "v=spf1 mx include:zoho.com include:mailgun.org ip4:192.0.2.7 a:mx.acme.example ~all"
    assert server.has("acme.example", "TXT") == ['300 "another=1"', f'300 "{OWNER}"', f'300 "{merged}"']
    assert proxy.updates() == 2


def test_what_is_refused_changes_nothing(module: Module) -> None:
    """Not even what would have been right."""
    right = {"domain": "mg.acme.example", "dmarc": {"p": "none"}}
    acme = {"domain": "acme.example"}
    mailgun = ["include:mailgun.org"]
    key = {"name": "s1._domainkey.acme.example", "type": "TXT", "value": "v=DKIM1; p=MIIBCut"}
    for domain, told in [
        ({"domain": "two.acme.example", "spf": {"terms": mailgun}}, "two.acme.example TXT: there are 2 SPF records"),
        (
            {**acme, "spf": {"terms": [f"mx:n{number}.example" for number in range(9)]}},
            "it makes receivers ask 12 times",
        ),
        ({**acme, "spf": {"terms": [f"a:n{number}.example" for number in range(3)]}}, "what is not in DNS 3 times"),
        ({**acme, "spf": {"terms": ["include:nowhere.test"]}}, "nowhere.test has no SPF record"),
        (
            {**acme, "spf": {"terms": ["include:\u201dzoho.com"]}},
            "acme.example TXT, SPF: it has a typographic quotation",
        ),
        ({**acme, "dkim": [key]}, "s1._domainkey.acme.example TXT, DKIM: its key (p)"),
        ({**acme, "mx": []}, "acme.example MX: there must be none, and there is 10 mx.acme.example"),
        ({**acme, "mx": ["10 mx2.acme.example"]}, "acme.example MX: there is 10 mx.acme.example, which is not to be"),
        (
            {**acme, "records": [{"name": "www.acme.example", "type": "CNAME", "values": ["x.example"]}]},
            "www.acme.example CNAME: www.acme.example has other records (A)",
        ),
        ({"domain": "zoho.com", "spf": {"terms": mailgun}}, "zoho.com"),
        (
            {"domain": "x.acme.example.acme.example", "dmarc": {"p": "none"}},
            "_dmarc.x.acme.example.acme.example TXT: the name has that of its zone acme.example twice",
        ),
    ]:
        assert told in module.refused(right, domain)
    assert "mg.acme.example is in the zone mg.acme.example, which is below" in module.refused(
        right, zone="acme.example"
    )


def test_a_resolver_that_is_not_there_stops_nobody(module: Module, server: Bind) -> None:
    domain = {"domain": "acme.example", "spf": {"terms": ["ip4:192.0.2.7"]}}
    result = module.once(domain, resolver=["127.0.0.99"], timeout=0.5)
    assert not result.get("failed"), result
    (text,) = warned(result)
    assert "what it costs receivers could not be counted" in text
    assert "resolver 127.0.0.99" in text
    assert f'300 "{SPF.replace("~all", "ip4:192.0.2.7 ~all")}"' in server.has("acme.example", "TXT")


def test_a_wildcard_that_will_not_answer_any_more(module: Module) -> None:
    record = {"name": "x.stars.acme.example", "type": "TXT", "values": ["x"]}
    (text,) = warned(module.once({"domain": "acme.example", "records": [record]}, check=True))
    assert text.startswith("x.stars.acme.example has records of its own now, so the wildcard that answered for it does")


def test_the_examples_run(internet: Internet, server: Bind, tmp_path: Path) -> None:
    """What the zone has then mail_dns_info finds at port 53."""
    server.update(f'update delete acme.example TXT "{OWNER}"', "update add acme.example 60 MX 10 mx.acme.example")
    tasks = examples(MODULE)
    for task in tasks:
        task.get("mailops.odoo.mail_dns", {}).pop("server", None)
    world = Zones({".": "", "acme.example.": f"@ NS ns\nns A {DNS_ADDRESS}\n{ACME}"})
    connection = {name: server.connection()[name] for name in ("server", "port")}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "module_defaults": {
            "mailops.odoo.mail_dns": {**connection, "resolver": [internet.ip]},
            "mailops.odoo.mail_dns_info": {"resolver": [DNS_ADDRESS]},
        },
        "tasks": tasks,
    }
    for changes in ("changed=1", "changed=0"):
        with answering({DNS_ADDRESS: world.both("acme.example.")}, port=53):
            done = run_playbook([play], tmp_path, variables=secretfiles.values())
        assert done.returncode == 0, done.stdout + done.stderr
        assert changes in done.stdout
        assert secretfiles.values()["vault_dns_tsig_secret"] not in done.stdout + done.stderr
