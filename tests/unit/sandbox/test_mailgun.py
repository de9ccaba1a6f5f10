# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulated Mailgun keeps, what it does wrong on demand, and who may tell it to."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sandbox_internet import sandbox_mailgun
from sandbox_internet.mailgun.state import State
from support.mailgun import Mailgun
from support.waiting import until

NAME, LOGIN, PASSWORD = "mg.acme.example", "no-reply@mg.acme.example", "canary-password"
DOMAINS, DOMAIN = "/v4/domains", f"/v4/domains/{NAME}"


@pytest.fixture
def mailgun(tmp_path: Path) -> Iterator[Mailgun]:
    """A simulator without domains."""
    with Mailgun(tmp_path / "mailgun.json") as running:
        yield running


def call(mailgun: Mailgun, method: str, path: str, **form: str) -> requests.Response:
    """Call as account acme in the US."""
    return requests.request(method, mailgun.us + path, data=form, auth=("api", mailgun.key), timeout=5)


def create(mailgun: Mailgun) -> None:
    """Make the domain and a login."""
    assert call(mailgun, "POST", DOMAINS, name=NAME).status_code == 200
    made = call(mailgun, "POST", f"/v3/domains/{NAME}/credentials", login=LOGIN, password=PASSWORD)
    assert made.status_code == 200


# --- What is kept


def test_the_state_outlives_a_restart(mailgun: Mailgun, tmp_path: Path) -> None:
    create(mailgun)
    shown = call(mailgun, "GET", DOMAIN).json()
    with Mailgun(tmp_path / "mailgun.json") as again:
        assert call(again, "GET", DOMAIN).json() == shown
        assert again.simulator.state.authenticates("us", LOGIN.upper(), PASSWORD.encode())


def test_another_process_sees_each_change_at_once(mailgun: Mailgun, tmp_path: Path) -> None:
    def accepted(password: str) -> bool:
        return State.read(tmp_path / "mailgun.json").authenticates("us", LOGIN, password.encode())

    def refusal() -> str:
        return State.read(tmp_path / "mailgun.json").refusal("us", LOGIN)

    create(mailgun)
    assert (accepted(PASSWORD), accepted("wrong"), refusal()) == (True, False, "")
    call(mailgun, "PUT", f"/v3/domains/{NAME}/credentials/{LOGIN}", password="another")
    assert (accepted(PASSWORD), accepted("another")) == (False, True)
    mailgun.api.disable("us", NAME, "for testing")
    assert (accepted("another"), refusal()) == (True, f"Domain {NAME} is disabled: for testing")
    mailgun.api.disable("us", NAME, "")
    assert refusal() == ""
    mailgun.simulator.deletion_time = 0
    call(mailgun, "DELETE", f"/v3/domains/{NAME}")
    assert (accepted("another"), refusal()) == (False, f"Domain {NAME} not found")


def test_deletion_takes_a_moment(mailgun: Mailgun) -> None:
    create(mailgun)
    assert call(mailgun, "DELETE", f"/v3/domains/{NAME}").status_code == 200
    assert call(mailgun, "GET", DOMAIN).status_code == 200
    until(lambda: call(mailgun, "GET", DOMAIN).status_code == 404, "the domain's end", 5)


def test_no_password_is_kept(mailgun: Mailgun, tmp_path: Path) -> None:
    create(mailgun)
    assert [path.name for path in tmp_path.iterdir()] == ["mailgun.json"]
    kept = (tmp_path / "mailgun.json").read_text()
    assert LOGIN in kept
    assert PASSWORD not in kept + json.dumps(mailgun.api.calls)


# --- What it does wrong


@pytest.mark.parametrize(
    ("form", "header", "unit"),
    [("request-limit", "X-Request-Reset", 1000), ("ratelimit-reset", "X-RateLimit-Reset", 1)],
)
def test_rate_limits_in_headers(mailgun: Mailgun, form: str, header: str, unit: int) -> None:
    mailgun.fail(form, count=2, seconds=60)
    before = time.time()
    answers = [call(mailgun, "GET", DOMAINS) for _time in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    # Milliseconds are rounded.
    assert before + 59.9 < float(answers[0].headers[header]) / unit < time.time() + 60.1


def test_a_rate_limit_in_the_body(mailgun: Mailgun) -> None:
    mailgun.fail("retry-seconds", seconds=7)
    answer = call(mailgun, "GET", DOMAINS)
    assert (answer.status_code, answer.json()["retry-seconds"]) == (429, 7)


@pytest.mark.parametrize(
    ("form", "status", "body"),
    [("reason", 400, "Reason"), ("description", 400, "Description"), ("field", 400, "Field"), ("500", 500, "message"),
     ("html", 502, "<html>")],
)  # fmt: skip
def test_error_bodies(mailgun: Mailgun, form: str, status: int, body: str) -> None:
    mailgun.fail(form)
    answer = call(mailgun, "GET", DOMAINS)
    assert (answer.status_code, body in answer.text) == (status, True)
    assert ("text/html" in answer.headers["Content-Type"]) == (form == "html")


def test_half_an_answer(mailgun: Mailgun) -> None:
    mailgun.fail("truncated", method="POST")
    answer = call(mailgun, "POST", DOMAINS, name=NAME)
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert call(mailgun, "GET", DOMAIN).status_code == 200


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_connection_that_is_cut(mailgun: Mailgun, carried_out: bool) -> None:
    mailgun.fail("cut", method="POST", path=DOMAINS, carried_out=carried_out)
    with pytest.raises(requests.exceptions.ConnectionError):
        call(mailgun, "POST", DOMAINS, name=NAME)
    assert call(mailgun, "GET", DOMAIN).status_code == (200 if carried_out else 404)


def test_no_answer_at_all(mailgun: Mailgun) -> None:
    mailgun.fail("timeout")
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(mailgun.us + DOMAINS, auth=("api", mailgun.key), timeout=0.2)
    assert call(mailgun, "GET", DOMAINS).status_code == 200


def test_a_fault_is_for_some_calls_alone(mailgun: Mailgun) -> None:
    create(mailgun)
    mailgun.fail("500", method="PUT", path="/tracking")
    assert call(mailgun, "GET", f"/v3/domains/{NAME}/tracking").status_code == 200
    assert call(mailgun, "PUT", DOMAIN, wildcard="no").status_code == 200
    assert call(mailgun, "PUT", f"/v3/domains/{NAME}/tracking/open", active="no").status_code == 500
    with pytest.raises(ValueError, match="no fault is called 'x'"):
        mailgun.fail("x")


# --- Control


@pytest.fixture
def command(mailgun: Mailgun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """`sandbox-mailgun` for this simulator; returns what it prints."""
    monkeypatch.setattr(sandbox_mailgun, "CONTROL", mailgun.control)

    def run(*argv: str) -> str:
        monkeypatch.setattr(sys, "argv", ["sandbox-mailgun", *argv])
        sandbox_mailgun.main()
        return capsys.readouterr().out

    return run


def test_calls_are_counted_without_secrets(mailgun: Mailgun, command) -> None:  # type: ignore[no-untyped-def]
    create(mailgun)
    call(mailgun, "GET", f"{DOMAINS}?search=mg")
    calls = json.loads(command("calls", "--json"))
    assert [(one["method"], one["path"], one["form"], one["status"]) for one in calls] == [
        ("POST", DOMAINS, ["name"], 200),
        ("POST", f"/v3/domains/{NAME}/credentials", ["login", "password"], 200),
        ("GET", DOMAINS, [], 200),
    ]
    assert (calls[2]["region"], calls[2]["query"]) == ("us", {"search": "mg"})
    table = command("calls")
    assert table.splitlines()[1] == f"us  200  POST /v3/domains/{NAME}/credentials  login password"
    assert PASSWORD not in table + json.dumps(calls)


def test_faults_and_switches_by_command(mailgun: Mailgun, command) -> None:  # type: ignore[no-untyped-def]
    create(mailgun)
    command("fail", "html", "--count", "2", "--method", "GET", "--path", NAME)
    assert [call(mailgun, "GET", DOMAIN).status_code for _time in range(3)] == [502, 502, 200]
    assert "us  html  GET" in command("calls")
    command("disable", NAME, "--reason", "spam")
    assert call(mailgun, "GET", DOMAIN).json()["domain"]["disabled"]["reason"] == "spam"
    command("enable", NAME)
    assert call(mailgun, "GET", DOMAIN).json()["domain"]["is_disabled"] is False
    with pytest.raises(SystemExit, match="no such domain"):
        command("disable", "other.example")


def test_reset_forgets_everything(mailgun: Mailgun, command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    create(mailgun)
    mailgun.fail("500", count=9)
    command("reset")
    assert command("calls") == "\n"
    assert call(mailgun, "GET", DOMAINS).json()["total_count"] == 0
    assert json.loads((tmp_path / "mailgun.json").read_text()) == {"domains": []}
