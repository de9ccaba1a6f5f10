#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_authentication_info
short_description: Tell what a receiver makes of a mail - SPF, DKIM and DMARC
version_added: 0.1.0
description:
  - Evaluates SPF for a sender's address, the DKIM signatures of a saved mail, and DMARC from both, as a receiver does, by the
    records that resolvers know at present.
  - SPF is about the envelope sender, which in Odoo is the bounce address; DMARC is about the domain of From. The former counts for
    DMARC only if it is of the same organisation (by the Public Suffix List), or of the same domain where the record wants that.
  - Without O(path) it tells what SPF and DMARC would say of a mail that is not signed.
author:
  - The mailops.odoo authors (@mailops)
requirements:
  - dnspython >= 2.7
  - dkimpy >= 1.1
  - pyspf >= 2.0.14
  - publicsuffixlist >= 1.0
  - PyNaCl, to check ed25519 signatures
options:
  path:
    description: A saved mail (C(.eml)) on the controller, with its header fields as they arrived.
    type: path
  ip:
    description: The address from which the mail came to the receiver, that is the provider's or the gateway's. Without it SPF is not
      evaluated.
    type: str
  mail_from:
    description: The envelope sender; empty for the null sender. If left out, it is that of the Return-Path of O(path).
    type: str
  helo:
    description: The name by which the sending host presents itself. It is checked if O(mail_from) is empty.
    type: str
  header_from:
    description: The domain, or the address, of From. If left out, it is that of O(path).
    type: str
  resolver:
    description: Addresses of the DNS resolvers that are asked; if left out, the system's.
    type: list
    elements: str
  timeout:
    description: How long each resolver may take for an answer, in seconds. All questions together may take 20 seconds.
    type: float
    default: 3
extends_documentation_fragment:
  - mailops.odoo.attributes.info
"""

EXAMPLES = r"""
- name: May the gateway send for the company?
  mailops.odoo.mail_authentication_info:
    ip: 192.0.2.30
    mail_from: bounce@acme.example
    header_from: sales@acme.example
  register: route

- name: Say so
  ansible.builtin.debug:
    msg: "SPF {{ route.spf.result }}: {{ route.spf.explanation }}; DMARC {{ route.dmarc.result }}: {{ route.dmarc.reason }}"

- name: What do receivers make of this mail?
  mailops.odoo.mail_authentication_info:
    path: "{{ playbook_dir }}/newsletter.eml"
    ip: 192.0.2.10
  register: mail

- name: Stop unless it passes
  ansible.builtin.assert:
    that: mail.dmarc.result == 'pass'
    fail_msg: "{{ mail.dmarc.reason }}"
"""

RETURN = r"""
spf:
  description: What SPF says; null if it was not evaluated.
  returned: success
  type: dict
  contains:
    result:
      description: V(pass), V(fail), V(softfail), V(neutral), V(none), V(permerror) or V(temperror) (RFC 7208).
      type: str
    explanation:
      description: Why.
      type: str
      sample: "acme.example: 192.0.2.30 matches mx"
    domain:
      description: The domain that was checked.
      type: str
    mechanism:
      description: What matched; empty if nothing did.
      type: str
    lookups:
      description: How many terms made the receiver ask for this sender; with more than 10 it gives up. Another sender may need more.
      type: int
    void_lookups:
      description: How many questions found nothing; with more than 2 it gives up.
      type: int
dkim:
  description: What each signature of the mail is worth, in their order; empty without O(path).
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: Who signed.
      type: str
    selector:
      description: By which key.
      type: str
    result:
      description: V(pass), V(fail), V(permerror), V(temperror), or V(neutral) where it cannot be checked here.
      type: str
    reason:
      description: Why it does not pass; empty if it does.
      type: str
      sample: the body is not what was signed
    bits:
      description: The size of the key; 0 if it is not known.
      type: int
dmarc:
  description: What DMARC makes of both; null without a From.
  returned: success
  type: dict
  contains:
    result:
      description:
        - V(pass), V(fail), V(none) (the domain has no record), V(permerror) or V(temperror).
        - V(unknown) if it does not pass by DKIM and O(ip) was not given.
      type: str
    reason:
      description: Why.
      type: str
      sample: SPF passes for acme.example, which is aligned
    domain:
      description: The domain of From.
      type: str
    policy:
      description: What the record asks for mail that fails, V(none), V(quarantine) or V(reject); empty without one.
      type: str
    record:
      description: The name of the record; empty if there is none.
      type: str
    spf_aligned:
      description: Whether SPF passes for an aligned domain.
      type: bool
    dkim_aligned:
      description: Whether a signature passes for an aligned domain.
      type: bool
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    MailopsError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns import alignment, dkim, evaluate, lookup, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.resolver import Resolver


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path"},
            "ip": {"type": "str"},
            "mail_from": {"type": "str"},
            "helo": {"type": "str"},
            "header_from": {"type": "str"},
            "resolver": {"type": "list", "elements": "str"},
            "timeout": {"type": "float", "default": 3},
        },
        required_one_of=[("path", "ip")],
        supports_check_mode=True,
    )
    libraries = {
        "dnspython": values.IMPORT_ERROR,
        "dkimpy": dkim.IMPORT_ERROR,
        "pyspf": evaluate.IMPORT_ERROR,
        "publicsuffixlist": alignment.IMPORT_ERROR,
    }
    for library, error in libraries.items():
        if error is not None:
            module.fail_json(msg=missing_required_lib(library), exception=error)
    try:
        found = evaluated(module.params)
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    module.exit_json(changed=False, **found)


def evaluated(params: dict[str, Any]) -> dict[str, Any]:
    """Return what the module tells."""
    resolve = Resolver(params["resolver"] or lookup.system_resolvers(), params["timeout"])
    message = read(params["path"]) if params["path"] else b""
    mail_from, header_from = params["mail_from"], params["header_from"]
    spf = None
    if params["ip"]:
        if mail_from is None:
            mail_from = evaluate.return_path(message)
        if mail_from is None:
            raise ValidationError(
                "there is no envelope sender", "Give mail_from; empty, and helo, for the null sender."
            )
        spf = evaluate.spf(params["ip"], mail_from, params["helo"] or "", resolve)
    signatures = evaluate.verify(message, resolve)
    domain = header_from.rpartition("@")[2] if header_from else evaluate.from_domain(message) if message else ""
    dmarc = evaluate.dmarc(domain, spf, signatures, resolve) if domain else None
    return {
        "spf": asdict(spf) if spf else None,
        "dkim": [asdict(one) for one in signatures],
        "dmarc": asdict(dmarc) if dmarc else None,
    }


def read(path: str) -> bytes:
    """Return a file's bytes; NotFoundError if it cannot be read."""
    try:
        message = Path(path).read_bytes()
    except OSError as error:
        raise NotFoundError(f"path {path} cannot be read: {error.strerror}") from None
    if not message.strip():
        raise ValidationError(f"path {path} is empty")
    return message


if __name__ == "__main__":
    main()
