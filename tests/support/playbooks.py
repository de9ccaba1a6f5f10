# SPDX-License-Identifier: GPL-3.0-or-later
"""Running playbooks as an administrator does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from support.machines import NAMESPACE
from support.modules import clean_environment

ROOT = Path(__file__).resolve().parents[2]


def run_playbook(
    plays: list[dict[str, Any]], folder: Path, *arguments: str, variables: dict[str, Any] | None = None
) -> subprocess.CompletedProcess[str]:
    """Write the plays and variables into `folder` and run them with ansible-playbook; return its result."""
    playbook = folder / "playbook.yml"
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
    extra = folder / "variables.json"
    extra.touch(mode=0o600)
    extra.write_text(json.dumps(variables or {}))
    return ansible_playbook(str(playbook), "--inventory", "localhost,", "--extra-vars", f"@{extra}", *arguments)


def ansible_playbook(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ansible-playbook from the checkout, on the tests' namespace."""
    return subprocess.run(
        ["ansible-playbook", *arguments],
        cwd=ROOT,
        env={
            **clean_environment(),
            "MAILOPS_NAMESPACE": NAMESPACE,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            **environment,
        },
        text=True,
        capture_output=True,
        check=False,
    )


def local_play(tasks: list[dict[str, Any]], connection: dict[str, Any], group: str = "odoo") -> dict[str, Any]:
    """Return a play that runs our modules on the controller, an action group of them with this connection."""
    return {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "module_defaults": {f"group/mailops.odoo.{group}": connection},
        "tasks": tasks,
    }
