# SPDX-License-Identifier: GPL-3.0-or-later
"""The back end `rpc`: Odoo's external API as a user with an API key, without the addon.

What the user needs, found by running Odoo 14 and 19: the group Administration / Settings
(`base.group_system`) and, in each app that has aliases, the group that reads all documents; where
Email Marketing is installed on 19, also its group User, for replies.

- Settings: before 17 the alias domain is in system parameters, which only it reads; from 17 on
  the first mail to an alias writes the alias' status, which only it may.
- Reading all documents: Odoo looks for a message's Message-Id among what this user may read. A
  user with less files a message twice that comes twice, and does not recognise Odoo's own.

Without the addon's ledger a message is delivered at least once. What this process delivered it
remembers, so that the transactions of one message end as one would wish; what happens to a message
between two processes, or with a restart in between, is Odoo's to decide: it drops what it has
already, and with it the mail to a recipient whom it was not told of before.
"""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .backend import Forbidden, HttpClient, NotConnected, Result, Unavailable
from .config import ConfigError, Database
from .directory import FORMER, AliasList, parse_alias_list
from .lmtp import Reply
from .message import (
    Message,
    named_recipients,
    read_header,
    trace,
    with_message_id,
    without_recipients,
)
from .xmlrpc import Caller, Failure, lacking_right

_LIST_TIMEOUT = 60
_REMEMBERED = 10_000

# Odoo's own rule for a local part, and a host name.
_ADDRESS = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9.-]+")
_DOMAIN_FIELDS = ("name", "catchall_alias", "bounce_alias", "default_from")
# Before Odoo 17 there is one alias domain, in parameters.
_PARAMETERS = {
    "mail.catchall.domain": "name",
    "mail.catchall.alias": "catchall_alias",
    "mail.bounce.alias": "bounce_alias",
    "mail.default.from": "default_from",
}
_FORMER_ADDRESSES = "mail_delivery.former_addresses"

# The end of a derived Message-Id.
_COPY = re.compile(r"\.[0-9a-f]{16}\.copy>\Z")

# Odoo has no types for a refusal, only these texts of a ValueError (14-19).
_REFUSALS = (
    (re.compile("No possible route found"), Reply(550, "5.1.1", "no such recipient")),
    (re.compile("Mailbox unavailable"), Reply(550, "5.2.1", "mailbox unavailable")),
    (
        re.compile("Undeliverable mail .* does not accept incoming emails", re.DOTALL),
        Reply(550, "5.2.1", "mailbox does not accept mail"),
    ),
)
# Of the database, the host or the moment, not of the message.
_TEMPORARY = re.compile(
    r"psycopg2\.(?:OperationalError|InterfaceError|errors\.(?:SerializationFailure|TransactionRollback"
    r"|DeadlockDetected|LockNotAvailable|QueryCanceled|AdminShutdown|CrashShutdown|CannotConnectNow"
    r"|TooManyConnections|DiskFull|OutOfMemory|ReadOnlySqlTransaction|UndefinedTable"
    r"|UndefinedColumn))"
    r"|(?:\w+\.)*(?:ConcurrencyError|PoolError|MemoryError|OSError|PermissionError"
    r"|FileNotFoundError|BrokenPipeError|TimeoutError|Connection\w*Error)"
)

_DELIVERED = Reply(250, "2.0.0", "delivered")
_NOTHING_TO_FILE = Reply(250, "2.0.0", "accepted, nothing to file")
_BEFORE = Reply(250, "2.0.0", "delivered before")


@dataclass
class _Filed:
    """What this process did with a message.

    Odoo drops a Message-Id that it knows, so only the recipients `first` are served under the
    message's own; others get one derived from it, once something was `filed`. Before that a
    message that Odoo knows is its own.
    """

    recipients: set[str] = field(default_factory=set)
    first: tuple[str, ...] | None = None
    filed: bool = False


@dataclass(frozen=True)
class _Mail:
    """A message without trace fields, its Message-Id, and the envelope sender."""

    message_id: str
    content: bytes
    sender: str


class RpcBackend:
    """One database behind Odoo's external API."""

    def __init__(self, database: Database, keys: Sequence[str], concurrency: int) -> None:
        """`keys` are one API key, or two while they are being exchanged. ConfigError if the
        configuration of the database will not do."""
        if database.database is None or database.login is None:
            raise ConfigError(f"{database.name}: backend rpc needs database and login")
        self._database = database.database
        self._http = HttpClient(database, concurrency)
        self._odoo = Caller(self._http, database.database, database.login, keys)
        self._filed: OrderedDict[str, _Filed] = OrderedDict()
        # Of the last list; empty before the first.
        self._known: frozenset[str] = frozenset()
        self._quarantine_after: int | None = None

    async def close(self) -> None:
        await self._http.close()

    async def alias_list(self, etag: str | None) -> AliasList | None:
        """See `Backend`."""
        kinds, former = await self._refresh()
        entries: list[dict[str, str]] = [
            {"address": address, "kind": kind} for address, kind in sorted(kinds.items())
        ]
        entries += [
            {"address": old, "kind": FORMER, "rewrite": new} for old, new in sorted(former.items())
        ]
        digest = hashlib.sha256(json.dumps(entries).encode()).hexdigest()
        if digest == etag:
            return None
        document = {"version": 1, "database": self._database, "addresses": entries}
        return parse_alias_list(document, self._database, digest)

    async def _refresh(self) -> tuple[dict[str, str], dict[str, str]]:
        """All of `_addresses`, and keeps what delivery has to know of them."""
        kinds, former = await self._addresses()
        self._known = frozenset(kinds)
        return kinds, former

    async def _addresses(
        self, only: Iterable[str] | None = None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """(address → kind, former address → present one), as the addon lists them. With `only`,
        aliases of other local parts are left out."""
        has = await self._fields_of_alias()
        keys = [*_PARAMETERS, _FORMER_ADDRESSES]
        rows = await self._rows("ir.config_parameter", [("key", "in", keys)], ["key", "value"])
        parameters = {_text(row, "key"): _text(row, "value") for row in rows}
        domains: list[dict[str, str]]
        if "alias_full_name" in has:
            rows = await self._rows("mail.alias.domain", [], _DOMAIN_FIELDS)
            domains = [{name: _text(row, name) for name in _DOMAIN_FIELDS} for row in rows]
        else:
            domain = {name: parameters.get(key, "") for key, name in _PARAMETERS.items()}
            domains = [domain] if domain["name"] else []
        wanted: list[tuple[str, str, object]] = [("alias_name", "!=", False)]
        if only is not None:
            wanted.append(("alias_name", "in", sorted({a.partition("@")[0] for a in only})))
        aliases = await self._rows("mail.alias", wanted, ["alias_name", *has])
        kinds = _kinds(domains, aliases)
        return kinds, _former(parameters.get(_FORMER_ADDRESSES, ""), kinds)

    async def _fields_of_alias(self) -> list[str]:
        """Of the fields that matter, those that this version has."""
        wanted = ["alias_full_name", "alias_incoming_local"]
        result = await self._result("mail.alias", "fields_get", wanted, attributes=["type"])
        if not isinstance(result, dict):
            raise Unavailable("HTTP 200, but no list of fields")
        # From 17 on Odoo mails the sender at each failure.
        self._quarantine_after = 1 if "alias_full_name" in result else 3
        return [name for name in wanted if name in result]

    async def _rows(
        self, model: str, domain: Sequence[object], fields: Sequence[str]
    ) -> list[Mapping[str, object]]:
        rows = await self._result(
            model, "search_read", list(domain), fields=list(fields), order="id"
        )
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Unavailable(f"HTTP 200, but no records of {model}")
        return rows

    async def _result(self, model: str, method: str, *arguments: object, **named: object) -> object:
        result = await self._odoo.call(model, method, *arguments, timeout=_LIST_TIMEOUT, **named)
        if isinstance(result, Failure):
            if result.exception == "AccessError":
                raise Unavailable(lacking_right(result))
            raise Unavailable(f"{result.exception} in {model}.{method}")
        return result

    async def post(self, message: Message, sender: str, recipients: Sequence[str]) -> list[Result]:
        """See `Backend`."""
        if self._quarantine_after is None:
            await self._refresh()
        key, content = _identified(message)
        filed = self._filed.setdefault(key, _Filed())
        self._filed.move_to_end(key)
        if len(self._filed) > _REMEMBERED:
            self._filed.popitem(last=False)
        done = filed.recipients.intersection(recipients)
        results = dict.fromkeys(done, Result(_BEFORE))
        groups = await self._groups([address for address in recipients if address not in done])
        # What is not for all must not reach the others by the header.
        alone = len(groups) > 1 or bool(filed.recipients) or _COPY.search(key) is not None
        tried = False
        while groups:
            group = groups.pop(0)
            mail = _Mail(key, content, sender)
            result = await self._process(mail, filed, group, alone=alone, tried=tried)
            if result is None:
                # One bad alias neither refuses nor delays the mail of others.
                alone = tried = True
                groups = [[address] for address in group] + groups
            else:
                results.update(dict.fromkeys(group, result))
        failed = [address for address in recipients if results[address].quarantine_after]
        for address in failed:
            # By then the message's own may be taken, by a delivery to another recipient.
            results[address] = replace(results[address], filed_as=_derived(key, failed))
        return [results[address] for address in recipients]

    async def _groups(self, addresses: list[str]) -> list[list[str]]:
        """Lists of the addresses that go in one call.

        Those that Odoo knows go together, as it expects of one message. Mail to a bounce address
        is a bounce whoever else it is for, and an unknown address would be passed over silently
        beside a known one.
        """
        if len(addresses) < 2:
            return [addresses] if addresses else []
        kinds, _former = await self._addresses(addresses)
        groups: dict[str, list[str]] = {}
        for address in addresses:
            kind = kinds.get(address)
            name = address if kind is None else "bounce" if kind == "bounce" else "known"
            groups.setdefault(name, []).append(address)
        return list(groups.values())

    async def _process(
        self, mail: _Mail, filed: _Filed, group: Sequence[str], *, alone: bool, tried: bool
    ) -> Result | None:
        """One call for the recipients `group`; with `alone` no other that the header names gets
        the message by it. `tried` says that the message's own Message-Id is new to Odoo, but
        was not for this group. None if they have to be tried again, one by one and alone.

        Raises Unavailable, also for what may or may not have been done.
        """
        members = tuple(sorted(group))
        is_first = not tried and filed.first in (None, members)
        content = mail.content
        if tried or (not is_first and filed.filed):
            content = with_message_id(content, _derived(mail.message_id, members))
            alone = True
        others = {address.partition("@")[0] for address in self._known.difference(group)}
        isolated = without_recipients(content, others)
        before = filed.first, filed.filed
        if is_first:
            filed.first = members
        # Until there is an answer nobody knows.
        filed.filed = True
        try:
            outcome = await self._odoo.call(
                "mail.thread",
                "message_process",
                False,
                trace(mail.sender, group) + (isolated if alone else content),
                timeout=None,
            )
        except (NotConnected, Forbidden):
            filed.first, filed.filed = before
            raise
        if isinstance(outcome, Failure) and not _is_none(outcome):
            filed.first, filed.filed = before
            result = _judge(outcome, self._quarantine_after or 1)
            is_proved = len(group) == 1 and (alone or isolated is content)
            return result if is_proved else None
        thread = 0 if isinstance(outcome, Failure) else outcome
        if not isinstance(thread, int):
            raise Unavailable("HTTP 200, but no answer to message_process")
        filed.filed = before[1] or bool(thread)
        filed.recipients.update(group)
        if not alone:
            filed.recipients.update(named_recipients(content) & self._known)
        return Result(_DELIVERED if thread else _NOTHING_TO_FILE)


def _kinds(
    domains: Sequence[Mapping[str, str]], aliases: Sequence[Mapping[str, object]]
) -> dict[str, str]:
    """Address → kind. One address may have several kinds: the last, by which Odoo treats it,
    stands."""
    found: list[tuple[str, str]] = []
    for domain in domains:
        sender = domain["default_from"]
        found.append((sender if "@" in sender else f"{sender}@{domain['name']}", "default_from"))
    for alias in aliases:
        name, full_name = _text(alias, "alias_name"), _text(alias, "alias_full_name")
        # Before 17 has the field, every alias matches by its local part.
        if alias.get("alias_incoming_local", True):
            found += [(f"{name}@{domain['name']}", "alias") for domain in domains]
        else:
            found.append((full_name, "alias"))
    for kind in ("catchall", "bounce"):
        found += [(f"{domain[f'{kind}_alias']}@{domain['name']}", kind) for domain in domains]
    kinds = {}
    for address, kind in found:
        address = address.strip().lower()
        # What is not set is an empty local part, and no address.
        if _ADDRESS.fullmatch(address):
            kinds[address] = kind
    return kinds


def _former(parameter: str, kinds: Mapping[str, str]) -> dict[str, str]:
    """Former address → present one, of those that are in use no more."""
    try:
        former = dict(json.loads(parameter or "{}"))
    except (ValueError, TypeError, RecursionError):
        return {}
    return {
        old: new
        for old, new in former.items()
        if isinstance(old, str)
        and isinstance(new, str)
        and new in kinds
        and old not in kinds
        and _ADDRESS.fullmatch(old)
    }


def _text(row: Mapping[str, object], name: str) -> str:
    """A char field's value; Odoo has False for an empty one."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _identified(message: Message) -> tuple[str, bytes]:
    """(the Message-Id, the message with it). Without one that is its own Odoo would not know a
    repeated message, or take it for another."""
    content = b"".join((message.header, message.body))
    header = read_header(content)
    if header.key == header.message_id:
        return header.key, content
    message_id = f"<{header.key}@localhost>"
    return message_id, with_message_id(content, message_id)


def _derived(message_id: str, recipients: Collection[str]) -> str:
    """The Message-Id under which the message is filed for these recipients, another time."""
    digest = hashlib.sha256(" ".join(sorted(recipients)).encode()).hexdigest()
    return f"{_COPY.sub('>', message_id).removesuffix('>')}.{digest[:16]}.copy>"


def _judge(failure: Failure, quarantine_after: int) -> Result:
    """The result for one recipient, for whom alone the message was processed. Raises Unavailable
    for what proves nothing about the mail."""
    name = failure.exception
    if name == "AccessError":
        raise Unavailable(lacking_right(failure))
    if _TEMPORARY.fullmatch(name):
        raise Unavailable(f"{name}, try again")
    if name != "UserError" and "message_process" not in failure.frames:
        raise Unavailable(f"{name} before the mail was looked at")
    if name == "ValueError":
        for pattern, reply in _REFUSALS:
            if pattern.match(failure.text):
                return Result(reply)
    return Result(Reply(451, "4.3.0", f"application error {name}"), quarantine_after)


def _is_none(failure: Failure) -> bool:
    """Whether the call was carried out, and only its result None could not be written: so it is
    when Odoo has ended a loop (17-19)."""
    return (
        failure.exception == "TypeError"
        and failure.text.startswith("cannot marshal None")
        and not failure.frames & {"dispatch_rpc", "message_process"}
    )
