# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator has to know about Odoo's choice of a server, for the document."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing_rules import RULES

NO_FAIL_OVER = (
    "**Odoo never fails over.** It chooses one server for a mail. If that one is down, the mail stays in Odoo with an "
    "error; no other server takes it. A server with a higher sequence is no reserve."
)
FILTERS = (
    "**Filters decide.** First a server whose filter has the sender's whole address, then one whose filter has its "
    "domain, then the same for the default sender of the alias domain, then the first server without a filter, then "
    "the first server at all. A domain does not cover its subdomains, and `@domain` never matches."
)
SEQUENCE = "**The sequence decides only between servers that match equally well**; the lower one is first."
OLDER_FIRST = "Of equal sequences the older server is first."
OPEN = "Equal sequences leave it open."
BOUNCE = (
    "**A filter of addresses names the bounce address too.** Odoo uses its bounce address as envelope sender only on a "
    "server whose filter has it or that has none, and otherwise never learns that a mail could not be delivered."
)
NO_FILTERS = "**The lowest sequence sends everything.** It has no filters. Equal sequences leave it open."
NO_RENUMBERING = (
    "**Do not renumber servers in Odoo.** Change `sequence` in the policy; then this document and Odoo say the same, "
    "and `verify.yml` fails where they do not."
)
NO_ADDING = "**Do not add servers by hand.** One {how} takes mail from these without a word. {then}"
BETTER = "with a filter that matches better or with a lower sequence"
LOWER = "with a lower sequence"
UNMANAGED = {
    "report": "Each run warns of such a server.",
    "archive": "Each run archives such a server.",
    "ignore": "Nothing looks for such servers.",
}


def to_know(series: int, unmanaged: str) -> Iterator[str]:
    """Yield the rules as Markdown, for a series of Odoo and a mode of `unmanaged_servers`."""
    rules = RULES[series]
    yield NO_FAIL_OVER
    if rules.filters:
        yield FILTERS
        yield f"{SEQUENCE} {OLDER_FIRST if rules.ties_by_id else OPEN}"
        yield BOUNCE
    else:
        yield NO_FILTERS
    yield NO_RENUMBERING
    yield NO_ADDING.format(how=BETTER if rules.filters else LOWER, then=UNMANAGED[unmanaged])
