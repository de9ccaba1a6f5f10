# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF records (RFC 7208): read, merged, and what they cost a receiver. Pure but for the look-ups that are handed in."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, cast

from ansible_collections.mailops.odoo.plugins.module_utils._dns import tags

# Terms that make a receiver ask, and answers with nothing; with more of either it gives up (RFC 7208, 4.6.4).
MOST_LOOKUPS = 10
MOST_VOID = 2
# What a new record ends with: who is not named is suspicious.
DEFAULT_ALL = "~all"

# Returns the values that a name has of a type, none if there are none; aliases are followed. MailopsError if it is not
# known.
Resolve = Callable[[str, str], Sequence[str]]

TERM = re.compile(r"(?P<qualifier>[-+~?]?)(?P<name>[a-z][a-z0-9_.-]*)(?P<rest>[:/].*)?", re.IGNORECASE)
MODIFIER = re.compile(r"(?P<name>[a-z][a-z0-9_.-]*)=(?P<value>.*)", re.IGNORECASE)
MACRO = re.compile(r"%(?:[%_-]|\{[slodiphcrtv][0-9]*r?[-.+,/_=]*\})", re.IGNORECASE)
PREFIXES = re.compile(r"(?:/(?P<four>0|[1-9][0-9]*))?(?://(?P<six>0|[1-9][0-9]*))?")
# Of a domain only the last label has a form of its own: it is no number.
LAST_LABEL = re.compile(r"(?=.*[a-z-])[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.IGNORECASE)

OF_A_DOMAIN = ("include", "exists", "a", "mx", "ptr")
NEED_A_DOMAIN = ("include", "exists")
EVERYBODY = ("0.0.0.0/0", "::/0")
DOMAIN_MODIFIERS = ("redirect", "exp")
# A record that is read to the end may include without end.
ENOUGH = 50


@dataclass(frozen=True)
class Term:
    """A mechanism or a modifier.

    `text` is as it is written, `qualifier` empty if none is; `name` is in lower case. `argument` is a domain, a network
    or a modifier's value in one form, `prefixes` the lengths of networks for IPv4 and IPv6 of `a` and `mx`.
    """

    text: str
    name: str
    qualifier: str = ""
    argument: str = ""
    prefixes: tuple[int, int] = (32, 128)
    modifier: bool = False

    @property
    def result(self) -> str:
        """The qualifier that counts: `+` where none is written."""
        return self.qualifier or "+"

    @property
    def matches(self) -> tuple[Any, ...]:
        """What is equal for terms that match the same senders, whatever then follows for them."""
        return self.modifier, self.name, self.argument, self.prefixes


@dataclass
class Cost:
    """What a record costs a receiver at most: terms that make it ask, and names that have nothing."""

    lookups: list[str] = field(default_factory=list)
    voids: list[str] = field(default_factory=list)


def is_spf(text: str) -> bool:
    """Whether receivers take a TXT value for an SPF record (RFC 7208, 4.5)."""
    return bool(re.match(r"v=spf1( |$)", text, re.IGNORECASE))


def looks_like(text: str) -> bool:
    """Whether a TXT value is meant as an SPF record, be it a right one or not."""
    return bool(re.match(rf"{tags.BEFORE}v\s*=\s*{tags.BEFORE}spf1", text, re.IGNORECASE))


def parse(text: str) -> list[Term]:
    """Return the terms of a record in order; ValueError, naming the rule, if receivers would answer permerror."""
    tags.check_quotes(text)
    if not is_spf(text):
        raise ValueError("it must begin with v=spf1 and a space, and nothing before it (RFC 7208, section 4.5)")
    terms = [term(word) for word in text.split(" ")[1:] if word]
    for name in DOMAIN_MODIFIERS:
        if sum(one.modifier and one.name == name for one in terms) > 1:
            raise ValueError(f"{name}= is there twice (RFC 7208, section 6)")
    return terms


def term(text: str) -> Term:
    """Return one term; ValueError, naming the rule, if it is none."""
    tags.check_quotes(text)
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise ValueError(f"{text!r} is no term: one word in ASCII, names in punycode (RFC 7208, section 4.3)")
    modifier = MODIFIER.fullmatch(text)
    if modifier:
        name = modifier["name"].lower()
        value = _domain(text, modifier["value"]) if name in DOMAIN_MODIFIERS else modifier["value"]
        _check_macros(text, value)
        return Term(text, name, argument=value, modifier=True)
    found = TERM.fullmatch(text)
    name = found["name"].lower() if found else ""
    if not found or name not in (*OF_A_DOMAIN, "ip4", "ip6", "all"):
        raise ValueError(f"{text!r} is no mechanism of SPF (RFC 7208, section 5)")
    rest = found["rest"] or ""
    made = Term(text, name, found["qualifier"])
    if name == "all":
        if rest:
            raise ValueError(f"{text!r}: all takes nothing (RFC 7208, section 5.1)")
        return made
    if name in ("ip4", "ip6"):
        return replace(made, argument=_network(text, name, rest))
    return _of_a_domain(made, rest)


def meaning(text: str) -> Any:
    """Return what is equal for records that mean the same; ValueError as `parse`.

    Mechanisms with one qualifier, one after the other, may stand in any order; what follows `all` counts for nothing.
    """
    terms = parse(text)
    mechanisms = _tested(terms)
    groups = [
        (result, frozenset(one.matches for one in group))
        for result, group in groupby(mechanisms, key=lambda one: one.result)
    ]
    ends = any(one.name == "all" for one in mechanisms)
    modifiers = frozenset(one.matches for one in terms if one.modifier and not (ends and one.name == "redirect"))
    return tuple(groups), modifiers


def merge(text: str, wanted: Iterable[str], unwanted: Iterable[str] = (), all_: str | None = None) -> str:
    """Return a record in which the wanted mechanisms stand before `all`, and the unwanted terms do not.

    All else stays in its place and as it is written; an empty text is no record yet. A wanted mechanism without a
    qualifier takes that of the one that is there. `all_` is the `all` that the record is to end with; without it that
    of the record stays, and a new one gets `~all`. ValueError, naming the rule, for what cannot be.
    """
    wished, unwished, ending = check(wanted, unwanted, all_)
    if not text:
        text = "v=spf1"
        ending = ending or term(DEFAULT_ALL)
    before = parse(text)
    terms = [one for one in before if not any(is_named(one, gone) for gone in unwished)]
    for one in wished:
        terms = _with(terms, one)
    if ending:
        terms = _ended(terms, ending)
    return text if terms == before else " ".join([text.split(" ")[0], *(one.text for one in terms)])


def check(
    wanted: Iterable[str], unwanted: Iterable[str], all_: str | None
) -> tuple[list[Term], list[Term], Term | None]:
    """Return what is to be merged, read; ValueError for what no record can have."""
    wished, unwished = [term(word) for word in wanted], [term(word) for word in unwanted]
    for one in wished:
        if one.modifier:
            raise ValueError(f"{one.text!r} is a modifier; only mechanisms can be added")
        if one.result == "+" and (one.argument in EVERYBODY or 0 in one.prefixes):
            raise ValueError(f"{one.text!r} would let everybody send in the name of the domain")
        if any(is_named(one, gone) for gone in unwished):
            raise ValueError(f"{one.text!r} is to be there and to be removed")
    if any(one.name == "all" for one in [*wished, *unwished]):
        raise ValueError("all is named apart from the other terms")
    if all_ is None:
        return wished, unwished, None
    ending = term(all_)
    if ending.name != "all":
        raise ValueError(f"{all_!r} is no form of all: -all, ~all, ?all")
    if ending.result == "+":
        raise ValueError(f"{all_!r} would let everybody send in the name of the domain")
    return wished, unwished, ending


def cost(text: str, domain: str, resolve: Resolve) -> Cost:
    """Return what a record of a domain costs at most, with all that it includes (RFC 7208, 4.6.4).

    What has macros depends on the sender: it is counted, and not looked up. ValueError if something included is no
    record, and MailopsError if that is not known.
    """
    found = Cost()
    domain = domain.lower().rstrip(".")
    _add_cost(text, domain, resolve, found, (domain,))
    return found


def published(domain: str, resolve: Resolve) -> str:
    """Return the SPF record of a domain, empty if it has none; ValueError if it has several (RFC 7208, 4.5)."""
    records = [value for value in resolve(domain, "TXT") if is_spf(value)]
    if len(records) > 1:
        raise ValueError(f"{domain} has {len(records)} SPF records, which receivers refuse (RFC 7208, section 4.5)")
    return records[0] if records else ""


def _add_cost(text: str, domain: str, resolve: Resolve, found: Cost, path: tuple[str, ...]) -> None:
    try:
        terms = parse(text)
    except ValueError as error:
        raise ValueError(f"the SPF record of {domain}: {error}") from None
    asking = [one for one in _tested(terms) if one.name in OF_A_DOMAIN]
    if not any(one.name == "all" and not one.modifier for one in terms):
        asking += [one for one in terms if one.modifier and one.name == "redirect"]
    for one in asking:
        if len(found.lookups) >= ENOUGH:
            return
        found.lookups.append(one.text if len(path) == 1 else f"{one.text} of {domain}")
        target = one.argument or domain
        if "%" in target or one.name == "ptr":
            continue
        if one.name not in ("include", "redirect"):
            types = ("MX",) if one.name == "mx" else ("A",) if one.name == "exists" else ("A", "AAAA")
            if not any(resolve(target, record_type) for record_type in types):
                found.voids.append(f"{target} ({one.text})")
            continue
        if target in path:
            raise ValueError(f"{one.text} of {domain}: {' includes '.join((*path[path.index(target) :], target))}")
        included = published(target, resolve)
        if not included:
            raise ValueError(f"{one.text} of {domain}: {target} has no SPF record (RFC 7208, sections 5.2 and 6.1)")
        _add_cost(included, target, resolve, found, (*path, target))


def _tested(terms: Sequence[Term]) -> list[Term]:
    """Return the mechanisms that are tested: those up to `all`."""
    mechanisms = [one for one in terms if not one.modifier]
    end = next((number for number, one in enumerate(mechanisms) if one.name == "all"), len(mechanisms))
    return mechanisms[: end + 1]


def is_named(one: Term, named: Term) -> bool:
    """Whether a term is the named one; a name without a qualifier means it with any."""
    return one.matches == named.matches and (not named.qualifier or one.result == named.result)


def _place(terms: Sequence[Term]) -> int:
    """Return where a mechanism is added: before `all`, else after the last mechanism."""
    for number, one in enumerate(terms):
        if one.name == "all" and not one.modifier:
            return number
    return max((number for number, one in enumerate(terms, 1) if not one.modifier), default=0)


def _with(terms: Sequence[Term], wanted: Term) -> list[Term]:
    there = next((one for one in _tested(terms) if one.matches == wanted.matches), None)
    if there is None:
        # After `all` it is of no use.
        kept = [one for one in terms if one.matches != wanted.matches]
        place = _place(kept)
        return [*kept[:place], wanted, *kept[place:]]
    if is_named(there, wanted):
        if there.result == "-" and not wanted.qualifier:
            raise ValueError(f"it has {there.text}, which forbids what is to be allowed; remove it first")
        return list(terms)
    return [wanted if one is there else one for one in terms]


def _ended(terms: Sequence[Term], ending: Term) -> list[Term]:
    there = next((one for one in terms if one.name == "all" and not one.modifier), None)
    if there:
        return [ending if one is there and one.result != ending.result else one for one in terms]
    onward = next((one for one in terms if one.modifier and one.name == "redirect"), None)
    if onward:
        raise ValueError(
            f"it goes on with {onward.text}, which {ending.text} would switch off (RFC 7208, section 6.1); "
            f"leave out all, or have {onward.text} removed"
        )
    place = _place(terms)
    return [*terms[:place], ending, *terms[place:]]


def _of_a_domain(made: Term, rest: str) -> Term:
    domain, prefixes = rest, (32, 128)
    if made.name in ("a", "mx"):
        # From the end, as a macro may have a slash in it.
        slash = cast("re.Match[str]", re.search(r"(/[0-9]+)?(//[0-9]+)?$", rest))
        domain, lengths = rest[: slash.start()], PREFIXES.fullmatch(slash[0])
        if not lengths:
            raise ValueError(f"{made.text!r} has no length of a network (RFC 7208, section 5.6)")
        prefixes = (int(lengths["four"] or 32), int(lengths["six"] or 128))
        if prefixes[0] > 32 or prefixes[1] > 128:
            raise ValueError(f"{made.text!r} has no length of a network (RFC 7208, section 5.6)")
    if not domain and made.name not in NEED_A_DOMAIN:
        return replace(made, prefixes=prefixes)
    if not domain.startswith(":"):
        raise ValueError(f"{made.text!r} names no domain (RFC 7208, section 5)")
    return replace(made, argument=_domain(made.text, domain[1:]), prefixes=prefixes)


def _network(text: str, name: str, rest: str) -> str:
    version = ipaddress.IPv4Network if name == "ip4" else ipaddress.IPv6Network
    # ipaddress also takes a mask, which SPF does not.
    if re.fullmatch(r":[0-9a-fA-F:.]+(/[0-9]+)?", rest):
        try:
            return str(version(rest[1:], strict=False))
        except ValueError:
            pass
    raise ValueError(f"{text!r} is no IPv{name[2]} network (RFC 7208, section 5.6)")


def _domain(text: str, spec: str) -> str:
    """Return a domain in one form; ValueError if it is none. With macros it is left as it is, as their case counts."""
    _check_macros(text, spec)
    if "%" in spec:
        return spec
    domain = spec.lower().removesuffix(".")
    labels = domain.split(".")
    sizes = all(1 <= len(label) <= 63 for label in labels) and len(domain) <= 253
    if len(labels) < 2 or not sizes or not LAST_LABEL.fullmatch(labels[-1]):
        raise ValueError(f"{text!r} names no full domain (RFC 7208, section 7.1)")
    return domain


def _check_macros(text: str, spec: str) -> None:
    if "%" in MACRO.sub("", spec):
        raise ValueError(f"{text!r} has a macro that is none (RFC 7208, section 7.1)")
