# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled actions: `ir.cron`, named by their external id. They come with apps; here they are only set."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar, TypeVar

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome, Store, apply
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    MailopsError,
    NotFoundError,
    TemporaryError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import neutralized
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import (
    Known,
    Loaded,
    OdooResource,
    OdooSide,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.store import OdooStore

T = TypeVar("T")

# The actions mail needs, by the short name that is the same on every version. Module `fetchmail` (14, 15) became a
# part of `mail`; which of its ids a database has is looked up.
SHORT_NAMES = {
    "email_queue": ("mail.ir_cron_mail_scheduler_action",),
    "fetchmail": ("mail.ir_cron_mail_gateway_action", "fetchmail.ir_cron_mail_gateway_action"),
}
MAIL_ACTIONS = {*SHORT_NAMES, "mass_mailing.ir_cron_mass_mailing_queue"}
MINUTES = {"minutes": 1, "hours": 60, "days": 1440, "weeks": 10080, "months": 43200}
ADVISED_MINUTES = 5  # Odoo's documentation of the e-mail queue: the lowest interval, below which a run may time out.
MOMENT = "%Y-%m-%d %H:%M:%S"
BUSY = "Record cannot be modified right now"
POLL_SECONDS = 0.5


def _short(xmlid: str) -> str:
    """Return the short name of an action that has one, and the external id of any other."""
    return next((short for short, ids in SHORT_NAMES.items() if xmlid in ids), xmlid)


def _xmlid(value: str) -> str:
    module, dot, name = value.partition(".")
    if value not in SHORT_NAMES and (not (module and dot and name) or "." in name):
        raise ValueError(f"an external id is module.name, or one of {', '.join(SHORT_NAMES)}")
    return _short(value)


def _interval(value: int) -> int:
    if value < 1:
        raise ValueError("an interval is 1 or more")
    return value


def _moment(value: str) -> str:
    try:
        return datetime.strptime(value, MOMENT).strftime(MOMENT)
    except ValueError:
        raise ValueError("a moment is written YYYY-MM-DD HH:MM:SS, in UTC") from None


class ScheduledActions(OdooStore):
    """The actions in Odoo, found by their external ids: two reads."""

    def load(self, items: Sequence[Record], *, every: bool = False, check_mode: bool = False) -> Loaded:
        """Read the actions; raise NotFoundError for one that this database does not have."""
        names = self._read_names([item["xmlid"] for item in items], every)
        fields = [field for field in self._resource.fields if field.name != "xmlid"]
        domain = [] if every else [("id", "in", sorted(names))]
        records = self._client.search_read(self._resource.model, domain, [field.name for field in fields])
        current = [
            Existing(record["id"], {"xmlid": names.get(record["id"]), **self._decode(record, fields)})
            for record in records
        ]
        there = {record.values["xmlid"]: record.values for record in current}
        missing = [item["xmlid"] for item in items if item["xmlid"] not in there]
        if missing:
            shown = ", ".join(" or ".join(SHORT_NAMES.get(name, (name,))) for name in missing)
            raise NotFoundError(
                f"this database has no scheduled action {shown}", "Is the app that brings it installed?"
            )
        warnings = [text for item in items for text in _frequent(item, there[item["xmlid"]])]
        return Loaded([_without_past(item) for item in items], current, warnings)

    def _read_names(self, wanted: Sequence[str], every: bool) -> dict[int, str]:
        """Return the number of each action → its name here."""
        ids = [xmlid.split(".") for name in wanted for xmlid in SHORT_NAMES.get(name, (name,))]
        domain: list[Any] = [("model", "=", "ir.cron")]
        if not every:
            domain += [("module", "in", [module for module, _in_it in ids])]
            domain += [("name", "in", [name for _module, name in ids])]
        found = self._client.search_read("ir.model.data", domain, ["module", "name", "res_id"])
        names = {record["res_id"]: _short(f"{record['module']}.{record['name']}") for record in found}
        return {number: name for number, name in names.items() if every or name in wanted}


def _without_past(item: Mapping[str, Any]) -> Record:
    """Return the item without a next run that is over: Odoo has moved it on since, or will at once."""
    now = datetime.now(timezone.utc).strftime(MOMENT)
    return {name: value for name, value in item.items() if name != "nextcall" or value > now}


def _frequent(item: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    if "interval_number" not in item and "interval_type" not in item:
        return []
    record = {**current, **item}
    minutes = record["interval_number"] * MINUTES[record["interval_type"]]
    if minutes >= ADVISED_MINUTES:
        return []
    return [f"{item['xmlid']}: every {minutes} min is below the {ADVISED_MINUTES} min that Odoo advises as the least"]


@dataclass
class Patient:
    """A Store that repeats a write while Odoo refuses it because the action is running, until `deadline`.

    The refusal is certain (the record is locked first), so repeating it does no harm. `deadline` is by the monotonic
    clock, in seconds.
    """

    store: Store
    deadline: float

    def create(self, records: Sequence[Record]) -> list[int]:
        """Create the records."""
        return self._repeated(lambda: self.store.create(records))

    def write(self, ids: Sequence[int], values: Record) -> None:
        """Write the values to the records."""
        self._repeated(lambda: self.store.write(ids, values))

    def delete(self, ids: Sequence[int]) -> None:
        """Delete the records."""
        self._repeated(lambda: self.store.delete(ids))

    def _repeated(self, call: Callable[[], T]) -> T:
        while True:
            try:
                return call()
            except MailopsError as error:
                if BUSY not in error.message:
                    raise
                if time.monotonic() > self.deadline:
                    raise Busy(error.message, "It is running; run this again later, or raise wait_timeout.") from None
            time.sleep(POLL_SECONDS)


class Busy(TemporaryError):
    """The action was running all the time, so nothing was written."""

    definite = True


class ScheduledAction(OdooResource):
    """An action is there or not: it comes with its app."""

    standing: ClassVar[bool] = True

    def options(self) -> dict[str, dict[str, Any]]:
        """Return how long a running action is waited for, and what to do about a neutralised copy."""
        return {"wait_timeout": {"type": "int", "default": 60}, **neutralized.OPTION}

    def exported(self, record: Record, known: Known) -> Record | None:
        """Return an action that mail needs, without its next run, which Odoo moves on."""
        item = super().exported(record, known)
        if item is None or item["xmlid"] not in MAIL_ACTIONS:
            return None
        return {name: value for name, value in item.items() if name != "nextcall"}

    def open(self, client: OdooClient) -> OdooSide:
        """Return the actions."""
        return ScheduledActions(client, self)

    def guard(self, client: OdooClient, changes: Sequence[Change], options: Mapping[str, Any]) -> list[str]:
        """Refuse to switch on what neutralising switched off."""
        begins = [change.name for change in changes if change.values.get("active")]
        if begins and options["neutralized"] == "refuse":
            neutralized.refuse_if_neutralized(client, f"switch on {', '.join(begins)}")
        return []

    def carry_out(self, side: Store, changes: Sequence[Change], options: Mapping[str, Any]) -> Outcome:
        """Write, waiting for actions that are running."""
        return apply(changes, Patient(side, time.monotonic() + options["wait_timeout"]))


SCHEDULED_ACTION = ScheduledAction(
    model="ir.cron",
    label="scheduled action",
    plural="scheduled_actions",
    key=("xmlid",),
    fields=(
        Field("xmlid", normalize=_xmlid),
        Field("name", internal=True),
        Field("active", "bool", default=True),
        Field("interval_number", "int", normalize=_interval, required=True),
        Field("interval_type", choices=tuple(MINUTES), required=True),
        Field("nextcall", normalize=_moment, required=True),
    ),
)
