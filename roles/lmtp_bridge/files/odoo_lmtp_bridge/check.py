# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``check``: is everything there for mail to flow, and if not, what is missing?"""

import asyncio
import http.client
import json
import os
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from . import config
from .config import Config, ConfigError, Database, Listen
from .directory import AliasList, MalformedList, merge, rewrites, shrinks_too_much
from .maps import MapError, MapWriter, find_program
from .odoo import Forbidden, Unavailable, current_list
from .privileges import as_owner
from .quarantine import Quarantine
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
    _webhook(settings.webhook, report)
    _readiness(settings.metrics, report)
    _quarantine(settings, report)
    owners, conflicts = merge(lists)
    for conflict in conflicts:
        report.warning("address", str(conflict))
    for _name, alias_list in lists:
        for address in alias_list.left_out:
            report.warning("address", f"Postfix cannot look up {address!r}")
    if len(lists) == len(settings.databases):
        _maps(settings, set(owners), rewrites(lists, owners), report)
    _postfix(settings, report)
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
        alias_list = _with_tokens(database, path, report)
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
    if (
        stored is not None
        and shrinks_too_much(stored, alias_list, settings.shrink_limit)
        and not confirmed
    ):
        report.failed(
            subject,
            f"{database.name}: {count} addresses, {len(stored.addresses)} are in use and stay; "
            f"if that is right: odoo-lmtp-bridge confirm {database.name}",
            os.EX_DATAERR,
        )
        return None
    report.ok(subject, f"{database.name}: {count} addresses")
    return alias_list


def _with_tokens(database: Database, path: Path, report: _Report) -> AliasList:
    """The list as Odoo gives it; says which of the tokens Odoo takes."""
    current, *pending = config.read_tokens(database.name, path)
    file = config.token_path(database.name, path)
    if config.readable_by_others(file):
        report.warning("token", f"{file} can be read by everybody on this machine: chmod 600")
    try:
        alias_list = asyncio.run(current_list(database, (current,)))
    except Forbidden:
        if not pending:
            raise
    else:
        if not pending:
            report.ok("token", f"{database.name}: Odoo takes the current one")
            return alias_list
        try:
            asyncio.run(current_list(database, tuple(pending)))
        except Forbidden:
            text = "Odoo takes the current one, and does not know the pending one yet"
        else:
            text = "Odoo takes the current and the pending one"
        report.ok("token", f"{database.name}: {text}")
        return alias_list
    alias_list = asyncio.run(current_list(database, tuple(pending)))
    report.warning(
        "token",
        f"{database.name}: Odoo takes only the pending one: make it the current one "
        f"(the first line of {file})",
    )
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


def _webhook(address: Listen | None, report: _Report) -> None:
    if address is None:
        report.ok("webhook", "none; Odoo is asked every poll_interval seconds")
        return
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
    try:
        socket.create_connection((host, address.port), _SOCKET_TIMEOUT).close()
    except OSError as error:
        report.warning("webhook", f"{address}: {error.strerror or error}")
    else:
        report.ok("webhook", f"{address} answers")


def _readiness(address: Listen | None, report: _Report) -> None:
    if address is None:
        report.ok("metrics", "switched off")
        return
    connection = http.client.HTTPConnection(address.host, address.port, timeout=_SOCKET_TIMEOUT)
    try:
        connection.request("GET", "/readyz")
        document = json.loads(connection.getresponse().read())
        problems = {str(part): str(reason) for part, reason in document["problems"].items()}
    except (OSError, http.client.HTTPException) as error:
        report.warning("metrics", f"{address}: {getattr(error, 'strerror', None) or error}")
        return
    except (ValueError, TypeError, KeyError, AttributeError):
        report.warning("metrics", f"{address}: something else answers there")
        return
    finally:
        connection.close()
    for part, reason in problems.items():
        report.warning("daemon", f"not ready: {part}: {reason}")
    report.ok("metrics", f"{address} answers")


def _quarantine(settings: Config, report: _Report) -> None:
    quarantine = Quarantine(settings.quarantine_directory, settings.quarantine_limit)
    try:
        with as_owner(settings.quarantine_directory):
            count, size = len(quarantine.entries()), quarantine.size
    except OSError as error:
        report.warning("quarantine", f"{error.filename}: {error.strerror}")
        return
    if count:
        text = (
            f"{count} messages, {size} bytes, wait for Odoo to be mended: odoo-lmtp-bridge replay"
        )
        report.warning("quarantine", text)
    else:
        report.ok("quarantine", "empty")


def _maps(settings: Config, expected: set[str], former: Mapping[str, str], report: _Report) -> None:
    maps = MapWriter.of(settings)
    for path in (maps.aliases, maps.transport):
        subject = f"map {path}"
        try:
            entries = maps.read(path)
        except MapError as error:
            report.failed(subject, f"none yet, or not readable: {error}", os.EX_TEMPFAIL)
            continue
        soon = f"the daemon asks Odoo every {settings.poll_interval} s"
        missing, surplus = expected - set(entries), set(entries) - expected
        values = former if path == maps.aliases else dict.fromkeys(expected, settings.next_hop)
        astray = [key for key in expected if entries.get(key) != values.get(key, key)]
        if missing or surplus:
            text = f"{len(missing)} addresses of Odoo missing, {len(surplus)} too many; {soon}"
            report.failed(subject, text, os.EX_TEMPFAIL)
        elif astray:
            text = f"{len(astray)} addresses lead elsewhere; {soon}"
            report.failed(subject, text, os.EX_TEMPFAIL)
        else:
            report.ok(subject, f"{len(entries)} addresses, those of Odoo")


def _postfix(settings: Config, report: _Report) -> None:
    """Whether Postfix looks into the maps; it may have them by another name, so this only warns."""
    program = find_program("postconf")
    if program is None:
        report.warning("Postfix", "postconf is not there: does this machine have Postfix?")
        return
    for parameter, path in (
        ("virtual_alias_maps", settings.aliases),
        ("transport_maps", settings.transport),
    ):
        done = subprocess.run(
            [program, "-xh", parameter], capture_output=True, text=True, timeout=30, check=False
        )
        if done.returncode:
            report.warning("Postfix", f"its configuration cannot be read: {done.stderr.strip()}")
            return
        if f"lmdb:{path}" in done.stdout.replace(",", " ").split():
            report.ok("Postfix", f"{parameter} names lmdb:{path}")
        else:
            report.warning("Postfix", f"{parameter} does not name lmdb:{path}")
