# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mail policy says of an account at Mailgun: its domains, and their logins. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, duplicates, unknown_keys
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import credential
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.domain import DOMAIN
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.region import REGIONS
from ansible_collections.mailops.odoo.plugins.module_utils._rotation import secret as rotated

DEFAULT_REGION = next(iter(REGIONS))
KEYS = {"provider", "region", "api_key", "domains"}
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _variable(value: str) -> str:
    if not VARIABLE.fullmatch(value):
        raise ValueError("this is no name of a variable")
    return value


def _file(value: str) -> str:
    if not value.strip():
        raise ValueError("this is no file; a relative one starts in the inventory's folder")
    return value


# The modules' options, and what the policy alone says beside them.
BESIDE = (Field("inbound_routes", "bool"), Field("credentials", "list", secret=True))
DECLARED_DOMAIN = replace(DOMAIN, fields=(*DOMAIN.fields, *BESIDE))
# How its password is rotated: with a second login that takes turns with it, or with no other.
STRATEGY = Field("strategy", choices=rotated.STRATEGIES)
# Somebody may give the password for the name of its variable.
KEPT = (Field("vault_key", secret=True, normalize=_variable), Field("vault_file", normalize=_file))


def problems(account: Mapping[str, Any], place: str) -> Iterator[str]:
    """Yield what is wrong with an account, each with its place; no value that may be secret is in it."""
    yield from unknown_keys(account, f"{place}.", KEYS)
    region, domains = account.get("region", DEFAULT_REGION), account.get("domains")
    if region not in list(REGIONS):
        yield f"{place}.region is {region!r}; mailgun has {', '.join(REGIONS)}"
    if "api_key" in account and not isinstance(account["api_key"], str):
        yield f"{place}.api_key is no text. Leave it out to take it from the environment variable MAILGUN_API_KEY."
    if isinstance(domains, list):
        for number, item in enumerate(domains):
            yield from _domain(item, f"{place}.domains[{number}]")
    else:
        yield f"{place}.domains is no list"


def _domain(item: Any, place: str) -> Iterator[str]:
    if not isinstance(item, Mapping):
        yield f"{place} is no dictionary"
        return
    try:
        checked = DECLARED_DOMAIN.check(item, place)
    except ValidationError as error:
        yield error.text()
        return
    name = checked["name"]
    if item["name"] != name:
        yield f"{place}.name is {item['name']!r}: write it as {name}"
    logins = []
    for number, given in enumerate(checked.get("credentials", [])):
        here = f"{place}.credentials[{number}]"
        if not isinstance(given, Mapping):
            yield f"{here} is no dictionary"
            continue
        try:
            logins.append(_credential(given, name, here)["login"])
        except ValidationError as error:
            yield error.text()
    for login in duplicates(logins):
        yield f"{place}.credentials: {login} is given more than once"


def _credential(given: Mapping[str, Any], domain: str, place: str) -> Record:
    """Return a login in canonical form; ValidationError if it is not sound.

    An empty password is one that the vault does not have yet.
    """
    resource = credential.of(domain)
    resource = replace(resource, fields=(*resource.fields, *KEPT, STRATEGY))
    item = resource.check({key: value for key, value in given.items() if (key, value) != ("password", "")}, place)
    kept = [field.name for field in KEPT if item.get(field.name)]
    if len(kept) == 1:
        raise ValidationError(
            f"{place} has {kept[0]} alone", "Give vault_key and vault_file, or neither: where the password is kept."
        )
    if not kept and "password" not in given:
        raise ValidationError(
            f"{place} has no password",
            "Give one, or vault_key and vault_file: then one is made up and kept there.",
        )
    return item


def vault_keys(account: Mapping[str, Any]) -> list[str]:
    """Return the names of the variables that hold the passwords of an account's logins."""
    given = (one.get("vault_key") for _place, domain in _domains(account, "") for _at, one in _logins(domain, ""))
    return [key for key in given if isinstance(key, str)]


def active_logins(account: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, str]:
    """Return login → the login that is active in its place, for those of an account where a rotation made it another.

    Both are `local@domain`. `variables` has the active login of a pair beside the password, as `<vault_key>_login`.
    """
    found = {}
    for _place, domain in _domains(account, ""):
        for _at, one in _logins(domain, ""):
            key, base = one.get("vault_key"), login(one, domain)
            kept = rotated.variables(key, rotated.MAILGUN_LOGIN).active if isinstance(key, str) else ""
            # A text of its own kind where the vault encrypts value by value.
            active = str(variables.get(kept) or "").strip().lower()
            if active and active != base:
                found[base] = active
    return found


def names(account: Mapping[str, Any]) -> list[str]:
    """Return the names of an account's domains, in lower case."""
    given = (domain.get("name") for _place, domain in _domains(account, ""))
    return [name.lower() for name in given if isinstance(name, str)]


def logins(account: Mapping[str, Any], place: str) -> list[tuple[str, str, str]]:
    """Return place, login (`local@domain`) and region of each login; what is unsound is passed over."""
    region = account.get("region", DEFAULT_REGION)
    if region not in list(REGIONS):
        return []
    return [
        (at, login(one, domain), region)
        for where, domain in _domains(account, place)
        for at, one in _logins(domain, where)
    ]


def filled(account: Mapping[str, Any], active: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return an account as it is applied, with a region, and each login as `local@domain` with a password, maybe empty.

    Where another login is `active` in its place, that is named. What is unsound stays as it is.
    """
    domains = account.get("domains")
    return {
        "region": DEFAULT_REGION,
        **account,
        "domains": [_filled(item, active or {}) if isinstance(item, Mapping) else item for item in domains]
        if isinstance(domains, list)
        else domains,
    }


def _filled(domain: Mapping[str, Any], active: Mapping[str, str]) -> dict[str, Any]:
    credentials = domain.get("credentials", [])
    if not isinstance(credentials, list):
        return dict(domain)
    return {
        **domain,
        "credentials": [
            _filled_login(one, login(one, domain), active) if isinstance(one, Mapping) else one for one in credentials
        ],
    }


def _filled_login(one: Mapping[str, Any], base: str, active: Mapping[str, str]) -> dict[str, Any]:
    return {**one, "login": active.get(base, base), "password": one.get("password") or ""}


def login(one: Mapping[str, Any], domain: Mapping[str, Any]) -> str:
    """Return a login of a domain as `local@domain`, in lower case."""
    given = str(one.get("login")).strip().lower()
    return given if "@" in given else f"{given}@{domain.get('name')}".lower()


def _domains(account: Mapping[str, Any], place: str) -> list[tuple[str, Mapping[str, Any]]]:
    return _mappings(account.get("domains"), f"{place}.domains")


def _logins(domain: Mapping[str, Any], place: str) -> list[tuple[str, Mapping[str, Any]]]:
    return _mappings(domain.get("credentials"), f"{place}.credentials")


def _mappings(items: Any, place: str) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(items, list):
        return []
    return [(f"{place}[{number}]", item) for number, item in enumerate(items) if isinstance(item, Mapping)]
