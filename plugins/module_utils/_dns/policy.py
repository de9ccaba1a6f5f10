# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mail policy says of DNS: zones that it publishes in, and what cannot be computed of its domains. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import (
    Field,
    Record,
    Resource,
    duplicates,
    unknown_keys,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns import alignment, dmarc, spf, values

RFC2136 = "rfc2136"
BACKENDS = (RFC2136, "digitalocean", "cloudflare")
# What each kind of back end is reached with.
KEYS = {True: ("server", "port", "key_name", "key_secret", "key_algorithm"), False: ("api_token", "api_url", "ca_file")}
ALGORITHMS = ("hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
NEEDED = ("server", "key_name", "key_secret")
# What a record may be; zones are cut and made elsewhere.
RECORD_TYPES = tuple(kind for kind in values.TYPES if kind not in ("NS", "SOA"))


def _name(value: str) -> str:
    return values.shown(values.name(value))


def _seconds(value: int) -> int:
    if value < 1:
        raise ValueError("it must be a number of seconds")
    return value


class _Zone(Resource):
    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Check that there is what the back end is reached with, and nothing of another's."""
        backend = item.get("backend")
        if backend is None:
            raise ValidationError(f"{place} has no backend", f"It must be one of: {', '.join(BACKENDS)}.")
        by_update = backend == RFC2136
        stray = [key for key in KEYS[not by_update] if key in item]
        if stray:
            raise ValidationError(f"{place}: {', '.join(stray)} is not for the backend {backend}")
        lacking = [key for key in NEEDED if by_update and not item.get(key)]
        if lacking:
            raise ValidationError(f"{place} has no {', '.join(lacking)}", f"The backend {backend} needs it.")


ZONE = _Zone(
    model="zone",
    label="zone",
    plural="zones",
    key=("zone",),
    fields=(
        Field("zone", normalize=_name),
        Field("backend", choices=BACKENDS),
        Field("server"),
        Field("port", "int"),
        Field("key_name"),
        Field("key_secret", secret=True),
        Field("key_algorithm", choices=ALGORITHMS),
        Field("api_token", secret=True),
        Field("api_url"),
        Field("ca_file"),
        Field("timeout", "float"),
        Field("ttl", "int", normalize=_seconds),
    ),
)


class _FurtherRecord(Resource):
    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Check the values, in canonical form, and that the record is not one that is said elsewhere."""
        kind, given = item.get("type"), item.get("values")
        if not kind or not given:
            raise ValidationError(f"{place} has no {'values' if kind else 'type'}")
        if not _is_texts(given):
            raise ValidationError(f"{place}.values is no list of texts")
        # These are merged into the one record that there may be.
        if kind == "TXT" and any(map(spf.looks_like, given)):
            raise ValidationError(f"{place} is an SPF record", "Say its terms under spf.")
        if kind == "TXT" and item["name"].startswith("_dmarc."):
            raise ValidationError(f"{place} is a DMARC record", "Say its tags under dmarc.")


def _is_texts(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(one, str) for one in given)


RECORD = _FurtherRecord(
    model="record",
    label="record",
    plural="records",
    key=("name",),
    fields=(
        Field("name", normalize=_name),
        Field("type", choices=RECORD_TYPES),
        Field("values", "list"),
        Field("ttl", "int", normalize=_seconds),
    ),
)
DOMAIN = Resource(
    model="domain",
    label="domain",
    plural="domains",
    key=("name",),
    fields=(
        Field("name", normalize=_name),
        Field("spf", "dict"),
        Field("dmarc", "dict"),
        Field("mx", "list"),
        Field("records", "list"),
    ),
)


def lacking() -> str:
    """Return which Python libraries must be installed before anything of this can be told, empty for none."""
    names = {"dnspython": values.IMPORT_ERROR, "publicsuffixlist": alignment.IMPORT_ERROR}
    missing = [name for name, error in names.items() if error]
    return f"install the Python library {' and '.join(missing)} on the machine that runs Ansible" if missing else ""


def problems(section: Any) -> Iterator[str]:
    """Yield what is wrong with the policy's section `dns`, each with its place; no secret is in it."""
    if not isinstance(section, Mapping):
        yield "dns is no dictionary"
        return
    if lacking():
        yield f"dns: {lacking()}"
        return
    yield from unknown_keys(section, "dns.", {"zones", "domains"})
    for listed, resource in (("zones", ZONE), ("domains", DOMAIN)):
        items = section.get(listed, [])
        if not isinstance(items, list):
            yield f"dns.{listed} is no list"
            continue
        found = []
        for number, item in enumerate(items):
            place = f"dns.{listed}[{number}]"
            if not isinstance(item, Mapping):
                yield f"{place} is no dictionary"
                continue
            try:
                checked = resource.check(item, place)
            except ValidationError as error:
                yield error.text()
                continue
            found.append(checked[resource.key[0]])
            if resource is DOMAIN:
                yield from _domain(checked, place)
        for name in duplicates(found):
            yield f"dns.{listed}: {name} is given more than once"


def _domain(item: Record, place: str) -> Iterator[str]:
    for key in ("spf", "dmarc", "mx", "records"):
        if key in item and item[key] is None:
            yield f"{place}.{key} cannot be empty; leave it out, and it is not managed"
            return
    yield from _spf(item.get("spf", {}), f"{place}.spf")
    if "dmarc" in item:
        yield from _dmarc(item["dmarc"], f"{place}.dmarc")
    for number, value in enumerate(item.get("mx", [])):
        yield from _mx(value, f"{place}.mx[{number}]")
    for number, record in enumerate(item.get("records", [])):
        yield from _record(record, item["name"], f"{place}.records[{number}]")


def _spf(given: Mapping[str, Any], place: str) -> Iterator[str]:
    unknown = list(unknown_keys(given, f"{place}.", {"all", "terms", "remove"}))
    yield from unknown
    wrong = [key for key in ("terms", "remove") if not _is_texts(given.get(key, []))]
    yield from (f"{place}.{key} is no list of texts" for key in wrong)
    if not isinstance(given.get("all", ""), str):
        yield f"{place}.all is {given['all']!r}; write -all, ~all or ?all"
        return
    if unknown or wrong:
        return
    try:
        spf.check(given.get("terms", []), given.get("remove", []), given.get("all"))
    except ValueError as error:
        yield f"{place}: {error}"


def terms(given: Any, place: str) -> Iterator[str]:
    """Yield what is wrong with the SPF terms that a server of the policy says."""
    if not _is_texts(given):
        yield f"{place} is no list of texts"
        return
    try:
        spf.check(given, (), None)
    except ValueError as error:
        yield f"{place}: {error}"


def _dmarc(given: Mapping[str, Any], place: str) -> Iterator[str]:
    if "p" not in given:
        yield f"{place} has no p; it must be one of {', '.join(dmarc.POLICIES)}"
    wrong = [tag for tag, value in given.items() if not _is_of_tag(tag, value)]
    yield from (f"{place}.{tag} is {given[tag]!r}; write {_form(tag)}" for tag in wrong)
    try:
        dmarc.given({tag: value for tag, value in given.items() if tag not in wrong})
    except ValueError as error:
        yield f"{place}: {error}"


def _is_of_tag(tag: Any, value: Any) -> bool:
    if tag in dmarc.OF_URIS:
        return _is_texts(value)
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _form(tag: Any) -> str:
    return "a list, such as [mailto:postmaster@acme.example]" if tag in dmarc.OF_URIS else "a text or a number"


def _mx(value: Any, place: str) -> Iterator[str]:
    try:
        found = values.mail_server(value if isinstance(value, str) else "")
    except ValueError:
        yield f"{place} is {value!r}; write priority and host, such as 10 mx.acme.example"
        return
    if found.endswith(" ."):
        yield (
            f"{place} is a null MX, which a domain that sends mail should not have (RFC 7505, section 4.2). "
            "mx: [] says that there is none"
        )


def _record(given: Any, domain: str, place: str) -> Iterator[str]:
    if not isinstance(given, Mapping):
        yield f"{place} is no dictionary"
        return
    try:
        record = RECORD.check(given, place)
        for value in record["values"]:
            if record["type"] == "MX":
                values.mail_server(value)
            else:
                values.wanted(record["type"], value)
    except ValidationError as error:
        yield error.text()
        return
    except ValueError as error:
        yield f"{place}.values: {error}"
        return
    name = record["name"]
    if (name, record["type"]) == (domain, "MX"):
        yield f"{place} is the MX record of {domain}; say it under mx"
    if not within(name, domain):
        yield f"{place}.name is {name!r}, which is not below {domain}; write the whole name"
    elif within(name, f"{domain}.{domain}"):
        yield f"{place}.name is {name!r}: it has {domain} twice"


def filled(section: Any) -> dict[str, Any]:
    """Return the section as it is applied: both lists, with names and values in canonical form.

    What is unsound stays as it is, for `problems` to name.
    """
    given = section if isinstance(section, Mapping) else {}
    return {
        **given,
        "zones": _filled(given.get("zones", []), ZONE),
        "domains": _filled(given.get("domains", []), DOMAIN),
    }


def _filled(items: Any, resource: Resource) -> Any:
    if not isinstance(items, list) or values.IMPORT_ERROR:
        return items
    return [_canonical(item, resource) for item in items]


def _canonical(item: Any, resource: Resource) -> Any:
    try:
        checked = resource.check(item, "")
        if resource is DOMAIN and "all" in item.get("spf", {}):
            checked["spf"] = {**item["spf"], "all": item["spf"]["all"].lower()}
        if resource is DOMAIN and "dmarc" in item:
            checked["dmarc"] = {tag: _tag(tag, value) for tag, value in item["dmarc"].items()}
        if resource is DOMAIN and "mx" in item:
            checked["mx"] = [values.wanted("MX", value) for value in item["mx"]]
        if resource is DOMAIN and "records" in item:
            checked["records"] = [_canonical(record, RECORD) for record in item["records"]]
        if resource is RECORD:
            checked["values"] = [values.wanted(checked["type"], value) for value in checked["values"]]
    except (ValidationError, ValueError, TypeError, AttributeError):
        return item
    return checked


def _tag(tag: str, value: Any) -> Any:
    """Return the value of a DMARC tag, in lower case if it is one of a few words."""
    return value.lower() if tag in ("p", "sp", "np", "adkim", "aspf") else value


def within(name: str, domain: str) -> bool:
    """Whether a name is a domain or below it; both as `values.shown` returns them."""
    return name == domain or name.endswith(f".{domain}")


def zone_of(zones: Iterable[Mapping[str, Any]], name: str) -> str | None:
    """Return which of the policy's zones holds a name: the longest; None if none does."""
    holding = [str(item["zone"]) for item in zones if within(name, str(item["zone"]))]
    return max(holding, key=len, default=None)
