# SPDX-License-Identifier: GPL-3.0-or-later
"""The lint over a database's settings, and a version that is not the policy's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module
from support.playbooks import ROOT, ansible_playbook
from support.steps import READS

pytestmark = pytest.mark.integration

Values = dict[str, Any]


@pytest.fixture
def bare_odoo(any_odoo: Odoo) -> Iterator[Odoo]:
    """A database without a server, as the others find it again."""
    any_odoo.clear("ir.mail_server")
    yield any_odoo
    any_odoo.clear("ir.mail_server")


def add(odoo: Odoo, name: str, **values: Any) -> int:
    """Make a server in Odoo; 14 has no from_filter."""
    sound = {"smtp_host": "smtp.mailgun.org", "smtp_port": 2525, "smtp_encryption": "starttls", "sequence": 1}
    given = {"name": name, "from_filter": "mg.acme.example", **sound, **values}
    if odoo.name == "odoo14":
        del given["from_filter"]
    (number,) = odoo.call("ir.mail_server", "create", [given])
    return int(number)


def found(odoo: Odoo, **options: Any) -> list[str]:
    """Return what is said of servers, each as one line; the module only reads."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        result = run_module("mail_lint_info", {**odoo.connection(), "odoo_url": url, **options})
    assert not result.get("failed"), result
    assert not result["changed"]
    assert {method for _model, method in calls} <= READS, calls
    return [
        " ".join(finding[key] for key in ("severity", "id", "place", "message"))
        for finding in result["findings"]
        if finding["place"].startswith("mail server ")
    ]


def test_what_is_amiss_is_found(bare_odoo: Odoo) -> None:
    add(bare_odoo, "One", smtp_port=465, from_filter="@acme.example, mg.acme.example", smtp_pass="canary-secret")
    add(bare_odoo, "Two", from_filter=False, smtp_host="smtp.office365.com", smtp_port=587)
    add(bare_odoo, "Archived", from_filter=False, active=False)
    either = "the one that was made first" if bare_odoo.name == "odoo" else "either"
    both = [
        "error R04 mail server One port 465 does not go with encryption starttls",
        f"warning A10 mail server One.sequence One, Two have the same sequence, 1: among equals Odoo takes {either}",
    ]
    new = [
        "error B02 mail server One.from_filter '@acme.example' never matches in Odoo",
        "warning B04 mail server Two.from_filter Microsoft 365 sends only as the account that logs in",
        "warning L01 mail server One.encryption the certificate of smtp.mailgun.org is not verified: whoever answers "
        "gets the "
        "password",
        "warning L01 mail server Two.encryption the certificate of smtp.office365.com is not verified: whoever "
        "answers gets the "
        "password",
    ]
    old = [
        "info L01 mail server One.encryption Odoo 14 does not verify the certificate of smtp.mailgun.org",
        "info L01 mail server Two.encryption Odoo 14 does not verify the certificate of smtp.office365.com",
    ]
    lines = [line for line in found(bare_odoo) if " D16 " not in line]
    assert sorted(lines) == sorted([*both, *(new if bare_odoo.name == "odoo" else old)])


def test_nothing_is_said_of_sound_servers(bare_odoo: Odoo) -> None:
    verified = {"smtp_encryption": "starttls_strict"} if bare_odoo.name == "odoo" else {}
    add(bare_odoo, "Mailgun", **verified)
    add(bare_odoo, "Two", sequence=2, smtp_host="smtp.acme.example", smtp_port=587, **verified)
    about = [line for line in found(bare_odoo) if not line.startswith("info ") and " D16 " not in line]
    assert about == []


def test_the_platform_decides_which_ports_are_open(bare_odoo: Odoo) -> None:
    add(bare_odoo, "One", smtp_port=587)
    blocked = (
        "error R02 mail server One.smtp_port DigitalOcean blocks port 587: Odoo there does not reach smtp.mailgun.org"
    )
    assert blocked in found(bare_odoo, platform="digitalocean")
    assert not [line for line in found(bare_odoo, platform="aws") if " R02 " in line]


def test_the_server_of_email_marketing_is_for_bulk_mail(bare_odoo: Odoo) -> None:
    number = add(bare_odoo, "Campaigns", smtp_host="smtp.gmail.com", smtp_port=587, sequence=1)
    add(bare_odoo, "Own", smtp_host="smtp.acme.example", smtp_port=587, sequence=2)
    chosen = {"mass_mailing.outgoing_mail_server": "True", "mass_mailing.mail_server_id": str(number)}
    ids = bare_odoo.call(
        "ir.config_parameter", "create", [{"key": key, "value": value} for key, value in chosen.items()]
    )
    try:
        lines = found(bare_odoo)
    finally:
        bare_odoo.call("ir.config_parameter", "unlink", ids)
    assert [line.split()[1] for line in lines if line.split()[1] in ("A21", "C02")] == ["A21", "C02"]
    assert not [line for line in found(bare_odoo) if line.split()[1] in ("A21", "C02")]


def test_senders_are_looked_at(bare_odoo: Odoo) -> None:
    """No filter has any sender of this database; 14 has no filters."""
    add(bare_odoo, "One", from_filter="nobody.example")
    result = run_module("mail_lint_info", bare_odoo.connection())
    senders = [finding for finding in result["findings"] if finding["id"] == "B19"]
    assert [finding["place"] for finding in senders] == (["mail servers"] if bare_odoo.name == "odoo" else [])


def test_settings_for_another_version_change_nothing(any_odoo: Odoo) -> None:
    own, other = (19, 14) if any_odoo.name == "odoo" else (14, 19)
    parameters = {"parameters": [{"key": "mailops.version", "value": "x"}]}
    with recorded(any_odoo.url, any_odoo.ca_file) as (url, calls):
        result = run_module("mail_settings", {**any_odoo.connection(), "odoo_url": url, "version": other, **parameters})
    assert result["failed"]
    assert f"the settings are for Odoo {other}, and this database is of Odoo {own}.0" in result["msg"]
    assert "Nothing was written." in result["msg"]
    assert {method for _model, method in calls} <= {"version"}
    fitting = run_module("mail_settings", {**any_odoo.connection(), "version": own, **parameters}, check=True)
    assert fitting["changed"]


def test_a_policy_for_another_version_stops_the_site_before_any_change(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    shutil.copytree(ROOT / "inventories" / "sandbox", inventory)
    policy = inventory / "group_vars/acme/mail_policy.yml"
    policy.write_text(policy.read_text().replace("version: 19", "version: 18"))
    done = ansible_playbook(
        "site.yml", "--inventory", str(inventory), "--extra-vars", f"sandbox_cache={ROOT}/.cache/sandbox"
    )
    assert done.returncode != 0
    # Ansible wraps its messages.
    said = " ".join((done.stdout + done.stderr).split())
    assert "the settings are for Odoo 18, and this database is of Odoo 19.0" in said
    assert "Put the addon where Odoo runs" not in done.stdout
    assert "changed=1" not in done.stdout


@pytest.mark.parametrize("any_odoo", ["odoo"], ids=["19"], indirect=True, scope="module")
def test_only_senders_that_somebody_chose_are_missed(bare_odoo: Odoo) -> None:
    """Odoo puts the default sender in the place of users and companies too, and nobody minds."""
    bare_odoo.call(
        "mail.alias.domain",
        "create",
        {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall", "default_from": "office"},
    )
    add(bare_odoo, "One", from_filter="acme.example")
    template = {"name": "Offer", "email_from": "sales@other.example"}
    bare_odoo.call("mail.template", "create", template)
    bare_odoo.call("res.users", "write", [2], {"email": "boss@elsewhere.example"})
    result = run_module("mail_lint_info", bare_odoo.connection())
    (told,) = [finding["message"] for finding in result["findings"] if finding["id"] == "B19"]
    assert "sales@other.example (template Offer)" in told
    assert "boss@elsewhere.example" not in told
    assert told.endswith("Odoo sends as office@acme.example in its place")
