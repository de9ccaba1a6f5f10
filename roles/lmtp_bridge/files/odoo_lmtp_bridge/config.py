# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file (YAML, no secret in it) and the tokens beside it."""

import dataclasses
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

DEFAULT_PATH = Path("/etc/odoo-lmtp-bridge/config.yml")
MIB = 1 << 20

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
# What the name of an Odoo database may hold, and an HTTP header with it.
_DATABASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


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


@dataclass(frozen=True)
class Config:
    """Sizes in bytes, times in seconds.

    `concurrency` is the number of posts in flight at once; about twice the number of Odoo's
    workers is the most that helps. `byte_budget` bounds the mail held in memory; `load` makes it
    larger where two of the largest messages would not fit. `connection_limit` bounds the open
    LMTP connections, `quarantine_limit` the bytes in quarantine. A list of addresses that is
    shorter by more than `shrink_limit` percent waits for a confirmation.

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
    def maps_directory(self) -> Path:
        return self.aliases.parent

    @property
    def quarantine_directory(self) -> Path:
        return self.state_directory / "quarantine"

    @property
    def lists_directory(self) -> Path:
        return self.state_directory / "lists"


def load(path: Path) -> Config:
    """The configuration in the file at `path`; ConfigError when it cannot be used."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    try:
        return parse(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def parse(document: object) -> Config:
    """A Config from the parsed file; ConfigError names the key that does not fit."""
    values = _mapping(document, "the file", Config)
    entries = values.pop("databases", None)
    if not isinstance(entries, list) or not entries:
        raise ConfigError("databases: a list with at least one database is needed")
    databases = tuple(_database(entry, f"databases[{i}]") for i, entry in enumerate(entries))
    _unique([entry.name for entry in databases], "name")
    _unique([f"{entry.database} at {entry.url}" for entry in databases], "database")
    for key in ("poll_interval", "concurrency", "message_size_limit", "byte_budget"):
        if key in values:
            values[key] = _positive(values[key], key)
    for key in ("state_directory", "socket", "aliases", "transport"):
        if key in values:
            values[key] = _absolute(values[key], key)
    maps = values.get("state_directory", Config.state_directory) / "maps"  # type: ignore[operator]
    values = {"aliases": maps / "aliases", "transport": maps / "transport", **values}
    config = Config(databases=databases, **values)  # type: ignore[arg-type]
    if "byte_budget" not in values:
        budget = max(config.byte_budget, 2 * config.message_size_limit)
        return dataclasses.replace(config, byte_budget=budget)
    if config.byte_budget < config.message_size_limit:
        raise ConfigError("byte_budget: must not be less than message_size_limit")
    return config


def read_tokens(name: str, config_path: Path) -> tuple[str, ...]:
    """The tokens of the database `name`: the current one and, during a rotation, a pending one.

    They are the one or two lines of a file. systemd hands it over as a credential; root's
    command line reads the file that systemd takes it from, `tokens/<name>` beside the
    configuration.
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(directory, f"token-{name}") if directory else config_path.parent / "tokens" / name
    try:
        lines = path.read_text(encoding="ascii").rstrip().split("\n")
    except OSError as error:
        raise ConfigError(f"token of {name}: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"token of {name}: {path}: not ASCII") from None
    tokens = tuple(line.strip() for line in lines)
    if len(tokens) > 2:
        raise ConfigError(
            f"token of {name}: {path}: more than two lines; the first is the current token, "
            "the second one that is pending"
        )
    if not all(token and token.isprintable() for token in tokens):
        raise ConfigError(f"token of {name}: {path}: empty, or with control characters")
    return tokens


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
    database = _text(values, "database", place)
    if not _DATABASE.fullmatch(database):
        raise ConfigError(f"{place}.database: {database!r} is not the name of a database")
    ca_file = values.get("ca_file")
    return Database(
        name=name,
        url=_url(_text(values, "url", place), f"{place}.url"),
        database=database,
        ca_file=None if ca_file is None else _absolute(ca_file, f"{place}.ca_file"),
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
