# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Odoo's records against the policy, and the document."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check, failed, passed, skipped, unseen
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import (
    CHECK_MODE,
    Place,
    Policy,
    known,
    unknowns,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import mass_mailing
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.catalogue import CATALOGUE
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.document import render

SECRETS = {"odoo_password": "ODOO_PASSWORD", "odoo_api_key": "ODOO_API_KEY"}
APPLY = "site.yml --tags odoo --check --diff shows how; without --check it puts it right."
SHOWN = 60  # characters of a value


def blocked(policy: Policy, place: Place, connection: Any) -> str:
    """Return why Odoo is not to be asked, '' if it is; `connection` is odoo_connection, nothing if there is none."""
    if place.left_out("odoo"):
        return place.left_out("odoo")
    if place.check_mode:
        return CHECK_MODE
    if policy.trouble:
        return policy.trouble
    if unknowns(policy.given["odoo"]):
        return f"the policy's section odoo cannot be read: {'; '.join(unknowns(policy.given['odoo']))}"
    if not connection:
        return "odoo_connection is not defined, or names a variable that is not"
    login = known(connection)
    if unknowns(login):
        return f"odoo_connection cannot be read: {'; '.join(unknowns(login))}"
    given = [name for name, variable in SECRETS.items() if login.get(name) or variable in place.environment]
    return "" if given else f"there is no login to Odoo: odoo_connection has no {' and no '.join(SECRETS)}"


def checks(policy: Policy, place: Place, connection: Any, result: Any) -> list[Check]:
    """Return the checks of a database; `result` is that of mail_drift_info.

    Servers that the policy does not name are wrong only if it says that there are to be none.
    """
    why = blocked(policy, place, connection)
    if why:
        return [skipped("ODOO", place.host, why, asked=not place.left_out("odoo"))]
    lacking = unseen("ODOO", place.host, result, "drift", "Check odoo_connection, and that Odoo runs.")
    if lacking:
        return [lacking]
    section = policy.applied["odoo"]
    archives = section.get("unmanaged_servers") == "archive"
    differing: dict[tuple[str, str], Mapping[str, Any]] = {}
    for drift in result["drift"]:
        if drift["what"] != "undeclared" or (archives and drift["setting"] == "servers"):
            differing.setdefault(_key(drift, section), drift)
    agreeing = [key for key in names(section) if key not in differing]
    return [
        *(_different(place.host, key, drift) for key, drift in differing.items()),
        *(passed(f"ODOO.{setting}.{name}", place.host, "as the policy says") for setting, name in agreeing),
    ]


def names(section: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return setting and name of each record of the policy, as mail_drift_info names them."""
    found = []
    for key, resource in CATALOGUE.items():
        for number, item in enumerate(section.get(key, [])):
            checked = resource.check(item, f"{key}[{number}]")
            found.append((key, _whole(key, resource.name_of(checked), section)))
    if mass_mailing.KEY in section:
        found.append(_campaigns(section))
    return found


def _whole(setting: str, name: str, section: Mapping[str, Any]) -> str:
    """Return a name; an alias without its domain is of the policy's only one, which Odoo perhaps does not have yet."""
    domains = [str(item["name"]).lower() for item in section.get("alias_domains", [])]
    return f"{name} @ {domains[0]}" if setting == "aliases" and "@" not in name and len(domains) == 1 else name


def _campaigns(section: Mapping[str, Any]) -> tuple[str, str]:
    return mass_mailing.KEY, str(section.get(mass_mailing.KEY) or "none")


def _key(drift: Mapping[str, Any], section: Mapping[str, Any]) -> tuple[str, str]:
    if drift["setting"] == mass_mailing.KEY:  # two parameters
        return _campaigns(section)
    setting = str(drift["setting"])
    return setting, _whole(setting, str(drift["name"]), section)


def _different(host: str, key: tuple[str, str], drift: Mapping[str, Any]) -> Check:
    name = ".".join(["ODOO", *key])
    if drift["what"] == "missing":
        return failed(name, host, "missing in Odoo", APPLY)
    if drift["what"] == "undeclared":
        fix = "Name it in the policy, or run site.yml --tags odoo, which archives it."
        return failed(name, host, "in Odoo and active, but not in the policy", fix)
    said = [
        f"{field} is {_value(drift['before'].get(field))}, not {_value(drift['after'].get(field))}"
        for field in drift["fields"]
    ]
    return failed(name, host, f"different: {'; '.join(said)}", APPLY)


def _value(value: Any) -> str:
    text = ", ".join(str(part) for part in value) if isinstance(value, (list, tuple)) else str(value)
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return "empty" if value in (None, "", []) else shown


def document(policy: Policy, place: Place, given: Mapping[str, Any]) -> Check:
    """Return the check of the document; `given` has its path, whether it exists, and its text."""
    name, path = "ODOO.document", posixpath.normpath(str(given["path"]))
    if place.left_out("document"):
        return skipped(name, place.host, place.left_out("document"), asked=False)
    if place.check_mode:
        return skipped(name, place.host, CHECK_MODE)
    if policy.trouble:
        return skipped(name, place.host, policy.trouble)
    if not given["exists"]:
        return skipped(name, place.host, f"there is no {path}", "The playbook mailops.odoo.document writes it.", False)
    if known(given)["text"] != render(policy.given):
        fix = "Run the playbook mailops.odoo.document, and commit both."
        return failed(name, place.host, f"{path} is not what the policy says any more", fix)
    return passed(name, place.host, f"{path} is what the policy says")
