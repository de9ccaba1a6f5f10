# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.doc_fragments import (
    alias_domain,
    allowed_sender,
    company_mail,
    incoming_server,
    mail_alias,
    mail_server,
    scheduled_action,
    system_parameter,
    user_mail,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.docs import as_list

LISTS = (
    ("parameters", system_parameter, "System parameters, as M(mailops.odoo.system_parameters) takes them."),
    ("alias_domains", alias_domain, "Alias domains, as M(mailops.odoo.alias_domains) takes them."),
    ("companies", company_mail, "Companies' addresses, as M(mailops.odoo.companies_mail) takes them."),
    ("users", user_mail, "Users' addresses, as M(mailops.odoo.users_mail) takes them."),
    ("servers", mail_server, "Outgoing mail servers, as M(mailops.odoo.mail_servers) takes them."),
    ("aliases", mail_alias, "Mail aliases, as M(mailops.odoo.mail_aliases) takes them."),
    ("incoming_servers", incoming_server, "Incoming mail servers, as M(mailops.odoo.incoming_servers) takes them."),
    ("allowed_senders", allowed_sender, "Senders without limit, as M(mailops.odoo.allowed_senders) takes them."),
    (
        "scheduled_actions",
        scheduled_action,
        "Scheduled actions, as M(mailops.odoo.scheduled_actions) takes them.",
    ),
)


def _options() -> str:
    parts = [
        as_list(fragment.ModuleDocFragment.DOCUMENTATION, name, description, required=False)
        for name, fragment, description in LISTS
    ]
    return "options:\n" + "".join(part.removeprefix("options:\n") for part in parts)


class ModuleDocFragment:
    """The lists that a policy's section `odoo` can have, each with the options of its own modules."""

    # Annotated, because the checks of plain assignments here expect literals.
    DOCUMENTATION: str = _options()
