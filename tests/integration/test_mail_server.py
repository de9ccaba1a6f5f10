# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing servers: Odoo's connection test and putting back, guards, adoption, every field."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.machines import Internet, Odoo
from support.modules import recorded, run_module

pytestmark = pytest.mark.integration

MODEL = "ir.mail_server"
WRITES = {"create", "write", "unlink"}
LOGIN = "no-reply@acme.example"
ZOHO = {
    "name": "Zoho",
    "smtp_host": "mail.zoho.com",
    "smtp_port": 465,
    "encryption": "ssl",
    "smtp_user": LOGIN,
}
MAILGUN_LOGIN = "no-reply@mg.acme.example"
MAILGUN = {
    "name": "Mailgun",
    "smtp_host": "smtp.mailgun.org",
    "smtp_port": 2525,
    "encryption": "starttls",
    "smtp_user": MAILGUN_LOGIN,
}
PLAIN = {"smtp_host": "relay.acme.example", "smtp_port": 25, "encryption": "none", "test": "never"}
UNREACHABLE = {"smtp_host": "mail.zoho.com", "smtp_port": 26, "encryption": "none"}


# What 14 lacks is tested with 19 alone.
ONLY_19 = pytest.mark.parametrize("common_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def sender(common_odoo: Odoo) -> None:
    """The test's sender, where the server has no from_filter, is who logs in: with an address the provider takes."""
    common_odoo.call("res.users", "write", [2], {"email": LOGIN})


@pytest.fixture(autouse=True)
def no_servers(common_odoo: Odoo) -> Iterator[None]:
    """Each test begins without servers, and leaves none to the modules that share the database."""
    common_odoo.clear(MODEL)
    yield
    common_odoo.clear(MODEL)


def run(odoo: Odoo, options: dict[str, Any], module: str = "mail_server", **how: Any) -> dict[str, Any]:
    """Run a module and return its result; that no password shows in it is looked at each time."""
    result = run_module(module, {**odoo.connection(), **options}, **how)
    assert "canary" not in str({**result, "invocation": None})
    return result


def refused(odoo: Odoo, options: dict[str, Any], module: str = "mail_server") -> str:
    """Run a module that must refuse; return its message, having seen that nothing was written, in check mode either."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        results = [run(odoo, {**options, "odoo_url": url}, module, check=check) for check in (True, False)]
    assert [result.get("failed") for result in results] == [True, True], results
    assert results[0]["msg"] == results[1]["msg"]
    assert results[1]["msg"].endswith("Nothing was written.")
    assert not WRITES & {method for _model, method in calls}
    return str(results[1]["msg"])


def stored(odoo: Odoo, *fields: str) -> list[Any]:
    """Return the servers as Odoo has them, by id: tuples of these fields."""
    records = odoo.call(MODEL, "search_read", [], list(fields), order="id", context={"active_test": False})
    return [tuple(record[name] for name in fields) for record in records]


def ssl(odoo: Odoo) -> str:
    """Return what this Odoo calls TLS from the start, verified if it can."""
    return "ssl" if odoo.name == "odoo14" else "ssl_strict"


def applied(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result that must be a success."""
    assert not result.get("failed"), result
    return result


# --- the connection test


def test_a_server_that_works_stays(common_odoo: Odoo, internet: Internet) -> None:
    wanted = {**ZOHO, "smtp_pass": internet.accounts[LOGIN]}
    result = applied(run(common_odoo, wanted))
    assert result["tests"] == [{"name": "Zoho", "result": "passed", "message": ""}]
    assert internet.accounts[LOGIN] not in str({**result, "invocation": None})
    again = applied(run(common_odoo, wanted))
    assert (again["changed"], again["tests"]) == (False, [])
    always = applied(run(common_odoo, {**wanted, "test": "always"}))
    assert (always["changed"], [entry["result"] for entry in always["tests"]]) == (False, ["passed"])


def test_a_new_server_that_fails_is_deleted_again(common_odoo: Odoo) -> None:
    result = run(common_odoo, {**ZOHO, "smtp_pass": "canary-wrong"})
    assert (result["failed"], result["changed"], result["failed_name"]) == (True, False, "Zoho")
    assert result["msg"].startswith(
        f"mail server Zoho: Odoo's connection test (mail.zoho.com:465, encryption {ssl(common_odoo)}, user {LOGIN}) "
        "failed: Odoo refused ir.mail_server.test_smtp_connection: Server replied with following exception: "
    )
    assert "5.7.8 Auth" in result["msg"]
    assert "The new record was deleted again. Correct it, or say test: never" in result["msg"]
    assert result["msg"].endswith("0 of 1 changes were applied.")
    assert [entry["result"] for entry in result["tests"]] == ["failed"]
    assert stored(common_odoo, "name") == []


def test_a_changed_server_that_fails_gets_its_former_values(common_odoo: Odoo, internet: Internet) -> None:
    password = internet.accounts[LOGIN]
    applied(run(common_odoo, {**ZOHO, "sequence": 3, "smtp_pass": password}))
    result = run(common_odoo, {"name": "Zoho", "sequence": 5, "smtp_pass": "canary-wrong", "smtp_user": None})
    assert (result["failed"], result["changed"], result["changes"]) == (True, False, [])
    assert "The former values were put back." in result["msg"]
    assert stored(common_odoo, "sequence", "smtp_pass", "smtp_user") == [(3, password, LOGIN)]
    untested = applied(run(common_odoo, {"name": "Zoho", "smtp_pass": "canary-wrong", "test": "never"}))
    assert untested["changed"] and "tests" not in untested
    always = run(common_odoo, {"name": "Zoho", "test": "always"})
    assert (always["failed"], always["changed"]) == (True, False)
    assert "mail server Zoho: Odoo's connection test" in always["msg"] and "It is as it was." in always["msg"]
    assert stored(common_odoo, "smtp_pass") == [("canary-wrong",)]


def test_of_several_servers_only_those_that_fail_are_put_back(common_odoo: Odoo, internet: Internet) -> None:
    servers = [
        {**ZOHO, "smtp_pass": "canary-wrong"},
        {**MAILGUN, "smtp_pass": internet.accounts[MAILGUN_LOGIN]},
        {"name": "Closed", **UNREACHABLE},
    ]
    result = run(common_odoo, {"servers": servers}, "mail_servers")
    assert (result["failed"], result["changed"]) == (True, True)
    assert (result["applied"], result["failed_name"], result["remaining"]) == (["Mailgun"], "Zoho", [])
    assert (
        "Also, mail server Closed: Odoo's connection test (mail.zoho.com:26, encryption none) failed" in result["msg"]
    )
    assert [change["name"] for change in result["changes"]] == ["Mailgun"]
    assert [(entry["name"], entry["result"]) for entry in result["tests"]] == [
        ("Zoho", "failed"), ("Mailgun", "passed"), ("Closed", "failed"),
    ]  # fmt: skip
    assert stored(common_odoo, "name") == [("Mailgun",)]


def test_what_says_nothing_new_to_the_provider_is_not_tested(common_odoo: Odoo) -> None:
    """So a provider that is down does not keep an administrator from archiving its server."""
    applied(run(common_odoo, {"name": "Closed", **UNREACHABLE, "test": "never"}))
    assert applied(run(common_odoo, {"name": "Closed", "sequence": 7}))["tests"] == []
    assert applied(run(common_odoo, {"name": "Closed", "active": False}))["tests"] == []
    assert applied(run(common_odoo, {"name": "Closed", "smtp_port": 27}))["tests"] == []
    revived = run(common_odoo, {"name": "Closed", "active": True})
    assert revived["failed"] and stored(common_odoo, "active", "smtp_port") == [(False, 27)]


def test_check_mode_tests_nothing(common_odoo: Odoo) -> None:
    with recorded(common_odoo.url, common_odoo.ca_file) as (url, calls):
        result = run(common_odoo, {**ZOHO, "smtp_pass": "canary-wrong", "test": "always", "odoo_url": url}, check=True)
    assert applied(result)["changed"]
    assert {method for _model, method in calls} <= {"authenticate", "version", "fields_get", "search_read"}


# --- guards


def test_a_server_in_use_is_neither_deleted_nor_archived(common_odoo: Odoo) -> None:
    applied(run(common_odoo, {"name": "Used", **PLAIN}))
    applied(run(common_odoo, {"name": "Free", **PLAIN, "smtp_port": 26}))
    (server,) = common_odoo.call(MODEL, "search", [["name", "=", "Used"]])
    uses = {"mail_server_id": server}
    common_odoo.call("mail.template", "create", {"name": "Order", **uses})
    for subject, state in (("Spring", "draft"), ("Winter", "done")):
        common_odoo.call("mailing.mailing", "create", {"subject": subject, "state": state, "email_from": LOGIN, **uses})
    for state in ("outgoing", "exception", "sent"):
        common_odoo.call("mail.mail", "create", {"subject": "x", "state": state, **uses})
    applied(run(common_odoo, {"server": "Used"}, "mass_mailing_server"))
    used = (
        "mail server Used is used by mail template 'Order', mailing 'Spring', 2 mails in the queue, "
        "Email Marketing as its dedicated server (system parameter mass_mailing.mail_server_id). "
        "Give them another server first, or say force: true"
    )
    assert used in refused(common_odoo, {"name": "Used", "state": "absent"})
    assert used in refused(common_odoo, {"name": "Used", "active": False})
    assert used in refused(common_odoo, {"servers": [], "prune": True}, "mail_servers")
    applied(run(common_odoo, {"name": "Free", "state": "absent"}))
    assert applied(run(common_odoo, {"name": "Used", "state": "absent", "force": True}))["changed"]
    assert stored(common_odoo, "name") == []


@ONLY_19
def test_a_neutralised_copy_is_not_brought_to_life(common_odoo: Odoo) -> None:
    applied(run(common_odoo, {"name": "Live", **PLAIN}))
    applied(run(common_odoo, {"name": "Live", "active": False}))
    placeholder = {"name": "neutralization - disable emails", "smtp_host": "invalid", "smtp_port": 1025}
    common_odoo.call(MODEL, "create", placeholder)
    mark = common_odoo.call("ir.config_parameter", "create", {"key": "database.is_neutralized", "value": "true"})
    try:
        told = refused(common_odoo, {"name": "Live", "active": True})
        copy = f"the database {common_odoo.database!r} is a neutralised copy"
        assert told.startswith(f"{copy}, and this would leave the mail server 'Live' active. If this copy")
        assert "neutralised copy" in refused(common_odoo, {"name": "New", **PLAIN, "adopt": False})
        assert "neutralised copy" in refused(common_odoo, {"name": placeholder["name"], "state": "absent"})
        assert "neutralised copy" in refused(common_odoo, {"name": placeholder["name"], "active": False})
        assert "neutralised copy" in refused(common_odoo, {"servers": [], "prune": True}, "mail_servers")
        assert applied(run(common_odoo, {"name": "Live", "smtp_port": 27}))["changed"]
        assert applied(run(common_odoo, {"name": "Archived", **PLAIN, "active": False}))["changed"]
        revived = {"name": "Live", "active": True, "neutralized": "allow", "test": "never"}
        assert applied(run(common_odoo, revived))["changed"]
    finally:
        common_odoo.call("ir.config_parameter", "unlink", [mark])


# --- adoption


def test_a_server_under_another_name_is_adopted_when_told(common_odoo: Odoo) -> None:
    made_by_hand = {"name": "by hand", "smtp_host": "mail.zoho.com", "smtp_port": 465, "smtp_user": LOGIN}
    number = common_odoo.call(MODEL, "create", {**made_by_hand, "smtp_encryption": "ssl"})
    wanted = {**ZOHO, "test": "never"}
    told = refused(common_odoo, wanted)
    assert told.startswith(
        f"mail server 'Zoho' does not exist yet, but 'by hand' (id {number}) has the same smtp_host,"
    )
    assert "adopt: true to rename and change that one" in told
    result = applied(run(common_odoo, {**wanted, "adopt": True}))
    assert [(change["action"], change["name"]) for change in result["changes"]] == [("update", "Zoho")]
    assert "  name: 'by hand'\n" in result["diff"]["before"]
    assert stored(common_odoo, "id", "name", "smtp_encryption") == [(number, "Zoho", ssl(common_odoo))]
    assert not applied(run(common_odoo, wanted))["changed"]
    assert applied(run(common_odoo, {**wanted, "name": "Second", "adopt": False}))["changed"]
    assert "Which of them is meant?" in refused(common_odoo, {**wanted, "name": "Third", "adopt": True})


def test_letters_case_does_not_hide_the_same_server(common_odoo: Odoo) -> None:
    made_by_hand = {"name": "by hand", "smtp_host": "Mail.Zoho.com", "smtp_port": 465, "smtp_user": LOGIN.title()}
    common_odoo.call(MODEL, "create", {**made_by_hand, "smtp_encryption": "ssl"})
    assert "'by hand'" in refused(common_odoo, {**ZOHO, "test": "never"})


# --- the fields


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate and its key."""
    folder = tmp_path_factory.mktemp("pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
         "/CN=odoo.acme.example", "-keyout", folder / "key", "-out", folder / "certificate"],
        check=True, capture_output=True,
    )  # fmt: skip
    return (folder / "certificate").read_text(), Path(folder / "key").read_text()


@ONLY_19
def test_a_certificate_and_its_key(common_odoo: Odoo, pem: tuple[str, str]) -> None:
    certificate, key = pem
    both = {"smtp_ssl_certificate": certificate, "smtp_ssl_private_key": key}
    wanted = {**ZOHO, "smtp_authentication": "certificate", "test": "never"}
    assert "needs smtp_ssl_certificate and smtp_ssl_private_key" in refused(common_odoo, wanted)
    assert "encryption starttls or ssl" in refused(
        common_odoo, {**wanted, **both, "smtp_port": 25, "encryption": "none"}
    )
    assert "this is no private key in PEM form" in refused(common_odoo, {**wanted, **both, "smtp_ssl_private_key": "x"})
    created = applied(run(common_odoo, {**wanted, **both}))
    assert "PRIVATE KEY" not in str({**created, "invocation": None})
    # A file read with a lookup has lost its last newline.
    assert not applied(run(common_odoo, {**wanted, **{name: text.strip() for name, text in both.items()}}))["changed"]
    # Odoo can load both, so what it has is what was given: the provider asks for a login.
    tried = run(common_odoo, {**wanted, "test": "always"})
    assert "refused the sender address (no-reply@acme.example) with error b'5.7.0 Auth" in tried["msg"]
    (record,) = run(common_odoo, {}, "mail_server_info")["records"]
    assert (record["smtp_ssl_certificate"], record["smtp_ssl_private_key"]) == (certificate, "(hidden)")
    assert "needs smtp_ssl_private_key" in refused(common_odoo, {"name": "Zoho", "smtp_ssl_private_key": None})


@ONLY_19
@pytest.mark.parametrize(
    ("service", "host"), [("gmail", "smtp.gmail.com"), ("outlook", "smtp.outlook.com")], ids=["gmail", "outlook"]
)
def test_oauth(common_odoo: Odoo, service: str, host: str) -> None:
    token = {"gmail": "google_gmail_refresh_token", "outlook": "microsoft_outlook_refresh_token"}[service]
    access = token.replace("refresh", "access")
    wanted = {"name": "OAuth", "smtp_authentication": service, "smtp_user": "Sales@Acme.example"}
    assert "does not go with smtp_authentication" in refused(common_odoo, {**wanted, "smtp_pass": "canary"})
    assert "takes encryption starttls and no other" in refused(common_odoo, {**wanted, "encryption": "ssl"})
    assert "needs smtp_user" in refused(common_odoo, {**wanted, "smtp_user": None})
    created = applied(run(common_odoo, wanted))
    assert [entry["result"] for entry in created["tests"]] == ["skipped"]
    assert "press Connect" in str(created["warnings"])
    assert stored(common_odoo, "smtp_host", "smtp_port", "smtp_encryption", "from_filter") == [
        (host, 587, "starttls", "sales@acme.example")
    ]
    assert not applied(run(common_odoo, wanted))["changed"]
    given = {**wanted, token: "canary-refresh", "test": "never"}
    assert applied(run(common_odoo, given))["changed"]
    assert not applied(run(common_odoo, given))["changed"]
    (number,) = common_odoo.call(MODEL, "search", [])
    common_odoo.call(MODEL, "write", [number], {access: "canary-access"})
    replaced = applied(run(common_odoo, {**given, token: "canary-other"}))
    if service == "gmail":
        assert stored(common_odoo, token, access) == [("canary-other", False)]
    else:
        assert not replaced["changed"]
    login = {"name": "OAuth", "smtp_authentication": "login", "smtp_pass": "canary-pass", "test": "never"}
    assert applied(run(common_odoo, login))["changed"]
    assert stored(common_odoo, "smtp_authentication", token, access) == [("login", False, False)]
    assert "Clear it: smtp_pass: null." in refused(common_odoo, {"name": "OAuth", "smtp_authentication": service})


@ONLY_19
def test_the_server_of_odoo_conf_needs_no_host(common_odoo: Odoo) -> None:
    wanted = {"name": "odoo.conf", "smtp_authentication": "cli", "from_filter": ["acme.example"], "test": "never"}
    assert applied(run(common_odoo, wanted))["changed"]
    assert not applied(run(common_odoo, wanted))["changed"]
    assert stored(common_odoo, "smtp_authentication", "smtp_host", "from_filter") == [("cli", False, "acme.example")]


@ONLY_19
def test_size_and_debugging(common_odoo: Odoo) -> None:
    wanted = {"name": "Sized", **PLAIN, "max_email_size": 7.5, "smtp_debug": True}
    assert applied(run(common_odoo, wanted))["changed"]
    assert not applied(run(common_odoo, wanted))["changed"]
    assert stored(common_odoo, "max_email_size", "smtp_debug") == [(7.5, True)]
    assert applied(run(common_odoo, {"name": "Sized", "max_email_size": None, "smtp_debug": False}))["changed"]
    assert not applied(run(common_odoo, {"name": "Sized", "max_email_size": 0}))["changed"]
    assert "cannot be negative" in refused(common_odoo, {"name": "Sized", "max_email_size": -1})


@ONLY_19
def test_the_server_of_a_user(common_odoo: Odoo, internet: Internet) -> None:
    for login, address in (("mary", LOGIN), ("joe", MAILGUN_LOGIN)):
        common_odoo.call("res.users", "create", {"name": login.title(), "login": login, "email": address})
    marys = {**ZOHO, "owner": "mary", "from_filter": [LOGIN], "smtp_pass": internet.accounts[LOGIN]}
    assert "this Odoo has no res.users 'nobody'" in refused(common_odoo, {**marys, "owner": "nobody"})
    assert "needs the owner's address" in refused(common_odoo, {**marys, "from_filter": ["acme.example"]})
    assert [entry["result"] for entry in applied(run(common_odoo, marys))["tests"]] == ["passed"]
    assert not applied(run(common_odoo, marys))["changed"]
    given = {**MAILGUN, "owner": "mary", "from_filter": [MAILGUN_LOGIN]}
    assert "Mary already owns the mail server 'Zoho'" in refused(common_odoo, given)
    assert "mary would own two mail servers" in refused(
        common_odoo, {"servers": [given, {**marys, "name": "New"}], "adopt": False}, "mail_servers"
    )
    assert "is used by its owner Mary (id" in refused(common_odoo, {"name": "Zoho", "owner": "mary", "state": "absent"})
    pruned = applied(run(common_odoo, {"servers": [], "prune": True}, "mail_servers"))
    assert not pruned["changed"]
    (record,) = run(common_odoo, {}, "mail_server_info")["records"]
    assert (record["owner"], record["smtp_pass"]) == ("mary", "(hidden)")
    # It is no longer Odoo's server for Mary, so the test fails, and she has it back.
    failed = run(common_odoo, {"name": "Zoho", "owner": "joe"})
    assert failed["failed"] and "The former values were put back." in failed["msg"]
    assert [owner[1] for (owner,) in stored(common_odoo, "owner_user_id")] == ["Mary"]


@ONLY_19
def test_a_server_in_use_becomes_nobodys_own(common_odoo: Odoo) -> None:
    common_odoo.call("res.users", "create", {"name": "Ann", "login": "ann", "email": "ann@acme.example"})
    applied(run(common_odoo, {"name": "Shared", **PLAIN}))
    (server,) = common_odoo.call(MODEL, "search", [["name", "=", "Shared"]])
    common_odoo.call("mail.template", "create", {"name": "Invoice", "mail_server_id": server})
    own = {
        "name": "Shared",
        **PLAIN,
        "owner": "ann",
        "smtp_user": "ann@acme.example",
        "from_filter": ["ann@acme.example"],
    }
    assert "mail server Shared is used by mail template 'Invoice'" in refused(common_odoo, own)


def test_what_takes_a_servers_place_is_tested_before_it_goes(common_odoo: Odoo) -> None:
    applied(run(common_odoo, {"name": "Old", **PLAIN}))
    result = run(common_odoo, {"servers": [{"name": "New", **UNREACHABLE}], "prune": True}, "mail_servers")
    assert result["failed"] and "Odoo's connection test" in result["msg"]
    assert (result["applied"], result["failed_name"], result["remaining"]) == ([], "New", ["Old"])
    assert stored(common_odoo, "name") == [("Old",)]


# --- the calls


@ONLY_19
def test_many_servers_take_as_many_reads_as_one(common_odoo: Odoo) -> None:
    servers = [
        {
            "name": f"S{number}",
            "smtp_user": f"u{number}",
            "smtp_host": "a.example",
            "smtp_port": 25,
            "encryption": "none",
        }
        for number in range(501)
    ]

    def calls(count: int, **change: Any) -> list[tuple[str, str]]:
        given = {"servers": [{**server, **change} for server in servers[:count]], "test": "never"}
        with recorded(common_odoo.url, common_odoo.ca_file) as (url, made):
            applied(run(common_odoo, {**given, "odoo_url": url, "odoo_protocol": "json2"}, "mail_servers"))
        return made

    reads = [(MODEL, "fields_get"), ("res.users", "search_read"), (MODEL, "search_read")]
    neutralised = ("ir.config_parameter", "search_read")
    assert calls(1) == [*reads, neutralised, (MODEL, "create")]
    assert calls(501) == [*reads, neutralised, (MODEL, "create")]
    assert calls(501) == reads
    assert calls(501, sequence=3) == [*reads, neutralised, (MODEL, "write"), (MODEL, "write")]
    assert calls(1, owner=None) == reads
