# SPDX-License-Identifier: LGPL-3.0-or-later
import json

from odoo.tests import HttpCase

TOKEN = "correct horse battery staple"
DOMAIN = "acme.example"
SENDER = "ann@customer.example"


class MailDeliveryCase(HttpCase):
    """An alias domain, the token, and requests as the bridge makes them."""

    def setUp(self):
        super().setUp()
        if "crm.lead" not in self.env:
            self.skipTest("needs the crm module for records that mail creates")
        self.set_parameter("mail_delivery.token", TOKEN)
        self.domain = self.create_domain(DOMAIN)

    def forget(self):
        """Have what a request wrote read again: before Odoo 16 a test's environment does not notice it."""
        if hasattr(self.env, "flush_all"):
            self.env.flush_all()
            self.env.invalidate_all()
        else:
            self.env["base"].flush()
            self.env.cache.invalidate()

    def set_parameter(self, key, value):
        parameters = self.env["ir.config_parameter"]
        parameter = parameters.search([("key", "=", key)])
        if parameter:
            parameter.value = value
        else:
            parameters.create({"key": key, "value": value})

    def create_domain(self, name, default_from="notifications"):
        """Return the record of a new alias domain, nothing before Odoo 17."""
        if "mail.alias.domain" in self.env:
            return self.env["mail.alias.domain"].create(
                {
                    "name": name,
                    "bounce_alias": "bounce",
                    "catchall_alias": "catchall",
                    "default_from": default_from,
                }
            )
        self.set_parameter("mail.catchall.domain", name)
        self.set_parameter("mail.catchall.alias", "catchall")
        self.set_parameter("mail.bounce.alias", "bounce")
        self.set_parameter("mail.default.from", default_from)
        return None

    def create_alias(self, name, model="crm.lead", **values):
        values.update(alias_name=name, alias_model_id=self.env["ir.model"]._get(model).id)
        if self.domain:
            values.setdefault("alias_domain_id", self.domain.id)
        return self.env["mail.alias"].create(values)

    def get(self, path, token=TOKEN, **headers):
        response = self.url_open(path, headers=dict({"X-Mail-Token": token}, **headers))
        self.forget()
        return response

    def post(self, message, *recipients, **headers):
        """Post a message (bytes) to the pipe; keyword arguments are further headers."""
        response = self.url_open(
            "/mail_delivery/pipe",
            data=message,
            headers=dict(
                {
                    "X-Mail-Token": TOKEN,
                    "X-Mail-Recipients": json.dumps(recipients),
                    "X-Mail-Sender": json.dumps(SENDER),
                    "Content-Type": "message/rfc822",
                },
                **headers,
            ),
        )
        self.forget()
        return response

    def deliver(self, message, *recipients):
        """Deliver as the bridge does; returns the codes of the results."""
        response = self.post(self.envelope_headers(recipients) + message, *recipients)
        self.assertEqual(response.status_code, 200, response.text)
        results = response.json()["results"]
        self.assertEqual([result["recipient"] for result in results], list(recipients))
        return [result["code"] for result in results]

    @staticmethod
    def envelope_headers(recipients):
        return f"Delivered-To: {', '.join(recipients)}\r\nReturn-Path: <{SENDER}>\r\n".encode()

    @staticmethod
    def message(subject, to, cc="", message_id="", references="", sender=SENDER, body=b"Hello.\r\n"):
        headers = {
            "From": f"Ann <{sender}>",
            "To": to,
            "Cc": cc,
            "Subject": subject,
            "Date": "Fri, 06 Nov 2026 10:00:00 +0000",
            "Message-Id": message_id,
            "References": references,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=iso-8859-1",
            "Content-Transfer-Encoding": "8bit",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
        return head.encode() + b"\r\n" + body

    def leads(self, subject):
        return self.env["crm.lead"].with_context(active_test=False).search([("name", "=", subject)])

    def received(self, record):
        """Return the mails in the conversation of a record."""
        return self.env["mail.message"].search(
            [
                ("model", "=", record._name),
                ("res_id", "=", record.id),
                ("message_type", "=", "email"),
            ]
        )

    def ledger_answers(self, message_id):
        """Return what the ledger holds for a message, None if it has no row."""
        row = self.env["mail.delivery.ledger"].search_read([("key", "=", message_id)], ["answers"])
        return json.loads(row[0]["answers"]) if row else None
