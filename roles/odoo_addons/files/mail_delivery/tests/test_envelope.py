# SPDX-License-Identifier: LGPL-3.0-or-later
from odoo import release
from odoo.tests import tagged

from .common import DOMAIN, SENDER, MailDeliveryCase

SALES = f"sales@{DOMAIN}"
SUPPORT = f"support@{DOMAIN}"
PARTNERS = f"partners@{DOMAIN}"
BOUNCE = f"bounce@{DOMAIN}"
CATCHALL = f"catchall@{DOMAIN}"


@tagged("post_install", "-at_install")
class TestEnvelope(MailDeliveryCase):
    """The envelope routes; the headers describe."""

    def setUp(self):
        super().setUp()
        self.sales = self.create_alias("sales")
        self.support = self.create_alias("support")
        self.partners = self.create_alias("partners", model="res.partner")

    def notices(self, message_id):
        """Return the mails by which Odoo told the sender about a problem."""
        return self.env["mail.mail"].search([("references", "ilike", message_id)])

    def conversation(self):
        """Return a lead with a mail that Odoo sent from it, and that mail's Message-Id."""
        lead = self.env["crm.lead"].create({"name": "Conversation", "email_from": SENDER})
        return lead, lead.message_post(body="An offer", message_type="comment").message_id

    def test_header_alias_without_envelope(self):
        # Forwarded by another server, or a copy of a list: To is not for us.
        message = self.message("Forwarded", SUPPORT, cc=PARTNERS)
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertEqual(len(self.leads("Forwarded")), 1)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Forwarded")]))

    def test_headers_still_describe(self):
        colleague = self.env["res.partner"].create({"name": "Bob", "email": "bob@customer.example"})
        message = self.message("Named", f"{SALES}, bob@customer.example")
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertIn(colleague, self.received(self.leads("Named")).partner_ids)

    def test_reply(self):
        lead, reference = self.conversation()
        message = self.message("Reply", CATCHALL, message_id="<r@x.example>", references=reference)
        for _attempt in range(2):
            self.assertEqual(self.deliver(message, CATCHALL), [250])
            self.assertEqual(len(self.received(lead)), 1)
        self.assertFalse(self.notices("<r@x.example>"))

    def test_reply_to_an_unknown_recipient(self):
        lead, reference = self.conversation()
        message = self.message("Reply", SALES, references=reference)
        self.assertEqual(self.deliver(message, f"gone@{DOMAIN}"), [250])
        self.assertEqual(len(self.received(lead)), 1)

    def test_reply_in_several_transactions_enters_its_thread_once(self):
        lead, reference = self.conversation()
        message = self.message("Reply", CATCHALL, message_id="<r@x.example>", references=reference)
        self.assertEqual(self.deliver(message, CATCHALL), [250])
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertEqual(self.deliver(message, f"gone@{DOMAIN}", SUPPORT), [250, 250])
        self.assertEqual(len(self.received(lead)), 1)
        self.assertFalse(self.leads("Reply"))

    def test_reply_that_names_an_alias_of_another_model(self):
        # Odoo takes this for a forwarded conversation. For the one recipient it is a reply.
        lead, reference = self.conversation()
        message = self.message("Reply", SALES, cc=PARTNERS, message_id="<r@x.example>", references=reference)
        message = message.replace(b"To: sales", b"To: " + PARTNERS.encode() + b", sales")
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertEqual(len(self.received(lead)), 1)
        self.assertEqual(self.deliver(message, PARTNERS), [250])
        self.assertEqual(len(self.received(lead)), 1)
        self.assertEqual(self.env["res.partner"].search_count([("name", "=", "Reply")]), 1)

    def test_bounce(self):
        lead, reference = self.conversation()
        report = self.message("Undelivered", BOUNCE, sender="postmaster@x.example").replace(
            b"text/plain; charset=iso-8859-1", b'multipart/report; boundary="b"'
        ) + (
            b"--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
            b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
            b"Final-Recipient: rfc822; " + SENDER.encode() + b"\r\nAction: failed\r\n"
            b"Status: 5.1.1\r\n\r\n"
            b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-Id: " + reference.encode() + b"\r\n\r\n--b--\r\n"
        )
        self.assertEqual(self.deliver(report, BOUNCE), [250])
        # Odoo 14 counts one bounce twice.
        bounces = lead.message_bounce
        self.assertTrue(bounces)
        self.assertEqual(self.deliver(report, BOUNCE), [250])
        self.assertEqual(lead.message_bounce, bounces)
        self.assertFalse(self.leads("Undelivered"))

    def test_mail_to_a_bounce_address_is_a_bounce_whatever_its_form(self):
        # Odoo 14 sends bounce+<mail>-<model>-<record>@ out; a gateway may cut it down to bounce@.
        numbered = [f"bounce+7-crm.lead-1@{DOMAIN}", f"bounce+7@{DOMAIN}"] if release.version_info[0] == 14 else []
        for number, address in enumerate([BOUNCE, *numbered]):
            for recipients in ([address], [address, SALES]):
                subject = f"Away {number} {len(recipients)}"
                message = self.message(subject, address, message_id=f"<{subject}@x.example>".replace(" ", "."))
                self.assertEqual(self.deliver(message, *recipients), [250] * len(recipients), address)
                self.assertEqual(len(self.leads(subject)), len(recipients) - 1)

    def test_bounce_address_in_the_headers(self):
        message = self.message("Not a bounce", f"{BOUNCE}, {SALES}")
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertEqual(len(self.leads("Not a bounce")), 1)

    def test_bounce_address_beside_an_alias(self):
        message = self.message("Beside", SALES, message_id="<beside@x.example>")
        self.assertEqual(self.deliver(message, BOUNCE, SALES), [250, 250])
        self.assertEqual(len(self.leads("Beside")), 1)

    def test_new_mail_to_the_catchall(self):
        # Odoo tells the sender that this address takes replies only.
        message = self.message("Catchall", CATCHALL, message_id="<c@x.example>")
        self.assertEqual(self.deliver(message, CATCHALL), [250])
        self.assertFalse(self.leads("Catchall"))
        self.assertEqual(len(self.notices("<c@x.example>")), 1)

    def test_catchall_beside_an_alias(self):
        message = self.message("Copied", SALES, cc=CATCHALL, message_id="<c@x.example>")
        self.assertEqual(self.deliver(message, CATCHALL, SALES), [250, 250])
        self.assertEqual(len(self.leads("Copied")), 1)
        self.assertFalse(self.notices("<c@x.example>"))

    def test_default_from_takes_no_new_mail(self):
        message = self.message("To the sender address", f"notifications@{DOMAIN}")
        self.assertEqual(self.deliver(message, f"notifications@{DOMAIN}"), [550])
