# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml left in the company's zones: merged with what was there, and not touched again."""

from __future__ import annotations

import re

import pytest
from support.machines import Internet
from support.playbooks import ansible_playbook

pytestmark = pytest.mark.e2e


def has(internet: Internet, name: str, record_type: str) -> list[str]:
    """Return what the zone's server says, sorted."""
    dig = internet.run("dig", "+short", "+norecurse", "@127.0.0.1", name, record_type, check=True)
    return sorted(value.strip('"') for value in dig.stdout.splitlines())


def test_the_companys_records_are_merged_with_what_was_there(internet: Internet) -> None:
    assert has(internet, "acme.example", "TXT") == [
        # Somebody else's.
        "google-site-verification=2f6a1c",
        # Odoo's own servers send no more, Mailgun does.
        "v=spf1 mx include:zoho.com include:mailgun.org ~all",
    ]
    assert has(internet, "odoo._domainkey.acme.example", "CNAME") == []
    assert has(internet, "_dmarc.acme.example", "TXT") == ["v=DMARC1; p=none; rua=mailto:postmaster@acme.example"]
    assert has(internet, "acme.example", "MX") == ["10 mx.acme.example."]


def test_the_sending_domain_has_what_mailgun_wants(internet: Internet) -> None:
    name = "mg.acme.example"
    assert has(internet, name, "TXT") == ["v=spf1 include:mailgun.org ~all"]
    assert has(internet, name, "MX") == []
    for selector in ("pdk1", "pdk2"):
        (key,) = has(internet, f"{selector}._domainkey.{name}", "CNAME")
        assert key.startswith(f"{selector}._domainkey."), key
    # Nothing is tracked.
    assert has(internet, f"email.{name}", "CNAME") == []


def test_a_run_of_this_part_alone_changes_nothing() -> None:
    """It asks Mailgun, whose part was left out, for what it wants."""
    done = ansible_playbook("site.yml", "--tags", "dns", "--skip-tags", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ask Mailgun about the domains" in done.stdout
    assert re.findall(r"acme_prod +: ok=\d+ +changed=(\d+)", done.stdout) == ["0"]
