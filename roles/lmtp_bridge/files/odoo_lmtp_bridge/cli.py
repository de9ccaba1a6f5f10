# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line. Exit codes are those of sysexits(3)."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from . import __version__, check, config, service
from .config import ConfigError, Database
from .directory import AliasList, MalformedList, merge, rewrites
from .maps import render_aliases, render_transport
from .odoo import Forbidden, Unavailable, current_list
from .privileges import as_owner
from .sync import ListStore
from .systemd import inherited_sockets


class _JournalFormatter(logging.Formatter):
    """Gives each line its priority in the way of sd-daemon(3)."""

    _PRIORITIES = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}

    def format(self, record: logging.LogRecord) -> str:
        priority = self._PRIORITIES.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; returns its exit code."""
    options = _parser().parse_args(arguments)
    _log_to_stderr()
    try:
        code: int = options.run(options)
        return code
    except ConfigError as error:
        print(f"odoo-lmtp-bridge: {error}", file=sys.stderr)
        return os.EX_CONFIG
    except Unavailable as error:
        print(f"odoo-lmtp-bridge: {error} {error.detail}".rstrip(), file=sys.stderr)
        return os.EX_NOPERM if isinstance(error, Forbidden) else os.EX_UNAVAILABLE
    except MalformedList as error:
        print(f"odoo-lmtp-bridge: {error}", file=sys.stderr)
        return os.EX_DATAERR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="odoo-lmtp-bridge", description="Hands mail from Postfix to Odoo over LMTP."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        default=config.DEFAULT_PATH,
        metavar="FILE",
        help="the configuration (default: %(default)s)",
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    daemon = verbs.add_parser("daemon", help="serve; started by odoo-lmtp-bridge.socket")
    daemon.set_defaults(run=_daemon)
    check_verb = verbs.add_parser(
        "check", help="check configuration, tokens, Odoo, socket and maps, a line for each"
    )
    check_verb.add_argument(
        "--config-only", action="store_true", help="only read the configuration file"
    )
    check_verb.set_defaults(run=_check)
    aliases = verbs.add_parser("aliases", help="print the map of addresses that Odoo gives now")
    aliases.set_defaults(run=lambda options: _print(options, render_aliases))
    transport = verbs.add_parser("transport", help="print the transport map that Odoo gives now")
    transport.set_defaults(
        run=lambda options: _print(options, lambda owners, _: render_transport(owners))
    )
    confirm = verbs.add_parser(
        "confirm", help="let the daemon take a database's list though it is far shorter"
    )
    confirm.add_argument("name", help="the database's name in the configuration")
    confirm.set_defaults(run=_confirm)
    return parser


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(_JournalFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _daemon(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    listeners = inherited_sockets()
    if not listeners:
        raise ConfigError("no socket was handed over: start odoo-lmtp-bridge.socket")
    tokens = {
        database.name: config.read_tokens(database.name, options.config)
        for database in settings.databases
    }
    asyncio.run(service.serve(settings, tokens, listeners))
    return os.EX_OK


def _check(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    if options.config_only:
        return os.EX_OK
    return check.run(settings, options.config, print)


def _print(
    options: argparse.Namespace, render: Callable[[Collection[str], Mapping[str, str]], str]
) -> int:
    settings = config.load(options.config)
    lists = [
        (database.name, _current_list(database, options.config)) for database in settings.databases
    ]
    owners, conflicts = merge(lists)
    for conflict in conflicts:
        print(f"odoo-lmtp-bridge: {conflict}", file=sys.stderr)
    sys.stdout.write(render(owners, rewrites(lists, owners)))
    return os.EX_OK


def _confirm(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    for database in settings.databases:
        if database.name == options.name:
            break
    else:
        raise ConfigError(f"no database {options.name!r} in {options.config}")
    alias_list = _current_list(database, options.config)
    try:
        with as_owner(settings.lists_directory):
            ListStore(settings.lists_directory).confirm(database.name, alias_list)
    except OSError as error:
        print(f"odoo-lmtp-bridge: {error.filename}: {error.strerror}", file=sys.stderr)
        return os.EX_CANTCREAT
    print(f"{database.name}: {len(alias_list.addresses)} addresses will do at the next poll")
    return os.EX_OK


def _current_list(database: Database, path: Path) -> AliasList:
    return asyncio.run(current_list(database, config.read_tokens(database.name, path)))
