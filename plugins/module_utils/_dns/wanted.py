# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which records a mail policy needs in DNS: computed from who really sends, and from what its providers say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dmarc, guard, sending, spf
from ansible_collections.mailops.odoo.plugins.module_utils._dns import policy as policies
from ansible_collections.mailops.odoo.plugins.module_utils._dns.sending import ODOO_KEY, ODOO_SPF, Path

ODOO_KEY_AT = f"{ODOO_KEY}.{sending.ODOO}"

Policy = Mapping[str, Any]
Entry = dict[str, Any]


def wanted(
    policy: Policy, provider_domains: Iterable[Mapping[str, Any]] = (), records: Iterable[Mapping[str, Any]] = ()
) -> list[Entry]:
    """Return what is wanted of each domain, `{domain, zone, spf, dkim, dmarc, mx, records}`, sorted by domain.

    `policy` is sound, and as the administrator wrote it. `provider_domains` are what the module mailgun_domain returned
    of its domains. `records` are record sets as they will be, `{name, type, values}`: of DMARC the tags that stay count
    as well as those of the policy.

    In the result `zone` is that of the policy which holds the names, None if none does: then they are only looked at.
    Names of one domain that are in two zones make two entries.

    `spf` is `{terms, remove, all}` as spf.merge takes them, without `all` if that is to stay; `dkim` a list of `{name,
    type, value}`, `dmarc` its tags; `mx` a list of `priority host`, without any if there must be none; `records` a list
    of `{name, type, values}`, those with `state: absent` being values that must not be there. What is None or empty is
    not managed.

    Raises ValidationError if DMARC would have mail of the policy quarantined or rejected.
    """
    if policies.lacking():
        raise ValidationError(policies.lacking())
    section = policies.filled(policy.get("dns"))
    given = {**policy, "dns": section}
    said = {str(item["name"]): item for item in section["domains"]}
    ways = sending.paths(policy)
    told = {str(item["domain"]["name"]).lower(): item for item in provider_domains if item.get("domain")}
    _check_dmarc(given, said, ways, _strict(records))
    entries = _Entries(section["zones"])
    for domain, terms in _spf(given, said, ways, told).items():
        entries.of(domain)["spf"] = terms
    for domain, inbound in sending.provider_domains(policy):
        _add_provider(entries, domain, told.get(domain, {}))
        mx = _mx(domain, inbound, told.get(domain, {}), sending.receiving(policy) | sending.addressed(given))
        if mx is not None:
            entries.of(domain)["mx"] = mx
    _add_odoos_key(entries, said, ways)
    for domain, item in said.items():
        _add_said(entries, domain, item)
    return entries.sorted()


def additions(entries: Iterable[Entry]) -> list[Entry]:
    """Return what of `wanted` only lets more servers send, or more addresses get reports.

    It can be published before the servers change. What it leaves out would harm those that still send: terms and values
    that are to go, what becomes of senders that SPF does not name, DMARC; and MX, by which mail comes to a gateway.
    """
    return [_additions(entry) for entry in entries]


def _additions(entry: Entry) -> Entry:
    terms = (entry["spf"] or {}).get("terms")
    kept = [record for record in entry["records"] if record["type"] != "MX" and record.get("state") != "absent"]
    return {
        **entry,
        "spf": {"terms": terms, "remove": []} if terms else None,
        "dmarc": None,
        "mx": None,
        "records": kept,
    }


class _Entries:
    """An entry for each domain and zone."""

    def __init__(self, zones: Sequence[Mapping[str, Any]]) -> None:
        self._zones = zones
        self._found: dict[tuple[str, str], Entry] = {}

    def of(self, domain: str, name: str = "") -> Entry:
        """Return the entry of a domain for a name of it, by default the domain itself."""
        zone = policies.zone_of(self._zones, name or domain)
        new: Entry = {"domain": domain, "zone": zone, "spf": None, "dkim": [], "dmarc": None, "mx": None, "records": []}
        return self._found.setdefault((domain, zone or ""), new)

    def is_ours(self, name: str) -> bool:
        """Whether a zone of the policy holds a name."""
        return policies.zone_of(self._zones, name) is not None

    def add(self, domain: str, record: Mapping[str, Any]) -> None:
        """Add a further record."""
        self.of(domain, record["name"])["records"].append(dict(record))

    def sorted(self) -> list[Entry]:
        """Return the entries, a domain before those below it."""
        return [self._found[key] for key in sorted(self._found, key=lambda key: (key[0].split(".")[::-1], key[1]))]


def _check_dmarc(
    policy: Policy,
    said: Mapping[str, Mapping[str, Any]],
    ways: Sequence[Path],
    strict: Mapping[str, Mapping[str, str]],
) -> None:
    for domain, item in said.items():
        if "dmarc" not in item:
            continue
        stay = {tag: value for tag, value in strict.get(f"_dmarc.{domain}", {}).items() if tag not in item["dmarc"]}
        failing = guard.failing(policy, {**item, "dmarc": {**stay, **item["dmarc"]}}, ways)
        if failing:
            beside = (
                f"beside {', '.join(f'{tag}={value}' for tag, value in stay.items())}, which it has, " if stay else ""
            )
            relaxed = f", or say {' or '.join(f'{tag}: r' for tag in stay)} under dmarc" if stay else ""
            raise ValidationError(
                f"_dmarc.{domain} TXT: {beside}p={item['dmarc']['p']} would have mail of the policy refused or put "
                f"aside: {'; '.join(failing)}",
                f"Keep p: none until it passes (docs/lint.md, K03){relaxed}.",
            )


def _strict(records: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return by which tags DMARC records want alignment to be strict, by the records' names."""
    found = {}
    for record in records:
        for value in record["values"] if record["type"] == "TXT" else ():
            if str(record["name"]).startswith("_dmarc.") and dmarc.is_dmarc(value):
                tags = dmarc.parse(value)
                found[str(record["name"])] = {
                    tag: "s" for tag in dmarc.OF_ALIGNMENT if tags.get(tag, "").lower() == "s"
                }
    return found


def _spf(
    policy: Policy, said: Mapping[str, Mapping[str, Any]], ways: Sequence[Path], told: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return what is wanted of SPF for each domain that mail is sent from, or of which the policy says it."""
    terms: dict[str, list[str]] = {}
    senders: dict[str, list[Path]] = {}
    for path in ways:
        # A provider that sends as the login's domain is named at both: Odoo gives the one, receivers see the other.
        for domain in dict.fromkeys((path.envelope, path.spf_domain)):
            if domain:
                terms.setdefault(domain, []).extend(path.terms or ())
                senders.setdefault(domain, []).append(path)
    for domain, _inbound in sending.provider_domains(policy):
        terms.setdefault(domain, []).extend(_terms_told(domain, told.get(domain, {})))
    for domain, item in said.items():
        if "spf" in item:
            terms.setdefault(domain, []).extend(item["spf"].get("terms", []))
    found = {}
    for domain, named in terms.items():
        item = said.get(domain, {}).get("spf", {})
        remove = list(item.get("remove", []))
        if not _is_odoos(named, senders.get(domain, [])):
            remove.append(ODOO_SPF)
        wished = _each_once(named, remove)
        if wished or remove or "all" in item:
            said_all = {"all": item["all"]} if "all" in item else {}
            found[domain] = {"terms": wished, "remove": list(dict.fromkeys(remove)), **said_all}
    return found


def _is_odoos(named: Sequence[str], ways: Sequence[Path]) -> bool:
    """Whether Odoo's own servers may send for a domain: one does, the policy says so, or it is not known who does."""
    said = any(spf.term(term).matches == spf.term(ODOO_SPF).matches for term in named)
    return said or not ways or any(path.of_odoo or not path.place for path in ways)


def _each_once(named: Sequence[str], remove: Sequence[str]) -> list[str]:
    """Return the terms that are not removed; of those that match the same senders, the first."""
    gone = [spf.term(term) for term in remove]
    found: dict[Any, str] = {}
    for term in named:
        read = spf.term(term)
        # Before the others are left out: -mx that goes must not stand for mx that stays.
        if not any(spf.is_named(read, one) for one in gone):
            found.setdefault(read.matches, term)
    return list(found.values())


def _terms_told(domain: str, told: Mapping[str, Any]) -> list[str]:
    """Return the terms of the SPF record that a provider wants at a domain."""
    records = [
        value for record in told.get("sending_records") or [] if record["name"] == domain for value in record["values"]
    ]
    return [term.text for value in records if spf.is_spf(value) for term in spf.parse(value) if term.name != "all"]


def _add_provider(entries: _Entries, domain: str, told: Mapping[str, Any]) -> None:
    """Add the keys that a provider signs with, and the host of its tracked links if it tracks any."""
    tracking = told.get("tracking") or {}
    tracked = tracking.get("open") or tracking.get("unsubscribe") or tracking.get("click") not in (None, "no")
    for record in told.get("sending_records") or []:
        name, kind = str(record["name"]), str(record["type"])
        if guard.KEYS in name:
            keys = entries.of(domain, name)["dkim"]
            keys.extend({"name": name, "type": kind, "value": value} for value in record["values"])
        elif kind == "CNAME" and tracked:
            entries.add(domain, {"name": name, "type": kind, "values": list(record["values"])})


def _mx(domain: str, inbound: bool, told: Mapping[str, Any], receiving: set[str]) -> list[str] | None:
    """Return the MX records of a provider's domain, None if they are nobody's matter here.

    One that only sends has none: with one, mail to it would be lost at whoever it names. Where people have their
    addresses mail arrives, though not by way of Odoo.
    """
    if inbound:
        records = [record for record in told.get("receiving_records") or [] if record["type"] == "MX"]
        return [value for record in records for value in record["values"]] or None
    return None if domain in receiving else []


def _add_odoos_key(entries: _Entries, said: Mapping[str, Mapping[str, Any]], ways: Sequence[Path]) -> None:
    """Want Odoo's key where its own servers send, and have it removed from our zones where others do.

    One that the policy itself names stands in its place: Odoo has other keys for some databases.
    """
    records = [record for item in said.values() for record in item.get("records", [])]
    named = {record["name"] for record in records if sending.is_odoos_key(record)}
    for domain in dict.fromkeys(path.from_domain for path in ways if path.from_domain):
        mine = [path for path in ways if path.from_domain == domain]
        name = f"{ODOO_KEY}.{domain}"
        if name in named:
            continue
        if any(path.of_odoo for path in mine):
            entries.of(domain, name)["dkim"].append({"name": name, "type": "CNAME", "value": ODOO_KEY_AT})
        elif all(path.place for path in mine) and entries.is_ours(name):
            entries.add(domain, {"name": name, "type": "CNAME", "values": [ODOO_KEY_AT], "state": "absent"})


def _add_said(entries: _Entries, domain: str, item: Mapping[str, Any]) -> None:
    """Add what the policy says of a domain. What it says of MX goes before what follows from elsewhere."""
    if "mx" in item:
        entries.of(domain)["mx"] = list(item["mx"])
    if "dmarc" in item:
        entries.of(domain, f"_dmarc.{domain}")["dmarc"] = dict(item["dmarc"])
        reported_to = [uri for tag in dmarc.OF_URIS for uri in item["dmarc"].get(tag, [])]
        for host, name in dmarc.external(domain, reported_to).items():
            entries.add(host, {"name": name, "type": "TXT", "values": [dmarc.AUTHORISED]})
    for record in item.get("records", []):
        entries.add(domain, record)
