# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alias domains: `mail.alias.domain` (Odoo 17 and later), or the system parameters of one domain (14 to 16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Reference
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses, alias_domain_guard
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.alias_domain_renames import FORMER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.alias_domain_store import (
    AliasDomainParameters,
    AliasDomainStore,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, OdooResource, OdooSide


def _each(normalize: Callable[[str], str]) -> Callable[[list[Any]], list[str]]:
    return lambda values: sorted({normalize(str(value)) for value in values})


def _check_roles(item: Mapping[str, Any], place: str) -> None:
    """Check that bounce and catchall differ: Odoo could not tell a bounce from a reply."""
    if item.get("bounce_alias") is not None and item.get("bounce_alias") == item.get("catchall_alias"):
        raise ValidationError(f"{place}: bounce_alias and catchall_alias are both {item['bounce_alias']!r}")


class AliasDomain(OdooResource):
    """What holds between an alias domain's options, and what would lose mail."""

    def options(self) -> dict[str, dict[str, Any]]:
        """Return the option without which no alias domain is deleted."""
        return {"allow_delete": {"type": "bool", "default": False}}

    def open(self, client: OdooClient) -> OdooSide:
        """Return the records where this Odoo has them, and the parameters otherwise."""
        models = [self.model, "mail.alias"]
        found = {record["model"] for record in client.search_read("ir.model", [("model", "in", models)], ["model"])}
        if "mail.alias" not in found:
            raise NotFoundError("this Odoo has no aliases", "Install the app Discuss (mail).")
        return AliasDomainStore(client, self) if self.model in found else AliasDomainParameters(client, self)

    def domain(self, items: Sequence[Record]) -> list[Any]:
        """Return a condition for all: it counts which one is the first, and which companies the others have."""
        return []

    def prepare(self, item: Record, known: Known) -> tuple[Record, list[str]]:
        """Leave out what only says how a change is meant."""
        prepared = {name: value for name, value in item.items() if not self.field(name).option_only}
        if "companies" in prepared:
            prepared["companies"] = prepared["companies"] or []
        return prepared, []

    def exported(self, record: Record, known: Known) -> Record | None:
        """Leave the companies to the companies' own settings, where each has its alias domain."""
        return {name: value for name, value in record.items() if name in self.item_spec() and name != "companies"}

    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Check what can be seen without Odoo."""
        _check_roles(item, place)
        if item["name"] in (item.get("former_names") or []):
            raise ValidationError(f"{place}.former_names has {item['name']!r}, the present name")

    def check_change(self, given: Mapping[str, Any], record: Mapping[str, Any], place: str) -> None:
        """Check one local part given alone against the other as Odoo has it."""
        _check_roles(record, place)

    def guard(self, client: OdooClient, changes: Sequence[Change], options: Mapping[str, Any]) -> list[str]:
        """Refuse what would lose mail, or what Odoo would refuse only while it writes; return warnings."""
        restoring = options.get("restoring", False)
        for change in changes if not restoring else ():
            alias_domain_guard.check_kept(change)
            alias_domain_guard.check_deleted(change, options["allow_delete"])
        if all(change.action == "update" and set(change.values) <= {"default_from", "sequence"} for change in changes):
            return []
        side = self.open(client)
        several = isinstance(side, AliasDomainStore)
        current = side.load([]).current
        if several and not restoring:
            alias_domain_guard.check_companies(changes, current)
        if not several:
            alias_domain_guard.check_only_one(client, changes, current)
        warnings = alias_domain_guard.check_aliases(client, changes, several=several, first=not current)
        return warnings + alias_domain_guard.redirects(client, changes)


ALIAS_DOMAIN = AliasDomain(
    model="mail.alias.domain",
    label="alias domain",
    plural="alias_domains",
    key=("name",),
    fields=(
        # 17-19 do not lower-case the name and then never match mail to it, so it is done here.
        Field("name", normalize=addresses.domain),
        Field("bounce_alias", normalize=addresses.local_part, required=True),
        Field("catchall_alias", normalize=addresses.local_part, required=True),
        Field("default_from", normalize=addresses.address_or_local_part),
        Field("sequence", "int", default=10),
        Field(
            "companies",
            "list",
            wire="company_ids",
            elements="str",
            normalize=_each(str.strip),
            reference=Reference("res.company", "name", read_all=True),
        ),
        Field("former_names", "list", elements="str", normalize=_each(addresses.domain), option_only=True),
        Field(
            "former_catchall_aliases", "list", elements="str", normalize=_each(addresses.local_part), option_only=True
        ),
        Field("former_bounce_aliases", "list", elements="str", normalize=_each(addresses.local_part), option_only=True),
        Field(FORMER, "dict", internal=True),
    ),
)
