# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line. Exit codes are those of sysexits(3)."""

import argparse
import asyncio
import dataclasses
import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from . import __version__, check, config, pipe, replay, service
from .config import Config, ConfigError, Database, Listen
from .directory import AliasList, MalformedList, merge, rewrites
from .help import HELP, VERBS
from .maps import render_aliases, render_transport
from .odoo import Forbidden, Unavailable, current_list
from .privileges import as_owner
from .sync import ListStore

_log = logging.getLogger(__name__)

_PROGRAM = "odoo-lmtp-bridge"
# How MTAs write it for programs that they run.
_NULL_SENDERS = ("<>", "MAILER-DAEMON")


class _JournalFormatter(logging.Formatter):
    """Gives each line its priority in the way of sd-daemon(3)."""

    _PRIORITIES = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}

    def format(self, record: logging.LogRecord) -> str:
        priority = self._PRIORITIES.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


class _WrongUsage(Exception):
    """The command line is not one of those that there are."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        raise _WrongUsage(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if "pipe" not in arguments:
        return _run(arguments)
    try:
        return _run(arguments)
    except Exception:
        # What went wrong could not be said.
        return os.EX_TEMPFAIL
    finally:
        _give_up_unsaid()


def _give_up_unsaid() -> None:
    """What stderr does not take is dropped: it would change Python's exit code."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _run(arguments: Sequence[str]) -> int:
    try:
        options = _parser().parse_args(arguments)
    except _WrongUsage as error:
        _say(str(error))
        # No mail bounces for a mistake in the configuration of the MTA that calls this.
        return os.EX_TEMPFAIL if "pipe" in arguments else os.EX_USAGE
    options.config = options.config or config.default_path()
    _log_to_stderr(options)
    try:
        code: int = options.run(options)
        return code
    except ConfigError as error:
        _say(str(error))
        return os.EX_CONFIG
    except Unavailable as error:
        _say(f"{error} {error.detail}".rstrip())
        return os.EX_NOPERM if isinstance(error, Forbidden) else os.EX_UNAVAILABLE
    except MalformedList as error:
        _say(str(error))
        return os.EX_DATAERR


def _say(text: str) -> None:
    print(f"{_PROGRAM}: {text}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM,
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"{_PROGRAM} VERB --help tells more about each, with an example and exit codes\n"
        "(those of sysexits.h; 64 is a wrong command line).",
    )
    parser.add_argument("--version", action="version", version=__version__)
    _common(parser, None, False)
    verbs = parser.add_subparsers(metavar="VERB", required=True, title="verbs")

    def verb(name: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        text = VERBS[name]
        one = verbs.add_parser(
            name,
            help=text.summary,
            description=text.description,
            epilog=text.epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        # Behind the verb as well as before it.
        _common(one, argparse.SUPPRESS, argparse.SUPPRESS)
        one.set_defaults(run=run, serves=name in ("daemon", "lmtp", "webhook"))
        return one

    daemon = verb("daemon", lambda options: _serve(options, lmtp=True, maps=True))
    lmtp = verb("lmtp", lambda options: _serve(options, lmtp=True, maps=False))
    webhook = verb("webhook", lambda options: _serve(options, lmtp=False, maps=True))
    for one in (daemon, webhook):
        _webhook_options(one)
    for one in (daemon, lmtp, webhook):
        one.add_argument(
            "-r",
            "--ready-fd",
            type=int,
            metavar="N",
            help="write a line to file descriptor N once ready (s6; systemd is told by itself)",
        )
    verb("aliases", lambda options: _print(options, lambda _: render_aliases))
    verb("transport", lambda options: _print(options, _transport_renderer))
    piping = verb("pipe", _pipe)
    piping.add_argument(
        "-f",
        "--from",
        dest="sender",
        # Set by Exim and by Postfix's local(8).
        default=os.environ.get("SENDER", ""),
        metavar="SENDER",
        help="the envelope sender (default: the environment's SENDER)",
    )
    piping.add_argument("recipients", nargs="+", metavar="RECIPIENT", help="an address of Odoo's")
    checking = verb("check", _check)
    checking.add_argument(
        "--config-only", action="store_true", help="only read the configuration file"
    )
    replaying = verb("replay", _replay)
    replaying.add_argument("ids", nargs="*", metavar="ID", help="a message, as the list names it")
    replaying.add_argument("--all", action="store_true", help="all messages")
    replaying.add_argument(
        "--delete", action="store_true", help="delete them for good instead of sending them"
    )
    confirm = verb("confirm", _confirm)
    confirm.add_argument("name", help="the database's name in the configuration")
    return parser


def _common(parser: argparse.ArgumentParser, nothing: object, off: object) -> None:
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        default=nothing,
        metavar="FILE",
        help=f"the configuration (default: {config.DEFAULT_PATH}, or {config.MAILER_PATH} if only "
        "that is there)",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", default=off, help="say more of what is done"
    )
    parser.add_argument(
        "-d",
        "--debug",
        action="store_true",
        default=off,
        help="say all that is done; never what is in a mail, or a token",
    )


def _webhook_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n",
        "--port",
        type=_port,
        metavar="PORT",
        help="the webhook's port, instead of the configuration's; the address stays, or is 0.0.0.0 "
        "(all of this machine's) if the configuration names none",
    )
    parser.add_argument(
        "-p",
        "--prefix",
        type=_url_path,
        default=service.Duties.webhook_path,
        metavar="PATH",
        help="the path on which the webhook answers (default: %(default)s)",
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def _url_path(text: str) -> str:
    if not text.startswith("/") or not text.isascii() or set(text) & set("?#{}% "):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path such as /webhook")
    return text


def _log_to_stderr(options: argparse.Namespace) -> None:
    handler = logging.StreamHandler()
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(_JournalFormatter())
    level = logging.INFO if options.serves or options.verbose else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler])
    if options.debug:
        # Ours alone: what the libraries would say then has not been looked through for secrets.
        logging.getLogger(__package__).setLevel(logging.DEBUG)


def _tokens(settings: Config, path: Path) -> dict[str, tuple[str, ...]]:
    return {
        database.name: config.read_tokens(database.name, path) for database in settings.databases
    }


def _serve(options: argparse.Namespace, *, lmtp: bool, maps: bool) -> int:
    settings = config.load(options.config)
    path = service.Duties.webhook_path
    if maps:
        path = options.prefix
        if options.port is not None:
            host = settings.webhook.host if settings.webhook else "0.0.0.0"
            settings = dataclasses.replace(settings, webhook=Listen(host, options.port))
    duties = service.Duties(lmtp, maps, path, options.ready_fd)
    service.run(settings, _tokens(settings, options.config), duties)
    return os.EX_OK


def _check(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    if options.config_only:
        return os.EX_OK
    return check.run(settings, options.config, print)


_Renderer = Callable[[Collection[str], Mapping[str, str]], str]


def _transport_renderer(settings: Config) -> _Renderer:
    return lambda addresses, _: render_transport(addresses, settings.next_hop)


def _print(options: argparse.Namespace, renderer: Callable[[Config], _Renderer]) -> int:
    settings = config.load(options.config)
    lists = [
        (database.name, _current_list(database, options.config)) for database in settings.databases
    ]
    owners, conflicts = merge(lists)
    for conflict in conflicts:
        _say(str(conflict))
    sys.stdout.write(renderer(settings)(owners, rewrites(lists, owners)))
    return os.EX_OK


def _pipe(options: argparse.Namespace) -> int:
    """Whatever goes wrong here proves nothing about the mail, and MTAs bounce it for every other
    code."""
    try:
        settings = config.load(options.config)
        tokens = _tokens(settings, options.config)
        # One byte more than may be tells that it is too many.
        content = sys.stdin.buffer.read(settings.message_size_limit + 1)
        if not content:
            raise ConfigError("no message on standard input")
        sender = "" if options.sender in _NULL_SENDERS else options.sender
        return asyncio.run(pipe.run(settings, tokens, sender, options.recipients, content, _say))
    except Exception as error:
        _log.debug("pipe", exc_info=True)
        _say(f"{type(error).__name__}: {error}")
        return os.EX_TEMPFAIL


def _replay(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    return replay.run(
        settings,
        options.config,
        options.ids,
        print,
        everything=options.all,
        delete=options.delete,
    )


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
        _say(f"{error.filename}: {error.strerror}")
        return os.EX_CANTCREAT
    print(f"{database.name}: {len(alias_list.addresses)} addresses will do at the next poll")
    return os.EX_OK


def _current_list(database: Database, path: Path) -> AliasList:
    return asyncio.run(current_list(database, config.read_tokens(database.name, path)))
