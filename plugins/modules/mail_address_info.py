#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_address_info
short_description: Read the addresses at which Odoo takes mail
version_added: 0.1.0
description:
  - Returns every address that has to reach this database - aliases, those of teams and projects too, catchall and bounce
    addresses, former ones - and the mailboxes that Odoo fetches.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.connection
  - mailops.odoo.attributes.info
seealso:
  - plugin: mailops.odoo.mail_arrivals
    plugin_type: filter
  - module: mailops.odoo.mail_alias_info
"""

EXAMPLES = r"""
- name: At which addresses does Odoo take mail?
  mailops.odoo.mail_address_info:
    odoo_url: https://odoo.acme.example
    odoo_database: prod
    odoo_login: admin
    odoo_password: "{{ vault_odoo_admin_password }}"
  register: mail

- name: Which of them need a redirect at their provider?
  ansible.builtin.debug:
    msg: "{{ policy | mailops.odoo.mail_arrivals(mail.addresses) | selectattr('redirect') | map(attribute='address') }}"
  vars:
    policy:
      inbound:
        domains:
          - name: acme.example
            others: reject
"""

RETURN = r"""
addresses:
  description: The addresses in lower case; one that is several things, such as alias and mailbox, is there for each.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address; of a mailbox the login, which may be no address.
      type: str
    kind:
      description: V(alias), V(catchall), V(bounce), V(default_from), V(former) or V(mailbox).
      type: str
    target:
      description: The model an alias makes records of, the present address of a former one, or a mailbox's host.
      type: str
    server:
      description: Name of the incoming server that fetches a mailbox.
      type: str
  sample:
    - address: sales@acme.example
      kind: alias
      target: crm.lead
      server: ""
"""

from dataclasses import asdict

from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import address_list
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec


def main() -> None:
    """Run the module."""
    module = glue.make_module(connection_spec())
    try:
        found = address_list.read(connect(module.params))
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    module.exit_json(changed=False, addresses=[asdict(address) for address in found])


if __name__ == "__main__":
    main()
