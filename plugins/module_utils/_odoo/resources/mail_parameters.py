# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system parameters that bear on mail: what each may hold, and by what it can be seen whether Odoo reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses


@dataclass(frozen=True)
class Sign:
    """A field whose presence tells what a database reads; `first` is the first version that has it, 0 for none."""

    model: str
    field: str
    first: int

    @property
    def since(self) -> str:
        """Return which versions have it, for messages."""
        return f"{self.first} and later"


ALIAS_DOMAINS = Sign("mail.alias.domain", "name", 17)
# The list of allowed senders came with the loop limits, in 16.
LOOP_LIMITS = Sign("mail.gateway.allowed", "email", 16)
FROM_FILTERS = Sign("ir.mail_server", "from_filter", 15)
PERSONAL_SERVERS = Sign("ir.mail_server", "owner_user_id", 19)
MINUTES_OF_A_YEAR = 525600
SIGNS = (ALIAS_DOMAINS, LOOP_LIMITS, FROM_FILTERS, PERSONAL_SERVERS)


def _same(value: str) -> str:
    return value


@dataclass(frozen=True)
class MailParameter:
    """What is known of one parameter.

    `normalize` returns a value's canonical form or raises ValueError. Odoo reads the parameter only with the sign
    `needs`, and no longer with `replaced`; `instead` says what to use then. `doubtful` is the warning given instead of
    an error where `needs` is missing but some builds of the version do read it. `manager` is the module that sets
    the parameter better. A value of several parts needs the sign `lists`.
    """

    normalize: Callable[[str], str] = _same
    secret: bool = False
    needs: Sign | None = None
    replaced: Sign | None = None
    instead: str = ""
    doubtful: str = ""
    manager: str = ""
    lists: Sign | None = None


def _on(value: str) -> str:
    if value.strip().lower() not in ("true", "yes", "on", "1"):
        raise ValueError("Odoo takes any text here for yes, 'False' too; to turn it off, delete it with state: absent")
    return "True"


def _minutes(value: str) -> str:
    # Odoo subtracts them from the present; a moment before the year 1 would stop every incoming mail.
    if not re.fullmatch(r"[0-9]{1,6}", value.strip()) or not 1 <= int(value) <= MINUTES_OF_A_YEAR:
        raise ValueError(f"this must be a whole number from 1 to {MINUTES_OF_A_YEAR}")
    return str(int(value))


def _at_least(minimum: int) -> Callable[[str], str]:
    def checked(value: str) -> str:
        if not re.fullmatch(r"[0-9]+", value.strip()) or int(value) < minimum:
            raise ValueError(f"this must be a whole number, {minimum} or more")
        return str(int(value))

    return checked


def _parts(value: str) -> list[str]:
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not parts:
        raise ValueError("this must be a comma-separated list with something in it")
    return parts


def _domains(value: str) -> str:
    return ",".join(sorted({addresses.domain(part) for part in _parts(value)}))


def _filter(value: str) -> str:
    return ",".join(addresses.from_filter(_parts(value)))


def _base_url(value: str) -> str:
    told = "this must be like https://odoo.example.com, without a path"
    try:
        parts = urlsplit(value.strip())
        port = parts.port
    except ValueError:
        raise ValueError(told) from None
    rest = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or rest:
        raise ValueError(told)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _outlook_secret(value: str) -> str:
    # Microsoft shows a GUID, the secret's ID, beside the value, which it shows only once.
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value.strip()):
        raise ValueError("this is the secret's ID (a GUID); Odoo needs the secret's value")
    return value.strip()


_ALIAS_DOMAIN = "Use alias_domain."
_BATCH = MailParameter(_at_least(1))

KNOWN: dict[str, MailParameter] = {
    "mail.catchall.domain": MailParameter(
        addresses.domain, replaced=ALIAS_DOMAINS, instead=_ALIAS_DOMAIN, manager="alias_domain"
    ),
    "mail.catchall.alias": MailParameter(
        addresses.local_part, replaced=ALIAS_DOMAINS, instead=_ALIAS_DOMAIN, manager="alias_domain"
    ),
    "mail.bounce.alias": MailParameter(
        addresses.local_part, replaced=ALIAS_DOMAINS, instead=_ALIAS_DOMAIN, manager="alias_domain"
    ),
    "mail.default.from": MailParameter(
        addresses.address_or_local_part, replaced=ALIAS_DOMAINS, instead=_ALIAS_DOMAIN, manager="alias_domain"
    ),
    "mail.catchall.domain.allowed": MailParameter(
        _domains,
        needs=LOOP_LIMITS,
        doubtful="builds of Odoo 14 and 15 from before spring 2023 do not read it",
    ),
    # 15 and 16 compare the whole text with the address and its domain.
    "mail.default.from_filter": MailParameter(
        _filter,
        needs=FROM_FILTERS,
        instead="Odoo 14 sends everything through the server with the lowest sequence.",
        lists=ALIAS_DOMAINS,
    ),
    "mail.gateway.loop.minutes": MailParameter(
        _minutes, needs=LOOP_LIMITS, instead="Limit the rate of a sender in Postfix."
    ),
    "mail.gateway.loop.threshold": MailParameter(
        _at_least(1), needs=LOOP_LIMITS, instead="Limit the rate of a sender in Postfix."
    ),
    "mail.disable_personal_mail_servers": MailParameter(
        _on, needs=PERSONAL_SERVERS, instead="Before, there are no personal servers."
    ),
    # No code of 14 to 19 reads it, though it is often recommended.
    "mail.force.smtp.from": MailParameter(
        needs=Sign("", "", 0), instead="A server's from_filter and the alias domain's default_from decide the sender."
    ),
    "mail.session.batch.size": _BATCH,
    "mail.mail.queue.batch.size": MailParameter(
        _at_least(1), needs=ALIAS_DOMAINS, instead="Before, Odoo takes 10,000 mails from the queue at a time."
    ),
    "mail.batch_size": _BATCH,
    # 0 sends everything by way of the queue.
    "mail.mail.force.send.limit": MailParameter(_at_least(0)),
    "mass_mailing.outgoing_mail_server": MailParameter(_on, manager="mass_mailing_server"),
    "mass_mailing.mail_server_id": MailParameter(_at_least(1), manager="mass_mailing_server"),
    "base_setup.default_external_email_server": MailParameter(_on),
    "web.base.url": MailParameter(_base_url),
    "web.base.url.freeze": MailParameter(_on),
    "google_gmail_client_id": MailParameter(str.strip),
    "google_gmail_client_secret": MailParameter(str.strip, secret=True),
    "microsoft_outlook_client_id": MailParameter(str.strip),
    "microsoft_outlook_client_secret": MailParameter(_outlook_secret, secret=True),
}
# The long ones are of Odoo's apps: a Google service account with its key, a consent's code, the subscription's code.
_SECRET_WORDS = re.compile(
    r"secret|token|passw|pwd|key|credential|account_info|authorization_code|enterprise_code", re.IGNORECASE
)


def is_secret(key: str) -> bool:
    """Whether a parameter's value is hidden when nobody said whether it is one: by its name."""
    return bool(_SECRET_WORDS.search(key))


def signs(series: int) -> set[Sign]:
    """Return what a database of a version shows, 19 for Odoo 19."""
    return {sign for sign in SIGNS if sign.first <= series}


def trouble(key: str, value: str, seen: Container[Sign], odoo: str = "this Odoo") -> tuple[str, str]:
    """Return why a known parameter does nothing in a database that shows these signs, and what to do.

    Two empty texts mean that it is read. `odoo` is what the text calls that database's version.
    """
    known = KNOWN[key]
    if known.replaced and known.replaced in seen:
        return f"would have no effect: {odoo} has {known.replaced.model} and does not read it", known.instead
    if known.needs and known.needs not in seen and not known.doubtful:
        readers = f"only Odoo {known.needs.since} reads it" if known.needs.first else "no Odoo from 14 on reads it"
        return f"would have no effect: {readers}", known.instead
    if known.lists and known.lists not in seen and "," in value:
        return f"is {value!r}: only Odoo {known.lists.since} takes a list", "Give one domain or address."
    return "", ""


def meaning(key: str, stored: str) -> str:
    """Return a stored value in canonical form, or as it is if it has none."""
    try:
        return KNOWN[key].normalize(stored) if key in KNOWN else stored
    except ValueError:
        return stored
