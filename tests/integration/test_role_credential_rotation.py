# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook rotate_credentials with a login at a simulated Mailgun, and an Odoo whose server uses it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from support.machines import Odoo
from support.mailgun_modules import Modules, simulated
from support.modules import clean_environment, run_module
from support.playbooks import ROOT
from support.watch import Watch

pytestmark = pytest.mark.integration

DOMAIN = "mg.acme.example"
BASE, OTHER = f"no-reply@{DOMAIN}", f"no-reply-2@{DOMAIN}"
VAULT, KEY, API_KEY = "group_vars/acme/vault.yml", "vault_login", "vault_mailgun_api_key"
FIRST = "canary-first-password-4fe8aa61"
SERVER, QUEUE = "Mailgun", "mail.ir_cron_mail_scheduler_action"
HELD = "mailops.queue_held_since"
PLAYBOOK = str(ROOT / "playbooks" / "rotate_credentials.yml")


class System:
    """An inventory of one database, its vault, its Odoo, and the simulator. `let` decides who may log in there.

    Every run is as talkative as can be, and is watched: `told` has all that was printed, logged, given as an argument
    or left in a file, and must never have a secret.
    """

    def __init__(self, folder: Path, odoo: Odoo) -> None:
        self.folder, self.odoo = folder, odoo
        self.told: set[bytes] = set()
        self.secrets: set[str] = {FIRST}
        self.logins: list[str] = []
        self.let: Callable[[str], bool] = lambda login: True
        self.credential = {
            "login": "no-reply",
            "password": f"{{{{ {KEY} | default('') }}}}",
            "vault_key": KEY,
            "vault_file": VAULT,
        }
        self.servers = [self.server(SERVER)]
        self.vault = folder / "inventory" / VAULT
        self.vault.parent.mkdir(parents=True)
        (folder / "password").write_text("the vault's password\n")
        (folder / "temporary").mkdir()

    def server(self, name: str) -> dict[str, Any]:
        """Return a server of the policy that uses the login."""
        return {"name": name, "smtp_user": BASE, "smtp_pass": f"{{{{ {KEY} }}}}"}

    def prepare(self, modules: Modules) -> None:
        """Make the domain, its login, and Odoo's server, as site.yml leaves them."""
        self.modules, self.mailgun = modules, modules.mailgun
        modules.run("domain", name=DOMAIN)
        modules.run("credential", domain=DOMAIN, login=BASE, password=FIRST)
        self.in_odoo(SERVER)
        self.keep({API_KEY: self.mailgun.key, KEY: FIRST})
        self.logins.clear()

    def in_odoo(self, name: str) -> None:
        """Make a server in Odoo that uses the login."""
        where = {name: self.modules.smtp[name] for name in ("smtp_host", "smtp_port")}
        way = {"encryption": "starttls", "verify": False, "adopt": False, "from_filter": [BASE]}
        login = {"smtp_user": BASE, "smtp_pass": FIRST}
        result = run_module("mail_server", {**self.odoo.connection(), "name": name, **where, **way, **login})
        assert not result.get("failed"), result

    def keep(self, values: dict[str, str]) -> None:
        """Put these values into the vault, and nothing else."""
        self.vault.write_bytes(self._vault().encrypt(yaml.safe_dump(values)))

    def kept(self) -> dict[str, str]:
        """Return what is in the vault, without the key of the API."""
        found: dict[str, str] = yaml.safe_load(self._vault().decrypt(self.vault.read_bytes()))
        self.secrets |= {found[name] for name in (KEY, f"{KEY}_next") if name in found}
        return {name: value for name, value in found.items() if name != API_KEY}

    def _vault(self) -> VaultLib:
        return VaultLib([("default", VaultSecret(b"the vault's password"))])

    def logged_in(self, login: str) -> bool:
        """Note who logs in with the right password, and say whether that is let in."""
        self.logins.append(login)
        return self.let(login)

    def _write(self) -> None:
        domain = {"name": DOMAIN, "credentials": [self.credential]}
        policy = {
            "version": 1,
            "odoo": {"servers": self.servers},
            "providers": [{"provider": "mailgun", "api_key": f"{{{{ {API_KEY} }}}}", "domains": [domain]}],
            "inbound": {},
        }
        variables = {
            "mail_policy": policy,
            "odoo_connection": self.odoo.connection(),
            "mailgun_api_url": self.mailgun.us,
            "mailgun_smtp_host": self.modules.smtp["smtp_host"],
            "mailgun_smtp_port": self.modules.smtp["smtp_port"],
            "mailgun_ca_file": self.modules.smtp["smtp_ca_file"],
            "credential_rotation_grace": 0,
        }
        (self.vault.parent / "main.yml").write_text(yaml.safe_dump(variables))
        local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        groups = {"acme": {"children": {"odoo_databases": {"hosts": {"acme_prod": local}}}}}
        (self.folder / "inventory" / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}))

    def run(self, *arguments: str, due: bool = True, stop: Callable[[], bool] | None = None) -> tuple[int, str]:
        """Run the playbook; return its exit code and what it printed.

        Everything is `due`, or nothing. When it prints a line and `stop` says so it is killed, with all its processes.
        """
        self._write()
        temporary, log = self.folder / "temporary", self.folder / "ansible.log"
        age = json.dumps({"rotate_older_than": "0d" if due else "90d"})
        command = ["ansible-playbook", PLAYBOOK, "-i", str(self.folder / "inventory"), "--tags", "mailgun_login",
                   "-e", age, "-vvv", "--diff", *arguments]  # fmt: skip
        environment = {
            **clean_environment(),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_VAULT_PASSWORD_FILE": str(self.folder / "password"),
            "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_LOCAL_TEMP": str(temporary),
            "ANSIBLE_REMOTE_TEMP": str(temporary),
        }
        printed = []
        with (
            Watch(temporary) as watch,
            subprocess.Popen(
                command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as run,
        ):  # fmt: skip
            assert run.stdout
            for line in run.stdout:
                printed.append(line)
                if stop and stop():
                    os.killpg(run.pid, signal.SIGKILL)
                    break
        self.kept()
        self.told |= {*watch.seen, "".join(printed).encode(), log.read_bytes()}
        return run.returncode, " ".join("".join(printed).split())

    def applied(self, *arguments: str, due: bool = True) -> tuple[int, str]:
        """Run the playbook, which must go well; return how many tasks changed something, and what was printed."""
        code, printed = self.run(*arguments, due=due)
        assert code == 0, printed
        return sum(int(count) for count in re.findall(r"changed=(\d+)", printed)), printed

    def failed(self, *arguments: str) -> str:
        """Run the playbook, which must fail; return what is printed."""
        code, printed = self.run(*arguments)
        assert code == 2, printed
        return printed

    def works(self, login: str, password: str) -> bool:
        """Whether Mailgun takes a login with a password."""
        return bool(self.mailgun.simulator.state.authenticates("us", login, password.encode()))

    def odoo_uses(self, login: str, password: str) -> bool:
        """Whether all servers in Odoo have this login and password, and Odoo can send by them."""
        servers = self.odoo.call("ir.mail_server", "search_read", [], ["smtp_user", "smtp_pass"])
        used = {(one["smtp_user"], one["smtp_pass"]) for one in servers}
        self.odoo.call("ir.mail_server", "test_smtp_connection", [one["id"] for one in servers])
        return used == {(login, password)}

    def queue_runs(self) -> bool:
        """Whether Odoo's queue runs, and is not marked as held."""
        model, number = self.odoo.call("ir.model.data", "check_object_reference", *QUEUE.split("."))
        marks = self.odoo.call("ir.config_parameter", "search_count", [("key", "=", HELD)])
        return bool(self.odoo.call(model, "read", [number], ["active"])[0]["active"]) and not marks

    def is_as_before(self) -> bool:
        """Whether the first password is in force everywhere, and nothing is left of another."""
        as_before = self.works(BASE, FIRST) and self.odoo_uses(BASE, FIRST) and self.queue_runs()
        return as_before and self.kept() == {KEY: FIRST} and self.logins_at_mailgun() == [BASE]

    def logins_at_mailgun(self) -> list[str]:
        """Return the domain's logins, without the one that belongs to it."""
        path = f"{self.mailgun.us}/v3/domains/{DOMAIN}/credentials"
        answer = requests.get(path, auth=("api", self.mailgun.key), timeout=10)
        return sorted(one["login"] for one in answer.json()["items"] if not one["login"].startswith("postmaster@"))

    def assert_untold(self) -> None:
        """Assert that no password was told anywhere, and that there was something to look at."""
        assert any(b"ansible-playbook" in told for told in self.told)
        for secret in (self.mailgun.key, *self.secrets):
            assert not [told for told in self.told if secret.encode() in told]


def here(peer: str) -> str:
    """Return this machine's address on the way to another."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        route.connect((peer, 9))  # sends nothing
        return str(route.getsockname()[0])


@pytest.fixture
def system(tmp_path: Path, odoo: Odoo) -> Iterator[System]:
    odoo.clear("ir.mail_server")
    made = System(tmp_path, odoo)
    with simulated(tmp_path, here(odoo.ip), made.logged_in) as modules:
        made.prepare(modules)
        yield made


def test_the_logins_of_a_pair_take_turns(system: System) -> None:
    before = system.vault.read_bytes()
    changed, printed = system.applied("--check")
    assert f"Odoo is switched to {OTHER}, in one write: {SERVER}" in printed
    assert changed == 0
    assert system.vault.read_bytes() == before
    assert system.is_as_before()

    system.applied()
    kept = system.kept()
    assert sorted(kept) == [KEY, f"{KEY}_login", f"{KEY}_rotated"]
    assert kept[f"{KEY}_login"] == OTHER
    assert kept[KEY] != FIRST
    assert system.odoo_uses(OTHER, kept[KEY])
    assert system.logins_at_mailgun() == [OTHER]

    written = system.vault.read_bytes()
    assert system.applied(due=False)[0] == 0
    assert system.vault.read_bytes() == written

    system.applied()
    last = system.kept()
    assert (last[f"{KEY}_login"], last[KEY] in (FIRST, kept[KEY])) == (BASE, False)
    assert system.odoo_uses(BASE, last[KEY])
    assert system.logins_at_mailgun() == [BASE]
    assert not system.works(BASE, FIRST)
    system.assert_untold()


def another_server(system: System) -> None:
    """Let Odoo have a server with the login of which the policy does not know."""
    system.in_odoo("Shop")


def another_password(system: System) -> None:
    """Let the policy have a server that logs in with another password."""
    system.servers.append({**system.server("Other"), "smtp_pass": "canary-other-password"})
    system.in_odoo("Other")
    system.secrets.add("canary-other-password")


def another_user(system: System) -> None:
    """Let Mailgun have the other login, made by somebody."""
    system.modules.run("credential", domain=DOMAIN, login=OTHER, password="canary-somebody-s-password")
    system.secrets.add("canary-somebody-s-password")


def the_system_s_own(system: System) -> None:
    """Let the login be the one that belongs to the domain."""
    system.credential["login"] = "postmaster"
    system.servers = []


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (another_server, "Shop in acme_prod would not be able to log in any more"),
        (another_password, f"smtp_pass of acme_prod logs in as {BASE}, with something"),
        (another_user, f"Mailgun has the login {OTHER} already"),
        (the_system_s_own, "Say strategy in_place for it"),
    ],
)
def test_what_a_rotation_would_break_is_refused(system: System, spoil: Callable[[System], None], told: str) -> None:
    spoil(system)
    before, users = system.vault.read_bytes(), system.odoo.call("ir.mail_server", "search_read", [], ["smtp_user"])
    printed = system.failed()
    assert told in printed, printed
    assert system.vault.read_bytes() == before
    assert system.odoo.call("ir.mail_server", "search_read", [], ["smtp_user"]) == users
    assert system.works(BASE, FIRST)
    system.assert_untold()


def mailgun_refuses(system: System) -> None:
    """Let Mailgun refuse the new login."""
    system.mailgun.fail("reason", method="POST", path="/credentials")


def odoo_cannot_log_in(system: System) -> None:
    """Let the new login in once, when it is proved, and not when Odoo tests its connection."""
    system.let = lambda login: login == BASE or system.logins.count(OTHER) < 2


@pytest.mark.parametrize(
    ("spoil", "step"),
    [
        (mailgun_refuses, "Mailgun has the other login, with the pending password:"),
        (odoo_cannot_log_in, "The servers get login and password in one write in acme_prod:"),
    ],
)
def test_what_fails_before_the_switch_is_undone(system: System, spoil: Callable[[System], None], step: str) -> None:
    spoil(system)
    printed = system.failed()
    assert step in printed, printed
    assert "The rotation was undone" in printed
    system.let = lambda login: True
    assert system.is_as_before()
    system.assert_untold()


def test_a_vault_that_is_changed_underneath(system: System) -> None:
    """What somebody else wrote stays; the rest is undone, and Mailgun and Odoo go on with what they had."""

    def let(login: str) -> bool:
        if login == OTHER and system.logins.count(OTHER) == 2:  # Odoo tests its connection
            held = system.kept()
            system.keep({**held, API_KEY: system.mailgun.key, KEY: "canary-by-somebody-else"})
        return True

    system.let = let
    printed = system.failed()
    assert f"somebody has changed {KEY} since this run looked" in printed
    assert "The rotation was undone" in printed
    assert system.kept() == {KEY: "canary-by-somebody-else"}
    assert system.odoo_uses(BASE, FIRST)
    assert system.logins_at_mailgun() == [BASE]
    system.assert_untold()


def test_a_run_that_is_killed_when_odoo_was_switched_is_completed(system: System) -> None:
    code, _printed = system.run(stop=lambda: system.logins.count(OTHER) == 2)
    assert code == -signal.SIGKILL
    held = system.kept()
    assert (held[KEY], held[f"{KEY}_next_login"]) == (FIRST, OTHER)
    assert system.odoo_uses(OTHER, held[f"{KEY}_next"])
    assert system.logins_at_mailgun() == [OTHER, BASE]

    # It is carried on with, though it is not due.
    system.applied(due=False)
    kept = system.kept()
    assert sorted(kept) == [KEY, f"{KEY}_login", f"{KEY}_rotated"]
    assert (kept[KEY], kept[f"{KEY}_login"]) == (held[f"{KEY}_next"], OTHER)
    assert system.odoo_uses(OTHER, kept[KEY])
    assert system.logins_at_mailgun() == [OTHER]
    assert system.applied(due=False)[0] == 0
    system.assert_untold()


def refused_mail(odoo: Odoo, reason: str) -> int:
    """Put a mail into the queue that was refused just now."""
    number = odoo.call("mail.mail", "create", {"email_from": BASE, "email_to": "x@customer.example", "subject": "x"})
    odoo.call("mail.mail", "write", [number], {"state": "exception", "failure_reason": reason})
    return int(number)


def test_a_login_of_its_own_gets_another_password(system: System) -> None:
    """The queue is held meanwhile, also while no run does anything about it; what was refused waits again."""
    system.credential["strategy"] = "in_place"
    refused = refused_mail(system.odoo, "(535, b'5.7.8 authentication failed')")
    broken = refused_mail(system.odoo, "(550, b'5.1.1 no such mailbox')")
    code, _printed = system.run(stop=lambda: system.logins.count(BASE) == 2)
    assert code == -signal.SIGKILL
    held = system.kept()
    assert held[KEY] == FIRST
    assert system.odoo_uses(BASE, held[f"{KEY}_next"])
    assert not system.queue_runs()

    system.applied(due=False)
    kept = system.kept()
    assert sorted(kept) == [KEY, f"{KEY}_rotated"]
    assert kept[KEY] == held[f"{KEY}_next"]
    assert system.odoo_uses(BASE, kept[KEY])
    assert system.logins_at_mailgun() == [BASE]
    assert not system.works(BASE, FIRST)
    assert system.queue_runs()
    states = system.odoo.call("mail.mail", "read", [refused, broken], ["state"])
    assert [one["state"] for one in states] == ["outgoing", "exception"]
    assert system.applied(due=False)[0] == 0
    system.assert_untold()


def test_a_password_in_place_that_odoo_cannot_use_is_undone(system: System) -> None:
    system.credential["strategy"] = "in_place"
    system.let = lambda login: system.logins.count(BASE) != 2
    printed = system.failed()
    assert "The servers get login and password in one write in acme_prod" in printed
    assert "The rotation was undone" in printed
    assert system.is_as_before()
    system.assert_untold()
