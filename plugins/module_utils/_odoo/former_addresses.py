# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that Odoo no longer has, and where their mail goes instead.

They are kept in the database itself, as JSON in a system parameter, so that every gateway learns them from the addon
mail_delivery, whatever machine it runs on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient

MODEL = "ir.config_parameter"
PARAMETER = "mail_delivery.former_addresses"


def remembered(former: Mapping[str, str], moved: Mapping[str, str]) -> dict[str, str]:
    """Return former address → current one after addresses moved: none points at a former one, or at itself."""
    after = {old: moved.get(current, current) for old, current in former.items()} | dict(moved)
    return {old: current for old, current in sorted(after.items()) if old != current}


class FormerAddresses:
    """The map of one database, as it was read."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._id = 0
        self._current_of: dict[str, str] = {}

    def read(self) -> None:
        """Read the map; raises ValidationError if the parameter holds something else."""
        for record in self._client.search_read(MODEL, [("key", "=", PARAMETER)], ["value"]):
            self._id = record["id"]
            self._current_of = _parsed(record["value"])

    def into(self, domains: Collection[str]) -> dict[str, str]:
        """Return the part whose mail goes to addresses of these domains."""
        return {old: new for old, new in self._current_of.items() if new.rpartition("@")[2] in domains}

    def replace(self, gone: Collection[str], entries: Mapping[str, str]) -> None:
        """Write the map without the former addresses `gone` and with the entries; one call."""
        kept = {old: new for old, new in self._current_of.items() if old not in gone}
        self._current_of = {**kept, **entries}
        value = json.dumps(self._current_of, sort_keys=True)
        if self._id:
            self._client.write(MODEL, [self._id], {"value": value})
        else:
            (self._id,) = self._client.create(MODEL, [{"key": PARAMETER, "value": value}])


def _parsed(text: str) -> dict[str, str]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(address, str) for address in found.values()):
        raise ValidationError(
            f"the system parameter {PARAMETER} is no JSON object of addresses",
            'It must look like {"old@acme.example": "new@acme.example"}; repair it, or delete it to forget them.',
        )
    return found
