# SPDX-License-Identifier: GPL-3.0-or-later
"""The role mailgun as site.yml runs it, against a simulator on loopback: from nothing to a login that Odoo can use."""

from __future__ import annotations

import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from support.machines import Internet
from support.mailgun_modules import Modules, simulated
from support.playbooks import ansible_playbook
from support.watch import Watch

pytestmark = pytest.mark.integration

NAME = "mg.acme.example"
VAULT, KEY, API_KEY = "group_vars/acme/vault.yml", "vault_mailgun_smtp_password", "vault_mailgun_api_key"
# Leaves what it is given in a file, without a copy elsewhere.
KEEP = """
import json
from ansible.plugins.action import ActionBase
class ActionModule(ActionBase):
    _requires_connection = False
    def run(self, tmp=None, task_vars=None):
        with open(self._task.args["to"], "w") as file:
            json.dump(self._task.args["what"], file)
        return {}
"""


class Site:
    """An inventory of two databases with one policy, its vault, and the simulator that the role is led to.

    Every run is as talkative as can be, and is watched: `told` has all that was printed, logged, given as an argument
    or left in a file, and must never have a secret.
    """

    def __init__(self, folder: Path, modules: Modules, name: str = NAME) -> None:
        self.folder = folder
        self.modules = modules
        self.mailgun = modules.mailgun
        self.name = name
        self.login = f"no-reply@{name}"
        self.told: set[bytes] = set()
        self.parts = ["main", "verify"]
        self.inventory = folder / "inventory"
        self.vault = self.inventory / VAULT
        self.vault.parent.mkdir(parents=True)
        self.credential = {
            "login": "no-reply",
            "password": f"{{{{ {KEY} | default('') }}}}",
            "vault_key": KEY,
            "vault_file": VAULT,
        }
        self.domain: dict[str, Any] = {
            "name": name,
            "use_automatic_sender_security": True,
            "tracking": {"open": False, "click": "no"},
            "credentials": [self.credential],
        }
        self.variables = {
            "mailgun_api_url": self.mailgun.us,
            "mailgun_smtp_host": modules.smtp["smtp_host"],
            "mailgun_smtp_port": modules.smtp["smtp_port"],
            "mailgun_ca_file": modules.smtp["smtp_ca_file"],
            "mailgun_verify": False,
        }
        self.keep({API_KEY: self.mailgun.key})
        (folder / "password").write_text("the vault's password\n")
        (folder / "temporary").mkdir()
        (folder / "action_plugins").mkdir()
        (folder / "action_plugins" / "keep.py").write_text(KEEP)

    def keep(self, values: dict[str, str]) -> None:
        """Put these values into the vault, and nothing else."""
        self.vault.write_bytes(self._vault().encrypt(yaml.safe_dump(values)))

    def kept(self) -> dict[str, str]:
        """Return what is in the vault."""
        found: dict[str, str] = yaml.safe_load(self._vault().decrypt(self.vault.read_bytes()))
        return found

    def _vault(self) -> VaultLib:
        return VaultLib([("default", VaultSecret(b"the vault's password"))])

    def write(self) -> Path:
        """Write inventory and playbook; return the playbook's path."""
        account = {"provider": "mailgun", "api_key": f"{{{{ {API_KEY} }}}}", "domains": [self.domain]}
        server = {"name": "Mailgun", "smtp_user": self.login, "smtp_pass": f"{{{{ {KEY} | default('') }}}}"}
        accounts = [account] if self.domain else []
        policy = {"version": 1, "odoo": {"servers": [server]}, "providers": accounts, "inbound": {}}
        (self.vault.parent / "mail_policy.yml").write_text(yaml.safe_dump({"mail_policy": policy}))
        local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        databases = {"hosts": {"acme_prod": local, "acme_test": local}}
        groups = {"acme": {"children": {"odoo_databases": databases}, "vars": self.variables}}
        (self.inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}))
        given = {"mailgun_policy": "{{ mail_policy | mailops.odoo.policy_expanded }}"}
        left = {"domains": "{{ mailgun_domains }}", "smtp_pass": "{{ mail_policy.odoo.servers[0].smtp_pass }}"}
        play = {
            "hosts": "odoo_databases",
            "gather_facts": False,
            "tasks": [
                *(
                    {
                        "ansible.builtin.include_role": {"name": "mailops.odoo.mailgun", "tasks_from": part},
                        "vars": given,
                    }
                    for part in self.parts
                ),
                {
                    "keep": {"what": left, "to": f"{self.folder}/left-{{{{ inventory_hostname }}}}.json"},
                    "no_log": True,
                    "check_mode": False,
                },
            ],
        }
        playbook = self.folder / "playbook.yml"
        playbook.write_text(yaml.safe_dump([play], sort_keys=False))
        return playbook

    def run(self, *arguments: str, hosts: str = "acme_prod") -> subprocess.CompletedProcess[str]:
        """Run the playbook on these hosts."""
        playbook, temporary, log = self.write(), self.folder / "temporary", self.folder / "ansible.log"
        with Watch(temporary) as watch:
            done = ansible_playbook(
                str(playbook), "-i", str(self.inventory), "--limit", hosts, "-vvv", "--diff", *arguments,
                ANSIBLE_VAULT_PASSWORD_FILE=str(self.folder / "password"), ANSIBLE_LOG_PATH=str(log),
                ANSIBLE_LOCAL_TEMP=str(temporary), ANSIBLE_REMOTE_TEMP=str(temporary),
            )  # fmt: skip
        self.told |= {*watch.seen, done.stdout.encode(), done.stderr.encode(), log.read_bytes()}
        return done

    def applied(self, *arguments: str, hosts: str = "acme_prod") -> tuple[int, str]:
        """Run the playbook, which must go well; return how many tasks changed something, and what was printed."""
        done = self.run(*arguments, hosts=hosts)
        assert done.returncode == 0, done.stdout + done.stderr
        changed = sum(int(count) for count in re.findall(r"changed=(\d+)", done.stdout))
        return changed, " ".join(done.stdout.split())

    def failed(self) -> str:
        """Run the playbook, which must fail without a call to Mailgun; return what is printed."""
        done = self.run()
        assert done.returncode == 2, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def left(self, host: str = "acme_prod") -> dict[str, Any]:
        """Return what the run knew in the end: `domains`, and the password that Odoo's server gets."""
        found: dict[str, Any] = json.loads((self.folder / f"left-{host}.json").read_text())
        return found

    def works(self, password: str, login: str = "no-reply") -> bool:
        """Whether Mailgun takes a login of the domain with a password."""
        return self.mailgun.simulator.state.authenticates("us", f"{login}@{self.name}", password.encode())

    def writes(self) -> list[tuple[str, str]]:
        """Return the writing calls since the last time."""
        return [call for call in self.mailgun.calls() if call[0] != "GET"]

    def assert_untold(self, *secrets: str) -> None:
        """Assert that none of these was told anywhere, and that there was something to look at."""
        assert any(b"ansible-playbook" in told for told in self.told)
        for secret in (self.mailgun.key, *secrets):
            assert not [told for told in self.told if secret.encode() in told]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with simulated(tmp_path) as modules:
        yield Site(tmp_path, modules)


def test_the_life_of_a_login(site: Site) -> None:
    """A password is made up once; it is in the vault, at Mailgun, and in the policy that Odoo gets in the same run."""
    empty = site.vault.read_bytes()
    changed, printed = site.applied("--check")
    assert changed == 3
    assert f"{site.login}: a password would be made up, as {KEY} in {VAULT}" in printed
    assert (site.writes(), site.vault.read_bytes()) == ([], empty)

    # Databases with one policy make it once.
    assert site.applied(hosts="all")[0] == 3
    made = [path for method, path in site.writes() if method == "POST"]
    assert made == ["/v4/domains", f"/v3/domains/{NAME}/credentials"]
    first = site.kept()[KEY]
    assert re.fullmatch("[A-Za-z0-9]{32}", first)
    assert site.works(first)
    left = site.left("acme_prod")
    assert left == site.left("acme_test")
    assert left["smtp_pass"] == first
    (domain,) = left["domains"]
    assert sorted(domain) == ["dns_records", "domain", "receiving_records", "sending_records", "tracking"]
    assert (domain["domain"]["name"], domain["domain"]["state"]) == (NAME, "unverified")
    assert {record["type"] for record in domain["dns_records"]} == {"CNAME", "TXT"}

    # Another login, whose password somebody made.
    news = "vault_news"
    site.domain["credentials"].append(
        {**site.credential, "login": "news", "password": f"{{{{ {news} | default('') }}}}", "vault_key": news}
    )
    site.domain["tracking"]["open"] = True
    site.keep({API_KEY: site.mailgun.key, KEY: "canary-second", news: "canary-news"})
    assert site.applied("--check")[0] == 2
    assert site.writes() == []
    assert site.works(first)
    assert site.applied()[0] == 2
    assert (site.works(first), site.works("canary-second")) == (False, True)
    assert site.works("canary-news", "news")
    assert site.left()["smtp_pass"] == "canary-second"

    # A password that is lost is made up anew, and is written where nobody can be asked whether it is in force. One that
    # is only another than before is not.
    site.keep({API_KEY: site.mailgun.key, KEY: "", news: "canary-other"})
    reachable = site.variables["mailgun_smtp_port"]
    site.variables["mailgun_smtp_port"] = 1
    assert site.applied()[0] == 2
    third = site.kept()[KEY]
    assert (site.works("canary-second"), site.works(third), site.left()["smtp_pass"]) == (False, True, third)
    assert (site.works("canary-news", "news"), site.works("canary-other", "news")) == (True, False)

    # Where all is as it should be nothing is done.
    site.keep({API_KEY: site.mailgun.key, KEY: third, news: "canary-news"})
    site.variables["mailgun_smtp_port"] = reachable
    site.writes()
    full, left = site.vault.read_bytes(), site.left()
    assert site.applied()[0] == 0
    assert (site.writes(), site.vault.read_bytes(), site.left()) == ([], full, left)
    site.assert_untold(first, "canary-second", third, "canary-news", "canary-other")


def test_what_a_domain_needs_is_known_without_a_change(site: Site) -> None:
    site.parts = ["known"]
    assert site.applied()[0] == 0
    assert (site.left()["domains"], site.writes()) == ([], [])
    site.parts = ["main"]
    site.applied()
    left = site.left()["domains"]
    assert site.writes() != []
    site.parts = ["known"]
    assert site.applied()[0] == 0
    assert (site.left()["domains"], site.writes()) == (left, [])
    site.assert_untold(site.kept()[KEY])


def test_verification(tmp_path: Path, internet: Internet) -> None:
    """What DNS lacks is named, Mailgun is waited for only when DNS has it all, and neither stops the run."""
    with simulated(tmp_path) as modules:
        site = Site(tmp_path, modules, f"t{uuid.uuid4().hex[:8]}.mg.acme.example")
        site.variables |= {"mailgun_verify": True, "mailgun_verify_timeout": 2, "mailgun_resolver": [internet.ip]}
        soon = ("-e", "mailgun_verify_try=1")
        changed, printed = site.applied(*soon)
        assert changed == 3
        wanted = site.left()["domains"][0]["dns_records"]
        needed = [record for record in wanted if not record["name"].startswith("email.")]
        for record in needed:
            assert f"{record['name']} {record['type']} {record['values'][0]}" in printed
        assert len(needed) == 3
        assert "email." not in printed.partition("when DNS has these")[2]
        assert not [path for _method, path in site.writes() if path.endswith("/verify")]
        try:
            for record in needed:
                internet.run("sandbox-dns", "add", record["name"], record["type"], *record["values"], check=True)
            changed, printed = site.applied(*soon)
            assert changed == 0
            assert printed.count("FAILED - RETRYING") == 1
            assert f"The run goes on; until then Mailgun sends nothing for {site.name}." in printed
            for record in needed:
                site.mailgun.dns.records[record["name"], record["type"]] = record["values"]
            assert site.applied(*soon)[0] == 1
        finally:
            for record in needed:
                internet.run("sandbox-dns", "delete", record["name"], record["type"], check=True)


def test_a_vault_of_another_password(site: Site) -> None:
    """What no_log hides is told all the same, and nothing was done."""
    other = site.folder / "elsewhere.yml"
    other.write_bytes(VaultLib([("default", VaultSecret(b"x"))]).encrypt("a: canary-elsewhere\n"))
    site.credential["vault_file"] = str(other)
    printed = site.failed()
    assert f"{other}" in printed
    assert "Nothing was written." in printed
    assert site.mailgun.calls() == []
    site.assert_untold("canary-elsewhere")


def test_a_password_that_is_not_the_one_that_is_kept(site: Site) -> None:
    site.credential["password"] = "canary-literal"
    printed = site.failed()
    assert f"its password in the policy is not the variable that its vault_key names, {KEY}." in printed
    assert site.mailgun.calls() == []
    site.assert_untold("canary-literal")


def test_a_wrong_key(site: Site) -> None:
    site.keep({API_KEY: "canary-wrong-key", KEY: "canary-password"})
    assert "Mailgun refused the API key" in site.failed()
    site.assert_untold("canary-wrong-key", "canary-password")


def test_no_account_no_call(site: Site) -> None:
    site.domain = {}
    assert site.applied()[0] == 0
    assert (site.mailgun.calls(), site.left()["domains"]) == ([], [])
