# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as its calls see it: state, resolver, limits."""

from __future__ import annotations

import dataclasses

from . import passwords
from .calls import Call, refused
from .records import Resolver
from .state import Domain, State


@dataclasses.dataclass
class Simulator:
    """What all calls share. Times are in seconds."""

    state: State
    resolver: Resolver
    verify_interval: float = 1.0  # between two look-ups for one domain
    deletion_time: float = 0.5  # until a deleted domain is gone

    def set_password(self, domain: Domain, login: str, password: str) -> None:
        """Give a login another password; the caller saves. Refused if Mailgun would not take it."""
        credential = domain.credentials[login]
        if problem := passwords.problem(password):
            raise refused(400, problem)
        if passwords.matches(password.encode(), credential.password):
            raise refused(400, "New password cannot be the same as old password.")
        credential.password = passwords.hashed(password)


def domain_of(simulator: Simulator, call: Call) -> Domain:
    """Return the domain in the path, if it is the account's."""
    return found(simulator, call, call.path["name"])


def found(simulator: Simulator, call: Call, name: str) -> Domain:
    """Return a domain of the account in this region: others' are as if they did not exist."""
    domain = simulator.state.find(call.region, name)
    if domain is None or domain.account != call.account:
        raise refused(404, "Domain not found")
    return domain
