# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers nobody declared take mail that a declared one is meant to send."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import Mail, Registry, Router, Server


@dataclass(frozen=True)
class Taken:
    """A mail that an undeclared server takes, and the name of the declared server that would send it otherwise."""

    mail: Mail
    loser: str


@dataclass(frozen=True)
class Shadow:
    """An undeclared server and what it takes; nothing, if it is in nobody's way."""

    server: Server
    takes: tuple[Taken, ...]


def undeclared(registry: Registry, declared: Collection[str]) -> tuple[Server, ...]:
    """Return the active servers whose names are not declared; a user's own server (19) is nobody else's business."""
    return tuple(
        server for server in registry.servers if server.active and not server.owner and server.name not in declared
    )


def shadows(registry: Registry, declared: Collection[str], mails: Iterable[Mail]) -> list[Shadow]:
    """Return each undeclared active server, in the registry's order, with the mails it takes from declared ones.

    Each mail is routed as things are, and as if no undeclared server were there. What would leave by odoo.conf then is
    taken from nobody. `declared` holds names of servers.
    """
    strange = undeclared(registry, declared)
    if not strange:
        return []
    meant = replace(registry, servers=tuple(one for one in registry.servers if one not in strange))
    with_them, without = Router(registry), Router(meant)
    takes: dict[Server, list[Taken]] = {server: [] for server in strange}
    for mail in mails:
        server = _server(with_them, registry, mail)
        if server in takes:
            loser = _server(without, meant, mail)
            if loser and loser.name in declared:
                takes[server].append(Taken(mail, loser.name))
    return [Shadow(server, tuple(taken)) for server, taken in takes.items()]


def _server(router: Router, registry: Registry, mail: Mail) -> Server | None:
    """Return the server of the registry by which the mail leaves, None if it leaves by none of them.

    A template that demands a server which is not there has none; likewise an alias domain.
    """
    servers, domains = ([one.name for one in found] for found in (registry.servers, registry.alias_domains))
    fitting = replace(
        mail,
        server=mail.server if mail.server in servers else "",
        alias_domain=mail.alias_domain if mail.alias_domain in domains else "",
    )
    try:
        route = router.route(fitting)
    except ValidationError:  # what is no address is sent by nobody
        return None
    return None if route.step == "refused" else route.server
