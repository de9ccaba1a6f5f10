# SPDX-License-Identifier: LGPL-3.0-or-later
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import DOMAIN, MailDeliveryCase

SALES = f"sales@{DOMAIN}"
SUPPORT = f"support@{DOMAIN}"
ID = "<one@customer.example>"


@tagged("post_install", "-at_install")
class TestExactlyOnce(MailDeliveryCase):
    def setUp(self):
        super().setUp()
        self.sales = self.create_alias("sales")
        self.support = self.create_alias("support")

    def test_repeat(self):
        message = self.message("Repeat", f"{SALES}, {SUPPORT}", message_id=ID)
        first = self.post(message, SALES, SUPPORT)
        second = self.post(message, SALES, SUPPORT)
        self.assertEqual(first.json(), second.json())
        self.assertEqual([r["code"] for r in first.json()["results"]], [250, 250])
        self.assertEqual(len(self.leads("Repeat")), 2)

    def test_split_transactions(self):
        # The visible alias first, then the one in Bcc.
        message = self.message("Split", SALES, message_id=ID)
        for _attempt in range(2):
            self.assertEqual(self.deliver(message, SALES), [250])
            self.assertEqual(self.deliver(message, SUPPORT), [250])
            self.assertEqual(len(self.leads("Split")), 2)

    def test_split_with_both_in_the_headers(self):
        message = self.message("Both", SALES, cc=SUPPORT, message_id=ID)
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertEqual(len(self.leads("Both")), 1)
        self.assertEqual(self.deliver(message, SUPPORT), [250])
        self.assertEqual(self.deliver(message, SALES, SUPPORT), [250, 250])
        self.assertEqual(len(self.leads("Both")), 2)

    def test_overlapping_transactions(self):
        message = self.message("Overlap", SALES, message_id=ID)
        self.create_alias("third")
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertEqual(self.deliver(message, SALES, f"third@{DOMAIN}", SUPPORT), [250] * 3)
        self.assertEqual(len(self.leads("Overlap")), 3)

    def test_second_record_has_its_own_message_id(self):
        message = self.message("Identity", SALES, message_id=ID)
        self.deliver(message, SALES)
        self.deliver(message, SUPPORT)
        mails = [self.received(lead).message_id for lead in self.leads("Identity").sorted("id")]
        self.assertEqual(mails[0], ID)
        self.assertRegex(mails[1], r"^<one@customer\.example\.[0-9a-f]{16}>$")

    def test_without_message_id(self):
        # The same mail again, for the recipient that was not served: Delivered-To differs.
        message = self.message("Nameless", SALES)
        self.assertEqual(self.deliver(message, SALES, SUPPORT), [250, 250])
        self.assertEqual(self.deliver(message, SUPPORT), [250])
        self.assertEqual(len(self.leads("Nameless")), 2)
        self.assertEqual(self.deliver(message + b"Other.\r\n", SALES), [250])
        self.assertEqual(len(self.leads("Nameless")), 3)

    def test_odd_message_ids(self):
        odd = ["<" + "x" * 3000 + "@customer.example>", "<a\u00e9@x>", "<a\x01@x>", "a b", "<>"]
        for number, message_id in enumerate(odd):
            subject = f"Odd {number}"
            message = self.message(subject, SALES, message_id=message_id)
            self.assertEqual(self.deliver(message, SALES), [250], message_id)
            self.assertEqual(self.deliver(message, SALES), [250], message_id)
            self.assertEqual(len(self.leads(subject)), 1, message_id)

    def test_message_id_that_names_nothing(self):
        for body in (b"One.\r\n", b"Another.\r\n"):
            message = self.message("Empty", SALES, message_id="<>", body=body)
            self.assertEqual(self.deliver(message, SALES), [250])
        self.assertEqual(len(self.leads("Empty")), 2)

    def test_what_odoo_sent_stays_its_own(self):
        # Odoo's own mail coming back must not become a record, with whatever recipient.
        lead = self.env["crm.lead"].create({"name": "Known"})
        lead.message_post(body="Sent by Odoo", message_id=ID)
        message = self.message("Echo", SALES, message_id=ID)
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertEqual(self.deliver(message, SUPPORT), [250])
        self.assertFalse(self.leads("Echo"))

    def test_vacuum(self):
        ledger = self.env["mail.delivery.ledger"]
        ledger._take("<old@customer.example>")
        ledger._take("<recent@customer.example>")
        self.env.cr.execute(
            "UPDATE mail_delivery_ledger SET write_date = now() - make_interval(days =>"
            " CASE WHEN key LIKE '<old%' THEN 31 ELSE 29 END)"
        )
        ledger._gc_old_deliveries()
        self.assertIsNone(self.ledger_answers("<old@customer.example>"))
        self.assertEqual(self.ledger_answers("<recent@customer.example>"), {})

    def test_access(self):
        self.env["mail.delivery.ledger"]._take(ID)
        user = self.env["res.users"].create({"name": "User", "login": "ledger-user"})
        with self.assertRaises(AccessError):
            self.env["mail.delivery.ledger"].with_user(user).search_read([], ["key"])
        administrator = self.env.ref("base.user_admin")
        ledger = self.env["mail.delivery.ledger"].with_user(administrator)
        self.assertTrue(ledger.search_read([("key", "=", ID)], ["key"]))
        with self.assertRaises(AccessError):
            ledger.create({"key": "<x@x>"})
