#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odoo_conf
short_description: Manage the SMTP settings in Odoo's configuration file
version_added: 0.1.0
description:
  - Sets or removes the settings that have to do with outgoing mail in the section C([options]) of Odoo's configuration file.
    Odoo uses them where no outgoing mail server fits, and for servers whose authentication is C(cli).
  - A setting that is not named keeps its line, and every other line stays as it is, byte by byte; so do the file's mode and owner.
  - What the new text means is read back with the parser that Odoo uses before the file is replaced.
  - Odoo reads the file when it starts. Restart it after a change.
author:
  - The mailops.odoo authors (@mailops)
options:
  path:
    description: The configuration file, which must exist.
    type: path
    default: /etc/odoo/odoo.conf
  settings:
    description: The settings by Odoo's names. One that is null is removed from the file.
    type: dict
    required: true
    suboptions:
      smtp_server:
        description: Host name or address of the SMTP server.
        type: str
      smtp_port:
        description:
          - Its port. V(465) is refused, because Odoo cannot speak the TLS that is usual there with these settings.
        type: int
      smtp_ssl:
        description: Whether the connection is upgraded to TLS by STARTTLS.
        type: bool
      smtp_user:
        description: User name at the SMTP server.
        type: str
      smtp_password:
        description: Password of that user; it is never shown.
        type: str
      smtp_ssl_certificate_filename:
        description: File with a client certificate (Odoo 15 and later), which needs O(settings.smtp_ssl_private_key_filename).
        type: str
      smtp_ssl_private_key_filename:
        description: File with the key of that certificate.
        type: str
      from_filter:
        description: The senders for which this server is, each a domain or an address (Odoo 15 and later; before 17 only one).
        type: list
        elements: str
      email_from:
        description: The sender of mail that has none.
        type: str
extends_documentation_fragment:
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.mail_server
"""

EXAMPLES = r"""
- name: What no other server takes goes to the mail gateway
  mailops.odoo.odoo_conf:
    path: /etc/odoo/odoo.conf
    settings:
      smtp_server: mx.acme.example
      smtp_port: 587
      smtp_ssl: true
      smtp_user: odoo
      smtp_password: "{{ vault_odoo_smtp_password }}"
      from_filter: [acme.example]

- name: No user and password any more
  mailops.odoo.odoo_conf:
    path: /etc/odoo/odoo.conf
    settings:
      smtp_user:
      smtp_password:
"""

RETURN = r"""
changes:
  description: The settings that were changed, or would be in check mode; the password is hidden.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(update) or V(delete).
      type: str
    name:
      description: The setting.
      type: str
    before:
      description: Its value before; null if it was not set.
      type: raw
    after:
      description: Its value after; null if it is removed.
      type: raw
  sample:
    - action: update
      name: smtp_port
      before: 25
      after: 587
"""

import configparser
import io
import os
import re
import tempfile

from ansible.module_utils.basic import AnsibleModule, _load_params
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import CHANGED, HIDDEN
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses

SECTION = "options"
SETTINGS = {
    "smtp_server": {"type": "str"},
    "smtp_port": {"type": "int"},
    "smtp_ssl": {"type": "bool"},
    "smtp_user": {"type": "str"},
    "smtp_password": {"type": "str", "no_log": True},
    "smtp_ssl_certificate_filename": {"type": "str"},
    "smtp_ssl_private_key_filename": {"type": "str", "no_log": False},
    "from_filter": {"type": "list", "elements": "str"},
    "email_from": {"type": "str"},
}
SECRET = "smtp_password"
TLS_PORT = 465


def check(name, value):
    """Return a given value in canonical form; ValueError saying what is wrong."""
    if name == "smtp_port":
        if not 1 <= value <= 65535:
            raise ValueError("a port is a number from 1 to 65535")
        # Odoo's smtp_ssl means STARTTLS (ir_mail_server.py, 14 to 19).
        if value == TLS_PORT:
            raise ValueError(
                "Odoo speaks only STARTTLS here, and 465 begins with TLS: use 587 or 2525, or a mail_server"
            )
    elif isinstance(value, str) and (value != value.strip() or len(value.splitlines()) != 1):
        raise ValueError("it must be one line of text, without spaces around it; null removes it")
    if name == "email_from":
        return addresses.address(value)
    if name == "from_filter":
        if not value:
            raise ValueError("an empty list says nothing; null removes it")
        return addresses.from_filter(value)
    return value


def read(name, text):
    """Return what Odoo understands by a setting's text, in canonical form; None if it is not set."""
    if text in (None, "") or (text in ("False", "false") and name != "smtp_ssl"):
        return None
    if name == "smtp_ssl":
        return {"true": True, "false": False}.get(text.lower(), text)
    if name == "smtp_port":
        return int(text) if text.isdigit() else text
    if name == "from_filter":
        return sorted({part.strip().lower() for part in text.split(",") if part.strip()})
    return text


def written(value):
    """Return a canonical value as the file has it."""
    return ",".join(value) if isinstance(value, list) else str(value)


def parse(text):
    """Return {section: {option: text}} as Odoo reads the file.

    ValueError if it cannot; its text holds nothing of the file's, which has passwords.
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or [number for number, _text in getattr(error, "errors", [])]
        raise ValueError(f"it is no configuration file ({type(error).__name__}, line {line})") from None
    if not parser.has_section(SECTION):
        raise ValueError(f"it has no section [{SECTION}]")
    return {section: dict(parser.items(section)) for section in parser.sections()}


def spans(lines):
    """Return ({option: (first line, line after its last)}, line after the last of the section) of [options]."""
    found, end, section, name, indent = {}, 0, None, None, 0
    for number, line in enumerate(lines):
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        depth = len(line) - len(line.lstrip())
        header = re.match(r"\[(.+)\]", text)
        if name is not None and depth > indent:
            # The value goes on.
            found[name] = (found[name][0], number + 1)
        elif header:
            section, name = header.group(1), None
        elif section == SECTION:
            name, indent = re.split(r"[=:]", text, maxsplit=1)[0].strip().lower(), depth
            found[name] = (number, number + 1)
        else:
            name = None
        if section == SECTION:
            end = number + 1
    return found, end


def edit(text, values):
    """Return the text with the settings of {name: canonical value or None}, all other lines as they are."""
    # Not splitlines, which also splits at characters that are none of the parser's line ends.
    lines = list(io.StringIO(text))
    found, end = spans(lines)
    newline = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += newline
    new = {name: f"{name} = {written(value)}{newline}" for name, value in values.items() if value is not None}
    lines[end:end] = [line for name, line in new.items() if name not in found]
    # From the last line to the first, so that the numbers of those before hold.
    for name, (first, after) in sorted(found.items(), key=lambda item: item[1], reverse=True):
        if name in values:
            comments = [line for line in lines[first + 1 : after] if line.strip()[:1] in ("#", ";")]
            lines[first:after] = ([new[name]] if name in new else []) + comments
    return "".join(lines)


def check_edited(before, text, values):
    """ValueError unless the text differs in its meaning from `before` by the settings alone."""
    wanted = {section: dict(items) for section, items in before.items()}
    for name, value in values.items():
        wanted[SECTION].pop(name, None)
        if value is not None:
            wanted[SECTION][name] = written(value)
    if parse(text) != wanted:
        raise ValueError("it is written in a way that this module cannot edit; set the values by hand")


def describe(name, before, after):
    """Return one change as results show it."""
    action = "create" if before is None else "delete" if after is None else "update"
    if name == SECRET:
        after = None if after is None else HIDDEN if before is None else CHANGED
        before = None if before is None else HIDDEN
    return {"action": action, "name": name, "before": before, "after": after}


def difference(path, changes):
    """Return Ansible's diff of the settings that change, and of no other line."""

    def lines(side):
        return "".join(
            f"{change['name']} = {written(change[side])}\n" for change in changes if change[side] is not None
        )

    return {"before_header": path, "after_header": path, "before": lines("before"), "after": lines("after")}


def given_settings(params):
    """Return the canonical values of the settings that the task names, None for those to remove."""
    raw = _load_params().get("settings")
    explicit = raw if isinstance(raw, dict) else {}
    settings = {}
    for name, value in params["settings"].items():
        if value is None:
            if name in explicit:
                settings[name] = None
            continue
        try:
            settings[name] = check(name, value)
        except ValueError as error:
            shown = "" if name == SECRET else f" is {value!r}"
            raise ValueError(f"{name}{shown}: {error}") from None
    return settings


def replace(module, path, text):
    """Put the text in the file's place, in one step, with the mode and owner that it has."""
    descriptor, temporary = tempfile.mkstemp(dir=module.tmpdir)
    module.add_cleanup_file(temporary)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    module.atomic_move(temporary, os.path.realpath(path))


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/etc/odoo/odoo.conf"},
            "settings": {"type": "dict", "required": True, "options": SETTINGS},
        },
        supports_check_mode=True,
    )
    path = module.params["path"]
    try:
        settings = given_settings(module.params)
        with open(path, "rb") as file:
            text = file.read().decode("utf-8", "surrogateescape")
        parsed = parse(text)
        current = {name: read(name, parsed[SECTION].get(name)) for name in SETTINGS}
        after = {**current, **settings}
        if (after["smtp_ssl_certificate_filename"] is None) != (after["smtp_ssl_private_key_filename"] is None):
            raise ValueError("smtp_ssl_certificate_filename and smtp_ssl_private_key_filename go together")
        values = {name: value for name, value in settings.items() if value != current[name]}
        if values:
            new = edit(text, values)
            check_edited(parsed, new, values)
            if not module.check_mode:
                replace(module, path, new)
    except FileNotFoundError:
        module.fail_json(msg=f"{path} does not exist. Is Odoo installed here? Nothing was written.")
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"{path}: {error}. Nothing was written.")
    changes = [describe(name, current[name], value) for name, value in values.items()]
    module.exit_json(changed=bool(changes), changes=changes, diff=difference(path, changes))


if __name__ == "__main__":
    main()
