# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing servers that log in by OAuth: what Odoo's apps google_gmail and microsoft_outlook want of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record


@dataclass(frozen=True)
class Service:
    """One provider: its host, and Odoo's fields for it.

    `flag` is the boolean that stands for the authentication up to 15 (and late 14); `consent` holds what the
    administrator's consent in the browser leaves, `access` what Odoo gets for it and keeps for an hour. Where it
    `rotates`, Odoo replaces the first each time it gets the second.
    """

    host: str
    flag: str
    consent: str
    access: str
    rotates: bool


SERVICES = {
    "gmail": Service(
        "smtp.gmail.com",
        "use_google_gmail_service",
        "google_gmail_refresh_token",
        "google_gmail_access_token",
        rotates=False,
    ),
    "outlook": Service(
        "smtp.outlook.com",
        "use_microsoft_outlook_service",
        "microsoft_outlook_refresh_token",
        "microsoft_outlook_access_token",
        rotates=True,
    ),
}


def kind(values: Mapping[str, Any]) -> str:
    """Return `gmail`, `outlook` or nothing, whichever way the version says it."""
    if values.get("smtp_authentication") in SERVICES:
        return str(values["smtp_authentication"])
    return next((name for name, service in SERVICES.items() if values.get(service.flag)), "")


def lacks_consent(values: Mapping[str, Any]) -> bool:
    """Whether the server cannot send before somebody has pressed Connect in Odoo."""
    name = kind(values)
    return bool(name) and not values.get(SERVICES[name].consent)


def complete(item: Mapping[str, Any], record: Mapping[str, Any] | None) -> Record:
    """Return the item with what Odoo's form would fill in: its onchange methods do not run over the API."""
    completed = dict(item)
    present = record or {}
    before, after = kind(present), kind({**present, **item})
    if after and after != before:
        completed = {"smtp_host": SERVICES[after].host, "smtp_port": 587, "encryption": "starttls", **completed}
        user = item.get("smtp_user", present.get("smtp_user"))
        # 14 has neither field.
        if user and "smtp_authentication" in item and present.get("from_filter") is None:
            completed.setdefault("from_filter", [user.strip().lower()])
    if after and completed.get("encryption") == "starttls_strict":
        completed["encryption"] = "starttls"
    for name, service in SERVICES.items():
        if name == before and name != after:
            completed.setdefault(service.consent, None)
        _complete_tokens(service, completed, present)
    return completed


def _complete_tokens(service: Service, completed: Record, present: Mapping[str, Any]) -> None:
    if service.consent not in completed:
        return
    stored = present.get(service.consent)
    if service.rotates and stored and completed[service.consent]:
        # Ours is an older one.
        del completed[service.consent]
    elif completed[service.consent] != stored and service.access in present:
        # A kept access token would go on being used for the account it was given for.
        completed[service.access] = None


def check(record: Mapping[str, Any], place: str) -> None:
    """Check Odoo's own conditions before it does; raise ValidationError."""
    name = kind(record)
    if not name:
        return
    if record.get("smtp_pass"):
        raise ValidationError(
            f"{place}: smtp_pass does not go with smtp_authentication {name}, which logs in by OAuth",
            "Clear it: smtp_pass: null.",
        )
    if record.get("encryption") != "starttls":
        raise ValidationError(f"{place}: smtp_authentication {name} takes encryption starttls and no other")
    if not record.get("smtp_user"):
        raise ValidationError(f"{place}: smtp_authentication {name} needs smtp_user, the address of the account")
