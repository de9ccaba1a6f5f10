# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's manners: what it repeats, how long it waits, and what it makes of errors."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.calls import RateLimitedError
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    ConflictError,
    MailopsError,
    NotFoundError,
    ProtocolError,
    TemporaryError,
    UnreachableError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.client import at
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.domain_side import DomainSide
from unit.mailgun.answering import HTML, KEY, PatientClock, Said, client, serving

NOW = PatientClock().time

LIMITS = {
    "body": (Said(429, {"retry-seconds": 60}), 60),
    "Retry-After": (Said(429, "slow down", {"Retry-After": "7"}), 7),
    "X-RateLimit-Reset": (Said(429, {}, {"X-RateLimit-Reset": str(int(NOW) + 30)}), 30),
    "X-Request-Reset": (Said(429, {}, {"X-Request-Reset": str(int(NOW + 20) * 1000)}), 20),
    "a page": (Said(429, HTML), 1),
    "nothing": (Said(429, "Too many requests"), 1),
    "over already": (Said(429, {}, {"X-Request-Reset": str(int(NOW - 90) * 1000)}), 1),
    "no number": (Said(429, {"retry-seconds": "soon"}, {"X-RateLimit-Reset": "nan"}), 1),
}


@pytest.mark.parametrize("method", ["get", "put"])
@pytest.mark.parametrize("form", sorted(LIMITS))
def test_a_limit_is_waited_for_and_then_the_call_is_made(form: str, method: str) -> None:
    """A write too: 429 means that it was not carried out."""
    limited, seconds = LIMITS[form]
    clock = PatientClock()
    with serving(limited, Said(200, {"message": "done"})) as server:
        mailgun = client(server.url, clock)
        answer = mailgun.get("/x") if method == "get" else mailgun.put("/x", {"a": "b"})
    assert answer == {"message": "done"}
    assert clock.waits == [pytest.approx(seconds, abs=1)]
    assert len(server.asked) == 2


@pytest.mark.parametrize("form", ["X-Request", "X-RateLimit"])
def test_when_nothing_remains_the_next_call_waits(form: str) -> None:
    reset = str(int(NOW + 12) * 1000)
    clock = PatientClock()
    with serving(Said(200, {}, {f"{form}-Remaining": "0", f"{form}-Reset": reset}), Said(200, {})) as server:
        mailgun = client(server.url, clock)
        mailgun.get("/x")
        assert clock.waits == []
        mailgun.get("/x")
    assert clock.waits == [pytest.approx(12)]


def test_a_reset_is_no_limit_while_calls_remain() -> None:
    clock = PatientClock()
    reset = {"X-Request-Limit": "300", "X-Request-Remaining": "9", "X-Request-Reset": str(int(NOW + 12) * 1000)}
    with serving(Said(200, {}, reset)) as server:
        mailgun = client(server.url, clock)
        mailgun.get("/x")
        mailgun.get("/x")
    assert clock.waits == []


def test_waiting_is_bounded_in_all_and_the_error_says_so() -> None:
    clock = PatientClock()
    with serving(Said(429, {"retry-seconds": 50})) as server, pytest.raises(RateLimitedError) as caught:
        client(server.url, clock, patience=120).put("/x", {})
    assert clock.waits == [50, 50]
    assert "PUT /x must wait for 50 s, and 20 s are left" in caught.value.text()
    assert "rate_limit_timeout" in caught.value.text()
    assert caught.value.definite


def test_without_a_word_the_pauses_grow() -> None:
    clock = PatientClock()
    with serving(Said(429, "no")) as server, pytest.raises(RateLimitedError):
        client(server.url, clock, patience=40).get("/x")
    assert clock.waits == [1, 2, 4, 8, 15]


@pytest.mark.parametrize(
    "failure", [Said(502, HTML), Said(500, {"message": "oops"}), Said(breaks=True), Said(200, '{"cut": ')]
)
def test_a_read_is_repeated_and_a_write_is_not(failure: Said) -> None:
    clock = PatientClock()
    with serving(failure, failure, Said(200, {"ok": 1})) as server:
        assert client(server.url, clock).get("/x") == {"ok": 1}
    assert clock.waits == [1, 3]
    for write in ("post", "put"):
        with serving(failure) as server, pytest.raises(MailopsError) as caught:
            getattr(client(server.url), write)("/x", {"a": "b"})
        assert len(server.asked) == 1
        assert not caught.value.definite


def test_a_read_is_not_repeated_for_ever() -> None:
    with serving(Said(503, {"message": "down"})) as server, pytest.raises(TemporaryError, match="down"):
        client(server.url).get("/x")
    assert len(server.asked) == 3


def test_nothing_was_sent_so_a_write_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    clock = PatientClock()
    with pytest.raises(UnreachableError):
        client(f"http://127.0.0.1:{port}", clock).post("/x", {})
    assert clock.waits == [1, 3]


ERRORS: dict[str, tuple[Said, type[MailopsError], str]] = {
    "plain 401": (Said(401, "Forbidden"), AuthenticationError, "refused the API key at PUT /x: Forbidden (HTTP 401)"),
    "JSON 401": (Said(401, {"message": "Invalid private key"}), AuthenticationError, "Invalid private key"),
    "scope": (Said(403, {"message": "not allowed"}), AuthenticationError, "scope is restricted"),
    "not found": (Said(404, {"message": "Domain not found"}), NotFoundError, "Domain not found"),
    "not found as 400": (Said(400, {"message": "Domain not found: x"}), NotFoundError, "Domain not found"),
    "not found by another": (Said(404, "404 page not found"), ProtocolError, "no JSON object"),
    "taken": (
        Said(400, {"message": "This domain name is already taken"}),
        ConflictError,
        "is already taken (HTTP 400)",
    ),
    "Reason": (Said(400, {"Reason": "Password is too short"}), ValidationError, "PUT /x: Password is too short (HTTP"),
    "Field": (Said(400, {"Field": "name", "Reason": "is wrong"}), ValidationError, "is wrong (field name) (HTTP 400)"),
    "Description": (
        Said(400, {"message": "no", "Description": "because"}),
        ValidationError,
        "no: because (HTTP 400)",
    ),
    "a list": (Said(400, ["strange"]), ValidationError, '["strange"] (HTTP 400)'),
    "empty": (Said(400, ""), ValidationError, "(HTTP 400)"),
    "a long text": (Said(400, '"a\\n' + 9999 * "x" + '"'), ValidationError, f"PUT /x: a {318 * 'x'} (HTTP 400)"),
    "a deep one": (Said(400, 100_000 * "["), ValidationError, f"PUT /x: {160 * '['} (HTTP 400)"),
    "payment": (Said(402, {"message": "Domain limit reached"}), ValidationError, "Domain limit reached"),
    "a page": (Said(200, HTML), ProtocolError, "answered with a page of HTML"),
    "a page and 401": (Said(401, HTML), ProtocolError, "check api_url"),
    "a redirection": (Said(302, "", {"Location": "/login"}), ProtocolError, "a redirection"),
    "text": (Said(200, "fine"), ProtocolError, "no JSON object"),
}


@pytest.mark.parametrize("case", sorted(ERRORS))
def test_every_form_of_error_is_one_clear_error(case: str) -> None:
    said, kind, text = ERRORS[case]
    with serving(said) as server, pytest.raises(kind) as caught:
        client(server.url).put("/x", {})
    assert text in caught.value.text()
    assert len(server.asked) == 1


REFUSAL = Said(401, "Forbidden")


def test_a_key_of_the_other_region_is_recognised() -> None:
    with (
        serving(REFUSAL) as here,
        serving(Said(200, {"items": []})) as there,
        pytest.raises(AuthenticationError) as caught,
    ):
        client(here.url, elsewhere=there.url).put("/x", {})
    assert "Region eu takes this key: say region: eu" in caught.value.text()
    assert there.asked == ["GET /v4/domains?limit=1"]


def test_a_key_that_is_wrong_everywhere() -> None:
    with serving(REFUSAL) as here, serving(REFUSAL) as there, pytest.raises(AuthenticationError) as caught:
        client(here.url, elsewhere=there.url).get("/x")
    assert "Region eu does not take it either" in caught.value.text()
    assert len(there.asked) == 1


@pytest.mark.parametrize("silent", [Said(429, "slow down"), Said(503, {"message": "down"}), Said(breaks=True)])
def test_another_region_that_does_not_say_is_not_said_to_refuse(silent: Said) -> None:
    with serving(REFUSAL) as here, serving(silent) as there, pytest.raises(AuthenticationError) as caught:
        client(here.url, elsewhere=there.url).get("/x")
    assert "Whether region eu takes it could not be asked" in caught.value.text()


def test_a_domain_is_not_taken_for_absent_elsewhere_when_nobody_says_so() -> None:
    with serving(Said(404, {"message": "Domain not found"})) as here, serving(Said(503, {"message": "down"})) as there:
        mailgun = client(here.url, elsewhere=there.url)
        assert mailgun.region_of("mg.acme.example") == ""
        with pytest.raises(TemporaryError, match="is in region eu could not be asked"):
            mailgun.region_of("mg.acme.example", certain=True)
        assert there.asked == ["GET /v4/domains/mg.acme.example"] * 2


def test_with_an_api_url_no_other_region_is_asked() -> None:
    with serving(REFUSAL) as here, pytest.raises(AuthenticationError) as caught:
        client(here.url).get("/x")
    assert "Keys and domains belong to a region: check that api_url is that of the key's" in caught.value.text()


def test_secrets_that_are_repeated_to_us_are_hidden() -> None:
    echo = Said(400, {"message": f"{KEY} may not set canary-password"})
    with serving(echo) as server, pytest.raises(ValidationError) as caught:
        client(server.url).put("/x", {"password": "canary-password"}, "canary-password")
    assert "canary" not in caught.value.text()
    assert server.bodies == ["password=canary-password"]


@pytest.mark.parametrize("body", [[150 * "x" + "canary-password"], {"message": 312 * "x" + "canary-password"}])
def test_a_secret_where_a_long_text_is_cut_is_hidden(body: Any) -> None:
    with serving(Said(400, body)) as server, pytest.raises(ValidationError) as caught:
        client(server.url).put("/x", {"password": "canary-password"}, "canary-password")
    assert "canary" not in caught.value.text()


def test_lists_are_read_to_their_end() -> None:
    first = {"items": [{"n": number} for number in range(100)], "total_count": 100}
    with serving(Said(200, first), Said(200, {"items": [{"n": 100}], "total_count": 1})) as server:
        found = list(client(server.url).items("/x"))
    assert [item["n"] for item in found] == list(range(101))
    assert server.asked == ["GET /x?limit=1000&skip=0", "GET /x?limit=1000&skip=100"]
    with serving(Said(200, {"items": [{"n": number} for number in range(99)], "total_count": 99})) as server:
        assert len(list(client(server.url).items("/x"))) == 99
    assert len(server.asked) == 1


def test_a_list_whose_pages_are_all_the_same_has_one() -> None:
    """Where a server heeds no skip, its one page of just the usual size would be read for ever."""
    page = Said(200, {"items": [{"n": number} for number in range(100)], "total_count": 100})
    with serving(page, page, Said(500)) as server:
        assert len(list(client(server.url).items("/x"))) == 100
    assert len(server.asked) == 2


def test_paths_are_quoted() -> None:
    assert at("/v3/domains", "a/b", "x y+z@a") == "/v3/domains/a%2Fb/x%20y%2Bz@a"


@pytest.mark.parametrize("body", [{"message": "welcome"}, {"items": 7}, {"items": {"a": 1}}])
def test_an_answer_without_items_is_not_taken_for_an_empty_list(body: dict[str, Any]) -> None:
    with serving(Said(200, body)) as server, pytest.raises(ProtocolError, match="without items"):
        list(client(server.url).items("/x"))


@pytest.mark.parametrize("total", [None, "many", 0])
def test_an_empty_list_is_one_whatever_its_total(total: Any) -> None:
    with serving(Said(200, {"items": [{"n": 1}], "total_count": total})) as server:
        assert list(client(server.url).items("/x")) == [{"n": 1}]
    with serving(Said(200, {"items": None, "total_count": 0})) as server:
        assert list(client(server.url).items("/x")) == []


def test_an_answer_without_the_domain_is_not_taken_for_one() -> None:
    with serving(Said(200, {"message": "welcome"})) as server, pytest.raises(ProtocolError, match="without the domain"):
        DomainSide(client(server.url), "mg.acme.example", "us").load()
