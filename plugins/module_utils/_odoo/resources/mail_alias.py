# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases: `mail.alias`, the addresses at which mail becomes a record."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Reference
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses, markup
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.alias_targets import Targets
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.mail_alias_store import MailAliasStore
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, OdooResource, OdooSide

MODEL = Reference("ir.model", "model", also=("is_mail_thread",))
# 14 to 16 put a hyphen in the place of any others (mail.alias, _clean_and_check_unique); 17 and later keep them.
CHANGED_BY_16 = re.compile(r"[^\w+.]+", re.ASCII)


def _defaults_to_wire(value: dict[str, Any]) -> str:
    """Return the defaults as the Python literal Odoo stores; JSON's `true` would be refused."""
    return repr(dict(sorted(value.items())))


def _defaults_from_wire(value: str) -> Any:
    """Return stored defaults as a dictionary, None if it is empty, or the text itself if it is none that YAML can say.

    Odoo takes what Python's dict() takes, a list of pairs too.
    """
    try:
        return _plain(dict(ast.literal_eval(value))) or None
    except (ValueError, SyntaxError, TypeError):
        return value


def _plain(value: Any) -> Any:
    """Return a value as YAML and JSON can say it: Odoo's commands for links are tuples, and it takes lists as well.

    Raises ValueError for what they cannot say: a set, bytes, a name that is no text.
    """
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if value is not None and not isinstance(value, (str, bool, int, float)):
        raise ValueError(f"YAML has no {type(value).__name__}")
    return value


def _record_id(value: int) -> int:
    if value < 1:
        raise ValueError("the id of a record is 1 or more; null clears it")
    return value


def _owner(value: Mapping[str, Any]) -> dict[str, str]:
    if set(value) != {"model", "name"} or not all(isinstance(part, str) and part for part in value.values()):
        raise ValueError("an owner has a model and a name, and nothing else")
    return dict(value)


class MailAlias(OdooResource):
    """An alias is named by its local part and, from 17 on, its alias domain."""

    def open(self, client: OdooClient) -> OdooSide:
        """Return the store that finds an owner's alias too."""
        return MailAliasStore(client, self)

    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Check that what can only be checked by the model has it beside it."""
        for name in ("alias_defaults", "alias_force_thread_id"):
            if item.get(name) and not item.get("alias_model"):
                raise ValidationError(f"{place}.{name} needs alias_model beside it, to be checked against it")

    def check_change(self, given: Mapping[str, Any], record: Mapping[str, Any], place: str) -> None:
        """Check that a parent has model and id."""
        if (record.get("alias_parent_thread_id") is None) and given.get("alias_parent_model"):
            raise ValidationError(f"{place}: alias_parent_model needs alias_parent_thread_id")
        if record.get("alias_parent_model") is None and given.get("alias_parent_thread_id"):
            raise ValidationError(f"{place}: alias_parent_thread_id needs alias_parent_model")

    def prepare(self, item: Record, known: Known) -> tuple[Record, list[str]]:
        """Put in the database's only alias domain where none is given, and check what the read records tell."""
        prepared = {name: value for name, value in item.items() if not self.field(name).option_only}
        name, domains = item["alias_name"], known.details.get("alias_domain", {})
        if not known.has(self.field("alias_domain")):
            roles = next(iter(domains.values()), {})
            stored = CHANGED_BY_16.sub("-", name)
            if stored != name:
                raise ValidationError(
                    f"alias {name}: alias_name is {name!r}: this Odoo would make {stored!r} of it",
                    "Write it like that.",
                )
        else:
            if prepared.get("alias_domain") is None:
                prepared["alias_domain"] = _only(name, sorted(domains))
            roles = domains.get(prepared["alias_domain"], {})
        for role in ("catchall", "bounce"):
            if roles.get(f"{role}_alias") == name:
                raise ValidationError(
                    f"alias {self.name_of(prepared)} is the {role} address of its alias domain",
                    "Mail to it never makes a record: choose another name.",
                )
        model = known.details.get("alias_model", {}).get(prepared.get("alias_model") or "")
        if model and not model["is_mail_thread"]:
            raise ValidationError(
                f"alias {self.name_of(prepared)}: alias_model is {model['model']!r}, which takes no mail: it has no "
                "mail.thread"
            )
        return prepared, []

    def exported(self, record: Record, known: Known) -> Record | None:
        """Leave out what `prepare` would take for another: no alias domain, in a database that has some."""
        lost = record.get("alias_domain") is None and known.references.get("alias_domain")
        return None if lost else super().exported(record, known)

    def check_with(self, client: OdooClient, items: Sequence[Record]) -> None:
        """Check the defaults and the records that are named against the models."""
        Targets(client).check(items, self.name_of)

    def is_gone(self, record: Mapping[str, Any]) -> bool:
        """Whether it has no name: an owner's alias, found by its owner, loses that when it is deleted."""
        return not record["alias_name"]

    def prunable(self, record: Mapping[str, Any]) -> bool:
        """Whether it is nobody's: an owner deletes its alias itself, and one without a name takes no mail."""
        return bool(record["alias_name"]) and not record["alias_parent_thread_id"]


def _only(name: str, domains: Sequence[str]) -> str | None:
    if len(domains) > 1:
        raise ValidationError(
            f"alias {name} has no alias_domain, and this database has several: {', '.join(domains)}",
            "Say which one.",
        )
    return domains[0] if domains else None


MAIL_ALIAS = MailAlias(
    model="mail.alias",
    label="alias",
    plural="aliases",
    key=("alias_name", "alias_domain"),
    fields=(
        # 14 stores an empty text for a team's alias that never had a name.
        Field("alias_name", normalize=addresses.local_part, from_wire=lambda name: name or None),
        Field(
            "alias_domain",
            wire="alias_domain_id",
            normalize=addresses.domain,
            reference=Reference(
                "mail.alias.domain", "name", also=("catchall_alias", "bounce_alias"), read_all=True, planned=True
            ),
        ),
        Field("owner", "dict", normalize=_owner, option_only=True),
        Field("alias_model", wire="alias_model_id", required=True, reference=MODEL),
        Field(
            "alias_defaults",
            "dict",
            clear="{}",
            normalize=lambda defaults: defaults or None,
            to_wire=_defaults_to_wire,
            from_wire=_defaults_from_wire,
        ),
        Field("alias_contact", choices=("everyone", "partners", "followers", "employees"), default="everyone"),
        Field("alias_force_thread_id", "int", clear=0, normalize=_record_id, from_wire=lambda number: number or None),
        Field("alias_parent_model", wire="alias_parent_model_id", reference=MODEL),
        Field("alias_parent_thread_id", "int", clear=0, normalize=_record_id, from_wire=lambda number: number or None),
        Field("alias_bounced_content", normalize=markup.simple_html, from_wire=markup.stored_html),
        Field("alias_user", wire="alias_user_id", reference=Reference("res.users", "login")),
        Field("alias_incoming_local", "bool", default=False),
        Field("alias_status", internal=True),
    ),
)
