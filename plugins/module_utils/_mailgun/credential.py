# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP credentials at Mailgun: their options and what may be done to them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Resource
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses

SHORTEST, LONGEST = 5, 32
# Made with the domain and deleted with it.
SYSTEM = "postmaster"


def _password(value: str) -> str:
    if not SHORTEST <= len(value) <= LONGEST:
        raise ValueError(f"has {len(value)} characters; Mailgun takes {SHORTEST} to {LONGEST}")
    if not value.isprintable():
        raise ValueError("has a character that cannot be printed")
    return value


@dataclass(frozen=True)
class Credential(Resource):
    """The credentials of one domain; a login may be given without it."""

    domain: str = ""

    def check(self, item: Mapping[str, Any], place: str) -> Record:
        """Return the item with its login as `local@domain`, in lower case."""
        login = item.get("login")
        if isinstance(login, str) and login and "@" not in login:
            item = {**item, "login": f"{login}@{self.domain}"}
        return super().check(item, place)

    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Refuse a login of another domain, and an empty password."""
        if not item["login"].endswith(f"@{self.domain}"):
            raise ValidationError(f"{place}.login is {item['login']!r}, which is not of the domain {self.domain}")
        if item.get("password", "") is None:
            raise ValidationError(f"{place}.password cannot be empty", "Leave it out to leave it as it is.")

    def needed(self, item: Mapping[str, Any]) -> list[str]:
        """Return the password: Mailgun would make one and show it once."""
        return ["password"]

    def prunable(self, record: Mapping[str, Any]) -> bool:
        """Return whether a prune may delete a login: not the system's."""
        return not is_system(record["login"])


def is_system(login: str) -> bool:
    """Whether a login is the one that belongs to the domain itself."""
    return login.partition("@")[0] == SYSTEM


def of(domain: str) -> Credential:
    """Return the resource for a domain's credentials; the name is in canonical form."""
    return Credential(
        model="credential",
        label="credential",
        plural="credentials",
        key=("login",),
        fields=(
            Field("login", normalize=addresses.address),
            Field("password", secret=True, normalize=_password),
        ),
        domain=domain,
    )


def check_deletions(changes: list[Change]) -> None:
    """Refuse to delete the system's login, which Mailgun would refuse too: ValidationError."""
    for change in changes:
        if change.action == "delete" and is_system(change.name):
            raise ValidationError(
                f"credential {change.name} belongs to the domain itself and cannot be deleted",
                "Give it a password that nobody knows.",
            )
