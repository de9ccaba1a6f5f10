# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of one secret has nothing to do with what became of another in the same run; nothing answers here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.conductor import Broken
from support.mailgun_modules import simulated
from support.playbooks import ansible_playbook, local_play, run_playbook
from support.rotation import Vaulted, result

pytestmark = pytest.mark.integration

NOWHERE = "https://127.0.0.1:9"
POLICY: dict[str, Any] = {
    "version": 1,
    "odoo": {},
    "providers": [
        {"provider": "mailgun", "api_key": "{{ vault_given }}", "domains": [{"name": "mg.acme.example"}]},
    ],
}
CONNECTION = {
    "odoo_url": NOWHERE,
    "odoo_database": "prod",
    "odoo_login": "admin",
    "odoo_password": "canary-password",
    "odoo_api_key": "{{ vault_key }}",
}


def test_what_is_switched_is_not_undone_as_another_was(tmp_path: Path) -> None:
    """The key was switched by a run that was killed; what is left of the old one cannot be removed now."""
    key = {
        "vault_key": "canary-new-key",
        "vault_key_name": "mailops-2",
        "vault_key_former_name": "mailops",
        "vault_key_rotated": "2026-05-04T12:00:00Z",
        "vault_key_rotation": "0-1 elsewhere 1 2026-05-04T12:00:00Z switched",
    }
    given = {"vault_given": "canary-given", "vault_given_next": "canary-given-next"}
    host = {"odoo_connection": CONNECTION, "mail_policy": POLICY, "mailgun_api_url": NOWHERE}
    vault = Vaulted.made(tmp_path, {"acme_prod": host}, {**key, **given})
    done = vault.rotate()
    assert "The rotation was undone." in result(done, "vault_given")
    said = result(done, "vault_key")
    assert said.startswith("failed Odoo is asked with the key that is the current one now:")
    assert "Undoing" not in said, said
    assert "The rotation was undone" not in said, said
    kept = vault.values()
    assert {name: kept[name] for name in (*key, *given) if name != "vault_key_rotation"} == {
        name: value for name, value in (key | given).items() if name != "vault_key_rotation"
    }
    assert vault.tells({"canary-password", "canary-new-key", *given.values()}) == []


DEAD = "0-1 elsewhere 1 2026-01-01T00:00:00Z"
BEGUN = {"vault_key": "canary-old-key", "vault_key_next_name": "mailops-2", "vault_key_rotation": f"{DEAD} begun"}
# What another run, on another controller, has made of a rotation that this one has begun.
FINISHED = {"vault_key": "canary-new-key", "vault_key_name": "mailops-2", "vault_key_rotated": "2026-05-04T12:00:00Z"}
TAKEN_OVER = {
    "vault_key": "canary-old-key",
    "vault_key_next": "canary-new-key",
    "vault_key_next_name": "mailops-2",
    "vault_key_rotation": "0-1 elsewhere 1 2026-05-04T12:00:00Z pending",
}


@pytest.mark.parametrize("other", [FINISHED, TAKEN_OVER], ids=["finished", "taken over"])
def test_a_run_that_was_overtaken_undoes_nothing(tmp_path: Path, other: dict[str, str]) -> None:
    """What it would remove is in force by now, or the other run is about to use it."""
    # By a run that was killed the key was made already, or not yet.
    before = {**TAKEN_OVER, "vault_key_rotation": f"{DEAD} pending"} if other is FINISHED else BEGUN
    vault = Vaulted.made(tmp_path, {"acme_prod": {"odoo_connection": CONNECTION}}, before)

    @contextmanager
    def overtaken() -> Iterator[None]:
        vault.write(other)
        yield

    task = "Look whether Odoo takes the key" if other is FINISHED else "A key that a killed run left is removed"
    with Broken(task, overtaken()) as step:
        said = result(vault.rotate(step=step), "vault_key")
    assert "cannot be reached" in said
    assert "Undoing" not in said, said
    assert "undone" not in said, said
    assert vault.values() == other


def test_what_two_policies_share_is_proved_for_both(tmp_path: Path) -> None:
    """The account has the first one's domain, and nobody has the second one's."""
    with simulated(tmp_path) as modules:
        modules.run("domain", name="mg.acme.example")
        hosts = {}
        for name in ("acme", "beta"):
            account = {**POLICY["providers"][0], "domains": [{"name": f"mg.{name}.example"}]}
            hosts[name] = {"mail_policy": {**POLICY, "providers": [account]}, "mailgun_api_url": modules.mailgun.us}
        values = {"vault_given": "canary-given", "vault_given_next": modules.mailgun.key}
        vault = Vaulted.made(tmp_path, hosts, values)
        said = result(vault.rotate(), "vault_given")
        assert "is of an account that does not have mg.beta.example" in said, said
        assert vault.values() == values
        modules.run("domain", name="mg.beta.example")
        assert result(vault.rotate(), "vault_given").startswith("rotated")


def test_secrets_are_named_as_one_writes_them_on_a_command_line(tmp_path: Path) -> None:
    values = {"vault_given": "canary-given", "vault_given_next": "canary-given-next", **BEGUN}
    vault = Vaulted.made(tmp_path, {"acme": {"odoo_connection": CONNECTION, "mail_policy": POLICY}}, values)
    done = vault.rotate("--check", "-e", "rotate_secrets=vault_key,vault_given")
    assert done.returncode == 0, done.stdout[-5000:]
    assert [result(done, name).split()[0] for name in ("vault_key", "vault_given")] == ["planned", "planned"]


GATEWAYS = """
- hosts: mail_gateways
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: mailops.odoo.credential_rotation
        tasks_from: bridge_gateway
    - ansible.builtin.debug:
        msg: "{{ credential_rotation_trouble }}"
"""


def test_a_gateway_is_not_left_alone_after_one_of_other_databases(tmp_path: Path) -> None:
    """A gateway that fails keeps back those that have a token with it, and no others; here none has a Python."""
    token = {"name": "vault_token", "phase": "pending", "previous": "vault_token_previous", "databases": ["acme"]}
    local = {"ansible_connection": "local", "ansible_python_interpreter": str(tmp_path / "none")}
    gateways: dict[str, Any] = {
        "broken": {**local, "credential_rotation_trouble": "broken: Reach it: no"},
        "other": local,
        "together": local,
    }
    databases = {
        "acme": {"credential_rotation_token": {**token, "gateways": ["other"]}},
        "beta": {"credential_rotation_token": {**token, "gateways": ["broken", "together"]}},
    }
    children = {"odoo_databases": {"hosts": databases}, "mail_gateways": {"hosts": gateways}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": children}}))
    (tmp_path / "play.yml").write_text(GATEWAYS)
    done = ansible_playbook(tmp_path / "play.yml", "-i", str(tmp_path / "hosts.yml"), "--limit", "other,together")
    told = " ".join(done.stdout.split())
    assert "together: No gateway before this one has failed: it was left alone, after broken." in told
    assert "other: Reach it" in told, told
    assert "other: No gateway before this one" not in told


def test_the_token_is_tried_at_the_address_that_the_modules_call(tmp_path: Path) -> None:
    """They take a URL with a slash at its end, too; Odoo answers one that is doubled with a redirect."""
    called: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.requestline.split()[1])
            self.send_error(403)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        variables = {
            "credential_rotation_name": "vault_token",
            "credential_rotation_secrets": [{"name": "vault_token", "hosts": []}],
            "credential_rotation_held": {"next": "canary-token", "phase": "pending"},
            "odoo_connection": {"odoo_url": f"http://127.0.0.1:{server.server_port}/", "odoo_database": "prod"},
        }
        role = {"name": "mailops.odoo.credential_rotation", "tasks_from": "bridge_token/switch"}
        tasks = [{"ansible.builtin.include_role": role}]
        done = run_playbook([local_play(tasks, {})], tmp_path, variables=variables)
        server.shutdown()
    assert "answered the new token with 403" in done.stdout, done.stdout
    assert called == ["/mail_delivery/aliases"]
