# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory with a vaulted file, for the tasks that change one, and a look at all that a run leaves."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultSecret
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.vault import Vault

from support.playbooks import ROOT, ansible_playbook

VAULT = "group_vars/acme/vault.yml"


# Python runs this first, in every process that it begins: what is executed, and the last content of every file that
# is renamed or removed, is kept.
HOOK = """
import os, sys
LEFT = os.environ["LEFT"]
def note(*parts):
    with open(f"{LEFT}/{os.getpid()}", "ab") as file:
        file.write(b"\\n".join(parts) + b"\\n")
def audit(event, arguments):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
        note(f"{event} {arguments!r}".encode())
    elif event in ("os.remove", "os.rename"):
        path = os.fsdecode(arguments[0])
        if os.path.isabs(path) and os.path.isfile(path):
            with open(path, "rb") as file:
                note(f"{event} {path}".encode(), file.read())
sys.addaudithook(audit)
note(repr(sys.argv).encode())
"""


# Leaves its arguments in a file, in a fraction of the time of a module.
KEEP = """
import json
from ansible.plugins.action import ActionBase
class ActionModule(ActionBase):
    _requires_connection = False
    def run(self, tmp=None, task_vars=None):
        what = self._task.args["what"]
        with open(self._task.args["to"], "w") as file:
            file.write(what if isinstance(what, str) else json.dumps(what))
        return {}
"""


class Site:
    """An inventory of one group `acme`, whose hosts cannot be reached, and the vault passwords of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inventory = folder / "inventory"
        self.vault = self.inventory / VAULT
        self.vault.parent.mkdir(parents=True)
        (folder / "ansible.cfg").touch()
        (folder / "log").mkdir()
        (folder / "action_plugins").mkdir()
        (folder / "action_plugins" / "keep.py").write_text(KEEP)
        acme = {"hosts": dict.fromkeys(("one", "two", "three"), {"ansible_host": "192.0.2.1"})}
        (self.inventory / "hosts.yml").write_text(json.dumps({"all": {"children": {"acme": acme}}}))
        for vault_id in ("dev", "prod"):
            (folder / vault_id).write_text(f"the {vault_id} password\n")
        self.environment = {
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible" / "collections"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_LOG_PATH": str(folder / "log" / "ansible.log"),
        }

    def run(
        self, tasks: list[dict[str, Any]], *arguments: str, vault_ids: tuple[str, ...] = ("dev",), hosts: str = "one"
    ) -> subprocess.CompletedProcess[str]:
        """Run the tasks; what each registered as r0, r1, … is left for `results`."""
        named = [{"name": f"Task {n}", "register": f"r{n}", **task} for n, task in enumerate(tasks)]
        keep = {
            "name": "Keep the results",
            "keep": {
                "what": "{{ [" + ", ".join(f"r{n}" for n in range(len(tasks))) + "] | to_json }}",
                "to": f"{self.folder}/results-{{{{ inventory_hostname }}}}.json",
            },
            "check_mode": False,
            "no_log": True,
        }
        play = {"hosts": hosts, "gather_facts": False, "tasks": [*named, keep]}
        return self.play(play, "-i", str(self.inventory), *arguments, vault_ids=vault_ids)

    def play(
        self, play: dict[str, Any], *arguments: str, vault_ids: tuple[str, ...] = ("dev",), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        playbook = self.folder / "playbook.yml"
        playbook.write_text(yaml.safe_dump([play], sort_keys=False))
        ids = [part for one in vault_ids for part in ("--vault-id", f"{one}@{self.folder / one}")]
        return ansible_playbook(str(playbook), *ids, *arguments, **{**self.environment, **environment})

    def results(
        self, tasks: list[dict[str, Any]], *arguments: str, vault_ids: tuple[str, ...] = ("dev",), host: str = "one"
    ) -> list[dict[str, Any]]:
        """Run the tasks on one host, whether they fail or not, and return their results."""
        tasks = [{"ignore_errors": True, **task} for task in tasks]
        done = self.run(tasks, *arguments, vault_ids=vault_ids, hosts=host)
        assert done.returncode == 0, done.stdout + done.stderr
        found: list[dict[str, Any]] = self.left_by(host)
        return found

    def left_by(self, host: str) -> Any:
        return json.loads((self.folder / f"results-{host}.json").read_text())

    def watched(self, play: dict[str, Any], *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
        """Run a play at its most talkative; return it, and all that it printed, executed or left in files."""
        left, hook = self.folder / "left", self.folder / "hook"
        left.mkdir()
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK)
        places = {"LEFT": str(left), "PYTHONPATH": str(hook)}
        done = self.play(play, "-i", str(self.inventory), "-vvvvv", "--diff", *arguments, **places)
        seen = {"output": done.stdout, "errors": done.stderr}
        for path in self.folder.rglob("*"):
            if path.is_file():
                seen[str(path.relative_to(self.folder))] = path.read_bytes().decode("utf-8", "replace")
        return done, seen

    def view(self, path: Path, vault_id: str = "dev") -> str:
        """Return the text of an encrypted file."""
        return self._vault(vault_id).open(path.read_text(), path.name, vault_id)[0]

    def encrypt(self, path: Path, text: str, vault_id: str = "dev") -> None:
        """Write the text encrypted."""
        path.write_text(self.encrypted(text, vault_id))

    def encrypted(self, text: str, vault_id: str = "dev") -> str:
        """Return the text encrypted."""
        vault = self._vault(vault_id)
        return vault.seal(text, vault.seal_for())

    def _vault(self, vault_id: str) -> Vault:
        return Vault([(vault_id, VaultSecret((self.folder / vault_id).read_bytes().strip()))])

    def ansible_vault(self, *arguments: str) -> str:
        """Return what ansible-vault prints."""
        environment = {**os.environ, **self.environment, "PAGER": "cat"}
        done = subprocess.run(
            ["ansible-vault", *arguments], env=environment, text=True, capture_output=True, check=True
        )
        return done.stdout


def examples(module: str) -> list[dict[str, Any]]:
    """Return the tasks of a module's EXAMPLES."""
    for statement in ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text()).body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "EXAMPLES":
            tasks: list[dict[str, Any]] = yaml.safe_load(ast.literal_eval(statement.value))
            return tasks
    raise AssertionError(f"{module} has no EXAMPLES")
