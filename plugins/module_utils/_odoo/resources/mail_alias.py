# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases: `mail.alias`, the addresses at which mail becomes a record."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Reference
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, OdooResource


def _defaults_to_wire(value: dict[str, Any]) -> str:
    """Return the defaults as the Python literal Odoo stores; JSON's `true` would be refused."""
    return repr(dict(sorted(value.items())))


def _defaults_from_wire(value: str) -> Any:
    """Return stored defaults as a dictionary, or the text itself if it is no literal."""
    try:
        return _plain(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return value


def _plain(value: Any) -> Any:
    """Return a value as YAML and JSON can say it: Odoo's commands for links are tuples, and it takes lists as well."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


class MailAlias(OdooResource):
    """An alias is named by its local part and, from 17 on, its alias domain."""

    def prepare(self, item: Record, known: Known) -> tuple[Record, list[str]]:
        """Put in the database's only alias domain where none is given."""
        field = self.field("alias_domain")
        if item.get("alias_domain") is not None or not known.has(field):
            return item, []
        domains = sorted(known.references["alias_domain"])
        if len(domains) > 1:
            raise ValidationError(
                f"alias {item['alias_name']} has no alias_domain, and this database has several: {', '.join(domains)}",
                "Say which one.",
            )
        return {**item, "alias_domain": domains[0] if domains else None}, []

    def exported(self, record: Record, known: Known) -> Record | None:
        """Leave out what `prepare` would take for another: no alias domain, in a database that has some."""
        lost = record.get("alias_domain") is None and known.references.get("alias_domain")
        return None if lost else super().exported(record, known)

    def check_with(self, client: OdooClient, items: Sequence[Record]) -> None:
        """Check the defaults against the fields of the model: Odoo itself would fail only when mail arrives."""
        fields: dict[str, set[str]] = {}
        for item in items:
            model, defaults = item.get("alias_model"), item.get("alias_defaults")
            if not model or not defaults:
                continue
            if model not in fields:
                fields[model] = set(client.fields_get(model))
            unknown = sorted(set(defaults) - fields[model])
            if unknown:
                raise NotFoundError(
                    f"alias {self.name_of(item)}: alias_defaults names fields that {model} does not have: "
                    + ", ".join(unknown)
                )


MAIL_ALIAS = MailAlias(
    model="mail.alias",
    label="alias",
    plural="aliases",
    key=("alias_name", "alias_domain"),
    fields=(
        Field("alias_name", normalize=addresses.local_part),
        Field(
            "alias_domain",
            wire="alias_domain_id",
            normalize=addresses.domain,
            reference=Reference("mail.alias.domain", "name", read_all=True, planned=True),
        ),
        Field("alias_model", wire="alias_model_id", required=True, reference=Reference("ir.model", "model")),
        Field(
            "alias_defaults",
            "dict",
            clear="{}",
            default={},
            to_wire=_defaults_to_wire,
            from_wire=_defaults_from_wire,
        ),
        Field("alias_contact", choices=("everyone", "partners", "followers", "employees"), default="everyone"),
        Field("alias_incoming_local", "bool", default=False),
    ),
)
