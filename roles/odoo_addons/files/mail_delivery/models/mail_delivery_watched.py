# SPDX-License-Identifier: LGPL-3.0-or-later
from odoo import api, models

from .. import push
from ..series import SERIES
from .mail_alias import FORMER_ADDRESSES, PARAMETERS

BRIDGES = "mail_delivery.bridges"
TOKEN = "mail_delivery.token"
WATCHED_PARAMETERS = {FORMER_ADDRESSES, *(PARAMETERS.values() if SERIES < 17 else ())}


class MailDeliveryWatched(models.AbstractModel):
    """A model that the list of addresses is made of: the bridges are told when a change is committed.

    What bypasses Odoo's methods (SQL, cascades of the database) the bridges learn when they poll.
    """

    _name = "mail.delivery.watched"
    _description = "Source of Mail Addresses"

    # The fields that the list depends on. Incoming mail writes others, such as alias_status.
    _mail_delivery_fields = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._mail_delivery_changed()
        return records

    def write(self, vals):
        watched = not self._mail_delivery_fields.isdisjoint(vals)
        if watched:
            self._mail_delivery_changed()
        done = super().write(vals)
        if watched:
            # It may have become one that counts.
            self._mail_delivery_changed()
        return done

    def unlink(self):
        self._mail_delivery_changed()
        return super().unlink()

    def _mail_delivery_counts(self):
        """Return those of the records that the list of addresses depends on."""
        return self

    def _mail_delivery_changed(self):
        """Have the bridges told after this transaction's commit, once however often this is called."""
        hooks = self.env.cr.postcommit
        if hooks.data.get("mail_delivery.push") or not self._mail_delivery_counts():
            return
        hooks.data["mail_delivery.push"] = True
        rows = self.env["ir.config_parameter"].sudo().search_read([("key", "in", [BRIDGES, TOKEN])], ["key", "value"])
        values = {row["key"]: (row["value"] or "").strip() for row in rows}
        urls = push.bridge_urls(values.get(BRIDGES))
        if urls and values.get(TOKEN):
            database, token = self.env.cr.dbname, values[TOKEN]
            hooks.add(lambda: push.wake(database, urls, token))


class MailAlias(models.Model):
    _name = "mail.alias"
    _inherit = ["mail.alias", "mail.delivery.watched"]

    _mail_delivery_fields = frozenset({"alias_name", "alias_domain_id", "alias_incoming_local"})

    def _mail_delivery_counts(self):
        # Many a record comes with an alias that has no name yet.
        return self.filtered("alias_name")


class ConfigParameter(models.Model):
    _name = "ir.config_parameter"
    _inherit = ["ir.config_parameter", "mail.delivery.watched"]

    _mail_delivery_fields = frozenset({"key", "value"})

    def _mail_delivery_counts(self):
        return self.filtered(lambda parameter: parameter.key in WATCHED_PARAMETERS)


if SERIES >= 17:

    class MailAliasDomain(models.Model):
        _name = "mail.alias.domain"
        _inherit = ["mail.alias.domain", "mail.delivery.watched"]

        _mail_delivery_fields = frozenset(PARAMETERS)
