# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a primary server has at names, and which zones these are in, from as few questions as possible.

Each record set is asked for once. What an answer does not say is whether the name itself has the records or a wildcard
stands in for it, and, if there are some, which zone they are in. One question below each such name tells both: below a
name that exists there is nothing, and the no to it comes with the zone's SOA (RFC 4592, RFC 2308).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    NotFoundError,
    ProtocolError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends.tsig import Primary
from ansible_collections.mailops.odoo.plugins.module_utils._dns.question import Referral, Trouble, content
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key, RecordSet

try:
    import dns.exception
    import dns.message
    import dns.name
    import dns.rcode
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
except ImportError:
    # Told by values.
    pass

# A signed zone has them beside everything, a CNAME too (RFC 4035, 2.5).
SIGNING = ("RRSIG", "NSEC")


@dataclass(frozen=True)
class _Answer:
    """What a server said: as question.Content, with the TTL, the records as they came and the zone that a no names."""

    kind: str
    values: tuple[str, ...] = ()
    ttl: int | None = None
    rdatas: tuple[dns.rdata.Rdata, ...] = ()
    types: tuple[str, ...] = ()
    zone: dns.name.Name | None = None


class Reading:
    """One reading of record sets. All names must be in `zone`; without one each name's own is found."""

    def __init__(self, primary: Primary, zone: dns.name.Name | None) -> None:
        self._primary = primary
        self._zone = zone
        self._answers: dict[Key, _Answer] = {}
        self._found: dict[Key, RecordSet] = {}

    def record_sets(self, keys: Sequence[Key]) -> dict[Key, RecordSet]:
        """Return what is there for each key (see records.Backend.read)."""
        for key in keys:
            self._check_name(key.name)
        self._ask(keys)
        names = list(dict.fromkeys(key.name for key in keys))
        missing = {key.name for key in keys if self._answers[key].kind == "nxdomain"}
        perhaps = [name for name in names if name not in missing]
        # A CNAME may come only where nothing else is.
        lonely = [key for key in keys if key.type == "CNAME" and self._answers[key].kind == "nodata"]
        self._ask([*(Key(_below(name), "SOA") for name in perhaps), *(Key(key.name, "ANY") for key in lonely)])
        zones = {name: self._zone_of(name, keys) for name in names}
        wild = [
            name
            for name in perhaps
            if name != zones[name] and self._answers[Key(_below(name), "SOA")].kind != "nxdomain"
        ]
        self._ask([Key(_beside(key.name), key.type) for key in keys if key.name in wild])
        covered = {name for name in wild if self._is_covered([key for key in keys if key.name == name])}
        self._ask([Key(_beside(name), "ANY") for name in covered])
        self._found = {key: self._record_set(key, zones[key.name], key.name in covered) for key in keys}
        return self._found

    def rdatas(self, key: Key) -> tuple[dns.rdata.Rdata, ...]:
        """Return the records of a record set that was read, as they came."""
        return self._answers[key].rdatas if self._found[key].values else ()

    def _check_name(self, name: dns.name.Name) -> None:
        if self._zone is not None and not name.is_subdomain(self._zone):
            raise ValidationError(
                f"{values.shown(name)} is not in the zone {values.shown(self._zone)}",
                "Names are given in full, with the zone's name at their end.",
            )

    def _record_set(self, key: Key, zone: dns.name.Name, covered: bool) -> RecordSet:
        answer = self._answers[key]
        if covered:
            types = self._answers[Key(_beside(key.name), "ANY")].types
            return RecordSet(zone=zone, covered=types)
        if answer.kind == "found":
            return RecordSet(answer.values, answer.ttl, zone=zone)
        if answer.kind == "cname":
            return RecordSet(alias=answer.values[0], zone=zone)
        others = self._answers.get(Key(key.name, "ANY"))
        beside = others.types if others and key.type == "CNAME" else ()
        return RecordSet(beside=beside, zone=zone)

    def _is_covered(self, keys: Iterable[Key]) -> bool:
        """Whether a wildcard answers for a name: what is asked for has the same answer at a name that is none."""

        def told(key: Key) -> object:
            answer = self._answers[key]
            return answer.kind, answer.values, answer.ttl

        return all(told(key) == told(Key(_beside(key.name), key.type)) for key in keys)

    def _zone_of(self, name: dns.name.Name, keys: Sequence[Key]) -> dns.name.Name:
        """Return the zone that a name is in."""
        asked = [Key(_below(name), "SOA"), *(key for key in keys if key.name == name)]
        zone = next(
            (self._answers[key].zone for key in asked if key in self._answers and self._answers[key].zone), None
        )
        at = name
        # A wildcard that is a CNAME says nothing of the zone: names above it do.
        while zone is None:
            if at == dns.name.root:
                raise ProtocolError(f"{self._primary.shown} does not say which zone {values.shown(name)} is in")
            key = Key(at, "SOA")
            self._ask([key])
            zone = at if self._answers[key].kind == "found" else self._answers[key].zone
            at = at.parent()
        self._check_zone(name, zone)
        return zone

    def _check_zone(self, name: dns.name.Name, zone: dns.name.Name) -> None:
        if self._zone is None or zone == self._zone:
            return
        at, shown, wanted = self._primary.shown, values.shown(zone), values.shown(self._zone)
        if zone.is_subdomain(self._zone):
            raise ValidationError(
                f"{values.shown(name)} is in the zone {shown}, which is below {wanted}",
                f"Change it by a task with zone: {shown}.",
            )
        raise NotFoundError(
            f"{at} has no zone {wanted}: {values.shown(name)} is in {shown} there", "Check zone, and server."
        )

    def _ask(self, keys: Iterable[Key]) -> None:
        """Ask for what is not known yet."""
        new = [key for key in dict.fromkeys(keys) if key not in self._answers]
        # Not recursive: what it has itself, and nothing that it knows of others.
        questions = [dns.message.make_query(key.name, key.type, flags=0) for key in new]
        answers = self._primary.exchange(questions)
        self._answers.update({key: self._answer(key, told) for key, told in zip(new, answers, strict=True)})

    def _answer(self, key: Key, told: dns.message.Message) -> _Answer:
        server, name = self._primary.shown, values.shown(key.name)
        remedy = "Check the name, and that server is the primary of its zone."
        try:
            has = content(told, self._zone or dns.name.root, key.name, key.type)
        except Referral as referral:
            raise ValidationError(
                f"{name} is delegated: {server} refers to the servers of the zone {values.shown(referral.zone)}",
                "It can be changed only there: name the primary of that zone in server, or check the name.",
            ) from None
        except Trouble as trouble:
            code = dns.rcode.to_text(told.rcode())
            if trouble.kind == "servfail":
                raise TemporaryError(f"{server} cannot answer for {name} ({code})", "Its log says why.") from None
            raise NotFoundError(f"{server} has no authority for {name} ({code})", remedy) from None
        if has.kind == "found" or key.type == "ANY":
            own = [rrset for rrset in told.answer if rrset.name == key.name]
            types = sorted({dns.rdatatype.to_text(rrset.rdtype) for rrset in own} - {*SIGNING})
            if key.type == "ANY":
                return _Answer(has.kind, types=tuple(types))
            rrset = told.find_rrset(told.answer, key.name, dns.rdataclass.IN, dns.rdatatype.from_text(key.type))
            return _Answer(has.kind, has.values, rrset.ttl, tuple(rrset))
        zone = None
        if not told.answer:
            soas = [rrset.name for rrset in told.authority if rrset.rdtype == dns.rdatatype.SOA]
            zone = next((soa for soa in soas if key.name.is_subdomain(soa)), None)
        return _Answer(has.kind, has.values, zone=zone)


def _below(name: dns.name.Name) -> dns.name.Name:
    """Return a name directly below, which there is only if a wildcard is."""
    try:
        return dns.name.Name((b"*", *name.labels))
    except dns.name.NameTooLong:
        raise ValidationError(f"{values.shown(name)} is too long") from None


def _beside(name: dns.name.Name) -> dns.name.Name:
    """Return the wildcard that would answer for a name, or what another wildcard above answers for as well."""
    return _below(name.parent())
