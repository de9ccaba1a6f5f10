# SPDX-License-Identifier: GPL-3.0-or-later
"""What the back ends have in common: their interface, how they fail, and their HTTP client."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from yarl import URL

from . import __version__
from .config import ConfigError, Database
from .directory import AliasList
from .lmtp import Reply
from .message import Message

_CONNECT_TIMEOUT = 10
_CHUNK = 1 << 16
# Joined and written at once up to this size; what is larger is never copied as a whole.
_SMALL = 1 << 18


class Unavailable(Exception):
    """No usable answer; the message says why, in words an administrator can act on.

    `detail` may name hosts: it is for the log, not for an answer that a sender could see.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


class Forbidden(Unavailable):
    """Odoo refused the token, or the API key."""


class NotConnected(Unavailable):
    """Nothing was sent."""


@dataclass(frozen=True)
class Body:
    """What is sent: `length` bytes, in parts that are made each time they are sent."""

    length: int
    parts: Callable[[], Iterable[bytes | memoryview]]


@dataclass(frozen=True)
class Result:
    """What became of a message for one recipient.

    `quarantine_after` is set for an application error: at which attempt the message is put into
    quarantine. `filed_as` is the Message-Id that it must have there, if its own will not do.
    """

    reply: Reply
    quarantine_after: int | None = None
    filed_as: str = ""


class Backend(Protocol):
    """The way to one database. Owns its connections: close it."""

    async def alias_list(self, etag: str | None) -> AliasList | None:
        """The database's addresses; None if they are still those of `etag`.

        Raises Unavailable (Forbidden for the token) and MalformedList.
        """

    async def post(self, message: Message, sender: str, recipients: Sequence[str]) -> list[Result]:
        """Hands a message over: one Result per recipient, in order; they are distinct.

        The caller limits the time. Raises Unavailable for all that proves nothing about the mail.
        """

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Answer:
    """What came back, unjudged. `content_type` is lower-case, without parameters."""

    status: int
    content_type: str
    body: bytes
    etag: str = ""


class HttpClient:
    """Requests to one database's host. Every failure is Unavailable."""

    def __init__(self, database: Database, concurrency: int) -> None:
        """ConfigError if the database's `ca_file` cannot be used."""
        try:
            tls = ssl.create_default_context(cafile=database.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_file of {database.name}: {database.ca_file}: {error}") from None
        # Kept shorter than proxies keep theirs, so that no post meets a connection just closed.
        connector = aiohttp.TCPConnector(ssl=tls, limit=concurrency + 1, keepalive_timeout=5)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )
        self._url = database.url
        # A URL costs as much to take apart as a small message to send.
        self._urls: dict[str, URL] = {}
        self._headers = {
            "User-Agent": f"odoo-lmtp-bridge/{__version__}",
            "Accept-Encoding": "identity",
        }
        if database.database is not None:
            self._headers["X-Odoo-Database"] = database.database

    async def close(self) -> None:
        await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Body | None = None,
        *,
        limit: int,
        timeout: float | None,
    ) -> Answer:
        """One request. An answer may have `limit` bytes and take `timeout` seconds."""
        headers = {**self._headers, **headers}
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = URL(self._url + path)
        data: bytes | AsyncIterator[bytes | memoryview] | None = None
        if body is not None:
            headers["Content-Length"] = str(body.length)
            small = body.length <= _SMALL
            data = b"".join(body.parts()) if small else _chunks(body.parts())
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=data,
                # A token goes to the configured host and to none that it points at.
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_TIMEOUT),
            ) as response:
                content = bytearray()
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > limit:
                        raise Unavailable(f"an answer of more than {limit} bytes")
                kind = response.headers.get("Content-Type", "").partition(";")[0]
                etag = response.headers.get("ETag", "")
                return Answer(response.status, kind.strip().lower(), bytes(content), etag)
        except TimeoutError:
            raise Unavailable("no answer in time") from None
        except aiohttp.ClientConnectorError as error:
            raise NotConnected("no connection", f"{type(error).__name__}: {error}") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            detail = f"{type(error).__name__}: {error}"
            raise Unavailable("the connection broke", detail) from None


async def _chunks(parts: Iterable[bytes | memoryview]) -> AsyncIterator[bytes | memoryview]:
    for part in parts:
        view = memoryview(part)
        for start in range(0, len(view), _CHUNK):
            yield view[start : start + _CHUNK]
