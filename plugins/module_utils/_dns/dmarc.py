# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DMARC records (RFC 7489, section 6.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._dns import tags, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.alignment import organizational

# From what asks for nothing to what asks for most.
POLICIES = ("none", "quarantine", "reject")
# What a name must have under which others have their reports sent (RFC 7489, 7.1).
AUTHORISED = "v=DMARC1"

URI = re.compile(r"mailto:[^\s,;!@]+@([^\s,;!@]+)(![0-9]+[kmgt]?)?", re.IGNORECASE)
ALIGNMENT = r"[rs]"
# What each tag may have; in this order they are written.
TAGS: dict[str, str] = {
    "p": "|".join(POLICIES),
    "sp": "|".join(POLICIES),
    "np": "|".join(POLICIES),
    "adkim": ALIGNMENT,
    "aspf": ALIGNMENT,
    "pct": r"0*([0-9]{1,2}|100)",
    "fo": r"[01ds](:[01ds])*",
    "rf": r"afrf",
    "ri": r"[0-9]{1,10}",
    "rua": "",
    "ruf": "",
}
OF_URIS = ("rua", "ruf")
OF_ALIGNMENT = ("adkim", "aspf")
DEFAULTS = {"adkim": "r", "aspf": "r", "pct": "100", "fo": "0", "rf": "afrf", "ri": "86400"}


def strength(policy: str) -> int:
    """Return a number that is the greater the more a policy asks for; ValueError if it is none."""
    return POLICIES.index(policy)


def is_dmarc(text: str) -> bool:
    """Whether receivers take a TXT value for a DMARC record (RFC 7489, 6.6.3); at a `_dmarc` name they look for it."""
    return bool(re.match(r"v\s*=\s*DMARC1\s*(;|$)", text))


def looks_like(text: str) -> bool:
    """Whether a TXT value is meant as a DMARC record, be it a right one or not."""
    return bool(re.match(rf"{tags.BEFORE}v\s*=\s*{tags.BEFORE}DMARC", text, re.IGNORECASE))


def parse(text: str, replaced: Collection[str] = ()) -> dict[str, str]:
    """Return the tags of a record in order, `v` among them; ValueError, naming the rule, if it is none.

    Tags that nobody knows are returned, as receivers ignore them. Those that are `replaced` may be wrong or missing.
    """
    found = tags.parse(text)
    if next(iter(found.items()), None) != ("v", "DMARC1"):
        raise ValueError("v=DMARC1 must be its first tag (RFC 7489, section 6.3)")
    if "p" not in found and "p" not in replaced:
        raise ValueError("it has no tag p, the policy (RFC 7489, section 6.3)")
    for name, value in found.items():
        if name not in replaced:
            _check(name, value)
    return found


def received(text: str) -> dict[str, str]:
    """Return the tags that receivers go by, which ignore what is wrong (RFC 7489, 6.3).

    A record with a wrong policy is one with `p=none` where its reports may go somewhere, and otherwise none (6.6.3):
    ValueError, naming the rule.
    """
    try:
        return parse(text)
    except ValueError as error:
        mistake = error
    given: dict[str, str] = {}
    for spec in text.split(";"):
        name, _equals, value = spec.partition("=")
        given.setdefault(name.strip(), value.strip())
    found = {name: value for name, value in given.items() if name in TAGS and _is_right(name, value)}
    if "p" in found and ("sp" in found or "sp" not in given):
        return found
    if any(URI.fullmatch(uri) for uri in _uris(given.get("rua", ""))):
        return {**found, "p": "none", "sp": "none"}
    raise mistake


def given(wished: Mapping[str, str | int | Sequence[str]]) -> dict[str, str]:
    """Return tags as records have them, several URIs from a list.

    ValueError, naming the rule, for an unknown tag or a wrong value.
    """
    texts = {}
    for name, value in wished.items():
        if name not in TAGS:
            raise ValueError(f"there is no tag {name} in DMARC; there are {', '.join(TAGS)}")
        texts[name] = str(value).strip() if isinstance(value, str | int) else ",".join(one.strip() for one in value)
        if not texts[name]:
            raise ValueError(f"the tag {name} is empty")
        tags.check_quotes(texts[name])
        _check(name, texts[name])
        if not texts[name].isascii():
            raise ValueError(
                f"{name}={texts[name]} is not ASCII; of a domain write its xn-- form (RFC 7489, section 6.4)"
            )
    return texts


def merge(text: str, wished: Mapping[str, str | int | Sequence[str]]) -> str:
    """Return a record with the wished tags; others, and what already means the same, stay as they are.

    An empty text is no record yet. ValueError as `parse` and `given`.
    """
    texts = given(wished)
    if not text:
        if "p" not in texts:
            raise ValueError("a new record needs the tag p, the policy (RFC 7489, section 6.3)")
        ordered = {name: texts[name] for name in TAGS if name in texts}
        return _written({"v": "DMARC1", **ordered})
    there = parse(text, texts)
    different = {
        name: value
        for name, value in texts.items()
        if not _is_right(name, there.get(name, value)) or _tag(name, there.get(name)) != _tag(name, value)
    }
    # The policy comes second (RFC 7489, 6.4).
    first = {name: {**there, **different}[name] for name in ("v", "p")}
    return _written({**first, **there, **different}) if different else text


def meaning(text: str) -> Any:
    """Return what is equal for records that mean the same; ValueError as `parse`.

    The leave for others' reports is a record as well, though it has no policy.
    """
    if tags.parse(text) == {"v": "DMARC1"}:
        return AUTHORISED
    found = parse(text)
    return frozenset((name, _tag(name, found.get(name))) for name in {*found, *DEFAULTS})


def hosts(value: str) -> list[str]:
    """Return the domains of the addresses in a value of `rua` or `ruf`; ValueError if one is no mailto URI."""
    return list(dict.fromkeys(_host(uri) for uri in _uris(value)))


def external(domain: str, reported_to: Iterable[str]) -> dict[str, str]:
    """Return the names that must have a TXT record `v=DMARC1`, so that the reports of a domain may go elsewhere.

    `reported_to` are values of `rua` and `ruf`; the result has a name for each domain that is of another organisation
    (RFC 7489, 7.1). ValueError if one is no mailto URI.
    """
    own = values.shown(values.name(domain))
    found = dict.fromkeys(host for value in reported_to for host in hosts(value))
    return {host: f"{own}._report._dmarc.{host}" for host in found if organizational(host) != organizational(own)}


def _check(name: str, value: str) -> None:
    if name in OF_URIS:
        hosts(value)
    elif name in TAGS and not re.fullmatch(TAGS[name], value, re.IGNORECASE):
        raise ValueError(f"{name}={value} is no value of this tag (RFC 7489, section 6.3)")


def _is_right(name: str, value: str) -> bool:
    try:
        _check(name, value)
    except ValueError:
        return False
    return True


def _uris(value: str) -> list[str]:
    return [uri.strip() for uri in value.split(",")]


def _host(uri: str) -> str:
    found = URI.fullmatch(uri)
    if not found:
        raise ValueError(f"{uri!r} is no mailto:address (RFC 7489, section 6.2)")
    return values.shown(values.name(found[1]))


def _tag(name: str, value: str | None) -> Any:
    """Return what is equal for values of a tag that mean the same."""
    value = DEFAULTS.get(name) if value is None else value
    if value is None:
        return None
    if name in OF_URIS:
        return frozenset(uri.lower() for uri in _uris(value))
    if name == "fo":
        return frozenset(value.lower().split(":"))
    return int(value) if name in ("pct", "ri") else value.lower() if name in TAGS else value


def _written(found: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in found.items())
