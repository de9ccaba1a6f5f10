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
    description:
      - Host name of the SMTP server. Needed to create a record, except with O(smtp_authentication) V(cli).
      - Where O(smtp_authentication) becomes V(gmail) or V(outlook), V(smtp.gmail.com) or V(smtp.outlook.com) if omitted.
    type: str
  smtp_port:
    description:
      - Port of the SMTP server. Needed as O(smtp_host) is. V(465) takes V(ssl), V(587) and V(2525) take V(starttls).
      - Where O(smtp_authentication) becomes V(gmail) or V(outlook), V(587) if omitted.
    type: int
  encryption:
    description:
      - How the connection is encrypted. Needed as O(smtp_host) is.
      - Where O(smtp_authentication) becomes V(gmail) or V(outlook), V(starttls) if omitted, and nothing else is possible.
    type: str
    choices: [none, starttls, ssl]
  verify:
    description:
      - Whether Odoo verifies the SMTP server's certificate. Goes with O(encryption) V(starttls) or V(ssl); true if omitted beside it.
      - Odoo verifies from version 19 on. On an older one the module warns that it does not. For V(gmail) and V(outlook) Odoo cannot.
    type: bool
  smtp_authentication:
    description:
      - V(login) for user and password, which is all that Odoo 14 has.
      - V(certificate) (Odoo 15 and later) for O(smtp_ssl_certificate) and O(smtp_ssl_private_key).
      - V(cli) (Odoo 17 and later) sends by the SMTP server of C(odoo.conf), for the senders of this record's O(from_filter).
      - V(gmail) and V(outlook) log in by OAuth, if Odoo's app C(google_gmail) or C(microsoft_outlook) is installed. They take
        O(smtp_user) and no O(smtp_pass), and somebody must press Connect in Odoo once, unless a refresh token is given.
    type: str
    choices: [login, certificate, cli, gmail, outlook]
  smtp_user:
    description: Login at the SMTP server. Null clears it. With V(gmail) and V(outlook) the address of the account.
    type: str
  smtp_pass:
    description: Password at the SMTP server. It is compared with the one in Odoo, and never shown. Null clears it.
    type: str
  smtp_ssl_certificate:
    description: Certificate for O(smtp_authentication) V(certificate), as PEM text (Odoo 15 and later). Null clears it.
    type: str
  smtp_ssl_private_key:
    description:
      - Its private key, as PEM text without a passphrase (Odoo 15 and later). It is compared with the one in Odoo, and never shown.
      - Null clears it.
    type: str
  google_gmail_refresh_token:
    description:
      - What the consent for V(gmail) leaves, if it was given elsewhere. It is compared with the one in Odoo, and never shown.
      - Null makes Odoo forget the consent, and so does another O(smtp_authentication).
    type: str
  microsoft_outlook_refresh_token:
    description:
      - What the consent for V(outlook) leaves, if it was given elsewhere. Never shown.
      - It is written only while Odoo has none, because Odoo replaces it each time it uses it. Null makes Odoo forget the consent,
        and so does another O(smtp_authentication).
    type: str
  from_filter:
    description:
      - The senders this server is for, each an address or a domain. Null makes it a server for any sender.
      - Put the bounce address in as well if all others are addresses, or the envelope sender will be the From address
        and bounces will not come back to Odoo.
      - A domain does not cover its subdomains. Odoo before 17 takes one item only.
      - Where O(smtp_authentication) becomes V(gmail) or V(outlook) and the server has none, O(smtp_user) if omitted.
    type: list
    elements: str
  max_email_size:
    description: Largest mail to send by this server, in MiB (Odoo 18 and 19). V(0) or null for Odoo's own limit.
    type: float
  smtp_debug:
    description: Whether Odoo writes whole SMTP sessions to its log at level DEBUG, passwords included.
    type: bool
  owner:
    description:
      - Login of the user whose own server this is (Odoo 19). Odoo sends by it only that user's mail, and allows one each.
      - O(smtp_user) and the only item of O(from_filter) must be the user's address. Null makes it a server for all.
    type: str
"""

    RUN = r"""
options:
  test:
    description:
      - Whether to run Odoo's connection test, which logs in at the provider, gives a sender and a recipient, and sends nothing.
      - With V(on_change) the servers whose connection, credentials or senders changed are tested. One that fails is put back as
        it was (a new one is deleted again, a former password restored) and the task fails, so that a wrong password is not found
        out by mail that stays in the queue. A run that changes nothing does not depend on the provider.
      - V(always) tests all servers of the task, so that the task fails as well when an unchanged one does not work.
      - V(never) is for servers that Odoo cannot reach yet.
      - Archived servers are not tested, nor those that wait for consent to OAuth. The sender is an address that the server's
        C(from_filter) covers. On Odoo 14, and where there is none, it is the address of the user who logs in to Odoo, which the
        provider must accept then.
    type: str
    choices: [on_change, always, never]
    default: on_change
  adopt:
    description:
      - What to do about a new server whose C(smtp_host), C(smtp_port) and C(smtp_user) an existing server has under another name.
      - V(true) renames and changes the existing one, V(false) makes a second one. If omitted it is an error that names both.
    type: bool
  force:
    description:
      - Delete or archive a server although mail templates, unfinished mailings, queued mail, Email Marketing or an owner use it.
        Without it that is an error which names them.
      - Odoo itself refuses to archive such a server from version 16 on, whatever is said here.
    type: bool
    default: false
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "servers", "The servers.")
