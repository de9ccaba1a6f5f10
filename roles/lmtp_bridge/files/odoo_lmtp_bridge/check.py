# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``check``: is everything there for mail to flow, and if not, what is missing?"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from . import config
from .config import Config, ConfigError, Database
from .directory import AliasList, MalformedList, merge, rewrites, shrinks_too_much
from .maps import ALIASES, TRANSPORT, MapError, MapWriter
from .odoo import Forbidden, Unavailable, current_list
from .privileges import as_owner
from .sync import ListStore

_SOCKET_TIMEOUT = 10


def run(settings: Config, path: Path, say: Callable[[str], None]) -> int:
    """Says one line for each thing checked; `path` is the configuration's.

    Returns the exit code of the first failure: 78 configuration or token file, 77 token refused,
    69 Odoo or socket not there, 65 a list that is refused, 75 maps not up to Odoo's lists yet.
    """
    report = _Report(say)
    report.ok("configuration", f"{path}, {len(settings.databases)} database(s)")
    lists = []
    for database in settings.databases:
        alias_list = _database(settings, database, path, report)
        if alias_list is not None:
            lists.append((database.name, alias_list))
    _socket(settings.socket, report)
    owners, conflicts = merge(lists)
    for conflict in conflicts:
        report.warning("address", str(conflict))
    for _name, alias_list in lists:
        for address in alias_list.left_out:
            report.warning("address", f"Postfix cannot look up {address!r}")
    if len(lists) == len(settings.databases):
        _maps(settings, set(owners), rewrites(lists, owners), report)
    return report.code


class _Report:
    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.code = os.EX_OK

    def ok(self, subject: str, text: str) -> None:
        self._say(f"ok      {subject}: {text}")

    def warning(self, subject: str, text: str) -> None:
        self._say(f"WARNING {subject}: {text}")

    def failed(self, subject: str, text: str, code: int) -> None:
        self._say(f"FAILED  {subject}: {text}")
        self.code = self.code or code


def _database(
    settings: Config, database: Database, path: Path, report: _Report
) -> AliasList | None:
    """The list that the daemon would take, or None."""
    subject = f"Odoo at {database.url}"
    try:
        tokens = config.read_tokens(database.name, path)
        alias_list = asyncio.run(current_list(database, tokens))
    except ConfigError as error:
        report.failed("token", str(error), os.EX_CONFIG)
        return None
    except Unavailable as error:
        code = os.EX_NOPERM if isinstance(error, Forbidden) else os.EX_UNAVAILABLE
        report.failed(subject, f"{error} {error.detail}".rstrip(), code)
        return None
    except MalformedList as error:
        report.failed(subject, str(error), os.EX_DATAERR)
        return None
    store = ListStore(settings.lists_directory)
    with as_owner(settings.lists_directory):
        stored = store.load(database.name, database.database)
        confirmed = store.confirmed(database.name, alias_list)
    count = len(alias_list.addresses)
    if stored is not None and shrinks_too_much(stored, alias_list) and not confirmed:
        report.failed(
            subject,
            f"{database.name}: {count} addresses, {len(stored.addresses)} are in use and stay; "
            f"if that is right: odoo-lmtp-bridge confirm {database.name}",
            os.EX_DATAERR,
        )
        return None
    report.ok(subject, f"{database.name}: {count} addresses")
    return alias_list


def _socket(path: Path, report: _Report) -> None:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(_SOCKET_TIMEOUT)
            client.connect(str(path))
            greeting = client.recv(512)
            client.sendall(b"QUIT\r\n")
    except OSError as error:
        report.failed("socket", f"{path}: {error.strerror or error}", os.EX_UNAVAILABLE)
        return
    if greeting.startswith(b"220 "):
        report.ok("socket", f"{path} answers")
    else:
        report.failed("socket", f"{path}: no LMTP greeting", os.EX_UNAVAILABLE)


def _maps(settings: Config, expected: set[str], former: Mapping[str, str], report: _Report) -> None:
    maps = MapWriter(settings.maps_directory)
    for name in (ALIASES, TRANSPORT):
        try:
            entries = maps.read(name)
        except MapError as error:
            report.failed(f"map {name}", f"none yet, or not readable: {error}", os.EX_TEMPFAIL)
            continue
        soon = f"the daemon asks Odoo every {settings.poll_interval} s"
        missing, surplus = expected - set(entries), set(entries) - expected
        astray = [
            key for key in expected if name == ALIASES and entries.get(key) != former.get(key, key)
        ]
        if missing or surplus:
            text = f"{len(missing)} addresses of Odoo missing, {len(surplus)} too many; {soon}"
            report.failed(f"map {name}", text, os.EX_TEMPFAIL)
        elif astray:
            text = f"{len(astray)} addresses lead elsewhere; {soon}"
            report.failed(f"map {name}", text, os.EX_TEMPFAIL)
        else:
            report.ok(f"map {name}", f"{len(entries)} addresses, those of Odoo")
