# SPDX-License-Identifier: GPL-3.0-or-later
"""vault_values as an administrator runs it, with ansible-playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support.vault_site import VAULT, Site, examples


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    found.encrypt(found.vault, "vault_a: old-a\nvault_b: old-b # of B\n")
    return found


def change(*, no_log: bool = True, **options: Any) -> dict[str, Any]:
    """Return a task."""
    task: dict[str, Any] = {"mailops.odoo.vault_values": {"file": VAULT, **options}}
    return {**task, "no_log": True} if no_log else task


def test_several_change_at_once_and_only_from_what_is_known(site: Site) -> None:
    swap = {
        "values": {"vault_a": "{{ 'new' }}-a", "vault_number": 12},
        "absent": ["vault_b"],
        "generate": {"vault_c": None, "vault_d": {"length": 20, "alphabet": ["digits"]}},
        "expected": {"vault_a": "old-a", "vault_c": None},
    }
    check = {"check_mode": True}
    quiet = {"values": {"vault_a": "other"}, "expected": {"vault_a": "new-a"}}
    predicted, done, again, silent, same = site.results(
        [
            {**change(**swap), **check},
            change(**swap),
            change(**swap),
            change(no_log=False, **quiet),
            change(values={"vault_a": "other"}, generate={"vault_c": {}}, absent=["vault_b"]),
        ],
        "--diff",
    )
    assert predicted["changed"] and predicted["values"] == {"vault_a": "old-a", "vault_b": "old-b"}
    assert predicted["generated"] == done["generated"] == ["vault_c", "vault_d"]
    values = done["values"]
    assert (values["vault_a"], values["vault_number"]) == ("new-a", "12") and len(values["vault_c"]) == 32
    assert values["vault_d"].isdigit() and values.keys() == {"vault_a", "vault_number", "vault_c", "vault_d"}
    assert done["diff"]["before"] == "vault_a: (hidden)\nvault_b: (hidden)\n"
    hidden = "vault_a: (hidden, changed)\nvault_number: (hidden)\nvault_c: (hidden)\nvault_d: (hidden)\n"
    assert done["diff"]["after"] == hidden
    assert again["failed"] and again["error"] == "conflict" and "vault_a, vault_c in " in again["msg"]
    assert again["msg"].endswith("Somebody changed the file meanwhile; run again. Nothing was written.")
    assert silent["changed"] and "values" not in silent
    assert not same["changed"] and same["generated"] == [] and same["values"]["vault_c"] == values["vault_c"]
    assert yaml.safe_load(site.view(site.vault)) == {**values, "vault_a": "other"}


REFUSED = [
    (change(), "no variable is named"),
    (change(generate={"vault_c": {}}, no_log=False), "the values would be printed. Set no_log: true on the task."),
    (change(values={"vault_a": "x"}, absent=["vault_a"]), "vault_a: given in more than one of"),
    (change(values={"vault_a": ["hunter2"]}), "values.vault_a is not a text"),
    (change(values={"vault_a": None}), "values.vault_a is not a text"),
    (change(values={"vault_a": ""}), "the value for vault_a is empty"),
    (change(values={"vault-a": "hunter2"}), "key vault-a is not the name of a variable"),
    (change(absent=["vault_a"], expected={"vault_a": True}), "expected.vault_a is not a text"),
    (change(absent=["vault_a"], expected={"vault_a": "hunter2"}), "vault_a in "),
    (change(generate={"vault_c": "hunter2"}), "generate.vault_c is no dictionary"),
    (change(generate={"vault_c": {"size": 4}}), "generate.vault_c: size"),
    (change(generate={"vault_c": {"length": "long"}}), "generate.vault_c: "),
    (change(generate={"vault_c": {"length": 3}}), "can be guessed"),
    (change(values={"vault_a": "hunter2"}, vault_id="prod"), "is encrypted under the vault id dev, not prod"),
]


def test_what_is_refused(site: Site) -> None:
    before = site.vault.read_bytes()
    results = site.results([task for task, _message in REFUSED])
    for result, (task, message) in zip(results, REFUSED, strict=True):
        assert result["failed"] and message in result["msg"], (task, result)
        assert "hunter2" not in result["msg"]
    assert site.vault.read_bytes() == before


def test_the_examples_run(site: Site) -> None:
    play = {"hosts": "one", "gather_facts": False, "tasks": examples("vault_values")}
    done = site.play(play, "-i", str(site.inventory))
    assert done.returncode == 0, done.stdout + done.stderr
    values = yaml.safe_load(site.view(site.vault))
    assert values.keys() == {"vault_a", "vault_b", "vault_shop_password", "vault_shop_password_login"}
    assert len(values["vault_shop_password"]) == 32


def test_no_value_shows_anywhere(site: Site) -> None:
    site.encrypt(site.inventory / "group_vars" / "acme" / "given.yml", "given: canary-given-canary\n")
    site.encrypt(site.vault, "vault_a: canary-old-canary\n")
    given, fails = "{{ given }}", {"ignore_errors": True}
    tasks = [
        change(values={"vault_b": given}, expected={"vault_a": "{{ vault_a }}"}, no_log=False),
        change(values={"vault_a": given}, generate={"vault_c": {}}, expected={"vault_a": "{{ vault_a }}"}),
        {**change(values={"vault_a": given}, expected={"vault_b": "{{ vault_a }}"}, no_log=False), **fails},
        {**change(values={"vault_a": "{{ [given] }}"}, no_log=False), **fails},
        {**change(values={"vault_a": given, "vault-b": given}, no_log=False), **fails},
        {**change(values=given, no_log=False), **fails},
        {**change(absent=["vault_c"], expected=given, no_log=False), **fails},
    ]
    done, seen = site.watched({"hosts": "one", "gather_facts": False, "tasks": tasks})
    assert done.returncode == 0 and done.stdout.count("...ignoring") == 5, done.stdout + done.stderr
    made = yaml.safe_load(site.view(site.vault))["vault_c"]
    canaries = ("canary-given-canary", "canary-old-canary", made)
    assert [(what, text) for what, text in seen.items() for canary in canaries if canary in text] == []
    assert "+vault_b: (hidden)" in seen["log/ansible.log"] and "os.rename" in str(seen.values())
