# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What receivers make of the policy's mail: SPF of those who send, DKIM keys, DMARC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check, failed, passed, skipped, unseen
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import Place
from ansible_collections.mailops.odoo.plugins.module_utils._checks.wanted import Wanted
from ansible_collections.mailops.odoo.plugins.module_utils._dns import guard, sending, spf
from ansible_collections.mailops.odoo.plugins.module_utils._dns.sending import Path

ASK = "See whether the zone's name servers run, and are delegated."
PUBLISH = "See the checks DNS.*; site.yml --tags dns publishes what is in the policy's zones."
SAY = "Say spf at the server (docs/lint.md, I12)."
POLICYS_OWN = "the policy (spf.terms)"


@dataclass
class Domain:
    """A domain that mail is sent from, or that keys are published for.

    `terms` are those by which mail is sent that has its envelope sender there, with the names of those who send by
    them; `unknown` are servers of which no term is known. `keys` are the names of DKIM keys, with the type of the
    record there. `ways` are the mail that has it in From; `has_spf` and `has_dmarc`: the policy says something of these
    records. `wants_spf`: there is to be an SPF record.
    """

    name: str
    terms: dict[str, list[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    ways: list[Path] = field(default_factory=list)
    has_spf: bool = False
    wants_spf: bool = False
    has_dmarc: bool = False

    def item(self) -> dict[str, Any]:
        """Return what the module mail_domain_info is asked for."""
        return {"name": self.name, "terms": list(self.terms), "keys": list(self.keys)}

    def add_sender(self, server: str, terms: Iterable[str]) -> None:
        """Note that somebody sends by these terms; of those that mean the same the first is asked for."""
        known = {spf.term(term).matches: term for term in self.terms}
        for term in terms:
            senders = self.terms.setdefault(known.get(spf.term(term).matches, term), [])
            if server not in senders:
                senders.append(server)


def domains(wanted: Wanted) -> list[Domain]:
    """Return the domains to ask for; none if the policy says nothing of DNS."""
    if wanted.why_not or not wanted.is_whole:
        return []
    found: dict[str, Domain] = {}

    def of(name: str) -> Domain:
        return found.setdefault(name, Domain(name))

    for way in sending.paths(wanted.policy):
        if way.from_domain:
            of(way.from_domain).ways.append(way)
        if way.spf_domain and way.terms is None:
            of(way.spf_domain).unknown.append(way.server)
        elif way.spf_domain:
            of(way.spf_domain).has_spf = True
            of(way.spf_domain).add_sender(way.server, way.terms or ())
    for item in wanted.policy["dns"]["domains"]:
        if "spf" in item:
            of(item["name"]).has_spf = True
            of(item["name"]).add_sender(POLICYS_OWN, item["spf"].get("terms", []))
        if "dmarc" in item:
            of(item["name"]).has_dmarc = True
    for entry in wanted.entries:
        if entry["domain"] in found and entry["spf"] and (entry["spf"]["terms"] or "all" in entry["spf"]):
            found[entry["domain"]].wants_spf = True
        keys = {one["name"]: one["type"] for one in [*entry["dkim"], *_further(entry)]}
        if keys:
            of(entry["domain"]).keys.update(keys)
    return list(found.values())


def _further(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the keys among an entry's further records."""
    for record in entry["records"]:
        if guard.KEYS in record["name"] and record["type"] in ("TXT", "CNAME") and record.get("state") != "absent":
            yield record


def checks(place: Place, wanted: Wanted, result: Any) -> list[Check]:
    """Return the checks of all domains; `result` is that of mail_domain_info."""
    asked = domains(wanted)
    if not asked:
        return []
    lacking = unseen("SPF", place.host, result, "domains", "Check this machine's resolver.")
    if lacking:
        return [lacking]
    found = []
    for domain, has in zip(asked, result["domains"], strict=True):
        if domain.has_spf or domain.unknown:
            found.append(_spf(domain, has["spf"], wanted.is_new(domain.name)))
        found += [_key(domain, key, wanted.is_new(domain.name)) for key in has["dkim"]]
        if domain.ways or domain.has_dmarc:
            found.append(_dmarc(domain, has["dmarc"], wanted.policy))
    return found


def _spf(domain: Domain, has: Mapping[str, Any], is_new: bool) -> Check:
    name = f"SPF.{domain.name}"
    if has["status"] == "missing" and not domain.wants_spf and not domain.unknown:
        told = f"{has['detail']}, and the policy wants none: no term of SPF is said of who sends"
        return skipped(name, domain.name, told, "Say spf at the server, or under dns.domains.", asked=False)
    if has["status"] != "present":
        publish = PUBLISH if domain.wants_spf or has["status"] != "missing" else SAY
        return failed(name, domain.name, has["detail"], ASK if has["status"] == "temperror" else publish, is_new)
    wrong = [one for one in has["senders"] if one["result"] not in ("pass", "unknown")]
    if wrong:
        told = "; ".join(f"{_who(domain, one)}: {one['result']}, {one['explanation']}" for one in wrong)
        fix = ASK if all(one["result"] == "temperror" for one in wrong) else PUBLISH
        return failed(name, domain.name, f"receivers do not let send {told}", fix, is_new)
    costs = (
        f"it takes {len(has['lookups'])} of {spf.MOST_LOOKUPS} look-ups, "
        f"and names {len(has['void_lookups'])} of {spf.MOST_VOID} that are not in DNS"
    )
    if domain.unknown:
        told = f"by which terms {', '.join(dict.fromkeys(domain.unknown))} sends is not known; {costs}"
        return skipped(name, domain.name, told, SAY)
    lets = [_who(domain, one) for one in has["senders"] if one["result"] == "pass"]
    untried = [one["explanation"] for one in has["senders"] if one["result"] == "unknown"]
    told = f"lets send {', '.join(lets)}" if lets else "in order"
    return passed(name, domain.name, "; ".join([told, *untried, costs]))


def _who(domain: Domain, sender: Mapping[str, Any]) -> str:
    at = f"{sender['term']}, {sender['ip']}" if sender["ip"] else sender["term"]
    return f"{' and '.join(domain.terms[sender['term']])} ({at})"


def _key(domain: Domain, key: Mapping[str, Any], is_new: bool) -> Check:
    name, status = f"DKIM.{key['name']}", key["status"]
    if status == "present":
        return passed(name, domain.name, f"a key of {key['bits']} bits ({key['type']})")
    if status == "missing" and domain.keys[key["name"]] == "CNAME":
        # Whoever has the key may have another one in use, or be about to change it.
        return skipped(name, domain.name, "there is no key where the alias leads to, which is not ours", asked=False)
    fix = ASK if status == "temperror" else PUBLISH
    return failed(name, domain.name, key["detail"], fix, is_new and status == "missing")


def _dmarc(domain: Domain, has: Mapping[str, Any], policy: Mapping[str, Any]) -> Check:
    name = f"DMARC.{domain.name}"
    if has["status"] == "missing" and not domain.has_dmarc:
        told = f"{has['detail']}, and the policy says nothing of it"
        return skipped(name, domain.name, told, "Say dmarc under dns.domains.", asked=False)
    if has["status"] != "present":
        return failed(name, domain.name, has["detail"], ASK if has["status"] == "temperror" else PUBLISH)
    asks = f"{has['record']} has p={has['policy']}"
    if has["policy"] != has["tags"]["p"].lower():
        asks = f"{has['record']} has sp={has['policy']}"
    losing = guard.unaligned(policy, {tag: value.lower() for tag, value in has["tags"].items()}, domain.ways)
    if losing and has["policy"] != "none":
        fix = "Keep p: none until it passes (docs/lint.md, K03)."
        return failed(name, domain.name, f"{asks}, by which mail is lost: {'; '.join(losing)}", fix)
    silent = [report for report in has["reports"] if not report["authorised"]]
    if silent:
        told = "; ".join(f"reports to {one['host']} are not sent: {one['detail']}" for one in silent)
        return failed(name, domain.name, told, _let(silent))
    if losing:
        return passed(
            name, domain.name, f"{asks}, which asks for nothing; of more, mail would fail: {'; '.join(losing)}"
        )
    return passed(name, domain.name, f"{asks}; mail from it passes by alignment" if domain.ways else asks)


def _let(silent: Sequence[Mapping[str, Any]]) -> str:
    names = " and ".join(one["name"] for one in silent)
    return f"Have {names} published there with v=DMARC1, or name an address of your own in rua and ruf."
