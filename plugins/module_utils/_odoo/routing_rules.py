# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Odoo's choice of a server and of a mail's addresses differs from 14 to 19, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Rules:
    """What one series does (odoo/addons/base/models/ir_mail_server.py, addons/mail/models/mail_mail.py)."""

    filters: bool = True  # servers have a from_filter
    filter_list: bool = False  # it is a list, separated by commas; before, it is one domain or holds one address
    ties_by_id: bool = False  # of equal sequences the lower id is first; before, PostgreSQL decides
    first_sender: bool = False  # of several senders the first counts, in lower case; before, the text goes as it is
    notification_fallback: bool = True  # without a match, the notification address is the sender
    own_name_lost: bool = False  # where that is the sender anyway, its name goes
    domain_of_record: bool = False  # a mail about a record takes its company's alias domain
    configured_bounce: bool = False  # odoo.conf's email_from stands in for a missing bounce address
    personal: bool = False  # a server may belong to a user
    archived_refused: bool = True  # a demanded server that is archived is an error
    bounce_per_mail: bool = False  # the envelope sender names the mail: bounce+<id>@
    default_bounce: str = ""  # the bounce address's local part where none is set
    reply_name: str = "company"  # whose name Reply-To has
    longest_reply: int = 0  # characters; a Reply-To that would be longer has no name; 0 for no limit


_14 = Rules(
    filters=False, archived_refused=False, bounce_per_mail=True, default_bounce="postmaster-odoo",
    notification_fallback=False,
)  # fmt: skip
_15 = Rules(notification_fallback=False, default_bounce="postmaster-odoo")
_16 = replace(_15, notification_fallback=True, longest_reply=68)
_17 = replace(
    _16, filter_list=True, ties_by_id=True, first_sender=True, own_name_lost=True, domain_of_record=True,
    configured_bounce=True, default_bounce="",
)  # fmt: skip
_19 = replace(_17, personal=True, reply_name="author")

RULES = {14: _14, 15: _15, 16: _16, 17: _17, 18: _17, 19: _19}
