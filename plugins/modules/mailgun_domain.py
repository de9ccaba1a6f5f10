#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mailgun_domain
short_description: Manage a sending domain at Mailgun
version_added: 0.1.0
description:
  - Creates, changes and deletes a domain at Mailgun, and returns the DNS records that it needs.
  - An option that is omitted is left as it is. Only what differs is written.
  - A domain that is in the account's other region is not created a second time. That is looked up where O(api_url) is not set.
    Where that region does not answer nothing is created.
  - A deletion is over when Mailgun does not know the domain any more; it fails when that takes more than two minutes.
author:
  - The mailops.odoo authors (@mailops)
options:
  state:
    description: Whether the domain exists. Deleting it deletes its credentials.
    type: str
    choices: [present, absent]
    default: present
  verify:
    description:
      - Whether to have Mailgun verify the domain, if it is not, and wait for it. Publish RV(dns_records) before.
      - Only the records for sending matter. MX records neither delay it nor make it fail.
      - In check mode it is taken for granted that it works.
    type: bool
    default: false
  verify_timeout:
    description:
      - How long O(verify) waits, in seconds; with V(0) Mailgun is asked once. When it is over the task fails and tells what is missing.
      - A task shows nothing while it waits. For a long wait let the task have a short one, and repeat it with C(until) and C(retries).
    type: int
    default: 300
extends_documentation_fragment:
  - mailops.odoo.mailgun
  - mailops.odoo.mailgun.domain
  - mailops.odoo.mailgun.inbound
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mailgun_domain_info
  - module: mailops.odoo.mailgun_credential
"""

EXAMPLES = r"""
- name: The domain for bulk mail
  mailops.odoo.mailgun_domain:
    api_key: "{{ vault_mailgun_api_key }}"
    region: us
    name: mg.acme.example
    use_automatic_sender_security: true
    tracking:
      open: false
      click: "no"
      unsubscribe: false
  register: mailgun

- name: What is to be published in DNS
  ansible.builtin.debug:
    msg: "{{ item.name }} {{ item.type }} {{ item['values'] | join(', ') }}"
  loop: "{{ mailgun.dns_records }}"
  loop_control:
    label: "{{ item.name }}"

- name: Mailgun sends for it, asked for every now and then for five minutes
  mailops.odoo.mailgun_domain:
    name: mg.acme.example
    verify: true
    verify_timeout: 15
  register: verified
  until: verified is succeeded
  retries: 20
  delay: 1

- name: The domain of last year is gone
  mailops.odoo.mailgun_domain:
    name: news.acme.example
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
      description: Which domain.
      type: str
    before:
      description: Its values before; empty for a new one.
      type: dict
    after:
      description: Its values after; empty for a deleted one.
      type: dict
domain:
  description: The domain as it is after the run; in check mode as it is before. Null if there is none.
  returned: always, unless nothing could be read
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
      description: As the option.
      type: bool
    web_prefix:
      description: As the option.
      type: str
    web_scheme:
      description: As the option.
      type: str
    wildcard:
      description: As the option.
      type: bool
    spam_action:
      description: As the option.
      type: str
    require_tls:
      description: As the option.
      type: bool
    skip_verification:
      description: As the option.
      type: bool
sending_records:
  description: The DNS records for sending, in the form the DNS modules take.
  returned: always, unless nothing could be read
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
  returned: always, unless nothing could be read
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
  description: What is to be published, in the same form. RV(sending_records), and RV(receiving_records) with O(inbound_routes=true) only.
  returned: always, unless nothing could be read
  type: list
  elements: dict
tracking:
  description: What is tracked, as the option. Null if there is no domain, or if that could not be read after it was created.
  returned: always, unless nothing could be read
  type: dict
  sample:
    open: false
    click: "no"
    unsubscribe: false
waited:
  description: For how many seconds the module waited for the verification or deletion.
  returned: always, unless nothing could be read
  type: float
applied:
  description: The domain's name, once for each call that was carried out before the failure.
  returned: on failure
  type: list
  elements: str
failed_name:
  description: Name of the domain whose change was refused.
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

from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.modules import run_domain


def main() -> None:
    """Run the module."""
    run_domain()


if __name__ == "__main__":
    main()
