# SPDX-License-Identifier: LGPL-3.0-or-later
from odoo import api, fields, models

# Bridges ask often: a row that would say the same is not written more often than this.
WRITE_SECONDS = 60
RETENTION_DAYS = 30
MAX_NAME = 255
MAX_COUNT = 2**31 - 1


class MailDeliveryBridge(models.Model):
    """What the bridges say of themselves when they ask for the addresses."""

    _name = "mail.delivery.bridge"
    _inherit = "mail.delivery.administered"
    _description = "Mail Bridge"
    _order = "name"
    _list_columns = ("name", "last_contact", "quarantine")

    name = fields.Char("Bridge", required=True, readonly=True, help="Name of the gateway's host.")
    last_contact = fields.Datetime("Last contact", required=True, readonly=True)
    quarantine = fields.Integer(
        "Quarantine", readonly=True, help="Messages that Odoo failed to process and the bridge keeps."
    )

    def init(self):
        # Plain SQL, because each of Odoo's two ways to declare a constraint is unknown to, or
        # warned about by, some supported version.
        self.env.cr.execute(
            "CREATE UNIQUE INDEX IF NOT EXISTS mail_delivery_bridge_name_unique ON mail_delivery_bridge (name)"
        )

    @api.model
    def _seen(self, report):
        """Enter a report: a dictionary with name and quarantine, ignored if it is anything else."""
        name, quarantine = (report.get("name"), report.get("quarantine")) if isinstance(report, dict) else (None, None)
        if not (isinstance(name, str) and name.isprintable() and 0 < len(name) <= MAX_NAME):
            return
        if not isinstance(quarantine, int) or isinstance(quarantine, bool) or not 0 <= quarantine <= MAX_COUNT:
            return
        values = {"name": name, "quarantine": quarantine, "seconds": WRITE_SECONDS}
        self.env.cr.execute(
            """
            SELECT 1 FROM mail_delivery_bridge
             WHERE name = %(name)s AND quarantine = %(quarantine)s
                   AND last_contact > now() AT TIME ZONE 'UTC' - make_interval(secs => %(seconds)s)
            """,
            values,
        )
        if self.env.cr.rowcount:
            return
        self.env.cr.execute(
            """
            INSERT INTO mail_delivery_bridge (name, quarantine, last_contact, create_date, write_date)
                 VALUES (%(name)s, %(quarantine)s, now() AT TIME ZONE 'UTC',
                         now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
            ON CONFLICT (name) DO UPDATE
                    SET quarantine = EXCLUDED.quarantine, last_contact = EXCLUDED.last_contact,
                        write_date = EXCLUDED.write_date
            """,
            values,
        )

    @api.autovacuum
    def _gc_gone_bridges(self):
        self.env.cr.execute(
            """
            DELETE FROM mail_delivery_bridge
                  WHERE last_contact < now() AT TIME ZONE 'UTC' - make_interval(days => %s)
            """,
            (RETENTION_DAYS,),
        )
