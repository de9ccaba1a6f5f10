# SPDX-License-Identifier: GPL-3.0-or-later
"""What Mailgun knows: domains with their settings, keys and credentials, in one JSON file."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import secrets
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from . import passwords

FILE = pathlib.Path("/var/lib/sandbox/mailgun.json")
REGIONS = ("us", "eu")


@dataclasses.dataclass
class Credential:
    """Who may log in by SMTP. `system` is the one that came with the domain."""

    login: str
    password: str  # see passwords.hashed
    created_at: str = dataclasses.field(default_factory=lambda: formatdate().replace("-0000", "+0000"))
    system: bool = False


@dataclasses.dataclass
class DkimKey:
    """A signing key; its private half is nowhere, as nothing is signed."""

    selector: str
    value: str  # the TXT record's
    active: bool = True


@dataclasses.dataclass
class Domain:
    """A domain of one account in one region."""

    name: str
    region: str
    account: str
    keys: list[DkimKey]
    settings: dict[str, Any]
    tracking: dict[str, dict[str, Any]]
    id: str = dataclasses.field(default_factory=lambda: secrets.token_hex(12))
    sender_security_id: str = dataclasses.field(default_factory=lambda: secrets.token_hex(3))
    created_at: str = dataclasses.field(default_factory=lambda: formatdate(usegmt=True))
    state: str = "unverified"
    disabled: dict[str, Any] | None = None
    # By record, see records.Record.key: what the last look-up found. A record without one was never looked up.
    found: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    valid: dict[str, str] = dataclasses.field(default_factory=dict)
    looked_up_at: float = 0.0
    gone_at: float | None = None  # deletion takes a moment
    credentials: dict[str, Credential] = dataclasses.field(default_factory=dict)

    @property
    def postmaster(self) -> str:
        """Return the login of the system mailbox."""
        return f"postmaster@{self.name}"

    def add_credential(self, login: str, password: str, system: bool = False) -> None:
        """Let `login` in with this password."""
        self.credentials[login] = Credential(login, passwords.hashed(password), system=system)


class State:
    """All domains. `save` after each change: the file then has it, whole, and another process reads it there."""

    def __init__(self, file: pathlib.Path) -> None:
        self._file = file
        self._domains: dict[str, Domain] = {}

    @classmethod
    def read(cls, file: pathlib.Path) -> State:
        """Return the state that the file has. Raises OSError or ValueError if it has none."""
        state = cls(file)
        for entry in json.loads(file.read_bytes())["domains"]:
            state.put(_domain(entry))
        return state

    def save(self) -> None:
        """Write the file; nobody ever reads half of it."""
        unfinished = self._file.with_suffix(".new")
        entries = [dataclasses.asdict(domain) for domain in self._present()]
        unfinished.write_text(json.dumps({"domains": entries}, indent=1) + "\n")
        os.replace(unfinished, self._file)

    def put(self, domain: Domain) -> None:
        """Add a domain."""
        self._domains[_key(domain.region, domain.name)] = domain

    def clear(self) -> None:
        """Forget all domains."""
        self._domains.clear()

    def find(self, region: str, name: str) -> Domain | None:
        """Return a domain, whoever has it."""
        domain = self._domains.get(_key(region, name))
        return domain if domain and not _is_gone(domain) else None

    def all(self, region: str, account: str) -> list[Domain]:
        """Return an account's domains in a region, by name."""
        mine = [domain for domain in self._present() if (domain.region, domain.account) == (region, account)]
        return sorted(mine, key=lambda domain: domain.name)

    def authenticates(self, region: str, login: str, password: bytes) -> bool:
        """Whether this is a login of a domain of the region, with its password."""
        domain = self.find(region, login.rpartition("@")[2])
        credential = domain.credentials.get(login.lower()) if domain else None
        return credential is not None and passwords.matches(password, credential.password)

    def refusal(self, region: str, login: str) -> str:
        """Return why Mailgun takes no mail from this login, though it may log in; nothing if it does."""
        name = login.rpartition("@")[2].lower()
        domain = self.find(region, name)
        if domain is None:
            return f"Domain {name} not found"
        return f"Domain {name} is disabled: {domain.disabled['reason']}" if domain.disabled else ""

    def _present(self) -> list[Domain]:
        return [domain for domain in self._domains.values() if not _is_gone(domain)]


def _key(region: str, name: str) -> str:
    return f"{region} {name.lower()}"


def _is_gone(domain: Domain) -> bool:
    return domain.gone_at is not None and domain.gone_at <= time.time()


def _domain(entry: Mapping[str, Any]) -> Domain:
    credentials = {login: Credential(**values) for login, values in entry["credentials"].items()}
    return Domain(**{**entry, "keys": [DkimKey(**key) for key in entry["keys"]], "credentials": credentials})
