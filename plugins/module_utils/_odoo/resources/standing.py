# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that are never made or deleted here, only changed: companies and users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource

SHOWN_NAMES = 20


class Standing(OdooResource):
    """A resource whose records must be there already."""

    standing: ClassVar[bool] = True

    def guard(self, client: OdooClient, changes: Sequence[Change], options: Mapping[str, Any]) -> list[str]:
        """Refuse to create a record, naming those there are."""
        missing = [change.name for change in changes if change.action == "create"]
        if missing:
            key = self.field(self.key[0]).wire_name
            names = sorted(str(record[key]) for record in client.search_read(self.model, [], [key]))
            shown = names[:SHOWN_NAMES] + ["…"] * (len(names) > SHOWN_NAMES)
            raise NotFoundError(f"this database has no {self.label} {', '.join(missing)}; it has: {', '.join(shown)}")
        return []


def email_from_wire(value: str) -> str:
    """Return a stored address in lower case, or as it is if it is none."""
    try:
        return addresses.address(value)
    except ValueError:
        return value
