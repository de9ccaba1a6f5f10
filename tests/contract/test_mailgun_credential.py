# SPDX-License-Identifier: GPL-3.0-or-later
"""mailgun_credential(s) against the simulated Mailgun and a submission server with its passwords."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import proof, region
from support.mailgun import Mailgun
from support.mailgun_modules import Modules
from support.modules import warned
from support.scripted_smtp import Talk, serving

pytestmark = pytest.mark.contract

NAME = "mg.acme.example"
LOGIN, OLD, NEW = f"no-reply@{NAME}", "canary-old", "canary-new"
PATH = f"/v3/domains/{NAME}/credentials"
LIST = ("GET", PATH)
WANTED = {"domain": NAME, "login": "no-reply", "password": OLD}


@pytest.fixture(autouse=True)
def domain(modules: Modules, mailgun: Mailgun) -> None:
    """The domain that the credentials are of; its making is forgotten."""
    modules.run("domain", name=NAME)
    mailgun.calls()


def in_force(mailgun: Mailgun, password: str, login: str = LOGIN) -> bool:
    """Whether Mailgun takes the login with this password."""
    return mailgun.simulator.state.authenticates("us", login, password.encode())


@pytest.fixture
def unreachable() -> dict[str, Any]:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return {"smtp_port": listener.getsockname()[1]}


# --- One credential


def test_a_credential_is_created_changed_and_deleted(modules: Modules, mailgun: Mailgun) -> None:
    predicted = modules.check("credential", **WANTED)
    assert (predicted["changed"], predicted["proved"]) == (True, None)
    assert predicted["reason"] == "not tried: the password is not written"
    made = modules.run("credential", **WANTED)
    assert (made["login"], made["proved"]) == (LOGIN, True)
    assert made["diff"]["after"] == f"credential {LOGIN}:\n  login: '{LOGIN}'\n  password: (hidden)\n"
    assert in_force(mailgun, OLD)
    modules.unchanged("credential", **WANTED)
    modules.unchanged("credential", **{**WANTED, "login": "No-Reply@MG.acme.example"})
    other = {**WANTED, "password": NEW}
    assert modules.check("credential", **other)["changed"]
    assert in_force(mailgun, OLD)
    changed = modules.run("credential", **other)
    assert changed["diff"]["after"] == f"credential {LOGIN}:\n  password: (hidden, changed)\n"
    assert changed["proved"]
    assert in_force(mailgun, NEW)
    assert modules.check("credential", domain=NAME, login="no-reply", state="absent")["changed"]
    gone = modules.run("credential", domain=NAME, login="no-reply", state="absent")
    assert gone["proved"] is None
    assert not in_force(mailgun, NEW)
    modules.unchanged("credential", domain=NAME, login="no-reply", state="absent")
    for result in (made, changed, gone):
        assert "canary" not in str({**result, "invocation": None})


def test_each_run_is_one_list_and_at_most_one_change(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("credential", **WANTED)
    assert mailgun.calls() == [LIST, ("POST", PATH)]
    modules.unchanged("credential", **WANTED)
    assert mailgun.calls() == [LIST]
    modules.run("credential", **{**WANTED, "password": NEW})
    assert mailgun.calls() == [LIST, ("PUT", f"{PATH}/{LOGIN}")]


@pytest.mark.parametrize("password", ["cana", "canary" + 27 * "x", "", "canary\x00"])
def test_a_password_that_mailgun_would_refuse_costs_no_call(modules: Modules, mailgun: Mailgun, password: str) -> None:
    failed = modules.failed("credential", **{**WANTED, "password": password})
    assert failed["error"] == "validation"
    assert failed["msg"].startswith("credential.password has ")
    assert mailgun.calls() == []


def test_an_existing_credential_needs_no_password(modules: Modules, mailgun: Mailgun) -> None:
    failed = modules.failed("credential", domain=NAME, login="no-reply")
    assert "to create it these are needed: password" in failed["msg"]
    modules.run("credential", **WANTED)
    told = modules.run("credential", domain=NAME, login="no-reply", changed=False)
    assert (told["proved"], told["reason"]) == (None, "not tried: no password was given or set")


def test_the_domains_own_login(modules: Modules, mailgun: Mailgun) -> None:
    failed = modules.failed("credential", domain=NAME, login="postmaster", state="absent")
    assert "belongs to the domain itself and cannot be deleted" in failed["msg"]
    assert mailgun.calls() == [LIST]
    modules.run("credential", domain=NAME, login="postmaster", password=NEW)
    assert in_force(mailgun, NEW, f"postmaster@{NAME}")


# --- Where the domain is


def test_a_domain_that_is_not_there(modules: Modules) -> None:
    elsewhere = {**WANTED, "domain": "news.acme.example"}
    failed = modules.failed("credential", **elsewhere)
    assert failed["error"] == "not_found"
    assert "mailgun_domain creates the domain; check domain and region" in failed["msg"]
    predicted = modules.check("credential", **elsewhere)
    assert predicted["changed"]
    assert "check mode takes it for granted" in warned(predicted)[0]
    gone = modules.run("credential", domain="news.acme.example", login="no-reply", state="absent", changed=False)
    assert "it has no credentials then" in warned(gone)[0]


def test_a_domain_that_is_in_the_other_region(
    modules: Modules, mailgun: Mailgun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, url in {"us": mailgun.us, "eu": mailgun.eu}.items():
        monkeypatch.setitem(region.REGIONS, name, region.Region(url, "127.0.0.1"))
    for check in (True, False):
        failed = modules.failed("credential", **WANTED, api_url=None, region="eu", check=check)
        assert "The domain is in region us: say region: us." in failed["msg"]


@pytest.mark.parametrize(("domain", "text"), [("acme", "domain is 'acme'"), ("other.example", "not of the domain")])
def test_a_domain_that_is_none_or_another(modules: Modules, mailgun: Mailgun, domain: str, text: str) -> None:
    failed = modules.failed("credential", **{**WANTED, "login": LOGIN, "domain": domain})
    assert text in failed["msg"]
    assert mailgun.calls() == []


# --- Without a proof


def test_what_cannot_be_proved_is_left_as_it_is(
    modules: Modules, mailgun: Mailgun, unreachable: dict[str, Any]
) -> None:
    modules.run("credential", **WANTED)
    mailgun.calls()
    told = modules.run("credential", **{**WANTED, "password": NEW}, **unreachable, changed=False)
    assert (told["proved"], told["reason"].startswith("tcp: ")) == (False, True)
    (warning,) = warned(told)
    assert f"could not be proved at 127.0.0.1:{unreachable['smtp_port']}: {LOGIN}: tcp: " in warning
    assert warning.endswith("; they are left as they are")
    assert mailgun.calls() == [LIST]
    assert in_force(mailgun, OLD)


def test_always_writes_what_cannot_be_proved(modules: Modules, mailgun: Mailgun, unreachable: dict[str, Any]) -> None:
    modules.run("credential", **WANTED)
    told = modules.run("credential", **{**WANTED, "password": NEW}, **unreachable, update_secret="always")
    assert told["proved"] is False
    (warning,) = warned(told)
    assert warning.endswith("; they are written")
    assert in_force(mailgun, NEW)


@pytest.mark.parametrize("password", [OLD, "password"])
def test_the_same_password_again_is_no_change(
    modules: Modules, mailgun: Mailgun, unreachable: dict[str, Any], password: str
) -> None:
    """Mailgun refuses it, and proves it by that; what it says may have the very word."""
    wanted = {**WANTED, "password": password}
    modules.run("credential", **wanted)
    mailgun.calls()
    told = modules.run("credential", **wanted, **unreachable, update_secret="always", changed=False)
    assert (told["changes"], told["proved"], warned(told)) == ([], True, [])
    # Ansible hides the word too, where it is the password.
    assert told["reason"].startswith("by Mailgun's API it is the ")
    assert mailgun.calls() == [LIST, ("PUT", f"{PATH}/{LOGIN}")]


def test_a_new_credential_that_cannot_be_proved(
    modules: Modules, mailgun: Mailgun, unreachable: dict[str, Any]
) -> None:
    told = modules.run("credential", **WANTED, **unreachable)
    assert told["proved"] is False
    assert len(warned(told)) == 1
    assert in_force(mailgun, OLD)


def test_always_does_not_write_what_is_proved(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("credential", **WANTED)
    mailgun.calls()
    modules.unchanged("credential", **WANTED, update_secret="always")
    assert mailgun.calls() == [LIST]


def test_on_create_leaves_an_existing_password(modules: Modules, mailgun: Mailgun) -> None:
    assert modules.run("credential", **WANTED, update_secret="on_create")["proved"] is True
    told = modules.run("credential", **{**WANTED, "password": NEW}, update_secret="on_create", changed=False)
    assert (told["proved"], "on_create" in told["reason"]) == (None, True)
    assert in_force(mailgun, OLD)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"smtp_ca_file": "/nonexistent.pem"}, "smtp_ca_file /nonexistent.pem holds no CA certificates"),
        ({"smtp_port": 0}, "smtp_port is 0"),
        ({"smtp_host": "a b"}, "smtp_host is 'a b'"),
    ],
)
def test_an_unusable_server_costs_no_call(
    modules: Modules, mailgun: Mailgun, options: dict[str, Any], text: str
) -> None:
    failed = modules.failed("credential", **WANTED, **options)
    assert failed["error"] == "validation"
    assert text in failed["msg"]
    assert mailgun.calls() == []


# --- After a change


class Spreading:
    """A submission server to which new passwords come late: it takes the one that it knows, until it has refused."""

    def __init__(self, mailgun: Mailgun, refusals: int) -> None:
        self.refusals = refusals
        self._original = mailgun.simulator.state.authenticates

    def authenticates(self, region: str, login: str, password: bytes) -> bool:
        """Answer as State does, or no."""
        self.refusals -= 1
        return self.refusals < 0 and self._original(region, login, password)


def test_a_new_password_may_take_a_moment(modules: Modules, mailgun: Mailgun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "SPREADING", (0.01,))
    monkeypatch.setattr(mailgun.simulator.state, "authenticates", Spreading(mailgun, 3).authenticates)
    assert modules.run("credential", **WANTED)["proved"]


def test_a_new_password_that_is_never_taken(
    modules: Modules, mailgun: Mailgun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to be pruned stays."""
    modules.run("credential", domain=NAME, login="old", password=OLD)
    monkeypatch.setattr(proof, "SPREADING_SECONDS", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(mailgun.simulator.state, "authenticates", Spreading(mailgun, 99).authenticates)
        failed = modules.failed(
            "credentials", domain=NAME, credentials=[{"login": "no-reply", "password": OLD}], prune=True
        )
    assert failed["error"] == "not_proved"
    assert f"took the new passwords of {LOGIN}, and 127.0.0.1:" in failed["msg"]
    assert "still refuses them after 0 s: auth: 535 5.7.8 authentication failed" in failed["msg"]
    assert "the new passwords are in force and the old ones are not" in failed["msg"]
    assert (failed["changed"], failed["applied"], failed["remaining"]) == (True, [LOGIN], [f"old@{NAME}"])
    assert in_force(mailgun, OLD, f"old@{NAME}")
    modules.unchanged("credential", **WANTED)


def test_a_write_that_broke_is_uncertain(modules: Modules, mailgun: Mailgun) -> None:
    mailgun.fail("cut", method="POST", carried_out=True)
    failed = modules.failed("credential", **WANTED)
    assert (failed["changed"], failed["uncertain"], failed["proved"]) == (False, [LOGIN], None)
    modules.unchanged("credential", **WANTED)


# --- Many


def many(count: int, password: str = "canary") -> dict[str, Any]:
    credentials = [{"login": f"box{number}", "password": f"{password}-{number}"} for number in range(count)]
    return {"domain": NAME, "credentials": credentials}


def test_a_hundred_are_one_list_and_one_call_each(modules: Modules, mailgun: Mailgun) -> None:
    done = modules.run("credentials", **many(100))
    assert mailgun.calls() == [LIST] + [("POST", PATH)] * 100
    assert [entry["proved"] for entry in done["credentials"]] == [True] * 100
    assert "canary" not in str({**done, "invocation": None})
    modules.unchanged("credentials", **many(100))
    assert mailgun.calls() == [LIST]
    wanted = many(100)
    wanted["credentials"][7]["password"] = NEW
    changed = modules.run("credentials", **wanted)
    assert [change["name"] for change in changed["changes"]] == [f"box7@{NAME}"]
    assert mailgun.calls() == [LIST, ("PUT", f"{PATH}/box7@{NAME}")]


def test_where_the_server_cannot_be_asked_it_is_asked_once(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("credentials", **many(3))
    asked: list[None] = []

    def busy(talk: Talk) -> None:
        asked.append(None)
        talk.say("421 too busy")

    with serving(busy) as server:
        told = modules.run("credentials", **many(3), smtp_port=server.port, changed=False)
    assert len(asked) == 1
    (warning,) = warned(told)
    assert all(f"box{number}@{NAME}" in warning for number in range(3))
    assert [entry["proved"] for entry in told["credentials"]] == [False] * 3


def test_a_prune_deletes_the_others_and_leaves_the_domains_own(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("credentials", **many(4))
    mailgun.calls()
    refused = modules.failed("credentials", **many(1), prune=True, prune_limit=2)
    assert "prune would delete 3 credentials, more than prune_limit (2)" in refused["msg"]
    assert mailgun.calls() == [LIST]
    predicted = modules.check("credentials", **many(1), prune=True)
    done = modules.run("credentials", **many(1), prune=True)
    assert predicted["changes"] == done["changes"]
    assert [change["name"] for change in done["changes"]] == [f"box{number}@{NAME}" for number in (1, 2, 3)]
    modules.unchanged("credentials", **many(1), prune=True)
    told = modules.run("credentials", domain=NAME, credentials=[], prune=True)
    assert len(told["changes"]) == 1
    state = mailgun.simulator.state.find("us", NAME)
    assert state and list(state.credentials) == [f"postmaster@{NAME}"]


def test_a_failure_half_way_says_what_was_done(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("credential", **WANTED)
    wanted = many(3)
    wanted["credentials"][1]["login"] = "taken"
    mailgun.calls()
    refusing = mailgun.simulator.state.find("us", NAME)
    assert refusing
    original = refusing.add_credential

    def add(login: str, password: str, system: bool = False) -> None:
        original(login, password, system)
        mailgun.fail("reason", method="POST")

    refusing.add_credential = add  # type: ignore[method-assign]
    failed = modules.failed("credentials", **wanted, prune=True)
    assert (failed["applied"], failed["failed_name"]) == ([f"box0@{NAME}"], f"taken@{NAME}")
    assert failed["remaining"] == [f"box2@{NAME}", LOGIN]
    assert failed["msg"].endswith("1 of 4 changes were applied.")
    assert [entry["proved"] for entry in failed["credentials"]] == [True, None, None]
    assert in_force(mailgun, OLD)


def test_one_login_twice(modules: Modules, mailgun: Mailgun) -> None:
    wanted = [{"login": "no-reply", "password": OLD}, {"login": LOGIN, "password": NEW}]
    failed = modules.failed("credentials", domain=NAME, credentials=wanted)
    assert failed["error"] == "conflict"
    assert f"{LOGIN} is given more than once" in failed["msg"]


def test_the_place_of_a_wrong_one_is_named(modules: Modules, mailgun: Mailgun) -> None:
    wanted = [{"login": "no-reply", "password": OLD}, {"login": "news", "password": "x"}]
    failed = modules.failed("credentials", domain=NAME, credentials=wanted)
    assert "credentials[1].password has 1 characters" in failed["msg"]
    assert mailgun.calls() == []
