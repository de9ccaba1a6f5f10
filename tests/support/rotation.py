# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of rotate_credentials.yml with an inventory and a vault of their own, and what their reports say."""

from __future__ import annotations

import itertools
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from support.conductor import Step, conducted, on
from support.machines import NAMESPACE, Odoo
from support.mailgun import Mailgun
from support.modules import clean_environment
from support.playbooks import ROOT
from support.watch import Watch

PLAYBOOK = str(ROOT / "playbooks" / "rotate_credentials.yml")
VAULT = "group_vars/acme/vault.yml"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
SAID = "What there is to say"


class Vaulted:
    """An inventory's vault, and runs of the playbook with it.

    Every run is as talkative as can be, and is watched: `told` has all that was printed, logged, given as an argument
    or left in a file, and must never have a secret.
    """

    def __init__(self, inventory: Path, password: Path) -> None:
        self.inventory = inventory
        self.file = inventory / VAULT
        self.told: set[bytes] = set()
        self._password = password
        self._vault = VaultLib([("default", VaultSecret(password.read_bytes().strip()))])

    @classmethod
    def made(
        cls, folder: Path, hosts: Mapping[str, Mapping[str, Any]], values: dict[str, str], **variables: Any
    ) -> Vaulted:
        """Make an inventory of databases, by name their variables, and its vault with these values."""
        (folder / "password").write_text("the vault's password\n")
        vault = cls(folder / "inventory", folder / "password")
        vault.file.parent.mkdir(parents=True)
        vault.declare(hosts, **variables)
        vault.write(values)
        return vault

    def declare(self, hosts: Mapping[str, Mapping[str, Any]], **variables: Any) -> None:
        """Write the inventory of these databases, by name their variables, and of what they have in common."""
        databases = {"hosts": {name: {**LOCAL, **said} for name, said in hosts.items()}}
        acme = {"children": {"odoo_databases": databases}, "vars": {"mail_vault_file": VAULT, **variables}}
        (self.inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"acme": acme}}}))

    def values(self) -> dict[str, str]:
        """Return what is in the vault."""
        found: dict[str, str] = yaml.safe_load(self._vault.decrypt(self.file.read_bytes()))
        return found

    def write(self, values: dict[str, str]) -> None:
        """Put these values into the vault, and nothing else."""
        self.file.write_bytes(self._vault.encrypt(yaml.safe_dump(values)))

    def rotate(self, *arguments: str, step: Step = on) -> subprocess.CompletedProcess[str]:
        """Run the playbook; at each of its steps `step` decides whether it is killed."""
        with tempfile.TemporaryDirectory() as folder:
            log, temporary = Path(folder, "log"), Path(folder, "temporary")
            temporary.mkdir()
            environment = {
                **clean_environment(),
                "MAILOPS_NAMESPACE": NAMESPACE,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_VAULT_PASSWORD_FILE": str(self._password),
                "ANSIBLE_LOG_PATH": str(log),
                "ANSIBLE_LOCAL_TEMP": str(temporary),
                "ANSIBLE_REMOTE_TEMP": str(temporary),
            }
            command = ["ansible-playbook", PLAYBOOK, "-i", str(self.inventory), "-vvv", "--diff", *arguments]
            with Watch(temporary) as watch:
                done = conducted(command, environment, step)
            self.told |= {*watch.seen, done.stdout.encode(), log.read_bytes()}
        return done

    def applied(self, *arguments: str) -> int:
        """Run the playbook, which must go well; return how many tasks changed something."""
        done = self.rotate(*arguments)
        assert done.returncode == 0, done.stdout[-10000:]
        return sum(int(count) for count in re.findall(r"changed=(\d+)", done.stdout))

    def tells(self, secrets: Iterable[str]) -> list[str]:
        """Return those of the secrets that were told anywhere; there was something to look at."""
        assert any(b"ansible-playbook" in told for told in self.told)
        return [secret for secret in secrets if any(secret.encode() in told for told in self.told)]


@contextmanager
def away(vault: Vaulted) -> Iterator[None]:
    """Let the vault file be away."""
    elsewhere = vault.file.with_suffix(".away")
    vault.file.rename(elsewhere)
    yield
    elsewhere.rename(vault.file)


@contextmanager
def without_connections(odoo: Odoo) -> Iterator[None]:
    """Let an Odoo have no connection to its database."""
    odoo.postgres(
        f'ALTER DATABASE "{odoo.database}" ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{odoo.database}'",
    )
    yield
    odoo.postgres(f'ALTER DATABASE "{odoo.database}" ALLOW_CONNECTIONS true')


@contextmanager
def failing(mailgun: Mailgun) -> Iterator[None]:
    """Let all calls of Mailgun's API fail."""
    mailgun.fail("html", count=1000)
    yield
    mailgun.api.faults.clear()


def breaking(what: str, mailgun: Mailgun, odoo: Odoo, vault: Vaulted) -> AbstractContextManager[None]:
    """Return what lets one of them fail: mailgun, odoo or vault."""
    return {"mailgun": failing(mailgun), "odoo": without_connections(odoo), "vault": away(vault)}[what]


def rotated(done: subprocess.CompletedProcess[str], name: str) -> str:
    """Return when a secret was rotated, as the report says."""
    shown = done.stdout[done.stdout.index("Result  ", done.stdout.index("What was rotated,")) :].splitlines()
    return next(line.split()[2] for line in shown if line.split()[1:2] == [name])


def result(done: subprocess.CompletedProcess[str], name: str) -> str:
    """Return what the report says of a secret: its result, and what there is to say, in one line."""
    assert SAID in done.stdout, done.stdout[-5000:]
    shown = done.stdout[done.stdout.index("Result  ", done.stdout.index("What was rotated,")) :].splitlines()
    header, _line, *table = itertools.takewhile(str.strip, shown)
    indent = len(table[0]) - len(table[0].lstrip())
    column = header.index(SAID) + indent
    rows = [number for number, line in enumerate(table) if line[indent] != " "]
    (start,) = [number for number in rows if table[number].split()[1] == name]
    rest = [table[start], *itertools.takewhile(lambda line: line[indent] == " ", table[start + 1 :])]
    return " ".join([table[start].split()[0], *" ".join(line[column:] for line in rest).split()])
