# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All secrets of the system that are rotated, found in the inventory: where a setting is a variable of the vault.

A policy is that of a host of `odoo_databases`; others may have it too, for they share its group. Pure.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import policy as mailgun
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.due import days
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.references import (
    Path,
    Reference,
    at,
    references,
    written,
)
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import (
    BRIDGE_TOKEN,
    GIVEN,
    KINDS,
    MAILGUN_LOGIN,
    ODOO_API_KEY,
    PAIR,
    STRATEGIES,
    Place,
    Secret,
    alternate,
    variables,
)

DATABASES, GATEWAYS = "odoo_databases", "mail_gateways"
# By group, the settings in which a secret is looked for.
SETTINGS = {
    DATABASES: ("mail_policy", "odoo_connection", "mail_delivery_token", "mail_delivery_pending_token"),
    GATEWAYS: ("lmtp_bridge_databases",),
}
# In which file of the vault a host's secrets are; and what is said of single ones, by their variable.
VAULT_FILE, SAID_OF_ONE = "mail_vault_file", "mail_secrets"
KEYS = ("file", "max_age", "base")
# What the key is called in Odoo with which the controller talks to it.
KEY_NAME = "mailops"
CREDENTIAL = re.compile(r"mail_policy\.providers\[\d+\]\.domains\[\d+\]\.credentials\[\d+\]\.password")
ACCOUNT_KEY = re.compile(r"mail_policy\.providers\[\d+\]\.api_key")
SERVER = re.compile(r"mail_policy\.odoo\.servers\[\d+\]\.smtp_pass")
ZONE_KEY = re.compile(r"mail_policy\.dns\.zones\[\d+\]\.(?:key_secret|api_token)")
PENDING = {"mail_delivery_token": "mail_delivery_pending_token"}
BRIDGE = re.compile(r"lmtp_bridge_databases\[\d+\]\.token")


@dataclass(frozen=True)
class Use:
    """A setting of a host that is a variable of the vault, and what it is there; `kept_as` is a login's vault_key."""

    place: Place
    variable: str
    kind: str = ""
    base: str = ""
    strategy: str = PAIR
    file: str = ""
    kept_as: str = ""
    about: dict[str, Any] = field(default_factory=dict)


class Host:
    """A host of the inventory: its variables as they are written (`raw`), and templated (`said`, SETTINGS alone)."""

    def __init__(self, name: str, group: str, raw: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        self.name, self.group, self.raw, self.said = name, group, raw, said
        self.references: list[Reference] = [one for key in SETTINGS[group] for one in references(raw, key)]

    def uses(self) -> Iterator[Use]:
        """Yield where the host uses a secret, in the order of its settings."""
        for reference in self.references:
            if reference.variable:
                yield self._use(reference)
        for path, credential in self._kept():
            # A password that the policy leaves out is under its vault_key all the same.
            if "password" not in credential:
                yield self._login((*path, "password"), str(credential["vault_key"]))

    def file_of(self) -> str:
        """Return in which file the host's secrets are, "" if the inventory does not say it."""
        kept = {str(one["vault_file"]) for _path, one in self._kept() if one.get("vault_file")}
        return str(self.said.get(VAULT_FILE) or (kept.pop() if len(kept) == 1 else ""))

    def overrides(self, variable: str) -> Mapping[str, Any]:
        """Return what the inventory says of one secret."""
        found = at(self.said, (SAID_OF_ONE, variable))
        return found if isinstance(found, Mapping) else {}

    def servers(self) -> Sequence[Any]:
        """Return Odoo's servers, as the policy says them."""
        found = at(self.said, ("mail_policy", "odoo", "servers"))
        return found if isinstance(found, list) else []

    def serves(self, path: Path, login: str) -> bool:
        """Return whether the path is that of a password with which a server logs in as `login`."""
        return bool(SERVER.fullmatch(written(path))) and _user(at(self.said, path[:-1])) == login

    def variable_at(self, path: Path) -> str:
        """Return the variable that a setting is, "" if it is none."""
        return next((one.variable for one in self.references if one.path == path), "")

    def _use(self, reference: Reference) -> Use:
        text, path, variable = written(reference.path), reference.path, reference.variable
        if CREDENTIAL.fullmatch(text):
            return self._login(path, variable)
        place, parent = Place(self.name, text), at(self.said, path[:-1])
        if ACCOUNT_KEY.fullmatch(text):
            return Use(place, variable, GIVEN, about={"service": "mailgun", "zones": []})
        if ZONE_KEY.fullmatch(text):
            return self._zone(place, variable, parent)
        if text == "odoo_connection.odoo_api_key":
            said = {key: str(at(parent, (f"odoo_{key}",)) or "") for key in ("url", "database", "login")}
            password = bool(at(parent, ("odoo_password",)))
            return Use(place, variable, ODOO_API_KEY, base=KEY_NAME, about={**said, "password": password})
        if BRIDGE.fullmatch(text) and at(parent, ("backend",)) != "rpc":
            return Use(place, variable, BRIDGE_TOKEN, about={"databases": [str(at(parent, ("name",)))]})
        if text == "mail_delivery_token":
            return Use(place, variable, BRIDGE_TOKEN, about={"databases": []})
        return Use(place, variable)

    def _login(self, path: Path, variable: str) -> Use:
        credential, domain = at(self.said, path[:-1]) or {}, at(self.said, path[:-3]) or {}
        account = at(self.said, path[:-5]) or {}
        login = mailgun.login(credential, domain)
        return Use(
            Place(self.name, written(path)),
            variable,
            MAILGUN_LOGIN,
            base=login,
            strategy=str(credential.get("strategy") or PAIR),
            file=str(credential.get("vault_file") or ""),
            kept_as=str(credential.get("vault_key") or ""),
            about={
                "domain": str(domain.get("name") or ""),
                "region": str(account.get("region") or mailgun.DEFAULT_REGION),
                "servers": [str(one.get("name")) for one in self.servers() if _user(one) == login],
            },
        )

    def _zone(self, place: Place, variable: str, zone: Any) -> Use:
        named = [
            variables(variable, GIVEN).active in one.names
            for one in self.references
            if Place(self.name, written(one.path)) == Place(self.name, f"{place.path.rpartition('.')[0]}.key_name")
        ]
        about = {
            "service": str(at(zone, ("backend",)) or ""),
            "zones": [str(at(zone, ("zone",)) or "")],
            "renamed": any(named),
        }
        return Use(place, variable, GIVEN, base=str(at(zone, ("key_name",)) or ""), about=about)

    def _kept(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Yield the policy's logins that say where their password is kept, each with its path."""
        if self.group != DATABASES:
            return
        for first, account in enumerate(at(self.said, ("mail_policy", "providers")) or ()):
            for second, domain in enumerate(at(account, ("domains",)) or ()):
                for third, one in enumerate(at(domain, ("credentials",)) or ()):
                    if isinstance(one, Mapping) and one.get("vault_key"):
                        yield ("mail_policy", "providers", first, "domains", second, "credentials", third), one


def secrets(hosts: Sequence[Host]) -> list[Secret]:
    """Return the secrets of all hosts, each once, by kind and name."""
    found: dict[str, list[tuple[Host, Use]]] = {}
    for host in hosts:
        for use in host.uses():
            found.setdefault(use.variable, []).append((host, use))
    logins = {use.base for uses in found.values() for _host, use in uses if use.kind == MAILGUN_LOGIN}
    listed = [
        _secret(variable, uses, hosts, logins)
        for variable, uses in found.items()
        if any(use.kind for _host, use in uses)
    ]
    return sorted(listed, key=lambda secret: (KINDS.index(secret.kind), secret.name))


def _secret(variable: str, uses: Sequence[tuple[Host, Use]], hosts: Sequence[Host], logins: Collection[str]) -> Secret:
    known = [use for _host, use in uses if use.kind]
    first = known[0]
    said = next((host.overrides(variable) for host in hosts if host.overrides(variable)), {})
    files = _files(variable, uses)
    base = str(said.get("base") or first.base)
    problems = list(_problems(variable, uses, hosts)) if len(files) < 2 else []
    if len(files) > 1:
        # Two things, of which nothing else can be said.
        problems.append(f"its file is {' and '.join(sorted(files))}: give one of the two variables another name")
    elif not files:
        problems.append(f"its file is not known: give {VAULT_FILE}")
    if first.kind == MAILGUN_LOGIN and first.strategy == PAIR and alternate(base) in logins:
        problems.append(f"{alternate(base)}, the other login of its pair, is a login of the policy as well")
    age = None
    try:
        age = days(said["max_age"]) if "max_age" in said else None
    except ValidationError as error:
        problems.append(f"{SAID_OF_ONE}.{variable}.max_age: {error.message}")
    return Secret(
        name=variable,
        kind=first.kind,
        file=files.pop() if len(files) == 1 else "",
        places=tuple(dict.fromkeys(use.place for _host, use in uses)),
        strategy=first.strategy if first.strategy in STRATEGIES else PAIR,
        base=base,
        max_age=age,
        about=_together([use.about for use in known]),
        problem="; ".join(problems),
    )


def _files(variable: str, uses: Sequence[tuple[Host, Use]]) -> set[str]:
    """Return the files that a secret is in: what is said of it itself goes before what is said of its host."""
    own = [file for host, use in uses for file in (use.file, host.overrides(variable).get("file")) if file]
    return {os.path.normpath(str(file)) for file in own or [host.file_of() for host, _use in uses] if file}


def _problems(variable: str, uses: Sequence[tuple[Host, Use]], hosts: Sequence[Host]) -> Iterator[str]:
    """Yield why a secret cannot be rotated."""
    known = [use for _host, use in uses if use.kind]
    kind = known[0].kind
    other = next((use for use in known if use.kind != kind), None)
    if other:
        yield f"it is two things: {known[0].place} and {other.place}"
        return
    for host in hosts:
        unknown = set(host.overrides(variable)) - set(KEYS)
        if unknown:
            yield f"{SAID_OF_ONE}.{variable} of {host.name} has {', '.join(sorted(unknown))}, not {', '.join(KEYS)}"
    if kind == GIVEN:
        return
    yield from _shared(known, {host.name for host, use in uses if host.group == DATABASES and use.kind})
    if kind == MAILGUN_LOGIN:
        yield from _unlike(known[0], hosts)
        # site.yml finds there which login of the pair is active.
        if known[0].kept_as != variable:
            yield f"{known[0].place} is this variable, so the login needs vault_key: {variable}"
    if kind == BRIDGE_TOKEN:
        yield from _alone(known, hosts)
        for group in (DATABASES, GATEWAYS):
            if all(host.group != group for host, _use in uses):
                yield f"no host of {group} uses it, so not all who know it are known"
    changed = {use.place for use in known}
    stray = [
        place
        for host in hosts
        for one in host.references
        if variable in one.names
        and (place := Place(host.name, written(one.path))) not in changed
        and not (kind == MAILGUN_LOGIN and place.host == known[0].place.host and host.serves(one.path, known[0].base))
    ]
    if stray:
        yield f"{' and '.join(map(str, stray))} uses it too, which a rotation does not change"


def _shared(known: Sequence[Use], databases: Collection[str]) -> Iterator[str]:
    """Yield that a secret is one of two; each rotation switches one policy."""
    one_each = known[0].kind in (MAILGUN_LOGIN, ODOO_API_KEY)
    places = list(dict.fromkeys(use.place for use in known))
    if len(databases) > 1 or (one_each and len(places) > 1):
        yield f"it is used by {' and '.join(map(str, places))}: give each its own"


def _alone(known: Sequence[Use], hosts: Sequence[Host]) -> Iterator[str]:
    """Yield where a second token is not known, which both sides need while they are given a new one."""
    following = variables(known[0].variable, BRIDGE_TOKEN).next
    for use in known:
        beside = PENDING.get(use.place.path) or use.place.path.removesuffix("token") + "pending_token"
        if not any(
            following in one.names and Place(host.name, written(one.path)) == Place(use.place.host, beside)
            for host in hosts
            for one in host.references
        ):
            yield f"{beside} of {use.place.host} is not {following}"


def _unlike(use: Use, hosts: Sequence[Host]) -> Iterator[str]:
    if use.strategy not in STRATEGIES:
        yield f"its strategy is {use.strategy}, none of {', '.join(STRATEGIES)}"
    for host in hosts:
        if host.group != DATABASES or host.name != use.place.host:
            continue
        for number, server in enumerate(host.servers()):
            path = ("mail_policy", "odoo", "servers", number, "smtp_pass")
            if _user(server) == use.base and host.variable_at(path) != use.variable:
                yield f"{written(path)} of {host.name} logs in as {use.base}, with something else than this variable"


def _together(about: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several uses say as one: lists are joined, anything else is the first's."""
    joined: dict[str, Any] = {}
    for one in about:
        for key, value in one.items():
            if isinstance(value, list):
                joined[key] = list(dict.fromkeys([*joined.get(key, []), *value]))
            elif isinstance(value, bool):
                joined[key] = joined.get(key, True) and value
            else:
                joined.setdefault(key, value)
    return joined


def _user(server: Any) -> str:
    return str(server.get("smtp_user") or "").strip().lower() if isinstance(server, Mapping) else ""
