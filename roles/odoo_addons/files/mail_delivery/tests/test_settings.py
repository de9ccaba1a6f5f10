# SPDX-License-Identifier: LGPL-3.0-or-later
import json

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common import TOKEN, MailDeliveryCase

NEW = "a-brand-new-token-of-some-length"


@tagged("post_install", "-at_install")
class TestSettings(MailDeliveryCase):
    def setUp(self):
        super().setUp()
        self.administrator = self.env.ref("base.user_admin")
        self.settings = self.env.ref("mail_delivery.settings").with_user(self.administrator)

    def parameter(self, key):
        return self.env["ir.config_parameter"].search([("key", "=", key)]).value

    def test_token_is_set_and_never_told(self):
        for token in (TOKEN, NEW):
            self.settings.write({"new_token": token if token == NEW else False})
            self.assertEqual(self.parameter("mail_delivery.token"), token)
            # Also not in the very request that set it.
            self.assertFalse(self.settings.new_token)
            told = json.dumps(self.settings.read(), default=str)
            self.assertNotIn(token, told)
            self.assertTrue(self.settings.has_token)

    def test_bad_token(self):
        for token in ("short", "x" * 19, "with a blank in it and long enough", "\u00fcmlaut-" + "x" * 20):
            with self.assertRaises(ValidationError):
                self.settings.write({"new_token": token})
            self.assertEqual(self.parameter("mail_delivery.token"), TOKEN)

    def test_what_is_set(self):
        self.assertFalse(self.settings.has_pending_token)
        self.set_parameter("mail_delivery.token_pending", NEW)
        self.set_parameter("mail_delivery.token", " ")
        self.forget()
        self.assertTrue(self.settings.has_pending_token)
        self.assertFalse(self.settings.has_token)

    def test_bridges(self):
        self.settings.bridges = (
            " http://10.0.0.5:8025/webhook\nhttps://mx2.acme.example/w\nhttp://10.0.0.5:8025/webhook"
        )
        urls = ["http://10.0.0.5:8025/webhook", "https://mx2.acme.example/w"]
        self.assertEqual(self.parameter("mail_delivery.bridges"), " ".join(urls))
        self.forget()
        self.assertEqual(self.settings.bridges, "\n".join(urls))
        with self.assertRaises(ValidationError):
            self.settings.bridges = "http://10.0.0.5:8025/webhook mx2"
            self.forget()
        self.settings.bridges = False
        self.forget()
        self.assertFalse(self.parameter("mail_delivery.bridges"))

    def test_reports(self):
        for name, quarantine in (("mx1", 2), ("mx2", 3)):
            self.get(
                "/mail_delivery/aliases", **{"X-Mail-Bridge": json.dumps({"name": name, "quarantine": quarantine})}
            )
        result = {"quarantine_after": 1, "text": "application error X", "recipient": "a@x.example"}
        self.env["mail.delivery.error"]._enter("<one@x.example>", [result])
        self.assertEqual(self.settings.quarantine, 5)
        self.assertEqual(self.settings.bridge_ids.mapped("name"), ["mx1", "mx2"])
        self.assertEqual(self.settings.error_ids.message_id, "<one@x.example>")

    def test_access(self):
        user = self.env["res.users"].create({"name": "User", "login": "settings-user"})
        with self.assertRaises(AccessError):
            self.settings.with_user(user).read(["has_token"])
        with self.assertRaises(AccessError):
            self.settings.with_user(user).write({"new_token": NEW})
        self.assertEqual(self.parameter("mail_delivery.token"), TOKEN)
        with self.assertRaises(AccessError):
            self.settings.unlink()
        with self.assertRaises(AccessError):
            self.settings.create({})
        menus = self.env["ir.ui.menu"]
        menu = self.env.ref("mail_delivery.menu_settings")
        self.assertIn(menu.id, menus.with_user(self.administrator)._visible_menu_ids())
        self.assertNotIn(menu.id, menus.with_user(user)._visible_menu_ids())
