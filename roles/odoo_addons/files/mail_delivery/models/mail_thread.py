# SPDX-License-Identifier: LGPL-3.0-or-later
from odoo import api, models

from ..series import SERIES

# Set by mail.delivery around message_process, and nowhere else:
RECIPIENTS = "mail_delivery_recipients"  # tuple of addresses: the envelope being delivered
MESSAGE_ID = "mail_delivery_message_id"  # str: the identity the message is filed under
FILED_AS = "mail_delivery_filed_as"  # tuple of str: identities it was filed under before


class MailThread(models.AbstractModel):
    """Routes mail by its envelope instead of its headers.

    Odoo takes recipients from To, Cc and Delivered-To, and so makes a record for an alias that
    only a header names, although that recipient's own delivery makes (or made) one too. With
    the envelope alone, each delivery makes exactly what it is for, whatever the headers say.

    The headers are exchanged while Odoo routes and put back afterwards: they still describe
    the message (who is named in the conversation, whom a task is assigned to). Both
    ``recipients`` and ``to`` are exchanged. Odoo finds aliases by the first and bounces, mail
    to the catchall and forwarded conversations by the second; a reply that names an alias of
    another model in To would otherwise lose its route and be refused.
    """

    _inherit = "mail.thread"

    @api.model
    def message_parse(self, message, save_original=False):
        message_id = self.env.context.get(MESSAGE_ID)
        if message_id:
            try:
                message.get("Message-Id")
            except Exception:  # Python before 3.10 may raise anything at one that is no Message-Id
                del message["Message-Id"]
        values = super().message_parse(message, save_original=save_original)
        if message_id:
            values["message_id"] = message_id
        return values

    @api.model
    def _detect_is_bounce(self, message, message_dict):
        # Versions without this method decide in message_route.
        envelope = self._mail_delivery_envelope()
        return super()._detect_is_bounce(message, dict(message_dict, **envelope))

    @api.model
    def message_route(self, message, message_dict, model=None, thread_id=None, custom_values=None):
        envelope = self._mail_delivery_envelope()
        headers = {name: message_dict[name] for name in envelope}
        message_dict.update(envelope)
        try:
            routes = super().message_route(
                message,
                message_dict,
                model=model,
                thread_id=thread_id,
                custom_values=custom_values,
            )
        finally:
            message_dict.update(headers)
        return [route for route in routes if not self._mail_delivery_is_filed(*route[:2])]

    @api.model
    def _mail_delivery_envelope(self):
        """Return the parsed headers that route, with the envelope's recipients as value."""
        recipients = self.env.context.get(RECIPIENTS)
        if not recipients:
            return {}
        if SERIES < 15:
            # Odoo sends bounce+<number>@ out and takes only that back, and then does nothing with the
            # number. A gateway looks addresses up without an extension, and may have cut it off.
            bounce = self.env["ir.config_parameter"].sudo().get_param("mail.bounce.alias")
            recipients = [
                f"{bounce}+0@{domain}" if local == bounce else f"{local}@{domain}"
                for local, _at, domain in (recipient.rpartition("@") for recipient in recipients)
            ]
        return dict.fromkeys(("to", "recipients"), ",".join(recipients))

    @api.model
    def _mail_delivery_is_filed(self, model, thread_id):
        """Tell whether an earlier delivery put this message into the thread already.

        A reply to several recipients enters its thread once when it comes in one transaction;
        this makes it so when it comes in several.
        """
        filed_as = self.env.context.get(FILED_AS)
        if not (filed_as and thread_id):
            return False
        return bool(
            self.env["mail.message"]
            .sudo()
            .search_count(
                [
                    ("model", "=", model),
                    ("res_id", "=", thread_id),
                    ("message_id", "in", filed_as),
                ]
            )
        )
