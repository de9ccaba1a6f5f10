# SPDX-License-Identifier: GPL-3.0-or-later
"""The token of the site's bridge is exchanged while mail comes in: by runs that fail, and by runs that are killed."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import host
import pytest
from support.conductor import Broken, Step, killed_after, noting, on
from support.machines import Internet, Machine, Odoo
from support.playbooks import ROOT
from support.rotation import Vaulted, away, result, rotated, without_connections
from support.waiting import until

pytestmark = pytest.mark.integration

# Sends mails to an alias, 500 one after the other, and then one each second until its input ends; says how many.
SENDER = """
import select, smtplib, sys
run, number, client = sys.argv[1], 0, None
while not select.select([sys.stdin], [], [], 0.1 if number < 500 else 1)[0] or number < 500:
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
# What changes something, in order: after each of them a run can be killed.
IN_ODOO = "The gateways' token is set, and which of them are told of changes"
WRITTEN, RESTARTED = "The tokens are in their files", "The bridge goes by them"
STEPS = (
    *("The vault: begin", IN_ODOO, WRITTEN, RESTARTED),
    *("The vault: switch", IN_ODOO, WRITTEN, RESTARTED),
    *("What is not given is not set", "The vault: finish"),
)
# Where the vault is away from; and after these, where Odoo has no database.
FAILING = ("The vault: switch", "The vault: finish")
KILLED, FAILED = list(STEPS), [*(f"without a vault {step}" for step in FAILING), f"without Odoo {IN_ODOO}"]


class Exchange:
    """The token is exchanged again and again while mail comes in.

    First by three runs, `runs`: there is a gateway that is not reached, then one that would not get the new token; the
    third completes it. `seen` is what the vault, Odoo and the gateway had after each. `noted` is what changed something
    in the third. Then by one for each step and each failure, which carries on with what the one before it has left, and
    is killed or fails itself: `left` has their exit codes, and what there was after each. One completes it all at last.
    """

    def __init__(self, vault: Vaulted, site: Odoo, gateway: Machine, internet: Internet) -> None:
        self.vault, self.site, self.gateway = vault, site, gateway
        self.before = vault.values()
        self.run = f"r{time.monotonic_ns():x}"
        self.noted: list[str] = []
        self.runs: list[subprocess.CompletedProcess[str]] = []
        self.seen: list[dict[str, Any]] = []
        self.left: list[tuple[int, dict[str, Any]]] = []
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
        try:
            assert sender.stdout.readline() == "first\n"
            self._fail("hosts.yml", "            gateway:\n", "            nowhere:\n            gateway:\n")
            main = "group_vars/mail_gateways/main.yml"
            (pending,) = [line for line in (vault.inventory / main).open() if "pending_token" in line]
            self._fail(main, pending, "")
            self.runs.append(self._rotate(step=noting(self.noted)))
            self.seen.append(self._look())
            for step in STEPS:
                self._then(self._rotate(step=killed_after(step)))
            for task in FAILING:
                with Broken(task, away(vault)) as broken:
                    done = self._rotate(step=broken)
                self._then(done)
        finally:
            said = sender.communicate("")[0]
        self.sent = int(said)
        until(lambda: not gateway.run("postqueue", "-j").stdout.strip(), "an empty queue", 60)
        log = ("journalctl", "-q", "-o", "cat", "-u", "postfix@-.service", "--after-cursor", cursor)
        self.log = gateway.run(*log, check=True).stdout
        # Without Odoo no mail is taken, whichever token it is.
        with Broken(IN_ODOO, without_connections(site)) as broken:
            done = self._rotate(step=broken)
        self._then(done)
        self.completed, self.end = self._rotate(), self._look()
        self.file = vault.file.read_bytes()
        self.last = self._rotate("-e", "rotate_older_than=90d")

    def _fail(self, file: str, old: str, new: str) -> None:
        """Run with a file of the inventory that has something else in it."""
        path = self.vault.inventory / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        self.runs.append(self._rotate())
        path.write_text(text)
        self.seen.append(self._look())

    def _rotate(self, *arguments: str, step: Step = on) -> subprocess.CompletedProcess[str]:
        """Exchange the token, or what the arguments say."""
        what = arguments or ("-e", json.dumps({"rotate_secrets": [TOKEN]}))
        return self.vault.rotate("--tags", "bridge_token", *what, step=step)

    def _then(self, done: subprocess.CompletedProcess[str]) -> None:
        """Look what a run has left."""
        self.left.append((done.returncode, self._look()))

    def _look(self) -> dict[str, Any]:
        """Return what the vault, Odoo and the gateway have."""
        parameters = self.site.call(
            "ir.config_parameter", "search_read", [["key", "like", "mail_delivery.token"]], ["key", "value"]
        )
        return {
            "vault": self.vault.values(),
            "odoo": {parameter["key"]: parameter["value"] for parameter in parameters},
            "gateway": self.gateway.run("cat", TOKENS, check=True).stdout.split(),
        }


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
                "failed",
                "nowhere, gateway could not follow: nowhere: It is reached: ",
                "gateway: No gateway before this one has failed",
                "In force is still the old",
            ],
        ),
        (1, ["refused", f"lmtp_bridge_databases[0].pending_token of gateway is not {TOKEN}_next"]),
    ],
    ids=["not reached", "without pending_token"],
)
def test_a_gateway_that_does_not_follow_leaves_the_old_token_in_force(
    exchange: Exchange, number: int, reasons: list[str]
) -> None:
    said, seen = result(exchange.runs[number], TOKEN), exchange.seen[number]
    assert [reason for reason in reasons if reason not in said] == []
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
    assert rotated(exchange.runs[2], TOKEN) == seen["vault"][f"{TOKEN}_rotated"]


def test_the_steps_are_all_there_are(exchange: Exchange) -> None:
    # The run that completed it was not the one that began: the vault's and Odoo's parts of that were there already.
    assert (*STEPS[:2], *exchange.noted[1:]) == STEPS


@pytest.mark.parametrize("number", range(len(KILLED + FAILED)), ids=[*KILLED, *FAILED])
def test_nothing_is_lost_by_a_run_that_is_killed_or_fails(exchange: Exchange, number: int) -> None:
    code, left = exchange.left[number]
    assert code == (-signal.SIGKILL if number < len(KILLED) else 2)
    held = {value for name, value in left["vault"].items() if name.startswith(TOKEN)}
    # Odoo takes what the gateway has, and all that is known of it is in the vault.
    assert set(left["gateway"]) <= set(left["odoo"].values()) <= held


def test_runs_that_are_killed_are_completed_by_others(exchange: Exchange) -> None:
    assert exchange.completed.returncode == 0
    new = exchange.end["vault"][TOKEN]
    assert (exchange.end["odoo"], exchange.end["gateway"]) == ({"mail_delivery.token": new}, [new])
    assert {name for name in exchange.end["vault"] if name.startswith(TOKEN)} == {TOKEN, f"{TOKEN}_rotated"}
    # The one that was killed last had come to the end, and so a new rotation began after it.
    told = exchange.left[len(KILLED) - 1][1]["vault"]
    assert f"{TOKEN}_rotation" not in told
    assert told[TOKEN] not in (new, exchange.before[TOKEN])


def test_the_run_after_that_changes_nothing(exchange: Exchange) -> None:
    assert exchange.last.returncode == 0
    assert not re.search(r"changed=[1-9]", exchange.last.stdout)
    assert exchange.vault.file.read_bytes() == exchange.file


def test_no_mail_is_deferred_by_it(exchange: Exchange) -> None:
    assert exchange.sent >= 500
    ends = [line for line in exchange.log.splitlines() if "status=" in line]
    assert [line for line in ends if "status=sent" not in line] == []
    leads = exchange.site.call("crm.lead", "search_read", [["name", "like", f"{exchange.run} "]], ["name"])
    assert sorted(lead["name"] for lead in leads) == sorted(f"{exchange.run} {n}" for n in range(exchange.sent))


def test_no_token_shows(exchange: Exchange) -> None:
    seen = [*exchange.seen, *(look for _code, look in exchange.left), exchange.end]
    tokens = {exchange.before[TOKEN], *(token for look in seen for token in look["gateway"])}
    assert len(tokens) == 4
    assert exchange.vault.tells(tokens) == []
    assert [token for token in tokens if token in exchange.log] == []
