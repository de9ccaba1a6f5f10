#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mailgun_domain_info
short_description: Read the sending domains at Mailgun
version_added: 0.1.0
description:
  - Returns the domains of an account in a region, with the DNS records they need and whether Mailgun found these.
author:
  - The mailops.odoo authors (@mailops)
options:
  name:
    description: Only this domain. Omitted means all. If there is no such domain the list is empty.
    type: str
extends_documentation_fragment:
  - mailops.odoo.mailgun
  - mailops.odoo.mailgun.inbound
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.mailgun_domain
"""

EXAMPLES = r"""
- name: What domains are there?
  mailops.odoo.mailgun_domain_info:
    api_key: "{{ vault_mailgun_api_key }}"
  register: mailgun

- name: Which records are missing?
  ansible.builtin.debug:
    msg: "{{ item.domain.name }} waits for {{ item.domain.awaited | join(', ') | default('nothing', true) }}"
  loop: "{{ mailgun.domains }}"
  loop_control:
    label: "{{ item.domain.name }}"
"""

RETURN = r"""
domains:
  description: The domains.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: What it is.
      type: dict
      contains:
        name:
          description: Its name.
          type: str
        state:
          description: V(active), V(unverified) or V(disabled), as Mailgun says.
          type: str
        verified:
          description:
            - Whether Mailgun sends for it. It is active, and every record for sending is valid. The one for tracked links counts only where
              something is tracked; records for receiving never count.
          type: bool
        awaited:
          description: The records that keep it from being verified, as name and type.
          type: list
          elements: str
        region:
          description: V(us) or V(eu).
          type: str
        type:
          description: V(custom), or V(sandbox) for Mailgun's own test domain.
          type: str
        created_at:
          description: When it was created.
          type: str
        is_disabled:
          description: Whether Mailgun has disabled it.
          type: bool
        disabled_because:
          description: Why, if Mailgun says so.
          type: str
        use_automatic_sender_security:
          description: As the option of M(mailops.odoo.mailgun_domain).
          type: bool
        web_prefix:
          description: As the option of M(mailops.odoo.mailgun_domain).
          type: str
        web_scheme:
          description: As the option of M(mailops.odoo.mailgun_domain).
          type: str
        wildcard:
          description: As the option of M(mailops.odoo.mailgun_domain).
          type: bool
        spam_action:
          description: As the option of M(mailops.odoo.mailgun_domain).
          type: str
        require_tls:
          description: As the option of M(mailops.odoo.mailgun_domain).
          type: bool
        skip_verification:
          description: As the option of M(mailops.odoo.mailgun_domain).
          type: bool
    sending_records:
      description: The DNS records for sending, in the form the DNS modules take.
      type: list
      elements: dict
      contains:
        name:
          description: Absolute name, without the last dot.
          type: str
        type:
          description: V(TXT), V(CNAME) or V(MX).
          type: str
        values:
          description: The values. A text is without quotes, an MX is priority and host.
          type: list
          elements: str
        ttl:
          description: Always null, Mailgun does not mind.
          type: int
        valid:
          description: Whether Mailgun has found it in DNS.
          type: bool
        state:
          description: V(valid), V(unknown) (not found or not looked at yet) or V(invalid).
          type: str
      sample:
        - name: mg.acme.example
          type: TXT
          values: ["v=spf1 include:mailgun.org ~all"]
          ttl: null
          valid: false
          state: unknown
    receiving_records:
      description: The DNS records for receiving (MX), in the same form.
      type: list
      elements: dict
      sample:
        - name: mg.acme.example
          type: MX
          values: [10 mxa.mailgun.org, 10 mxb.mailgun.org]
          ttl: null
          valid: false
          state: unknown
    dns_records:
      description: What is to be published, in the same form. The records for sending, and those for receiving with O(inbound_routes=true) only.
      type: list
      elements: dict
    tracking:
      description: What is tracked, as the option of M(mailops.odoo.mailgun_domain).
      type: dict
      sample:
        open: false
        click: "no"
        unsubscribe: false
"""

from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.modules import run_domain_info


def main() -> None:
    """Run the module."""
    run_domain_info()


if __name__ == "__main__":
    main()
