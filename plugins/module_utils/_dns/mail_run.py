# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module mail_dns: the wishes for domains, with the limits of SPF, fulfilled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dkim, lookup, mail, modules, spf
from ansible_collections.mailops.odoo.plugins.module_utils._dns.limits import Planned, SpfLimit
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Wish
from ansible_collections.mailops.odoo.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wishes import SpfWish

# All that may be asked to count SPF's look-ups may take, in seconds.
BUDGET = 60.0


def run() -> None:
    """Run the module mail_dns."""
    module = modules.make_module(
        {
            "domains": {"type": "list", "elements": "dict", "options": mail.DOMAIN, "required": True},
            "resolver": {"type": "list", "elements": "str"},
        }
    )
    if dkim.IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("dkimpy"), exception=dkim.IMPORT_ERROR)
    params, warned = module.params, set()

    def warn(text: str) -> None:
        # Planned anew, the same is told again.
        if text not in warned:
            warned.add(text)
            module.warn(text)

    def make() -> list[Wish]:
        wishes = [wish for one in params["domains"] for wish in mail.of_domain(one, params["zone"])]
        mail.check(wishes)
        if not any(isinstance(wish, SpfWish) for wish in wishes):
            return wishes
        resolve = Resolver(params["resolver"] or lookup.system_resolvers(), params["timeout"], budget=BUDGET)
        return limited(wishes, resolve, warn)

    modules.run(module, make)


def limited(wishes: Sequence[Wish], resolve: spf.Resolve, warn: Callable[[str], None]) -> list[Wish]:
    """Return the wishes with the limits of SPF for each name that one is for."""
    planned = Planned(wishes, resolve)
    keys = dict.fromkeys(wish.key for wish in wishes if isinstance(wish, SpfWish))
    return [*wishes, *(SpfLimit(key, planned, warn) for key in keys)]
