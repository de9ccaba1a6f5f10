# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mistakes that are often behind a record that is not as wanted: what to ask for, and what to make of it. Pure.

Many DNS panels append the zone to what is entered, so that a full name gets it twice, and so does a target without its
last dot. A wildcard answers for every name that has no record of its own (RFC 4592).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.finding import Finding, Query, Reply

# Told by values if it is not there.
with contextlib.suppress(ImportError):
    import dns.name


def suspects(finding: Finding) -> list[Query]:
    """Return what else to ask for at a server of the zone before hints are given."""
    if not finding.told:
        return []
    zone = dns.name.from_text(finding.zone)
    asked = [Query(name, finding.query.type) for name in _wildcards(finding, zone)]
    doubled = _doubled(finding.query.name, zone) if finding.query.values and not finding.right else None
    return [*asked, Query(doubled, finding.query.type)] if doubled else asked


def hints(finding: Finding, replies: Mapping[Query, Reply]) -> list[str]:
    """Return sentences of what mistake may be behind a finding, given what there is at its suspects."""
    if not finding.told:
        return []
    zone = dns.name.from_text(finding.zone)
    name, wished = finding.query.name, finding.query.values or ()
    found = []
    source = _source(finding, zone, replies)
    if source:
        told = "it answers so for every name that has no record of its own"
        found.append(f"likely it is of the wildcard {values.shown(source)}: {told}")
    once = _undoubled(name, zone)
    if once is not None:
        found.append(f"the name has {finding.zone} twice; is {values.shown(once)} meant?")
    doubled = _doubled(name, zone)
    there = replies.get(Query(doubled, finding.query.type)) if doubled else None
    if doubled and there and there.kind == "found" and set(wished) & set(there.values) and not source:
        found.append(
            f"it is published at {values.shown(doubled)}: the name was entered in full, and {finding.zone} appended"
        )
    if finding.query.type in values.OF_NAMES:
        for value in finding.found:
            if value.endswith(f".{finding.zone}") and value.removesuffix(f".{finding.zone}") in wished:
                found.append(f"{value} has {finding.zone} appended: it was entered without its last dot")
    return found


def _wildcards(finding: Finding, zone: dns.name.Name) -> list[dns.name.Name]:
    """Return those from which an answer may be made, the nearest first, where it is not what was wanted."""
    answered = any(reply.kind in ("found", "cname") for reply in finding.told)
    if not answered or (finding.right and finding.query.values is not None):
        return []
    at, found = finding.query.name, []
    while at != zone and len(at) > 1:
        at = at.parent()
        found.append(dns.name.Name((b"*", *at.labels)))
    return [name for name in found if name != finding.query.name]


def _source(finding: Finding, zone: dns.name.Name, replies: Mapping[Query, Reply]) -> dns.name.Name | None:
    """Return the wildcard that answers as the name does. That of a name above answers for those below it too."""
    first, source = finding.told[0], None
    for wildcard in _wildcards(finding, zone):
        reply = replies.get(Query(wildcard, finding.query.type))
        if reply is None or (reply.kind, reply.values) != (first.kind, first.values):
            break
        source = wildcard
    return source


def _doubled(name: dns.name.Name, zone: dns.name.Name) -> dns.name.Name | None:
    if zone == dns.name.root:
        return None
    try:
        return name.relativize(dns.name.root).concatenate(zone)
    except dns.name.NameTooLong:
        return None


def _undoubled(name: dns.name.Name, zone: dns.name.Name) -> dns.name.Name | None:
    if zone == dns.name.root:
        return None
    before = name.relativize(zone).derelativize(dns.name.root)
    return before if before.is_subdomain(zone) else None
