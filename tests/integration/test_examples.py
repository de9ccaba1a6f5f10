# SPDX-License-Identifier: GPL-3.0-or-later
"""Every EXAMPLES block runs as it stands, only against another database."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import secretfiles
import yaml
from support.machines import Odoo
from support.playbooks import ROOT, local_play, run_playbook

pytestmark = pytest.mark.integration

MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
# They change files of a machine and have no connection to Odoo.
ON_HOSTS = ("file_tree", "odoo_conf")
# Only a password makes an API key.
WITH_PASSWORD = ("odoo_api_key",)
CONNECTION = ("odoo_url", "odoo_database", "odoo_login", "odoo_password")
VAULTED = (
    "vault_odoo_admin_password",
    "vault_zoho_smtp_password",
    "vault_mailgun_smtp_password",
    "vault_mail_delivery_token",
)
PREPARED: dict[str, tuple[str, dict[str, Any]]] = {
    name: (
        "alias_domain",
        {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"},
    )
    for name in ("mail_alias", "mail_aliases", "company_mail", "companies_mail")
}


def examples(path: Path) -> list[dict[str, Any]]:
    """Return the tasks of a module's EXAMPLES."""
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "EXAMPLES":
            tasks: list[dict[str, Any]] = yaml.safe_load(ast.literal_eval(statement.value))
            return tasks
    raise AssertionError(f"{path.name} has no EXAMPLES")


def run_examples(odoo: Odoo, folder: Path, paths: list[Path]) -> None:
    """Run the examples in one playbook: starting ansible-playbook for each module takes longer than the examples."""
    tasks: list[dict[str, Any]] = []
    for path in paths:
        if path.stem in PREPARED:
            module, options = PREPARED[path.stem]
            tasks.append({"name": f"For {path.stem}", f"mailops.odoo.{module}": options})
        for task in examples(path):
            for module in [key for key in task if key.startswith("mailops.odoo.")]:
                task[module] = {key: value for key, value in (task[module] or {}).items() if key not in CONNECTION}
            tasks.append(task)
    # Odoo logs in at the providers with these.
    variables = {**dict.fromkeys(VAULTED, "from-the-vault"), **secretfiles.values()}
    done = run_playbook([local_play(tasks, odoo.connection())], folder, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_run(odoo: Odoo, tmp_path: Path) -> None:
    run_examples(odoo, tmp_path, [path for path in MODULES if path.stem not in (*ON_HOSTS, *WITH_PASSWORD)])


def test_the_examples_that_need_a_password_run(odoo_with_password: Odoo, tmp_path: Path) -> None:
    run_examples(odoo_with_password, tmp_path, [path for path in MODULES if path.stem in WITH_PASSWORD])
