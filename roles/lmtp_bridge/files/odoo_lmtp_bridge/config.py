# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file (YAML) and the tokens, which lie in files of their own beside it.

The file of odoo-mailer is taken as it is: ``host`` and ``token`` in the place of ``databases``,
and odoo-mailer's own defaults for ``aliases``, ``transport`` and ``socket``.
"""

import dataclasses
import ipaddress
import logging
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from .health import PARTS

_log = logging.getLogger(__name__)

DEFAULT_PATH = Path("/etc/odoo-lmtp-bridge/config.yml")
MAILER_PATH = Path("/etc/postfix/odoo-mailer.yml")
MIB = 1 << 20

# What odoo-mailer has where its file says nothing, and the name that its one database gets here.
MAILER_NAME = "odoo"
_MAILER_DEFAULTS = {
    "aliases": "/etc/postfix/virtual_alias_odoo",
    "transport": "/etc/postfix/transport_odoo",
    "socket": "/var/spool/postfix/private/odoo-lmtp",
}
_QUEUE_DIRECTORY = Path("/var/spool/postfix")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
# What the name of an Odoo database may hold, and an HTTP header with it.
_DATABASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PRINTABLE = re.compile(r"[!-~]+")


class ConfigError(Exception):
    """The configuration or a token cannot be used; the message names the place."""


@dataclass(frozen=True)
class Database:
    """One Odoo database. `url` has no trailing slash; `ca_file` (PEM) takes the place of the
    system's trust store.

    `database` is None where the host name alone says which one it is. `backend` is ``addon``
    (the addon mail_delivery) or ``rpc`` (Odoo's external API as the user `login`).
    """

    name: str
    url: str
    database: str | None
    ca_file: Path | None = None
    backend: str = "addon"
    login: str | None = None


@dataclass(frozen=True)
class Listen:
    """A TCP address to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Config:
    """Sizes in bytes, times in seconds.

    `concurrency` is the number of posts in flight at once; about twice the number of Odoo's
    workers is the most that helps. `connection_limit` bounds the open LMTP connections,
    `byte_budget` the mail held in memory, `quarantine_limit` the bytes in quarantine; `load` makes
    these two larger where two of the largest messages, or one, would not fit. A list of addresses
    that is shorter by more than `shrink_limit` percent waits for a confirmation.

    `aliases` and `transport` are the maps' text files (Postfix's database lies beside, with
    ``.lmdb``), `next_hop` is what the second leads to. `webhook` may be any address of this
    machine, `metrics` (health as well) is one of its loopback.
    """

    databases: tuple[Database, ...]
    poll_interval: int = 30
    concurrency: int = 8
    message_size_limit: int = 50 * MIB
    byte_budget: int = 128 * MIB
    connection_limit: int = 200
    quarantine_limit: int = 1024 * MIB
    shrink_limit: int = 50
    state_directory: Path = Path("/var/lib/odoo-lmtp-bridge")
    socket: Path = Path("/var/spool/postfix/private/odoo-bridge")
    aliases: Path = Path("/var/lib/odoo-lmtp-bridge/maps/aliases")
    transport: Path = Path("/var/lib/odoo-lmtp-bridge/maps/transport")
    next_hop: str = "odoo-lmtp:unix:private/odoo-bridge"
    webhook: Listen | None = None
    metrics: Listen | None = Listen("127.0.0.1", 9525)

    @property
    def quarantine_directory(self) -> Path:
        return self.state_directory / "quarantine"

    @property
    def lists_directory(self) -> Path:
        return self.state_directory / "lists"


def default_path() -> Path:
    """Where the configuration is if nobody says: the bridge's own file, else odoo-mailer's."""
    return MAILER_PATH if MAILER_PATH.exists() and not DEFAULT_PATH.exists() else DEFAULT_PATH


def load(path: Path) -> Config:
    """The configuration in the file at `path`; ConfigError when it cannot be used."""
    try:
        return parse(_document(path))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _document(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"not YAML: {error}") from None
    except yaml.YAMLError as error:
        # Not the error itself: it quotes the line, which may be odoo-mailer's token.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise ConfigError(f"not YAML: {problem}{where}") from None


def parse(document: object) -> Config:
    """A Config from the parsed file; ConfigError names the key that does not fit."""
    if isinstance(document, dict) and "host" in document:
        document = _of_odoo_mailer(document)
    values = _mapping(document, "the file", Config)
    entries = values.pop("databases", None)
    if not isinstance(entries, list) or not entries:
        raise ConfigError("databases: a list with at least one database is needed")
    databases = tuple(_database(entry, f"databases[{i}]") for i, entry in enumerate(entries))
    _unique([entry.name for entry in databases], "name")
    _unique([f"{entry.database or 'none'} at {entry.url}" for entry in databases], "database")
    for key, check in _CHECKS.items():
        if key in values:
            values[key] = check(values[key], key)
    maps = values.get("state_directory", Config.state_directory) / "maps"  # type: ignore[operator]
    values = {"aliases": maps / "aliases", "transport": maps / "transport", **values}
    config = Config(databases=databases, **values)  # type: ignore[arg-type]
    largest = config.message_size_limit
    for key, least in (("byte_budget", 2 * largest), ("quarantine_limit", largest)):
        if key not in values:
            config = dataclasses.replace(config, **{key: max(getattr(config, key), least)})
    _check_together(config)
    return config


def _check_together(config: Config) -> None:
    for key in ("byte_budget", "quarantine_limit"):
        if getattr(config, key) < config.message_size_limit:
            raise ConfigError(f"{key}: must not be less than message_size_limit")
    if config.aliases == config.transport:
        raise ConfigError("transport: must not be the file of aliases")
    if config.metrics is not None and not _is_loopback(config.metrics.host):
        raise ConfigError(
            f"metrics: {config.metrics.host} can be reached from elsewhere; health and metrics are "
            "for this machine itself, such as 127.0.0.1:9525"
        )
    if config.metrics is not None and config.metrics == config.webhook:
        raise ConfigError("webhook: must not be the address of metrics")


def _of_odoo_mailer(values: Mapping[object, object]) -> dict[object, object]:
    """odoo-mailer's file as one of ours."""
    host, token = values.get("host"), values.get("token")
    if "databases" in values:
        raise ConfigError("host: is odoo-mailer's key, and databases is there as well: keep one")
    if not isinstance(host, str) or not host or re.search(r"[\s/@?#]", host):
        raise ConfigError("host: the name of Odoo's host is needed, such as odoo.example.com")
    if not isinstance(token, str) or not token:
        raise ConfigError("token: a text is needed")
    ours: dict[object, object] = {**values}
    for key, default in _MAILER_DEFAULTS.items():
        ours.setdefault(key, default)
    del ours["host"], ours["token"]
    ours["databases"] = [{"name": MAILER_NAME, "url": f"https://{host}"}]
    path = _absolute(ours["socket"], "socket")
    inside = path.is_relative_to(_QUEUE_DIRECTORY)
    # Postfix's lmtp is confined to its queue directory and knows paths from there on.
    hop = f"lmtp:unix:{path.relative_to(_QUEUE_DIRECTORY) if inside else path}"
    return {"next_hop": hop, **ours}


def token_path(name: str, config_path: Path) -> Path:
    """The file that `read_tokens` reads.

    systemd hands it over as a credential; root's command line reads the file that systemd
    takes it from, `tokens/<name>` beside the configuration. odoo-mailer's configuration holds
    the token itself.
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    given = Path(directory, f"token-{name}") if directory else None
    if given is not None and given.exists():
        return given
    beside = config_path.parent / "tokens" / name
    if name == MAILER_NAME and not beside.exists() and _token_within(config_path) is not None:
        return config_path
    return given or beside


def readable_by_others(path: Path) -> bool:
    """Whether more than the owner and the group of the file may read it."""
    return bool(path.stat().st_mode & stat.S_IROTH)


def read_tokens(name: str, config_path: Path) -> tuple[str, ...]:
    """The tokens of the database `name`: the current one and, during a rotation, a pending one.

    They are the one or two lines of the file at `token_path`.
    """
    path = token_path(name, config_path)
    if path == config_path:
        text = _token_within(path) or ""
        if readable_by_others(path):
            _log.warning("%s holds the token, and everybody here can read it: chmod 640", path)
    else:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"token of {name}: {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"token of {name}: {path}: not ASCII") from None
    tokens = tuple(line.strip() for line in text.rstrip().split("\n"))
    if len(tokens) > 2:
        raise ConfigError(
            f"token of {name}: {path}: more than two lines; the first is the current token, "
            "the second one that is pending"
        )
    if not all(_PRINTABLE.fullmatch(token) for token in tokens):
        raise ConfigError(f"token of {name}: {path}: empty, or not one word of plain ASCII")
    return tokens


def _token_within(config_path: Path) -> str | None:
    try:
        document = _document(config_path)
    except ConfigError:
        return None
    token = document.get("token") if isinstance(document, dict) and "host" in document else None
    return token if isinstance(token, str) else None


def _mapping(value: object, place: str, target: type) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ConfigError(f"{place}: must be a mapping")
    known = {field.name for field in dataclasses.fields(target)}
    for key in value:
        if key not in known:
            raise ConfigError(f"{place}: unknown key {key!r}")
    return dict(value)


def _database(entry: object, place: str) -> Database:
    values = _mapping(entry, place, Database)
    name = _text(values, "name", place)
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{place}.name: {name!r}: lower-case letters, digits, '_' and '-' only")
    if name in PARTS:
        raise ConfigError(f"{place}.name: {name!r} names something else in health and metrics")
    database = None
    if values.get("database") is not None:
        database = _text(values, "database", place)
    if database is not None and not _DATABASE.fullmatch(database):
        raise ConfigError(f"{place}.database: {database!r} is not the name of a database")
    backend = values.get("backend", Database.backend)
    if backend not in ("addon", "rpc"):
        raise ConfigError(f"{place}.backend: {backend!r} is neither addon nor rpc")
    if backend == "rpc":
        for key in ("database", "login"):
            if values.get(key) is None:
                raise ConfigError(f"{place}.{key}: is needed where backend is rpc")
    elif values.get("login") is not None:
        raise ConfigError(f"{place}.login: is only for backend rpc; the addon needs no user")
    ca_file = values.get("ca_file")
    return Database(
        name=name,
        url=_url(_text(values, "url", place), f"{place}.url"),
        database=database,
        ca_file=None if ca_file is None else _absolute(ca_file, f"{place}.ca_file"),
        backend=str(backend),
        login=_text(values, "login", place) if backend == "rpc" else None,
    )


def _unique(values: list[str], key: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f"databases: {key} {value!r} is there twice")


def _text(values: Mapping[str, object], key: str, place: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{place}.{key}: a text is needed")
    return value


def _positive(value: object, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{place}: {value!r} is not a positive whole number")
    return value


def _absolute(value: object, place: str) -> Path:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ConfigError(f"{place}: {value!r} is not an absolute path")
    return Path(value)


def _percent(value: object, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
        raise ConfigError(f"{place}: {value!r} is not a percentage, from 0 to 100")
    return value


def _next_hop(value: object, place: str) -> str:
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
        raise ConfigError(f"{place}: {value!r} is not like {Config.next_hop}")
    return value


def _listen(value: object, place: str) -> Listen | None:
    """None for the empty text, which switches it off."""
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else ""
    host, _colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        if host != "localhost":
            ipaddress.ip_address(host)
    except ValueError:
        host = ""
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ConfigError(f"{place}: {value!r} is not like 10.0.0.5:8025 or [::1]:8025")
    return Listen(host, int(port))


def _url(value: str, place: str) -> str:
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"{place}: not a URL") from None
    if parts.username or parts.password:
        raise ConfigError(f"{place}: must not hold credentials")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ConfigError(f"{place}: {value!r} is not like https://odoo.example.com")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ConfigError(
            f"{place}: {value!r}: mail and token would travel in clear; "
            "http is for this machine itself, use https"
        )
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_CHECKS: Mapping[str, Callable[[object, str], object]] = {
    **dict.fromkeys(
        (
            "poll_interval",
            "concurrency",
            "message_size_limit",
            "byte_budget",
            "connection_limit",
            "quarantine_limit",
        ),
        _positive,
    ),
    "shrink_limit": _percent,
    **dict.fromkeys(("state_directory", "socket", "aliases", "transport"), _absolute),
    "next_hop": _next_hop,
    **dict.fromkeys(("webhook", "metrics"), _listen),
}
