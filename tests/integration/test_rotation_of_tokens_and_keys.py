# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook exchanges API keys of Odoo 14 and 19, what Mailgun gave, and, while mail comes in, a bridge's token."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import host
import pytest
from support.machines import Internet, Machine, Odoo
from support.mailgun_modules import Modules, simulated
from support.modules import run_module
from support.playbooks import ROOT
from support.rotation import VAULT, Vaulted, result
from support.waiting import until

pytestmark = pytest.mark.integration

OLD_RUN = "0 elsewhere 1 2026-01-01T00:00:00Z begun"


class Case:
    """A host of the inventory: the user of an Odoo with its password and its keys."""

    def __init__(self, name: str, odoo: Odoo, keys: tuple[str, ...], password: bool = True) -> None:
        self.name, self.odoo = name, odoo
        field = "group_ids" if odoo.name == "odoo" else "groups_id"
        named = [["module", "=", "base"], ["name", "in", ["group_user", "group_system"]]]
        groups = [record["res_id"] for record in odoo.call("ir.model.data", "search_read", named, ["res_id"])]
        user = {"name": name, "login": name, "password": f"canary-{name}-password", field: [[6, 0, groups]]}
        odoo.call("res.users", "create", user)
        self.with_password = {
            **{key: value for key, value in odoo.connection().items() if key != "odoo_api_key"},
            "odoo_login": name,
            "odoo_password": f"canary-{name}-password",
        }
        self.made = [self.make(key) for key in keys]
        self.connection = {**self.with_password, "odoo_api_key": f"{{{{ vault_{name} }}}}"}
        if not password:
            del self.connection["odoo_password"]

    def make(self, name: str) -> str:
        """Make a key of this name."""
        made = run_module("odoo_api_key", {**self.with_password, "name": name}, no_log=True)
        return str(made["api_key"])

    def takes(self, key: str) -> bool:
        """Tell whether Odoo takes a key."""
        connection = {**self.with_password, "odoo_password": "", "odoo_api_key": key}
        return "records" in run_module("mail_server_info", connection)

    def named(self) -> list[str]:
        """Return the names of the user's keys."""
        domain = [["user_id.login", "=", self.name]]
        return sorted(key["name"] for key in self.odoo.call("res.users.apikeys", "search_read", domain, ["name"]))


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
        for name in ("mailgun", "foreign"):
            account = {
                "provider": "mailgun",
                "api_key": f"{{{{ vault_{name} }}}}",
                "domains": [{"name": "mg.acme.example"}],
            }
            hosts[name] = {"mail_policy": {"version": 1, "odoo": {}, "providers": [account]}}
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
    ages = {f"vault_{name}_rotated": keys.after["vault_twice_rotated"] for name in ("without", "wrong", "foreign")}
    keys.vault.write(left | ages)
    before = keys.vault.file.read_bytes()
    done = keys.vault.rotate()
    assert done.returncode == 0, done.stdout[-3000:]
    assert "changed=0" in done.stdout
    assert "changed=1" not in done.stdout
    assert keys.vault.file.read_bytes() == before


# Sends mails to an alias, one after the other, 500 at least, until its input ends; says how many.
SENDER = """
import select, smtplib, sys
run, number, client = sys.argv[1], 0, None
while not select.select([sys.stdin], [], [], 0.1)[0] or number < 500:
    client = client or smtplib.SMTP("mx.acme.example", 25, timeout=60, local_hostname="mail.customer.example")
    sender = f"jo{run}.{number}@customer.example"
    client.sendmail(sender, ["sales@acme.example"], f"From: {sender}\\r\\nTo: sales@acme.example\\r\\n"
                    f"Subject: {run} {number}\\r\\nMessage-Id: <{run}.{number}@customer.example>\\r\\n\\r\\nHi\\r\\n")
    number += 1
    if number == 1:
        print("first", flush=True)
print(number)
"""
TOKEN = "vault_mail_delivery_token"
TOKENS = "/etc/odoo-lmtp-bridge/tokens/acme"


class Exchange:
    """The token of the site is exchanged while mail comes in, by three runs.

    In the first there is a gateway that is not reached, in the second one that would not get the new token; the third
    completes it. `runs` are these, and `seen` what the vault, Odoo and the gateway had after each.
    """

    def __init__(self, vault: Vaulted, site: Odoo, gateway: Machine, internet: Internet) -> None:
        self.vault, self.site, self.gateway = vault, site, gateway
        self.before = vault.values()
        self.run = f"r{time.monotonic_ns():x}"
        shown = gateway.run("journalctl", "-q", "-n", "0", "--show-cursor", check=True).stdout
        cursor = shown.strip().removeprefix("-- cursor: ")
        sender = subprocess.Popen(
            ["podman", "exec", "-i", internet.container, "python3", "-c", SENDER, self.run],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=host.environment(),
        )
        assert sender.stdin
        assert sender.stdout
        self.runs: list[subprocess.CompletedProcess[str]] = []
        self.seen: list[dict[str, Any]] = []
        try:
            assert sender.stdout.readline() == "first\n"
            self._rotate("hosts.yml", "            gateway:\n", "            nowhere:\n            gateway:\n")
            main = "group_vars/mail_gateways/main.yml"
            (pending,) = [line for line in (vault.inventory / main).open() if "pending_token" in line]
            self._rotate(main, pending, "")
            self._rotate()
        finally:
            said = sender.communicate("")[0]
        self.sent = int(said)
        until(lambda: not gateway.run("postqueue", "-j").stdout.strip(), "an empty queue", 60)
        log = ("journalctl", "-q", "-o", "cat", "-u", "postfix@-.service", "--after-cursor", cursor)
        self.log = gateway.run(*log, check=True).stdout

    def _rotate(self, file: str = "hosts.yml", old: str = "", new: str = "") -> None:
        """Run with a file of the inventory that has something else in it."""
        path = self.vault.inventory / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new) if old else text)
        self.runs.append(self.vault.rotate("--tags", "bridge_token", "-e", json.dumps({"rotate_secrets": [TOKEN]})))
        path.write_text(text)
        parameters = self.site.call(
            "ir.config_parameter", "search_read", [["key", "like", "mail_delivery.token"]], ["key", "value"]
        )
        self.seen.append(
            {
                "vault": self.vault.values(),
                "odoo": {parameter["key"]: parameter["value"] for parameter in parameters},
                "gateway": self.gateway.run("cat", TOKENS, check=True).stdout.split(),
            }
        )


@pytest.fixture(scope="module")
def exchange(site: Odoo, gateway: Machine, internet: Internet) -> Iterator[Exchange]:
    """The site's inventory with a vault of its own; afterwards Odoo and the gateway have the site's token again."""
    with tempfile.TemporaryDirectory(prefix="inventory-", dir=ROOT / ".cache") as folder:
        inventory = Path(folder)
        shutil.copytree(ROOT / "inventories" / "sandbox", inventory, dirs_exist_ok=True)
        vault = Vaulted(inventory, host.CACHE / "vault-password")
        token = vault.values()[TOKEN]
        try:
            yield Exchange(vault, site, gateway, internet)
        finally:
            site.call("ir.config_parameter", "set_param", "mail_delivery.token", token)
            site.call("ir.config_parameter", "set_param", "mail_delivery.token_pending", False)
            gateway.run("tee", TOKENS, input=f"{token}\n", check=True)
            gateway.run("systemctl", "restart", "odoo-lmtp-bridge.service", check=True)


@pytest.mark.parametrize(
    ("number", "reasons"),
    [
        (
            0,
            [
                "nowhere, gateway could not follow: nowhere: It is reached: ",
                "gateway: No gateway before this one has failed",
            ],
        ),
        (1, ["gateway could not follow", "Has lmtp_bridge_databases the pending_token"]),
    ],
    ids=["not reached", "without pending_token"],
)
def test_a_gateway_that_does_not_follow_leaves_the_old_token_in_force(
    exchange: Exchange, number: int, reasons: list[str]
) -> None:
    said, seen = result(exchange.runs[number], TOKEN), exchange.seen[number]
    assert said.startswith("failed")
    assert [reason for reason in reasons if reason not in said] == []
    assert "In force is still the old" in said
    assert exchange.runs[number].returncode != 0
    old, new = exchange.before[TOKEN], exchange.seen[0]["vault"][f"{TOKEN}_next"]
    assert seen["vault"][TOKEN] == old
    assert seen["vault"][f"{TOKEN}_next"] == new
    assert seen["odoo"] == {"mail_delivery.token": old, "mail_delivery.token_pending": new}
    assert seen["gateway"] == [old]


def test_the_next_run_completes_the_exchange(exchange: Exchange) -> None:
    assert result(exchange.runs[2], TOKEN).startswith("rotated")
    assert exchange.runs[2].returncode == 0
    new, seen = exchange.seen[0]["vault"][f"{TOKEN}_next"], exchange.seen[2]
    assert seen["vault"][TOKEN] == new != exchange.before[TOKEN]
    assert seen["odoo"] == {"mail_delivery.token": new}
    assert seen["gateway"] == [new]
    assert {name for name in seen["vault"] if name.startswith(TOKEN)} == {TOKEN, f"{TOKEN}_rotated"}


def test_no_mail_is_deferred_by_it(exchange: Exchange) -> None:
    assert exchange.sent >= 500
    ends = [line for line in exchange.log.splitlines() if "status=" in line]
    assert [line for line in ends if "status=sent" not in line] == []
    leads = exchange.site.call("crm.lead", "search_read", [["name", "like", f"{exchange.run} "]], ["name"])
    assert sorted(lead["name"] for lead in leads) == sorted(f"{exchange.run} {n}" for n in range(exchange.sent))


def test_neither_token_shows(exchange: Exchange) -> None:
    tokens = [exchange.before[TOKEN], exchange.seen[2]["vault"][TOKEN]]
    assert exchange.vault.tells(tokens) == []
    assert [token for token in tokens if token in exchange.log] == []
