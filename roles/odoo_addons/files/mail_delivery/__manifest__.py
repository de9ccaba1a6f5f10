# SPDX-License-Identifier: LGPL-3.0-or-later
{  # noqa: B018
    "name": "Mail Delivery",
    "summary": "Exactly-once delivery of incoming mail by envelope, and the addresses it is for",
    "description": """
Lets a mail transfer agent hand incoming mail to Odoo over HTTP, with one answer per recipient.

* GET /mail_delivery/aliases lists every address this database accepts mail for, and the former
  addresses (system parameter mail_delivery.former_addresses) with what they are now.
* GET /mail_delivery/transport gives the same addresses as a Postfix map.
* POST /mail_delivery/pipe delivers one message to its envelope recipients. A repeated
  delivery makes no second record.

All three want the X-Mail-Token header to equal the system parameter mail_delivery.token (or
mail_delivery.token_pending, while it is exchanged). Without them every request is refused.

When addresses change, the bridges that mail_delivery.bridges names are told at once. Settings >
Mail Delivery shows which bridges are in touch, and the last errors.
""",
    "version": "1.1.0",
    "category": "Productivity/Discuss",
    "author": "mailops.odoo contributors",
    "license": "LGPL-3",
    "depends": ["mail"],
    "data": ["data/access.xml", "views/settings.xml"],
}
