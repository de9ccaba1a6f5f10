# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """An outgoing mail server's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  name:
    description: Name of the server (Odoo's C(name), shown as Description). It identifies the record, archived ones included.
    type: str
    required: true
  sequence:
    description:
      - Lower comes first among servers that match a sender equally well.
      - Odoo chooses by O(from_filter) first. A lower sequence does not make a server "the main one", and Odoo never
        turns to the next one when a server is down.
    type: int
  active:
    description: An archived server (V(false)) is never used.
    type: bool
  smtp_host:
    description: Host name of the SMTP server. Needed to create a record.
    type: str
  smtp_port:
    description: Port of the SMTP server. Needed to create a record. V(465) takes V(ssl), V(587) and V(2525) take V(starttls).
    type: int
  encryption:
    description: How the connection is encrypted. Needed to create a record.
    type: str
    choices: [none, starttls, ssl]
  verify:
    description:
      - Whether Odoo verifies the SMTP server's certificate. Goes with O(encryption) V(starttls) or V(ssl); true if omitted beside it.
      - Odoo verifies from version 19 on. On an older one the module warns that it does not.
    type: bool
  smtp_authentication:
    description:
      - V(login) for user and password. V(cli) (Odoo 17 and later) sends by the SMTP server of C(odoo.conf).
    type: str
    choices: [login, cli]
  smtp_user:
    description: Login at the SMTP server. Null clears it.
    type: str
  smtp_pass:
    description: Password at the SMTP server. It is compared with the one in Odoo, and never shown. Null clears it.
    type: str
  from_filter:
    description:
      - The senders this server is for, each an address or a domain. Null makes it a server for any sender.
      - Put the bounce address in as well if all others are addresses, or the envelope sender will be the From address
        and bounces will not come back to Odoo.
      - A domain does not cover its subdomains. Odoo before 17 takes one item only.
    type: list
    elements: str
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "servers", "The servers.")
