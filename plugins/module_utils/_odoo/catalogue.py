# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything in Odoo that a policy can hold: the one list that export, snapshot and restore go by."""

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.alias_domain import ALIAS_DOMAIN
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.allowed_sender import ALLOWED_SENDER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.company_mail import COMPANY_MAIL
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.incoming_server import INCOMING_SERVER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_alias import MAIL_ALIAS
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.scheduled_action import SCHEDULED_ACTION
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.system_parameter import SYSTEM_PARAMETER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.user_mail import USER_MAIL

# The policy's key → what it lists, in the order in which they are applied: what is referred to goes first.
CATALOGUE: dict[str, OdooResource] = {
    "parameters": SYSTEM_PARAMETER,
    "alias_domains": ALIAS_DOMAIN,
    "companies": COMPANY_MAIL,
    "users": USER_MAIL,
    "servers": MAIL_SERVER,
    "aliases": MAIL_ALIAS,
    "incoming_servers": INCOMING_SERVER,
    "allowed_senders": ALLOWED_SENDER,
    "scheduled_actions": SCHEDULED_ACTION,
}
# Snapshots have everybody, to put back whom a run changes. A policy names the few users it cares about.
NOT_IMPORTED = {"users"}
