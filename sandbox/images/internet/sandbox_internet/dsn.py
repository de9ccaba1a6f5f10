# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery status notifications (RFC 3461 to 3464): the bounce that a mail server writes."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formatdate, make_msgid

from .relay import Answer

TEXT = """\
This is the mail system at host {host}.

Your message could not be delivered to:

{failures}
"""


def failed(host: str, mail_from: str, answers: list[Answer], content: bytes) -> bytes:
    """Return the notification (CRLF line ends) that `host` sends to the envelope sender.

    `answers` are the final refusals of the message `content`, which is returned whole.
    """
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{host}>"
    report["To"] = mail_from
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = formatdate()
    report["Message-Id"] = make_msgid(domain=host)
    report["Auto-Submitted"] = "auto-replied"
    failures = "\n".join(f"<{answer.recipient}>: {answer.code} {answer.text}" for answer in answers)
    report.attach(MIMEText(TEXT.format(host=host, failures=failures), _charset="utf-8"))
    report.attach(_delivery_status(host, answers))
    report.attach(MIMEMessage(email.message_from_bytes(content)))
    return report.as_bytes(policy=email.policy.compat32.clone(linesep="\r\n", max_line_length=None))


def _delivery_status(host: str, answers: list[Answer]) -> Message:
    blocks: list[Message | str] = [_fields({"Reporting-MTA": f"dns; {host}"})]
    for answer in answers:
        status = re.match(r"5\.\d{1,3}\.\d{1,3}\b", answer.text)
        fields = {
            "Final-Recipient": f"rfc822; {answer.recipient}",
            "Action": "failed",
            "Status": status.group() if status else "5.0.0",
            "Diagnostic-Code": f"smtp; {answer.code} {answer.text}",
        }
        blocks.append(_fields(fields | ({"Remote-MTA": f"dns; {answer.host}"} if answer.host else {})))
    part = MIMEBase("message", "delivery-status")
    part.set_payload(blocks)
    return part


def _fields(fields: dict[str, str]) -> Message:
    block = Message()
    for name, value in fields.items():
        block[name] = value
    return block
