# SPDX-License-Identifier: GPL-3.0-or-later
"""explain.yml says on the converged site how mail goes out and comes in, and what it could not see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.machines import Odoo
from support.playbooks import ansible_playbook

pytestmark = pytest.mark.e2e

WIDTH = 160
POLICY: dict[str, Any] = {
    "version": 1,
    "odoo": {
        "alias_domains": [
            {"name": "brand.example", "bounce_alias": "bounce", "catchall_alias": "catchall", "default_from": "shop"}
        ],
        "servers": [
            {
                "name": "Only",
                "sequence": 1,
                "smtp_host": "relay.acme.example",
                "smtp_port": 25,
                "encryption": "none",
                "from_filter": ["brand.example"],
            }
        ],
    },
    "inbound": {"domains": [{"name": "acme.example", "others": "reject"}]},
}


def explained(tmp_path: Path, **variables: Any) -> tuple[int, list[str]]:
    """Run the playbook; return its exit code and its output's lines without their indentation."""
    extra = tmp_path / "variables.json"
    extra.touch(mode=0o600)
    extra.write_text(json.dumps(variables))
    done = ansible_playbook("playbooks/explain.yml", "--extra-vars", f"@{extra}")
    assert "changed=0" in done.stdout, done.stdout + done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    tables = [line for line in done.stdout.splitlines() if "acme.example" in line or "brand.example" in line]
    assert tables
    assert max(len(line) for line in tables if line.startswith("        ")) <= WIDTH
    return done.returncode, lines


def row(lines: list[str], *cells: str) -> bool:
    """Whether there is a row that begins with these cells."""
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    return any(found[: len(cells)] == list(cells) for found in rows)


def test_the_site(site: Odoo, tmp_path: Path) -> None:
    code, lines = explained(tmp_path)
    assert code == 0
    assert "Mail out, as Odoo 19 has it in the database prod" in lines
    bounce = "bounce@acme.example"
    assert row(lines, "no-reply@acme.example", "Zoho Mail", "no-reply@acme.example", bounce)
    assert row(lines, "office@acme.example", "Zoho Mail", '"My Company" <no-reply@acme.example>', bounce)
    assert row(lines, "postmaster@acme.example", "Mailgun SMTP")
    assert row(lines, "customer@example.org", "Zoho Mail", '"customer" <no-reply@acme.example>', bounce)
    assert "user admin" in " ".join(lines)
    assert "Mail in, by the policy and what is in Odoo" in lines
    way = "MX: gateway, bridge, Odoo; Odoo makes a record of crm.lead"
    assert row(lines, "sales@acme.example", "alias", "gateway", way)
    fetched = "MX: gateway, mx.zoho.com:2525; fetched by Old inbox from imap.acme.example"
    assert row(lines, "inbox@acme.example", "mailbox", "fetched", fetched)
    assert row(lines, "*@acme.example", "others", "relayed", "MX: gateway, relayed to mx.zoho.com:2525")
    assert not any("Redirects needed" in line or "not in Odoo yet" in line for line in lines)


def test_given_senders_alone(site: Odoo, tmp_path: Path) -> None:
    code, lines = explained(tmp_path, senders=["Mary <mary@customer.example>", "news@mg.acme.example"])
    assert code == 0
    assert row(lines, "mary@customer.example", "Zoho Mail", '"Mary" <no-reply@acme.example>', "bounce@acme.example")
    assert row(lines, "news@mg.acme.example", "Mailgun SMTP", "news@mg.acme.example", "bounce@acme.example")
    assert not any(line.startswith(("customer@example.org", "Mail in")) for line in lines)


def test_an_odoo_that_cannot_be_reached(tmp_path: Path) -> None:
    """What the policy alone says comes first; then the run fails with what was not seen."""
    nowhere = {
        "odoo_url": "https://127.0.0.1:9",
        "odoo_database": "prod",
        "odoo_login": "admin",
        "odoo_password": "canary",
    }
    code, lines = explained(tmp_path, odoo_connection=nowhere, mail_policy=POLICY)
    assert code == 2
    told = " ".join(lines)
    assert "Mail out, as the policy alone says it, by the rules of Odoo 19" in lines
    assert row(lines, "shop@brand.example", "Only", "shop@brand.example", "bounce@brand.example")
    assert row(lines, "customer@example.org", "Only", '"customer" <shop@brand.example>', "bounce@brand.example")
    assert "Redirects needed at the provider (whether they are there cannot be seen from here):" in lines
    assert "- catchall@brand.example or the MX of brand.example pointed at the gateway" in told
    assert row(lines, "*@acme.example", "others", "refused")
    assert "Odoo could not be asked, so nothing is said here of users, templates, mailings" in told
    assert "https://127.0.0.1:9 cannot be reached" in told
    assert "canary" not in told


def test_a_policy_for_another_version(site: Odoo, tmp_path: Path) -> None:
    """The database's own rules answer; then the run fails with both versions."""
    policy = {**POLICY, "odoo": {**POLICY["odoo"], "version": 17}}
    code, lines = explained(tmp_path, mail_policy=policy, senders=["news@mg.acme.example"])
    assert code == 2
    assert row(lines, "news@mg.acme.example", "Mailgun SMTP", "news@mg.acme.example", "bounce@acme.example")
    told = " ".join(lines)
    assert "The policy is for Odoo 17 (odoo.version), and the database prod is one of Odoo 19." in told


def test_the_policy_alone(tmp_path: Path) -> None:
    code, lines = explained(tmp_path, explain_offline=True, mail_policy={**POLICY, "odoo": {"servers": []}})
    assert code == 0
    assert "- The policy names no server: what Odoo has, or odoo.conf, is not seen." in lines
