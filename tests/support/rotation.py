# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of rotate_credentials.yml with an inventory and a vault of their own, and what their reports say."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from support.machines import NAMESPACE
from support.playbooks import ROOT, ansible_playbook

PLAYBOOK = str(ROOT / "playbooks" / "rotate_credentials.yml")
VAULT = "group_vars/acme/vault.yml"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
SAID = "What there is to say"


class Vaulted:
    """An inventory's vault, and runs of the playbook with it; `told` is all that they printed."""

    def __init__(self, inventory: Path, password: Path) -> None:
        self.inventory = inventory
        self.file = inventory / VAULT
        self.told = ""
        self._password = password
        self._vault = VaultLib([("default", VaultSecret(password.read_bytes().strip()))])

    @classmethod
    def made(
        cls, folder: Path, hosts: Mapping[str, Mapping[str, Any]], values: dict[str, str], **variables: Any
    ) -> Vaulted:
        """Make an inventory of databases, by name their variables, and its vault with these values."""
        inventory = folder / "inventory"
        (inventory / VAULT).parent.mkdir(parents=True)
        (folder / "password").write_text("the vault's password\n")
        databases = {"hosts": {name: {**LOCAL, **said} for name, said in hosts.items()}}
        acme = {"children": {"odoo_databases": databases}, "vars": {"mail_vault_file": VAULT, **variables}}
        (inventory / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"acme": acme}}}))
        vault = cls(inventory, folder / "password")
        vault.write(values)
        return vault

    def values(self) -> dict[str, str]:
        """Return what is in the vault."""
        found: dict[str, str] = yaml.safe_load(self._vault.decrypt(self.file.read_bytes()))
        return found

    def write(self, values: dict[str, str]) -> None:
        """Put these values into the vault, and nothing else."""
        self.file.write_bytes(self._vault.encrypt(yaml.safe_dump(values)))

    def rotate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the playbook as talkatively as it can."""
        config = self.inventory.parent / "ansible.cfg"
        config.write_text(f"[defaults]\nvault_password_file = {self._password}\ncallback_result_format = yaml\n")
        done = ansible_playbook(
            PLAYBOOK, "-i", str(self.inventory), "-vvv", "--diff", *arguments,
            ANSIBLE_CONFIG=str(config),
            MAILOPS_NAMESPACE=NAMESPACE, ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".ansible" / "collections"),
        )  # fmt: skip
        self.told += done.stdout + done.stderr
        return done


def result(done: subprocess.CompletedProcess[str], name: str) -> str:
    """Return what the report says of a secret: its result, and what there is to say, in one line."""
    assert SAID in done.stdout, done.stdout[-5000:] + done.stderr[-2000:]
    shown = done.stdout[done.stdout.index("Result  ", done.stdout.index("What was rotated,")) :].splitlines()
    header, _line, *table = itertools.takewhile(str.strip, shown)
    indent = len(table[0]) - len(table[0].lstrip())
    column = header.index(SAID) + indent
    rows = [number for number, line in enumerate(table) if line[indent] != " "]
    (start,) = [number for number in rows if table[number].split()[1] == name]
    rest = [table[start], *itertools.takewhile(lambda line: line[indent] == " ", table[start + 1 :])]
    return " ".join([table[start].split()[0], *" ".join(line[column:] for line in rest).split()])
