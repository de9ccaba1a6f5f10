# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the world will see when no cache holds anything old: some names asked for at their zones' own servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._dns import lookup, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.finding import Finding, query
from ansible_collections.mailops.odoo.plugins.module_utils._dns.resolver import Resolver

TYPE = "TXT"


class Fresh:
    """Looks names up, as spf.Resolve wants it: texts that were asked for before as the zones' servers have them.

    All else, what is an alias, and what those servers do not agree about or do not tell, the resolvers say.
    """

    def __init__(self, resolvers: Sequence[str], timeout: float, port: int = 53) -> None:
        self._resolvers, self._timeout, self._port = resolvers, timeout, port
        self._resolve = Resolver(resolvers, timeout, port)
        self._known: dict[str, tuple[str, ...]] = {}

    def ask(self, names: Iterable[str]) -> None:
        """Ask the zones' servers for the texts at these names. Raises ValidationError if one is none."""
        queries = [query(name, TYPE) for name in dict.fromkeys(names)]
        if queries:
            for found in lookup.look_up(queries, self._resolvers, self._timeout, self._port):
                self._keep(found)

    def _keep(self, found: Finding) -> None:
        said = {(reply.kind, reply.values) for reply in found.told}
        if len({there for _kind, there in said}) == 1 and not any(kind == "cname" for kind, _there in said):
            self._known[values.shown(found.query.name)] = next(there for _kind, there in said)

    def __call__(self, name: str, record_type: str) -> Sequence[str]:
        """Return the values at a name, none if it has none; TemporaryError if that is not known."""
        at = name.lower().rstrip(".")
        if record_type == TYPE and at in self._known:
            return self._known[at]
        return self._resolve(name, record_type)
