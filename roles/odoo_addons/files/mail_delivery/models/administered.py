# SPDX-License-Identifier: LGPL-3.0-or-later
from lxml.builder import E
from odoo import api, models

from ..series import SERIES


class MailDeliveryAdministered(models.AbstractModel):
    """Records of this addon's own that the administrators may look at, in a list of some columns."""

    _name = "mail.delivery.administered"
    _description = "Records for Administrators"

    # What administrators may do with the records, and the names of the fields that a list shows.
    _administrators_may = ("read",)
    _list_columns = ()

    @api.model
    def _grant_to_administrators(self):
        # Not a CSV file: what access rights look like differs between versions. Without any,
        # Odoo warns at installation.
        if "ir.model.access" not in self.env:
            return
        access = self.env["ir.model.access"].sudo()
        if access.search_count([("model_id.model", "=", self._name)]):
            return
        access.create(
            {
                "name": f"{self._name} administrators",
                "model_id": self.env["ir.model"].sudo().search([("model", "=", self._name)]).id,
                "group_id": self.env.ref("base.group_system").id,
                **{
                    f"perm_{right}": right in self._administrators_may
                    for right in ("read", "write", "create", "unlink")
                },
            }
        )

    @api.model
    def _get_default_list_view(self):
        # Not an XML view: its root is <tree> up to Odoo 17 and <list> since 18, and neither takes the other's.
        tag = "list" if SERIES >= 18 else "tree"
        columns = [E.field(name=name) for name in self._list_columns]
        return E(tag, *columns, string=self._description, create="0", edit="0", delete="0")

    @api.model
    def _get_default_tree_view(self):
        return self._get_default_list_view()
