# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wished of a record set (see records.Wish). Pure.

What already means the same is left as it is, byte for byte. A wish that nothing could fulfil raises ValidationError
when it is made; one that does not go with what is there, when it is planned. All errors name the record and the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dkim, dmarc, spf, tags, txt, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key

# Why there may be one only.
RULES = {"SPF": "RFC 7208, section 4.5", "DKIM": "RFC 6376, section 3.6.2.2", "DMARC": "RFC 7489, section 6.6.3"}

Read = TypeVar("Read")


@dataclass(frozen=True)
class ValuesWish:
    """These values are to be there, those not; with `exact`, the ones of `present` and no others.

    Values are given as values.wanted takes them. Neither of both, and not `exact`, changes nothing.
    """

    key: Key
    present: Sequence[str] = ()
    absent: Sequence[str] = ()
    exact: bool = False
    ttl: int | None = None

    def __post_init__(self) -> None:
        both = [value for value in self._read(self.present) if value in self._read(self.absent)]
        if both:
            raise ValidationError(f"{self.key.shown()}: {both[0]!r} is to be there and to be removed")
        if self.key.type == "TXT":
            for value in self._read(self.present):
                self._check_quotes(value)

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return the values that are to be there."""
        same = _same(self.key.type)
        present = list(dict.fromkeys(self._read(self.present)))
        # A value that means the same stands for the wanted one.
        found = {value: next((one for one in there if same(one) == same(value)), value) for value in present}
        absent = {same(value) for value in self._read(self.absent)}
        kept = [value for value in there if (value in found.values() if self.exact else same(value) not in absent)]
        added = [value for value in found.values() if value not in kept]
        if self.key.type == "TXT":
            self._check_alone(kept, added)
        return [*kept, *added]

    def _read(self, given: Sequence[str]) -> list[str]:
        try:
            return [values.wanted(self.key.type, value) for value in given]
        except ValueError as error:
            raise ValidationError(f"{self.key.shown()}: {error}") from None

    def _check_quotes(self, value: str) -> None:
        """Raise ValidationError if typographic quotation marks were pasted with a value, or into one for mail."""
        around = {*value[:1], *value[-1:]}
        if (
            around
            and around <= {*tags.SMART_QUOTES}
            or spf.looks_like(value)
            or dmarc.looks_like(value)
            or self._kind(value)
        ):
            try:
                tags.check_quotes(value)
            except ValueError as error:
                raise ValidationError(f"{self.key.shown()}: {value!r}: {error}") from None

    def _kind(self, value: str) -> str:
        """Return what a value is of which there may be one only at the name; empty for all others."""
        return txt.kind(value) or ("DKIM" if b"_domainkey" in self.key.name.labels and dkim.is_dkim(value) else "")

    def _check_alone(self, kept: Sequence[str], added: Sequence[str]) -> None:
        """Raise ConflictError if a second SPF or DMARC record or DKIM key would come: receivers then go by none."""
        for value in added:
            kind = self._kind(value)
            beside = [one for one in [*kept, *added] if one != value and kind and self._kind(one) == kind]
            if beside:
                raise ConflictError(
                    f"{self.key.shown()}: {value!r} would be a second {kind} record beside {beside[0]!r}, and "
                    f"there may be one only ({RULES[kind]})",
                    "Change that one with mail_dns, or have it removed.",
                )


@dataclass(frozen=True)
class AbsentWish:
    """No records at all: what there is is an error, and is not removed."""

    key: Key
    ttl: int | None = None

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return no values; ConflictError if there are any."""
        if there:
            raise ConflictError(
                f"{self.key.shown()}: there must be none, and there is {', '.join(there)}",
                "Remove it if mail is not to go there; mail_dns does with mx_remove: true (site.yml: "
                "mail_dns_mx_remove).",
            )
        return ()


@dataclass(frozen=True)
class SpfWish:
    """The one SPF record has these terms before its `all`, and lacks those (see spf.merge).

    Without terms and without `all_`, a name that has no record gets none.
    """

    key: Key
    terms: Sequence[str] = ()
    remove: Sequence[str] = ()
    all_: str | None = None
    ttl: int | None = None

    def __post_init__(self) -> None:
        _named(self.key, "SPF", lambda: spf.check(self.terms, self.remove, self.all_))

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return the values with the SPF record merged."""
        now = _only(self.key, "SPF", [value for value in there if spf.looks_like(value)])
        if not now and not self.terms and self.all_ is None:
            return there
        merged = _named(self.key, "SPF", lambda: spf.merge(now, self.terms, self.remove, self.all_), now)
        return _replaced(there, now, merged)


@dataclass(frozen=True)
class DkimWish:
    """The one DKIM key at a selector's name says what `value` says; one that was there before goes."""

    key: Key
    value: str
    ttl: int | None = None

    def __post_init__(self) -> None:
        if not _named(self.key, "DKIM", lambda: dkim.parse(self._wanted())).bits:
            # Often a variable that came out empty. It would take the place of the key that mail is signed by.
            raise ValidationError(
                f"{self.key.shown()}, DKIM: its key (p) is empty, which revokes it (RFC 6376, section 3.6.1)",
                "To revoke a key publish that with dns_record_set and state: exact.",
            )

    def _wanted(self) -> str:
        return values.wanted("TXT", self.value)

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return the values with this key."""
        keys = [value for value in there if dkim.is_dkim(value)]
        now = _only(self.key, "DKIM", keys)
        if now and txt.meaning(now) == txt.meaning(self._wanted()):
            return there
        return _replaced(there, now, self._wanted())


@dataclass(frozen=True)
class DmarcWish:
    """The one DMARC record has these tags; others that it has stay.

    A value is a text, a number, or for `rua` and `ruf` a list of mailto URIs. A new record needs `p`.
    """

    key: Key
    tags: Mapping[str, str | int | Sequence[str]] = field(default_factory=dict)
    ttl: int | None = None

    def __post_init__(self) -> None:
        _named(self.key, "DMARC", lambda: dmarc.given(self.tags))

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return the values with the DMARC record merged."""
        records = [value for value in there if dmarc.looks_like(value)]
        now = _only(self.key, "DMARC", records)
        return _replaced(there, now, _named(self.key, "DMARC", lambda: dmarc.merge(now, self.tags), now))


@dataclass(frozen=True)
class ReportWish:
    """Others may have their DMARC reports sent here. Any DMARC record says so, one that sends them elsewhere too.

    That is RFC 7489, section 7.1.
    """

    key: Key
    ttl: int | None = None

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return the values, with the plainest such record if there is none."""
        return there if any(map(dmarc.is_dmarc, there)) else [*there, dmarc.AUTHORISED]


def _same(record_type: str) -> Callable[[str], object]:
    return txt.meaning if record_type == "TXT" else lambda value: value


def _named(key: Key, kind: str, read: Callable[[], Read], value: str = "") -> Read:
    """Return what is read; a ValueError becomes a ValidationError that names the record."""
    try:
        return read()
    except ValueError as error:
        at = f"{key.shown()}, the {kind} record {value!r}" if value else f"{key.shown()}, {kind}"
        raise ValidationError(f"{at}: {error}") from None


def _only(key: Key, kind: str, found: Sequence[str]) -> str:
    """Return the only one, empty if there is none; ConflictError if there are more."""
    if len(found) > 1:
        raise ConflictError(
            f"{key.shown()}: there are {len(found)} {kind} records, and there may be one only ({RULES[kind]}): "
            f"{', '.join(repr(value) for value in found)}",
            "Which is right cannot be told from here: remove the others.",
        )
    return found[0] if found else ""


def _replaced(there: Sequence[str], now: str, then: str) -> list[str]:
    """Return the values with one in place of another; it is added where there was none."""
    return [then if value == now else value for value in there] if now else [*there, then]
