# SPDX-License-Identifier: GPL-3.0-or-later
"""Every EXAMPLES block runs as it stands, only against another database."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import secretfiles
import yaml
from jinja2.nativetypes import NativeEnvironment
from support.machines import BULK_LOGIN, Internet, Odoo
from support.modules import run_module
from support.playbooks import ROOT, local_play, run_playbook

pytestmark = pytest.mark.integration

MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
DNS = ("dns_record_set", "dns_record_sets", "mail_dns")
MAILGUN = ("mailgun_credential", "mailgun_credentials", "mailgun_domain", "mailgun_domain_info")
# They have no connection to Odoo, and tests of their own run their examples.
WITHOUT_ODOO = (
    "bridge_tokens",
    "file_tree",
    "odoo_conf",
    "smtp_probe",
    "mail_authentication_info",
    "mail_dns_info",
    "mail_domain_info",
    "secret_rotation",
    "vault_value",
    "vault_values",
    *DNS,
    *MAILGUN,
)
# Only a password makes an API key.
WITH_PASSWORD = ("odoo_api_key",)
CONNECTION = ("odoo_url", "odoo_database", "odoo_login", "odoo_password")
VAULTED = (
    "vault_odoo_admin_password",
    "vault_zoho_smtp_password",
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


def tasks(path: Path) -> list[dict[str, Any]]:
    """Return the examples with what they need, for a connection that is given elsewhere."""
    found = examples(path)
    if path.stem in PREPARED:
        module, options = PREPARED[path.stem]
        found.insert(0, {"name": f"For {path.stem}", f"mailops.odoo.{module}": options})
    for task in found:
        for module in called(task):
            task[module] = {key: value for key, value in (task[module] or {}).items() if key not in CONNECTION}
    return found


def called(task: dict[str, Any]) -> list[str]:
    """Return which of our modules the task calls, if it calls one."""
    return [key for key in task if key.startswith("mailops.odoo.")]


def run_in_a_playbook(odoo: Odoo, folder: Path, found: list[dict[str, Any]], variables: dict[str, str]) -> None:
    """Run the tasks as they stand."""
    done = run_playbook([local_play(found, odoo.connection())], folder, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr


def run_here(odoo: Odoo, found: list[dict[str, Any]], variables: dict[str, str]) -> None:
    """Run the tasks' modules in this process: a playbook takes a second for each of them."""
    environment = NativeEnvironment()
    for task in found:
        (module,) = called(task)
        assert set(task) <= {"name", module, "no_log"}, task
        options = _templated(environment, task[module], variables)
        result = run_module(
            module.rpartition(".")[2], {**odoo.connection(), **options}, no_log=task.get("no_log", False)
        )
        assert not result.get("failed"), (task["name"], result)


def _templated(environment: NativeEnvironment, value: Any, variables: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _templated(environment, item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_templated(environment, item, variables) for item in value]
    return environment.from_string(value).render(variables) if isinstance(value, str) and "{{" in value else value


@pytest.fixture
def variables(tmp_path: Path, internet: Internet) -> dict[str, str]:
    """What the examples refer to; Odoo logs in at the providers with these passwords."""
    bulk = {"vault_mailgun_smtp_password": internet.accounts[BULK_LOGIN]}
    vaulted = {**dict.fromkeys(VAULTED, "from-the-vault"), **secretfiles.values(), **bulk}
    return {**vaulted, "playbook_dir": str(tmp_path)}


def test_the_examples_run(odoo: Odoo, tmp_path: Path, variables: dict[str, str]) -> None:
    """Those that do something with a module's answer need a playbook."""
    for path in MODULES:
        if path.stem in (*WITHOUT_ODOO, *WITH_PASSWORD):
            continue
        found = tasks(path)
        if all(called(task) for task in found):
            run_here(odoo, [{key: task[key] for key in task if key != "register"} for task in found], variables)
        else:
            run_in_a_playbook(odoo, tmp_path, found, variables)


def test_the_examples_that_need_a_password_run(
    odoo_with_password: Odoo, tmp_path: Path, variables: dict[str, str]
) -> None:
    for path in MODULES:
        if path.stem in WITH_PASSWORD:
            run_in_a_playbook(odoo_with_password, tmp_path, tasks(path), variables)
