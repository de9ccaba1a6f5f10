#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_record_sets
short_description: Manage values of DNS record sets as a list
version_added: 0.1.0
description:
  - Adds and removes values of any number of record sets, each all records of one name and type, at the server that holds the zone.
  - Each record set is asked for once, and nothing is written before all of them are planned. With O(backend=rfc2136) the changes of a zone
    are one update, which is carried out wholly or not at all, if they fit into one (some hundred records); otherwise a few.
  - Values that the task does not name are left alone, also when somebody else writes them at the same time.
author:
  - The mailops.odoo authors (@mailops)
extends_documentation_fragment:
  - mailops.odoo.dns
  - mailops.odoo.dns.record_sets
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.dns_record_set
  - module: mailops.odoo.mail_dns_info
"""

EXAMPLES = r"""
- name: A new DKIM key is there, the one of last year is gone
  mailops.odoo.dns_record_sets:
    backend: rfc2136
    server: ns1.acme.example
    key_name: mailops
    key_secret: "{{ vault_dns_tsig_secret }}"
    record_sets:
      - name: s2026._domainkey.mg.acme.example
        type: CNAME
        values: [s2026.domainkey.provider.example]
      - name: s2025._domainkey.mg.acme.example
        type: CNAME
        state: absent
  register: published

- name: What was changed
  ansible.builtin.debug:
    msg: "{{ published.changes | map(attribute='name') | join(', ') }}"
"""

RETURN = r"""
changes:
  description: What was changed, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(update) or V(delete), of the record set.
      type: str
    name:
      description: The name, without a last dot, as DNS has it.
      type: str
      sample: mg.acme.example
    type:
      description: The type.
      type: str
    before:
      description: Its C(values) and C(ttl) before; empty for a new one.
      type: dict
    after:
      description: Its C(values) and C(ttl) after; empty if it is removed.
      type: dict
records:
  description: What there is after the run, of each record set that was named; in check mode what there would be.
  returned: always, unless nothing could be read
  type: list
  elements: dict
  contains:
    name:
      description: The name, without a last dot, as DNS has it.
      type: str
    type:
      description: The type.
      type: str
    values:
      description: All values, whoever has put them there. A text is without quotation marks.
      type: list
      elements: str
    ttl:
      description: For how long caches may hold it, in seconds; null if there are no values.
      type: int
  sample:
    - name: acme.example
      type: TXT
      values: ["v=spf1 mx -all"]
      ttl: 3600
applied:
  description: The record sets that were changed before the failure, as name and type.
  returned: on failure after a change, or if it is not known whether there was one
  type: list
  elements: str
remaining:
  description: Those that were not, or of which it is not known. The next run looks at them before it writes.
  returned: on failure after a change, or if it is not known whether there was one
  type: list
  elements: str
"""

from ansible_collections.mailops.odoo.plugins.module_utils._dns.record_sets import run_many


def main() -> None:
    """Run the module."""
    run_many()


if __name__ == "__main__":
    main()
