# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a database to the policy's section `odoo`, after which applying that policy changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record, duplicates
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import mass_mailing
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.catalogue import CATALOGUE, NOT_IMPORTED
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, Loaded, OdooResource


@dataclass(frozen=True)
class Held:
    """One record, and `item`: all its values, secrets too, as a task would give them."""

    record: Existing
    item: Record


@dataclass
class Section:
    """The policy's section: `policy` has a Jinja reference for each secret, `secrets` their values by variable.

    `left_out` says of each record that a policy cannot hold why, in one sentence.
    """

    policy: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def read(client: OdooClient) -> dict[str, Loaded]:
    """Return all records of everything the catalogue lists; what this Odoo has no model for is missing."""
    found = {}
    for key, resource in CATALOGUE.items():
        try:
            found[key] = resource.open(client).load([], every=True)
        except MailopsError:  # on 14 a missing model is an error like any other
            if client.search_read("ir.model", [("model", "=", resource.model)], ["model"]):
                raise
    return found


def held(resource: OdooResource, loaded: Loaded) -> list[Held]:
    """Return the records that a task can name: each has a name, and one that no other has."""
    twins = doubled(resource, loaded)
    items = []
    for record in loaded.current:
        item = resource.exported(record.values, loaded.known)
        if item is not None and resource.key_of(record.values) not in twins:
            items.append(Held(record, item))
    return items


def doubled(resource: OdooResource, loaded: Loaded) -> list[tuple[object, ...]]:
    """Return the keys that several records have, so that no task can tell these apart."""
    values = [record.values for record in loaded.current if resource.exported(record.values, loaded.known) is not None]
    return duplicates(resource.key_of(record) for record in values)


def section(found: Mapping[str, Loaded]) -> Section:
    """Return the policy's section for what was read."""
    result = Section()
    for key, loaded in found.items():
        resource = CATALOGUE[key]
        if key in NOT_IMPORTED:
            continue
        for twin in doubled(resource, loaded):
            name = " @ ".join(str(part) for part in twin if part is not None)
            result.left_out.append(f"{resource.label} {name}: several records have this name")
        items = []
        for one in held(resource, loaded):
            item = policy_item(resource, one.item)
            reason = _unfit(resource, item, one.record, loaded.known)
            if reason:
                result.left_out.append(reason)
            else:
                items.append(item)
        items.sort(key=lambda item: (item.get("sequence", 0), resource.name_of(item)))
        if items:
            result.policy[key] = [_with_references(key, resource, item, result.secrets) for item in items]
    dedicated = _mass_mailing_server(found)
    if dedicated in [server["name"] for server in result.policy.get("servers", [])]:
        result.policy["mass_mailing_server"] = dedicated
    return result


def _mass_mailing_server(found: Mapping[str, Loaded]) -> str | None:
    """Return the name of the server that Email Marketing is set to send by."""
    values = {record.values["key"]: record.values.get("value") for record in found["parameters"].current}
    for record in found["servers"].current:
        if mass_mailing.is_chosen(record.id, values):
            return str(record.values["name"])
    return None


def policy_item(resource: OdooResource, item: Record) -> Record:
    """Return the item without what a new record has anyway; its key and what creating it takes stay."""
    kept = {}
    for option in resource.fields:
        value = item.get(option.name)
        needed = option.required or option.name in resource.key
        if value is not None and (needed or value != option.default):
            kept[option.name] = value
    return kept


def _unfit(resource: OdooResource, item: Record, record: Existing, known: Known) -> str:
    """Return why a policy with the item would fail or change the record, or nothing."""
    place = f"{resource.label} {resource.name_of(item)}"
    try:
        prepared, _warnings = resource.prepare(resource.check(item, place), known)
    except ValidationError as error:
        return error.text()
    wanted = resource.complete(prepared, record.values)
    # An exported value may be another spelling of the stored one.
    differing = [name for name, value in wanted.items() if value not in (record.values.get(name), item.get(name))]
    return f"{place}: a policy would change its {', '.join(differing)}" if differing else ""


def _with_references(key: str, resource: OdooResource, item: Record, secrets: dict[str, str]) -> Record:
    """Return the item with references for its secrets, whose values go to `secrets`."""
    shown = dict(item)
    for option in resource.secrets:
        if item.get(option):
            name = _variable([key, resource.name_of(item), option], secrets)
            secrets[name] = item[option]
            shown[option] = reference(name)
    return shown


def reference(variable: str) -> str:
    """Return how a policy refers to a variable."""
    return "{{ " + variable + " }}"


def _variable(parts: Iterable[str], taken: Mapping[str, str]) -> str:
    """Return a variable name made of the parts that is not taken yet."""
    words = [re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_") for part in parts]
    name = "_".join(["vault_odoo", *(word for word in words if word)])
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    return unique
