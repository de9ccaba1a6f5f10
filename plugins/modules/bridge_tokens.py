#!/usr/bin/python
# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bridge_tokens
short_description: Write the tokens by which Odoo knows a bridge
version_added: 0.1.0
description:
  - Writes one file for each database, with mode C(0600). It belongs to the user that the task runs as, usually root.
  - The tokens are in no temporary file on the controller, as they would be with M(ansible.builtin.copy), and in none on the host outside of
    the directory. A file is replaced in one step.
  - The bridge reads them when it starts.
author:
  - The mailops.odoo authors (@mailops)
options:
  path:
    description: The directory, which must exist.
    type: path
    default: /etc/odoo-lmtp-bridge/tokens
  tokens:
    description:
      - By the name of a database a list of its tokens, the current one first. Empty ones are left out.
      - Files of other databases stay as they are.
    type: dict
    required: true
extends_documentation_fragment:
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.secret_rotation
"""

EXAMPLES = r"""
- name: The bridge has the token of a database, and the one that follows
  mailops.odoo.bridge_tokens:
    tokens:
      acme:
        - "{{ vault_mail_delivery_token }}"
        - "{{ vault_mail_delivery_token_next | default('') }}"
"""

RETURN = r"""
changes:
  description: The databases whose file is written, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [acme]
"""

import contextlib
import hmac
import os
import stat

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_bytes, to_native


def content(tokens):
    """Return what the bridge reads: a token on each line."""
    return b"".join(to_bytes(token) + b"\n" for token in tokens if token)


def is_there(path, wanted):
    """Return whether a file has this content, is this user's, and nobody else may read it."""
    try:
        with open(path, "rb") as file:
            status, there = os.fstat(file.fileno()), file.read()
    except FileNotFoundError:
        return False
    own = status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == 0o600
    return own and hmac.compare_digest(there, wanted)


def write(path, wanted):
    """Put a file with this content in the place of what is there, in one step."""
    folder, name = os.path.split(path)
    # Always the same name, so that nothing stays of a run that was killed here. 0600 from its first moment.
    temporary = os.path.join(folder, f".{name}.pending")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(wanted)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/etc/odoo-lmtp-bridge/tokens"},
            "tokens": {"type": "dict", "required": True, "no_log": True},
        },
        supports_check_mode=True,
    )
    path, given = module.params["path"], module.params["tokens"]
    for name, tokens in given.items():
        if os.path.basename(name) != name or name.startswith("."):
            module.fail_json(msg=f"tokens: {name!r} is no name of a database that can be a file's")
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens) or not content(tokens):
            module.fail_json(msg=f"tokens: {name} must have a list of tokens, one at least that is not empty")
        if any(token.split() != [token] for token in tokens if token):
            module.fail_json(msg=f"tokens: one of {name} has white space in it")
    written = []
    try:
        changes = [name for name, tokens in given.items() if not is_there(os.path.join(path, name), content(tokens))]
        if not module.check_mode:
            for name in changes:
                write(os.path.join(path, name), content(given[name]))
                written.append(name)
    except OSError as error:
        done = f"; written before that: {', '.join(written)}" if written else ""
        module.fail_json(msg=f"{path}: {to_native(error)}{done}", changed=bool(written), changes=written)
    module.exit_json(changed=bool(changes), changes=changes)


if __name__ == "__main__":
    main()
