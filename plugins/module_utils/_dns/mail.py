# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail records of domains, as the module mail_dns takes them, as wishes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dkim, dmarc, spf, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import LONGEST_TTL, TYPES, Key, Wish
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wishes import (
    AbsentWish,
    DkimWish,
    DmarcWish,
    ReportWish,
    SpfWish,
    ValuesWish,
)

SPF = {
    "terms": {"type": "list", "elements": "str", "default": []},
    "remove": {"type": "list", "elements": "str", "default": []},
    "all": {"type": "str", "choices": ["-all", "~all", "?all"]},
}
KEY = {
    "name": {"type": "str", "required": True, "no_log": False},
    "type": {"type": "str", "choices": ["TXT", "CNAME"], "required": True},
    "value": {"type": "str", "required": True},
}
POLICY = {"type": "str", "choices": ["none", "quarantine", "reject"]}
ALIGNMENT = {"type": "str", "choices": ["r", "s"]}
DMARC = {
    "p": POLICY,
    "sp": POLICY,
    "np": POLICY,
    "adkim": ALIGNMENT,
    "aspf": ALIGNMENT,
    "pct": {"type": "int"},
    "fo": {"type": "str"},
    "rf": {"type": "str"},
    "ri": {"type": "int"},
    "rua": {"type": "list", "elements": "str"},
    "ruf": {"type": "list", "elements": "str"},
}
RECORD = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": list(TYPES), "required": True},
    "values": {"type": "list", "elements": "str", "required": True},
    "ttl": {"type": "int"},
    "valid": {"type": "bool"},
    # The last three are a provider's, which say how it sees the record.
    "state": {"type": "str", "choices": ["present", "absent", "valid", "unknown", "invalid"], "default": "present"},
}
DOMAIN = {
    "domain": {"type": "str", "required": True},
    "zone": {"type": "str"},
    "spf": {"type": "dict", "options": SPF},
    "dkim": {"type": "list", "elements": "dict", "options": KEY, "default": [], "no_log": False},
    "dmarc": {"type": "dict", "options": DMARC},
    "mx": {"type": "list", "elements": "str"},
    "mx_remove": {"type": "bool", "default": False},
    "records": {"type": "list", "elements": "dict", "options": RECORD, "default": []},
    "ttl": {"type": "int"},
}


def filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a domain with all of the options DOMAIN, as modules have them; those that are not given are empty."""
    options: dict[str, Any] = ArgumentSpecValidator(DOMAIN).validate(given).validated_parameters
    return options


def check(wishes: Sequence[Wish]) -> None:
    """Raise ValidationError where two wishes that cannot stand beside each other are for one record set."""
    whole: dict[Key, Wish] = {}
    for wish in wishes:
        if isinstance(wish, AbsentWish | DkimWish | MxWish) or (isinstance(wish, ValuesWish) and wish.exact):
            other = whole.setdefault(wish.key, wish)
            if other != wish:
                raise ValidationError(f"{wish.key.shown()} is wanted twice, with {_told(other)} and with {_told(wish)}")


def _told(wish: Wish) -> str:
    if isinstance(wish, DkimWish):
        return wish.value
    named = wish.present if isinstance(wish, ValuesWish) else wish.wanted if isinstance(wish, MxWish) else ()
    return ", ".join(named) or "nothing"


def of_domain(given: Mapping[str, Any], zone: str | None = None) -> list[Wish]:
    """Return what is wished for a domain; `zone` is that of the connection. Raises ValidationError.

    `given` has the options DOMAIN, each with a value.
    """
    name, ttl = given["domain"], _ttl(f"domain {given['domain']}", given["ttl"])
    if given["zone"] and zone and _name(given["zone"]) != _name(zone):
        raise ValidationError(f"domain {name}: its zone is {given['zone']}, and this task changes {zone}")
    wishes: list[Wish] = []
    if given["spf"] is not None:
        asked = given["spf"]
        wishes.append(SpfWish(_key(name, "TXT"), asked["terms"], asked["remove"], asked["all"], ttl))
    wishes += [_signing(one["name"], one["type"], one["value"], ttl) for one in given["dkim"]]
    if given["dmarc"] is not None:
        tags = {tag: value for tag, value in given["dmarc"].items() if value is not None}
        wishes.append(DmarcWish(_key(f"_dmarc.{name}", "TXT"), tags, ttl))
    if given["mx"] is not None:
        wishes.append(_mx(_key(name, "MX"), given["mx"], given["mx_remove"], ttl))
    for record in given["records"]:
        wishes += _record(record, ttl)
    return wishes


@dataclass(frozen=True)
class MxWish:
    """These MX records and no others. Hosts that are not named are never removed: whoever named them gets mail there.

    Another preference of a host that is named is changed.
    """

    key: Key
    wanted: Sequence[str]
    ttl: int | None = None

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return the wanted values; ConflictError naming other hosts that are there."""
        hosts = {value.split()[1] for value in self.wanted}
        others = [value for value in there if value.split()[1] not in hosts]
        if others:
            raise ConflictError(
                f"{self.key.shown()}: there is {', '.join(others)}, which is not to be there; mail would go there too",
                "Name it in mx if it is right. If it is to go, say mx_remove: true (site.yml: mail_dns_mx_remove).",
            )
        return self.wanted


def _mx(key: Key, given: Sequence[str], remove: bool, ttl: int | None) -> Wish:
    wanted = list(dict.fromkeys(_mail_server(key, value) for value in given))
    if remove:
        return ValuesWish(key, present=wanted, exact=True, ttl=ttl)
    return MxWish(key, wanted, ttl) if wanted else AbsentWish(key)


def _mail_server(key: Key, text: str) -> str:
    try:
        return values.mail_server(text)
    except ValueError as error:
        raise ValidationError(f"{key.shown()}: {error}") from None


def _record(given: Mapping[str, Any], ttl: int | None) -> Iterator[Wish]:
    """Yield the wishes for a further record, which may be SPF or a key as a provider tells it."""
    key = _key(given["name"], given["type"])
    ttl = _ttl(key.shown(), given["ttl"]) or ttl
    if not given["values"]:
        raise ValidationError(f"{key.shown()}: values is empty", "mx: [] says that a domain has no MX.")
    if given["state"] == "absent":
        yield ValuesWish(key, absent=given["values"])
    elif key.type == "MX":
        yield _mx(key, given["values"], False, ttl)
    elif key.type == "CNAME":
        # There can be one only: it is no value beside others.
        yield ValuesWish(key, present=given["values"], exact=True, ttl=ttl)
    elif key.type == "TXT" and _is_of_reports(key) and given["values"] == [dmarc.AUTHORISED]:
        yield ReportWish(key, ttl)
    else:
        plain = [value for value in given["values"] if key.type != "TXT" or not _of_mail(key, value)]
        if plain:
            yield ValuesWish(key, present=plain, ttl=ttl)
        for value in (value for value in given["values"] if value not in plain):
            yield _spf(key, value, ttl) if spf.looks_like(value) else DkimWish(key, value, ttl)


def _of_mail(key: Key, value: str) -> bool:
    """Whether a text is one that a name can have only once, and that is merged or replaced."""
    return spf.looks_like(value) or (_is_selector(key) and dkim.is_dkim(value))


def _spf(key: Key, text: str, ttl: int | None) -> SpfWish:
    """Return the wish that the mechanisms of a record are in that of the name; what it ends with is the owner's."""
    try:
        terms = [term.text for term in spf.parse(text) if term.name != "all"]
    except ValueError as error:
        raise ValidationError(f"{key.shown()}, the SPF record {text!r}: {error}") from None
    return SpfWish(key, terms, ttl=ttl)


def _signing(name: str, record_type: str, value: str, ttl: int | None) -> Wish:
    """Return the wish for a key, or for the alias of one that a provider has."""
    key = _key(name, record_type)
    if not _is_selector(key):
        raise ValidationError(
            f"{key.shown()}: it is no name of a DKIM key, which are <selector>._domainkey.<domain> (RFC 6376, 3.6.2.1)"
        )
    if record_type == "CNAME":
        return ValuesWish(key, present=[value], exact=True, ttl=ttl)
    return DkimWish(key, value, ttl)


def _is_selector(key: Key) -> bool:
    return b"_domainkey" in key.name.labels[1:]


def _is_of_reports(key: Key) -> bool:
    """Whether a name is one with which a domain takes another's DMARC reports (`<other>._report._dmarc.<domain>`)."""
    labels = key.name.labels
    return (b"_report", b"_dmarc") in zip(labels, labels[1:], strict=False)


def _ttl(place: str, ttl: int | None) -> int | None:
    if ttl is not None and not 1 <= ttl <= LONGEST_TTL:
        raise ValidationError(f"{place}: ttl is {ttl}", f"It must be from 1 to {LONGEST_TTL} seconds.")
    return ttl


def _key(name: str, record_type: str) -> Key:
    return Key(_name(name), record_type)


def _name(text: str) -> Any:
    try:
        return values.name(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None
