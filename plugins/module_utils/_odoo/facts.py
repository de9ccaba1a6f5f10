# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small reads that several parts share. It imports little: what only reads starts sooner without the resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain

ALIAS_DOMAINS = "mail.alias.domain"
# What an alias domain has → the system parameter that holds it on 14 to 16, where there is one domain only.
KEYS = {
    "name": "mail.catchall.domain",
    "catchall_alias": "mail.catchall.alias",
    "bounce_alias": "mail.bounce.alias",
    "default_from": "mail.default.from",
}


def read_parameters(client: OdooClient, keys: Sequence[str]) -> dict[str, str]:
    """Return key → value of those of these system parameters that are set."""
    rows = client.search_read("ir.config_parameter", [("key", "in", list(keys))], ["key", "value"])
    return {row["key"]: str(row["value"]) for row in rows if row["value"]}


def models(client: OdooClient, names: Sequence[str]) -> set[str]:
    """Return which of these models the database has."""
    return {record["model"] for record in client.search_read("ir.model", [("model", "in", list(names))], ["model"])}


def read_alias_domains(client: OdooClient, parameters: Mapping[str, str]) -> list[AliasDomain] | None:
    """Return the alias domains in Odoo's order of preference; None where there are only parameters (14 to 16)."""
    if not models(client, [ALIAS_DOMAINS]):
        return None
    records = client.search_read(ALIAS_DOMAINS, [], [*KEYS, "sequence"])
    return [
        AliasDomain(**{key: str(record[key] or "") for key in KEYS})
        for record in sorted(records, key=lambda record: (record["sequence"], record["id"]))
    ]


def of_parameters(parameters: Mapping[str, str]) -> list[AliasDomain]:
    """Return the one alias domain of Odoo 14 to 16. What is not set is empty, its name too."""
    return [AliasDomain(**{field: parameters.get(key, "") for field, key in KEYS.items()})]


def label(many2one: Any) -> str:
    """Return the name of what a many2one field points at, or nothing."""
    return str(many2one[1]) if many2one else ""
