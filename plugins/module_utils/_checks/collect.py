# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the playbook found out about a host to its checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks import (
    dns,
    gateway,
    mailgun,
    odoo,
    ports,
    receivers,
    wanted,
)
from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check, failed, passed, skipped
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import Place, policy_of

ON_HOST = ("ports", "gateway")


def looks(given: Any, place: Place, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the playbook is to look at, by the policy (the variable mail_policy, or None).

    `ports` and `logins` are targets of smtp_probe, `domains` what mailgun_domain_info is to be asked for, `records`
    what mail_dns_info is and `senders` what mail_domain_info is, once `found` has the first's results. `odoo` and
    `gateway` are whether to look there.
    """
    policy = policy_of(given, place.active)
    wants = wanted.of(policy, place, found.get("mailgun"))
    probing = (place.is_gateway or place.runs_odoo) and not (place.check_mode or place.left_out("ports"))
    return {
        "ports": [way.target() for way in ports.ways(policy, place)] if probing else [],
        "domains": [domain.item() for domain in mailgun.asked(policy, place)],
        "logins": [login.target(place) for login in mailgun.tried(policy, place)],
        "records": [record.question() for record in dns.records(wants)],
        "senders": [domain.item() for domain in receivers.domains(wants)],
        "odoo": not odoo.blocked(policy, place, found.get("connection")),
        "gateway": place.is_gateway and not place.left_out("gateway"),
    }


def collect(given: Any, place: Place, found: Mapping[str, Any]) -> list[Check]:
    """Return the checks of a host; `found` has what Ansible registered by the names of the looks."""
    policy = policy_of(given, place.active)
    lost = next((one for one in map(found.get, ON_HOST) if isinstance(one, Mapping) and one.get("unreachable")), None)
    if lost:
        told = f"cannot be reached: {lost.get('msg')}; ports and gateway were not looked at"
        return [failed(f"HOST.{place.host}", place.host, told, "Check that it runs, and that Ansible may log in.")]
    if place.asks_for_nothing:
        return [skipped(f"HOST.{place.host}", place.host, place.asks_for_nothing, "Correct the tags.")]
    checks = []
    if policy.unsound:
        fix = "site.yml stops at it too; docs/policy.md has every key."
        checks.append(failed(f"POLICY.{place.host}", place.host, policy.trouble, fix))
    if place.is_database:
        if policy.trouble and not policy.unsound:
            fix = "Define the variable (in a run without the vault: -e), or unlock the vault that has it."
            checks.append(skipped(f"POLICY.{place.host}", place.host, policy.trouble, fix))
        if not policy.trouble:
            checks.append(passed(f"POLICY.{place.host}", place.host, "sound"))
        wants = wanted.of(policy, place, found.get("mailgun"))
        checks += dns.checks(policy, place, wants, found.get("dns"))
        checks += receivers.checks(place, wants, found.get("receivers"))
        checks += mailgun.checks(policy, place, found.get("mailgun"), found.get("logins"))
        checks += odoo.checks(policy, place, found.get("connection"), found.get("drift"))
        checks.append(odoo.document(policy, place, found["document"]))
    if place.is_gateway or place.runs_odoo:
        checks += ports.checks(policy, place, found.get("ports"))
    if place.is_gateway:
        checks += gateway.checks(place, found.get("gateway"))
    return checks
