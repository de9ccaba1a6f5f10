# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator is told about a route: a sentence for each step, in general and for one mail, and warnings."""

from __future__ import annotations

from collections.abc import Mapping

STEPS: Mapping[str, str] = {
    "first": "Odoo 14 knows no from_filter: the active server with the lowest sequence takes every mail.",
    "forced": "A template, a mailing or a setting demands this server, whatever its from_filter.",
    "refused": "Odoo refuses to send by this server; the mail fails.",
    "address": "The first server whose from_filter has the sender's whole address, which beats any domain.",
    "domain": "No from_filter has the sender's address; the first server whose from_filter has its domain.",
    "several": "Up to 16 several senders in one From count as none: the first server whose from_filter is no address.",
    "notification_address": "No from_filter takes the sender; the first one that has the notification address.",
    "notification_domain": "No from_filter takes the sender; the first one that has the notification address's domain.",
    "no_filter": "No from_filter takes the sender or the notification address; the first server without a filter.",
    "mismatch": "Every server has a from_filter and none matches; the first server all the same.",
    "configuration": "There is no server; the one of odoo.conf or the command line.",
}

# Keys: server, sender, and notification (one of the two texts below).
REASONS: Mapping[str, str] = {
    "first": "{server} has the lowest sequence; Odoo 14 sends every mail by that one.",
    "forced": "{server} is demanded by what sends the mail; its from_filter plays no part in that.",
    "address": "The from_filter of {server} has the address {sender}.",
    "domain": "No from_filter has the address {sender}; the one of {server} has its domain.",
    "several": "{sender} are several senders, which count as none; {server} is the first whose filter is no address.",
    "notification_address": "No from_filter takes {sender}; the one of {server} has {notification}.",
    "notification_domain": "No from_filter takes {sender}; the one of {server} has the domain of {notification}.",
    "no_filter": "No from_filter takes {sender} or {notification}; {server} is the first server without a filter.",
    "mismatch": "No from_filter takes {sender} or {notification}, nor does that of {server}, the first server.",
    "configuration": "There is no active server, so {sender} leaves by the one of odoo.conf or the command line.",
}
NOTIFICATION = "the notification address {}"
NO_NOTIFICATION = "a notification address, which is not set"
BY_CLI = " It is reached with the settings of odoo.conf or the command line."
CONFIGURED = "odoo.conf's server"

REFUSED_ARCHIVED = "{server} is demanded but archived: Odoo refuses to use it, and the mail fails."
REFUSED_OFF = "{server} is demanded but belongs to {owner}, and personal servers are turned off: the mail fails."
REFUSED_OTHER = "{server} is demanded but belongs to {owner}: Odoo refuses it for the mail of others."
REFUSED_FILTER = (
    "{server} belongs to {owner}, and its from_filter {filter!r} is not exactly the sender's address in lower case:"
    " Odoo refuses to use it, and the mail fails."
)
REFUSED_ADDRESS = "{server} belongs to {owner}, whose address is another by now: Odoo refuses it, and the mail fails."

MISMATCH = "No server takes this sender: {server} may refuse the mail."
NO_BOUNCE = "No bounce address is set, so failures never reach Odoo."
OTHER_ENVELOPE = (
    "The from_filter {filter!r} of {server} does not take the bounce address {bounce}, so the envelope sender is"
    " {envelope} and failures never reach Odoo."
)
SPOOFED = "The From {address} is spoofed: the from_filter {filter!r} of {server} does not take it."
SPOOFED_UNFILTERED = (
    "The From {address} is spoofed: {domain} is no alias domain of this Odoo, and {server} has no from_filter."
)
TIE = "{server} has the same sequence as {others}: which of them Odoo {series} takes is not defined."
