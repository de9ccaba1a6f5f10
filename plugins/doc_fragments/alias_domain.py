# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """An alias domain's options, as a module's own and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  name:
    description: The domain. It is written in lower case, because Odoo 17 to 19 never match mail to another spelling.
    type: str
    required: true
  bounce_alias:
    description:
      - Local part of the address at which delivery failures come back. Needed to create a record.
      - Changing an existing one is refused unless the old one is among O(former_bounce_aliases).
    type: str
  catchall_alias:
    description:
      - Local part of the address at which replies come back. Needed to create a record.
      - Changing an existing one is refused unless the old one is among O(former_catchall_aliases).
    type: str
  default_from:
    description:
      - Local part of the sender that Odoo uses when no server takes the real one; Odoo itself puts V(notifications) in a new record.
      - A full address makes it the sender of mail for every domain.
    type: str
  sequence:
    description: Lower comes first when Odoo picks a domain for a new company (Odoo 17 and later).
    type: int
  companies:
    description:
      - Names of the companies that use this alias domain, and no others do (Odoo 17 and later). Omitted leaves them alone.
      - To leave a company without one is refused; name it at another alias domain, or use M(mailops.odoo.company_mail).
      - To the first alias domain of a database Odoo gives every company. If this is given, the others go without.
    type: list
    elements: str
  former_names:
    description:
      - Names that this alias domain had before. A record of such a name is renamed, and no second one is created.
      - Mail to the addresses it had then still arrives, see the notes on former addresses.
    type: list
    elements: str
  former_catchall_aliases:
    description: Local parts that O(catchall_alias) had before. Mail to them still arrives, see the notes on former addresses.
    type: list
    elements: str
  former_bounce_aliases:
    description: Local parts that O(bounce_alias) had before. Mail to them still arrives, see the notes on former addresses.
    type: list
    elements: str
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(DOCUMENTATION, "alias_domains", "The alias domains.")

    SAFETY = r"""
options:
  allow_delete:
    description: Whether an alias domain may be deleted, although replies to mail that was sent from it are lost then.
    type: bool
    default: false
notes:
  - Mail that was sent before a change still leads to the former addresses. They are kept in the system parameter
    C(mail_delivery.former_addresses), where they stay when the options that named them are removed.
    The addon C(mail_delivery) tells them to the mail gateways, where Postfix rewrites them to the present ones.
  - Where that addon is not installed, a warning names what must be redirected by hand at the mail provider.
  - The gateway must still take mail for a former domain; keep it among the policy's inbound domains.
  - On Odoo 14 to 16 there is one alias domain, in the system parameters C(mail.catchall.domain), C(mail.catchall.alias),
    C(mail.bounce.alias) and C(mail.default.from). Deleting it deletes the first of them only, as Odoo's own settings do.
"""
