# SPDX-License-Identifier: LGPL-3.0-or-later
import re

from odoo import _, api, exceptions, fields, models

from .. import push
from .mail_delivery_watched import BRIDGES, TOKEN

PENDING_TOKEN = "mail_delivery.token_pending"
# A push is signed by the token and may travel in the open: nobody may find it by trying.
GOOD_TOKEN = re.compile(r"[!-~]{20,}")
SHOWN_ERRORS = 80


class MailDeliverySettings(models.Model):
    """The settings page: a single record, whose fields are system parameters and what the bridges told."""

    _name = "mail.delivery.settings"
    _inherit = "mail.delivery.administered"
    _description = "Mail Delivery"
    _administrators_may = ("read", "write")

    name = fields.Char(readonly=True)
    new_token = fields.Char(
        "New token", compute="_compute_new_token", readonly=False, help="Replaces the token by which bridges are known."
    )
    has_token = fields.Boolean("Token is set", compute="_compute_settings")
    has_pending_token = fields.Boolean(
        "Pending token is set",
        compute="_compute_settings",
        help="While the token is exchanged, this other one is accepted as well.",
    )
    bridges = fields.Text(
        compute="_compute_settings",
        inverse="_inverse_bridges",
        help="The webhooks of the bridges to be told when addresses change, such as http://10.0.0.5:8025/webhook.",
    )
    quarantine = fields.Integer(
        "Quarantine", compute="_compute_reports", help="Messages that the bridges keep because Odoo failed."
    )
    bridge_ids = fields.Many2many("mail.delivery.bridge", string="Known bridges", compute="_compute_reports")
    error_ids = fields.Many2many("mail.delivery.error", string="Last errors", compute="_compute_reports")

    def _compute_new_token(self):
        # A token is set and never told.
        self.new_token = False

    def _compute_settings(self):
        values = {key: self._parameter(key).value or "" for key in (TOKEN, PENDING_TOKEN, BRIDGES)}
        for settings in self:
            settings.has_token = bool(values[TOKEN].strip())
            settings.has_pending_token = bool(values[PENDING_TOKEN].strip())
            settings.bridges = "\n".join(values[BRIDGES].split())

    def _compute_reports(self):
        bridges = self.env["mail.delivery.bridge"].search([])
        for settings in self:
            settings.quarantine = sum(bridges.mapped("quarantine"))
            settings.bridge_ids = bridges
            settings.error_ids = self.env["mail.delivery.error"].search([], limit=SHOWN_ERRORS)

    def _inverse_bridges(self):
        for settings in self:
            urls = list(dict.fromkeys((settings.bridges or "").split()))
            for url in urls:
                if not push.is_bridge_url(url):
                    raise exceptions.ValidationError(
                        _("%s is not the URL of a bridge, such as http://10.0.0.5:8025/webhook.", url)
                    )
            self._set_parameter(BRIDGES, " ".join(urls))

    def write(self, vals):
        # Taken out, or Odoo would keep it to answer what it is.
        vals = dict(vals)
        token = vals.pop("new_token", False)
        if token:
            if not GOOD_TOKEN.fullmatch(token):
                raise exceptions.ValidationError(
                    _("A token has at least 20 characters: letters, digits and signs, without blanks.")
                )
            self._set_parameter(TOKEN, token)
        return super().write(vals)

    @api.model
    def _parameter(self, key):
        return self.env["ir.config_parameter"].sudo().search([("key", "=", key)], limit=1)

    @api.model
    def _set_parameter(self, key, value):
        """Set a system parameter, or remove it with an empty value."""
        parameter = self._parameter(key)
        if not value:
            parameter.unlink()
        elif parameter:
            parameter.value = value
        else:
            parameter.create({"key": key, "value": value})
