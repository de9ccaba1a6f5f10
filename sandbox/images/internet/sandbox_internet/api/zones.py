# SPDX-License-Identifier: GPL-3.0-or-later
"""What a DNS provider knows: zones of accounts with their records, in one JSON file."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import secrets
from collections.abc import Iterable
from typing import Any


@dataclasses.dataclass
class Zone:
    """A zone of one account. `records` are by their identity, each as the API shows it."""

    name: str
    account: str
    id: str = dataclasses.field(default_factory=lambda: secrets.token_hex(16))
    records: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    # What the next record may be called, where a provider counts.
    serial: int = 1


class Zones:
    """All zones; `given` are those that are there at the start and after a reset. `save` after each change."""

    def __init__(self, file: pathlib.Path, given: Iterable[tuple[str, str]] = ()) -> None:
        self._file = file
        self._given = list(given)
        self.all: list[Zone] = []
        if file.exists():
            self.all = [Zone(**entry) for entry in json.loads(file.read_bytes())["zones"]]
        else:
            self.reset()

    def reset(self) -> None:
        """Go back to the zones of the start, which are empty."""
        self.all = [Zone(name, account) for name, account in self._given]
        self.save()

    def save(self) -> None:
        """Write the file; nobody ever reads half of it."""
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps({"zones": [dataclasses.asdict(zone) for zone in self.all]}, indent=1) + "\n")
        os.replace(unfinished, self._file)

    def of(self, account: str) -> list[Zone]:
        """Return an account's zones, by name."""
        return sorted((zone for zone in self.all if zone.account == account), key=lambda zone: zone.name)
