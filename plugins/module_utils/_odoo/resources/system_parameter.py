# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System parameters: `ir.config_parameter`, read and written as records (get_param and set_param go after 19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import (
    Known,
    Loaded,
    OdooResource,
    OdooSide,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_parameters import (
    KNOWN,
    SIGNS,
    MailParameter,
    Sign,
    is_secret,
    meaning,
    trouble,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.store import OdooStore

BASE_URL, FREEZE, FROM_FILTER = "web.base.url", "web.base.url.freeze", "mail.default.from_filter"
VALUES = ("value", "secret_value")


def _value(item: Mapping[str, Any]) -> str | None:
    """Return the value an item gives, by whichever option, or None if it gives none."""
    return next((item[option] for option in VALUES if option in item), None)


@dataclass
class KnownParameters(Known):
    """What else was read with all parameters: what this database shows of what it reads, and which ones there are."""

    seen: set[Sign] = field(default_factory=set)
    there: set[str] = field(default_factory=set)


class SystemParameter(OdooResource):
    """A parameter has its value in one of two options, which differ only in what is shown."""

    def check(self, item: Mapping[str, Any], place: str) -> Record:
        """Return the item in canonical form; that of the value depends on the key."""
        as_text = {name: str(given) if isinstance(given, (bool, int)) else given for name, given in item.items()}
        checked = super().check(as_text, place)
        key = checked["key"]
        known = KNOWN.get(key)
        if all(option in checked for option in VALUES):
            raise ValidationError(f"{place} ({key}) has both a value and a secret_value", "Give one of them.")
        for option in VALUES:
            if option not in checked:
                continue
            here = f"{place}.{option} ({key})"
            if not checked[option]:
                raise ValidationError(f"{here} is empty", "To delete a parameter, say state: absent.")
            if known and known.secret and option == "value":
                raise ValidationError(f"{here} is a secret", "Give it as secret_value, which is never shown.")
            if known:
                field = replace(self.field(option), normalize=known.normalize)
                checked[option] = self._checked(field, checked[option], here)
        return checked

    def domain(self, items: Sequence[Record]) -> list[Any]:
        """Also read whether a given base URL is frozen."""
        keys = {item["key"] for item in items}
        return [("key", "in", sorted(keys | {FREEZE} if BASE_URL in keys else keys))]

    def exported(self, record: Record, known: Known) -> Record | None:
        """Return a parameter that bears on mail and is read by this Odoo; the others are nobody's business here.

        A base URL that is not frozen is no setting: Odoo writes there where an administrator logged in last.
        """
        key, declared = record["key"], KNOWN.get(record["key"])
        if declared is None or declared.manager or not isinstance(known, KnownParameters):
            return None
        if _unread(declared, known.seen) or (key == BASE_URL and FREEZE not in known.there):
            return None
        return {option: meaning(key, value) if option in VALUES else value for option, value in record.items()}

    def open(self, client: OdooClient) -> OdooSide:
        """Return the store, which knows what a value means."""
        return ParameterStore(client, self)

    def remarks(self, client: OdooClient, desired: Sequence[Record], current: Sequence[Existing]) -> list[str]:
        """Return warnings about parameters that another setting undoes."""
        given = {item["key"]: value for item in desired if (value := _value(item))}
        there = {record.values["key"] for record in current} | set(given)
        warnings = [
            f"{self.label} {key}: the module {KNOWN[key].manager} sets it, and checks more"
            for key in given
            if key in KNOWN and KNOWN[key].manager
        ]
        if BASE_URL in given and FREEZE not in there:
            warnings.append(
                f"{BASE_URL} is not frozen: Odoo will overwrite it with the address at which an administrator logs in "
                f"next; set {FREEZE} too"
            )
        if given.get(BASE_URL, "").startswith("http://"):
            warnings.append(f"{BASE_URL} is not https, which Google and Microsoft need to connect a mail server")
        if FROM_FILTER in given:
            servers = client.search_read("ir.mail_server", [("active", "=", True)], ["name"])
            names = ", ".join(str(server["name"]) for server in servers)
            if names:
                warnings.append(
                    f"{FROM_FILTER} counts only while there is no outgoing mail server, but there are: {names}"
                )
        return warnings

    def guard(self, client: OdooClient, changes: Sequence[Change], options: Mapping[str, Any]) -> list[str]:
        """Refuse a new parameter without a value."""
        for change in changes:
            if change.action == "create" and _value(change.values) is None:
                raise ValidationError(
                    f"{self.label} {change.name} does not exist yet, and to create it a value or secret_value is needed"
                )
        return []


class ParameterStore(OdooStore):
    """Compares values by what they mean, and hides what is a secret."""

    def load(self, items: Sequence[Record], *, every: bool = False, check_mode: bool = False) -> Loaded:
        """Read the parameters that the items name; each has its value under the option by which it was given."""
        doubts = _check_live(self._client, items)
        loaded = super().load(items, every=every, check_mode=check_mode)
        given = {item["key"]: item for item in items}
        current = [_as_given(record, given.get(record.values["key"], {})) for record in loaded.current]
        known = KnownParameters(loaded.known.fields, loaded.known.references)
        if every:
            known.seen, known.there = _seen(self._client), {record.values["key"] for record in current}
        return Loaded(loaded.desired, current, doubts + loaded.warnings, known)


def _as_given(record: Existing, item: Mapping[str, Any]) -> Existing:
    """Return the record with its value under one option only, and as the item has it if it means the same."""
    key, stored = record.values["key"], record.values["value"]
    secret = "secret_value" in item or ("value" not in item and is_secret(key))
    same = stored is not None and meaning(key, stored) == _value(item)
    return Existing(record.id, {"key": key, VALUES[secret]: _value(item) if same else stored})


def _unread(known: MailParameter, seen: set[Sign]) -> bool:
    """Whether a parameter has no effect in a database that shows these signs."""
    return known.replaced in seen or (known.needs is not None and known.needs not in seen and not known.doubtful)


def _check_live(client: OdooClient, items: Sequence[Record]) -> list[str]:
    """Refuse what this database would not read; return warnings about what it perhaps does not."""
    given = {item["key"]: value for item in items if item["key"] in KNOWN and (value := _value(item))}
    if not any(KNOWN[key].needs or KNOWN[key].replaced for key in given):
        return []
    seen, doubts = _seen(client), []
    for key, value in given.items():
        place = f"system parameter {key}"
        reason, remedy = trouble(key, value, seen)
        if reason:
            raise ValidationError(f"{place} {reason}", remedy)
        known = KNOWN[key]
        if known.needs and known.needs not in seen:
            doubts.append(f"{place}: {known.doubtful}")
    return doubts


def _seen(client: OdooClient) -> set[Sign]:
    """Return the signs that this database shows, in one read."""
    domain = [("model", "in", [sign.model for sign in SIGNS]), ("name", "in", [sign.field for sign in SIGNS])]
    found = client.search_read("ir.model.fields", domain, ["model", "name"])
    pairs = {(record["model"], record["name"]) for record in found}
    return {sign for sign in SIGNS if (sign.model, sign.field) in pairs}


SYSTEM_PARAMETER = SystemParameter(
    model="ir.config_parameter",
    label="system parameter",
    plural="parameters",
    key=("key",),
    fields=(
        Field("key", normalize=str.strip),
        Field("value"),
        Field("secret_value", wire="value", secret=True),
    ),
)
