#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_probe
short_description: Tell what a mail server lets a host do, without sending mail
version_added: 0.1.0
description:
  - Goes through the steps of handing in a mail from the host it runs on - connection, greeting, TLS, certificate, login, sender,
    recipients - and says of each what came back. No mail is sent.
  - Needs Python 3.9 or later on the host and nothing else.
  - A server that refuses is an answer and no failure of the task, unless O(fail) says so.
author:
  - The mailops.odoo authors (@mailops)
options:
  fail:
    description: Whether the task fails if not all that was asked for passed.
    type: bool
    default: false
extends_documentation_fragment:
  - mailops.odoo.smtp_target
  - mailops.odoo.smtp_target.list
  - mailops.odoo.attributes.info
seealso:
  - module: mailops.odoo.mail_server
"""

EXAMPLES = r"""
- name: Which way to the provider is open from here?
  mailops.odoo.smtp_probe:
    targets:
      - host: smtp.mailgun.org
        port: 2525
      - host: smtp.mailgun.org
        port: 587
        timeout: 3
  register: ways

- name: Does the provider take this login?
  mailops.odoo.smtp_probe:
    host: smtp.mailgun.org
    port: 2525
    login: no-reply@mg.acme.example
    password: "{{ vault_mailgun_smtp_password }}"
    fail: true

- name: Does the gateway take mail for this address?
  mailops.odoo.smtp_probe:
    host: mx.acme.example
    port: 25
    encryption: none
    mail_from: ""
    rcpt_to: [sales@acme.example]
"""

RETURN = r"""
reachable:
  description: Whether a connection was made.
  returned: with O(host)
  type: bool
steps:
  description: What came of each step until one failed. Those of O(rcpt_to) do not end it.
  returned: with O(host)
  type: list
  elements: dict
  contains:
    step:
      description: V(tcp), V(banner), V(ehlo) (a second time after STARTTLS), V(tls), V(certificate), V(size), V(auth), V(mail) or V(rcpt).
      type: str
    ok:
      description: Whether it passed.
      type: bool
    detail:
      description: What the server said, or what is the matter, in one line.
      type: str
  sample:
    - {step: tcp, ok: true, detail: "connected to 192.0.2.25:2525 in 12 ms"}
    - {step: banner, ok: false, detail: "554 5.7.1 no service here"}
certificate:
  description: The server's certificate, also one that was not accepted; null if there was none.
  returned: with O(host)
  type: dict
  contains:
    subject:
      description: For whom it is.
      type: str
      sample: CN=smtp.mailgun.org
    issuer:
      description: Who signed it.
      type: str
    names:
      description: Its host names and addresses.
      type: list
      elements: str
    not_after:
      description: Its last moment, in UTC.
      type: str
      sample: "2027-03-01T12:00:00Z"
    days_left:
      description: Whole days until then; negative if it has expired.
      type: int
extensions:
  description: What the server offers, as the last answer to EHLO had it.
  returned: with O(host)
  type: list
  elements: str
  sample: [SIZE 52428800, AUTH PLAIN LOGIN]
size_limit:
  description: The largest mail that the server takes, in bytes; null if it does not tell.
  returned: with O(host)
  type: int
authenticated:
  description: Whether the login was accepted; null if it was not tried, or not answered by a yes or by 535 (wrong password).
  returned: with O(host)
  type: bool
problem:
  description: What did not pass; empty if all that was asked for did.
  returned: always
  type: str
results:
  description: The same for each of O(targets), in their order, with C(host), C(port) and C(encryption).
  returned: with O(targets)
  type: list
  elements: dict
"""

from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.odoo.plugins.module_utils._smtp.probe import ENCRYPTIONS, Target, check, probe

AT_ONCE = 16
OPTIONAL = {
    "login": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ca_file": {"type": "path"},
    "helo": {"type": "str"},
    "mail_from": {"type": "str"},
}
DEFAULTED = {
    "encryption": {"type": "str", "choices": list(ENCRYPTIONS), "default": "starttls"},
    "verify": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 10},
    "rcpt_to": {"type": "list", "elements": "str", "default": []},
}


def spec(required):
    """Return the options of a target."""
    return {
        "host": {"type": "str", "required": required},
        "port": {"type": "int", "required": required},
        **OPTIONAL,
        **DEFAULTED,
    }


def target(params):
    """Return what the options ask for; ValueError if it makes no sense."""
    given = {name: params[name] for name in ("host", "port", *DEFAULTED)}
    given["rcpt_to"] = tuple(given["rcpt_to"])
    for name in ("login", "password", "ca_file", "helo"):
        given[name] = params[name] or ""
    asked = Target(mail_from=params["mail_from"], **given)
    try:
        check(asked)
    except ValueError as error:
        raise ValueError(f"{asked.host}:{asked.port}: {error}") from None
    return asked


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **spec(required=False),
            "targets": {"type": "list", "elements": "dict", "options": spec(required=True)},
            "fail": {"type": "bool", "default": False},
        },
        required_one_of=[("host", "targets")],
        mutually_exclusive=[("targets", name) for name in ("host", "port", *OPTIONAL)],
        required_by={"host": ("port",)},
        supports_check_mode=True,
    )
    several = module.params["targets"] is not None
    try:
        targets = [target(params) for params in (module.params["targets"] if several else [module.params])]
    except ValueError as error:
        module.fail_json(msg=str(error))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(probe, targets))
    if several:
        told = [f"{one.target.host}:{one.target.port}: {one.problem}" for one in outcomes if one.problem]
        result = {"results": [one.shown() for one in outcomes], "problem": "; ".join(told)}
    else:
        result = outcomes[0].shown()
    if module.params["fail"] and result["problem"]:
        module.fail_json(msg=result["problem"], changed=False, **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
