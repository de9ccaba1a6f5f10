# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of given senders, or of all that are known, as results show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses, mail_address, registry, senders
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import Mail, Registry, Route, Router


def by_database(client: OdooClient, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return `routes`, `unknown` and `version` of a database, in a constant number of reads.

    `asked` holds the options of the module mail_route_info: `senders` (None for all that are known) and, for those,
    `author`, `alias_domain` and `server`. Raises ValidationError for a sender that is no address, NotFoundError for what
    the database does not have.
    """
    mails = None if asked["senders"] is None else given(asked["senders"])
    known = registry.read(client)
    if mails is None:
        found = senders.read(client)
        return {**_routed(known, found.mails), "unknown": found.unknown}
    names = _with_names(client, mails, asked)
    return {**_routed(known, [_checked(mail, known) for mail in names]), "unknown": []}


def by_policy(
    policy: Mapping[str, Any], asked: Sequence[str] | None = None, series: int | None = None
) -> dict[str, Any]:
    """Return the same for a policy alone; `unknown` says what it leaves open.

    `series` is 14 to 19; the policy's own (`odoo.version`) if it is None, else the latest.
    """
    section = policy.get("odoo") or {}
    number = int(series or section.get("version") or registry.LAST)
    known = registry.from_policy(section, number)
    mails = senders.from_policy(section, number) if asked is None else given(asked)
    return {**_routed(known, mails), "unknown": registry.unsaid(section, number)}


def given(texts: Sequence[str]) -> list[Mail]:
    """Return a mail for each sender; ValidationError naming what is no address."""
    for number, text in enumerate(texts):
        found = mail_address.split(str(text))
        try:
            if len(found) != 1:
                raise ValueError("this is not one e-mail address, with a name or without")
            addresses.address(found[0][1])
        except ValueError as error:
            raise ValidationError(f"senders[{number}] is {str(text)!r}: {error}") from None
    return [Mail(str(text)) for text in texts]


def _with_names(client: OdooClient, mails: Iterable[Mail], asked: Mapping[str, Any]) -> list[Mail]:
    """Return the mails with what was said of all of them; NotFoundError for an author who is no user."""
    author, name = asked["author"] or "", ""
    if author:
        users = client.search_read("res.users", [("login", "=", author)], ["name"])
        if not users:
            raise NotFoundError(f"author is {author!r}: this Odoo has no user with that login")
        name = str(users[0]["name"])
    domain, server = asked["alias_domain"] or "", asked["server"] or ""
    return [Mail(mail.email_from, domain, author, server, author_name=name) for mail in mails]


def _checked(mail: Mail, known: Registry) -> Mail:
    names = {
        "alias_domain": [domain.name for domain in known.alias_domains],
        "server": [server.name for server in known.servers],
    }
    for option, there in names.items():
        value = getattr(mail, option)
        if value and value not in there:
            what = option.replace("_", " ")
            raise NotFoundError(
                f"{option} is {value!r}: this Odoo has no such {what}", f"It has: {', '.join(there) or 'none'}."
            )
    return mail


def _routed(known: Registry, mails: Iterable[Mail]) -> dict[str, Any]:
    router = Router(known)
    return {"routes": [shown(router.route(mail)) for mail in mails], "version": known.series}


def shown(route: Route) -> dict[str, Any]:
    """Return a route as results show it; `server` is None for the one of odoo.conf."""
    return {
        "sender": route.mail.email_from,
        "what": route.mail.what,
        "server": route.server.name if route.server else None,
        "from": route.email_from,
        "envelope_from": route.envelope_from,
        "reply_to": route.reply_to,
        "step": route.step,
        "reason": route.reason,
        "warnings": list(route.warnings),
    }
