# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the directory and Postfix's maps like Odoo's lists. A list that cannot be had or cannot
be right changes nothing: the last good one stays, over restarts too."""

import asyncio
import json
import logging
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from .config import Config
from .directory import AliasList, Conflict, Directory, MalformedList, shrinks_too_much
from .health import Health
from .maps import MapError, MapWriter, write_atomically
from .message import printable
from .metrics import Metrics
from .odoo import Unavailable
from .startup import exclusive

_log = logging.getLogger(__name__)

# Between the starts of two polls of one database, seconds: whoever sends Odoo's signed request
# again and again gets no more than this out of it.
_LEAST_INTERVAL = 0.2


class ListSource(Protocol):
    """Where one database's list comes from."""

    async def alias_list(self, etag: str | None) -> AliasList | None: ...


class ListStore:
    """The last good list of each database, `<name>.json`, and the confirmations of shorter ones."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def load(self, name: str, database: str | None) -> AliasList | None:
        """The stored list of `database` (None: whichever it is) under its configured name; None
        if there is none."""
        try:
            stored = json.loads((self._directory / f"{name}.json").read_text(encoding="ascii"))
            if database not in (None, stored["database"]):
                return None
            return AliasList(
                stored["database"],
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
        # The verbs lmtp and webhook, as processes of their own, keep the same list.
        with exclusive(self._directory):
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
        maps: MapWriter | None,
        sources: Mapping[str, ListSource],
        poll_interval: float,
        shrink_limit: int = Config.shrink_limit,
        health: Health | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Without `maps` only the directory is kept."""
        self._directory = directory
        self._store = store
        self._maps = maps
        self._sources = sources
        self._poll_interval = poll_interval
        self._shrink_limit = shrink_limit
        self._health = health or Health(())
        self._metrics = metrics or Metrics()
        self._writing = asyncio.Lock()
        self._written: Mapping[str, str] | None = None
        self._said: dict[str, str] = {}
        self._woken = {name: asyncio.Event() for name in sources}
        self._contacts: dict[str, float] = {}

    async def start(self, databases: Sequence[tuple[str, str | None]]) -> None:
        """Takes up the stored lists of the (name, database) pairs, so that mail is decided while
        Odoo is away. The maps are written even if they stand: a kill may have come in between.
        """
        for name, database in databases:
            stored = self._store.load(name, database)
            if stored is not None:
                self._report(self._directory.update(name, stored))
                self._metrics.addresses.labels(name).set(_count(stored))
        await self._write_maps()

    async def run(self) -> None:
        """Polls until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self._sources:
                group.create_task(self._repeat(name))

    async def first_round(self) -> None:
        """One poll of every database."""
        await asyncio.gather(*(self.poll(name) for name in self._sources))

    def wake(self, name: str) -> None:
        """Polls a database at once. While it is being polled, once more afterwards, however often
        this is called."""
        self._woken[name].set()

    def silence(self, name: str) -> float | None:
        """Seconds since the database last gave or confirmed its list; None if it never did to
        this process."""
        contact = self._contacts.get(name)
        return None if contact is None else time.monotonic() - contact

    async def _repeat(self, name: str) -> None:
        woken = self._woken[name]
        while True:
            # Jitter keeps gateways and databases from asking all at once.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_interval * random.uniform(0.8, 1.2)):
                    await woken.wait()
            woken.clear()
            started = time.monotonic()
            await self.poll(name)
            await asyncio.sleep(_LEAST_INTERVAL - (time.monotonic() - started))

    async def poll(self, name: str) -> None:
        """Asks one database; logs what is wrong once, not at every poll."""
        try:
            problem = await self._poll(name)
        except Unavailable as error:
            problem = str(error)
            self._say(name, logging.WARNING, f"{error} {error.detail}".strip())
        except MalformedList as error:
            problem = f"malformed list refused: {error}"
            self._say(name, logging.ERROR, problem)
        except Exception as error:
            _log.exception("list of %s", name)
            problem = f"{type(error).__name__}, see the log"
        if problem is None:
            self._health.well(name)
        else:
            self._metrics.list_failures.labels(name).inc()
            self._health.failed(name, printable(problem, 400))

    async def _poll(self, name: str) -> str | None:
        """Takes the list over; returns what is wrong with it."""
        current = self._directory.list_of(name)
        new = await self._sources[name].alias_list(current.etag if current else None)
        _log.debug(
            "list of %s: %s", name, "unchanged" if new is None else f"{_count(new)} addresses"
        )
        refused = self._refusal(name, current, new) if new is not None else None
        self._metrics.lists_refused.labels(name).set(refused is not None)
        if refused is not None:
            self._say(name, logging.ERROR, refused)
            return refused
        self._contacts[name] = time.monotonic()
        self._metrics.list_contact.labels(name).set_to_current_time()
        if new is not None and new != current:
            # Accepting comes first: what Postfix finds in a map is never refused here.
            self._report(self._directory.update(name, new))
            self._store.save(name, new)
            self._store.forget_confirmation(name)
            for address in new.left_out:
                _log.error("list of %s: Postfix cannot look up %r: left out", name, address)
            _log.info("list of %s: %d addresses, before: %d", name, _count(new), _count(current))
            self._metrics.addresses.labels(name).set(_count(new))
        await self._write_maps()
        self._say(name, logging.INFO, "in step")
        return None

    def _refusal(self, name: str, current: AliasList | None, new: AliasList) -> str | None:
        if not shrinks_too_much(current, new, self._shrink_limit):
            return None
        if self._store.confirmed(name, new):
            return None
        return (
            f"list refused: {_count(new)} addresses, {_count(current)} are in use; "
            f"if that is right: odoo-lmtp-bridge confirm {name}"
        )

    async def _write_maps(self) -> None:
        """Brings the maps up to the directory.

        While some database never gave a list there may be no maps at all, and then none are
        made: without a map Postfix says "later", with half of one it says "unknown".
        """
        if self._maps is None:
            return
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
                self._metrics.map_failures.inc()
                self._health.failed("maps", printable(f"not written: {error}", 400))
                return
            self._written = owners
            self._metrics.maps_written.set_to_current_time()
            self._health.well("maps")

    def _say(self, name: str, level: int, text: str) -> None:
        if self._said.get(name) != text:
            self._said[name] = text
            _log.log(level, "Odoo %s: %s", name, printable(text, 400))

    def _report(self, conflicts: Sequence[Conflict]) -> None:
        for conflict in conflicts:
            _log.error("%s", conflict)


def _count(alias_list: AliasList | None) -> int:
    return len(alias_list.addresses) if alias_list else 0
