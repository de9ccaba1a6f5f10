# SPDX-License-Identifier: LGPL-3.0-or-later
import json
import logging

from odoo import release
from odoo.tests import tagged

from .common import DOMAIN, TOKEN, MailDeliveryCase

ALIASES = "/mail_delivery/aliases"
TRANSPORT = "/mail_delivery/transport?nexthop=odoo-lmtp:unix:private/odoo-bridge"


@tagged("post_install", "-at_install")
class TestToken(MailDeliveryCase):
    def assert_forbidden(self, response):
        self.assertEqual(response.status_code, 403)
        self.assertEqual(response.json(), {"version": 1, "error": "forbidden"})

    def assert_all_forbidden(self, token):
        self.assert_forbidden(self.get(ALIASES, token))
        self.assert_forbidden(self.get(TRANSPORT, token))
        self.assert_forbidden(self.post(self.message("Token", f"sales@{DOMAIN}"), **{"X-Mail-Token": token}))

    def test_right(self):
        self.assertEqual(self.get(ALIASES).status_code, 200)

    def test_wrong(self):
        for token in (TOKEN[:-1], TOKEN + "x", "", "é".encode().decode("latin-1")):
            self.assert_all_forbidden(token)

    def test_missing(self):
        self.assert_forbidden(self.url_open(ALIASES))

    def test_pending(self):
        self.set_parameter("mail_delivery.token_pending", "another token")
        for token in (TOKEN, "another token"):
            self.assertEqual(self.get(ALIASES, token).status_code, 200)
        self.assert_all_forbidden("a third token")
        self.set_parameter("mail_delivery.token", " ")
        self.assertEqual(self.get(ALIASES, "another token").status_code, 200)
        self.assert_all_forbidden(TOKEN)
        self.assert_all_forbidden("")

    def test_unconfigured(self):
        self.set_parameter("mail_delivery.token", " ")
        self.assert_all_forbidden("")
        self.env["ir.config_parameter"].search([("key", "=", "mail_delivery.token")]).unlink()
        self.assert_all_forbidden("")
        self.assert_all_forbidden("False")
        self.set_parameter("mail_delivery.token_pending", " ")
        self.assert_all_forbidden("")


@tagged("post_install", "-at_install")
class TestAddresses(MailDeliveryCase):
    def addresses(self):
        response = self.get(ALIASES)
        self.assertEqual(response.status_code, 200)
        self.assertIn("application/json", response.headers["Content-Type"])
        content = response.json()
        self.assertEqual(content["version"], 1)
        self.assertEqual(content["database"], self.env.cr.dbname)
        listed = [entry["address"] for entry in content["addresses"]]
        self.assertEqual(listed, sorted(set(listed)))
        return {entry["address"]: entry["kind"] for entry in content["addresses"]}

    def test_kinds(self):
        self.create_alias("Sales")
        addresses = self.addresses()
        self.assertEqual(addresses[f"sales@{DOMAIN}"], "alias")
        self.assertEqual(addresses[f"catchall@{DOMAIN}"], "catchall")
        self.assertEqual(addresses[f"bounce@{DOMAIN}"], "bounce")
        self.assertEqual(addresses[f"notifications@{DOMAIN}"], "default_from")

    def test_domains(self):
        if not self.domain:
            self.skipTest("one alias domain only")
        other = self.create_domain("Other.Example", default_from="no-reply@mg.other.example")
        self.create_alias("sales")
        self.create_alias("everywhere", alias_incoming_local=True)
        self.create_alias("nowhere", alias_domain_id=False)
        addresses = self.addresses()
        self.assertIn(f"sales@{DOMAIN}", addresses)
        self.assertNotIn("sales@other.example", addresses)
        self.assertIn(f"everywhere@{DOMAIN}", addresses)
        self.assertEqual(addresses["everywhere@other.example"], "alias")
        self.assertEqual(addresses["no-reply@mg.other.example"], "default_from")
        self.assertEqual(addresses["bounce@other.example"], "bounce")
        self.assertFalse([address for address in addresses if address.startswith("nowhere")])
        other.unlink()
        self.assertNotIn("everywhere@other.example", self.addresses())

    def test_alias_without_a_name(self):
        # Odoo 14 with CRM has one whose name is an empty text, and at most one.
        self.env.cr.execute("UPDATE mail_alias SET alias_name = NULL WHERE alias_name = ''")
        alias = self.create_alias("sales")
        self.forget()
        for nothing in (None, ""):
            self.env.cr.execute("UPDATE mail_alias SET alias_name = %s WHERE id = %s", (nothing, alias.id))
            with self.assertLogs("odoo.addons.mail_delivery") as logs:
                # Without one, assertLogs fails.
                logging.getLogger("odoo.addons.mail_delivery").warning("the only one")
                self.assertNotIn(f"sales@{DOMAIN}", self.addresses())
            self.assertEqual(len(logs.output), 1, logs.output)

    def test_series(self):
        self.assertEqual(self.get(ALIASES).json()["series"], release.version_info[0])

    def test_former_addresses(self):
        self.create_alias("sales")
        former = {
            f"replies@{DOMAIN}": f"catchall@{DOMAIN}",
            "sales@before.example": f"sales@{DOMAIN}",
            f"sales@{DOMAIN}": f"catchall@{DOMAIN}",  # in use again
            f"gone@{DOMAIN}": f"nobody@{DOMAIN}",  # nowhere to go
            "no address": f"sales@{DOMAIN}",
            f"odd@{DOMAIN}": ["x"],
        }
        self.set_parameter("mail_delivery.former_addresses", json.dumps(former))
        listed = self.addresses()
        self.assertEqual(listed[f"sales@{DOMAIN}"], "alias")
        entries = [entry for entry in self.get(ALIASES).json()["addresses"] if entry["kind"] == "former"]
        self.assertEqual(
            entries,
            [
                {"address": f"replies@{DOMAIN}", "kind": "former", "rewrite": f"catchall@{DOMAIN}"},
                {"address": "sales@before.example", "kind": "former", "rewrite": f"sales@{DOMAIN}"},
            ],
        )
        self.assertNotIn("before.example", self.get(TRANSPORT).text)
        lines = self.get(ALIASES + "?format=map").text.splitlines()
        self.assertEqual(lines, sorted(lines))
        self.assertIn(f"replies@{DOMAIN} catchall@{DOMAIN}", lines)
        self.assertIn(f"sales@before.example sales@{DOMAIN}", lines)
        self.assertIn(f"sales@{DOMAIN} sales@{DOMAIN}", lines)
        self.assertEqual([line.split()[0] for line in lines], sorted(listed))

    def test_former_addresses_that_are_no_json(self):
        for value in ("{", "[1]", "5", "null"):
            self.set_parameter("mail_delivery.former_addresses", value)
            self.assertNotIn("former", self.addresses().values())

    def test_cost_does_not_grow(self):
        def queries():
            self.forget()
            before = self.env.cr.sql_log_count
            self.env["mail.alias"]._mail_delivery_addresses()
            return self.env.cr.sql_log_count - before

        queries()
        few = queries()
        for number in range(50):
            self.create_alias(f"box-{number}")
        self.assertEqual(queries(), few)

    def test_etag(self):
        first = self.get(ALIASES)
        etag = first.headers["ETag"]
        for tag in (etag, "W/" + etag, f'"other", {etag}'):
            again = self.get(ALIASES, **{"If-None-Match": tag})
            self.assertEqual(again.status_code, 304)
            self.assertEqual(again.content, b"")
            self.assertEqual(again.headers["ETag"], etag)
        self.create_alias("sales")
        changed = self.get(ALIASES, **{"If-None-Match": etag})
        self.assertEqual(changed.status_code, 200)
        self.assertNotEqual(changed.headers["ETag"], etag)

    def test_transport(self):
        self.create_alias("sales")
        response = self.get(TRANSPORT)
        self.assertIn("text/plain", response.headers["Content-Type"])
        lines = response.text.splitlines()
        self.assertEqual(
            lines,
            [f"{address} odoo-lmtp:unix:private/odoo-bridge" for address in sorted(self.addresses())],
        )
        again = self.get(TRANSPORT, **{"If-None-Match": response.headers["ETag"]})
        self.assertEqual(again.status_code, 304)

    def test_transport_without_next_hop(self):
        for query in ("", "?nexthop=", "?nexthop=a%20b", "?nexthop=a%0Ax@y%20z"):
            response = self.get("/mail_delivery/transport" + query)
            self.assertEqual(response.status_code, 400)
            self.assertIn("nexthop", response.json()["error"])

    def test_formats(self):
        self.create_alias("sales")
        response = self.get(ALIASES + "?format=map")
        self.assertIn("text/plain", response.headers["Content-Type"])
        self.assertEqual(response.text.splitlines(), [f"{a} {a}" for a in sorted(self.addresses())])
        again = self.get(ALIASES + "?format=map", **{"If-None-Match": response.headers["ETag"]})
        self.assertEqual(again.status_code, 304)
        self.assertNotEqual(self.get(ALIASES).headers["ETag"], response.headers["ETag"])

        response = self.get(TRANSPORT + "&format=json")
        self.assertIn("application/json", response.headers["Content-Type"])
        content = response.json()
        self.assertEqual((content["version"], content["database"]), (1, self.env.cr.dbname))
        hop = "odoo-lmtp:unix:private/odoo-bridge"
        self.assertEqual(content["transport"], dict.fromkeys(self.addresses(), hop))
        again = self.get(TRANSPORT + "&format=json", **{"If-None-Match": response.headers["ETag"]})
        self.assertEqual(again.status_code, 304)

        for url in (ALIASES + "?format=xml", TRANSPORT + "&format="):
            response = self.get(url)
            self.assertEqual(response.status_code, 400)
            self.assertIn("format", response.json()["error"])
