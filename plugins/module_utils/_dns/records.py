# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets: what is there, what is wished for, and what must change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values

# The others are the zone's own: its servers take wrong ones, or silently keep theirs (RFC 2136, 3.4.2).
TYPES = tuple(one for one in values.TYPES if one not in ("NS", "SOA"))
# Of a new record set for which nobody named another, in seconds.
TTL = 3600
# In seconds (RFC 2181, section 8).
LONGEST_TTL = 2**31 - 1


class Key(NamedTuple):
    """What identifies a record set: an absolute name (as values.name returns it) and a type, such as `TXT`."""

    name: Any
    type: str

    def shown(self) -> str:
        """Return it as messages have it."""
        return f"{values.shown(self.name)} {self.type}"


@dataclass(frozen=True)
class RecordSet:
    """What a zone has at a key.

    `values` are in canonical form (values.found), each once. `ttl` is in seconds; None if there are no values.
    `alias` is the target of the CNAME that is at the name instead. `beside` are the types of the other data at the
    name; it is told for a CNAME only, which may not stand beside any (RFC 1034, 3.6.2). `zone` is the zone that the
    name is in, as an absolute name. `covered` are the types of the records with which a wildcard answers for the name;
    it does so as long as the name has no record of its own (RFC 4592, 2.2.1).
    """

    values: tuple[str, ...] = ()
    ttl: int | None = None
    alias: str = ""
    beside: tuple[str, ...] = ()
    zone: Any = None
    covered: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """Return it as results have it; nothing if there are no values."""
        return {"values": list(self.values), "ttl": self.ttl} if self.values else {}


NOTHING = RecordSet()


class Wish(Protocol):
    """What somebody wants of the record set at `key`: the values that he is responsible for, and no others.

    `ttl` is in seconds; None leaves that of an existing set as it is.
    """

    @property
    def key(self) -> Key: ...

    @property
    def ttl(self) -> int | None: ...

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return the values that are to be there, given those that are, in canonical form.

        Values of others are returned as they are. Raises ValidationError or ConflictError naming record and rule.
        """


@dataclass(frozen=True)
class Change:
    """One record set that is to become another; without values it is removed."""

    key: Key
    before: RecordSet
    after: RecordSet

    @property
    def added(self) -> tuple[str, ...]:
        """Return the values that come."""
        return tuple(value for value in self.after.values if value not in self.before.values)

    @property
    def removed(self) -> tuple[str, ...]:
        """Return the values that go."""
        return tuple(value for value in self.before.values if value not in self.after.values)

    def shown(self) -> dict[str, Any]:
        """Return the change as results have it."""
        action = "update" if self.before.values and self.after.values else "create" if self.after.values else "delete"
        return {
            "action": action,
            "name": values.shown(self.key.name),
            "type": self.key.type,
            "before": self.before.shown(),
            "after": self.after.shown(),
        }


class Raced(Exception):
    """Another writer was faster, and the change must be planned anew.

    `begun` are changes of which something was written all the same, where a back end cannot do one wholly or not at
    all.
    """

    begun: Sequence[Change] = ()


class Backend(Protocol):
    """Where a zone is changed. All its failures are MailopsErrors; no secret is in them."""

    def read(self, keys: Sequence[Key]) -> dict[Key, RecordSet]:
        """Return what is there for each key, asking once for each name and type at most.

        Raises ValidationError for a name that is not in the zone, or in one below it.
        """

    def check(self, changes: Sequence[Change]) -> None:
        """Raise ValidationError if changes cannot be, whatever the server would say to them. It is not asked."""

    def apply(self, changes: Sequence[Change]) -> Iterator[Change]:
        """Carry out changes that were checked and yield each that is done.

        Raises Raced when one does not find its `before`.
        """


def plan(wishes: Iterable[Wish], there: Mapping[Key, RecordSet]) -> list[Change]:
    """Return what must change for all wishes, in the order in which their keys come first.

    Several wishes for one key are fulfilled one after the other. Raises ConflictError where a CNAME would stand beside
    other data, ValidationError where a name would have its zone twice, and what a wish raises.
    """
    wanted: dict[Key, RecordSet] = {}
    for wish in wishes:
        now = wanted.get(wish.key) or there.get(wish.key, NOTHING)
        left = tuple(sorted(set(wish.after(now.values))))
        ttl = _first(wish.ttl, now.ttl, there.get(wish.key, NOTHING).ttl, TTL) if left else None
        wanted[wish.key] = replace(now, values=left, ttl=ttl)
    changes = []
    for key, after in wanted.items():
        before = there.get(key, NOTHING)
        if (after.values, after.ttl) == (tuple(sorted(before.values)), before.ttl):
            continue
        _check_alone(key, after, wanted)
        if set(after.values) - set(before.values):
            _check_name(key, after.zone)
        changes.append(Change(key, before, after))
    return changes


def shadows(changes: Iterable[Change]) -> list[str]:
    """Return a sentence for each name that a wildcard will no longer answer for because it gets a record of its own."""
    told = {}
    for change in changes:
        if change.before.covered and change.after.values:
            own = {other.key.type for other in changes if other.key.name == change.key.name}
            lost = [one for one in change.before.covered if one not in own]
            name = values.shown(change.key.name)
            told[name] = (
                f"{name} has records of its own now, so the wildcard that answered for it does not any more "
                f"({', '.join(lost)}). Give it these records too if they are needed (RFC 4592, section 2.2.1)."
                if lost
                else ""
            )
    return [text for text in told.values() if text]


def difference(changes: Iterable[Change]) -> dict[str, str]:
    """Return Ansible's `diff` for the changes: a line for each value."""
    sides: dict[str, list[str]] = {"before": [], "after": []}
    for change in changes:
        for side, has in (("before", change.before), ("after", change.after)):
            name = values.shown(change.key.name)
            sides[side] += [f"{name} {has.ttl} {change.key.type} {value}\n" for value in has.values]
    return {side: "".join(lines) for side, lines in sides.items()}


def _first(*ttls: int | None) -> int | None:
    """Return the first TTL that somebody named; it may be 0."""
    return next((ttl for ttl in ttls if ttl is not None), None)


def _check_name(key: Key, zone: Any) -> None:
    """Raise ValidationError if the name ends with the zone's name twice, as panels that append it make of full ones."""
    if zone is None or not zone.labels[:-1]:
        return
    twice = zone.labels[:-1] + zone.labels
    if key.name.labels[-len(twice) :] == twice:
        meant = values.shown(key.name)[: -len(values.shown(zone)) - 1]
        raise ValidationError(
            f"{key.shown()}: the name has that of its zone {values.shown(zone)} twice",
            f"Names are given in full and nothing is appended to them: write {meant}.",
        )


def _check_alone(key: Key, after: RecordSet, wanted: Mapping[Key, RecordSet]) -> None:
    """Raise ConflictError if a CNAME would stand beside other data, or be one of two."""
    if not after.values:
        return
    name = values.shown(key.name)
    if key.type != "CNAME":
        cname = wanted.get(Key(key.name, "CNAME"), RecordSet((after.alias,) if after.alias else ()))
        if cname.values:
            raise ConflictError(
                f"{key.shown()}: {name} is a CNAME, to {cname.values[0]}, and beside one there may be no other record",
                "Remove the CNAME if it is not needed, or publish where it points to (RFC 1034, section 3.6.2).",
            )
        return
    if len(after.values) > 1:
        raise ConflictError(f"{key.shown()}: a name has one CNAME, not {len(after.values)}: {', '.join(after.values)}")
    beside = [one for one in after.beside if wanted.get(Key(key.name, one), RecordSet(("there",))).values]
    if beside:
        raise ConflictError(
            f"{key.shown()}: {name} has other records ({', '.join(beside)}), and a CNAME may not stand beside any",
            "Remove them if they are not needed, or choose another name (RFC 1034, section 3.6.2).",
        )
