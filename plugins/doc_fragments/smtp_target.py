# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list


class ModuleDocFragment:
    """What is asked of a mail server, as a module's own options and as those of a list's items."""

    DOCUMENTATION = r"""
options:
  host:
    description: Host name or address of the mail server. The certificate is checked against it.
    type: str
    required: false
  port:
    description: Its port.
    type: int
    required: false
  encryption:
    description:
      - V(ssl) is TLS from the start, as is usual on port 465. V(starttls) begins in the clear and fails where the server does
        not offer TLS. V(none) stays in the clear.
    type: str
    choices: [none, starttls, ssl]
    default: starttls
  login:
    description:
      - User to log in as, by PLAIN or LOGIN. It is sent over TLS only; with O(encryption=none) to this machine itself alone.
    type: str
  password:
    description: Password of that user; it is never shown.
    type: str
  ca_file:
    description: PEM file on the host with the CA certificates to trust, in place of the system's.
    type: path
  verify:
    description:
      - Whether the certificate must be valid, for O(host) and by a CA that is trusted. One that is not ends the attempt, and is
        described. With V(false) any is taken, and O(password) is sent to whoever has it.
    type: bool
    default: true
  timeout:
    description: How long each step may take, in seconds.
    type: float
    default: 10
  helo:
    description: The name for EHLO; if left out, the host's own if that is a full one, otherwise its address.
    type: str
  mail_from:
    description: The envelope sender to propose. An empty one is that of bounces.
    type: str
  rcpt_to:
    description: The recipients to propose. The proposal is taken back; nothing is sent to them. It needs O(mail_from).
    type: list
    elements: str
    default: []
"""

    # Annotated, because the checks of plain assignments here expect literals.
    LIST: str = as_list(
        DOCUMENTATION.replace("required: false", "required: true"),
        "targets",
        "What to ask for, if it is more than one; all are asked for at once.",
        required=False,
    )
