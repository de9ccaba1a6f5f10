# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of DNS, what each server said, and what that amounts to. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dkim, txt, values

# Told by values if it is not there.
with contextlib.suppress(ImportError):
    import dns.name


@dataclass(frozen=True)
class Query:
    """A record: its name, its type, and the values that it is to have, in canonical form.

    Without values there is to be none; None asks what there is.
    """

    name: dns.name.Name
    type: str
    values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Server:
    """An authoritative server at one of its addresses; without one if it has none."""

    name: str
    address: str | None


@dataclass(frozen=True)
class Reply:
    """What one server said: `kind` is that of the content or of the trouble, `ttl` that of the content."""

    server: Server
    kind: str
    values: tuple[str, ...] = ()
    detail: str = ""
    ttl: int | None = None

    @property
    def usable(self) -> bool:
        """Whether it says something of the record."""
        return self.kind in ("found", "nodata", "nxdomain", "cname")

    def shown(self) -> dict[str, Any]:
        """Return it as results have it."""
        return {
            "name": self.server.name,
            "address": self.server.address,
            "answer": self.kind,
            "values": list(self.values),
            "ttl": self.ttl,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Cached:
    """What a resolver has in its cache: `status` as a finding's, no `detail` if it is what the zone's servers have."""

    reply: Reply
    status: str
    detail: str

    @property
    def stale(self) -> bool:
        """Whether it keeps something else than the zone's servers have."""
        return self.reply.usable and bool(self.detail)

    def shown(self) -> dict[str, Any]:
        """Return it as results have it."""
        return {
            "address": self.reply.server.address,
            "answer": self.reply.kind,
            "values": list(self.reply.values),
            "ttl": self.reply.ttl,
            "status": self.status,
            "detail": self.detail,
        }


@dataclass
class Finding:
    """What came of a query.

    `status` is `present`, `extra`, `different` or `missing` (see values.compare; without wanted values `present` or
    `missing`; where none are to be there `absent` or `extra`), or, where no server told, `servfail` or `unreachable`.
    `problems` are the servers', whatever the status; `hints` say what mistake may be behind it.
    """

    query: Query
    status: str
    detail: str
    zone: str = ""
    found: tuple[str, ...] = ()
    replies: list[Reply] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    caches: list[Cached] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def told(self) -> list[Reply]:
        """Return what servers said that say something of the record."""
        return [reply for reply in self.replies if reply.usable]

    @property
    def right(self) -> bool:
        """Whether the zone's servers have what is wanted or, where nothing is, agree."""
        if self.query.values is not None:
            return self.status in ("present", "absent")
        return len({(reply.kind in ("found", "cname"), reply.values) for reply in self.told}) == 1

    @property
    def settled(self) -> bool:
        """Whether nothing needs to be waited for: not at the zone's servers, nor in the caches that were asked."""
        return self.right and not any(cached.detail for cached in self.caches)

    @property
    def ttl(self) -> int | None:
        """Return for how many seconds at most a cache keeps what the servers say now; None if none says so."""
        return max((reply.ttl for reply in self.told if reply.ttl is not None), default=None)

    @property
    def stale_for(self) -> int:
        """Return for how many seconds at most the caches that were asked keep something else."""
        return max((cached.reply.ttl or 0 for cached in self.caches if cached.stale), default=0)

    def shown(self) -> dict[str, Any]:
        """Return it as results have it."""
        return {
            "name": values.shown(self.query.name),
            "type": self.query.type,
            "wanted": None if self.query.values is None else list(self.query.values),
            "found": list(self.found),
            "status": self.status,
            "detail": self.detail,
            "zone": self.zone,
            "servers": [reply.shown() for reply in self.replies],
            "problems": self.problems,
            "hints": self.hints,
            "ttl": self.ttl,
            "caches": [cached.shown() for cached in self.caches],
            "stale_for": self.stale_for,
        }


def query(name: str, record_type: str, wished: Iterable[str] | None = None) -> Query:
    """Return a query in canonical form; ValidationError if name or values cannot be."""
    try:
        wanted = None if wished is None else tuple(sorted({values.wanted(record_type, value) for value in wished}))
        return Query(values.name(name), record_type, wanted)
    except ValueError as error:
        raise ValidationError(f"record {name} {record_type}: {error}") from None


def judged(one: Query, zone: dns.name.Name, replies: Sequence[Reply]) -> Finding:
    """Return what the servers' answers amount to. What no server told is never taken for missing."""
    heard = _with_a_way(replies)
    finding = Finding(one, "", "", values.shown(zone), replies=list(heard))
    usable = finding.told
    finding.problems = [f"{_who(reply)}: {reply.detail}" for reply in heard if not reply.usable]
    if not usable:
        answered = any(reply.kind in ("servfail", "lame") for reply in heard)
        finding.status = "servfail" if answered else "unreachable"
        finding.detail = f"no server of {values.shown(zone)} told: {'; '.join(finding.problems)}"
        return finding
    finding.found = tuple(sorted({value for reply in usable if reply.kind == "found" for value in reply.values}))
    verdicts = [_verdict(one, reply) for reply in usable]
    finding.status, finding.detail = verdicts[0]
    if len({(reply.kind, reply.values) for reply in usable}) > 1:
        statuses = {status for status, _detail in verdicts}
        # Without wanted values any two are a difference.
        if len(statuses) > 1 or (one.values is None and statuses == {"present"}):
            finding.status, finding.detail = "different", "the servers disagree"
        each = "; ".join(f"{_who(reply)}: {_had(one, reply)}" for reply in usable)
        finding.problems.append(f"the servers disagree: {each}")
    return finding


def cached(finding: Finding, reply: Reply) -> Cached:
    """Return what a resolver's answer amounts to, beside what the zone's servers say, which are right."""
    if not reply.usable:
        answered = reply.kind in ("servfail", "lame")
        return Cached(reply, "servfail" if answered else "unreachable", reply.detail)
    same = any((told.kind, told.values) == (reply.kind, reply.values) for told in finding.told)
    if same or (finding.query.values is not None and _verdict(finding.query, reply)[0] == finding.status):
        return Cached(reply, finding.status, "")
    left = "" if reply.ttl is None else f", for {reply.ttl} s at most"
    return Cached(reply, "different", f"it keeps {_had(finding.query, reply)}{left}")


def _verdict(one: Query, reply: Reply) -> tuple[str, str]:
    if reply.kind == "cname":
        return "different", f"a CNAME is there, to {reply.values[0]}"
    if reply.kind != "found":
        nodata = f"the name has no {one.type} record (NODATA)"
        none = "there is no such name (NXDOMAIN)" if reply.kind == "nxdomain" else nodata
        return ("absent", "") if one.values == () else ("missing", none)
    if one.values is None:
        return "present", ""
    if not one.values:
        return "extra", f"there is to be none; there is {', '.join(repr(value) for value in reply.values)}"
    there = [_as_wanted(one, value) for value in reply.values]
    return values.compare(one.name, one.type, one.values, there)


def _as_wanted(one: Query, value: str) -> str:
    """Return a value as it is wanted if it means the same, such as the tags of a DKIM key in another order."""
    if one.type != "TXT" or dkim.IMPORT_ERROR is not None:
        return value
    meant = txt.meaning(value)
    return next((wished for wished in one.values or () if txt.meaning(wished) == meant), value)


def _with_a_way(replies: Sequence[Reply]) -> list[Reply]:
    """Return the replies without addresses of a kind that this machine has not (IPv6), if the server has another."""
    reached = {reply.server.name for reply in replies if reply.kind != "unrouted"}
    return [reply for reply in replies if reply.kind != "unrouted" or reply.server.name not in reached]


def _who(reply: Reply) -> str:
    return f"{reply.server.name} ({reply.server.address or 'no address'})"


def _had(one: Query, reply: Reply) -> str:
    if reply.kind == "found":
        return ", ".join(repr(value) for value in reply.values)
    return _verdict(one, reply)[1] or "nothing"
