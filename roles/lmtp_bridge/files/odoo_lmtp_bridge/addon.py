# SPDX-License-Identifier: GPL-3.0-or-later
"""The back end `addon`: the addon `mail_delivery` over HTTP."""

import json
import re
import socket
from collections.abc import Callable, Mapping, Sequence

from .backend import Answer, Body, Forbidden, HttpClient, Result, Unavailable
from .config import Database
from .directory import AliasList, MalformedList, parse_alias_list
from .lmtp import Reply
from .message import Message

_LIST_TIMEOUT = 60
# A million addresses are some 60 MB.
_MAX_LIST = 128 << 20
_MAX_ANSWER = 1 << 20

_CODES = frozenset({250, 451, 550, 552, 554})
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


class AddonBackend:
    """One database behind the addon's HTTP interface."""

    def __init__(
        self,
        database: Database,
        tokens: tuple[str, ...],
        concurrency: int,
        quarantined: Callable[[], int] | None = None,
    ) -> None:
        """`tokens` are one, or two while they are being exchanged. With `quarantined`, the number
        of messages in quarantine, this is a bridge whose last contact the addon shows.

        ConfigError if the database's `ca_file` cannot be used.
        """
        self._database = database.database
        self._http = HttpClient(database, concurrency)
        self._tokens = tokens
        self._quarantined = quarantined

    async def close(self) -> None:
        await self._http.close()

    async def alias_list(self, etag: str | None) -> AliasList | None:
        """See `Backend`."""
        headers = {"If-None-Match": etag} if etag else {}
        if self._quarantined:
            about = {"name": socket.gethostname(), "quarantine": self._quarantined()}
            headers["X-Mail-Bridge"] = json.dumps(about)
        answer = await self._request(
            "GET", "/mail_delivery/aliases", headers, limit=_MAX_LIST, timeout=_LIST_TIMEOUT
        )
        if answer.status == 304 and etag:
            return None
        if answer.status != 200 or answer.content_type != "application/json":
            raise refusal(answer)
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise MalformedList("not JSON") from None
        return parse_alias_list(document, self._database, answer.etag)

    async def post(self, message: Message, sender: str, recipients: Sequence[str]) -> list[Result]:
        """See `Backend`."""
        headers = {
            "Content-Type": "message/rfc822",
            "X-Mail-Recipients": json.dumps(list(recipients)),
            "X-Mail-Sender": json.dumps(sender),
        }
        body = Body(len(message), lambda: message.parts)
        answer = await self._request(
            "POST", "/mail_delivery/pipe", headers, body, limit=_MAX_ANSWER, timeout=None
        )
        return classify(answer, recipients)

    async def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Body | None = None,
        *,
        limit: int,
        timeout: float | None,
    ) -> Answer:
        """One request with the token that worked last, and another with the other one if that is
        refused: the addon refuses a token before it does anything."""
        tried = self._tokens
        for token in tried:
            answer = await self._http.request(
                method, path, {**headers, "X-Mail-Token": token}, body, limit=limit, timeout=timeout
            )
            if not _is_forbidden(answer):
                if token != tried[0]:
                    self._tokens = (token, *(other for other in tried if other != token))
                break
        return answer


def classify(answer: Answer, recipients: Sequence[str]) -> list[Result]:
    """What the answer to a post means: one Result per recipient, in order.

    Raises Unavailable for all that is not the addon's complete answer: a login page, a proxy's
    error, an answer cut short. None of these proves anything about the mail.
    """
    if answer.status != 200 or answer.content_type != "application/json":
        raise refusal(answer)
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Unavailable("HTTP 200, but not JSON") from None
    if not isinstance(document, dict) or document.get("version") != 1:
        raise Unavailable("HTTP 200, but not version 1 of the interface")
    results = document.get("results")
    if not isinstance(results, list) or len(results) != len(recipients):
        raise Unavailable("HTTP 200, but not one result per recipient")
    return [_result(*pair) for pair in zip(results, recipients, strict=True)]


def _result(result: object, recipient: str) -> Result:
    if not isinstance(result, dict) or result.get("recipient") != recipient:
        raise Unavailable("HTTP 200, but the results are not those of the recipients")
    code, enhanced, text = result.get("code"), result.get("enhanced"), result.get("text")
    if not isinstance(code, int) or code not in _CODES:
        raise Unavailable(f"HTTP 200, but with a code {code!r:.20}")
    if not isinstance(enhanced, str) or not _ENHANCED.fullmatch(enhanced):
        raise Unavailable("HTTP 200, but with an enhanced code that is none")
    if enhanced[0] != str(code)[0] or not isinstance(text, str):
        raise Unavailable("HTTP 200, but with a result that contradicts itself")
    attempts = result.get("quarantine_after")
    if attempts is not None and not (_is_count(attempts) and code == 451):
        raise Unavailable("HTTP 200, but with a quarantine_after that makes no sense")
    return Result(Reply(code, enhanced, text), attempts)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def refusal(answer: Answer) -> Unavailable:
    """The reason in an answer that is not the addon's."""
    status, kind = answer.status, answer.content_type or "no content type"
    if _is_forbidden(answer):
        return Forbidden("HTTP 403: the token is wrong, or mail_delivery.token is not set")
    if status == 404:
        return Unavailable("HTTP 404: no such database, or mail_delivery is not installed in it")
    if status == 413:
        return Unavailable("HTTP 413: too large for the proxy (client_max_body_size in nginx)")
    if 300 <= status < 400:
        return Unavailable(f"HTTP {status}: a redirect; is the URL right, with https?")
    return Unavailable(f"HTTP {status} with {kind}: not an answer of mail_delivery")


def _is_forbidden(answer: Answer) -> bool:
    """Whether the addon itself refused the token, and no proxy or firewall the request."""
    if answer.status != 403 or answer.content_type != "application/json":
        return False
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    return bool(document == {"version": 1, "error": "forbidden"})
