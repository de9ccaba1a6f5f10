#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_dns
short_description: Publish the mail records of domains
version_added: 0.1.0
description:
  - Publishes SPF, DKIM, DMARC and MX records, and what else the mail of domains needs, at the server that holds their zone.
  - Records that a domain has once are merged. The SPF record gets and loses terms, keeps its others in their order, and says what is to
    become of all others as its owner wrote it; the DMARC record gets tags and keeps its others. What already means the same is left
    as it is, byte for byte, as are all values that are none of these.
  - Everything is looked at and planned before the first record is written. Two SPF or DMARC records, a DKIM key that does not parse, an SPF
    record over which receivers would give up, a CNAME beside other data, or typographic quotation marks are refused, with the record and
    the rule; then nothing is changed.
author:
  - The mailops.odoo authors (@mailops)
requirements:
  - dkimpy
options:
  domains:
    description: The domains, all at one server, as the filter P(mailops.odoo.mail_dns_wanted#filter) returns them.
    type: list
    elements: dict
    required: true
    suboptions:
      domain:
        description: The domain, to which all options belong that have no name of their own. What is not ASCII is encoded (punycode).
        type: str
        required: true
      zone:
        description: The zone that holds it. If O(zone) is another one the domain is refused.
        type: str
      spf:
        description:
          - What is wanted of the domain's SPF record. If it has none, one is made unless nothing is to be added.
          - The record that comes of it may make receivers ask ten times at most, with all that it includes, and name two things at most that
            are not in DNS (RFC 7208, section 4.6.4). What cannot be looked up now is warned of.
        type: dict
        suboptions:
          terms:
            description: Mechanisms that it has, such as V(include:mailgun.org). They are added before C(all).
            type: list
            elements: str
            default: []
          remove:
            description: Terms that it does not have, of whatever qualifier if they are named without one.
            type: list
            elements: str
            default: []
          all:
            description: What becomes of senders that it does not name. If left out, the record's stays, and a new one gets V(~all).
            type: str
            choices: ["-all", "~all", "?all"]
      dkim:
        description: The keys with which the domain's mail is signed, or aliases of them, as the provider tells them.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The full name, C(<selector>._domainkey.<domain>).
            type: str
            required: true
          type:
            description: V(TXT) for a key, V(CNAME) for an alias.
            type: str
            choices: [TXT, CNAME]
            required: true
          value:
            description:
              - The key, in one text or in parts in quotation marks, or the name that has it. Another one at the name is replaced.
              - One that is empty (revoked) is refused; M(mailops.odoo.dns_record_set) publishes it.
            type: str
            required: true
      dmarc:
        description: Tags of the record at C(_dmarc.<domain>). Those that are left out stay as they are.
        type: dict
        suboptions:
          p:
            description: What receivers are to do with mail that fails. A new record needs it.
            type: str
            choices: [none, quarantine, reject]
          sp:
            description: The same for subdomains.
            type: str
            choices: [none, quarantine, reject]
          np:
            description: The same for subdomains that do not exist.
            type: str
            choices: [none, quarantine, reject]
          adkim:
            description: Whether DKIM's domain must be the sender's (V(s)) or of the same organisation (V(r)).
            type: str
            choices: [r, s]
          aspf:
            description: The same for SPF's domain.
            type: str
            choices: [r, s]
          pct:
            description: To how many percent of the mail it applies.
            type: int
          fo:
            description: Which failures are reported.
            type: str
          rf:
            description: The form of failure reports.
            type: str
          ri:
            description: Seconds between aggregate reports.
            type: int
          rua:
            description: Where aggregate reports go, such as V(mailto:postmaster@acme.example). All addresses, not some more.
            type: list
            elements: str
          ruf:
            description: Where failure reports go.
            type: list
            elements: str
      mx:
        description:
          - All hosts that take the domain's mail, such as V(10 mx.acme.example). An empty list says that there is no MX.
          - Another host that is there is an error, as mail goes to it; see O(domains[].mx_remove).
        type: list
        elements: str
      mx_remove:
        description: Whether MX records with other hosts than O(domains[].mx) names are removed. Mail does not go there any more then.
        type: bool
        default: false
      records:
        description:
          - Further records, such as the alias for tracked links. They may be those that M(mailops.odoo.mailgun_domain) returns.
          - Values come beside those of others. A CNAME is replaced, as there can be one; so is a DKIM key. Of an SPF record the mechanisms are
            merged. MX records are treated as O(domains[].mx) is.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The full name, with a last dot or without.
            type: str
            required: true
          type:
            description: The type.
            type: str
            choices: [A, AAAA, CAA, CNAME, MX, PTR, SRV, TLSA, TXT]
            required: true
          values:
            description: The values, as O(mailops.odoo.mail_dns_info#module:records[].values).
            type: list
            elements: str
            required: true
          ttl:
            description: As O(domains[].ttl), for this record.
            type: int
          valid:
            description: Part of what other modules return; it counts for nothing.
            type: bool
          state:
            description: V(absent) has these values removed. V(valid), V(unknown) and V(invalid) are what providers say, and mean V(present).
            type: str
            choices: [present, absent, valid, unknown, invalid]
            default: present
      ttl:
        description: For how long caches may hold the records, in seconds. If left out, it stays as it is; a new record set gets 3600.
        type: int
  resolver:
    description: Addresses of the DNS resolvers by which the look-ups of SPF are counted; if left out, the system's.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.odoo.dns
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_dns_info
  - module: mailops.odoo.dns_record_sets
  - module: mailops.odoo.mailgun_domain
"""

EXAMPLES = r"""
- name: Mailgun and our own server send for us, and our own server takes our mail
  mailops.odoo.mail_dns:
    backend: rfc2136
    zone: acme.example
    server: ns1.acme.example
    key_name: mailops
    key_secret: "{{ vault_dns_tsig_secret }}"
    domains:
      - domain: acme.example
        spf:
          terms: [mx, "include:mailgun.org"]
          remove: ["include:_spf.odoo.com"]
        dmarc:
          p: none
          rua: ["mailto:postmaster@acme.example"]
        mx: [10 mx.acme.example]
  register: published

- name: It has reached the zone's servers
  mailops.odoo.mail_dns_info:
    records: "{{ published.records }}"
    wait: true
    wait_timeout: 60

- name: A domain that only sends, with what its provider wants
  mailops.odoo.mail_dns:
    backend: rfc2136
    server: ns1.acme.example
    key_name: mailops
    key_secret: "{{ vault_dns_tsig_secret }}"
    domains:
      - domain: mg.acme.example
        dkim:
          - name: s1._domainkey.mg.acme.example
            type: CNAME
            value: s1.mg.acme.example.dkim.provider.example
        mx: []
        records:
          - name: mg.acme.example
            type: TXT
            values: ["v=spf1 include:mailgun.org ~all"]
          - name: email.mg.acme.example
            type: CNAME
            values: [mailgun.org]
        ttl: 300
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

from ansible_collections.mailops.odoo.plugins.module_utils._dns.mail_run import run


def main() -> None:
    """Run the module."""
    run()


if __name__ == "__main__":
    main()
