# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook exchanges API keys of Odoo 14 and 19, and what Mailgun gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.machines import Odoo
from support.mailgun_modules import Modules, simulated
from support.rotating_keys import Case, account
from support.rotation import VAULT, Vaulted, result

pytestmark = pytest.mark.integration

OLD_RUN = "0 elsewhere 1 2026-01-01T00:00:00Z begun"


class Keys:
    """One run over an inventory with a host for each thing that can be the matter, and what it left."""

    def __init__(self, folder: Path, new: Odoo, old: Odoo, mailgun: Modules) -> None:
        self.cases = {
            case.name: case
            for case in (
                # A run was killed after Odoo had made the key, and before the vault had it.
                Case("begun19", new, ("mailops", "mailops-2")),
                Case("begun14", old, ("mailops", "mailops-2")),
                Case("twice", new, ("mailops", "mailops")),
                Case("without", new, ("mailops",), password=False),
                Case("by_hand", new, ("mailops", "another"), password=False),
                Case("wrong", new, ("mailops",)),
                Case("taken", new, ("mailops", "mailops-2")),
            )
        }
        mailgun.run("domain", name="mg.acme.example")
        vault = {f"vault_{case.name}": case.made[0] for case in self.cases.values()}
        for name in ("begun19", "begun14"):
            vault |= {f"vault_{name}_rotation": OLD_RUN, f"vault_{name}_next_name": "mailops-2"}
        vault["vault_by_hand_next"] = self.cases["by_hand"].made[1]
        vault["vault_wrong_next"] = "canary-of-nobody"
        key = mailgun.mailgun
        vault |= {"vault_mailgun": key.key, "vault_mailgun_next": key.read_key}
        vault |= {"vault_foreign": f"{key.key}", "vault_foreign_next": key.other_key}
        hosts: dict[str, Any] = {name: {"odoo_connection": case.connection} for name, case in self.cases.items()}
        hosts |= {name: account(name) for name in ("mailgun", "foreign")}
        self.vault = Vaulted.made(folder, hosts, vault, mailgun_api_url=key.us)
        self.before = vault
        key.calls()
        self.planned = self.vault.rotate("--check")
        assert self.vault.values() == vault
        self.done = self.vault.rotate()
        self.after = self.vault.values()
        self.calls = key.calls()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory, shared: Callable[[str, str], Odoo]) -> Iterator[Keys]:
    databases = [shared("common", machine) for machine in ("odoo", "odoo14")]
    for database in databases:
        if not database.key:
            database.give_key()
    with simulated(tmp_path_factory.mktemp("simulator")) as mailgun:
        yield Keys(tmp_path_factory.mktemp("keys"), *databases, mailgun)


@pytest.mark.parametrize("name", ["begun19", "begun14"])
def test_a_key_is_exchanged_by_the_run_after_the_one_that_was_killed(keys: Keys, name: str) -> None:
    assert result(keys.done, f"vault_{name}").startswith("rotated")
    case, new = keys.cases[name], keys.after[f"vault_{name}"]
    assert case.named() == ["mailops-2"]
    assert case.takes(new)
    assert not any(map(case.takes, case.made))
    left = {variable for variable in keys.after if variable.startswith(f"vault_{name}")}
    assert left == {f"vault_{name}", f"vault_{name}_name", f"vault_{name}_rotated"}
    assert keys.after[f"vault_{name}_name"] == "mailops-2"


def test_of_two_keys_with_the_former_ones_name_none_is_removed(keys: Keys) -> None:
    said = result(keys.done, "vault_twice")
    assert said.startswith("rotated")
    assert "2 keys are named mailops" in said
    case = keys.cases["twice"]
    assert case.named() == ["mailops", "mailops", "mailops-2"]
    assert case.takes(keys.after["vault_twice"])


def test_without_a_password_a_key_is_due_and_what_to_do_is_told(keys: Keys) -> None:
    said = result(keys.done, "vault_without")
    assert said.startswith("due")
    assert "Set odoo_password in odoo_connection" in said
    assert f"write it into {VAULT} as vault_without_next" in said
    assert keys.after["vault_without"] == keys.before["vault_without"]


def test_a_key_that_was_made_by_hand_is_put_into_force(keys: Keys) -> None:
    said = result(keys.done, "vault_by_hand")
    assert said.startswith("rotated")
    assert "Remove the former key in Odoo, in the preferences of by_hand" in said
    assert keys.after["vault_by_hand"] == keys.before["vault_by_hand_next"]
    assert not {"vault_by_hand_next", "vault_by_hand_rotation", "vault_by_hand_name"} & keys.after.keys()


def test_a_key_that_odoo_refuses_stays_where_it_was_written_and_is_not_in_force(keys: Keys) -> None:
    said = result(keys.done, "vault_wrong")
    assert said.startswith("failed")
    assert "Odoo is asked with the new key" in said
    assert "In force is" in said
    assert keys.after["vault_wrong"] == keys.before["vault_wrong"]
    assert keys.after["vault_wrong_next"] == keys.before["vault_wrong_next"]
    assert "vault_wrong_rotation" not in keys.after
    assert keys.cases["wrong"].named() == ["mailops"]
    assert keys.done.returncode != 0


def test_a_key_of_the_next_name_that_somebody_has_made_is_not_removed(keys: Keys) -> None:
    said = result(keys.done, "vault_taken")
    assert said.startswith("refused")
    assert "taken has an API key named mailops-2 already" in said
    assert keys.cases["taken"].named() == ["mailops", "mailops-2"]
    assert {name for name in keys.after if name.startswith("vault_taken")} == {"vault_taken"}


def test_what_mailgun_gave_is_proved_and_what_to_delete_is_told(keys: Keys) -> None:
    said = result(keys.done, "vault_mailgun")
    assert said.startswith("rotated")
    assert "Delete the former key in Mailgun's dashboard" in said
    assert keys.after["vault_mailgun"] == keys.before["vault_mailgun_next"]
    assert {method for method, _path in keys.calls} == {"GET"}


def test_a_key_of_another_account_is_refused(keys: Keys) -> None:
    said = result(keys.done, "vault_foreign")
    assert said.startswith("failed")
    assert "vault_foreign_next is of an account that does not have mg.acme.example" in said
    assert keys.after["vault_foreign"] == keys.before["vault_foreign"]
    assert keys.after["vault_foreign_next"] == keys.before["vault_foreign_next"]


def test_a_dry_run_tells_the_steps(keys: Keys) -> None:
    said = result(keys.planned, "vault_begun19")
    assert said.startswith("planned")
    assert "Odoo makes a key named mailops-2" in said
    assert result(keys.planned, "vault_mailgun").startswith("planned")


def test_no_key_shows(keys: Keys) -> None:
    secrets = {value for values in (keys.before, keys.after) for name, value in values.items() if _is_secret(name)}
    assert len(secrets) > 8
    assert keys.vault.tells(secrets) == []


def _is_secret(name: str) -> bool:
    # The simulator's keys have the account's name in them.
    return (
        not name.endswith(("_rotation", "_name", "_rotated")) and "vault_mailgun" not in name and "foreign" not in name
    )


def test_the_run_after_that_changes_nothing(keys: Keys) -> None:
    left = {name: value for name, value in keys.after.items() if not name.endswith("_next")}
    # What was not rotated is no older than the rest.
    ages = {
        f"vault_{name}_rotated": keys.after["vault_twice_rotated"] for name in ("without", "wrong", "foreign", "taken")
    }
    keys.vault.write(left | ages)
    before = keys.vault.file.read_bytes()
    done = keys.vault.rotate()
    assert done.returncode == 0, done.stdout[-3000:]
    assert "changed=0" in done.stdout
    assert "changed=1" not in done.stdout
    assert keys.vault.file.read_bytes() == before
