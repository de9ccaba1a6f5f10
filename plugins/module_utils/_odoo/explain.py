# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of given senders, or of all that are known, as results show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses, mail_address, registry, senders
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import Mail, Registry, Route, Router


def by_database(client: OdooClient, asked: Sequence[Mail] | None = None) -> dict[str, Any]:
    """Return `routes`, `unknown` and `version` of a database, in a constant number of reads.

    `asked` are the mails to route; all senders that the database knows if it is None. `unknown` has a sentence for each
    sender that cannot be told beforehand. Raises NotFoundError for what a mail names and the database does not have.
    """
    known = registry.read(client)
    if asked is None:
        found = senders.read(client, known)
        return {**_routed(known, found.mails), "unknown": found.unknown}
    return {**_routed(known, _checked(client, asked, known)), "unknown": []}


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


def given(texts: Sequence[str], author: str = "", alias_domain: str = "", server: str = "") -> list[Mail]:
    """Return a mail for each sender, with what holds for all; ValidationError naming what is no address."""
    for number, text in enumerate(texts):
        found = mail_address.split(str(text))
        try:
            if len(found) != 1:
                raise ValueError("this is not one e-mail address, with a name or without")
            addresses.address(mail_address.on_the_wire(found[0][1]))
        except ValueError as error:
            raise ValidationError(f"senders[{number}] is {str(text)!r}: {error}") from None
    return [Mail(str(text), alias_domain, author, server) for text in texts]


def _checked(client: OdooClient, asked: Sequence[Mail], known: Registry) -> list[Mail]:
    """Return the mails with their authors' names; NotFoundError for what a mail names and this Odoo does not have."""
    logins = sorted({mail.author for mail in asked} - {""})
    users = client.search_read("res.users", [("login", "in", logins)], ["login", "name"]) if logins else []
    names = {str(user["login"]): str(user["name"]) for user in users}
    there = {
        "author": list(names),
        "alias_domain": [domain.name for domain in known.alias_domains if domain.name],
        "server": [server.name for server in known.servers],
    }
    for mail in asked:
        for option, values in there.items():
            value = getattr(mail, option)
            if value and value not in values:
                has = "" if option == "author" else f"It has: {', '.join(values) or 'none'}."
                what = {"author": "user", "alias_domain": "alias domain", "server": "outgoing server"}[option]
                raise NotFoundError(f"{option} is {value!r}: this Odoo has no such {what}", has)
    return [replace(mail, author_name=names.get(mail.author, "")) for mail in asked]


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
