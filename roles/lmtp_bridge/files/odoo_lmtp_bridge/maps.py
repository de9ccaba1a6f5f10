# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's two maps: rendered by pure functions, replaced without a moment without them."""

import logging
import os
import subprocess
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from .privileges import owner_identity

_log = logging.getLogger(__name__)

# Postfix's dedicated LMTP client and the socket that it connects to.
NEXT_HOP = "odoo-lmtp:unix:private/odoo-bridge"

ALIASES = "aliases"
TRANSPORT = "transport"

# postmap needs a main.cf. One of its own makes it work before the gateway has one, and
# whatever stands in that one.
_MAIN_CF = "compatibility_level = 3.6\ninet_interfaces = loopback-only\n"


class MapError(Exception):
    """A map could not be written or read."""


def render_aliases(addresses: Collection[str], rewrites: Mapping[str, str]) -> str:
    """Each address to itself, or to what `rewrites` has for it, for virtual_alias_maps and
    relay_recipient_maps."""
    return _render((address, rewrites.get(address, address)) for address in addresses)


def render_transport(addresses: Collection[str]) -> str:
    """Each address to the bridge, for transport_maps."""
    return _render((address, NEXT_HOP) for address in addresses)


def _render(entries: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{key} {value}\n" for key, value in sorted(entries))


def write_atomically(path: Path, text: str) -> None:
    """`text` in the file at `path`, on disk when this returns; the old text if it raises."""
    _write(_beside(path), text)
    _move(_beside(path), path)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _move(source: Path, target: Path) -> None:
    source.rename(target)
    _sync_directory(target.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class MapWriter:
    """Owns the directory with `aliases`, `transport` and their `.lmdb`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._configuration = directory / ".postmap"

    @property
    def present(self) -> bool:
        """Whether there are maps."""
        return all(self._lmdb(name).exists() for name in (ALIASES, TRANSPORT))

    def write(self, addresses: Collection[str], rewrites: Mapping[str, str]) -> None:
        """Replaces both maps, and blocks while postmap works; MapError leaves the old ones."""
        try:
            self._configuration.mkdir(parents=True, exist_ok=True)
            main_cf = self._configuration / "main.cf"
            main_cf.write_text(_MAIN_CF, encoding="ascii")
            # Postfix's programs wait for a second or two while a main.cf is quite new.
            os.utime(main_cf, (0, 0))
            # Growing, the transport comes first: an address that is accepted has its next hop.
            for name, text in (
                (TRANSPORT, render_transport(addresses)),
                (ALIASES, render_aliases(addresses, rewrites)),
            ):
                self._replace(name, text)
        except OSError as error:
            raise MapError(f"{error.filename}: {error.strerror}") from None

    def read(self, name: str) -> dict[str, str]:
        """The entries that Postfix sees in a map."""
        return dict(
            line.split("\t", 1)
            for line in self._postmap("-s", f"lmdb:{self._directory / name}").splitlines()
        )

    def _replace(self, name: str, text: str) -> None:
        """An existing map is rewritten in place, in postmap's one LMDB transaction: every Postfix
        process sees the old entries until it sees the new. A renamed file is seen at once by
        smtpd but by a busy trivial-rewrite only later, which bounces the mail to a new address
        in between. Only where there is no map yet, or a broken one, is it built beside.
        """
        path = self._directory / name
        if self._lmdb(name).exists():
            write_atomically(path, text)
            try:
                self._postmap(f"lmdb:{path}")
                return
            except MapError as error:
                _log.warning("building the map anew: %s", error)
        beside = _beside(path)
        self._lmdb(beside.name).unlink(missing_ok=True)
        _write(beside, text)
        self._postmap(f"lmdb:{beside}")
        _move(self._lmdb(beside.name), self._lmdb(name))
        _move(beside, path)

    def _lmdb(self, name: str) -> Path:
        return self._directory / f"{name}.lmdb"

    def _postmap(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                ["postmap", "-c", str(self._configuration), *arguments],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
                **owner_identity(self._directory),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MapError(f"postmap: {error}") from None
        message = done.stderr.strip()
        if done.returncode:
            raise MapError(message or f"postmap: exit {done.returncode}")
        if message:
            _log.warning("%s", message)
        return done.stdout
