# SPDX-License-Identifier: LGPL-3.0-or-later
import logging

from odoo import release
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import DOMAIN, SENDER, TOKEN, MailDeliveryCase

SALES = f"sales@{DOMAIN}"
SUPPORT = f"support@{DOMAIN}"
UNKNOWN = f"unknown@{DOMAIN}"
LOGGER = "odoo.addons.mail_delivery"
BROKEN = "{'stage_id': 2000000000}"


@tagged("post_install", "-at_install")
class TestPipe(MailDeliveryCase):
    def setUp(self):
        super().setUp()
        self.sales = self.create_alias("sales")
        self.support = self.create_alias("support")

    def test_alias_makes_a_record(self):
        message = self.message("New lead", SALES, message_id="<lead@customer.example>")
        # By number: Odoo gives the name to a level of its own, which is above it.
        with self.assertLogs(LOGGER + ".controllers.main", logging.INFO) as logs:
            response = self.post(message, "Sales@ACME.example")
        self.assertEqual(
            response.json(),
            {
                "version": 1,
                "message_id": "<lead@customer.example>",
                "results": [
                    {
                        "recipient": "Sales@ACME.example",
                        "code": 250,
                        "enhanced": "2.0.0",
                        "text": "delivered",
                    }
                ],
            },
        )
        self.assertEqual(self.leads("New lead").email_normalized, SENDER)
        self.assertEqual(len(logs.output), 1)
        self.assertIn("<lead@customer.example>", logs.output[0])
        self.assertIn("Sales@ACME.example 250 2.0.0", logs.output[0])

    def test_alias_of_a_team(self):
        values = {
            "name": "Team",
            "alias_name": "team",
            "user_id": self.env.ref("base.user_admin").id,
        }
        if self.domain:
            values["alias_domain_id"] = self.domain.id
        team = self.env["crm.team"].create(values)
        self.assertEqual(self.deliver(self.message("To the team", SALES), f"team@{DOMAIN}"), [250])
        self.assertEqual(self.leads("To the team").team_id, team)

    def test_latin_1(self):
        message = self.message("Bytes", SALES, body="Grüße, 10 £\r\n".encode("latin-1"))
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertIn("Grüße, 10 £", self.received(self.leads("Bytes")).body)

    def test_unknown_beside_known(self):
        message = self.message("Half", SALES, message_id="<half@customer.example>")
        for _attempt in range(2):
            self.assertEqual(self.deliver(message, SALES, UNKNOWN, SALES), [250, 550, 250])
            self.assertEqual(len(self.leads("Half")), 1)

    def test_unknown(self):
        message = self.message("Nobody", UNKNOWN, message_id="<nobody@customer.example>")
        response = self.post(message, UNKNOWN)
        (result,) = response.json()["results"]
        self.assertEqual((result["code"], result["enhanced"]), (550, "5.1.1"))
        self.assertNotIn("quarantine_after", result)
        self.assert_errors()
        self.assertIsNone(self.ledger_answers("<nobody@customer.example>"))

    def test_unknown_then_created(self):
        message = self.message("Late", f"late@{DOMAIN}", message_id="<late@customer.example>")
        self.assertEqual(self.deliver(message, f"late@{DOMAIN}", SALES), [550, 250])
        self.create_alias("late")
        self.assertEqual(self.deliver(message, f"late@{DOMAIN}", SALES), [250, 250])
        self.assertEqual(len(self.leads("Late")), 2)

    def test_application_error(self):
        self.sales.alias_defaults = BROKEN
        message = self.message("Confidential", SALES, message_id="<broken@customer.example>", body=b"Secret words\r\n")
        for _attempt in range(2):
            with mute_logger(LOGGER + ".models.mail_delivery", "odoo.sql_db"):
                response = self.post(message, SALES)
            self.assertEqual(response.status_code, 200)
            (result,) = response.json()["results"]
            self.assertEqual((result["code"], result["enhanced"]), (451, "4.3.0"))
            self.assertEqual(result["quarantine_after"], 1 if release.version_info[0] >= 17 else 3)
            for secret in ("Confidential", "Secret words", TOKEN, "2000000000"):
                self.assertNotIn(secret, response.text)
            self.assertFalse(self.leads("Confidential"))
            self.assertIsNone(self.ledger_answers("<broken@customer.example>"))
        self.assert_errors(("<broken@customer.example>", SALES), ("<broken@customer.example>", SALES))
        self.sales.alias_defaults = "{}"
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertEqual(len(self.leads("Confidential")), 1)

    def assert_errors(self, *expected):
        """Assert that these errors, as (Message-Id, recipients), are shown; they tell nothing of the content."""
        errors = self.env["mail.delivery.error"].search_read([], ["message_id", "recipients", "text"])
        self.assertEqual([(error["message_id"], error["recipients"]) for error in errors], list(expected))
        for error in errors:
            self.assertRegex(error["text"], r"^application error \w+$")

    def test_application_error_beside_delivery(self):
        self.support.alias_defaults = BROKEN
        message = self.message("Isolated", SALES, message_id="<isolated@customer.example>")
        with mute_logger(LOGGER + ".models.mail_delivery", "odoo.sql_db"):
            self.assertEqual(self.deliver(message, SUPPORT, SALES), [451, 250])
        self.assertEqual(list(self.ledger_answers("<isolated@customer.example>")), [SALES])
        self.assertEqual(len(self.leads("Isolated")), 1)
        self.assert_errors(("<isolated@customer.example>", SUPPORT))
        self.support.alias_defaults = "{}"
        self.assertEqual(self.deliver(message, SUPPORT), [250])
        self.assertEqual(self.deliver(message, SUPPORT, SALES), [250, 250])
        self.assertEqual(len(self.leads("Isolated")), 2)

    def test_refused_contact_is_accepted_mail(self):
        self.sales.alias_contact = "partners"
        message = self.message("Stranger", SALES, message_id="<stranger@customer.example>")
        self.assertEqual(self.deliver(message, SALES), [250])
        self.assertFalse(self.leads("Stranger"))

    def test_malformed(self):
        message = self.message("Malformed", SALES)
        for value in (
            "", "nonsense", "{}", "[]", f'"{SALES}"', "[1]", '["sales"]', f'["<{SALES}>"]',
            f'["{SALES}, {SUPPORT}"]', f'["{SALES}\\n"]', f'["\\ud800{SALES}"]',
        ):  # fmt: skip
            response = self.post(message, **{"X-Mail-Recipients": value})
            self.assertEqual(response.status_code, 400, value)
            self.assertIn("X-Mail-Recipients", response.json()["error"])
        for value in ("", "nonsense", "null", "[]"):
            response = self.post(message, SALES, **{"X-Mail-Sender": value})
            self.assertEqual(response.status_code, 400, value)
            self.assertIn("X-Mail-Sender", response.json()["error"])
        # A form would be taken for parameters and leave no message.
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        response = self.post(b"a=b", SALES, **form)
        self.assertEqual(response.status_code, 400)
        self.assertIn("empty", response.json()["error"])
        self.assertFalse(self.leads("Malformed"))

    def test_null_sender(self):
        message = self.message("Null", SALES)
        self.assertEqual(self.post(message, SALES, **{"X-Mail-Sender": '""'}).status_code, 200)
        self.assertEqual(len(self.leads("Null")), 1)
