#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mailgun_credential
short_description: Manage an SMTP credential at Mailgun
version_added: 0.1.0
description:
  - Creates, changes and deletes an SMTP credential of a domain at Mailgun.
  - A password cannot be read back. So whether it is the wanted one is shown by logging in with it, and after a change that is done again.
    What the server then still refuses after half a minute is an error.
  - The login C(postmaster) belongs to the domain. It can be given a password, and not be deleted.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.mailgun
  - mailops.odoo.mailgun.credential
  - mailops.odoo.mailgun.proof
  - mailops.odoo.state
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mailgun_credentials
  - module: mailops.odoo.mailgun_domain
  - module: mailops.odoo.smtp_probe
"""

EXAMPLES = r"""
- name: Odoo's login at Mailgun
  mailops.odoo.mailgun_credential:
    api_key: "{{ vault_mailgun_api_key }}"
    domain: mg.acme.example
    login: no-reply
    password: "{{ vault_mailgun_smtp_password }}"

- name: The login of last year is gone
  mailops.odoo.mailgun_credential:
    domain: mg.acme.example
    login: news@mg.acme.example
    state: absent
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
login:
  description: The login, as an address.
  returned: always, unless nothing could be read
  type: str
proved:
  description:
    - V(true) if the server takes the login with the wanted password, V(false) if that could not be shown; in check mode also
      where the password would be written.
    - Null if it was not tried.
  returned: always, unless nothing could be read
  type: bool
reason:
  description: What the server said, or why there is no proof.
  returned: always, unless nothing could be read
  type: str
applied:
  description: The login, if its change was carried out before the failure.
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

from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.modules import run_credential


def main() -> None:
    """Run the module."""
    run_credential()


if __name__ == "__main__":
    main()
