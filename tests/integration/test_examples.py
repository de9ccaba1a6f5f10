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
from support.modules import run_module
from support.playbooks import ROOT, local_play, run_playbook

pytestmark = pytest.mark.integration

MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
# They change files of a machine and have no connection to Odoo.
ON_HOSTS = ("file_tree", "odoo_conf")
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


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem not in ON_HOSTS], ids=lambda path: path.stem)
def test_examples_run(odoo: Odoo, tmp_path: Path, path: Path) -> None:
    if path.stem in PREPARED:
        module, options = PREPARED[path.stem]
        run_module(module, {**odoo.connection(), **options})
    tasks = examples(path)
    for task in tasks:
        for module in [key for key in task if key.startswith("mailops.odoo.")]:
            task[module] = {key: value for key, value in (task[module] or {}).items() if key not in CONNECTION}
    # Odoo logs in at the providers with these.
    variables = {**dict.fromkeys(VAULTED, "from-the-vault"), **secretfiles.values()}
    done = run_playbook([local_play(tasks, odoo.connection())], tmp_path, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
