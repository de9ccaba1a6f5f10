# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy document: what it may hold, checked as a whole before anything is touched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Resource, duplicates, unknown_keys
from ansible_collections.mailops.odoo.plugins.module_utils._dns import policy as dns
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import policy as mailgun
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses, presets
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.catalogue import CATALOGUE
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint import Finding, lint
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint_rules import ERROR
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint_setup import SERIES, Login, from_policy

VERSION = 1
MAILGUN = "mailgun"
UNMANAGED = ("report", "archive", "ignore")
ODOO_KEYS = {*CATALOGUE, "modules", "mass_mailing_server", "version", "platform", "unmanaged_servers"}
MODULE = re.compile(r"[a-z][a-z0-9_]*")
# host or host:port; its MX is not looked up, because that is usually the gateway itself.
RELAY_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


def expand(policy: Mapping[str, Any], active: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the policy as it is applied: servers with what their presets say, and with Odoo's own fields only.

    Logins at providers are whole addresses, and names in DNS are in canonical form. `active` has the logins that are
    active in place of those that the policy names, as `active_logins` returns them: both the provider's account and
    Odoo's servers get them. What is unsound in the policy stays as it is, for `problems` to name.
    """
    active = active or {}
    expanded, section, accounts = dict(policy), policy.get("odoo"), policy.get("providers")
    if isinstance(policy.get("dns"), Mapping):
        expanded["dns"] = dns.filled(policy["dns"])
    if isinstance(section, Mapping) and isinstance(section.get("servers"), list):
        servers = [_logged_in(item, active) for item in _filled(section, section["servers"])]
        expanded["odoo"] = {**section, "servers": servers}
    if isinstance(accounts, list):
        expanded["providers"] = [mailgun.filled(item, active) if _is_mailgun(item) else item for item in accounts]
    return expanded


def active_logins(policy: Any, variables: Mapping[str, Any]) -> dict[str, str]:
    """Return login → the login that is active in its place, where a rotation has exchanged them (`local@domain`).

    The policy names one login of a pair. Which one is active is beside its password: the variable `<vault_key>_login`.
    """
    if not isinstance(policy, Mapping):
        return {}
    found: dict[str, str] = {}
    for _place, account in _accounts(policy):
        found.update(mailgun.active_logins(account, variables))
    return found


def _logged_in(server: Any, active: Mapping[str, str]) -> Any:
    """Return a server with the login that is active."""
    login = server.get("smtp_user") if isinstance(server, Mapping) else None
    now = active.get(login.strip().lower()) if isinstance(login, str) else None
    return {**server, "smtp_user": now} if now else server


def _filled(section: Mapping[str, Any], servers: list[Any]) -> list[Any]:
    platform = str(section.get("platform"))
    return [presets.filled(item, platform) if isinstance(item, Mapping) else item for item in servers]


def findings(policy: Any) -> list[Finding]:
    """Return what the lint finds in a policy, without asking any server; nothing where there is no section `odoo`."""
    section = policy.get("odoo") if isinstance(policy, Mapping) else None
    if not isinstance(section, Mapping):
        return []
    logins = [
        Login(at, login, MAILGUN, region)
        for place, account in _accounts(policy)
        for at, login, region in mailgun.logins(account, place)
    ]
    sound = not list(_odoo(section))
    return lint(replace(from_policy(section, logins, sound=sound), policy=_with_dns(policy) if sound else None))


def _with_dns(policy: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the policy with its section `dns` in canonical form; None if it has none, or something is unsound."""
    if "dns" not in policy or any(_others(policy)):
        return None
    return {**policy, "dns": dns.filled(policy["dns"])}


def _others(policy: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the sections beside `odoo`."""
    yield from _providers(policy)
    if "dns" in policy:
        yield from dns.problems(policy["dns"])
    yield from _inbound(policy.get("inbound", {}))


def problems(policy: Any) -> list[str]:
    """Return everything that is wrong with a policy, each with its place; an empty list if it is sound.

    Errors that the lint finds belong to it. They are told once what Odoo is to get is sound in itself.
    """
    if not isinstance(policy, Mapping):
        return ["mail_policy is no dictionary"]
    found = list(unknown_keys(policy, "", {"version", "odoo", "providers", "dns", "inbound"}))
    found.extend(f"{section} is missing" for section in ("odoo", "inbound") if section not in policy)
    if policy.get("version") != VERSION:
        found.append(f"version is {policy.get('version')!r}; this release of mailops.odoo knows version {VERSION}")
    unsound = list(_odoo(policy.get("odoo", {})))
    found.extend(unsound or (finding.text() for finding in findings(policy) if finding.severity == ERROR))
    found.extend(_others(policy))
    found.extend(_former_domains(policy))
    return found


def _odoo(section: Any) -> Iterator[str]:
    if not isinstance(section, Mapping):
        yield "odoo is no dictionary"
        return
    yield from unknown_keys(section, "odoo.", ODOO_KEYS)
    yield from _circumstances(section)
    lists = {key: section.get(key, []) for key in (*CATALOGUE, "modules")}
    if isinstance(lists["servers"], list):
        yield from _policy_keys(lists["servers"])
        lists["servers"] = _filled(section, lists["servers"])
    for key, items in lists.items():
        if not isinstance(items, list):
            yield f"odoo.{key} is no list"
        elif key == "modules":
            yield from _modules(items)
        else:
            yield from _odoo_list(items, f"odoo.{key}", CATALOGUE[key])
    yield from _mass_mailing_server(section.get("mass_mailing_server"), lists["servers"])
    yield from _alias_domains_left_out(lists)
    yield from _companies(lists)


def _circumstances(section: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the keys that say where and how the policy holds."""
    version, platform, unmanaged = (section.get(key) for key in ("version", "platform", "unmanaged_servers"))
    if "version" in section and (not isinstance(version, int) or isinstance(version, bool) or version not in SERIES):
        yield f"odoo.version is {version!r}; it must be one of {', '.join(str(series) for series in SERIES)}"
    if "platform" in section and platform not in presets.PLATFORMS:
        yield f"odoo.platform is {platform!r}; known are: {', '.join(presets.PLATFORMS)}"
    if "unmanaged_servers" in section and unmanaged not in UNMANAGED:
        yield f"odoo.unmanaged_servers is {unmanaged!r}; it must be one of {', '.join(UNMANAGED)}"


def _policy_keys(servers: list[Any]) -> Iterator[str]:
    """Yield what is wrong with what servers say beside Odoo's own fields."""
    for number, item in enumerate(servers):
        if not isinstance(item, Mapping):
            continue
        place = f"odoo.servers[{number}]"
        if "purpose" in item and item["purpose"] not in presets.PURPOSES:
            yield f"{place}.purpose is {item['purpose']!r}; it must be one of {', '.join(presets.PURPOSES)}"
        if "intent" in item and not isinstance(item["intent"], str):
            yield f"{place}.intent is {item['intent']!r}, which is no text"
        if "spf" in item:
            yield from dns.terms(item["spf"], f"{place}.spf")
        yield from _provider(item, place)


def _provider(item: Mapping[str, Any], place: str) -> Iterator[str]:
    provider, region = item.get("provider"), item.get("region")
    preset = presets.PRESETS.get(provider) if isinstance(provider, str) else None
    if "provider" in item and preset is None:
        yield f"{place}.provider is {provider!r}; known are: {', '.join(presets.PRESETS)}"
    elif preset is None and "region" in item:
        yield f"{place}.region is {region!r}, and there is no provider that it could be of"
    elif preset is not None:
        regions = preset.known_regions
        if "region" in item and region not in regions:
            has = f"has {', '.join(regions)}" if regions else "has no regions"
            yield f"{place}.region is {region!r}; {provider} {has}"
        elif not preset.host(region) and not item.get("smtp_host"):
            lacking = (
                f"region: {provider} has {', '.join(regions)}" if regions else f"smtp_host: {provider} is your own"
            )
            yield f"{place} needs a {lacking}"


def _modules(items: list[Any]) -> Iterator[str]:
    for number, name in enumerate(items):
        if not isinstance(name, str) or not MODULE.fullmatch(name):
            yield f"odoo.modules[{number}] is {name!r}; it must be an app's technical name, such as crm"
    for name in duplicates(str(name) for name in items):
        yield f"odoo.modules: {name} is given more than once"


def _mass_mailing_server(name: Any, servers: Any) -> Iterator[str]:
    if name is not None and _all_mappings(servers) and name not in [item.get("name") for item in servers]:
        yield f"odoo.mass_mailing_server is {name!r}; it must be the name of one of odoo.servers"


def _companies(lists: Mapping[str, Any]) -> Iterator[str]:
    """Yield the companies to which two places of the policy give different alias domains."""
    if not (_all_mappings(lists["alias_domains"]) and _all_mappings(lists["companies"])):
        return
    said = {
        str(company): str(domain.get("name")).lower()
        for domain in lists["alias_domains"]
        for company in _listed(domain, "companies")
    }
    for item in lists["companies"]:
        name, domain = str(item.get("name")), item.get("alias_domain")
        if domain is not None and said.get(name, str(domain).lower()) != str(domain).lower():
            yield f"odoo.companies: {name} has the alias domain {domain}, and odoo.alias_domains gives it {said[name]}"


def _former_domains(policy: Mapping[str, Any]) -> Iterator[str]:
    """Yield the former names whose mail the gateway would refuse although it takes that of the present one."""
    odoo, inbound = policy.get("odoo"), policy.get("inbound")
    domains = odoo.get("alias_domains", []) if isinstance(odoo, Mapping) else []
    taken = inbound.get("domains", []) if isinstance(inbound, Mapping) else []
    if not (_all_mappings(domains) and _all_mappings(taken)):
        return
    names = {str(item.get("name")).lower() for item in taken}
    for item in domains:
        missing = [str(name) for name in _listed(item, "former_names") if str(name).lower() not in names]
        if missing and str(item.get("name")).lower() in names:
            yield (
                f"inbound.domains lacks {', '.join(missing)}, a former name of {item.get('name')}: "
                "the gateway would refuse the answers to old mail"
            )


def _providers(policy: Mapping[str, Any]) -> Iterator[str]:
    items = policy.get("providers", [])
    if not isinstance(items, list):
        yield "providers is no list"
        return
    for number, item in enumerate(items):
        place = f"providers[{number}]"
        if not isinstance(item, Mapping):
            yield f"{place} is no dictionary"
        elif not _is_mailgun(item):
            yield f"{place}.provider is {item.get('provider')!r}; known are: {MAILGUN}"
        else:
            yield from mailgun.problems(item, place)
    accounts = [account for _place, account in _accounts(policy)]
    for name in duplicates(name for account in accounts for name in mailgun.names(account)):
        yield f"providers: the domain {name} is given more than once"
    for key in duplicates(key for account in accounts for key in mailgun.vault_keys(account)):
        yield f"providers: the vault_key {key} is given more than once; each login has a password of its own"


def _accounts(policy: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return place and content of each account at Mailgun."""
    items = policy.get("providers")
    if not isinstance(items, list):
        return []
    return [(f"providers[{number}]", item) for number, item in enumerate(items) if _is_mailgun(item)]


def _is_mailgun(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("provider") == MAILGUN


def _inbound(section: Any) -> Iterator[str]:
    if not isinstance(section, Mapping):
        yield "inbound is no dictionary"
        return
    yield from unknown_keys(section, "inbound.", {"domains"})
    domains = section.get("domains", [])
    if isinstance(domains, list):
        yield from _inbound_domains(domains, "inbound.domains")
    else:
        yield "inbound.domains is no list"


def _odoo_list(items: list[Any], place: str, resource: Resource) -> Iterator[str]:
    keys = []
    for number, item in enumerate(items):
        if not isinstance(item, Mapping):
            yield f"{place}[{number}] is no dictionary"
            continue
        try:
            keys.append(resource.key_of(resource.check(item, f"{place}[{number}]")))
        except ValidationError as error:
            yield error.text()
    for key in duplicates(keys):
        yield f"{place}: {' @ '.join(str(part) for part in key if part)} is given more than once"


def _all_mappings(items: Any) -> bool:
    return isinstance(items, list) and all(isinstance(item, Mapping) for item in items)


def _listed(item: Mapping[str, Any], key: str) -> list[Any]:
    """Return a list of an item; what is none is named elsewhere."""
    value = item.get(key)
    return value if isinstance(value, list) else []


def _alias_domains_left_out(lists: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with aliases that leave out their alias domain: it is the policy's only one."""
    domains, aliases = lists["alias_domains"], lists["aliases"]
    if not all(
        isinstance(items, list) and all(isinstance(one, Mapping) for one in items) for items in (domains, aliases)
    ):
        return
    names = [str(item.get("name")).lower() for item in domains]
    given = {(str(item.get("alias_name")).lower(), str(item.get("alias_domain")).lower()) for item in aliases}
    for number, item in enumerate(aliases):
        if item.get("alias_domain") is not None:
            continue
        place, name = f"odoo.aliases[{number}]", str(item.get("alias_name")).lower()
        if len(names) > 1:
            yield f"{place} has no alias_domain, and the policy has several: {', '.join(names)}"
        elif names and (name, names[0]) in given:
            yield f"{place}: {name} @ {names[0]} is given more than once, once without its alias_domain"


def _inbound_domains(items: list[Any], place: str) -> Iterator[str]:
    names = []
    for number, item in enumerate(items):
        here = f"{place}[{number}]"
        if not isinstance(item, Mapping):
            yield f"{here} is no dictionary"
            continue
        yield from unknown_keys(item, f"{here}.", {"name", "others", "relay_host"})
        name = str(item.get("name", ""))
        try:
            names.append(addresses.domain(name))
        except ValueError as error:
            yield f"{here}.name is {name!r}: {error}"
        else:
            if name != names[-1]:
                yield f"{here}.name is {name!r}: write it in lower case: {names[-1]}"
        others, relay_host = item.get("others"), item.get("relay_host")
        if others not in ("reject", "relay"):
            yield f"{here}.others is {others!r}; what Odoo does not know is either reject or relay"
        elif (others == "relay") != (relay_host is not None):
            yield f"{here}: relay_host goes with others: relay, and only with it"
        elif relay_host is not None and not RELAY_HOST.fullmatch(str(relay_host)):
            yield f"{here}.relay_host is {relay_host!r}; it must be host or host:port"
    for name in duplicates(names):
        yield f"{place}: {name} is given more than once"
