# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """An incoming server's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  name:
    description: Name of the server. It identifies the record, archived ones included.
    type: str
    required: true
  active:
    description: Odoo never fetches from an archived server (V(false)), and it need not be reachable.
    type: bool
  server_type:
    description:
      - How Odoo fetches. Needed to create a record.
      - V(imap) fetches unread mail and leaves it in the mailbox. V(pop) fetches the whole mailbox and deletes it there.
      - V(local) stands for a script that hands mail to Odoo; nothing is fetched.
      - V(gmail) and V(outlook) log in with a token and need Odoo's app for it (C(google_gmail), C(microsoft_outlook); on
        Odoo 15 C(fetchmail_gmail), C(fetchmail_outlook)).
    type: str
    choices: [imap, pop, local, gmail, outlook]
  server:
    description:
      - Host name of the mail server. Needed to create a record, unless it is V(local).
      - For V(gmail) and V(outlook) it may be omitted.
    type: str
  port:
    description:
      - Port of the mail server. A new record gets the usual one where it is omitted (IMAP 993 and 143, POP 995 and 110).
    type: int
  is_ssl:
    description:
      - Whether the connection is encrypted from the start. A new record gets V(true) where it is omitted, unless O(port) is
        V(143) or V(110).
      - Odoo knows no STARTTLS for incoming servers, so without it the password is sent in clear. It does not verify the
        server's certificate.
    type: bool
  user:
    description: Login at the mail server. Needed to create a record, unless it is V(local).
    type: str
  password:
    description:
      - Password at the mail server. Needed to create an V(imap) or V(pop) server. It is compared with the one in Odoo, and
        never shown.
    type: str
  google_gmail_refresh_token:
    description: The token for O(server_type=gmail), which Google gives after consent in a browser. Compared, never shown.
    type: str
  microsoft_outlook_refresh_token:
    description: The token for O(server_type=outlook), which Microsoft gives after consent in a browser. Compared, never shown.
    type: str
  object_id:
    description:
      - Technical name of the model of which a mail that goes to no alias creates a record, such as V(crm.lead).
      - Leave it out to let aliases alone decide, which is what a catchall needs. Null clears it.
    type: str
  attach:
    description: Whether attachments are kept. Odoo puts V(true) in a new record.
    type: bool
  original:
    description: Whether the whole original message is kept as an attachment too.
    type: bool
  priority:
    description: Lower is fetched first. Odoo puts V(5) in a new record.
    type: int
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "incoming_servers", "The servers.")

    CONFIRMED = r"""
options:
  adopt:
    description:
      - What to do about a new server whose C(server), C(port) and C(user) an existing server has under another name.
      - V(true) renames and changes the existing one, V(false) makes a second one. If omitted it is an error that names both.
    type: bool
notes:
  - Odoo logs in to the server (C(button_confirm_login)) after it was created, after a change of anything a login depends on,
    and whenever it is active but not confirmed, as after repeated failures on Odoo 19. Nothing is fetched by that.
  - When the login fails, the server goes back to its former values, a new one is deleted, and the task fails with what the
    mail server said.
  - A V(gmail) or V(outlook) server without a token is left unconfirmed, because it needs consent in a browser first.
  - A server is never set back to unconfirmed.
"""
