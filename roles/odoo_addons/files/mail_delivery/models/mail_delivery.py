# SPDX-License-Identifier: LGPL-3.0-or-later
import hashlib
import logging
import re
from email.parser import BytesHeaderParser

from odoo import api, exceptions, models
from psycopg2 import OperationalError

from ..series import SERIES
from .mail_thread import FILED_AS, MESSAGE_ID, RECIPIENTS

_logger = logging.getLogger(__name__)

# Odoo repeats the whole request on these, so they have to reach it.
RETRIED_BY_ODOO = (
    OperationalError,
    getattr(exceptions, "ConcurrencyError", OperationalError),
)

# Odoo has no exception types for a refusal, only these texts of a ValueError (14-19). Any
# other ValueError comes from a misconfiguration, for which no mail may be bounced.
REFUSALS = (
    (re.compile("No possible route found"), "5.1.1", "no such recipient"),
    (re.compile("Mailbox unavailable"), "5.2.1", "mailbox unavailable"),
    (
        re.compile("Undeliverable mail .* does not accept incoming emails", re.DOTALL),
        "5.2.1",
        "mailbox does not accept mail",
    ),
)

# After how many failed attempts the bridge is to put a message aside. Odoo 17 and later mail
# the sender at every failure to make a record.
QUARANTINE_AFTER = 1 if SERIES >= 17 else 3

DELIVERED_TO = re.compile(rb"^delivered-to:.*\n(?:[ \t].*\n)*", re.IGNORECASE | re.MULTILINE)
PRINTABLE = re.compile(r"[!-~]+(?: [!-~]+)*")
NO_NAME = re.compile(r"[<>@ ]*")
# RFC 5322 section 2.1.1; also well below what a PostgreSQL index entry may hold.
MAX_MESSAGE_ID = 998


def message_identity(message):
    """Return the Message-Id of a message (bytes), or one made of its SHA-256 if it has none.

    Delivered-To is left out of the sum: the bridge sets it to the recipients of the attempt,
    and a later attempt has fewer of them.
    """
    head, blank, body = re.split(rb"(\r?\n\r?\n|\Z)", message, maxsplit=1)
    # The default policy keeps header values raw, so that none is too odd to be read.
    header = BytesHeaderParser().parsebytes(head).get("Message-Id")
    message_id = " ".join(str(header or "").split())
    # An empty one, <>, is no name: two messages that have it are still two.
    usable = PRINTABLE.fullmatch(message_id) and not NO_NAME.fullmatch(message_id)
    if usable and len(message_id) <= MAX_MESSAGE_ID:
        return message_id
    digest = hashlib.sha256(DELIVERED_TO.sub(b"", head + b"\n") + blank + body)
    return f"<{digest.hexdigest()}@localhost>"


def derived_identity(message_id, recipient):
    """Return the identity under which a message is filed again, for one more recipient."""
    suffix = hashlib.sha256(recipient.encode()).hexdigest()[:16]
    if message_id.endswith(">"):
        return f"{message_id[:-1]}.{suffix}>"
    return f"{message_id}.{suffix}"


# What is told of an answer.
RESULT = ("recipient", "code", "enhanced", "text", "quarantine_after")


def answer(code, enhanced, text, thread_id=False):
    return {"code": code, "enhanced": enhanced, "text": text, "thread_id": thread_id}


class MailDelivery(models.AbstractModel):
    _name = "mail.delivery"
    _description = "Mail Delivery"

    @api.model
    def _deliver(self, message, recipients):
        """Deliver a message (bytes) to its envelope recipients, each exactly once.

        Returns (message_id, results): one dictionary per recipient, in their order, with
        recipient, code (SMTP: 250, 451 or 550), enhanced (RFC 3463) and text (one line); with
        quarantine_after (attempts) too, if the code is 451 because of an application error.
        Raises what Odoo repeats a request for.
        """
        message_id = message_identity(message)
        addresses = list(dict.fromkeys(recipient.lower() for recipient in recipients))
        ledger = self.env["mail.delivery.ledger"]
        accepted = ledger._take(message_id)
        answers = dict(accepted)
        groups = self._groups([a for a in addresses if a not in accepted])
        while groups:
            group = groups.pop(0)
            result = self._process(message, message_id, group, accepted)
            if result["code"] == 250:
                accepted.update(dict.fromkeys(group, result))
            elif len(group) > 1:
                # One bad alias neither refuses nor delays the mail of the others.
                groups = [[address] for address in group] + groups
                continue
            answers.update(dict.fromkeys(group, result))
        ledger._keep(message_id, accepted)
        results = []
        for recipient in recipients:
            told = dict(answers[recipient.lower()], recipient=recipient)
            results.append({name: told[name] for name in RESULT if name in told})
        return message_id, results

    @api.model
    def _groups(self, addresses):
        """Return lists of the addresses (lower-case, distinct) that are delivered in one go.

        The addresses Odoo knows go together, as it expects of one message: a reply enters its
        thread once, a copy to the catchall is no mail to the catchall. Mail to a bounce
        address is a bounce whoever else it is for, and an unknown address is passed over
        silently beside a known one, so these go by themselves. Odoo, not this list, then
        decides about the unknown: a reply finds its thread whatever the recipient.
        """
        if len(addresses) < 2:
            return [addresses] if addresses else []
        kinds = self.env["mail.alias"]._mail_delivery_addresses(only=addresses)
        groups = {}
        for address in addresses:
            kind = kinds.get(address)
            name = address if kind is None else "bounce" if kind == "bounce" else "known"
            groups.setdefault(name, []).append(address)
        return list(groups.values())

    @api.model
    def _process(self, message, message_id, group, accepted):
        """Have Odoo process the message for the recipients ``group`` and return the answer.

        ``accepted`` holds the answers of recipients that were served before. What Odoo did is
        undone unless it succeeded.
        """
        context = {RECIPIENTS: tuple(group), MESSAGE_ID: message_id}
        if any(earlier["thread_id"] for earlier in accepted.values()):
            # Odoo would drop it as a duplicate. Without a record of ours it is Odoo's to say:
            # a message that Odoo itself sent must remain recognisable as its own.
            context[MESSAGE_ID] = derived_identity(message_id, group[0])
            context[FILED_AS] = (
                message_id,
                *(derived_identity(message_id, address) for address in accepted),
            )
        try:
            with self.env.cr.savepoint():
                thread_id = self.env["mail.thread"].with_context(**context).message_process(None, message)
        except RETRIED_BY_ODOO:
            raise
        except Exception as error:  # Odoo's models and other addons may raise anything
            return self._failure(error, message_id, group)
        if thread_id:
            return answer(250, "2.0.0", "delivered", thread_id)
        return answer(250, "2.0.0", "accepted, nothing to file")

    @api.model
    def _failure(self, error, message_id, group):
        """Return the answer to an exception of message_process, without any mail content."""
        if isinstance(error, ValueError):
            for pattern, enhanced, text in REFUSALS:
                if pattern.match(str(error)):
                    return answer(550, enhanced, text)
        _logger.error("%s for %s failed", message_id, ", ".join(group), exc_info=True)
        failed = answer(451, "4.3.0", f"application error {type(error).__name__}")
        return dict(failed, quarantine_after=QUARANTINE_AFTER)
