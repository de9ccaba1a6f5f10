#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_dns_info
short_description: Tell which DNS records are published, and wait for them
version_added: 0.1.0
description:
  - Asks each authoritative server of a name's zone for its records, by all of its addresses, so that no cache answers in its
    place, and compares them with what is wanted.
  - A record is missing only if a server said so. Servers that do not answer, do not serve the zone or differ from others are
    named.
  - Values are compared by what they mean. The texts of a TXT record are joined; the case and the last dot of host names do not
    count, nor does the order of what may stand in any order in SPF, DKIM and DMARC (for DKIM keys dkimpy must be there, else all
    three are compared as texts). At a name without an underscore, TXT records for another purpose do not count either.
  - Mistakes that are often behind a record that is not as wanted are named, such as a name to which the DNS panel appended the zone
    once more, or a wildcard that answers for it.
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
            quotation marks, or in parts with them. If left out, what there is is told. An empty list says that there is to be none.
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
    description: How long each server may take for an answer, in seconds. All questions together take about five times that at most.
    type: float
    default: 3
  caches:
    description:
      - Addresses of resolvers, such as public ones, whose caches are looked at as well. They are asked for a record only when the
        zone's own servers are right, as who asks before has them remember what is wrong.
      - A public resolver has many caches at one address, of which any may answer.
    type: list
    elements: str
    default: []
  wait:
    description:
      - Whether to look again until the zone's servers, and O(caches) if there are any, have all that is wanted. Records without
        O(records[].values) are waited for until the servers agree. A zone none of whose servers answers is waited for too, and so is a
        cache that does not; one server of several is only named in RV(records[].problems).
      - In check mode nothing is waited for.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long O(wait) lasts, in seconds; with V(0) there is one look. When it is over the task fails and tells what is not as wanted.
      - A task shows nothing while it waits. For a long wait let the task have a short one, and repeat it with C(until) and C(retries).
    type: int
    default: 300
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

- name: It has reached the world, asked for every now and then for five minutes
  mailops.odoo.mail_dns_info:
    records:
      - name: _dmarc.acme.example
        type: TXT
        values: ["v=DMARC1; p=none; rua=mailto:postmaster@acme.example"]
      - name: mg.acme.example
        type: MX
        values: []
    caches: "{{ public_resolvers }}"
    wait: true
    wait_timeout: 15
  register: published
  until: published is succeeded
  retries: 20
  delay: 1

- name: What does the world know about DMARC?
  mailops.odoo.mail_dns_info:
    records:
      - name: _dmarc.acme.example
        type: TXT
"""

RETURN = r"""
records:
  description: What came of each of O(records), in their order.
  returned: always, unless the options were refused
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
          servers say that there are none. V(absent), there are none, as is wanted.
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
    hints:
      description: Which mistake may be behind it.
      type: list
      elements: str
      sample:
        - "it is published at mg.acme.example.acme.example: the name was entered in full, and acme.example appended"
    ttl:
      description:
        - For how many seconds at most a cache keeps what the servers say now. Where there is nothing a cache remembers that, for as
          long as the zone's SOA record says. Null if nothing is known.
      type: int
      sample: 3600
    caches:
      description: What O(caches) said; empty if the zone's servers are not right.
      type: list
      elements: dict
      contains:
        address:
          description: The address of the resolver.
          type: str
        answer:
          description: As RV(records[].servers[].answer).
          type: str
        values:
          description: As RV(records[].servers[].values).
          type: list
          elements: str
        ttl:
          description: For how many seconds more it keeps that; null if it did not say.
          type: int
        status:
          description: As RV(records[].status); V(different) if it has not what the zone's servers have.
          type: str
        detail:
          description: What is the matter, in one line; empty if nothing is.
          type: str
          sample: it keeps 'v=spf1 -all', for 1200 s at most
    stale_for:
      description: For how many seconds at most the caches keep something else than the zone's servers have; V(0) if none does.
      type: int
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
        ttl:
          description: Its time to live, in seconds; null if there is no answer.
          type: int
        detail:
          description: Why there is no answer; empty if there is one.
          type: str
waited:
  description: For how many seconds the module waited.
  returned: always, unless the options were refused
  type: float
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import finding, lookup, values, wait

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
            "caches": {"type": "list", "elements": "str", "default": []},
            "wait": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    if values.IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("dnspython"), exception=values.IMPORT_ERROR)
    params = module.params
    waits = params["wait"] and not module.check_mode
    try:
        queries = [finding.query(one["name"], one["type"], one["values"]) for one in params["records"]]
        resolvers = params["resolver"] or lookup.system_resolvers()
        found, waited = wait.wait(
            lambda asked: lookup.look_up(asked, resolvers, params["timeout"], caches=params["caches"]),
            queries,
            params["wait_timeout"] if waits else 0,
        )
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    result = {"records": [one.shown() for one in found], "waited": round(waited, 1)}
    lacking = wait.unsettled(found, waited) if waits else None
    if lacking:
        module.fail_json(msg=lacking.text(), error=lacking.kind, **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
