# SPDX-License-Identifier: GPL-3.0-or-later
"""A login at a simulated Mailgun whose password is rotated, and an Odoo whose server uses it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import requests

from support.conductor import Step, on
from support.machines import Odoo
from support.mailgun_modules import Modules, simulated
from support.modules import run_module
from support.rotation import VAULT, Vaulted

DOMAIN = "mg.acme.example"
BASE, OTHER = f"no-reply@{DOMAIN}", f"no-reply-2@{DOMAIN}"
KEY, API_KEY = "vault_login", "vault_mailgun_api_key"
FIRST = "canary-first-password-4fe8aa61"
SERVER, QUEUE = "Mailgun", "mail.ir_cron_mail_scheduler_action"
HELD = "mailops.queue_held_since"


class System:
    """An inventory of one database, its vault, its Odoo, and the simulator. `let` decides who may log in there."""

    def __init__(self, folder: Path, odoo: Odoo) -> None:
        self.odoo = odoo
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
        self.vault = Vaulted.made(folder, {}, {})

    def server(self, name: str) -> dict[str, Any]:
        """Return a server of the policy that uses the login."""
        return {"name": name, "smtp_user": BASE, "smtp_pass": f"{{{{ {KEY} }}}}"}

    def prepare(self, modules: Modules) -> None:
        """Make the domain, its login, and Odoo's server, as site.yml leaves them."""
        self.modules, self.mailgun = modules, modules.mailgun
        modules.run("domain", name=DOMAIN)
        modules.run("credential", domain=DOMAIN, login=BASE, password=FIRST)
        self.in_odoo(SERVER)
        self.keep({KEY: FIRST})
        self.logins.clear()

    def in_odoo(self, name: str) -> None:
        """Make a server in Odoo that uses the login."""
        where = {name: self.modules.smtp[name] for name in ("smtp_host", "smtp_port")}
        way = {"encryption": "starttls", "verify": False, "adopt": False, "from_filter": [BASE]}
        login = {"smtp_user": BASE, "smtp_pass": FIRST}
        result = run_module("mail_server", {**self.odoo.connection(), "name": name, **where, **way, **login})
        assert not result.get("failed"), result

    def keep(self, values: dict[str, str]) -> None:
        """Put these values into the vault, beside the key of the API."""
        self.vault.write({**values, API_KEY: self.mailgun.key})

    def kept(self) -> dict[str, str]:
        """Return what is in the vault, without the key of the API."""
        found = self.vault.values()
        self.secrets |= {found[name] for name in (KEY, f"{KEY}_next") if name in found}
        return {name: value for name, value in found.items() if name != API_KEY}

    def logged_in(self, login: str) -> bool:
        """Note who logs in with the right password, and say whether that is let in."""
        self.logins.append(login)
        return self.let(login)

    def run(self, *arguments: str, due: bool = True, step: Step = on) -> subprocess.CompletedProcess[str]:
        """Run the playbook, in which everything is `due`, or nothing; what it prints is made one line."""
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
        self.vault.declare({"acme_prod": variables})
        age = json.dumps({"rotate_older_than": "0d" if due else "90d"})
        done = self.vault.rotate("--tags", "mailgun_login", "-e", age, *arguments, step=step)
        if self.vault.file.exists():
            self.kept()
        done.stdout = " ".join(done.stdout.split())
        return done

    def applied(self, *arguments: str, due: bool = True) -> str:
        """Run the playbook, which must go well; return what is printed."""
        done = self.run(*arguments, due=due)
        assert done.returncode == 0, done.stdout[-10000:]
        return str(done.stdout)

    def unchanged(self) -> bool:
        """Run the playbook, where nothing is due; return whether nothing was changed, in the vault neither."""
        before = self.vault.file.read_bytes()
        return "changed=0" in self.applied(due=False) and self.vault.file.read_bytes() == before

    def failed(self, *arguments: str, step: Step = on) -> str:
        """Run the playbook, which must fail; return what is printed."""
        done = self.run(*arguments, step=step)
        assert done.returncode == 2, done.stdout[-10000:]
        return str(done.stdout)

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

    def is_rotated(self) -> bool:
        """Whether a new password is in force everywhere, and nothing is left of the first or of the rotation."""
        kept = self.kept()
        active = kept.get(f"{KEY}_login", BASE)
        return (
            kept.keys() - {f"{KEY}_login"} == {KEY, f"{KEY}_rotated"}
            and kept[KEY] != FIRST
            and self.odoo_uses(active, kept[KEY])
            and self.queue_runs()
            and self.logins_at_mailgun() == [active]
            and not self.works(BASE, FIRST)
        )

    def has_lost_nothing(self) -> bool:
        """Whether Mailgun takes a value of the vault, and Odoo has such a one."""
        kept = self.kept()
        active = kept.get(f"{KEY}_login", BASE)
        values = {(active, kept[KEY]), (kept.get(f"{KEY}_next_login", active), kept.get(f"{KEY}_next", kept[KEY]))}
        (server,) = self.odoo.call("ir.mail_server", "search_read", [], ["smtp_user", "smtp_pass"])
        works = any(self.works(login, password) for login, password in values)
        return works and (server["smtp_user"], server["smtp_pass"]) in values

    def logins_at_mailgun(self) -> list[str]:
        """Return the domain's logins, without the one that belongs to it."""
        path = f"{self.mailgun.us}/v3/domains/{DOMAIN}/credentials"
        answer = requests.get(path, auth=("api", self.mailgun.key), timeout=10)
        return sorted(one["login"] for one in answer.json()["items"] if not one["login"].startswith("postmaster@"))

    def mail(self, **values: Any) -> int:
        """Put a mail into the queue, as one that stays there when it is sent."""
        said = {"email_from": BASE, "email_to": "x@customer.example", "auto_delete": False, **values}
        return int(self.odoo.call("mail.mail", "create", said))

    def refused_mail(self, reason: str) -> int:
        """Put a mail into the queue that was refused just now."""
        mail = self.mail()
        self.odoo.call("mail.mail", "write", [mail], {"state": "exception", "failure_reason": reason})
        return mail

    def sent_at_once(self) -> int:
        """Have Odoo send a mail now, whatever comes of it."""
        mail = self.mail()
        with self._beside_the_queue():
            self.odoo.call("mail.mail", "send", [mail])
        return mail

    def sent(self, *mails: int) -> bool:
        """Have Odoo send its queue, and say whether these mails are sent."""
        with self._beside_the_queue():
            self.odoo.call("mail.mail", "process_email_queue")
        return set(self.states(*mails)) == {"sent"}

    @staticmethod
    def _beside_the_queue() -> AbstractContextManager[None]:
        """Let Odoo's own scheduled action be at the same mails: the database then lets one of both send them."""
        return contextlib.suppress(AssertionError)

    def states(self, *mails: int) -> list[str]:
        """Return the states of mails."""
        return [one["state"] for one in self.odoo.call("mail.mail", "read", list(mails), ["state"])]

    def told(self) -> list[str]:
        """Return the secrets that were told anywhere."""
        return self.vault.tells((self.mailgun.key, *self.secrets))


@contextmanager
def system(folder: Path, odoo: Odoo) -> Iterator[System]:
    """Yield a system in which the first password is in force, and no mail waits."""
    odoo.clear("ir.mail_server")
    odoo.call("mail.mail", "write", odoo.call("mail.mail", "search", [["state", "=", "outgoing"]]), {"state": "cancel"})
    made = System(folder, odoo)
    with simulated(folder, _here(odoo.ip), made.logged_in) as modules:
        made.prepare(modules)
        yield made


def _here(peer: str) -> str:
    """Return this machine's address on the way to another."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        route.connect((peer, 9))  # sends nothing
        return str(route.getsockname()[0])
