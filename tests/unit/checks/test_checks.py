# SPDX-License-Identifier: GPL-3.0-or-later
"""What each result amounts to: wrong is failed, not seen is never passed, and every reason is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._checks import collect, gateway, mailgun, ports
from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import (
    PARTS,
    Place,
    Unknown,
    known,
    policy_of,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.document import render

DATABASE = Place("acme_prod", ["odoo_databases"])
GATEWAY = Place("mx", ["mail_gateways"])
ODOO_HOST = Place("odoo", ["odoo_hosts"])
SPF = "v=spf1 include:mailgun.org ~all"
ZOHO = {"name": "Zoho", "provider": "zoho", "sequence": 1, "smtp_user": "a@acme.example", "smtp_pass": "canary-smtp",
        "from_filter": ["a@acme.example"]}  # fmt: skip
MAILGUN = {**ZOHO, "name": "Mailgun", "provider": "mailgun", "smtp_port": 2525, "smtp_user": "no-reply@mg.acme.example",
           "from_filter": ["mg.acme.example"]}  # fmt: skip
ACCOUNT: dict[str, Any] = {
    "provider": "mailgun",
    "region": "us",
    "api_key": "canary-key",
    "domains": [{"name": "mg.acme.example", "credentials": [{"login": "no-reply", "password": "canary-login"}]}],
}
POLICY: dict[str, Any] = {
    "version": 1,
    "odoo": {"servers": [ZOHO, MAILGUN]},
    "providers": [ACCOUNT],
    "inbound": {"domains": [{"name": "acme.example", "others": "relay", "relay_host": "mx.zoho.com:2525"}]},
}
CONNECTION = {"odoo_url": "https://odoo.acme.example", "odoo_database": "prod", "odoo_password": "canary-odoo"}
NO_LIBRARY = {"failed": True, "msg": "Failed to import the required Python library (dnspython) on host's Python …"}
DOCUMENT = {"path": "/inventory/../MAIL.md", "exists": True, "text": render(POLICY)}


class Undefined(Mapping[str, Any]):
    """What a filter of ansible-core 2.19 is given: a variable that is not defined is an error when it is looked at."""

    def __init__(self, values: Mapping[str, Any], *undefined: str) -> None:
        self._values = values
        self._undefined = undefined

    def __getitem__(self, name: str) -> Any:
        if name in self._undefined:
            raise RuntimeError("'vault_secret' is undefined")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._values, *self._undefined])

    def __len__(self) -> int:
        return len(list(iter(self)))


def record(name: str, record_type: str, *values: str, valid: bool = True) -> dict[str, Any]:
    state = "valid" if valid else "unknown"
    return {"name": name, "type": record_type, "values": list(values), "ttl": None, "valid": valid, "state": state}


def told(state: str = "active", inbound: bool = False, **domain: Any) -> dict[str, Any]:
    """Return what the loop of mailgun_domain_info registered for the policy's domain."""
    name = "mg.acme.example"
    sending = [record(name, "TXT", SPF), record(f"email.{name}", "CNAME", "mailgun.org", valid=False)]
    receiving = [record(name, "MX", "10 mxa.mailgun.org", valid=False)]
    shown = {
        "domain": {
            "name": name,
            "state": state,
            "region": "us",
            "is_disabled": False,
            "disabled_because": None,
            "web_prefix": "email",
            "awaited": [],
            **domain,
        },
        "sending_records": sending,
        "receiving_records": receiving,
        "dns_records": sending + (receiving if inbound else []),
        "tracking": {"open": False, "click": "no", "unsubscribe": False},
    }
    return {"results": [answered(domains=[shown])]}


def answered(**result: Any) -> dict[str, Any]:
    return {"verify_domain": {"name": "mg.acme.example"}, **result}


def probed(place: Place, problems: Mapping[str, str] | None = None, policy: Any = None) -> dict[str, Any]:
    """Return what smtp_probe registered for a host's ports; `problems` has those of some, as host:port."""
    results = []
    for target in collect.looks(policy or POLICY, place, {})["ports"]:
        problem = (problems or {}).get(f"{target['host']}:{target['port']}", "")
        results.append({**target, "problem": problem, "reachable": not problem.startswith("tcp:")})
    return {"results": results}


def login(authenticated: bool | None, problem: str = "") -> dict[str, Any]:
    reachable = not problem.startswith("tcp:")
    at = {"host": "smtp.mailgun.org", "port": 2525, "reachable": reachable}
    return {"results": [{**at, "authenticated": authenticated, "problem": problem}]}


NO_SUCH_NAME = {"answer": "nxdomain", "values": []}


def answer(*values: str) -> dict[str, Any]:
    """Return what a server said that has these values."""
    return {"answer": "found", "values": list(values)} if values else NO_SUCH_NAME


def looked_up(policy: Any, place: Place = DATABASE, mailgun: Any = ..., **changed: Any) -> dict[str, Any]:
    """Return what mail_dns_info registered, fine but for what is named: a list of servers' answers, or a status.

    Records are named by their type and their name, dots and hyphens as underlines.
    """
    found = {"mailgun": told() if mailgun is ... else mailgun}
    results = []
    for asked in collect.looks(policy, place, found)["records"]:
        says = changed.pop(re.sub(r"\W", "_", f"{asked['type']}_{asked['name']}"), [answer(*asked.get("values", ()))])
        silent = isinstance(says, str)
        results.append(
            {
                "detail": f"no server told: {says}" if silent else "",
                "servers": [{"answer": says, "values": []}] if silent else says,
                "problems": [],
                "hints": [],
            }
        )
    assert not changed, f"not asked for: {list(changed)}"
    return {"records": results}


FINE = {
    "mailgun": told(),
    "logins": login(True),
    "connection": CONNECTION,
    "drift": {"drift": []},
    "document": DOCUMENT,
}


def by_id(checks: list[Check]) -> dict[str, Check]:
    return {check.id: check for check in checks}


def database(policy: Any = ..., place: Place = DATABASE, **found: Any) -> dict[str, Check]:
    """Return the checks of a database, fine but for what is named."""
    policy = POLICY if policy is ... else policy
    known_before = {**FINE, **found}
    dns_found = found["dns"] if "dns" in found else looked_up(policy, place, known_before["mailgun"])
    return by_id(collect.collect(policy, place, {**known_before, "dns": dns_found}))


def test_everything_passes() -> None:
    checks = database()
    assert {check.status for check in checks.values()} == {"passed"}
    assert list(checks) == [
        "POLICY.acme_prod",
        "DNS.TXT.mg.acme.example",
        "DNS.MX.mg.acme.example",
        "MAILGUN.mg.acme.example.state",
        "MAILGUN.mg.acme.example.records",
        "MAILGUN.no-reply@mg.acme.example.auth",
        "ODOO.servers.Zoho",
        "ODOO.servers.Mailgun",
        "ODOO.document",
    ]
    for place in (GATEWAY, ODOO_HOST):
        assert {check.status for check in ports.checks(policy_of(POLICY), place, probed(place))} == {"passed"}


def test_what_there_is_to_look_at() -> None:
    looks = collect.looks(POLICY, DATABASE, FINE)
    assert looks["ports"] == []
    assert looks["domains"] == [{"name": "mg.acme.example", "region": "us", "inbound_routes": False, "account": 0}]
    assert looks["records"] == [
        {"name": "mg.acme.example", "type": "TXT", "values": [SPF]},
        {"name": "mg.acme.example", "type": "MX"},
    ]
    (target,) = looks["logins"]
    assert {name: target[name] for name in ("host", "port", "encryption", "login", "password")} == {
        "host": "smtp.mailgun.org",
        "port": 2525,
        "encryption": "starttls",
        "login": "no-reply@mg.acme.example",
        "password": "canary-login",
    }
    assert (looks["odoo"], looks["gateway"]) == (True, False)
    elsewhere = Place("acme_prod", ["odoo_databases"], smtp={"host": "192.0.2.1", "port": "465", "ca_file": "/ca.pem"})
    (target,) = collect.looks(POLICY, elsewhere, FINE)["logins"]
    assert [target[name] for name in ("host", "port", "encryption", "ca_file")] == ["192.0.2.1", 465, "ssl", "/ca.pem"]


def test_the_login_that_is_tried_is_the_active_one() -> None:
    place = replace(DATABASE, active={"no-reply@mg.acme.example": "no-reply-2@mg.acme.example"})
    (target,) = collect.looks(POLICY, place, FINE)["logins"]
    assert target["login"] == "no-reply-2@mg.acme.example"
    checks = {check.id: check for check in collect.collect(POLICY, place, FINE)}
    assert checks["MAILGUN.no-reply-2@mg.acme.example.auth"].status == "passed"
    assert checks["ODOO.document"].status == "passed"


# --- Results that are wrong, and those that are not there


@pytest.mark.parametrize(
    ("found", "name", "status", "text"),
    [
        # Mailgun.
        ({"mailgun": told("unverified")}, "MAILGUN.mg.acme.example.state", "failed", "unverified"),
        (
            {"mailgun": told(is_disabled=True, disabled_because="spam")},
            "MAILGUN.mg.acme.example.state",
            "failed",
            "disabled: spam",
        ),
        (
            {"mailgun": told(awaited=["mg.acme.example TXT"])},
            "MAILGUN.mg.acme.example.records",
            "failed",
            "has not found: mg.acme.example TXT",
        ),
        ({"mailgun": {"results": [answered(domains=[])]}}, "MAILGUN.mg.acme.example.state", "failed", "no such domain"),
        (
            {"mailgun": {"results": [answered(domains=[])]}},
            "MAILGUN.mg.acme.example.records",
            "skipped",
            "see the state",
        ),
        (
            {"mailgun": {"results": [answered(msg="Mailgun refused the API key", error="authentication")]}},
            "MAILGUN.mg.acme.example.state",
            "failed",
            "refused the API key",
        ),
        ({"mailgun": {"results": [answered(msg="boom")]}}, "DNS.mg.acme.example", "skipped", "only Mailgun knows"),
        ({"mailgun": {"msg": "'x' is undefined"}}, "MAILGUN.mg.acme.example.state", "skipped", "undefined"),
        ({"mailgun": None}, "MAILGUN.mg.acme.example.state", "failed", "did not come to it"),
        # Logins.
        ({"logins": login(False, "auth: 535 no")}, "MAILGUN.no-reply@mg.acme.example.auth", "failed", "535 no"),
        (
            {"logins": login(None, "tcp: timed out")},
            "MAILGUN.no-reply@mg.acme.example.auth",
            "skipped",
            "cannot be asked: tcp: timed out",
        ),
        # Who answers, and not as Mailgun's server should, is perhaps another.
        (
            {"logins": login(None, "certificate: not accepted: it has expired")},
            "MAILGUN.no-reply@mg.acme.example.auth",
            "failed",
            "smtp.mailgun.org:2525: certificate: not accepted",
        ),
        ({"logins": {"msg": "boom"}}, "MAILGUN.no-reply@mg.acme.example.auth", "failed", "boom"),
        # DNS.
        ({"dns": NO_LIBRARY}, "DNS", "skipped", "dnspython"),
        ({"dns": {"msg": "this machine has no resolver"}}, "DNS", "failed", "no resolver"),
        # Odoo.
        (
            {"drift": {"drift": [{"setting": "servers", "name": "Zoho", "what": "missing"}]}},
            "ODOO.servers.Zoho",
            "failed",
            "missing in Odoo",
        ),
        ({"drift": {"msg": "Odoo refused the login", "error": "authentication"}}, "ODOO", "failed", "refused"),
        ({"drift": {"msg": "no connection", "error": "unreachable"}}, "ODOO", "failed", "no connection"),
        ({"drift": {"skipped": True}}, "ODOO", "failed", "did not come to it"),
        ({"connection": None}, "ODOO", "skipped", "odoo_connection is not defined"),
        ({"connection": {**CONNECTION, "odoo_password": ""}}, "ODOO", "skipped", "there is no login to Odoo"),
        ({"connection": Undefined(CONNECTION, "odoo_api_key")}, "ODOO", "skipped", "'vault_secret' is undefined"),
        # The document.
        ({"document": {**DOCUMENT, "text": "old"}}, "ODOO.document", "failed", "/MAIL.md is not what the policy says"),
        ({"document": {**DOCUMENT, "exists": False, "text": ""}}, "ODOO.document", "skipped", "there is no /MAIL.md"),
    ],
)
def test_a_result(found: dict[str, Any], name: str, status: str, text: str) -> None:
    check = database(**found)[name]
    assert (check.status, text in check.detail) == (status, True), check
    if status == "failed":
        assert check.fix


def test_a_variable_of_the_environment_that_is_empty_is_none() -> None:
    here = {"host": "acme_prod", "groups": [], "run_tags": ["all"], "skip_tags": [], "check_mode": False}
    environment = {"MAILGUN_API_KEY": "", "ODOO_PASSWORD": "canary"}
    assert list(Place.of(here, environment).environment) == ["ODOO_PASSWORD"]


def test_no_secret_is_told() -> None:
    for found in ({}, {"logins": login(False, "auth: 535 no")}, {"drift": {"msg": "no"}}, {"mailgun": None}):
        assert "canary" not in str(database(**found))


def test_a_difference_is_told_by_its_fields() -> None:
    drift = {
        "setting": "servers",
        "name": "Zoho",
        "what": "different",
        "fields": ["from_filter", "sequence", "smtp_pass"],
        "before": {"sequence": 50, "from_filter": ["a@acme.example", "b@acme.example"], "smtp_pass": "(hidden)"},
        "after": {"sequence": 1, "from_filter": None, "smtp_pass": "(hidden, changed)"},
    }
    checks = database(drift={"drift": [drift]})
    assert checks["ODOO.servers.Zoho"].detail == (
        "different: from_filter is a@acme.example, b@acme.example, not empty; sequence is 50, not 1; "
        "smtp_pass is (hidden), not (hidden, changed)"
    )
    assert checks["ODOO.servers.Mailgun"].status == "passed"


def test_email_marketings_server_is_one_check_of_two_parameters() -> None:
    policy = {**POLICY, "odoo": {**POLICY["odoo"], "mass_mailing_server": "Mailgun"}}
    document = {**DOCUMENT, "text": render(policy)}
    assert database(policy, document=document)["ODOO.mass_mailing_server.Mailgun"].status == "passed"
    drift = {
        "setting": "mass_mailing_server", "name": "mass_mailing.mail_server_id", "what": "different",
        "fields": ["value"], "before": {"value": "1"}, "after": {"value": "2"},
    }  # fmt: skip
    checks = database(policy, document=document, drift={"drift": [drift, {**drift, "name": "mass_mailing.other"}]})
    assert [name for name in checks if "mass_mailing" in name] == ["ODOO.mass_mailing_server.Mailgun"]
    assert checks["ODOO.mass_mailing_server.Mailgun"].status == "failed"


@pytest.mark.parametrize(("unmanaged", "failing"), [("archive", ["By hand"]), ("report", []), ("ignore", [])])
def test_undeclared_servers_are_wrong_where_there_are_to_be_none(unmanaged: str, failing: list[str]) -> None:
    policy = {**POLICY, "odoo": {**POLICY["odoo"], "unmanaged_servers": unmanaged}}
    drift = [
        {"setting": setting, "name": "By hand", "what": "undeclared"} for setting in ("servers", "incoming_servers")
    ]
    checks = database(policy, drift={"drift": drift}, document={**DOCUMENT, "text": render(policy)})
    assert [name for name in checks if checks[name].status == "failed"] == [f"ODOO.servers.{one}" for one in failing]


# --- Domains that receive, or are new


def receiving() -> dict[str, Any]:
    return {**POLICY, "providers": [{**ACCOUNT, "domains": [{**ACCOUNT["domains"][0], "inbound_routes": True}]}]}


def test_records_for_receiving_count_only_with_inbound_routes() -> None:
    checks = database()
    assert checks["MAILGUN.mg.acme.example.records"].status == "passed"
    records = looked_up(receiving(), mailgun=told(inbound=True), MX_mg_acme_example=[answer()])
    checks = database(receiving(), mailgun=told(inbound=True), dns=records)
    assert "mg.acme.example MX" in checks["MAILGUN.mg.acme.example.records"].detail
    assert checks["MAILGUN.mg.acme.example.records"].status == "failed"
    assert checks["DNS.MX.mg.acme.example"].fix == "Publish mg.acme.example MX 10 mxa.mailgun.org"
    assert checks["DNS.MX.mg.acme.example"].status == "failed"


def test_what_fails_only_because_a_domain_is_new_is_pending() -> None:
    new = told("unverified", awaited=["mg.acme.example TXT"])
    records = looked_up(POLICY, mailgun=new, TXT_mg_acme_example=[answer()], MX_mg_acme_example=[answer("10 mx.x")])
    checks = database(mailgun=new, dns=records, drift={"msg": "no"})
    assert {name for name, check in checks.items() if check.pending} == {
        "MAILGUN.mg.acme.example.state",
        "MAILGUN.mg.acme.example.records",
        "DNS.TXT.mg.acme.example",
    }
    assert checks["ODOO"].status == checks["DNS.MX.mg.acme.example"].status == "failed"
    # What was verified before and is not any more is no news to wait for.
    checks = database(mailgun=told(awaited=["mg.acme.example TXT"]), dns=records)
    assert checks["DNS.TXT.mg.acme.example"].status == "failed"
    assert not [name for name, check in checks.items() if check.pending]


# --- What was not asked for, and what could not be


@pytest.mark.parametrize("part", PARTS)
def test_tags_leave_a_part_out(part: str) -> None:
    names = {"dns": "DNS", "mailgun": "MAILGUN", "odoo": "ODOO", "document": "ODOO.document", "ports": "PORT.acme_prod",
             "gateway": "GATEWAY.acme_prod"}  # fmt: skip
    groups = ["odoo_databases", "mail_gateways"]
    place = Place("acme_prod", groups, skip=[part])
    check = database(place=place, gateway=None, ports=probed(place))[names[part]]
    assert (check.status, check.detail, check.asked) == ("skipped", f"left out by --skip-tags {part}", False)
    place = Place("acme_prod", groups, run=[part])
    checks = database(place=place, gateway=None, ports=probed(place))
    left = {name for name, check in checks.items() if not check.asked and check.status == "skipped"}
    assert left == set(names.values()) - {names[part]}
    assert Place("acme_prod", run=["verify"]).left_out(part) == ""


@pytest.mark.parametrize("groups", [["odoo_databases"], ["mail_gateways"], ["odoo_hosts"]])
def test_tags_that_name_no_part_are_no_pass(groups: list[str]) -> None:
    place = Place("acme", groups, run=["dsn", "mailgnu"])
    assert not any(collect.looks(POLICY, place, FINE).values())
    (check,) = collect.collect(POLICY, place, {"document": DOCUMENT})
    assert (check.id, check.status, check.asked) == ("HOST.acme", "skipped", True)
    assert "--tags dsn,mailgnu name no part of it, which are dns, mailgun," in check.detail


def test_nothing_is_asked_that_was_left_out() -> None:
    looks = collect.looks(POLICY, Place("acme_prod", ["odoo_databases"], skip=["odoo", "mailgun"]), FINE)
    # Mailgun knows the records.
    assert len(looks["domains"]) == 1
    assert (looks["logins"], looks["odoo"]) == ([], False)
    looks = collect.looks(POLICY, Place("acme_prod", ["odoo_databases"], skip=["dns", "mailgun"]), FINE)
    assert (looks["domains"], looks["records"], looks["odoo"]) == ([], [], True)


def test_why_there_are_no_records_is_told_without_the_check_of_the_state() -> None:
    place = Place("acme_prod", ["odoo_databases"], skip=["mailgun"])
    check = database(place=place, mailgun={"results": [answered(msg="Mailgun refused the key")]})["DNS.mg.acme.example"]
    assert (check.status, check.asked) == ("skipped", True)
    assert "Mailgun refused the key" in check.detail
    check = database(place=place, mailgun={"results": [answered(domains=[])]})["DNS.mg.acme.example"]
    assert "no such domain" in check.detail


def test_check_mode_looks_at_nothing_that_may_not_be_applied_yet() -> None:
    place = Place("acme_prod", ["odoo_databases", "odoo_hosts"], check_mode=True)
    looks = collect.looks(POLICY, place, FINE)
    assert not any(looks.values())
    checks = by_id(collect.collect(POLICY, place, {"document": DOCUMENT}))
    assert {name for name, check in checks.items() if check.status == "passed"} == {"POLICY.acme_prod"}
    assert {check.status for check in checks.values()} == {"passed", "skipped"}


@pytest.mark.parametrize(
    ("key", "environment", "asks"),
    [("", [], False), (None, [], False), ("key", [], True), ("", ["MAILGUN_API_KEY"], True)],
)
def test_the_api_key(key: str | None, environment: list[str], asks: bool) -> None:
    account = {name: value for name, value in {**ACCOUNT, "api_key": key}.items() if value is not None}
    policy = {**POLICY, "providers": [account]}
    place = Place("acme_prod", ["odoo_databases"], environment=environment)
    assert bool(collect.looks(policy, place, {})["domains"]) is asks
    found = {} if asks else {"mailgun": {"skipped": True}}
    checks = database(policy, place, document={**DOCUMENT, "text": render(policy)}, **found)
    statuses = {checks[f"MAILGUN.mg.acme.example.{what}"].status for what in ("state", "records")}
    assert statuses == ({"passed"} if asks else {"skipped"})
    # That there is no MX can be seen without.
    assert checks["DNS.MX.mg.acme.example"].status == "passed"
    if not asks:
        assert "there is no API key" in checks["DNS.mg.acme.example"].detail
        assert checks["MAILGUN.no-reply@mg.acme.example.auth"].status == "passed"


def test_a_password_that_is_not_known() -> None:
    credential = {"login": "no-reply", "vault_key": "vault_a", "vault_file": "vault.yml"}
    for password, why in (("", "it is empty"), (Undefined({}, "password"), "'vault_secret' is undefined")):
        one = {**credential, "password": password} if password == "" else Undefined(credential, "password")
        policy = {**POLICY, "providers": [{**ACCOUNT, "domains": [{"name": "mg.acme.example", "credentials": [one]}]}]}
        assert collect.looks(policy, DATABASE, {})["logins"] == []
        check = database(policy, logins={"skipped": True})["MAILGUN.no-reply@mg.acme.example.auth"]
        assert (check.status, check.asked) == ("skipped", True)
        assert why in check.detail


def test_a_variable_of_one_section_that_is_not_defined_leaves_the_others_be() -> None:
    odoo = {"servers": [Undefined(ZOHO, "smtp_pass"), MAILGUN]}
    checks = database({**POLICY, "odoo": odoo}, drift={"skipped": True})
    assert (checks["ODOO"].status, checks["ODOO"].asked) == ("skipped", True)
    assert "'vault_secret' is undefined" in checks["ODOO"].detail
    assert {check.status for name, check in checks.items() if name != "ODOO"} == {"passed"}
    account = Undefined(ACCOUNT, "api_key")
    policy = {**POLICY, "providers": [account]}
    checks = database(policy, mailgun={"skipped": True})
    assert "'vault_secret' is undefined" in checks["MAILGUN.mg.acme.example.state"].detail
    assert checks["ODOO.servers.Zoho"].status == "passed"


@pytest.mark.parametrize(
    ("policy", "status", "text"),
    [
        (None, "skipped", "mail_policy is not defined"),
        (Undefined(POLICY, "inbound"), "skipped", "'vault_secret' is undefined"),
        ({**POLICY, "version": 2}, "failed", "version is 2"),
        ({**POLICY, "odoo": {"servers": "none"}}, "failed", "odoo.servers is no list"),
        ("text", "failed", "mail_policy is no dictionary"),
    ],
)
def test_a_policy_that_nothing_can_be_looked_at_by(policy: Any, status: str, text: str) -> None:
    assert not any(collect.looks(policy, DATABASE, FINE).values())
    checks = database(policy)
    assert (checks["POLICY.acme_prod"].status, text in checks["POLICY.acme_prod"].detail) == (status, True)
    others = [check for name, check in checks.items() if name != "POLICY.acme_prod"]
    assert {(check.status, check.asked) for check in others} == {("skipped", True)}
    assert {check.id for check in others} == {"DNS", "MAILGUN", "ODOO", "ODOO.document"}


def test_a_policy_without_accounts_does_not_ask_for_mailgun() -> None:
    policy = {name: section for name, section in POLICY.items() if name != "providers"}
    checks = database(policy, document={**DOCUMENT, "text": render(policy)})
    for name in ("DNS", "MAILGUN"):
        assert (checks[name].status, checks[name].asked) == ("skipped", False)
        assert "providers" in checks[name].detail


def test_unknown_stands_for_a_password() -> None:
    value = known(Undefined({"list": [Undefined({}, "inner")], "number": 1}, "outer"))
    assert value == {"list": [{"inner": "undefined"}], "number": 1, "outer": "undefined"}
    assert isinstance(value["outer"], Unknown)
    assert value["outer"].reason == "'vault_secret' is undefined"


# --- Ports


def port_checks(
    place: Place, problems: Mapping[str, str] | None = None, policy: Any = ...
) -> dict[str, tuple[str, Check]]:
    policy = POLICY if policy is ... else policy
    checks = by_id(ports.checks(policy_of(policy), place, probed(place, problems, policy)))
    return {name.removeprefix(f"PORT.{place.host}."): (check.status, check) for name, check in checks.items()}


CLOSED = {"smtp.zoho.com:465": "tcp: no connection within 3 s", "smtp.mailgun.org:2525": "tcp: refused"}


def test_a_port_that_odoo_sends_by_must_be_open() -> None:
    checks = port_checks(ODOO_HOST, CLOSED)
    assert list(checks) == ["smtp.zoho.com:465", "smtp.mailgun.org:2525"]
    assert [status for status, _check in checks.values()] == ["failed", "failed"]
    assert "server Zoho" in checks["smtp.zoho.com:465"][1].detail
    # Zoho takes no mail elsewhere.
    assert "a provider that takes mail at port 2525" in checks["smtp.zoho.com:465"][1].fix
    assert "firewall" in checks["smtp.mailgun.org:2525"][1].fix


def test_the_fix_names_port_2525() -> None:
    policy = {**POLICY, "odoo": {"servers": [{**MAILGUN, "smtp_port": 587}]}}
    check = port_checks(ODOO_HOST, {"smtp.mailgun.org:587": "tcp: timed out"}, policy)["smtp.mailgun.org:587"][1]
    assert check.fix == (
        "DigitalOcean and others block ports 25, 465, 587. Use smtp_port: 2525 with encryption: starttls."
    )


def test_what_the_platform_leaves_open_is_tried_too() -> None:
    # The lint refuses a port that the platform blocks; at Zoho there is no other.
    policy = {**POLICY, "odoo": {"platform": "digitalocean", "servers": [MAILGUN]}}
    assert list(port_checks(ODOO_HOST, policy=policy)) == ["smtp.mailgun.org:2525"]
    policy = {**POLICY, "odoo": {"platform": "aws", "servers": [{**MAILGUN, "smtp_port": 587}]}}
    checks = port_checks(ODOO_HOST, {"smtp.mailgun.org:587": "tcp: timed out"}, policy)
    assert list(checks) == ["smtp.mailgun.org:587", "smtp.mailgun.org:2525", "smtp.mailgun.org:465"]
    assert checks["smtp.mailgun.org:587"][1].fix.endswith("encryption: starttls, which is open from here.")
    # What the platform is said to leave open and does not is wrong.
    checks = port_checks(ODOO_HOST, {"smtp.mailgun.org:465": "tcp: timed out"}, policy)
    assert checks["smtp.mailgun.org:465"][0] == "failed"


def test_a_gateway_needs_its_relay_and_no_server_of_odoo() -> None:
    checks = port_checks(GATEWAY, CLOSED)
    assert {name: status for name, (status, _check) in checks.items()} == {
        "mx.zoho.com:2525": "passed",
        "smtp.zoho.com:465": "skipped",
        "smtp.mailgun.org:2525": "skipped",
    }
    check = checks["smtp.zoho.com:465"][1]
    assert not check.asked
    assert check.detail == "closed: tcp: no connection within 3 s (nothing here sends by it)"
    assert port_checks(GATEWAY, {"mx.zoho.com:2525": "tcp: refused"})["mx.zoho.com:2525"][0] == "failed"
    policy = {**POLICY, "odoo": {**POLICY["odoo"], "platform": "digitalocean"}}
    # That policy is refused for Zoho's ports; what a gateway there cannot reach is its platform's doing.
    assert policy_of(policy).unsound
    # One machine that is both needs both.
    both = Place("mx", ["mail_gateways", "odoo_hosts"])
    assert port_checks(both, CLOSED)["smtp.zoho.com:465"][0] == "failed"


@pytest.mark.parametrize(("given", "encryption"), [({}, "starttls"), ({"relay_tls_verify": False}, "none")])
def test_a_relay_is_tried_as_postfix_takes_it(given: dict[str, Any], encryption: str) -> None:
    here = {"host": "mx", "groups": ["mail_gateways"], "run_tags": ["all"], "skip_tags": [], "check_mode": False}
    (relay, *_others) = collect.looks(POLICY, Place.of({**here, **given}, {}), {})["ports"]
    assert (relay["host"], relay["encryption"], relay["verify"]) == ("mx.zoho.com", encryption, True)


def test_what_nothing_depends_on_is_not_waited_for_long() -> None:
    seconds = {f"{one['host']}:{one['port']}": one["timeout"] for one in collect.looks(POLICY, GATEWAY, {})["ports"]}
    assert seconds == {"mx.zoho.com:2525": 3.0, "smtp.zoho.com:465": 1.5, "smtp.mailgun.org:2525": 1.5}
    # What the platform is to leave open is judged.
    policy = {**POLICY, "odoo": {"platform": "aws", "servers": [MAILGUN]}}
    seconds = {f"{one['host']}:{one['port']}": one["timeout"] for one in collect.looks(policy, GATEWAY, {})["ports"]}
    assert seconds["smtp.mailgun.org:2525"] == seconds["smtp.mailgun.org:587"] == 3.0


def test_what_answers_but_not_as_it_should_is_no_closed_port() -> None:
    status, check = port_checks(ODOO_HOST, {"smtp.zoho.com:465": "certificate: it has expired"})["smtp.zoho.com:465"]
    assert status == "failed"
    assert "It answers, but" in check.fix


def test_servers_that_have_no_port_to_try() -> None:
    servers = [
        {"name": "By odoo.conf", "sequence": 1, "smtp_authentication": "cli"},
        {**ZOHO, "active": False},
        {"name": "Own", "sequence": 2, "provider": "relay", "smtp_host": "localhost"},
    ]
    policy = {"version": 1, "odoo": {"servers": servers}, "inbound": {}}
    assert list(port_checks(ODOO_HOST, policy=policy)) == ["localhost:25"]
    # Another machine's localhost.
    (check,) = ports.checks(policy_of(policy), GATEWAY, None)
    assert (check.status, check.asked) == ("skipped", False)


def test_a_probe_that_did_not_work() -> None:
    (check,) = ports.checks(policy_of(POLICY), ODOO_HOST, {"msg": "the host has Python 3.6"})
    assert (check.id, check.status, check.detail) == ("PORT.odoo", "failed", "the host has Python 3.6")


# --- Gateways

CHECKED = """\
ok      configuration: /etc/odoo-lmtp-bridge/config.yml, 1 database(s)
WARNING Odoo at https://odoo.acme.example: acme: slow
"""
UNITS = "active\nactive\nactive\n== units 0\n"
POSTFIX = "== postfix 0\n"


def said(units: str = UNITS, bridge: str = f"{CHECKED}== bridge 0\n", postfix: str = POSTFIX) -> dict[str, Any]:
    return {"stdout": units + bridge + postfix, "rc": 0}


def gateway_checks(result: Any, place: Place = GATEWAY) -> dict[str, Check]:
    return by_id(gateway.checks(place, result))


def test_a_gateway_in_order() -> None:
    checks = gateway_checks(said())
    assert [(name, check.status) for name, check in checks.items()] == [
        ("GATEWAY.mx.units", "passed"),
        ("GATEWAY.mx.bridge.configuration", "passed"),
        ("GATEWAY.mx.bridge.odoo", "passed"),
        ("GATEWAY.mx.postfix", "passed"),
    ]
    assert checks["GATEWAY.mx.bridge.odoo"].detail == "warning: Odoo at https://odoo.acme.example: acme: slow"


@pytest.mark.parametrize(
    ("result", "name", "text"),
    [
        (said(units="active\nfailed\nactive\n== units 3\n"), "units", "odoo-lmtp-bridge.service is failed"),
        (said(units="sh: systemctl: not found\n== units 127\n"), "units", "the command is not there"),
        (said(units="== units 1\n"), "units", "odoo-lmtp-bridge.socket is unknown"),
        (said(bridge="FAILED  socket: refused\n== bridge 69\n"), "bridge.socket", "socket: refused"),
        (said(bridge=f"{CHECKED}Traceback\n== bridge 1\n"), "bridge", "exited with 1 and said: Traceback"),
        (said(bridge="== bridge 0\n"), "bridge", "said: nothing"),
        (said(bridge="sh: not found\n== bridge 127\n"), "bridge", "the command is not there"),
        (said(postfix="postfix: fatal: no main.cf\n== postfix 1\n"), "postfix", "no main.cf"),
        (said(postfix="postfix/postfix-script: warning: not owned\n== postfix 0\n"), "postfix", "not owned"),
        (said(postfix=""), "postfix", "the task ended before it"),
    ],
)
def test_a_gateway_out_of_order(result: dict[str, Any], name: str, text: str) -> None:
    check = gateway_checks(result)[f"GATEWAY.mx.{name}"]
    assert (check.status, text in check.detail) == ("failed", True), check


def test_check_mode_on_an_empty_host() -> None:
    looking = Place("mx", ["mail_gateways"], check_mode=True)
    result = said("sh: systemctl: not found\n== units 127\n", "sh: not found\n== bridge 127\n", "== postfix 127\n")
    (check,) = gateway_checks(result, looking).values()
    assert (check.status, "not installed yet" in check.detail) == ("skipped", True)
    assert {check.status for check in gateway_checks(result).values()} == {"failed"}
    assert gateway_checks(said(), looking)["GATEWAY.mx.units"].status == "passed"


@pytest.mark.parametrize("lost", ["ports", "gateway"])
def test_a_host_that_does_not_answer_is_one_failure(lost: str) -> None:
    unreachable = {"unreachable": True, "msg": "Failed to connect to the host via ssh:\nConnection refused"}
    (check,) = collect.collect(POLICY, GATEWAY, {lost: unreachable})
    assert (check.id, check.status) == ("HOST.mx", "failed")
    assert "Connection refused" in check.detail


def test_a_command_that_was_not_come_to() -> None:
    assert gateway_checks(None)["GATEWAY.mx"].status == "failed"
    assert gateway_checks({"msg": "sudo: a password is required"})["GATEWAY.mx"].status == "failed"


def test_two_accounts_are_told_apart() -> None:
    other = {**ACCOUNT, "region": "eu", "api_key": "", "domains": [{"name": "news.example"}]}
    policy = policy_of({**POLICY, "providers": [ACCOUNT, other]})
    assert [(one.name, one.region, one.account, bool(one.no_key)) for one in mailgun.domains(policy, DATABASE)] == [
        ("mg.acme.example", "us", 0, False),
        ("news.example", "eu", 1, True),
    ]
    # Only the one with a key was asked about; its answer is not taken for the other's.
    records = collect.looks({**POLICY, "providers": [ACCOUNT, other]}, DATABASE, {"mailgun": told()})["records"]
    assert [(one["name"], one["type"]) for one in records] == [
        ("mg.acme.example", "TXT"),
        ("mg.acme.example", "MX"),
        ("news.example", "MX"),
    ]
