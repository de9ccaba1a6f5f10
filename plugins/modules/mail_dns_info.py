#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_dns_info
short_description: Tell which DNS records are published
version_added: 0.1.0
description:
  - Asks each authoritative server of a name's zone for its records, by all of its addresses, so that no cache answers in its
    place, and compares them with what is wanted.
  - A record is missing only if a server said so. Servers that do not answer, do not serve the zone or differ from others are
    named.
  - Values are compared by what they mean. The texts of a TXT record are joined; the case and the last dot of host names do not
    count. At a name without an underscore, TXT records for another purpose do not count either.
author:
  - The mailops.odoo authors (@mailops)
requirements:
  - dnspython >= 2.7
options:
  records:
    description: The records to ask for. They may be those that M(mailops.odoo.mailgun_domain) returns.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The full name, with a last dot or without. What is not ASCII is encoded (punycode).
        type: str
        required: true
      type:
        description: The type of the record.
        type: str
        choices: [A, AAAA, CAA, CNAME, MX, NS, PTR, SOA, SRV, TLSA, TXT]
        required: true
      values:
        description:
          - All values that it is to have, as zone files have them, such as V(10 mx.acme.example). A TXT is one text without
            quotation marks, or in parts with them. If left out, what there is is told.
        type: list
        elements: str
      ttl:
        description: Part of what other modules return; it is not compared.
        type: int
      valid:
        description: As O(records[].ttl).
        type: bool
      state:
        description: As O(records[].ttl).
        type: str
  resolver:
    description: Addresses of the DNS resolvers that tell where the zones and their servers are; if left out, the system's.
    type: list
    elements: str
  timeout:
    description: How long each server may take for an answer, in seconds. All questions together take about four times that at most.
    type: float
    default: 3
extends_documentation_fragment:
  - mailops.odoo.attributes.info
"""

EXAMPLES = r"""
- name: Is the mail's DNS in order?
  mailops.odoo.mail_dns_info:
    records:
      - name: acme.example
        type: MX
        values: [10 mx.acme.example]
      - name: mg.acme.example
        type: TXT
        values: ["v=spf1 include:mailgun.org ~all"]
  register: dns

- name: Stop if it is not
  ansible.builtin.assert:
    that: dns.records | rejectattr('status', 'equalto', 'present') | length == 0
    fail_msg: "{{ dns.records | rejectattr('status', 'equalto', 'present') | map(attribute='detail') | join(', ') }}"

- name: What does the world know about DMARC?
  mailops.odoo.mail_dns_info:
    records:
      - name: _dmarc.acme.example
        type: TXT
"""

RETURN = r"""
records:
  description: What came of each of O(records), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name, without a last dot, as DNS has it.
      type: str
      sample: mg.acme.example
    type:
      description: The type.
      type: str
    wanted:
      description: The values that it is to have; null if only what there is was asked for.
      type: list
      elements: str
    found:
      description: The values that are there, of all servers together.
      type: list
      elements: str
    status:
      description:
        - V(present), the values are there and no others (or any are, if none were named). V(extra), they are there and others with
          them. V(different), others are there, or something else than this type (a CNAME), or the servers differ. V(missing), the
          servers say that there are none.
        - V(servfail), all servers failed to answer for the zone. V(unreachable), none could be reached. Then nothing is known.
      type: str
    detail:
      description: What is the matter, in one line; empty if nothing is.
      type: str
      sample: there is no such name (NXDOMAIN)
    zone:
      description: The zone that the name is in; empty if it is not known.
      type: str
    problems:
      description: What is the matter with the zone's servers - silent, lame (not serving the zone), or different from others.
      type: list
      elements: str
      sample: ["ns2.acme.example (192.0.2.53): no answer within 3 s"]
    servers:
      description: What each server said.
      type: list
      elements: dict
      contains:
        name:
          description: Its name.
          type: str
        address:
          description: The address at which it was asked; null if it has none.
          type: str
        answer:
          description:
            - V(found), V(nodata) (the name has no record of the type), V(nxdomain) (there is no such name), V(cname), V(servfail), V(lame),
              V(unreachable), or V(unrouted) where this machine has no way there.
          type: str
        values:
          description: The values that it has, or the target of the CNAME.
          type: list
          elements: str
        detail:
          description: Why there is no answer; empty if there is one.
          type: str
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import lookup, values

RECORD = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": list(values.TYPES), "required": True},
    "values": {"type": "list", "elements": "str"},
    "ttl": {"type": "int"},
    "valid": {"type": "bool"},
    "state": {"type": "str"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "records": {"type": "list", "elements": "dict", "options": RECORD, "required": True},
            "resolver": {"type": "list", "elements": "str"},
            "timeout": {"type": "float", "default": 3},
        },
        supports_check_mode=True,
    )
    if values.IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("dnspython"), exception=values.IMPORT_ERROR)
    try:
        queries = [lookup.query(one["name"], one["type"], one["values"]) for one in module.params["records"]]
        resolvers = module.params["resolver"] or lookup.system_resolvers()
        found = lookup.look_up(queries, resolvers, module.params["timeout"])
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    module.exit_json(changed=False, records=[finding.shown() for finding in found])


if __name__ == "__main__":
    main()
