# SPDX-License-Identifier: LGPL-3.0-or-later
import json

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import MailDeliveryCase

ALIASES = "/mail_delivery/aliases"


@tagged("post_install", "-at_install")
class TestBridges(MailDeliveryCase):
    """What the bridges say of themselves."""

    def report(self, report, **headers):
        text = report if isinstance(report, str) else json.dumps(report)
        return self.get(ALIASES, **{"X-Mail-Bridge": text, **headers})

    def bridges(self):
        rows = self.env["mail.delivery.bridge"].search_read([], ["name", "quarantine"])
        return {row["name"]: row["quarantine"] for row in rows}

    def written(self):
        """Return what changes whenever PostgreSQL writes the row."""
        self.env.cr.execute("SELECT ctid FROM mail_delivery_bridge")
        return self.env.cr.fetchall()

    def test_each_poll_reports(self):
        response = self.report({"name": "mx1", "quarantine": 0})
        self.assertEqual(self.bridges(), {"mx1": 0})
        # Also one that brings no news of the addresses.
        again = self.report({"name": "mx1", "quarantine": 2}, **{"If-None-Match": response.headers["ETag"]})
        self.assertEqual(again.status_code, 304)
        self.report({"name": "mx2.acme.example", "quarantine": 0, "later": "addition"})
        self.assertEqual(self.bridges(), {"mx1": 2, "mx2.acme.example": 0})

    def test_written_once_a_minute_unless_it_changes(self):
        self.report({"name": "mx1", "quarantine": 0})
        before = self.written()
        self.report({"name": "mx1", "quarantine": 0})
        self.assertEqual(self.written(), before)
        self.report({"name": "mx1", "quarantine": 1})
        self.assertNotEqual(self.written(), before)
        self.env.cr.execute("UPDATE mail_delivery_bridge SET last_contact = last_contact - interval '61 seconds'")
        before = self.written()
        self.report({"name": "mx1", "quarantine": 1})
        self.assertNotEqual(self.written(), before)

    def test_anything_else_is_ignored(self):
        for report in (
            "", "{", "null", "[]", {}, {"name": "mx1"}, {"name": "", "quarantine": 0},
            {"name": 5, "quarantine": 0}, {"name": "x" * 256, "quarantine": 0}, {"name": "a\nb", "quarantine": 0},
            {"name": "mx1\x00", "quarantine": 0}, {"name": "\ud800", "quarantine": 0},
            {"name": "mx1", "quarantine": -1}, {"name": "mx1", "quarantine": "1"},
            {"name": "mx1", "quarantine": True}, {"name": "mx1", "quarantine": 2**31},
        ):  # fmt: skip
            self.assertEqual(self.report(report).status_code, 200, report)
            self.assertEqual(self.bridges(), {}, report)

    def test_only_with_the_token(self):
        self.assertEqual(self.report({"name": "mx1", "quarantine": 0}, **{"X-Mail-Token": "x"}).status_code, 403)
        self.assertEqual(self.bridges(), {})

    def test_vacuum(self):
        for name in ("gone", "here"):
            self.report({"name": name, "quarantine": 0})
        self.env.cr.execute(
            "UPDATE mail_delivery_bridge SET last_contact = now() - interval '31 days' WHERE name = 'gone'"
        )
        self.env["mail.delivery.bridge"]._gc_gone_bridges()
        self.forget()
        self.assertEqual(list(self.bridges()), ["here"])

        errors = self.env["mail.delivery.error"]
        result = {"quarantine_after": 1, "text": "application error X", "recipient": "a@x.example"}
        for number in range(510):
            errors._enter(f"<{number}@x.example>", [result])
        errors._gc_old_errors()
        self.forget()
        self.assertEqual(errors.search_count([]), 500)
        self.assertEqual(errors.search([], limit=1).message_id, "<509@x.example>")
        errors._gc_old_errors()
        self.assertEqual(errors.search_count([]), 500)

    def test_access(self):
        user = self.env["res.users"].create({"name": "User", "login": "bridge-user"})
        administrator = self.env.ref("base.user_admin")
        for name in ("mail.delivery.bridge", "mail.delivery.error"):
            with self.assertRaises(AccessError):
                self.env[name].with_user(user).search([])
            self.env[name].with_user(administrator).search([])
            with self.assertRaises(AccessError):
                self.env[name].with_user(administrator).create({})
