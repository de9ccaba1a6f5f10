# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of a database that must not mail anybody: Odoo 16 and later mark them when they are neutralised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient

MARK = "database.is_neutralized"
# The modules' option that overrides the refusal; described by the doc fragment `mailops.odoo.state.neutralized`.
OPTION: Mapping[str, Any] = {
    "neutralized": {"type": "str", "choices": ["refuse", "allow"], "default": "refuse"},
}


def refuse_if_neutralized(client: OdooClient, what: str) -> None:
    """Raise ConflictError if the database is neutralised; one read.

    `what` says what would have been done, to follow "would": "make the mail server Zoho active". 14 and 15 have no such
    mark, so nothing is ever refused there.
    """
    # Like Odoo itself (16 to 19), which takes any text for true.
    if any(record["value"] for record in client.search_read("ir.config_parameter", [("key", "=", MARK)], ["value"])):
        raise ConflictError(
            f"the database {client.database!r} is a neutralised copy, and this would {what}",
            "If this copy is to exchange mail with the world, say neutralized: allow.",
        )
