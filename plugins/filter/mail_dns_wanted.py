# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError

DOCUMENTATION = r"""
name: mail_dns_wanted
short_description: Tell which records a mail policy needs in DNS
version_added: 0.1.0
description:
  - Computes from a mail policy, and from what its providers say, which records each domain is to have. No server is
    asked.
  - SPF is that of the envelope senders. A domain's record gets the terms of all servers that send for it, by the routes
    that Odoo would choose. The terms are those that the server says (C(spf)), or those of its provider
    (C(docs/presets.md)).
  - DKIM keys, the SPF record of a sending domain and the host of tracked links are those that the provider names.
  - What Odoo S.A. asks for (C(include:_spf.odoo.com) and the CNAME C(odoo._domainkey)) is wanted only where one of its
    own servers sends, and is to be removed where others do. One that the policy's records name stays.
  - A sending domain at which no mail arrives and nobody has an address is to have no MX. What receives mail keeps its
    MX records, unless the policy names them.
  - Where DMARC reports go to another organisation, the record with which that allows it is wanted too.
  - A DMARC policy of V(quarantine) or V(reject) is an error while some mail of the policy would fail DMARC.
requirements:
  - dnspython
  - publicsuffixlist
author:
  - The mailops.odoo authors (@mailops)
positional: mailgun_domains
options:
  _input:
    description:
      - The policy as it is written, which P(mailops.odoo.policy_problems#filter) finds nothing wrong with.
      - Not what P(mailops.odoo.policy_expanded#filter) returns - that lacks what the servers say to the policy alone.
    type: dict
    required: true
  mailgun_domains:
    description: What M(mailops.odoo.mailgun_domain) returned of the policy's domains, as the role C(mailgun) keeps it.
    type: list
    elements: dict
    default: []
  records:
    description:
      - Record sets as they will be in the end, as M(mailops.odoo.mail_dns) returns them.
      - Tags of DMARC that the policy does not say stay, and count. With C(adkim=s) or C(aspf=s) less mail passes.
    type: list
    elements: dict
    default: []
  additions:
    description:
      - Only what lets more servers send. It may be published before Odoo's servers change, and harms none of those that
        send until then.
      - That leaves out terms and values that are to be removed, the C(all) of SPF, DMARC and MX.
    type: bool
    default: false
seealso:
  - plugin: mailops.odoo.mail_routes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which records are needed?
  ansible.builtin.debug:
    msg: "{{ mail_policy | mailops.odoo.mail_dns_wanted(mailgun_domains | default([])) }}"
"""

RETURN = r"""
_value:
  description:
    - What is wanted of each domain, sorted. What is null or empty is not managed.
    - C(domain), and C(zone), the zone of the policy that holds the names. It is null if none does; then they are only
      looked at. A domain whose names are in two zones has two entries.
    - C(spf), with the C(terms) that the record must have, those to C(remove), and C(all), if it is not to stay.
    - C(dkim), each key with C(name), C(type) and C(value).
    - C(dmarc), the tags.
    - C(mx), each as priority and host; an empty list if there must be none.
    - C(records), each with C(name), C(type) and C(values); those with C(state=absent) must not have these values.
  type: list
  elements: dict
  sample:
    - domain: acme.example
      zone: acme.example
      spf:
        terms: ["include:zohomail.com", "include:mailgun.org"]
        remove: ["include:_spf.odoo.com"]
      dkim: []
      dmarc:
        p: none
        rua: ["mailto:postmaster@acme.example"]
      mx: null
      records: []
"""


def mail_dns_wanted(
    policy: Mapping[str, Any],
    mailgun_domains: Sequence[Mapping[str, Any]] | None = None,
    additions: bool = False,
    records: Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return what is wanted; AnsibleFilterError for a policy that would harm its own mail."""
    from ansible_collections.mailops.odoo.plugins.module_utils._dns.wanted import additions as only_additions
    from ansible_collections.mailops.odoo.plugins.module_utils._dns.wanted import wanted

    try:
        found = wanted(policy, mailgun_domains or [], records or [])
    except MailopsError as error:
        raise AnsibleFilterError(error.text()) from None
    return only_additions(found) if additions else found


class FilterModule:
    """Provides the filter mail_dns_wanted."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"mail_dns_wanted": mail_dns_wanted}
