# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """How the modules reach Mailgun, and what they do about a credential."""

    DOCUMENTATION = r"""
options:
  api_key:
    description:
      - A private API key of the Mailgun account. To manage domains and credentials it needs the role admin or developer.
      - The environment variable E(MAILGUN_API_KEY) is used when it is omitted.
    type: str
    required: true
  region:
    description: Mailgun's region of the domain. Domains and credentials exist in one region only.
    type: str
    choices: [us, eu]
    default: us
  api_url:
    description: Base URL of the API in place of the region's, for a proxy or a simulator.
    type: str
  ca_file:
    description: File with the CA certificates (PEM) to trust for the API instead of the system's. The certificate is always verified.
    type: path
  timeout:
    description: How long to wait for a connection, and for each answer, in seconds.
    type: int
    default: 30
  rate_limit_timeout:
    description:
      - How long the module waits in all, in seconds, when Mailgun limits the rate of calls. It waits for as long as Mailgun says and
        goes on; when that would be more, it fails and says so.
    type: int
    default: 120
requirements:
  - requests
notes:
  - Reads are repeated when they fail. A write is repeated only when it is certain that it was not carried out.
  - Run the modules on the controller (C(connection=local)).
  - >-
    Set the connection once for all modules: they form the action group C(mailops.odoo.mailgun), for C(module_defaults).
"""

    INBOUND = r"""
options:
  inbound_routes:
    description:
      - Whether the domain receives mail, for Mailgun's routes. Only then are the MX records in RV(ignore:dns_records), as a name that
        only sends mail should have none.
    type: bool
    default: false
"""

    CREDENTIAL = r"""
options:
  login:
    description: The login, as an address of the domain or as the part before the @.
    type: str
    required: true
  password:
    description:
      - The password, of 5 to 32 characters. To create a credential one is needed; omitted, that of an existing one is left as it is.
    type: str
"""

    CREDENTIALS: str = as_list(CREDENTIAL, "credentials", "The credentials.")

    PROOF = r"""
options:
  domain:
    description: Name of the domain at Mailgun.
    type: str
    required: true
  update_secret:
    description:
      - When the password of a credential that exists is written. Mailgun never shows a password, so the modules log in with the wanted
        one by SMTP. If that works nothing is written.
      - V(if_changed) writes it when the server says that it is wrong. Where the server cannot be asked, the password is left as it is,
        with a warning.
      - V(always) writes it in that case too.
      - V(on_create) never writes it.
    type: str
    choices: [if_changed, always, on_create]
    default: if_changed
  smtp_host:
    description: The submission server to log in at. The default is that of the region, V(smtp.mailgun.org) or V(smtp.eu.mailgun.org).
    type: str
  smtp_port:
    description: Its port. The connection is TLS from the start at 465, and STARTTLS at any other.
    type: int
    default: 2525
  smtp_ca_file:
    description: File with the CA certificates (PEM) to trust for it instead of the system's. The certificate is always verified.
    type: path
"""

    DOMAIN = r"""
options:
  name:
    description: Name of the domain, such as V(mg.example.com).
    type: str
    required: true
  use_automatic_sender_security:
    description:
      - Whether Mailgun keeps the DKIM keys and changes them by itself. The DKIM records are then two CNAMEs.
      - Changing it needs other DNS records, and the domain to be verified again.
    type: bool
  dkim_key_size:
    description: Bits of the DKIM key. Only a new domain gets it.
    type: int
    choices: [1024, 2048]
  dkim_selector:
    description: Selector of the DKIM key. Only a new domain gets it.
    type: str
  web_prefix:
    description: Label before the domain's name in tracked links, such as V(email).
    type: str
  web_scheme:
    description: Scheme of tracked links. For V(https) Mailgun must have a certificate for the name.
    type: str
    choices: [http, https]
  wildcard:
    description: Whether mail to subdomains is received too.
    type: bool
  spam_action:
    description: What becomes of received mail that looks like spam.
    type: str
    choices: [disabled, block, tag]
  require_tls:
    description: Whether mail is delivered over TLS only.
    type: bool
  skip_verification:
    description: Whether the receiver's certificate is not verified.
    type: bool
  tracking:
    description: What is tracked. What is omitted is left as it is.
    type: dict
    suboptions:
      open:
        description: Whether a message was opened.
        type: bool
      click:
        description: Whether links are followed, V(htmlonly) in HTML only.
        type: str
        choices: ['yes', 'no', htmlonly]
      unsubscribe:
        description: Whether links to unsubscribe are put in.
        type: bool
"""
