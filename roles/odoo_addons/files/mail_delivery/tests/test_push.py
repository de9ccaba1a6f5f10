# SPDX-License-Identifier: LGPL-3.0-or-later
import logging
from unittest.mock import patch

from odoo import release
from odoo.tests import tagged

from .. import push
from .common import TOKEN, MailDeliveryCase

URL = "http://10.0.0.5:8025/webhook"


@tagged("post_install", "-at_install")
class TestPush(MailDeliveryCase):
    """Which changes the bridges are told of. Nothing is committed here: the hooks are run by hand."""

    def setUp(self):
        super().setUp()
        self.set_parameter("mail_delivery.bridges", f"{URL}  http://[fd00::5]/hook {URL}")
        self.alias = self.create_alias("sales")
        self.pushes()

    def pushes(self):
        """Return what a commit now would push, as arguments of wake."""
        self.forget()
        with patch.object(push, "wake") as wake:
            self.env.cr.postcommit.run()
        return [call[0] for call in wake.call_args_list]

    def assert_told(self, told=True):
        expected = [(self.env.cr.dbname, [URL, "http://[fd00::5]/hook"], TOKEN)] if told else []
        self.assertEqual(self.pushes(), expected)

    def test_alias(self):
        alias = self.create_alias("support")
        self.assert_told()
        alias.alias_name = "help"
        self.assert_told()
        alias.alias_name = False
        self.assert_told()
        alias.unlink()
        self.assert_told(False)
        self.alias.unlink()
        self.assert_told()

    def test_alias_of_a_team(self):
        values = {"name": "Team", "alias_name": "team"}
        if self.domain:
            values["alias_domain_id"] = self.domain.id
        team = self.env["crm.team"].create(values)
        self.assert_told()
        team.name = "Renamed"
        self.assert_told(False)
        team.alias_name = "renamed"
        self.assert_told()
        team.unlink()
        self.assert_told()

    def test_other_fields_of_an_alias(self):
        self.alias.alias_defaults = "{'name': 'x'}"
        self.alias.alias_contact = "partners"
        self.create_alias(False)
        self.assert_told(False)

    def test_alias_domain(self):
        if not self.domain:
            self.skipTest("Odoo 17 and later")
        for values in (
            {"name": "other.example"},
            {"bounce_alias": "b"},
            {"catchall_alias": "c"},
            {"default_from": "d"},
        ):
            self.domain.write(values)
            self.assert_told()
        self.domain.sequence += 1
        self.assert_told(False)
        other = self.create_domain("third.example")
        self.assert_told()
        other.unlink()
        self.assert_told()

    def test_parameters(self):
        watched = ["mail_delivery.former_addresses"]
        if release.version_info[0] < 17:
            watched += ["mail.catchall.domain", "mail.catchall.alias", "mail.bounce.alias", "mail.default.from"]
        for key in watched:
            self.set_parameter(key, "value")
            self.assert_told()
            parameter = self.env["ir.config_parameter"].search([("key", "=", key)])
            parameter.key = "test.renamed"
            self.assert_told()
            parameter.key = key
            self.assert_told()
            parameter.unlink()
            self.assert_told()
        self.set_parameter("test.other", "1")
        self.set_parameter("test.other", "2")
        self.env["ir.config_parameter"].search([("key", "=", "test.other")]).unlink()
        self.assert_told(False)

    def test_once_for_a_transaction(self):
        for name in ("one", "two", "three"):
            self.create_alias(name).alias_name = name + "x"
        self.set_parameter("mail_delivery.former_addresses", "{}")
        self.assert_told()

    def test_incoming_mail(self):
        # In the transaction of the request; whether it would push is seen by its own hook.
        with patch.object(push, "bridge_urls") as asked:
            self.assertEqual(self.deliver(self.message("Mail", "sales@acme.example"), "sales@acme.example"), [250])
        self.assertFalse(asked.called)
        with patch.object(push, "bridge_urls", return_value=[]) as asked:
            self.create_alias("other")
        self.assertTrue(asked.called)

    def test_nobody_to_tell(self):
        self.set_parameter("mail_delivery.bridges", " ")
        self.create_alias("one")
        self.assert_told(False)
        self.set_parameter("mail_delivery.bridges", f"{URL} nonsense")
        self.create_alias("usable")
        with self.assertLogs("odoo.addons.mail_delivery.push", logging.WARNING):
            self.assertEqual(push.bridge_urls(f"{URL} nonsense"), [URL])
        self.assertEqual([arguments[1] for arguments in self.pushes()], [[URL]])
        self.set_parameter("mail_delivery.token", " ")
        self.create_alias("two")
        self.assert_told(False)

    def test_urls(self):
        for url in (URL, "https://mx.acme.example/hook", "http://[::1]:80/"):
            self.assertTrue(push.is_bridge_url(url), url)
        for url in (
            "", "mx1", "ftp://mx1/", "file:///etc/passwd", "http://", "http:///x", "http://u:p@mx1/", "http://mx1:99999/",
            "http://mx1:0/", "http://mx1:x/", "http://a b/", "http://[::1/", "http://mx\u00fc/",
        ):  # fmt: skip
            self.assertFalse(push.is_bridge_url(url), url)

    def test_signature(self):
        # From: printf '1700000000.{"database": "prod"}' | openssl dgst -sha256 -hmac secret
        self.assertEqual(
            push.signature("secret", "1700000000", b'{"database": "prod"}'),
            "2826058f975d8d639e9dafe507c9f3df50a9e4624bc42054cb6af694583ddd2d",
        )
