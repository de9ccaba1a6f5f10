# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones behind an API in which each value is a record of its own, with an identity.

Such an API has no transactions and no conditions, so the order of the calls is what keeps a record set working: what
comes is created before anything goes, and what may be there only once (an SPF record, say) is edited in place by one
call. What is there is read again right before the first call and after the last one: another writer who was faster is
seen, and what was planned is planned anew.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.mailops.odoo.plugins.module_utils._core.calls import Clock
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    MailopsError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns import txt, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Change, Key, Raced, RecordSet

# Of two writers who created the same thing at once each waits for up to so many seconds before it takes its own back.
BACK_OFF = 1.0
# What follows the value of a record for which the provider answers with values of its own: DNS does not have the value,
# so it is not the one that is wished for.
PROXIED = " (proxied)"


@dataclass(frozen=True)
class Zone:
    """A zone: its absolute name, and what the API calls it."""

    name: Any
    id: str


@dataclass(frozen=True)
class Record:
    """A record: `value` in canonical form, `ttl` in seconds, `raw` as the API shows it.

    `own_ttl` says that its TTL cannot be chosen, and that of its neighbours is none of its business.
    """

    id: str
    key: Key
    value: str
    ttl: int
    raw: Mapping[str, Any]
    own_ttl: bool = False


class Provider(Protocol):
    """An API. All its failures are MailopsErrors; a record or a zone that is not there is a NotFoundError."""

    clock: Clock

    @property
    def service(self) -> str:
        """Return its name, for messages."""

    @property
    def types(self) -> Sequence[str]:
        """Return the types of records that can be changed there."""

    def zones(self) -> list[Zone]:
        """Return all zones of the account."""

    def zones_at(self, name: Any) -> list[Zone]:
        """Return a zone by its absolute name, and those below it that answer for it without a delegation."""

    def records(self, zone: Zone, name: Any = None, record_type: str = "") -> list[Record]:
        """Return a zone's records, those of a name (an absolute one) and of a type where given."""

    def check(self, key: Key, added: Sequence[str], ttl: int) -> None:
        """Raise ValidationError if the provider cannot hold these values that come, or the TTL of the record set."""

    def create(self, zone: Zone, key: Key, value: str, ttl: int) -> str:
        """Create a record and return its identity; ConflictError if what is there does not admit it."""

    def edit(self, zone: Zone, record: Record, value: str, ttl: int) -> None:
        """Give a record another value and TTL; one whose value stays is sent back as it came."""

    def delete(self, zone: Zone, record: Record) -> None:
        """Delete a record."""

    def restore(self, zone: Zone, record: Record) -> None:
        """Create a record that was deleted again, as it was."""


class ByRecord:
    """The zones of an account. All names must be in `zone`, an absolute name; without one each name's own is found."""

    def __init__(self, provider: Provider, zone: Any = None) -> None:
        self._provider = provider
        self._zone = zone
        self._zones: list[Zone] = []
        self._delegated: dict[Zone, frozenset[Any]] = {}

    def read(self, keys: Sequence[Key]) -> dict[Key, RecordSet]:
        """Return what is there for each key (see records.Backend), asking once for each name."""
        for key in keys:
            self._check_type(key)
        reading = _Reading(self._provider)
        found = {}
        for key in keys:
            zone = self._zone_of(key.name)
            found[key] = reading.record_set(zone, key)
        return found

    def check(self, changes: Sequence[Change]) -> None:
        """Raise ValidationError if the provider cannot hold what is to come."""
        for change in changes:
            if change.added or (change.after.values and change.after.ttl != change.before.ttl):
                self._provider.check(change.key, change.added, change.after.ttl or 0)

    def apply(self, changes: Sequence[Change]) -> Iterator[Change]:
        """Carry out changes that were planned from what `read` returned, those of a name one after the other."""
        names: dict[Any, list[Change]] = {}
        for change in changes:
            names.setdefault(change.key.name, []).append(change)
        for name, ours in names.items():
            zone = self._zone_of(name)
            if len(ours) > 1 and any(change.key.type == "CNAME" for change in ours):
                writing = _Writing(self._provider, zone, ours)
                self._tell(writing, writing.exchange)
                yield from ours
                continue
            # What only goes goes last.
            for change in sorted(ours, key=lambda change: not change.after.values):
                writing = _Writing(self._provider, zone, [change])
                self._tell(writing, writing.carry_out)
                yield change

    @staticmethod
    def _tell(writing: _Writing, work: Callable[[], None]) -> None:
        """Do the work. A call that failed for certain does not mean that nothing was written: others came before it."""
        try:
            work()
        except MailopsError as error:
            error.definite = error.definite and not writing.wrote
            raise
        except Raced as raced:
            raced.begun = writing.changes if writing.wrote else ()
            raise

    def _check_type(self, key: Key) -> None:
        if key.type not in self._provider.types:
            raise ValidationError(
                f"{key.shown()}: records of this type cannot be changed at {self._provider.service} here",
                f"Those of these types can: {', '.join(self._provider.types)}.",
            )

    def _zone_of(self, name: Any) -> Zone:
        """Return the zone that a name is in."""
        if self._zone is not None and not name.is_subdomain(self._zone):
            raise ValidationError(
                f"{values.shown(name)} is not in the zone {values.shown(self._zone)}",
                "Names are given in full, with the zone's name at their end.",
            )
        if not self._zones:
            self._zones = self._provider.zones() if self._zone is None else self._provider.zones_at(self._zone)
        holding = [zone for zone in self._zones if name.is_subdomain(zone.name)]
        if not holding:
            there = ", ".join(values.shown(zone.name) for zone in self._zones[:10]) or "none at all"
            raise NotFoundError(
                f"{self._provider.service} has no zone for {values.shown(name)} that this token may see",
                f"It may see: {there}. Check the name, and whose account the token is.",
            )
        zone = max(holding, key=lambda zone: len(zone.name))
        if self._zone not in (None, zone.name):
            shown = values.shown(zone.name)
            raise ValidationError(
                f"{values.shown(name)} is in the zone {shown}, which is below {values.shown(self._zone)}",
                f"Change it by a task with zone: {shown}.",
            )
        self._check_delegation(zone, name)
        return zone

    def _check_delegation(self, zone: Zone, name: Any) -> None:
        if zone not in self._delegated:
            below = {record.key.name for record in self._provider.records(zone, record_type="NS")}
            self._delegated[zone] = frozenset(below - {zone.name})
        cut = next((cut for cut in self._delegated[zone] if name.is_subdomain(cut)), None)
        if cut is not None:
            raise ValidationError(
                f"{values.shown(name)} is delegated: the zone {values.shown(zone.name)} at {self._provider.service} "
                f"refers to the servers of the zone {values.shown(cut)}",
                "It can be changed only there; or check the name.",
            )


class _Reading:
    """One reading: each name is asked for once."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._known: dict[Any, list[Record]] = {}

    def record_set(self, zone: Zone, key: Key) -> RecordSet:
        records = self._at(zone, key.name)
        covered = () if records or key.name == zone.name else self._covered(zone, key.name)
        return record_set(zone, key, records, covered)

    def _at(self, zone: Zone, name: Any) -> list[Record]:
        if name not in self._known:
            self._known[name] = self._provider.records(zone, name)
        return self._known[name]

    def _covered(self, zone: Zone, name: Any) -> tuple[str, ...]:
        """Return the types with which a wildcard answers for a name without records.

        That a name exists because there are names below it cannot be seen: a wildcard may be told that is none.
        """
        above = name.parent()
        wildcard = values.name(f"*.{values.shown(above)}")
        types = {record.key.type for record in self._at(zone, wildcard)} if name != wildcard else set()
        if types or above == zone.name or self._at(zone, above):
            return tuple(sorted(types))
        return self._covered(zone, above)


class _Writing:
    """The changes of one name that are carried out together."""

    def __init__(self, provider: Provider, zone: Zone, changes: Sequence[Change]) -> None:
        self._provider = provider
        self._zone = zone
        self.changes = changes
        self._name = changes[0].key.name
        self._before: list[Record] = []
        # The identities of what was created.
        self._ours: set[str] = set()
        # Whether a call that writes went well.
        self.wrote = False

    def carry_out(self) -> None:
        """Carry one change out. Raises Raced, or what fails; something works at every moment."""
        self._start()
        (change,) = self.changes
        try:
            self._write(change)
        except MailopsError as error:
            self._judge(error, self._look())
        self._finish()

    def exchange(self) -> None:
        """Carry out changes of which one is a CNAME's: no two may be there at once, so what goes must go first.

        What went is put back if what comes cannot come.
        """
        self._start()
        try:
            for change in sorted(self.changes, key=lambda change: bool(change.after.values)):
                self._write(change)
        except MailopsError as error:
            now = self._look()
            if now is None:
                gone = _listed(self._gone())
                error.message = (
                    f"{error.message}. What had to go before may be missing now, as it could not be seen: {gone}"
                )
            elif not self._done(now):
                self._put_back(now, error)
            self._judge(error, now)
        self._finish()

    def _start(self) -> None:
        """Raise Raced if there is something else than the changes were planned from."""
        self._before = self._provider.records(self._zone, self._name)
        for change in self.changes:
            now, then = record_set(self._zone, change.key, self._before), change.before
            if (now.values, now.ttl, now.alias, now.beside) != (then.values, then.ttl, then.alias, then.beside):
                raise Raced

    def _write(self, change: Change) -> None:
        key, ttl = change.key, change.after.ttl or 0
        there: dict[str, list[Record]] = {}
        for record in self._before:
            if record.key == key:
                there.setdefault(record.value, []).append(record)
        # Of equal records all but one are for nothing.
        for value in change.removed:
            for twin in there[value][1:]:
                self._delete(twin)
        edits = edited(change)
        for former, value in edits.items():
            self._edit(there[former][0], value, ttl)
        for value in change.added:
            if value not in edits.values():
                self._ours.add(self._provider.create(self._zone, key, value, ttl))
                self.wrote = True
        if change.before.ttl != change.after.ttl:
            for value in change.after.values:
                for record in there.get(value, []):
                    if record.ttl != ttl and not record.own_ttl:
                        self._edit(record, value, ttl)
        for value in change.removed:
            if value not in edits:
                self._delete(there[value][0])

    def _edit(self, record: Record, value: str, ttl: int) -> None:
        self._provider.edit(self._zone, record, value, ttl)
        self.wrote = True

    def _delete(self, record: Record) -> None:
        self._provider.delete(self._zone, record)
        self.wrote = True

    def _judge(self, error: MailopsError, now: Sequence[Record] | None) -> None:
        """Raise the error; Raced if another writer is the reason. Nothing if all was done though no answer said so.

        `now` is what was there after it; None if that could not be seen.
        """
        if now is not None and self._done(now):
            return
        if isinstance(error, NotFoundError):
            raise Raced from None
        if isinstance(error, ConflictError) and now is not None and _ids(now) - self._ours - _ids(self._before):
            raise Raced from None
        raise error

    def _finish(self) -> None:
        """Raise Raced if another writer was there in the meantime; what then is there twice is taken back."""
        now = self._provider.records(self._zone, self._name)
        if self._rivals(now):
            self._provider.clock.sleep(random.uniform(0, BACK_OFF))
            now = self._provider.records(self._zone, self._name)
            if self._rivals(now):
                for record in now:
                    if record.id in self._ours:
                        self._provider.delete(self._zone, record)
                raise Raced
        if not self._done(now):
            raise Raced

    def _rivals(self, now: Iterable[Record]) -> list[Record]:
        """Return the records of others of which there may be one only, and one of ours is."""
        kinds = {(change.key, once(change.key, value)) for change in self.changes for value in change.added}
        ours = {(change.key, value) for change in self.changes for value in change.after.values}
        return [
            record
            for record in now
            if once(record.key, record.value)
            and (record.key, once(record.key, record.value)) in kinds
            and (record.key, record.value) not in ours
            # What became of ours was made by another writer who knew of it.
            and record.id not in self._ours
        ]

    def _done(self, now: Sequence[Record]) -> bool:
        """Whether all that was to come is there, with its TTL, and nothing that was to go."""
        return all(_is_done(change, now) for change in self.changes)

    def _look(self) -> list[Record] | None:
        """Return what is there; None if that cannot be seen."""
        try:
            return self._provider.records(self._zone, self._name)
        except MailopsError:
            return None

    def _gone(self) -> list[Record]:
        """Return the records that the changes remove, of equal ones the first. What others have deleted is none."""
        removed = {(change.key, value) for change in self.changes for value in change.removed}
        first = {(record.key, record.value): record for record in reversed(self._before)}
        return [record for what, record in first.items() if what in removed]

    def _put_back(self, now: Sequence[Record], error: MailopsError) -> None:
        """Take back what came, and create again what went; say in the error what could not be."""
        there = {(record.key, record.value) for record in now}
        lost = [record for record in self._gone() if (record.key, record.value) not in there]
        added = {(change.key, value) for change in self.changes for value in change.added}
        try:
            for record in now:
                if (record.key, record.value) in added and record.id not in _ids(self._before):
                    self._delete(record)
            while lost:
                self._provider.restore(self._zone, lost[0])
                lost.pop(0)
        except MailopsError as another:
            gone = _listed(lost)
            error.message = (
                f"{error.message}. What had to go before that could not be put back ({another.message}): {gone}"
            )


def record_set(zone: Zone, key: Key, records: Sequence[Record], covered: tuple[str, ...] = ()) -> RecordSet:
    """Return what is there for a key, from all records of its name.

    The TTL is the longest of the values', as caches may hold it for so long.
    """
    mine = [record for record in records if record.key == key]
    others = {record.key.type for record in records} - {key.type}
    if key.name == zone.name:
        others |= {"NS", "SOA"}
    alias = next((record.value for record in records if record.key.type == "CNAME"), "")
    return RecordSet(
        tuple(sorted({record.value for record in mine})),
        max((record.ttl for record in [one for one in mine if not one.own_ttl] or mine), default=None),
        alias if key.type != "CNAME" else "",
        tuple(sorted(others)) if key.type == "CNAME" and not mine else (),
        zone.name,
        covered,
    )


def once(key: Key, value: str) -> str:
    """Return what a value is of which there may be one only; empty for all others."""
    if key.type == "CNAME":
        return "CNAME"
    if key.type != "TXT":
        return ""
    # More than one key under a selector is no key (RFC 6376, 3.6.2.2).
    return txt.kind(value) or ("DKIM" if b"_domainkey" in key.name.labels else "")


def edited(change: Change) -> dict[str, str]:
    """Return which values become which others in place, because there may be one only of their kind.

    A record that is not to be proxied any more is the same to the provider.
    """
    left = list(change.added)
    edits = {}
    for value in change.removed:
        kind = once(change.key, value)
        successor = next(
            (new for new in left if value == new + PROXIED or (kind and once(change.key, new) == kind)), None
        )
        if successor is not None:
            edits[value] = successor
            left.remove(successor)
    return edits


def decoded(record_type: str, text: str) -> str:
    """Return a value that an API shows in canonical form; as it is shown if it has none."""
    try:
        return txt.unquoted(text) if record_type == "TXT" else values.wanted(record_type, text)
    except ValueError:
        return text


def _is_done(change: Change, now: Iterable[Record]) -> bool:
    there = [record for record in now if record.key == change.key]
    found = {record.value for record in there}
    chosen = change.after.values if change.before.ttl != change.after.ttl else change.added
    wrong = [one for one in there if one.value in chosen and one.ttl != change.after.ttl and not one.own_ttl]
    return found.issuperset(change.after.values) and found.isdisjoint(change.removed) and not wrong


def _listed(records: Iterable[Record]) -> str:
    return ", ".join(f"{record.key.shown()} {record.value!r}" for record in records)


def _ids(records: Iterable[Record]) -> set[str]:
    return {record.id for record in records}
