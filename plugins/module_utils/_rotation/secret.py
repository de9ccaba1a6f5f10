# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a secret that is rotated is: where it is kept, what knows it, and under which names of a pair. Pure.

Nothing here holds a value.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

# An SMTP login at Mailgun; the token that Odoo and the bridge share; a user's API key in Odoo; what a provider gives by
# hand: an API key, an API token, a TSIG key.
MAILGUN_LOGIN, BRIDGE_TOKEN, ODOO_API_KEY, GIVEN = "mailgun_login", "bridge_token", "odoo_api_key", "given"
KINDS = (MAILGUN_LOGIN, BRIDGE_TOKEN, ODOO_API_KEY, GIVEN)
# Whose values are made up here; the others' are made by Odoo, or given.
GENERATED = (MAILGUN_LOGIN, BRIDGE_TOKEN)
# Two names at the provider that alternate; or one, whose secret is changed in place.
PAIR, IN_PLACE = "pair", "in_place"
STRATEGIES = (PAIR, IN_PLACE)
# What the variable of the name that is in force ends in, for kinds that have names.
NAMED = {MAILGUN_LOGIN: "login", ODOO_API_KEY: "name", GIVEN: "name"}
SECOND = "-2"


@dataclass(frozen=True)
class Place:
    """Where a secret is used: a host of the inventory, and the path of the setting in its variables."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.path} of {self.host}"


@dataclass(frozen=True)
class Variables:
    """The names of the vault's variables for a secret. The last three are "" for a kind without names.

    Only `current`, `rotated` and `active` stay when a rotation is over.
    """

    current: str
    next: str
    previous: str  # what both sides still accept
    rotated: str  # when: RFC 3339
    rotation: str  # who rotates it and how far
    active: str  # the name that `current` is for; where it is missing the policy's
    next_active: str
    former: str  # the name that is to be removed at the provider

    def all(self) -> tuple[str, ...]:
        """Return those that there are."""
        return tuple(name for name in asdict(self).values() if name)


@dataclass(frozen=True)
class Secret:
    """A secret: the variable `name` of the vault file `file` (a relative path starts in the inventory's folder).

    `base` is the login or name of a key that the policy knows it by, "" for a kind without names. `max_age` is in days,
    None where it is as the run says. `about` is what the kind's tasks need beside it, without any value:

    - mailgun_login: domain (as the policy writes it), region, servers (Odoo's, by name)
    - bridge_token: databases (names in the bridge's configuration)
    - odoo_api_key: url, database, login, password (whether the inventory has one, which alone makes a key)
    - given: service (mailgun, rfc2136, digitalocean, cloudflare), zones (names; none for mailgun), renamed (whether the
      inventory takes the TSIG key's name from the vault, so that a key of another name can follow)

    `problem` says why it cannot be rotated, "" where it can.
    """

    name: str
    kind: str
    file: str
    places: tuple[Place, ...]
    strategy: str = PAIR
    base: str = ""
    max_age: float | None = None
    about: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def variables(self) -> Variables:
        """Return the names of its variables."""
        return variables(self.name, self.kind)

    @property
    def hosts(self) -> list[str]:
        """Return the hosts that use it, each once."""
        return list(dict.fromkeys(place.host for place in self.places))

    def shown(self) -> dict[str, Any]:
        """Return it as a dictionary, with its variables and hosts."""
        return {**asdict(self), "variables": asdict(self.variables), "hosts": self.hosts}


def variables(name: str, kind: str) -> Variables:
    """Return the names of a secret's variables."""
    label = NAMED.get(kind)
    return Variables(
        current=name,
        next=f"{name}_next",
        previous=f"{name}_previous",
        rotated=f"{name}_rotated",
        rotation=f"{name}_rotation",
        active=f"{name}_{label}" if label else "",
        next_active=f"{name}_next_{label}" if label else "",
        former=f"{name}_former_{label}" if label else "",
    )


def alternate(base: str, active: str = "") -> str:
    """Return the name of a pair that is not active: `no-reply@mg.x` and `no-reply-2@mg.x`, `mailops` and `mailops-2`.

    Where neither is active, because the policy's name was changed, it is the policy's.
    """
    local, at, domain = base.partition("@")
    return f"{local}{SECOND}{at}{domain}" if (active or base) == base else base
