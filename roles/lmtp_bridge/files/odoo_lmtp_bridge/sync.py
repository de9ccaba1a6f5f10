# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the directory and Postfix's maps like Odoo's lists. A list that cannot be had or cannot
be right changes nothing: the last good one stays, over restarts too."""

import asyncio
import json
import logging
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from .directory import AliasList, Conflict, Directory, MalformedList, shrinks_too_much
from .maps import MapError, MapWriter, write_atomically
from .message import printable
from .odoo import Unavailable

_log = logging.getLogger(__name__)


class ListSource(Protocol):
    """Where one database's list comes from."""

    async def alias_list(self, etag: str | None) -> AliasList | None: ...


class ListStore:
    """The last good list of each database, `<name>.json`, and the confirmations of shorter ones."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def load(self, name: str, database: str) -> AliasList | None:
        """The stored list of `database` under its configured name; None if there is none."""
        try:
            stored = json.loads((self._directory / f"{name}.json").read_text(encoding="ascii"))
            if stored["database"] != database:
                return None
            return AliasList(
                database,
                tuple(stored["addresses"]),
                stored["etag"],
                former=stored.get("former", {}),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.error("stored list of %s: %s", name, error)
            return None

    def save(self, name: str, alias_list: AliasList) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            {
                "database": alias_list.database,
                "etag": alias_list.etag,
                "addresses": alias_list.addresses,
                "former": alias_list.former,
            }
        )
        write_atomically(self._directory / f"{name}.json", text + "\n")

    def confirm(self, name: str, alias_list: AliasList) -> None:
        """Lets the daemon take this very list, although it is much shorter than the last."""
        self._confirmation(name).write_text(alias_list.digest, encoding="ascii")

    def confirmed(self, name: str, alias_list: AliasList) -> bool:
        try:
            return self._confirmation(name).read_text(encoding="ascii") == alias_list.digest
        except (OSError, ValueError):
            return False

    def forget_confirmation(self, name: str) -> None:
        self._confirmation(name).unlink(missing_ok=True)

    def _confirmation(self, name: str) -> Path:
        return self._directory / f"{name}.confirmed"


class Synchronizer:
    """Polls every database on its own; the maps are written by one at a time."""

    def __init__(
        self,
        directory: Directory,
        store: ListStore,
        maps: MapWriter,
        sources: Mapping[str, ListSource],
        poll_interval: float,
    ) -> None:
        self._directory = directory
        self._store = store
        self._maps = maps
        self._sources = sources
        self._poll_interval = poll_interval
        self._writing = asyncio.Lock()
        self._written: Mapping[str, str] | None = None
        self._said: dict[str, str] = {}

    async def start(self, databases: Sequence[tuple[str, str]]) -> None:
        """Takes up the stored lists of the (name, database) pairs, so that mail is decided while
        Odoo is away. The maps are written even if they stand: a kill may have come in between.
        """
        for name, database in databases:
            stored = self._store.load(name, database)
            if stored is not None:
                self._report(self._directory.update(name, stored))
        await self._write_maps()

    async def run(self) -> None:
        """Polls until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self._sources:
                group.create_task(self._repeat(name))

    async def first_round(self) -> None:
        """One poll of every database."""
        await asyncio.gather(*(self.poll(name) for name in self._sources))

    async def _repeat(self, name: str) -> None:
        while True:
            # Jitter keeps gateways and databases from asking all at once.
            await asyncio.sleep(self._poll_interval * random.uniform(0.8, 1.2))
            await self.poll(name)

    async def poll(self, name: str) -> None:
        """Asks one database; logs what is wrong once, not at every poll."""
        try:
            await self._poll(name)
        except Unavailable as error:
            self._say(name, logging.WARNING, f"{error} {error.detail}".strip())
        except MalformedList as error:
            self._say(name, logging.ERROR, f"malformed list refused: {error}")
        except Exception:
            _log.exception("list of %s", name)

    async def _poll(self, name: str) -> None:
        current = self._directory.list_of(name)
        new = await self._sources[name].alias_list(current.etag if current else None)
        if new is not None and self._is_refused(name, current, new):
            return
        if new is not None and new != current:
            # Accepting comes first: what Postfix finds in a map is never refused here.
            self._report(self._directory.update(name, new))
            self._store.save(name, new)
            self._store.forget_confirmation(name)
            for address in new.left_out:
                _log.error("list of %s: Postfix cannot look up %r: left out", name, address)
            _log.info("list of %s: %d addresses, before: %d", name, _count(new), _count(current))
        await self._write_maps()
        self._say(name, logging.INFO, "in step")

    def _is_refused(self, name: str, current: AliasList | None, new: AliasList) -> bool:
        if not shrinks_too_much(current, new) or self._store.confirmed(name, new):
            return False
        self._say(
            name,
            logging.ERROR,
            f"list refused: {_count(new)} addresses, {_count(current)} are in use; "
            f"if that is right: odoo-lmtp-bridge confirm {name}",
        )
        return True

    async def _write_maps(self) -> None:
        """Brings the maps up to the directory.

        While some database never gave a list there may be no maps at all, and then none are
        made: without a map Postfix says "later", with half of one it says "unknown".
        """
        async with self._writing:
            owners = self._directory.owners
            if owners is self._written:
                return
            if not self._directory.complete and not self._maps.present:
                return
            try:
                await asyncio.to_thread(self._maps.write, owners, self._directory.rewrites)
            except MapError as error:
                _log.error("maps not written, the old ones stay: %s", error)
                return
            self._written = owners

    def _say(self, name: str, level: int, text: str) -> None:
        if self._said.get(name) != text:
            self._said[name] = text
            _log.log(level, "Odoo %s: %s", name, printable(text, 400))

    def _report(self, conflicts: Sequence[Conflict]) -> None:
        for conflict in conflicts:
            _log.error("%s", conflict)


def _count(alias_list: AliasList | None) -> int:
    return len(alias_list.addresses) if alias_list else 0
