# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses that Odoo's databases take mail for: their lists, checked and merged. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

FORMER = "former"
KINDS = frozenset({"alias", "catchall", "bounce", "default_from", FORMER})

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
# What can stand in a Postfix map and in an envelope: RFC 5321's dot-string and sub-domains.
# Odoo knows no quoted local part, and a map's line with "#" in front is a comment.
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_USABLE = re.compile(rf"(?!#)({_ATOM}(?:\.{_ATOM})*)@({_LABEL}(?:\.{_LABEL})*)")


class MalformedList(Exception):
    """A list of addresses is not what the addon's interface promises."""


@dataclass(frozen=True)
class AliasList:
    """The addresses of one database, sorted, as of the answer with `etag`.

    `left_out` are those that no mail can be taken for, because Postfix could not look them up.
    `former` has the addresses that were renamed, each with the one of `addresses` that it is now.
    """

    database: str
    addresses: tuple[str, ...]
    etag: str
    left_out: tuple[str, ...] = ()
    former: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Names this very set of addresses, whatever the server's ETag."""
        return hashlib.sha256("\n".join(self.addresses).encode()).hexdigest()


@dataclass(frozen=True)
class Recipient:
    """A known address and the configured name of the database that it belongs to."""

    address: str
    database: str


@dataclass(frozen=True)
class Conflict:
    """An address that a second database claims: it stays with the first."""

    address: str
    kept: str
    refused: str

    def __str__(self) -> str:
        return f"{self.address} is claimed by {self.kept} and {self.refused}: {self.kept} keeps it"


def parse_alias_list(document: object, database: str | None, etag: str) -> AliasList:
    """The list in a parsed answer of ``GET /mail_delivery/aliases``.

    One bad entry makes the whole list MalformedList: a list that is wrong in one place is not
    trusted in another. `database` is the one asked for, and must be the one that answered; None
    where the host name alone says which one it is.
    """
    if not isinstance(document, dict) or document.get("version") != 1:
        raise MalformedList("not version 1 of the interface")
    answered = document.get("database")
    if not isinstance(answered, str) or answered != (database or answered):
        raise MalformedList(f"of database {answered!r:.100}, not {database!r}")
    entries = document.get("addresses")
    if not isinstance(entries, list):
        raise MalformedList("addresses is not a list")
    addresses = [_address(entry) for entry in entries]
    if len(set(addresses)) != len(addresses):
        raise MalformedList("an address is there twice")
    left_out = tuple(sorted(address for address in addresses if not _is_usable(address)))
    rewrites = {
        entry["address"]: entry.get("rewrite") for entry in entries if entry["kind"] == FORMER
    }
    present = set(addresses).difference(rewrites)
    for rewrite in rewrites.values():
        if not isinstance(rewrite, str) or rewrite not in present:
            raise MalformedList(f"a former address is none of the others now: {rewrite!r:.100}")
    usable = present.difference(left_out)
    former = {
        old: new for old, new in sorted(rewrites.items()) if _is_usable(old) and new in usable
    }
    return AliasList(answered, _copied(sorted(usable)), etag, left_out, former)


def _copied(addresses: Sequence[str]) -> tuple[str, ...]:
    """The same addresses in memory of their own. The parsed answer's lie scattered among its other
    objects and would keep all of its memory in use: three times what the addresses need."""
    return tuple("\n".join(addresses).split("\n")) if addresses else ()


def _address(entry: object) -> str:
    if not isinstance(entry, dict) or entry.get("kind") not in KINDS:
        raise MalformedList(f"an entry of unknown kind: {entry!r:.100}")
    address = entry.get("address")
    if (
        not isinstance(address, str)
        or not address.isprintable()
        or not _ADDRESS.fullmatch(address)
        or address != address.lower()
    ):
        raise MalformedList(f"not a lower-case address: {address!r:.100}")
    return address


def _is_usable(address: str) -> bool:
    match = _USABLE.fullmatch(address)
    return match is not None and len(match[1]) <= 64 and len(address) <= 254


def shrinks_too_much(current: AliasList | None, new: AliasList, limit: int) -> bool:
    """Whether `new` has fewer addresses than `current` by more than `limit` percent: more likely
    an accident. Which ones they are, and former ones, do not count."""
    if current is None:
        return False
    return 100 * len(new.addresses) < (100 - limit) * len(current.addresses)


def merge(lists: Iterable[tuple[str, AliasList]]) -> tuple[dict[str, str], list[Conflict]]:
    """Address → name of its database, from (name, list) in the order of configuration; what is
    in use in one database comes before what was in another."""
    lists = list(lists)
    claims = [(address, name) for name, one in lists for address in one.addresses]
    claims += [(address, name) for name, one in lists for address in one.former]
    owners: dict[str, str] = {}
    conflicts = []
    for address, name in claims:
        owner = owners.setdefault(address, name)
        if owner != name:
            conflicts.append(Conflict(address, owner, name))
    return owners, conflicts


def rewrites(lists: Iterable[tuple[str, AliasList]], owners: Mapping[str, str]) -> dict[str, str]:
    """Former address → present one, for those that `merge` gave to their own database."""
    return {
        old: new
        for name, one in lists
        for old, new in one.former.items()
        if owners.get(old) == name
    }


class Directory:
    """What is known now. `complete` is false while some database never gave a list: until then
    an unknown address may be that database's."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._lists: dict[str, AliasList] = {}
        self._owners: dict[str, str] = {}
        self._rewrites: dict[str, str] = {}

    @property
    def complete(self) -> bool:
        return all(name in self._lists for name in self._names)

    @property
    def owners(self) -> Mapping[str, str]:
        return self._owners

    @property
    def rewrites(self) -> Mapping[str, str]:
        return self._rewrites

    def list_of(self, name: str) -> AliasList | None:
        return self._lists.get(name)

    def update(self, name: str, alias_list: AliasList) -> list[Conflict]:
        """Takes a database's list; returns the addresses that two databases claim."""
        self._lists[name] = alias_list
        lists = [(name, self._lists[name]) for name in self._names if name in self._lists]
        self._owners, conflicts = merge(lists)
        self._rewrites = rewrites(lists, self._owners)
        return conflicts

    def lookup(self, address: str) -> Recipient | None:
        """The recipient that `address` means; ``sales+x@d`` is ``sales@d``, as Odoo has no
        plus-addresses (RFC 5233), and a former address is what it is now."""
        address = address.lower()
        owner = self._owners.get(address)
        if owner is None and "+" in address:
            local, _at, domain = address.rpartition("@")
            address = f"{local.partition('+')[0]}@{domain}"
            owner = self._owners.get(address)
        return None if owner is None else Recipient(self._rewrites.get(address, address), owner)
