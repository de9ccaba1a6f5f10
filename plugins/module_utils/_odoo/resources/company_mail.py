# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a company (`res.company`) has to do with mail."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Reference
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.standing import Standing, email_from_wire


class CompanyMail(Standing):
    """A company's address is what Odoo names to those who write to the catchall."""

    def remarks(self, client: OdooClient, desired: Sequence[Record], current: Sequence[Existing]) -> list[str]:
        """Warn of addresses at which nobody reads."""
        given = {item["name"]: item for item in desired}
        emails = {
            record.values["name"]: {**record.values, **given.get(record.values["name"], {})} for record in current
        }
        return [
            f"company {name}: its e-mail address is {values.get('email') or 'empty'}, no real one; Odoo shows it to "
            "people who write to the catchall"
            for name, values in emails.items()
            if addresses.is_placeholder(values.get("email"))
        ]


COMPANY_MAIL = CompanyMail(
    model="res.company",
    label="company",
    plural="companies",
    key=("name",),
    fields=(
        Field("name"),
        Field("email", normalize=addresses.address, from_wire=email_from_wire),
        Field(
            "alias_domain",
            wire="alias_domain_id",
            normalize=addresses.domain,
            reference=Reference("mail.alias.domain", "name", read_all=True, planned=True),
        ),
    ),
)
