# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dynamic updates (RFC 2136): record by record, and only if what was read is still there.

A zone is never transferred: each record set is asked for at its primary server, in signed questions, so that a server
with several views shows the one that the key changes. Every update has prerequisites for all that it is based on, so a
value that somebody else wrote in between is never lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    MailopsError,
    NotFoundError,
    ProtocolError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns import txt, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends.reading import Reading
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends.tsig import ALGORITHMS, Primary, key
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Change, Key, Raced, RecordSet

try:
    import dns.exception
    import dns.name
    import dns.rcode
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.rdtypes.ANY.TXT
    import dns.update
except ImportError:
    # Told by values.
    pass

__all__ = ["ALGORITHMS", "Primary", "Rfc2136", "key"]

# Bytes of records in one update, of the 65,535 that a message may have.
BATCH = 40_000
# Class, type, TTL, length and what a name takes that is not compressed, in bytes.
OVERHEAD = 32


class Rfc2136:
    """Zones at their primary server. All names must be in `zone`; without one each name's own is found."""

    def __init__(self, primary: Primary, zone: dns.name.Name | None = None) -> None:
        self._primary = primary
        self._zone = zone
        # The records as they came: what is not touched is named in prerequisites as it is.
        self._there: dict[Key, tuple[dns.rdata.Rdata, ...]] = {}

    def read(self, keys: Sequence[Key]) -> dict[Key, RecordSet]:
        """Return what is there for each key (see records.Backend)."""
        reading = Reading(self._primary, self._zone)
        found = reading.record_sets(list(dict.fromkeys(keys)))
        self._there.update({one: reading.rdatas(one) for one in found})
        return found

    def check(self, changes: Sequence[Change]) -> None:
        """Raise ValidationError if what must be done together does not fit into one update."""
        for zone, batch in self._batches(changes):
            try:
                self._primary.signed([self._update(zone, batch)])
            # The latter of one record that would be longer than any can be.
            except (dns.exception.TooBig, dns.exception.FormError):
                raise ValidationError(f"{_listed(batch)}: too much for one update (64 KiB)") from None

    def apply(self, changes: Sequence[Change]) -> Iterator[Change]:
        """Carry out changes that were planned from what `read` returned; each batch is done wholly or not at all."""
        for zone, batch in self._batches(changes):
            update = self._update(zone, batch)
            try:
                (answer,) = self._primary.exchange([update])
                self._judge(answer.rcode(), zone, batch)
            except TemporaryError:
                # It may have been carried out all the same.
                if not self._is_done(batch):
                    raise
            yield from batch

    def _batches(self, changes: Sequence[Change]) -> Iterator[tuple[dns.name.Name, list[Change]]]:
        """Yield what can be done by one update: of one zone, and all changes of a name together."""
        zones: dict[dns.name.Name, dict[dns.name.Name, list[Change]]] = {}
        for change in changes:
            zones.setdefault(change.before.zone, {}).setdefault(change.key.name, []).append(change)
        for zone, names in zones.items():
            batch: list[Change] = []
            size = 0
            for ours in names.values():
                bytes_more = sum(self._size(change) for change in ours)
                if batch and size + bytes_more > BATCH:
                    yield zone, batch
                    batch, size = [], 0
                batch = batch + ours
                size += bytes_more
            yield zone, batch

    def _size(self, change: Change) -> int:
        """Return about how many bytes a change takes: its records in the prerequisite, those that go and that come."""
        there = [len(rdata.to_text()) for rdata in self._there[change.key]]
        lengths = [*there, *there, *(len(value.encode()) for value in change.after.values)]
        each = OVERHEAD + len(change.key.name.to_text())
        return 2 * each + sum(each + length for length in lengths)

    def _update(self, zone: dns.name.Name, batch: Sequence[Change]) -> dns.update.UpdateMessage:
        update = dns.update.UpdateMessage(zone)
        names: dict[dns.name.Name, list[Change]] = {}
        for change in batch:
            names.setdefault(change.key.name, []).append(change)
        for name, changes in names.items():
            self._require(update, name, changes)
            # What goes goes first: a server ignores a CNAME beside other data, and other data beside a CNAME.
            for change in sorted(changes, key=lambda change: bool(change.after.values)):
                self._change(update, change)
        return update

    def _require(self, update: dns.update.UpdateMessage, name: dns.name.Name, changes: Sequence[Change]) -> None:
        """Add the prerequisites of the changes of a name (RFC 2136, 2.4)."""
        types = [change.key.type for change in changes]
        for change in changes:
            there = self._there[change.key]
            if there:
                # With the TTL 0; another one is a format error.
                update.present(name, *there)
            elif types == ["CNAME"]:
                update.absent(name)
            else:
                update.absent(name, change.key.type)
        if any(change.after.values for change in changes if change.key.type == "CNAME"):
            # Beside other data it is ignored, and what is to make way for it would be gone.
            for other in (one for one in values.TYPES if one not in types):
                update.absent(name, other)
        elif "CNAME" not in types and any(change.after.values for change in changes):
            update.absent(name, "CNAME")

    def _change(self, update: dns.update.UpdateMessage, change: Change) -> None:
        name, after = change.key.name, change.after
        kept = []
        for rdata in self._there[change.key]:
            if values.found(rdata) in after.values:
                kept.append(rdata)
            else:
                update.delete(name, rdata)
        if kept and after.ttl != change.before.ttl:
            update.add(name, after.ttl, *kept)
        for value in change.added:
            update.add(name, after.ttl, _rdata(change.key.type, value))

    def _is_done(self, batch: Sequence[Change]) -> bool:
        """Whether everything is as the changes want it; false if that cannot be seen."""
        try:
            there = self.read([change.key for change in batch])
        except MailopsError:
            return False
        return all(
            (there[change.key].values, there[change.key].ttl) == (change.after.values, change.after.ttl)
            for change in batch
        )

    def _judge(self, code: int, zone: dns.name.Name, batch: Sequence[Change]) -> None:
        """Raise what an answer other than yes means (RFC 2136, 2.2 and 3.8)."""
        if code == dns.rcode.NOERROR:
            return
        if code in (dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN):
            raise Raced
        at, name, of = self._primary.shown, self._primary.key_name, values.shown(zone)
        told = dns.rcode.to_text(dns.rcode.Rcode(code))
        if code == dns.rcode.REFUSED:
            raise AuthenticationError(
                f"{at} does not let the key {name} change {_listed(batch)} in the zone {of} ({told})",
                "Its log says why. BIND allows changes by allow-update or update-policy, at the zone's primary alone, "
                "and refuses an MX whose host has no address in its zone (check-integrity).",
            )
        if code in (dns.rcode.NOTAUTH, dns.rcode.NOTZONE):
            raise NotFoundError(
                f"{at} has no authority to change {_listed(batch)} in the zone {of} ({told})",
                "Check zone, and that server is its primary.",
            )
        if code == dns.rcode.SERVFAIL:
            raise TemporaryError(
                f"{at} could not change {_listed(batch)} in the zone {of} ({told})",
                "Its log says why; often it may not write the zone's journal.",
            )
        remedy = "It takes no dynamic updates (RFC 2136)." if code == dns.rcode.NOTIMP else "Its log may say why."
        raise ProtocolError(f"{at} did not change {_listed(batch)} in the zone {of} ({told})", remedy)


def _rdata(record_type: str, value: str) -> dns.rdata.Rdata:
    """Return a value in canonical form as a record."""
    if record_type == "TXT":
        return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, txt.parts(value))
    return dns.rdata.from_text("IN", record_type, value, dns.name.root, relativize=False)


def _listed(batch: Iterable[Change]) -> str:
    names = [change.key.shown() for change in batch]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
