# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record set as the modules dns_record_set and dns_record_sets take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import modules, records, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key, Wish
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wishes import ValuesWish

ITEM: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": list(records.TYPES), "required": True},
    "values": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent", "exact"], "default": "present"},
    "ttl": {"type": "int"},
}


def run_one() -> None:
    """Run dns_record_set."""
    module = modules.make_module(ITEM)
    modules.run(module, lambda: [wish(module.params)])


def run_many() -> None:
    """Run dns_record_sets."""
    spec = {"record_sets": {"type": "list", "elements": "dict", "options": ITEM, "required": True}}
    module = modules.make_module(spec)
    modules.run(module, lambda: [wish(item) for item in module.params["record_sets"]])


def wish(item: Mapping[str, Any]) -> Wish:
    """Return what an item wants; ValidationError if it cannot be."""
    record_type, state, ttl = item["type"], item["state"], item["ttl"]
    place = f"record set {item['name']} {record_type}"
    try:
        key = Key(values.name(item["name"]), record_type)
    except ValueError as error:
        raise ValidationError(f"{place}: {error}") from None
    if ttl is not None and not 1 <= ttl <= records.LONGEST_TTL:
        raise ValidationError(f"{place}: ttl is {ttl}", f"It must be from 1 to {records.LONGEST_TTL} seconds.")
    named = item["values"] or ()
    if not named and (state != "absent" or item["values"] is not None):
        # An empty list is perhaps a variable that came out empty, and would remove everything.
        raise ValidationError(
            f"{place}: values is empty", "To remove the whole record set, leave values out and say state: absent."
        )
    if state == "absent":
        return ValuesWish(key, absent=named, exact=not named)
    return ValuesWish(key, present=named, exact=state == "exact", ttl=ttl)
