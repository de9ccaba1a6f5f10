# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's two maps: rendered by pure functions, replaced without a moment without them."""

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from .config import Config, ConfigError
from .privileges import owner_identity
from .startup import require_directory, require_writable

_log = logging.getLogger(__name__)

# Where Debian has Postfix's programs, which is not on every user's PATH.
_SBIN = "/usr/sbin"

# postmap needs a main.cf. One of its own makes it work before the gateway has one, and
# whatever stands in that one. A map that outgrows the size (Postfix has 16 MB) makes postmap start
# over; only what is used of it takes memory and disk.
_MAIN_CF = (
    "compatibility_level = 3.6\ninet_interfaces = loopback-only\nlmdb_map_size = 1073741824\n"
)


class MapError(Exception):
    """A map could not be written or read."""


def render_aliases(addresses: Iterable[str], rewrites: Mapping[str, str]) -> str:
    """Each address to itself, or to what `rewrites` has for it, for virtual_alias_maps and
    relay_recipient_maps."""
    return "".join(f"{key} {rewrites.get(key, key)}\n" for key in sorted(addresses))


def render_transport(addresses: Iterable[str], next_hop: str) -> str:
    """Each address to the bridge, for transport_maps."""
    return "".join(f"{key} {next_hop}\n" for key in sorted(addresses))


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
    """Owns the two maps' text files and the databases beside them, `.lmdb`."""

    def __init__(self, aliases: Path, transport: Path, next_hop: str, scratch: Path) -> None:
        """`scratch` is a directory for what postmap needs besides."""
        self.aliases = aliases
        self.transport = transport
        self._next_hop = next_hop
        self._scratch = scratch

    @classmethod
    def of(cls, config: Config) -> "MapWriter":
        """The one that a configuration asks for."""
        return cls(
            config.aliases, config.transport, config.next_hop, config.state_directory / "postmap"
        )

    @property
    def present(self) -> bool:
        """Whether there are maps."""
        return all(_lmdb(path).exists() for path in (self.aliases, self.transport))

    def prepare(self) -> None:
        """Tries out all that `write` needs; ConfigError has the remedy."""
        require_directory(self._scratch)
        for path in (self.aliases, self.transport):
            require_directory(path.parent)
            require_writable(_lmdb(path))
        trial = self._scratch / "trial"
        try:
            self._configure()
            _write(trial, "trial trial\n")
            self._postmap(trial, f"lmdb:{trial}")
        except OSError as error:
            raise ConfigError(f"{error.filename}: {error.strerror}") from None
        except MapError as error:
            raise ConfigError(f"maps cannot be built: {error}") from None

    def write(self, addresses: Collection[str], rewrites: Mapping[str, str]) -> None:
        """Replaces both maps, and blocks while postmap works; MapError leaves the old ones."""
        try:
            self._configure()
            addresses = sorted(addresses)
            # Growing, the transport comes first: an address that is accepted has its next hop.
            self._replace(self.transport, render_transport(addresses, self._next_hop))
            self._replace(self.aliases, render_aliases(addresses, rewrites))
        except OSError as error:
            raise MapError(f"{error.filename}: {error.strerror}") from None

    def read(self, path: Path) -> dict[str, str]:
        """The entries that Postfix sees in the map at `path`, one of the two."""
        return dict(
            line.split("\t", 1) for line in self._postmap(path, "-s", f"lmdb:{path}").splitlines()
        )

    def _configure(self) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        main_cf = self._scratch / "main.cf"
        main_cf.write_text(_MAIN_CF, encoding="ascii")
        # Postfix's programs wait for a second or two while a main.cf is quite new.
        os.utime(main_cf, (0, 0))

    def _replace(self, path: Path, text: str) -> None:
        """An existing map is rewritten in place, in postmap's one LMDB transaction: every Postfix
        process sees the old entries until it sees the new. A renamed file is seen at once by
        smtpd but by a busy trivial-rewrite only later, which bounces the mail to a new address
        in between. Only where there is no map yet, or a broken one, is it built beside.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        if _lmdb(path).exists():
            write_atomically(path, text)
            try:
                self._postmap(path, f"lmdb:{path}")
                return
            except MapError as error:
                _log.warning("building the map anew: %s", error)
        beside = _beside(path)
        _lmdb(beside).unlink(missing_ok=True)
        _write(beside, text)
        self._postmap(path, f"lmdb:{beside}")
        _move(_lmdb(beside), _lmdb(path))
        _move(beside, path)

    def _postmap(self, path: Path, *arguments: str) -> str:
        program = find_program("postmap")
        if program is None:
            raise MapError("postmap is not there: apt install postfix postfix-lmdb")
        try:
            done = subprocess.run(
                [program, "-c", str(self._scratch), *arguments],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
                **owner_identity(path.parent),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MapError(f"postmap: {error}") from None
        message = done.stderr.strip()
        if re.search(r"unsupported .* type.*: lmdb", message):
            raise MapError("postmap has no lmdb: apt install postfix-lmdb")
        if done.returncode:
            raise MapError(message or f"postmap: exit {done.returncode}")
        if message:
            _log.warning("%s", message)
        return done.stdout


def find_program(name: str) -> str | None:
    """Where one of Postfix's programs is."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), _SBIN)))


def _lmdb(path: Path) -> Path:
    return path.with_name(f"{path.name}.lmdb")
