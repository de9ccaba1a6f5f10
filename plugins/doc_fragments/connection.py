# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How the modules reach an Odoo database."""

    DOCUMENTATION = r"""
options:
  odoo_url:
    description:
      - URL of the Odoo server, without a path, such as V(https://odoo.example.com).
      - The environment variable E(ODOO_URL) is used when it is omitted.
    type: str
    required: true
  odoo_database:
    description:
      - Name of the database.
      - The environment variable E(ODOO_DATABASE) is used when it is omitted.
    type: str
    required: true
  odoo_login:
    description:
      - Login of a user with Settings rights. Needed with a password, and with an API key up to Odoo 18.
      - The environment variable E(ODOO_LOGIN) is used when it is omitted.
    type: str
  odoo_password:
    description:
      - Password of that user. Logging in with one costs Odoo a quarter of a second and more; an API key costs next to nothing.
      - The environment variable E(ODOO_PASSWORD) is used when it is omitted.
    type: str
  odoo_api_key:
    description:
      - An API key of that user, which goes before the password when both are given. M(mailops.odoo.odoo_api_key) makes one.
      - The environment variable E(ODOO_API_KEY) is used when it is omitted.
    type: str
  odoo_protocol:
    description:
      - V(json2) is Odoo's JSON-2 API (19 and later, with an API key), V(jsonrpc) the older JSON-RPC, which 19 still has.
      - V(auto) takes JSON-2 where there is an API key and the server is 19 or later, and JSON-RPC otherwise.
    type: str
    choices: [auto, jsonrpc, json2]
    default: auto
  odoo_ca_file:
    description:
      - File with the CA certificates (PEM) to trust instead of the system's. The certificate is always verified.
      - The environment variable E(ODOO_CA_FILE) is used when it is omitted.
    type: path
  odoo_timeout:
    description: How long to wait for a connection, and for each answer, in seconds.
    type: int
    default: 60
  odoo_snapshot:
    description:
      - Absolute path of a file on the controller. A module that is about to change mail settings first saves there what
        they are, without secrets, unless the file exists. So one path for all tasks of a run keeps the state before it.
      - If it cannot be saved, nothing is changed. Modules that only read do without. M(mailops.odoo.mail_settings_restore)
        puts a database back to a snapshot.
    type: path
requirements:
  - requests
notes:
  - The modules talk to Odoo over HTTPS. Run them on the controller (C(connection=local)); nothing is needed on the Odoo host.
  - >-
    Set the connection once for all modules: they form the action group C(mailops.odoo.odoo), for C(module_defaults).
"""
