# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alias domains: `mail.alias.domain` (Odoo 17 and later)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource


class AliasDomain(OdooResource):
    """What holds between an alias domain's options."""

    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Check that bounce and catchall differ: Odoo could not tell a bounce from a reply."""
        if item.get("bounce_alias") is not None and item.get("bounce_alias") == item.get("catchall_alias"):
            raise ValidationError(f"{place}: bounce_alias and catchall_alias are both {item['bounce_alias']!r}")


ALIAS_DOMAIN = AliasDomain(
    model="mail.alias.domain",
    label="alias domain",
    plural="alias_domains",
    key=("name",),
    fields=(
        # 17-19 do not lower-case the name and then never match mail to it, so it is done here.
        Field("name", normalize=addresses.domain),
        Field("bounce_alias", normalize=addresses.local_part, required=True),
        Field("catchall_alias", normalize=addresses.local_part, required=True),
        Field("default_from", normalize=addresses.address_or_local_part),
        Field("sequence", "int", default=10),
    ),
)
