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
      - Login of a user with Settings rights.
      - The environment variable E(ODOO_LOGIN) is used when it is omitted.
    type: str
    required: true
  odoo_password:
    description:
      - Password of that user, or an API key, which is faster.
      - The environment variable E(ODOO_PASSWORD) is used when it is omitted.
    type: str
    required: true
  odoo_ca_file:
    description:
      - File with the CA certificates (PEM) to trust instead of the system's. The certificate is always verified.
      - The environment variable E(ODOO_CA_FILE) is used when it is omitted.
    type: path
  odoo_timeout:
    description: How long to wait for a connection, and for each answer, in seconds.
    type: int
    default: 60
requirements:
  - requests
notes:
  - The modules talk to Odoo over HTTPS. Run them on the controller (C(connection=local)); nothing is needed on the Odoo host.
  - >-
    Set the connection once for all modules: they form the action group C(mailops.odoo.odoo), for C(module_defaults).
"""
