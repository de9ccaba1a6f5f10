#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_domain_info
short_description: Tell what receivers find of domains that mail is sent from
version_added: 0.1.0
description:
  - Reads the SPF and DMARC records and the DKIM keys of domains as receivers do, and says what they are worth to those who send.
  - SPF is evaluated for a host of each sender. From the sender's own terms an address is taken that they let send, and the domain's
    record must let it send too. So a record that has the right terms behind wrong ones, or costs receivers too many look-ups, is found.
  - What the domains themselves publish is asked for at their zones' own servers, so that no cache tells what was there before. All else
    is looked up through resolvers.
  - To judge one mail, use M(mailops.odoo.mail_authentication_info).
author:
  - The mailops.odoo authors (@mailops)
requirements:
  - dkimpy
  - dnspython >= 2.7
  - publicsuffixlist
  - pyspf
options:
  domains:
    description: The domains.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The domain. What is not ASCII is encoded (punycode).
        type: str
        required: true
      terms:
        description: The terms of SPF by which servers send with an envelope sender at the domain, such as V(include:mailgun.org).
        type: list
        elements: str
        default: []
      keys:
        description: The names of the DKIM keys that its mail is signed by, C(<selector>._domainkey.<domain>).
        type: list
        elements: str
        default: []
  resolver:
    description: Addresses of the DNS resolvers; if left out, the system's.
    type: list
    elements: str
  timeout:
    description: How long to wait for each answer, in seconds. All that is looked up through resolvers may take 20 s.
    type: float
    default: 3
extends_documentation_fragment:
  - mailops.odoo.attributes.info
"""

EXAMPLES = r"""
- name: What do receivers find?
  mailops.odoo.mail_domain_info:
    domains:
      - name: mg.acme.example
        terms: [include:mailgun.org]
  register: found

- name: Mailgun may send
  ansible.builtin.assert:
    that: found.domains[0].spf.senders | rejectattr('result', 'equalto', 'pass') | length == 0
    fail_msg: "{{ found.domains[0].spf.senders | map(attribute='explanation') | join(', ') }}"
"""

RETURN = r"""
domains:
  description: What there is of each of O(domains), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The domain, without a last dot, as DNS has it.
      type: str
    spf:
      description: Its SPF record.
      type: dict
      contains:
        status:
          description: V(present), V(missing), V(permerror) if receivers would refuse it, or V(temperror) if something cannot be looked up.
          type: str
        detail:
          description: Why.
          type: str
          sample: acme.example has 2 SPF records, which receivers refuse (RFC 7208, section 4.5)
        record:
          description: The record; empty if there is none.
          type: str
        lookups:
          description: The terms that make receivers ask, at most, with all that is included; with more than 10 they give up.
          type: list
          elements: str
        void_lookups:
          description: The names in it that are not in DNS; with more than 2 they give up.
          type: list
          elements: str
        senders:
          description: What receivers make of a host of each of O(domains[].terms), but those with a qualifier.
          type: list
          elements: dict
          contains:
            term:
              description: The term.
              type: str
            ip:
              description: An address that it lets send; empty if none can be named.
              type: str
            result:
              description:
                - V(pass), V(fail), V(softfail), V(neutral), V(none), V(permerror) or V(temperror) (RFC 7208).
                - V(unknown) if the addresses depend on the mail (macros), or the term names none.
              type: str
            explanation:
              description: Why.
              type: str
              sample: "mg.acme.example: 192.0.2.64 matches include:mailgun.org"
    dkim:
      description: What there is of each of O(domains[].keys), in their order.
      type: list
      elements: dict
      contains:
        name:
          description: Its name.
          type: str
        status:
          description: V(present), V(missing), V(revoked), V(permerror) if receivers cannot use it, or V(temperror).
          type: str
        detail:
          description: Why.
          type: str
        type:
          description: V(rsa) or V(ed25519); empty without a key.
          type: str
        bits:
          description: Its size.
          type: int
    dmarc:
      description: The DMARC record that counts for mail from the domain.
      type: dict
      contains:
        status:
          description: V(present), V(missing), V(permerror) or V(temperror).
          type: str
        detail:
          description: Why.
          type: str
        record:
          description: The name of the record; empty if there is none. It is that of the organisation if the domain has none of its own.
          type: str
        policy:
          description: What it asks for mail of the domain that fails, V(none), V(quarantine) or V(reject).
          type: str
        tags:
          description: Its tags.
          type: dict
          sample: {"v": "DMARC1", "p": "none", "rua": "mailto:postmaster@acme.example"}
        reports:
          description: The other organisations that its reports go to.
          type: list
          elements: dict
          contains:
            host:
              description: The domain of the address.
              type: str
            name:
              description: The name with which the other organisation allows it.
              type: str
            authorised:
              description: Whether it does; null if that could not be looked up.
              type: bool
            detail:
              description: Why not.
              type: str
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import (
    alignment,
    dkim,
    evaluate,
    lookup,
    receivers,
    spf,
    values,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns.fresh import Fresh

DOMAIN = {
    "name": {"type": "str", "required": True},
    "terms": {"type": "list", "elements": "str", "default": []},
    "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
}
LIBRARIES = {
    "dnspython": values.IMPORT_ERROR,
    "dkimpy": dkim.IMPORT_ERROR,
    "pyspf": evaluate.IMPORT_ERROR,
    "publicsuffixlist": alignment.IMPORT_ERROR,
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "domains": {"type": "list", "elements": "dict", "options": DOMAIN, "required": True},
            "resolver": {"type": "list", "elements": "str"},
            "timeout": {"type": "float", "default": 3},
        },
        supports_check_mode=True,
    )
    for library, error in LIBRARIES.items():
        if error is not None:
            module.fail_json(msg=missing_required_lib(library), exception=error)
    params = module.params
    try:
        domains = [checked(one) for one in params["domains"]]
        look = Fresh(params["resolver"] or lookup.system_resolvers(), params["timeout"])
        found = receivers.domains(domains, look)
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    module.exit_json(changed=False, domains=[asdict(one) for one in found])


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """Return a domain with its names in canonical form; ValidationError if they or its terms are none."""
    try:
        for term in given["terms"]:
            spf.term(term)
        name, *keys = (values.shown(values.name(one)) for one in (given["name"], *given["keys"]))
    except ValueError as error:
        raise ValidationError(f"domain {given['name']}: {error}") from None
    return {**given, "name": name, "keys": keys}


if __name__ == "__main__":
    main()
