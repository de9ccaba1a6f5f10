# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mail settings were before a run wrote anything: saved once, without secrets."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import export
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.catalogue import CATALOGUE
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource

VERSION = 1
KEYS = {"database", "settings", "left_alone", "others"}


def before_writing(client: OdooClient, params: Mapping[str, Any]) -> None:
    """Save a snapshot where the option `odoo_snapshot` says, unless that file is there already.

    Every module calls this that is about to change mail settings. Raises ValidationError if the file cannot be written.
    """
    path = params.get("odoo_snapshot")
    if not path or (os.path.exists(path) and not os.path.isdir(path)):
        return
    text = json.dumps(content(client), indent=1, ensure_ascii=False)
    try:
        _write(path, text + "\n")
    except OSError as error:
        raise ValidationError(
            f"the snapshot {path} cannot be saved: {error.strerror}",
            "Check odoo_snapshot: without one nothing is changed.",
        ) from None


def content(client: OdooClient) -> dict[str, Any]:
    """Return the mail settings as a snapshot holds them.

    `settings` has by policy key, for each record, its `id`, its `values` as a task would give them, and under `secrets`
    the names of the options left out for being secret. `left_alone` has by policy key the keys that several records
    share: no task can tell these apart, and a restore does not touch them. `others` has by policy key the ids of all
    records that were there beside those of `settings`: whatever they are called later, they were not made since.
    """
    found = export.read(client)
    held = {key: export.held(CATALOGUE[key], loaded) for key, loaded in found.items()}
    return {
        "snapshot": VERSION,
        "database": client.database,
        "odoo": client.version(),
        "taken": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "settings": {key: [_record(CATALOGUE[key], one) for one in records] for key, records in held.items()},
        "left_alone": {key: export.doubled(CATALOGUE[key], loaded) for key, loaded in found.items()},
        "others": {key: _others(CATALOGUE[key], loaded.current, held[key]) for key, loaded in found.items()},
    }


def load(path: str, database: str) -> dict[str, Any]:
    """Return the snapshot in a file; ValidationError if it is none, or one of another database."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        raise ValidationError(f"the snapshot {path} cannot be read: {error.strerror}") from None
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("snapshot") != VERSION or not found.keys() >= KEYS:
        raise ValidationError(f"{path} is no snapshot that this release of mailops.odoo can read")
    if found["database"] != database:
        raise ValidationError(f"{path} is a snapshot of the database {found['database']!r}, and this is {database!r}")
    return found


def _others(resource: OdooResource, current: Sequence[Existing], held: Sequence[export.Held]) -> list[int]:
    """Return the ids of the records that are not held; of those that are never deleted there may be thousands."""
    if resource.standing:
        return []
    return sorted({record.id for record in current} - {one.record.id for one in held})


def _record(resource: OdooResource, one: export.Held) -> dict[str, Any]:
    secret = set(resource.secrets)
    return {
        "id": one.record.id,
        "values": {name: value for name, value in one.item.items() if name not in secret},
        "secrets": [name for name in resource.secrets if one.item.get(name)],
    }


def _write(path: str, text: str) -> None:
    """Write a whole file, 0600 in a folder that is 0700 if it has to be made."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".snapshot-", dir=folder)  # 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
