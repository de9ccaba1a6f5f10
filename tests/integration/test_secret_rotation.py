# SPDX-License-Identifier: GPL-3.0-or-later
"""secret_rotation and the filters around it, with ansible-playbook: a secret's way, other runs, and what shows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.vault_site import VAULT, Site, examples
from support.waiting import until

LOGIN = {"name": "vault_a", "kind": "mailgun_login", "file": VAULT, "base": "no-reply@mg.acme.example"}
KEY = {"name": "vault_b", "kind": "odoo_api_key", "file": VAULT, "base": "mailops"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    found.encrypt(found.vault, "vault_a: old-a\nvault_b: old-b\n")
    return found


def rotation(secret: dict[str, Any], move: str = "look", *, no_log: bool = True, **options: Any) -> dict[str, Any]:
    """Return a task."""
    task: dict[str, Any] = {"mailops.odoo.secret_rotation": {"secret": secret, "move": move, **options}}
    return {**task, "no_log": True} if no_log else task


def values(site: Site) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load(site.view(site.vault))
    return found


def test_a_login_s_way(site: Site) -> None:
    """Each task is a process of its own; all are one run."""
    look, predicted, begun, again, switched, over = site.results(
        [
            rotation(LOGIN, no_log=False),
            {**rotation(LOGIN, "begin"), "check_mode": True},
            rotation(LOGIN, "begin"),
            rotation(LOGIN, "begin"),
            rotation(LOGIN, "switch"),
            rotation(LOGIN, "finish", no_log=False),
        ]
    )
    assert (look["phase"], look["active"], look["next_active"]) == (
        "idle",
        "no-reply@mg.acme.example",
        "no-reply-2@mg.acme.example",
    )
    assert not look["changed"] and "current" not in look and len(look["steps"]) == 8
    assert predicted["changed"] and predicted["phase"] == "idle" and predicted["next"] == ""
    assert begun["changed"] and begun["phase"] == "pending" and begun["current"] == "old-a" and begun["by"]
    assert len(begun["next"]) == 32 and begun["next"].isalnum()
    assert not again["changed"] and again["next"] == begun["next"]
    assert (switched["phase"], switched["current"], switched["former"]) == ("switched", begun["next"], look["active"])
    assert (over["phase"], over["active"], over["by"]) == ("idle", look["next_active"], "")
    assert "-vault_a_rotation" not in str(over["diff"]) and "vault_a_rotation: (hidden)" in over["diff"]["before"]
    assert values(site) == {
        "vault_a": begun["next"],
        "vault_b": "old-b",
        "vault_a_login": look["next_active"],
        "vault_a_rotated": over["rotated"],
    }


def test_a_key_s_way_back(site: Site) -> None:
    begun, made, undone = site.results(
        [rotation(KEY, "begin"), rotation(KEY, "made", value="of Odoo"), rotation(KEY, "undo", no_log=False)]
    )
    assert (begun["phase"], begun["next_active"], begun["next"]) == ("begun", "mailops-2", "")
    assert (made["phase"], made["next"]) == ("pending", "of Odoo")
    assert undone["phase"] == "idle" and undone["in_force"] == f"In force is vault_b of {VAULT}, for mailops."
    assert values(site) == {"vault_a": "old-a", "vault_b": "old-b"}


REFUSED = [
    (rotation(KEY, "made", value="new"), "the rotation of vault_b is idle, and not begun or pending"),
    (rotation(KEY, "made"), "value is for the move made"),
    (rotation(KEY, "begin", value="hunter2"), "value is for the move made"),
    (rotation(KEY, "made", value=["hunter2"]), "value is not a text"),
    (rotation({**KEY, "kind": "password"}), "secret.kind is 'password'"),
    (rotation({**KEY, "strategy": "twice"}), "secret.strategy is 'twice'"),
    (rotation({"name": "vault_b", "kind": "given"}), "secret.file is missing"),
    (rotation({**KEY, "name": "vault_none"}), "vault_none is not in "),
    (rotation({**KEY, "file": "group_vars/none.yml"}), "vault_b is not in "),
    (rotation({**KEY, "kind": "given"}, "begin"), "Have the provider make a new one"),
    (rotation(LOGIN, "finish"), "the rotation of vault_a is idle, and not switched"),
]


def test_what_is_refused(site: Site) -> None:
    before = site.vault.read_bytes()
    results = site.results([task for task, _message in REFUSED])
    for result, (task, message) in zip(results, REFUSED, strict=True):
        assert result["failed"] and message in result["msg"], (task, result)
        assert "hunter2" not in result["msg"] and result["msg"].endswith("Nothing was written.")
    assert site.vault.read_bytes() == before


def test_a_run_that_lives_keeps_others_out_and_one_that_was_killed_does_not(site: Site) -> None:
    """The first is stopped after it has begun, by a task that waits for a file that never comes."""
    wait = {
        "ansible.builtin.wait_for": {"path": str(site.folder / "never"), "timeout": 300},
        "delegate_to": "localhost",
    }
    tasks = [rotation(LOGIN, "begin"), {**wait, "connection": "local"}]
    playbook = site.folder / "first.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "one", "gather_facts": False, "tasks": tasks}]))
    command = ["ansible-playbook", str(playbook), "-i", str(site.inventory), "--vault-id", f"dev@{site.folder / 'dev'}"]
    first = subprocess.Popen(
        command, env={**os.environ, **site.environment}, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: "vault_a_rotation" in values(site), "the first run to begin")
        pending = values(site)["vault_a_next"]
        (refused,) = site.results([rotation(LOGIN, "begin", take_over=True, no_log=False)])
        assert refused["failed"] and refused["error"] == "conflict"
        assert f"it is being rotated already, by process {first.pid} on " in refused["msg"]
        (other,) = site.results([rotation(LOGIN, "switch", no_log=False)])
        assert "another run has taken over the rotation of vault_a" in other["msg"]
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert values(site)["vault_a_next"] == pending
    taken, over = site.results([rotation(LOGIN, "begin"), rotation(LOGIN, "switch")])
    assert taken["changed"] and taken["next"] == pending and over["current"] == pending


def test_a_run_on_another_host_is_given_an_hour(site: Site) -> None:
    elsewhere = "1-1 another.example 7 {} pending"
    begun = {"vault_a": "old-a", "vault_a_next": "new-a", "vault_a_next_login": "no-reply-2@mg.acme.example"}
    site.encrypt(site.vault, yaml.safe_dump({**begun, "vault_a_rotation": elsewhere.format("2999-01-01T00:00:00Z")}))
    refused, taken = site.results([rotation(LOGIN, "begin", no_log=False), rotation(LOGIN, "begin", take_over=True)])
    assert "by process 7 on another.example since 2999" in refused["msg"] and "rotate_take_over" in refused["msg"]
    assert taken["phase"] == "pending" and taken["next"] == "new-a"
    site.encrypt(site.vault, yaml.safe_dump({**begun, "vault_a_rotation": elsewhere.format("2020-01-01T00:00:00Z")}))
    (taken,) = site.results([rotation(LOGIN, "begin")])
    assert taken["phase"] == "pending"


def test_hosts_that_begin_at_once_are_one_run_with_one_value(site: Site) -> None:
    done = site.run([{**rotation(LOGIN, "begin"), "throttle": 1}], hosts="acme")
    assert done.returncode == 0, done.stdout + done.stderr
    found = [site.left_by(host)[0]["next"] for host in ("one", "two", "three")]
    assert set(found) == {values(site)["vault_a_next"]}


def test_the_secrets_of_an_inventory_and_the_report(site: Site) -> None:
    """The filters, from the inventory's templates to the table; no value is in it."""
    hosts = site.inventory / "hosts.yml"
    groups = json.loads(hosts.read_text())
    groups["all"]["children"]["odoo_databases"] = {"hosts": {"one": {}}}
    groups["all"]["children"]["mail_gateways"] = {"hosts": {"two": {}}}
    hosts.write_text(json.dumps(groups))
    (site.vault.parent / "main.yml").write_text(
        "mail_delivery_token: '{{ vault_a }}'\n"
        "pending: &pending '{{ vault_a_next | default(vault_a_previous | default(\"\"), true) }}'\n"
        "mail_delivery_pending_token: *pending\n"
        "lmtp_bridge_databases: [{name: acme, token: '{{ vault_a }}', pending_token: *pending}]\n"
        "odoo_connection: {odoo_url: https://odoo.acme.example, odoo_api_key: '{{ vault_b }}'}\n"
        f"mail_vault_file: {VAULT}\n"
    )
    secrets = "{{ groups | mailops.odoo.mail_secrets(hostvars) }}"
    rows = "{{ secrets | mailops.odoo.mail_rotations(looks, '30d', ['vault_a'], ['bridge_token']) }}"
    tasks = [
        {
            "mailops.odoo.secret_rotation": {"secret": "{{ item }}"},
            "loop": "{{ secrets }}",
            "loop_control": {"label": "{{ item.name }}"},
            "register": "looked",
        },
        {
            "ansible.builtin.debug": {"msg": "{{ rows | mailops.odoo.mail_rotation_report }}"},
            "vars": {
                "looks": "{{ dict(looked.results | map(attribute='item.name') | zip(looked.results)) }}",
                "rows": rows,
            },
            "register": "told",
        },
        {"ansible.builtin.debug": {"msg": "{{ told.msg | mailops.odoo.mail_rotation_table }}"}, "register": "table"},
        {
            "ansible.builtin.copy": {
                "content": "{{ [told.msg, table.msg] | to_json }}",
                "dest": f"{site.folder}/told.json",
            }
        },
    ]
    play = {"hosts": "one", "connection": "local", "gather_facts": False, "vars": {"secrets": secrets}, "tasks": tasks}
    play["vars"]["ansible_python_interpreter"] = "{{ ansible_playbook_python }}"
    done = site.play(play, "-i", str(site.inventory), "-vvv")
    assert done.returncode == 0, done.stdout + done.stderr
    told, table = json.loads((site.folder / "told.json").read_text())
    found = {row["name"]: (row["kind"], row["chosen"], row["result"]) for row in told["secrets"]}
    assert found == {"vault_a": ("bridge_token", True, "due"), "vault_b": ("odoo_api_key", False, "due")}
    assert "vault_a" in table and "2 secrets: 2 due." in table
    assert "old-a" not in done.stdout and "old-b" not in done.stdout


def test_the_examples_run(site: Site) -> None:
    site.encrypt(site.vault, "vault_mail_delivery_token: old\n")
    play = {"hosts": "one", "gather_facts": False, "tasks": examples("secret_rotation")}
    done = site.play(play, "-i", str(site.inventory))
    assert done.returncode == 0, done.stdout + done.stderr
    assert values(site).keys() == {"vault_mail_delivery_token", "vault_mail_delivery_token_rotated"}
    assert values(site)["vault_mail_delivery_token"] != "old"


def test_no_value_shows_anywhere(site: Site) -> None:
    site.encrypt(site.inventory / "group_vars" / "acme" / "given.yml", "given: canary-given-canary\n")
    site.encrypt(site.vault, "vault_a: canary-old-canary\nvault_b: canary-key-canary\n")
    fails = {"ignore_errors": True}
    tasks = [
        rotation(LOGIN, no_log=False),
        rotation(LOGIN, "begin", no_log=False),
        {**rotation(LOGIN, "begin"), "register": "begun"},
        {**rotation(LOGIN, "made", value="{{ begun.next }}", no_log=False), **fails},
        rotation(LOGIN, "switch", no_log=False),
        rotation(LOGIN, "finish", no_log=False),
        rotation(KEY, "begin", no_log=False),
        {**rotation(KEY, "made", value="{{ [given] }}", no_log=False), **fails},
        rotation(KEY, "made", value="{{ given }}", no_log=False),
        {**rotation(KEY, "finish", no_log=False), **fails},
        rotation(KEY, "undo", no_log=False),
    ]
    done, seen = site.watched({"hosts": "one", "gather_facts": False, "tasks": tasks})
    assert done.returncode == 0 and done.stdout.count("...ignoring") == 3, done.stdout + done.stderr
    canaries = ["canary-given-canary", "canary-old-canary", "canary-key-canary", values(site)["vault_a"]]
    assert len(canaries[-1]) == 32
    assert [what for what, text in seen.items() for canary in canaries if canary in text] == []


def test_a_move_of_what_somebody_has_changed(site: Site) -> None:
    begun, changed, same = site.results(
        [
            rotation(LOGIN, "begin"),
            {**rotation(LOGIN, "switch", no_log=False, known={"vault_a": "canary-not-this"}), "ignore_errors": True},
            rotation(LOGIN, "switch", known={"vault_a": "old-a"}),
        ]
    )
    assert changed["failed"] and "somebody has changed vault_a since this run looked" in changed["msg"]
    assert "canary" not in str(changed)
    assert (same["phase"], same["current"]) == ("switched", begun["next"])
