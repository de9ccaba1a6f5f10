# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a primary server has at names, and which zones these are in, from as few questions as possible.

Each record set is asked for once. Which zone a name is in the answer says: a no has the zone's SOA, and what is found
has the zone's NS beside it, unless the server is set to say the least. What it does not say is whether the name itself
has the records or a wildcard stands in for it. One question for the wildcard of all names beside each other tells: if
it gets a no, none answers for any of them (RFC 4592, 3.3.1). Otherwise one question below each name does: below a name
that exists there is nothing, and the no to it comes with the zone's SOA (RFC 2308).
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
    """What a server said: as question.Content, with the TTL, the records as they came and the zone that it names."""

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
        told = {name: self._told_zone(name, keys) for name in perhaps}
        untold = [name for name in perhaps if told[name] is None]
        # A zone's own name exists.
        within = [name for name in perhaps if told[name] not in (None, name)]
        self._ask(
            [
                *(_soa(_beside(name)) for name in within),
                *(_soa(_below(name)) for name in untold),
                *(Key(key.name, "ANY") for key in lonely),
            ]
        )
        zones = {name: self._zone_of(name, keys) for name in names}
        suspects = [
            name for name in perhaps if name != zones[name] and (name in untold or not self._is_missing(_beside(name)))
        ]
        covered = self._covered(suspects)
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

    def _covered(self, names: Sequence[dns.name.Name]) -> set[dns.name.Name]:
        """Return those names that are none, but that a wildcard answers for.

        Below such a name it answers as well. It does below a name that is there only if that has a wildcard of its own;
        which ends the answers of all others, so below that one there is nothing.
        """
        self._ask([_soa(_below(name)) for name in names])
        answered = [name for name in names if not self._is_missing(_below(name))]
        self._ask([_soa(_below(_below(name))) for name in answered])
        return {name for name in answered if not self._is_missing(_below(_below(name)))}

    def _is_missing(self, name: dns.name.Name) -> bool:
        return self._answers[_soa(name)].kind == "nxdomain"

    def _told_zone(self, name: dns.name.Name, keys: Iterable[Key]) -> dns.name.Name | None:
        """Return the zone that the answers for a name tell; None if none does."""
        return next((self._answers[key].zone for key in keys if key.name == name and self._answers[key].zone), None)

    def _zone_of(self, name: dns.name.Name, keys: Sequence[Key]) -> dns.name.Name:
        """Return the zone that a name is in."""
        below = self._answers.get(_soa(_below(name)))
        zone = self._told_zone(name, keys) or (below.zone if below else None)
        at = name
        # A wildcard that is a CNAME says nothing of the zone: names above it do.
        while zone is None:
            if at == dns.name.root:
                raise ProtocolError(f"{self._primary.shown} does not say which zone {values.shown(name)} is in")
            key = _soa(at)
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
            return _Answer(has.kind, has.values, rrset.ttl, tuple(rrset), zone=_zone_beside(told, key, "NS"))
        # What follows an alias is of the alias's zone.
        return _Answer(has.kind, has.values, zone=None if told.answer else _zone_beside(told, key, "SOA"))


def _zone_beside(told: dns.message.Message, key: Key, record_type: str) -> dns.name.Name | None:
    """Return the zone whose SOA or NS records stand beside an answer with authority; None if none do."""
    named = [rrset.name for rrset in told.authority if rrset.rdtype == dns.rdatatype.from_text(record_type)]
    return next((zone for zone in named if key.name.is_subdomain(zone)), None)


def _soa(name: dns.name.Name) -> Key:
    return Key(name, "SOA")


def _below(name: dns.name.Name) -> dns.name.Name:
    """Return a name directly below: the wildcard there, if one is."""
    try:
        return dns.name.Name((b"*", *name.labels))
    except dns.name.NameTooLong:
        raise ValidationError(f"{values.shown(name)} is too long") from None


def _beside(name: dns.name.Name) -> dns.name.Name:
    """Return the wildcard that would answer for a name, or what another wildcard above answers for as well."""
    return _below(name.parent())
