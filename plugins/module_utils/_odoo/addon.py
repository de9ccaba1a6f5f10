# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apps and addons: `ir.module.module`. Installing one is an action, not a record's value, so it has no Resource."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    MailopsError,
    NotFoundError,
    ProtocolError,
    TemporaryError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient

MODEL = "ir.module.module"
INSTALLED = "installed"


@dataclass(frozen=True)
class Addon:
    """What Odoo knows of an addon. `version` is the database's, `available` the one in the files."""

    id: int
    state: str
    version: str
    available: str


def find(client: OdooClient, name: str) -> Addon | None:
    """Return the addon, or None if Odoo's list does not have it (yet)."""
    # latest_version is the installed one, installed_version the one on disk: the names are Odoo's.
    found = client.search_read(MODEL, [("name", "=", name)], ["state", "latest_version", "installed_version"])
    if not found:
        return None
    record = found[0]
    return Addon(record["id"], record["state"], record["latest_version"] or "", record["installed_version"] or "")


def action(addon: Addon | None, *, latest: bool) -> str:
    """Return what must be done: "install", "upgrade" or nothing."""
    if addon is None or addon.state in ("uninstalled", "to install"):
        return "install"
    if addon.state == "to upgrade" or (latest and addon.version != addon.available):
        return "upgrade"
    return ""


def carry_out(client: OdooClient, name: str, wanted: str, seconds: float) -> Addon:
    """Install or upgrade the addon and wait, at most `seconds`, until Odoo says that it is installed.

    Raises NotFoundError if Odoo does not have its files, TemporaryError if it is not done in time.
    """
    addon = find(client, name)
    if addon is None:
        client.call(MODEL, "update_list", [])
        addon = find(client, name)
    if addon is None or addon.state == "uninstallable":
        raise NotFoundError(
            f"Odoo has no installable addon {name!r}",
            "Its folder must lie in a folder of addons_path (odoo.conf), and Odoo must have been restarted since.",
        )
    method = {"install": "button_immediate_install", "upgrade": "button_immediate_upgrade"}[wanted]
    # The call outlives many a proxy's patience; what counts is what the list says afterwards.
    with contextlib.suppress(TemporaryError, ProtocolError):
        client.call(MODEL, method, [addon.id])
    return _wait(client, name, seconds)


def _wait(client: OdooClient, name: str, seconds: float) -> Addon:
    deadline = time.monotonic() + seconds
    last: Any = "no answer"
    while True:
        try:
            addon = find(client, name)
        except MailopsError as error:
            if error.definite and error.kind != "unreachable":
                raise
            last = error.message
        else:
            if addon is not None and addon.state == INSTALLED:
                return addon
            last = f"state {addon.state if addon else 'unknown'}"
        if time.monotonic() > deadline:
            raise TemporaryError(f"addon {name!r} is not installed after {seconds:g} s: {last}", "See Odoo's log.")
        time.sleep(0.5)
