# SPDX-License-Identifier: GPL-3.0-or-later
"""mailgun_domain and its information against the simulated Mailgun; each request is held against the specification."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core import calls
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import domain_side, region
from support.mailgun import Mailgun
from support.mailgun_modules import Modules
from support.modules import warned

pytestmark = pytest.mark.contract

NAME = "mg.acme.example"
READS = [("GET", f"/v4/domains/{NAME}"), ("GET", f"/v3/domains/{NAME}/tracking")]
SPF = {"name": NAME, "type": "TXT", "values": ["v=spf1 include:mailgun.org ~all"], "ttl": None}
MX = {"name": NAME, "type": "MX", "values": ["10 mxa.mailgun.org", "10 mxb.mailgun.org"], "ttl": None}
ALL: dict[str, Any] = {
    "use_automatic_sender_security": True,
    "dkim_key_size": 2048,
    "dkim_selector": "mail",
    "web_prefix": "links",
    "web_scheme": "https",
    "wildcard": True,
    "spam_action": "tag",
    "require_tls": True,
    "skip_verification": True,
    "tracking": {"open": True, "click": "htmlonly", "unsubscribe": True},
}


def publish(mailgun: Mailgun, records: list[dict[str, Any]]) -> None:
    """Put records, as our modules return them, into the DNS that the simulator asks."""
    for record in records:
        mailgun.dns.records[record["name"], record["type"]] = list(record["values"])


def writes(mailgun: Mailgun) -> list[tuple[str, str]]:
    """Return the calls since the last time that change something."""
    return [call for call in mailgun.calls() if call[0] != "GET"]


# --- What is there and what is wanted


@pytest.mark.parametrize("options", [{}, ALL, {"tracking": {"click": "yes"}}], ids=["plain", "all", "some"])
def test_a_domain_is_created_once(modules: Modules, options: dict[str, Any]) -> None:
    done = modules.run("domain", name="MG.acme.example.", **options)
    assert [change["action"] for change in done["changes"]] == ["create"]
    assert (done["domain"]["name"], done["domain"]["state"], done["domain"]["region"]) == (NAME, "unverified", "us")
    given = {option: value for option, value in options.items() if option in done["domain"]}
    assert {option: done["domain"][option] for option in given} == given
    assert done["tracking"] == {"open": False, "click": "no", "unsubscribe": False, **options.get("tracking", {})}
    modules.unchanged("domain", name=NAME, **options)


def test_an_unchanged_domain_costs_two_reads(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("domain", name=NAME, **ALL)
    mailgun.calls()
    modules.unchanged("domain", name=NAME, **ALL)
    assert mailgun.calls() == READS


def test_only_what_differs_is_written(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("domain", name=NAME, tracking={"open": True})
    writes(mailgun)
    wanted = {"require_tls": True, "wildcard": False, "tracking": {"open": True, "click": "yes", "unsubscribe": False}}
    done = modules.run("domain", name=NAME, **wanted)
    assert writes(mailgun) == [("PUT", f"/v4/domains/{NAME}"), ("PUT", f"/v3/domains/{NAME}/tracking/click")]
    assert mailgun.calls() == []
    assert done["diff"]["before"].splitlines() == [
        f"domain {NAME}:",
        "  require_tls: False",
        "  tracking: {'open': True, 'click': 'no', 'unsubscribe': False}",
    ]
    assert done["diff"]["after"].splitlines()[1] == "  require_tls: True"
    modules.unchanged("domain", name=NAME, **wanted)


def test_the_calls_of_a_creation(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("domain", name=NAME, wildcard=True, tracking={"open": False, "click": "htmlonly"})
    assert mailgun.calls() == [
        READS[0],
        ("POST", "/v4/domains"),
        READS[1],
        ("PUT", f"/v3/domains/{NAME}/tracking/click"),
    ]


def test_automatic_sender_security_on_and_off(modules: Modules) -> None:
    modules.run("domain", name=NAME)
    on = modules.run("domain", name=NAME, use_automatic_sender_security=True)
    keys = [record for record in on["sending_records"] if "_domainkey" in record["name"]]
    assert [record["type"] for record in keys] == ["CNAME", "CNAME"]
    off = modules.run("domain", name=NAME, use_automatic_sender_security=False)
    (key,) = [record for record in off["sending_records"] if "_domainkey" in record["name"]]
    assert key["type"] == "TXT"


def test_check_mode_writes_nothing_and_predicts(modules: Modules, mailgun: Mailgun) -> None:
    predicted = modules.check("domain", name=NAME, **ALL)
    assert (predicted["changed"], predicted["domain"], predicted["dns_records"]) == (True, None, [])
    assert writes(mailgun) == []
    done = modules.run("domain", name=NAME, **ALL)
    assert predicted["changes"] == done["changes"]
    assert predicted["diff"] == done["diff"]
    assert modules.check("domain", name=NAME, wildcard=False)["domain"]["wildcard"] is True
    assert modules.check("domain", name=NAME, state="absent")["changed"]


# --- DNS records and verification


@pytest.mark.parametrize("security", [True, False])
def test_a_domain_is_verified_by_its_sending_records_alone(modules: Modules, mailgun: Mailgun, security: bool) -> None:
    made = modules.run("domain", name=NAME, use_automatic_sender_security=security)
    unknown = {"valid": False, "state": "unknown"}
    assert made["sending_records"][0] == {**SPF, **unknown}
    assert made["receiving_records"] == [{**MX, **unknown}]
    assert made["dns_records"] == made["sending_records"]
    assert made["domain"]["verified"] is False
    publish(mailgun, made["dns_records"])
    mailgun.calls()
    assert modules.check("domain", name=NAME, verify=True)["changed"]
    assert writes(mailgun) == []
    done = modules.run("domain", name=NAME, verify=True)
    assert writes(mailgun) == [("PUT", f"/v4/domains/{NAME}/verify")]
    assert (done["domain"]["state"], done["domain"]["verified"], done["domain"]["awaited"]) == ("active", True, [])
    assert done["diff"] == {
        "before": f"domain {NAME}:\n  verified: False\n",
        "after": f"domain {NAME}:\n  verified: True\n",
    }
    assert all(record["valid"] for record in done["sending_records"])
    assert not done["receiving_records"][0]["valid"]
    modules.unchanged("domain", name=NAME, verify=True)
    assert writes(mailgun) == []


def test_mx_records_are_published_for_inbound_routes_only(modules: Modules) -> None:
    done = modules.run("domain", name=NAME, inbound_routes=True)
    assert done["dns_records"] == done["sending_records"] + done["receiving_records"]


def test_verification_goes_on_until_the_records_are_there(
    modules: Modules, mailgun: Mailgun, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = modules.run("domain", name=NAME)
    monkeypatch.setattr(domain_side, "VERIFY", (0.01,))
    looks: list[None] = []

    def look(*_arguments: Any) -> None:
        looks.append(None)
        if len(looks) == 3:
            publish(mailgun, made["dns_records"])

    monkeypatch.setattr(calls.Clock, "sleep", look)
    done = modules.run("domain", name=NAME, verify=True)
    assert done["domain"]["verified"]
    assert len(looks) == 3


def test_what_is_not_verified_says_what_is_missing(modules: Modules, mailgun: Mailgun) -> None:
    made = modules.run("domain", name=NAME)
    (key,) = [record for record in made["sending_records"] if "_domainkey" in record["name"]]
    publish(mailgun, [{**key, "values": ["k=rsa; p=wrong"]}])
    failed = modules.failed("domain", name=NAME, wildcard=True, verify=True, verify_timeout=0)
    assert failed["error"] == "not_verified"
    assert f"does not find the right {NAME} TXT (unknown), {key['name']} TXT (invalid). Publish" in failed["msg"]
    assert failed["msg"].endswith("1 of 2 changes were applied.")
    assert (failed["changed"], failed["applied"], failed["failed_name"]) == (True, [NAME], NAME)
    assert [change["after"]["wildcard"] for change in failed["changes"]] == [True]
    assert failed["domain"]["awaited"] == [f"{NAME} TXT", f"{key['name']} TXT"]
    assert {record["state"] for record in failed["sending_records"]} == {"unknown", "invalid"}
    publish(mailgun, made["dns_records"])
    assert modules.run("domain", name=NAME, wildcard=True, verify=True)["domain"]["verified"]


def test_other_records_are_verified_again_in_the_same_run(modules: Modules, mailgun: Mailgun) -> None:
    publish(mailgun, modules.run("domain", name=NAME)["dns_records"])
    modules.run("domain", name=NAME, verify=True)
    failed = modules.failed("domain", name=NAME, use_automatic_sender_security=True, verify=True, verify_timeout=0)
    assert failed["domain"]["state"] == "unverified"
    publish(mailgun, failed["dns_records"])
    assert modules.run("domain", name=NAME, verify=True)["domain"]["verified"]


def test_the_name_of_tracked_links_counts_where_links_are_tracked(modules: Modules, mailgun: Mailgun) -> None:
    made = modules.run("domain", name=NAME)
    publish(mailgun, [record for record in made["dns_records"] if record["name"] != f"email.{NAME}"])
    modules.run("domain", name=NAME, verify=True)
    failed = modules.failed("domain", name=NAME, tracking={"click": "yes"}, verify=True, verify_timeout=0)
    assert failed["domain"]["awaited"] == [f"email.{NAME} CNAME"]


def test_a_disabled_domain_is_warned_of(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("domain", name=NAME)
    mailgun.api.disable("us", NAME, "too many bounces")
    done = modules.run("domain", name=NAME, changed=False)
    assert warned(done) == [f"Mailgun has disabled {NAME}: too many bounces"]
    assert (done["domain"]["is_disabled"], done["domain"]["disabled_because"]) == (True, "too many bounces")
    failed = modules.failed("domain", name=NAME, verify=True)  # at once, not after five minutes
    assert "it is disabled: too many bounces" in failed["msg"]


# --- Deleting


def test_a_deletion_is_over_when_the_domain_is_gone(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("domain", name=NAME)
    mailgun.simulator.deletion_time = 0.1
    done = modules.run("domain", name=NAME, state="absent")
    assert (done["domain"], done["waited"] >= 0.2) == (None, True)
    assert mailgun.calls()[-1] == READS[0]
    modules.unchanged("domain", name=NAME, state="absent")


def test_a_deletion_that_does_not_end(modules: Modules, mailgun: Mailgun, monkeypatch: pytest.MonkeyPatch) -> None:
    modules.run("domain", name=NAME)
    mailgun.simulator.deletion_time = 3600
    monkeypatch.setattr(domain_side, "DELETE_SECONDS", 0.2)
    failed = modules.failed("domain", name=NAME, state="absent")
    assert (failed["error"], failed["uncertain"]) == ("temporary", [NAME])
    assert "took the deletion and still has the domain" in failed["msg"]


def test_what_another_deleted_meanwhile_is_no_change(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("domain", name=NAME)
    original = mailgun.api._handle

    async def handle(region: str, request: Any) -> Any:
        if request.method == "DELETE":
            mailgun.simulator.state.clear()
        return await original(region, request)

    mailgun.api._handle = handle  # type: ignore[method-assign]
    modules.unchanged("domain", name=NAME, state="absent")


# --- Whose domain it is, and what the key may do


def test_a_domain_of_another_account(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("domain", name=NAME)
    failed = modules.failed("domain", name=NAME, api_key=mailgun.other_key)
    assert (failed["error"], failed["changed"]) == ("conflict", False)
    assert "already taken (HTTP 400). If running again does not find it, another account" in failed["msg"]


@pytest.fixture
def regions(monkeypatch: pytest.MonkeyPatch, mailgun: Mailgun) -> None:
    """The regions' own addresses lead to the simulator, as they do where api_url is not set."""
    for name, url in {"us": mailgun.us, "eu": mailgun.eu}.items():
        monkeypatch.setitem(region.REGIONS, name, region.Region(url, "127.0.0.1"))


@pytest.mark.usefixtures("regions")
def test_a_domain_of_the_other_region_is_not_created_twice(modules: Modules, mailgun: Mailgun) -> None:
    modules.run("domain", name=NAME, api_url=None, region="eu")
    mailgun.calls()
    for check in (True, False):
        failed = modules.failed("domain", name=NAME, api_url=None, region="us", check=check)
        assert failed["error"] == "conflict"
        assert f"domain {NAME} is in region eu and not in us. Say region: eu" in failed["msg"]
        assert failed["msg"].endswith("Nothing was written.")
        assert mailgun.calls() == [READS[0], READS[0]]
    left = modules.run("domain", name=NAME, api_url=None, state="absent", changed=False)
    assert warned(left) == [f"domain {NAME} is in region eu, where it stays"]
    told = modules.run("domain_info", name=NAME, api_url=None, changed=False)
    assert (told["domains"], warned(told)) == ([], [f"domain {NAME} is in region eu"])


@pytest.mark.usefixtures("regions")
def test_a_domain_of_the_european_region(modules: Modules) -> None:
    done = modules.run("domain", name=NAME, api_url=None, region="eu")
    assert done["domain"]["region"] == "eu"
    assert done["receiving_records"][0]["values"] == ["10 mxa.eu.mailgun.org", "10 mxb.eu.mailgun.org"]
    modules.unchanged("domain", name=NAME, api_url=None, region="eu")


def test_a_wrong_key(modules: Modules) -> None:
    failed = modules.failed("domain", name=NAME, api_key="key-canary-wrong")
    assert failed["error"] == "authentication"
    assert "refused the API key at GET /v4/domains/mg.acme.example: Invalid private key (HTTP 401)" in failed["msg"]


def test_a_key_that_may_only_read(modules: Modules, mailgun: Mailgun) -> None:
    failed = modules.failed("domain", name=NAME, api_key=mailgun.read_key)
    assert failed["error"] == "authentication"
    assert "scope is restricted" in failed["msg"]
    assert failed["msg"].endswith("0 of 1 changes were applied.")


def test_a_key_for_sending_alone(modules: Modules, mailgun: Mailgun) -> None:
    failed = modules.failed("domain_info", api_key=mailgun.sending_key)
    assert failed["error"] == "authentication"
    assert "Forbidden (HTTP 401)" in failed["msg"]
    assert "not a domain sending key" in failed["msg"]


def test_an_empty_key_is_refused_before_any_call(modules: Modules, mailgun: Mailgun) -> None:
    failed = modules.failed("domain", name=NAME, api_key="")
    assert "api_key is empty" in failed["msg"]
    assert mailgun.calls() == []


# --- Faults


@pytest.mark.parametrize("form", ["500", "html", "truncated", "cut"])
def test_a_read_that_fails_is_repeated(
    modules: Modules, mailgun: Mailgun, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "TRIES", (0.01,))
    modules.run("domain", name=NAME)
    mailgun.fail(form, method="GET", path="/tracking")
    modules.run("domain", name=NAME, changed=False)


@pytest.mark.parametrize("form", ["request-limit", "ratelimit-reset", "retry-seconds"])
def test_a_rate_limit_is_waited_for(modules: Modules, mailgun: Mailgun, form: str) -> None:
    """What it limits was not carried out, so that a write too is made again."""
    mailgun.fail(form, method="POST", seconds=1)
    modules.run("domain", name=NAME)
    assert writes(mailgun) == [("POST", "/v4/domains")] * 2


def test_a_rate_limit_that_lasts_too_long(modules: Modules, mailgun: Mailgun) -> None:
    mailgun.fail("retry-seconds", method="POST", seconds=60)
    failed = modules.failed("domain", name=NAME, rate_limit_timeout=5)
    assert failed["error"] == "rate_limited"
    assert "POST /v4/domains must wait for 60 s, and 5 s are left" in failed["msg"]
    assert (failed["changed"], failed["failed_name"], failed["uncertain"]) == (False, NAME, [])


@pytest.mark.parametrize("form", ["500", "html", "cut", "truncated"])
def test_a_creation_that_broke_is_uncertain_and_not_repeated(modules: Modules, mailgun: Mailgun, form: str) -> None:
    mailgun.fail(form, method="POST", carried_out=True)
    failed = modules.failed("domain", name=NAME)
    assert (failed["changed"], failed["uncertain"], failed["applied"]) == (False, [NAME], [])
    assert "running again finds out before it writes" in failed["msg"]
    assert len(writes(mailgun)) == 1
    modules.unchanged("domain", name=NAME)


def test_a_creation_counts_though_the_tracking_cannot_be_read(modules: Modules, mailgun: Mailgun) -> None:
    mailgun.fail("reason", path="/tracking")
    failed = modules.failed("domain", name=NAME)
    assert "/tracking: invalid parameters" in failed["msg"]
    assert (failed["changed"], failed["applied"]) == (True, [NAME])
    assert (failed["domain"]["name"], failed["tracking"]) == (NAME, None)
    assert failed["dns_records"]
    modules.unchanged("domain", name=NAME)


@pytest.mark.parametrize("form", ["reason", "retry-seconds"])
def test_a_deletion_that_was_taken_is_uncertain_until_it_is_seen(modules: Modules, mailgun: Mailgun, form: str) -> None:
    modules.run("domain", name=NAME)
    mailgun.simulator.deletion_time = 3600

    original = mailgun.api._handle

    async def handle(region: str, request: Any) -> Any:
        answer = await original(region, request)
        if request.method == "DELETE":
            mailgun.fail(form, method="GET", seconds=60)
        return answer

    mailgun.api._handle = handle  # type: ignore[method-assign]
    failed = modules.failed("domain", name=NAME, state="absent", rate_limit_timeout=5)
    assert (failed["uncertain"], failed["failed_name"]) == ([NAME], None)
    assert "running again finds out" in failed["msg"]


@pytest.mark.parametrize(
    ("form", "text"), [("reason", "invalid param"), ("description", "something"), ("field", "name")]
)
def test_a_refusal_half_way_says_what_was_done(modules: Modules, mailgun: Mailgun, form: str, text: str) -> None:
    mailgun.fail(form, path="/tracking/click")
    wanted = {"tracking": {"open": True, "click": "yes", "unsubscribe": True}}
    failed = modules.failed("domain", name=NAME, **wanted)
    assert text in failed["msg"]
    assert [change["action"] for change in failed["changes"]] == ["create", "update"]
    assert failed["tracking"] == {"open": True, "click": "no", "unsubscribe": False}
    assert failed["remaining"] == [NAME]
    assert failed["changed"]
    modules.run("domain", name=NAME, **wanted)
    modules.unchanged("domain", name=NAME, **wanted)


# --- Reading


def test_all_domains_are_read(modules: Modules, mailgun: Mailgun) -> None:
    names = [NAME, "news.acme.example"]
    made = {name: modules.run("domain", name=name) for name in names}
    mailgun.calls()
    told = modules.run("domain_info", changed=False)
    assert [entry["domain"]["name"] for entry in told["domains"]] == names
    shapes = ("domain", "sending_records", "receiving_records", "dns_records", "tracking")
    assert told["domains"][0] == {shape: made[NAME][shape] for shape in shapes}
    assert len(mailgun.calls()) == 1 + 2 * len(names)


def test_one_domain_is_read(modules: Modules) -> None:
    modules.run("domain", name=NAME)
    told = modules.run("domain_info", name="MG.acme.example", inbound_routes=True, changed=False)
    assert [record["type"] for record in told["domains"][0]["dns_records"]] == ["TXT", "TXT", "CNAME", "MX"]
    assert modules.run("domain_info", name="other.example", changed=False)["domains"] == []


def test_domains_that_cannot_be_read(modules: Modules) -> None:
    assert modules.failed("domain_info", api_key="key-canary-wrong")["error"] == "authentication"
