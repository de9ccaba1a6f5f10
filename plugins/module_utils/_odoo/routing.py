# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server takes a mail, and with which addresses it leaves: Odoo's own choice (14 to 19) as a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Server:
    """An outgoing server (`ir.mail_server`), as far as its choice goes.

    `from_filter` is the text that Odoo stores. `id` breaks ties from 17 on; 0 for a server that is not in Odoo yet.
    `owner` is a login (19): the server is for that user's mail alone.
    """

    name: str
    sequence: int = 10
    from_filter: str = ""
    active: bool = True
    id: int = 0
    authentication: str = "login"
    owner: str = ""


@dataclass(frozen=True)
class AliasDomain:
    """An alias domain (17 and later), or what the parameters `mail.*` say (up to 16). What is not set is empty."""

    name: str
    bounce_alias: str = ""
    catchall_alias: str = ""
    default_from: str = ""

    @property
    def bounce_email(self) -> str:
        """Return the address at which failures come back."""
        return f"{self.bounce_alias}@{self.name}" if self.bounce_alias and self.name else ""

    @property
    def catchall_email(self) -> str:
        """Return the address at which replies come back."""
        return f"{self.catchall_alias}@{self.name}" if self.catchall_alias and self.name else ""

    @property
    def default_from_email(self) -> str:
        """Return the sender that Odoo uses when no server takes the real one; a whole address stays as it is."""
        if "@" in self.default_from:
            return self.default_from
        return f"{self.default_from}@{self.name}" if self.default_from and self.name else ""


@dataclass(frozen=True)
class Registry:
    """Everything by which one Odoo chooses.

    `series` is 14 to 19. `companies` has company → name of its alias domain (17 and later); `company` is that of the user
    in whose name Odoo sends. `configuration` holds what odoo.conf says (`from_filter`, `email_from`, `smtp_server`), as
    far as it is known. `default_from_filter` is the parameter `mail.default.from_filter`, None where it is not set.
    """

    series: int
    servers: tuple[Server, ...] = ()
    alias_domains: tuple[AliasDomain, ...] = ()
    companies: Mapping[str, str] = field(default_factory=dict)
    company: str = ""
    configuration: Mapping[str, str] = field(default_factory=dict)
    default_from_filter: str | None = None
    personal_servers: bool = True


@dataclass(frozen=True)
class Mail:
    """A mail that Odoo is to send.

    `email_from` is an address, with a name or without. `alias_domain` is that of the record the mail is about (17 and later;
    empty for none). `author` is the login of the user who writes it. `server` is the name of the server that a template, a
    mailing or Email Marketing's setting demands; `what` says in a word or two what kind of sender it is.
    """

    email_from: str
    alias_domain: str = ""
    author: str = ""
    server: str = ""
    what: str = ""


@dataclass(frozen=True)
class Route:
    """How a mail leaves. `server` is None for the one of odoo.conf or the command line.

    `email_from` is the header From as the recipient sees it, `envelope_from` the sender that bounces go to. `step` says
    which of Odoo's rules decided (`STEPS`), `reason` the same as a sentence; `warnings` what is amiss with it.
    """

    mail: Mail
    server: Server | None
    email_from: str
    envelope_from: str
    reply_to: str
    step: str
    reason: str
    warnings: tuple[str, ...] = ()
