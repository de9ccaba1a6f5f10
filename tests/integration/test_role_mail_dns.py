# SPDX-License-Identifier: GPL-3.0-or-later
"""The role mail_dns as site.yml runs it: a real BIND, DigitalOcean on loopback, and what is there before."""

from __future__ import annotations

import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import secretfiles
import yaml
from support.bind import Bind, bind
from support.dns_api import DnsApi
from support.dns_proxy import Proxy, proxied
from support.machines import Internet
from support.playbooks import ROOT, ansible_playbook
from support.watch import Watch

pytestmark = pytest.mark.integration

OWNER = "google-site-verification=canary"
BEFORE = f"""
@ TXT "v=spf1 include:_spf.odoo.com include:zoho.com ?all"
@ TXT "{OWNER}"
odoo._domainkey CNAME odoo._domainkey.odoo.com.
mx A 192.0.2.25
_dmarc TXT "v=DMARC1; p=none; fo=1"
"""
OF_ZOHO = {
    "name": "Zoho",
    "provider": "zoho",
    "sequence": 1,
    "smtp_user": "office@acme.example",
    "spf": ["include:zoho.com", "include:mailgun.org"],
    "from_filter": ["acme.example"],
}
SAID = {
    "name": "acme.example",
    "spf": {"terms": ["mx"], "all": "-all"},
    "dmarc": {"p": "none", "rua": ["mailto:postmaster@acme.example"]},
    "mx": ["10 mx.acme.example"],
}
KEY = {"name": "s1._domainkey.mg.acme.example", "type": "CNAME", "values": ["s1.mgsend.org"]}
MG_SPF = {"name": "mg.acme.example", "type": "TXT", "values": ["v=spf1 include:mailgun.org ~all"]}
TOLD = {
    "domain": {"name": "mg.acme.example"},
    "sending_records": [MG_SPF, KEY],
    "receiving_records": [],
    "tracking": {},
}
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
SECRETS = ("vault_dns_tsig_secret", "vault_digitalocean_api_token")


class Site:
    """A policy with one zone at BIND, behind a proxy that counts, and what the role is told beside it.

    Every run is as talkative as can be, and is watched for secrets.
    """

    def __init__(self, folder: Path, proxy: Proxy, internet: Internet) -> None:
        self.folder = folder
        self.proxy = proxy
        self.zone: dict[str, Any] = {
            "zone": "Acme.Example.",
            "backend": "rfc2136",
            "server": "127.0.0.1",
            "port": proxy.port,
            "key_name": "mailops",
            "key_secret": "{{ vault_dns_tsig_secret }}",
            "ttl": 120,
        }
        self.dns: dict[str, Any] = {"zones": [self.zone], "domains": [SAID]}
        self.secrets = {SECRETS[0]: secretfiles.values()[SECRETS[0]], SECRETS[1]: "canary-token"}
        self.servers: list[dict[str, Any]] = [OF_ZOHO]
        self.variables: dict[str, Any] = {
            "mailgun_domains": [TOLD],
            "mail_dns_resolver": [internet.ip],
            # The world does not know the test's own BIND.
            "mail_dns_wait_timeout": 0,
        }
        (folder / "temporary").mkdir()

    def policy(self) -> dict[str, Any]:
        alias_domain = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"}
        odoo = {"version": 19, "alias_domains": [alias_domain], "servers": self.servers}
        accounts = [{"provider": "mailgun", "domains": [{"name": "mg.acme.example"}]}]
        sections = {"dns": self.dns} if self.dns else {}
        return {"version": 1, "odoo": odoo, "providers": accounts, "inbound": {"domains": []}, **sections}

    def run(self, *parts: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run these entry points of the role, by default all that site.yml does."""
        playbook, secret = self.folder / "playbook.yml", self.folder / "secrets.json"
        given = {"mail_dns_policy": "{{ mail_policy }}"}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {
                **LOCAL,
                "mail_policy": self.policy(),
                **self.variables,
            },
            "tasks": [
                {"ansible.builtin.include_role": {"name": "mailops.odoo.mail_dns", "tasks_from": part}, "vars": given}
                for part in parts or ("add", "main", "wait")
            ],
        }
        playbook.write_text(yaml.safe_dump([play], sort_keys=False))
        secret.touch(mode=0o600)
        secret.write_text(json.dumps(self.secrets))
        temporary, log = self.folder / "temporary", self.folder / "ansible.log"
        with Watch(temporary) as watch:
            done = ansible_playbook(
                str(playbook), "--inventory", "localhost,", "--extra-vars", f"@{secret}", "-vvv", "--diff",
                *(["--check"] if check else []),
                ANSIBLE_LOG_PATH=str(log), ANSIBLE_LOCAL_TEMP=str(temporary), ANSIBLE_REMOTE_TEMP=str(temporary),
            )  # fmt: skip
        told = {*watch.seen, done.stdout.encode(), done.stderr.encode(), log.read_bytes()}
        assert any(b"ansible-playbook" in one for one in told)
        assert not [name for name, value in self.secrets.items() for one in told if value.encode() in one]
        return done

    def applied(self, *parts: str, check: bool = False) -> tuple[int, str]:
        """Run the role, which must go well; return how many tasks changed something, and what was printed."""
        done = self.run(*parts, check=check)
        assert done.returncode == 0, done.stdout + done.stderr
        changed = sum(int(count) for count in re.findall(r"changed=(\d+)", done.stdout))
        return changed, " ".join(done.stdout.split())

    def refused(self, *parts: str) -> str:
        """Run the role, which must stop with nothing changed; return what is printed."""
        before = self.proxy.updates()
        done = self.run(*parts)
        assert done.returncode == 2, done.stdout + done.stderr
        assert self.proxy.updates() == before
        return " ".join((done.stdout + done.stderr).replace("\\", "").split())


@pytest.fixture
def server(internet: Internet) -> Iterator[Bind]:
    with bind(internet, {"acme.example": BEFORE}) as running:
        yield running


@pytest.fixture
def site(server: Bind, tmp_path: Path, internet: Internet) -> Iterator[Site]:
    with proxied(server.address, server.port) as proxy:
        yield Site(tmp_path, proxy, internet)


def spf(server: Bind, name: str = "acme.example") -> str:
    """Return the one SPF record of a name."""
    (found,) = [value for value in server.has(name, "TXT") if "v=spf1" in value]
    return found.partition('"')[2].rstrip('"')


def test_before_odoo_something_is_added_and_after_it_the_rest_goes(site: Site, server: Bind) -> None:
    assert site.applied(check=True)[0] == 2
    assert site.proxy.updates() == 0

    assert site.applied("add")[0] == 1
    assert spf(server) == "v=spf1 include:_spf.odoo.com include:zoho.com include:mailgun.org mx ?all"
    assert server.has("odoo._domainkey.acme.example", "CNAME") == ["300 odoo._domainkey.odoo.com."]
    assert server.has("acme.example", "MX") == []
    assert server.has("_dmarc.acme.example", "TXT") == ['300 "v=DMARC1; p=none; fo=1"']
    assert server.has(KEY["name"], "CNAME") == ["120 s1.mgsend.org."]
    assert spf(server, "mg.acme.example") == "v=spf1 include:mailgun.org ~all"

    assert site.applied()[0] == 1
    assert spf(server) == "v=spf1 include:zoho.com include:mailgun.org mx -all"
    assert f'120 "{OWNER}"' in server.has("acme.example", "TXT")
    assert server.has("odoo._domainkey.acme.example", "CNAME") == []
    assert server.has("acme.example", "MX") == ["120 10 mx.acme.example."]
    assert server.has("_dmarc.acme.example", "TXT") == [
        '120 "v=DMARC1; p=none; fo=1; rua=mailto:postmaster@acme.example"'
    ]

    site.proxy.calls.clear()
    changed, printed = site.applied()
    assert (changed, site.proxy.updates()) == (0, 0)
    # Each record set was asked for once, and nothing was published, so nothing is waited for.
    assert len(set(site.proxy.calls)) == len(site.proxy.calls)
    assert "The run goes on." not in printed


def test_a_broken_record_that_cannot_stay_for_a_while(site: Site, server: Bind) -> None:
    """Receivers give up over what is not there any more, so it goes together with what comes."""
    broken = 'acme.example. 300 TXT "v=spf1 include:gone.customer.example ?all"'
    server.update("update delete acme.example TXT", f"update add {broken}")
    site.dns["domains"] = [{**SAID, "spf": {**SAID["spf"], "remove": ["include:gone.customer.example"]}}]
    printed = site.refused()
    assert "gone.customer.example has no SPF record" in printed
    assert "say mail_dns_at_once: true" in printed
    site.variables["mail_dns_at_once"] = True
    assert site.applied()[0] == 1
    assert spf(server) == "v=spf1 include:zoho.com include:mailgun.org mx -all"
    assert server.has("odoo._domainkey.acme.example", "CNAME") == []


def test_what_the_world_does_not_see_is_said(site: Site, server: Bind) -> None:
    """It looks where the world does; there is a zone of this name, and it is another."""
    site.dns["domains"] = [{"name": f"t{uuid.uuid4().hex[:8]}.acme.example", "spf": {"terms": ["mx"]}}]
    name = site.dns["domains"][0]["name"]
    printed = site.applied()[1]
    assert f"{name} TXT: missing" in printed
    assert "The run goes on." in printed
    assert spf(server, name) == "v=spf1 mx ~all"


def test_it_waits_for_the_zones_servers(site: Site, internet: Internet) -> None:
    name = f"t{uuid.uuid4().hex[:8]}.mg.acme.example"
    site.zone |= {"zone": "mg.acme.example", "server": internet.ip, "port": 53}
    site.dns["domains"] = [{"name": name, "spf": {"terms": ["include:mailgun.org"]}}]
    site.variables |= {"mail_dns_wait_timeout": 20, "mailgun_domains": []}
    try:
        changed, printed = site.applied()
        assert changed == 1
        assert '"status": "present"' in printed or "status: present" in printed
        assert "The run goes on." not in printed
    finally:
        internet.run("sandbox-dns", "delete", name, "TXT", check=True)


def test_each_zone_has_its_own_back_end(site: Site, server: Bind, tmp_path: Path) -> None:
    with DnsApi("digitalocean", tmp_path) as api:
        site.secrets[SECRETS[1]] = api.token
        site.dns["zones"].append(
            {
                "zone": "other.example",
                "backend": "digitalocean",
                "api_url": api.url,
                "api_token": f"{{{{ {SECRETS[1]} }}}}",
            }
        )
        site.dns["domains"] = [SAID, {"name": "other.example", "spf": {"terms": ["include:zoho.com"]}}]
        site.applied()
        assert ("@", "TXT", "v=spf1 include:zoho.com ~all", 3600) in api.shown("other.example")
        assert spf(server) == "v=spf1 include:zoho.com include:mailgun.org mx -all"
        api.calls()
        assert site.applied()[0] == 0
        assert api.writes() == []


def test_a_foreign_mx_is_removed_only_where_that_is_said(site: Site, server: Bind) -> None:
    server.update("update add mg.acme.example 300 MX 10 mxa.mailgun.org.")
    # Before Odoo changes, and not at the end of the run.
    printed = site.refused("add")
    assert "mg.acme.example MX: there must be none, and there is 10 mxa.mailgun.org." in printed
    site.variables["mail_dns_mx_remove"] = ["mg.acme.example"]
    assert site.applied()[0] == 2
    assert server.has("mg.acme.example", "MX") == []
    assert server.has("acme.example", "MX") == ["120 10 mx.acme.example."]


def test_two_spf_records_stop_the_run_before_odoo(site: Site, server: Bind) -> None:
    server.update('update add acme.example 300 TXT "v=spf1 -all"')
    printed = site.refused()
    assert "acme.example TXT: there are 2 SPF records" in printed
    assert server.has(KEY["name"], "CNAME") == []


def test_strict_alignment_that_stays_stops_the_run_before_dmarc_is_raised(site: Site, server: Bind) -> None:
    """By the policy alone the mail passes: a tag that it does not say is what receivers take for left out."""
    server.update(
        "update delete _dmarc.acme.example TXT",
        'update add _dmarc.acme.example 300 TXT "v=DMARC1; p=none; adkim=s; aspf=s"',
    )
    site.servers = [{**OF_ZOHO, "provider": "mailgun", "smtp_user": "no-reply@mg.acme.example", "spf": ["mx"]}]
    said = site.dns["domains"] = [{**SAID, "dmarc": {"p": "reject"}}]
    printed = site.refused()
    assert "_dmarc.acme.example TXT: beside adkim=s, aspf=s, which it has, p=reject would have mail" in printed
    said[0]["dmarc"]["adkim"] = "r"
    site.applied()
    assert server.has("_dmarc.acme.example", "TXT") == ['120 "v=DMARC1; p=reject; adkim=r; aspf=s"']


def test_a_key_with_the_rights_that_the_documentation_names(tmp_path: Path, internet: Internet) -> None:
    (rights,) = re.findall(r"update-policy .*", (ROOT / "docs" / "dns.md").read_text("utf-8"))
    zone = f'zone "acme.example" {{ type primary; file "FOLDER/acme.example.zone"; {rights} }};'
    with bind(internet, {"acme.example": BEFORE}, zone) as server, proxied(server.address, server.port) as proxy:
        assert Site(tmp_path, proxy, internet).applied()[0] == 2
        assert server.has("acme.example", "MX") == ["120 10 mx.acme.example."]
        assert server.has("odoo._domainkey.acme.example", "CNAME") == []


def test_a_wrong_key(site: Site) -> None:
    site.secrets[SECRETS[0]] = "Y2FuYXJ5LW9mLXRoZS13cm9uZy1rZXktMTIzNDU2Nzg="
    printed = site.refused()
    assert "mailops" in printed
    assert "BADSIG" in printed or "does not know" in printed or "secret" in printed


def test_a_token_that_is_nowhere(site: Site) -> None:
    site.zone.clear()
    site.zone |= {"zone": "acme.example", "backend": "cloudflare"}
    assert "backend cloudflare needs api_token" in site.refused()


def test_no_zones_no_question(site: Site) -> None:
    for section in ({}, {"domains": [SAID]}):
        site.dns = section
        assert site.applied()[0] == 0
    assert site.proxy.calls == []


def test_what_a_database_still_needs_stays_when_the_run_ended_for_it(site: Site, server: Bind, tmp_path: Path) -> None:
    """Two databases share a zone: the one that goes on does not remove what lets the other one's servers send."""
    good = site.policy()
    hosts = {"db_lost": {"mail_policy": {**good, "version": 2}}, "db_fine": {"mail_policy": good}}
    inventory = tmp_path / "hosts.yml"

    def run() -> str:
        inventory.write_text(yaml.safe_dump({"odoo_databases": {"hosts": hosts, "vars": {**LOCAL, **site.variables}}}))
        secret = tmp_path / "secrets.json"
        secret.write_text(json.dumps(site.secrets))
        done = ansible_playbook(
            "site.yml", "--inventory", str(inventory), "--tags", "dns", "--extra-vars", f"@{secret}",
        )  # fmt: skip
        assert done.returncode == (2 if "db_lost" in hosts else 0), done.stdout + done.stderr
        return " ".join(done.stdout.split())

    assert "acme.example: nothing is removed, and DMARC and MX stay as they are" in run()
    assert spf(server) == "v=spf1 include:_spf.odoo.com include:zoho.com include:mailgun.org mx ?all"
    assert server.has("_dmarc.acme.example", "TXT") == ['300 "v=DMARC1; p=none; fo=1"']
    # One of another zone does not keep it from going on, nor one that is well again.
    other = {"zones": [{**site.zone, "zone": "other.example"}], "domains": []}
    hosts["db_lost"]["mail_policy"] = {**good, "version": 2, "dns": other}
    run()
    assert spf(server) == "v=spf1 include:zoho.com include:mailgun.org mx -all"
