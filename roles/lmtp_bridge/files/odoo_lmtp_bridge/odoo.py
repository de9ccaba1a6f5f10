# SPDX-License-Identifier: GPL-3.0-or-later
"""The addon `mail_delivery` over HTTP: the list of addresses, and one post per message."""

import io
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from . import __version__
from .config import Config, ConfigError, Database
from .directory import AliasList, MalformedList, parse_alias_list

_CONNECT_TIMEOUT = 10
_LIST_TIMEOUT = 60
# A million addresses are some 60 MB.
_MAX_LIST = 128 << 20
_MAX_ANSWER = 1 << 20


class Unavailable(Exception):
    """No usable answer; the message says why, in words an administrator can act on.

    `detail` may name hosts: it is for the log, not for an answer that a sender could see.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


class Forbidden(Unavailable):
    """The addon refused the token."""


@dataclass(frozen=True)
class Answer:
    """What came back for a post, unjudged. `content_type` is lower-case, without parameters."""

    status: int
    content_type: str
    body: bytes


class AddonBackend:
    """One database behind the addon's HTTP interface. Owns its connections: close it."""

    def __init__(self, database: Database, tokens: tuple[str, ...], concurrency: int) -> None:
        """ConfigError if the database's `ca_file` cannot be used."""
        self.database = database
        self._headers = {
            "X-Mail-Token": tokens[0],
            "X-Odoo-Database": database.database,
            "User-Agent": f"odoo-lmtp-bridge/{__version__}",
            "Accept-Encoding": "identity",
        }
        try:
            tls = ssl.create_default_context(cafile=database.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_file of {database.name}: {database.ca_file}: {error}") from None
        # Kept shorter than proxies keep theirs, so that no post meets a connection just closed.
        connector = aiohttp.TCPConnector(ssl=tls, limit=concurrency + 1, keepalive_timeout=5)
        self._session = aiohttp.ClientSession(connector=connector, trust_env=False)

    async def close(self) -> None:
        await self._session.close()

    async def alias_list(self, etag: str | None) -> AliasList | None:
        """The database's addresses; None if they are still those of `etag`.

        Raises Unavailable (Forbidden for the token) and MalformedList.
        """
        headers = {"If-None-Match": etag} if etag else {}
        answer, new_etag = await self._request(
            "GET", "/mail_delivery/aliases", headers, None, _MAX_LIST, _LIST_TIMEOUT
        )
        if answer.status == 304 and etag:
            return None
        if answer.status != 200 or answer.content_type != "application/json":
            raise refusal(answer)
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise MalformedList("not JSON") from None
        return parse_alias_list(document, self.database.database, new_etag)

    async def post(self, message: bytes, sender: str, recipients: Sequence[str]) -> Answer:
        """Hands a message over. The caller limits the time; raises Unavailable."""
        headers = {
            "Content-Type": "message/rfc822",
            "X-Mail-Recipients": json.dumps(list(recipients)),
            "X-Mail-Sender": json.dumps(sender),
        }
        answer, _etag = await self._request(
            "POST", "/mail_delivery/pipe", headers, message, _MAX_ANSWER, None
        )
        return answer

    async def _request(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None,
        limit: int,
        timeout: float | None,
    ) -> tuple[Answer, str]:
        try:
            async with self._session.request(
                method,
                self.database.url + path,
                headers={**self._headers, **headers},
                data=None if body is None else io.BytesIO(body),
                # The token goes to the configured host and to none that it points at.
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=_CONNECT_TIMEOUT),
            ) as response:
                content = bytearray()
                async for chunk in response.content.iter_chunked(1 << 16):
                    content += chunk
                    if len(content) > limit:
                        raise Unavailable(f"an answer of more than {limit} bytes")
                kind = response.headers.get("Content-Type", "").partition(";")[0]
                answer = Answer(response.status, kind.strip().lower(), bytes(content))
                return answer, response.headers.get("ETag", "")
        except TimeoutError:
            raise Unavailable("no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            detail = f"{type(error).__name__}: {error}"
            raise Unavailable("no connection, or it broke", detail) from None


def refusal(answer: Answer) -> Unavailable:
    """The reason in an answer that is not the addon's."""
    status, kind = answer.status, answer.content_type or "no content type"
    if status == 403 and answer.content_type == "application/json":
        return Forbidden("HTTP 403: the token is wrong, or mail_delivery.token is not set")
    if status == 404:
        return Unavailable("HTTP 404: no such database, or mail_delivery is not installed in it")
    if status == 413:
        return Unavailable("HTTP 413: too large for the proxy (client_max_body_size in nginx)")
    if 300 <= status < 400:
        return Unavailable(f"HTTP {status}: a redirect; is the URL right, with https?")
    return Unavailable(f"HTTP {status} with {kind}: not an answer of mail_delivery")


def open_backends(config: Config, tokens: Mapping[str, tuple[str, ...]]) -> dict[str, AddonBackend]:
    """The back end of each configured database by its name, in order."""
    return {
        database.name: AddonBackend(database, tokens[database.name], config.concurrency)
        for database in config.databases
    }


async def current_list(database: Database, tokens: tuple[str, ...]) -> AliasList:
    """One database's list as Odoo gives it now, for the command line.

    Raises what `AddonBackend.alias_list` raises, with the database named.
    """
    backend = AddonBackend(database, tokens, concurrency=1)
    try:
        alias_list = await backend.alias_list(None)
    except Forbidden as error:
        raise Forbidden(f"{database.name}: {error}", error.detail) from None
    except Unavailable as error:
        raise Unavailable(f"{database.name}: {error}", error.detail) from None
    except MalformedList as error:
        raise MalformedList(f"{database.name}: malformed list: {error}") from None
    finally:
        await backend.close()
    assert alias_list is not None, "a 304 answers only an ETag"
    return alias_list
