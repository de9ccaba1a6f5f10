# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records that are to be in DNS, and what the zones' own servers say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks import mailgun
from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check, failed, passed, skipped, unseen
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import CHECK_MODE, Place, Policy

DEFAULT_PREFIX = "email"
SPF = "v=spf1"
# Answers of a server that say something of a record.
TOLD = ("found", "nodata", "nxdomain", "cname")


@dataclass(frozen=True)
class Record:
    """A record to look at. Without values there is to be none. One that is not `needed` may be missing.

    `pending` is as in Check.
    """

    name: str
    type: str
    domain: str
    values: tuple[str, ...] = ()
    needed: bool = True
    pending: bool = False

    def question(self) -> dict[str, Any]:
        """Return what the module mail_dns_info is to ask."""
        return {"name": self.name, "type": self.type, **({"values": list(self.values)} if self.values else {})}


def records(policy: Policy, place: Place, domain_result: Any) -> list[Record]:
    """Return what is to be asked for; `domain_result` is that of the loop of mailgun_domain_info.

    A domain that only sends is to have no MX, whatever Mailgun says of its records for receiving.
    """
    if place.check_mode or place.left_out("dns"):
        return []
    told = mailgun.answers(policy, place, domain_result)
    found = []
    for domain in mailgun.domains(policy, place):
        found += _wanted(domain.name, told.get(domain.name))
        if not domain.inbound_routes:
            found.append(Record(domain.name, "MX", domain.name))
    return found


def _wanted(domain: str, answer: Any) -> list[Record]:
    shown = mailgun.shown(answer)
    if not shown:
        return []
    awaited = shown["domain"]["awaited"]
    return [
        Record(
            record["name"],
            record["type"],
            domain,
            tuple(record["values"]),
            needed=_needed(shown, record, f"{record['name']} {record['type']}" in awaited),
            pending=mailgun.is_new(shown),
        )
        for record in shown["dns_records"]
    ]


def _needed(shown: Mapping[str, Any], record: Mapping[str, Any], awaited: bool) -> bool:
    """Whether mail is not right without a record: not that of tracked links if none are, nor that of a key to come."""
    tracking, domain = shown["tracking"], shown["domain"]
    tracked = tracking["open"] or tracking["unsubscribe"] or tracking["click"] != "no"
    if record["name"] == f"{domain['web_prefix'] or DEFAULT_PREFIX}.{domain['name']}".lower() and not tracked:
        return False
    return bool(record["type"] == "MX" or record["valid"] or awaited)


def checks(policy: Policy, place: Place, domain_result: Any, result: Any) -> list[Check]:
    """Return the checks of all records; `result` is that of mail_dns_info."""
    out = place.left_out("dns")
    if out:
        return [skipped("DNS", place.host, out, asked=False)]
    if place.check_mode:
        return [skipped("DNS", place.host, CHECK_MODE)]
    if policy.trouble:
        return [skipped("DNS", place.host, policy.trouble)]
    if not policy.accounts:
        return [skipped("DNS", place.host, f"no records are known: {mailgun.NO_ACCOUNT}", asked=False)]
    asked = records(policy, place, domain_result)
    lacking = unseen("DNS", place.host, result, "records", "Check this machine's resolver.") if asked else None
    found = [] if lacking or not asked else [_check(*pair) for pair in zip(asked, result["records"], strict=True)]
    return [*([lacking] if lacking else []), *found, *_untold(policy, place, domain_result)]


def _untold(policy: Policy, place: Place, domain_result: Any) -> list[Check]:
    """Return the domains whose records Mailgun did not tell."""
    told = mailgun.answers(policy, place, domain_result)
    found = []
    for domain in mailgun.domains(policy, place):
        if not _wanted(domain.name, told.get(domain.name)):
            why = domain.no_key or f"see MAILGUN.{domain.name}.state"
            if place.left_out("mailgun") and not domain.no_key:
                # There is no such check then.
                answer = told.get(domain.name)
                lacking = unseen("", "", answer, "domains", "")
                why = lacking.detail if lacking else "Mailgun has no such domain"
            found.append(skipped(f"DNS.{domain.name}", domain.name, f"only Mailgun knows its records: {why}"))
    return found


def _check(record: Record, found: Mapping[str, Any]) -> Check:
    name, status = f"DNS.{record.type}.{record.name}", found["status"]
    there = ", ".join(found["found"])
    if status in ("servfail", "unreachable"):
        return failed(
            name, record.domain, found["detail"], "See whether the zone's name servers run, and are delegated."
        )
    noted = f"; but {'; '.join(found['problems'])}" if found["problems"] else ""
    if not record.values:
        if status == "missing":
            return passed(name, record.domain, f"there is none, as the domain only sends{noted}")
        fix = "Remove it, or say inbound_routes: true."
        return failed(name, record.domain, f"there is {there or found['detail']}, and the domain only sends", fix)
    wanted = ", ".join(record.values)
    if status == "present" or _authorised(record.values, found["servers"]):
        return passed(name, record.domain, f"published: {there}{noted}")
    has = f"{status}: {found['detail']}"
    if not record.needed:
        return skipped(name, record.domain, f"{has}; nothing needs it now", asked=False)
    return failed(name, record.domain, has, f"Publish {record.name} {record.type} {wanted}", record.pending)


def _authorised(wanted: Sequence[str], servers: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every server that told has an SPF record that says what is wanted of it, be it among other things.

    A name has one SPF record (RFC 7208, 3.2), which the domain's senders share.
    """
    terms = {term for value in wanted for term in _terms(value)}
    told = [server["values"] for server in servers if server["answer"] in TOLD]
    records = [[found for found in map(_terms, values) if found[:1] == [SPF]] for values in told]
    return SPF in terms and bool(told) and all(len(spf) == 1 and terms <= set(spf[0]) for spf in records)


def _terms(value: str) -> list[str]:
    """Return what a TXT record says before SPF's `all`, after which nothing is read (RFC 7208, 5.1)."""
    words = [word.removeprefix("+") for word in value.lower().split()]
    return list(takewhile(lambda word: word.lstrip("?~-") != "all", words))
