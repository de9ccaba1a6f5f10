# SPDX-License-Identifier: LGPL-3.0-or-later
from odoo import api, fields, models

MAX_ROWS = 500


class MailDeliveryError(models.Model):
    """Messages that Odoo failed to process, without anything of their content, and failed pushes to bridges."""

    _name = "mail.delivery.error"
    _inherit = "mail.delivery.administered"
    _description = "Mail Delivery Error"
    _order = "id desc"
    _rec_name = "text"
    _list_columns = ("create_date", "text", "message_id", "recipients", "bridge")

    create_date = fields.Datetime("Time", readonly=True)
    text = fields.Char("Error", required=True, readonly=True)
    message_id = fields.Char("Message-Id", readonly=True)
    recipients = fields.Char(readonly=True)
    bridge = fields.Char(readonly=True, help="The bridge that could not be told of changed addresses.")

    @api.model
    def _enter(self, message_id, results):
        """Enter the application errors among the results of a delivery."""
        recipients = {}
        for result in results:
            if "quarantine_after" in result:
                recipients.setdefault(result["text"], []).append(result["recipient"])
        for text, addresses in recipients.items():
            self.env.cr.execute(
                """
                INSERT INTO mail_delivery_error (text, message_id, recipients, create_date, write_date)
                     VALUES (%s, %s, %s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
                """,
                (text, message_id, ", ".join(addresses)),
            )

    @api.autovacuum
    def _gc_old_errors(self):
        self.env.cr.execute(
            """
            DELETE FROM mail_delivery_error
                  WHERE id <= (SELECT id FROM mail_delivery_error ORDER BY id DESC OFFSET %s LIMIT 1)
            """,
            (MAX_ROWS,),
        )
