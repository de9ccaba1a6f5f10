# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a database differs from a policy: what applying the policy would change, and servers that it does not name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import unmanaged
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.settings import Settings

# Nothing is written, so nothing has to be refused: a test copy that does not send differs from the policy, that is all.
LOOKING = {"adopt": False, "force": True, "neutralized": "allow", unmanaged.KEY: "ignore"}
UNDECLARED = {"servers": unmanaged.OUTGOING, "incoming_servers": unmanaged.INCOMING}


def read(client: OdooClient, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the differences as the module `mail_drift_info` shows them; `wanted` is what Settings takes.

    Raises a MailopsError where the policy cannot be compared: it has what this database cannot express.
    """
    found = [
        _difference(part.key, part.resource, change)
        for part in Settings(client, wanted, LOOKING).plan()
        for change in part.changes
    ]
    for key, resource in UNDECLARED.items():
        if key in wanted:
            _side, others = unmanaged.read(client, resource, [item["name"] for item in wanted[key]])
            found += [
                {
                    "setting": key,
                    "name": record.values["name"],
                    "what": "undeclared",
                    "fields": [],
                    "before": record.values,
                    "after": {},
                }
                for record in others
                if record.values["active"]
            ]
    return found


def _difference(key: str, resource: OdooResource, change: Change) -> dict[str, Any]:
    shown = change.shown(resource)
    # Only Email Marketing's parameters are ever deleted here; those have another value then: none.
    fields = sorted(change.values or change.before)
    return {
        "setting": key,
        "name": change.name,
        "what": "missing" if change.action == "create" else "different",
        "fields": fields,
        "before": {name: shown["before"][name] for name in fields if name in shown["before"]},
        "after": {name: shown["after"][name] for name in fields if name in shown["after"]},
    }
