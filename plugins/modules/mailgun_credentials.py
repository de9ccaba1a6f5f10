#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mailgun_credentials
short_description: Manage the SMTP credentials of a domain at Mailgun as a list
version_added: 0.1.0
description:
  - Creates, changes and, with O(prune), deletes SMTP credentials of a domain at Mailgun. The list is read once, and each change is one call.
  - A password cannot be read back. So whether it is the wanted one is shown by logging in with it, several at a time, and after a change
    that is done again. What the server then still refuses after half a minute is an error, and nothing is pruned.
author:
  - The mailops.odoo authors (@mailops)
options:
  prune:
    description: Also delete every credential of the domain that is not in the list, except C(postmaster), which belongs to the domain.
    type: bool
    default: false
  prune_limit:
    description:
      - The most credentials that O(prune) may delete in one run. If there are more, nothing is changed and the error lists them.
    type: int
    default: 10
extends_documentation_fragment:
  - mailops.odoo.mailgun
  - mailops.odoo.mailgun.credentials
  - mailops.odoo.mailgun.proof
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mailgun_credential
  - module: mailops.odoo.mailgun_domain
  - module: mailops.odoo.smtp_probe
"""

EXAMPLES = r"""
- name: The logins of the domain, and no others
  mailops.odoo.mailgun_credentials:
    api_key: "{{ vault_mailgun_api_key }}"
    domain: mg.acme.example
    credentials:
      - login: no-reply
        password: "{{ vault_mailgun_smtp_password }}"
      - login: news
        password: "{{ vault_mailgun_news_password }}"
    prune: true
    prune_limit: 2
"""

RETURN = r"""
changes:
  description: What was changed, or would be in check mode; secrets are hidden.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(update) or V(delete).
      type: str
    name:
      description: Which credential.
      type: str
    before:
      description: Its values before; empty for a new one.
      type: dict
    after:
      description: Its values after; empty for a deleted one.
      type: dict
credentials:
  description: What is known of each credential's password, in the order of the option.
  returned: always, unless nothing could be read
  type: list
  elements: dict
  contains:
    login:
      description: The login, as an address.
      type: str
    proved:
      description:
        - V(true) if the server takes the login with the wanted password, V(false) if that could not be shown; in check mode also
          where the password would be written.
        - Null if it was not tried.
      type: bool
    reason:
      description: What the server said, or why there is no proof.
      type: str
applied:
  description: The logins whose change was carried out before the failure.
  returned: on failure
  type: list
  elements: str
failed_name:
  description: Name of the credential whose change was refused.
  returned: on failure
  type: str
uncertain:
  description: Names of those whose call broke without an answer. The next run looks at them before it writes.
  returned: on failure
  type: list
  elements: str
remaining:
  description: Names of those whose change was not tried, or not to its end.
  returned: on failure
  type: list
  elements: str
"""

from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.modules import run_credentials


def main() -> None:
    """Run the module."""
    run_credentials()


if __name__ == "__main__":
    main()
