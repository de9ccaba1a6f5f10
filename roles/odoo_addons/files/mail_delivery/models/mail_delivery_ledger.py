# SPDX-License-Identifier: LGPL-3.0-or-later
import json

from odoo import api, fields, models

# Postfix tries for 5 days by default; a repeat may still come by hand some weeks later.
RETENTION_DAYS = 30
VACUUM_LIMIT = 100000


class MailDeliveryLedger(models.Model):
    """What was accepted of each message, so that a repeated delivery changes nothing.

    One row per message; concurrent deliveries of one message wait for each other on it.
    """

    _name = "mail.delivery.ledger"
    _inherit = "mail.delivery.administered"
    _description = "Mail Delivery Ledger"
    _rec_name = "key"
    _list_columns = ("key", "answers", "write_date")

    key = fields.Char("Message", required=True, readonly=True)
    answers = fields.Text(
        required=True,
        readonly=True,
        default="{}",
        help="JSON: envelope recipient to the answer it was given. Only accepted recipients "
        "are here: a refusal left nothing behind and is judged anew.",
    )

    def init(self):
        # Plain SQL, because each of Odoo's two ways to declare a constraint is unknown to, or
        # warned about by, some supported version.
        self.env.cr.execute(
            "CREATE UNIQUE INDEX IF NOT EXISTS mail_delivery_ledger_key_unique ON mail_delivery_ledger (key)"
        )

    @api.model
    def _take(self, key):
        """Lock the row of ``key`` until the transaction ends and return its answers.

        Another transaction that held it and committed makes this one fail with a
        serialization error, on which Odoo repeats the request: it then sees the answers.
        """
        self.env.cr.execute(
            """
            INSERT INTO mail_delivery_ledger
                        (key, answers, create_uid, write_uid, create_date, write_date)
                 VALUES (%(key)s, '{}', %(uid)s, %(uid)s,
                         now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
            ON CONFLICT (key) DO UPDATE SET write_date = now() AT TIME ZONE 'UTC'
              RETURNING answers
            """,
            {"key": key, "uid": self.env.uid},
        )
        return json.loads(self.env.cr.fetchone()[0])

    @api.model
    def _keep(self, key, answers):
        """Store the answers of the row that ``_take`` locked."""
        self.env.cr.execute(
            "UPDATE mail_delivery_ledger SET answers = %s WHERE key = %s",
            (json.dumps(answers), key),
        )

    @api.autovacuum
    def _gc_old_deliveries(self):
        self.env.cr.execute(
            """
            DELETE FROM mail_delivery_ledger
                  WHERE id IN (SELECT id
                                 FROM mail_delivery_ledger
                                WHERE write_date < (now() AT TIME ZONE 'UTC')
                                                   - make_interval(days => %s)
                                LIMIT %s)
            """,
            (RETENTION_DAYS, VACUUM_LIMIT),
        )
        done = self.env.cr.rowcount
        # Odoo 19 calls again while something remains; earlier versions go on the next day.
        return done, int(done == VACUUM_LIMIT)
