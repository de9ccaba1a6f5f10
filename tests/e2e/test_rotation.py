# SPDX-License-Identifier: GPL-3.0-or-later
"""The password of the site's login at Mailgun is exchanged while Odoo sends, twice: the logins take turns."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from typing import Any

import pytest
from support.machines import BULK_LOGIN, Internet, Odoo, vaulted
from support.playbooks import ansible_playbook
from support.waiting import until

pytestmark = pytest.mark.e2e

KEY = "vault_mailgun_smtp_password"
OTHER = BULK_LOGIN.replace("@", "-2@")
LEAST, AT_ONCE = 500, 10


class Sender(threading.Thread):
    """Has Odoo send mails, some at once, until `enough` is set, but 500 at least; `mails` are their numbers."""

    def __init__(self, site: Odoo) -> None:
        super().__init__()
        # A connection is one thread's.
        self._odoo = Odoo(site.database, site.password)
        self.subject = f"Campaign {time.monotonic_ns()}"
        self.mails: list[int] = []
        self.enough = threading.Event()

    def run(self) -> None:
        """Send."""
        mail = {
            "subject": self.subject,
            "email_from": "News <news@mg.acme.example>",
            "email_to": "jo@customer.example",
            "auto_delete": False,
        }
        while not self.enough.is_set() or len(self.mails) < LEAST:
            made = self._odoo.call("mail.mail", "create", [mail] * AT_ONCE)
            self.mails += made
            self._odoo.call("mail.mail", "send", made)


class Exchange:
    """Two rotations, one after the other. In the first Odoo sends all the time: `sent` is what it did."""

    def __init__(self, site: Odoo) -> None:
        self.before = vaulted()
        self.sent = Sender(site)
        self.sent.start()
        try:
            until(lambda: self.sent.mails, "the first mails")
            self.first = rotate()
        finally:
            self.sent.enough.set()
            self.sent.join()
        self.between = vaulted()
        self.site = ansible_playbook("playbooks/site.yml")
        self.second = rotate()
        self.after = vaulted()


def rotate() -> subprocess.CompletedProcess[str]:
    """Exchange the password; what Odoo sends here at once takes a second, and not the minutes that it may take."""
    what = {"rotate_secrets": [KEY], "credential_rotation_grace": 10}
    return ansible_playbook("playbooks/rotate_credentials.yml", "--tags", "mailgun_login", "-e", json.dumps(what))


@pytest.fixture(scope="module")
def exchange(site: Odoo) -> Exchange:
    return Exchange(site)


def test_the_logins_take_turns(exchange: Exchange) -> None:
    for run in (exchange.first, exchange.second):
        assert run.returncode == 0, run.stdout[-5000:]
    assert (exchange.between[f"{KEY}_login"], exchange.after[f"{KEY}_login"]) == (OTHER, BULK_LOGIN)
    passwords = [exchange.before[KEY], exchange.between[KEY], exchange.after[KEY]]
    assert len(set(passwords)) == len(passwords)
    assert f"{KEY}_rotation" not in exchange.after


def test_no_mail_is_lost(exchange: Exchange, site: Odoo, internet: Internet) -> None:
    sent = exchange.sent
    assert len(sent.mails) >= LEAST
    states: list[dict[str, Any]] = site.call("mail.mail", "read", sent.mails, ["state"])
    assert {one["state"] for one in states} == {"sent"}
    told = internet.run("sandbox-mail", "list", "--json", "--subject", sent.subject, check=True).stdout
    taken = [one for one in json.loads(told) if one["server"] == "smtp.mailgun.org"]
    assert len(taken) == len(sent.mails)
    assert {one["auth_user"] for one in taken} == {BULK_LOGIN, OTHER}


def test_site_yml_changes_nothing_after_it(exchange: Exchange) -> None:
    assert exchange.site.returncode == 0, exchange.site.stdout[-5000:]
    assert set(re.findall(r"changed=(\d+)", exchange.site.stdout)) == {"0"}
