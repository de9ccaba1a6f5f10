# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apps and addons: `ir.module.module`. Installing one is an action, not a record's value, so it has no Resource."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    MailopsError,
    NotFoundError,
    ProtocolError,
    TemporaryError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient

MODEL = "ir.module.module"
PRESENT = ("installed", "to upgrade")
GONE = ("uninstalled", "uninstallable")
# While one of Odoo's module operations goes on, and after one that broke.
PENDING = ("to install", "to upgrade", "to remove")
METHODS = {
    "install": "button_immediate_install",
    "upgrade": "button_immediate_upgrade",
    "uninstall": "button_immediate_uninstall",
}
# How Odoo (14 to 19) begins when it refuses an operation, before anything is written, because a scheduled action runs
# or another operation does.
BUSY = "Odoo is currently processing"
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Addon:
    """What Odoo knows of an addon. `version` is the database's, `available` the one in the files."""

    id: int
    name: str
    state: str
    version: str
    available: str


def find(client: OdooClient, name: str) -> Addon | None:
    """Return the addon, or None if Odoo's list does not have it (yet)."""
    return next((addon for addon in _read(client, name) if addon.name == name), None)


def missing(client: OdooClient, names: Sequence[str]) -> list[str]:
    """Return those of the addons that are not installed, in one read and in the order given."""
    found = client.search_read(MODEL, [("name", "in", list(names)), ("state", "in", PRESENT)], ["name"])
    installed = {record["name"] for record in found}
    return [name for name in dict.fromkeys(names) if name not in installed]


def action(addon: Addon | None, state: str) -> str:
    """Return what must be done for `present`, `latest` or `absent`: a key of METHODS, or nothing."""
    if state == "absent":
        return "" if addon is None or addon.state in (*GONE, "to install") else "uninstall"
    if addon is None or addon.state not in PRESENT:
        return "install"
    if addon.state == "to upgrade" or (state == "latest" and addon.version != addon.available):
        return "upgrade"
    return ""


def dependents(client: OdooClient, name: str) -> list[str]:
    """Return the installed addons that need this one, directly or not, which Odoo would uninstall with it; sorted."""
    installed = client.search_read(MODEL, [("state", "in", PRESENT)], ["name"])
    names = {record["id"]: record["name"] for record in installed}
    needs: dict[str, set[str]] = {}
    for record in client.search_read(
        "ir.module.module.dependency", [("module_id", "in", sorted(names))], ["name", "module_id"]
    ):
        needs.setdefault(record["name"], set()).add(names[record["module_id"][0]])
    found: set[str] = set()
    latest = {name}
    while latest:
        latest = {dependent for needed in latest for dependent in needs.get(needed, ())} - found
        found |= latest
    return sorted(found)


def refuse_if_needed(name: str, others: Collection[str]) -> None:
    """Raise ConflictError if other addons need this one."""
    if others:
        raise ConflictError(
            f"addon {name!r} is needed by {', '.join(others)}, and Odoo would uninstall that too, with all its data",
            "Say force: true if that is meant.",
        )


def carry_out(client: OdooClient, name: str, wanted: str, seconds: float) -> Addon:
    """Install, upgrade or uninstall the addon and wait, at most `seconds`, until Odoo says that all is done.

    Raises NotFoundError if Odoo does not have its files, TemporaryError if it is not done in time.
    """
    deadline = time.monotonic() + seconds
    addon = find(client, name)
    if wanted != "uninstall" and (addon is None or addon.state == "uninstallable"):
        # Its files may have come, or changed, since Odoo last looked.
        client.call(MODEL, "update_list", [])
        addon = find(client, name)
    if addon is None or (wanted == "install" and addon.state == "uninstallable"):
        raise NotFoundError(
            f"Odoo has no installable addon {name!r}",
            "Its folder must lie in a folder of addons_path (odoo.conf), and Odoo must have been restarted since.",
        )
    _begin(client, addon, wanted, deadline)
    return _done(client, addon, GONE if wanted == "uninstall" else ("installed",), deadline, seconds)


def _begin(client: OdooClient, addon: Addon, wanted: str, deadline: float) -> None:
    """Start the operation, as soon as Odoo is not busy with another."""
    while True:
        try:
            # The call outlives many a proxy's patience; what counts is what the list says afterwards.
            with contextlib.suppress(TemporaryError, ProtocolError):
                client.call(MODEL, METHODS[wanted], [addon.id])
            return
        except MailopsError as error:
            if BUSY not in error.message:
                raise
            if time.monotonic() > deadline:
                raise ConflictError(f"addon {addon.name!r}: {error.message}", "Nothing was done.") from None
        time.sleep(POLL_SECONDS)


def _done(client: OdooClient, addon: Addon, states: Collection[str], deadline: float, seconds: float) -> Addon:
    """Wait until the addon is in one of these states and no other is being worked on."""
    last = "no answer"
    while True:
        try:
            found = _read(client, addon.name)
        except MailopsError as error:
            if error.definite and error.kind != "unreachable":
                raise
            last = error.message
        else:
            unsettled = [other.name for other in found if other.state in PENDING]
            now = next((other for other in found if other.name == addon.name), addon)
            if now.state in states and not unsettled:
                return now
            last = f"state {now.state}" + (f", still working on {', '.join(unsettled)}" if unsettled else "")
        if time.monotonic() > deadline:
            raise TemporaryError(f"addon {addon.name!r} is not done after {seconds:g} s: {last}", "See Odoo's log.")
        time.sleep(POLL_SECONDS)


def _read(client: OdooClient, name: str) -> list[Addon]:
    """Return the addon, if it is in Odoo's list, and all that are being worked on."""
    domain = ["|", ("name", "=", name), ("state", "in", PENDING)]
    # latest_version is the installed one, installed_version the one on disk: the names are Odoo's.
    fields = ["name", "state", "latest_version", "installed_version"]
    return [
        Addon(
            record["id"],
            record["name"],
            record["state"],
            record["latest_version"] or "",
            record["installed_version"] or "",
        )
        for record in client.search_read(MODEL, domain, fields)
    ]
