# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """How the modules that change DNS reach it, and what a record set is."""

    DOCUMENTATION = r"""
options:
  backend:
    description:
      - How the zone is changed. V(rfc2136) is dynamic update, signed by TSIG, as BIND, Knot and PowerDNS take it; V(digitalocean) and V(cloudflare)
        are the APIs of these providers.
    type: str
    choices: [rfc2136, digitalocean, cloudflare]
    required: true
  zone:
    description:
      - The zone that all names must be in. If left out, it is found for each name.
      - A name that is in another zone, or in one below, is refused.
    type: str
  server:
    description: With O(backend=rfc2136), which needs it, the zone's primary server, as an address or a host name. It is asked over TCP.
    type: str
  port:
    description: Its port.
    type: int
    default: 53
  key_name:
    description: With O(backend=rfc2136), which needs it, the name of the TSIG key. Questions are signed too, so it also chooses the view.
    type: str
  key_secret:
    description: The secret of the TSIG key, in base64, as the server's configuration has it.
    type: str
  key_algorithm:
    description: The algorithm of the TSIG key.
    type: str
    choices: [hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512]
    default: hmac-sha256
  api_token:
    description:
      - With O(backend=digitalocean) and O(backend=cloudflare), which need it, a token that may read and change the zone's records.
      - DigitalOcean's needs the scope C(domain) with read, create, update and delete; Cloudflare's the permissions C(Zone:Read) and
        C(DNS:Edit), with the zone among its resources.
      - If left out, the environment variable E(DIGITALOCEAN_TOKEN) or E(CLOUDFLARE_API_TOKEN) is used.
    type: str
  api_url:
    description: Base URL of the API in place of the provider's, without a path, for a proxy or a simulator.
    type: str
  ca_file:
    description: File with the CA certificates (PEM) to trust for the API instead of the system's. The certificate is always verified.
    type: path
  timeout:
    description: How long to wait for a connection, and for each answer, in seconds.
    type: float
    default: 10
requirements:
  - dnspython >= 2.7
  - requests
notes:
  - Only what a task names is changed. Values of others in the same record set stay as they are, also when they are written at the same time.
    Then what is there is read and planned anew, five times at most.
  - A wildcard's answer is no record of the name. A name's first own record ends the wildcard's answers for it, which is warned of.
  - The APIs have neither transactions nor conditions. So new values are created before others are deleted, what may be there only once (an SPF
    or DMARC record, a DKIM key, a CNAME) is edited in place by one call, and everything is read again before and after it. What somebody else
    writes over the same SPF record in the moment between that reading and the call is lost, and only then.
  - DigitalOcean has no records of the types CAA, PTR and TLSA for these modules, Cloudflare none of CAA. A rate limit is waited for, at
    DigitalOcean for two minutes in all, at Cloudflare for five.
  - Cloudflare answers for a proxied record with addresses of its own, so its value is told with V((proxied\)) behind it and is no value that is
    asked for. With C(state=exact) it is edited and not proxied any more. New records are never proxied.
  - Run the modules on the controller (C(connection=local)).
  - >-
    Set the connection once for all modules: they form the action group C(mailops.odoo.dns), for C(module_defaults).
"""

    RECORD_SET = r"""
options:
  name:
    description:
      - The full name, with a last dot or without; nothing is appended to it. What is not ASCII is encoded (punycode).
      - A name in which its zone's name stands twice gets no new values.
    type: str
    required: true
  type:
    description: The type of the records.
    type: str
    choices: [A, AAAA, CAA, CNAME, MX, PTR, SRV, TLSA, TXT]
    required: true
  values:
    description:
      - The values, as zone files have them, each in one line, such as V(10 mx.acme.example). Host names are always full, with a last dot or without;
        V(@) is refused.
      - A TXT is one text without quotation marks, however long, or in parts with them. A line break, typographic quotation marks around it, and a
        second SPF record, DMARC record or DKIM key at a name are refused.
      - They are compared by what they mean. The case and the last dot of host names, and the parts of a text, do not count.
    type: list
    elements: str
  state:
    description:
      - V(present), O(values) are there, whatever else is. V(exact), they are and no others, so values of others are removed.
      - V(absent), they are not there, whatever else is. Without O(values) the whole record set is removed, all values of all owners.
    type: str
    choices: [present, absent, exact]
    default: present
  ttl:
    description:
      - For how long caches may hold the record set, in seconds. It is that of all its values.
      - If left out, it stays as it is; a new record set gets 3600.
    type: int
"""

    RECORD_SETS: str = as_list(
        RECORD_SET, "record_sets", "The record sets. One may be named several times, for several of its values."
    )
