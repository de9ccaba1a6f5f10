# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook rotate_credentials with a login at a simulated Mailgun, and an Odoo whose server uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.conductor import CHANGED
from support.machines import Odoo
from support.rotating_login import BASE, DOMAIN, FIRST, KEY, OTHER, SERVER, System
from support.rotating_login import system as made
from support.waiting import until

pytestmark = pytest.mark.integration

REFUSED = "(535, b'5.7.8 authentication failed')"


@pytest.fixture
def system(tmp_path: Path, odoo: Odoo) -> Iterator[System]:
    with made(tmp_path, odoo) as found:
        yield found


def test_the_logins_of_a_pair_take_turns(system: System) -> None:
    before = system.vault.file.read_bytes()
    printed = system.applied("--check")
    assert f"Odoo is switched to {OTHER}, in one write: {SERVER}" in printed
    assert "changed=0" in printed
    assert system.vault.file.read_bytes() == before
    assert system.is_as_before()

    system.applied()
    kept = system.kept()
    assert system.is_rotated()
    assert kept[f"{KEY}_login"] == OTHER
    assert system.unchanged()

    system.applied()
    last = system.kept()
    assert system.is_rotated()
    assert (last[f"{KEY}_login"], last[KEY] == kept[KEY]) == (BASE, False)
    assert system.told() == []


def another_server(system: System) -> None:
    """Let Odoo have a server of which the policy does not know, and that has the login as somebody wrote it."""
    system.in_odoo("Shop")
    (shop,) = system.odoo.call("ir.mail_server", "search", [["name", "=", "Shop"]])
    system.odoo.call("ir.mail_server", "write", [shop], {"smtp_user": BASE.title()})


def another_password(system: System) -> None:
    """Let the policy have a server that logs in with another password."""
    system.servers.append({**system.server("Other"), "smtp_pass": "canary-other-password"})
    system.in_odoo("Other")
    system.secrets.add("canary-other-password")


def another_user(system: System) -> None:
    """Let Mailgun have the other login, made by somebody."""
    system.modules.run("credential", domain=DOMAIN, login=OTHER, password="canary-somebody-s-password")
    system.secrets.add("canary-somebody-s-password")


def a_password_by_hand(system: System) -> None:
    """Let the other login be somebody's, and the next password be one that the administrator wrote."""
    another_user(system)
    system.keep({**system.kept(), f"{KEY}_next": "canary-by-hand-9b1d"})


def the_system_s_own(system: System) -> None:
    """Let the login be the one that belongs to the domain."""
    system.credential["login"] = "postmaster"
    system.servers = []


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (another_server, "Shop in acme_prod would not be able to log in any more"),
        (another_password, f"smtp_pass of acme_prod logs in as {BASE}, with something"),
        (another_user, f"Mailgun has the login {OTHER} already"),
        (a_password_by_hand, f"Mailgun has the login {OTHER} already"),
        (the_system_s_own, "Say strategy in_place for it"),
    ],
)
def test_what_a_rotation_would_break_is_refused(system: System, spoil: Callable[[System], None], told: str) -> None:
    spoil(system)
    before, users = system.vault.file.read_bytes(), system.odoo.call("ir.mail_server", "search_read", [], ["smtp_user"])
    printed = system.failed()
    assert told in printed, printed
    assert system.vault.file.read_bytes() == before
    assert system.odoo.call("ir.mail_server", "search_read", [], ["smtp_user"]) == users
    assert system.works(BASE, FIRST)
    assert system.told() == []


def mailgun_refuses(system: System) -> None:
    """Let Mailgun refuse the new login."""
    system.mailgun.fail("reason", method="POST", path="/credentials")


def odoo_cannot_log_in(system: System) -> None:
    """Let the new login in once, when it is proved, and not when Odoo tests its connection."""
    system.let = lambda login: login == BASE or system.logins.count(OTHER) < 2


@pytest.mark.parametrize(
    ("spoil", "step"),
    [
        (mailgun_refuses, "Mailgun has the other login, with the pending password:"),
        (odoo_cannot_log_in, "The servers get login and password in one write in acme_prod:"),
    ],
)
def test_what_fails_before_the_switch_is_undone(system: System, spoil: Callable[[System], None], step: str) -> None:
    spoil(system)
    printed = system.failed()
    assert step in printed, printed
    assert "The rotation was undone" in printed
    system.let = lambda login: True
    assert system.is_as_before()
    assert system.told() == []


def test_a_vault_that_is_changed_underneath(system: System) -> None:
    """What somebody else wrote stays; the rest is undone, and Mailgun and Odoo go on with what they had."""

    def let(login: str) -> bool:
        if login == OTHER and system.logins.count(OTHER) == 2:  # Odoo tests its connection
            held = system.kept()
            system.keep({**held, KEY: "canary-by-somebody-else"})
        return True

    system.let = let
    printed = system.failed()
    assert f"somebody has changed {KEY} since this run looked" in printed
    assert "The rotation was undone" in printed
    assert system.kept() == {KEY: "canary-by-somebody-else"}
    assert system.odoo_uses(BASE, FIRST)
    assert system.logins_at_mailgun() == [BASE]
    assert system.told() == []


def test_a_login_of_its_own_gets_another_password(system: System) -> None:
    """Of the mails that could not be sent those are whose login was refused, of a request that ends late as well."""
    system.credential["strategy"] = "in_place"
    refused = [system.refused_mail(REFUSED)]
    broken = system.refused_mail("(550, b'5.1.1 no such mailbox')")

    def late(what: str, name: str) -> bool:
        if what == CHANGED and name == "Odoo sends its queue in acme_prod" and len(refused) == 1:
            refused.append(system.refused_mail(REFUSED))
        return False

    done = system.run(step=late)
    assert done.returncode == 0, done.stdout[-10000:]
    assert f"{KEY}_login" not in system.kept()
    assert system.is_rotated()
    until(lambda: system.sent(*refused), "they are sent")
    assert system.states(broken) == ["exception"]
    assert system.unchanged()
    assert system.told() == []


def test_a_password_in_place_that_odoo_cannot_use_is_undone(system: System) -> None:
    system.credential["strategy"] = "in_place"
    system.let = lambda login: system.logins.count(BASE) != 2
    printed = system.failed()
    assert "The servers get login and password in one write in acme_prod" in printed
    assert "The rotation was undone" in printed
    assert system.is_as_before()
    assert system.told() == []
