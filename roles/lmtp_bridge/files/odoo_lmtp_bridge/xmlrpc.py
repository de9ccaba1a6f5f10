# SPDX-License-Identifier: GPL-3.0-or-later
"""Odoo's external API over XML-RPC: calls, and what its faults mean (read in Odoo 14 to 19)."""

import asyncio
import re
import xmlrpc.client
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .backend import Answer, Body, Forbidden, HttpClient, Unavailable

_MAX_ANSWER = 128 << 20
# A call waits for Odoo's answer in the event loop, but a large answer is read beside it.
_LARGE = 1 << 16
# A multiple of three, so that the parts of the base64 text can be joined.
_BLOCK = 3 << 14

_APPLICATION, _USER_ERROR, _ACCESS_DENIED, _ACCESS_ERROR = 1, 2, 3, 4
_MODEL = re.compile(r"\(([a-z0-9_]+(?:\.[a-z0-9_]+)+)\)")
# A line of code, or what Python marks in it, and then the exception.
_EXCEPTION = re.compile(r"^  [^\n]*\n([A-Za-z_][\w.]*)(?::[ \n]|$)", re.MULTILINE)
_CHAINED = re.compile(r"^(?:During handling of|The above exception was)", re.MULTILINE)
_FRAME = re.compile(r'^  File "[^"\n]*", line \d+, in (\w+)$', re.MULTILINE)


@dataclass(frozen=True)
class Failure:
    """An exception that ended a call, of which nothing stays in the database.

    `text` may hold content of the mail; there is none of an exception that followed upon another,
    as nobody can tell where the text of the first ends. `frames` are the names of the functions
    in the traceback; there are none if Odoo did not give it.
    """

    exception: str
    text: str
    frames: frozenset[str]


class Caller:
    """Calls one database as one user. Every failure but a `Failure` is Unavailable."""

    def __init__(self, http: HttpClient, database: str, login: str, keys: Sequence[str]) -> None:
        """`keys` are one API key, or two while they are being exchanged."""
        self._http = http
        self._database = database
        self._login = login
        self._keys = tuple(keys)
        self._session: tuple[int, str] | None = None

    async def call(
        self, model: str, method: str, *arguments: object, timeout: float | None, **named: object
    ) -> object:
        """The result of a method, or a Failure. An argument that is bytes must be the last of
        `arguments`, and is sent as Binary."""
        for _attempt in range(2):
            session = self._session = self._session or await self._log_in(timeout)
            result = await self._execute(session, model, method, arguments, named, timeout)
            # Odoo looks at the key before it does anything: the call can be repeated.
            if not _is_denied(result):
                return result
            if self._session == session:
                self._session = None
        raise Forbidden("the API key is refused")

    async def _log_in(self, timeout: float | None) -> tuple[int, str]:
        for key in self._keys:
            body = _body("authenticate", (self._database, self._login, key, {}))
            uid = await self._request("/xmlrpc/2/common", body, timeout)
            if isinstance(uid, int) and uid is not True and uid > 0:
                return uid, key
            if uid is not False and not _is_denied(uid):
                if isinstance(uid, Failure):
                    raise Unavailable(f"{uid.exception} at the login: no such database?")
                raise Unavailable("HTTP 200, but not an answer to a login")
        raise Forbidden("login or API key is wrong")

    async def _execute(
        self,
        session: tuple[int, str],
        model: str,
        method: str,
        arguments: Sequence[object],
        named: dict[str, object],
        timeout: float | None,
    ) -> object:
        uid, key = session
        binary = b""
        if arguments and isinstance(arguments[-1], bytes):
            binary = arguments[-1]
            arguments = (*arguments[:-1], xmlrpc.client.Binary(b""))
        parameters = (self._database, uid, key, model, method, list(arguments), named)
        body = _body("execute_kw", parameters, binary)
        return await self._request("/xmlrpc/2/object", body, timeout)

    async def _request(self, path: str, body: Body, timeout: float | None) -> object:
        headers = {"Content-Type": "text/xml"}
        answer = await self._http.request(
            "POST", path, headers, body, limit=_MAX_ANSWER, timeout=timeout
        )
        if len(answer.body) < _LARGE:
            return parse(answer)
        return await asyncio.to_thread(parse, answer)


def _body(method: str, parameters: tuple[object, ...], binary: bytes = b"") -> Body:
    """A call; `binary` takes the place of an empty Binary, and is not copied as a whole."""
    text = xmlrpc.client.dumps(parameters, method)  # type: ignore[arg-type]
    before, mark, after = text.encode().rpartition(b"<base64>\n</base64>")
    if not mark:
        return Body(len(after), lambda: [after])
    before, after = before + b"<base64>", b"</base64>" + after

    def parts() -> Iterator[bytes]:
        yield before
        for start in range(0, len(binary), _BLOCK):
            yield b64encode(memoryview(binary)[start : start + _BLOCK])
        yield after

    return Body(len(before) + (len(binary) + 2) // 3 * 4 + len(after), parts)


def parse(answer: Answer) -> object:
    """The value in an answer, or the Failure. Raises Unavailable for all that is not a whole
    answer of Odoo's."""
    status, kind = answer.status, answer.content_type or "no content type"
    if status in (404, 413):
        hint = "no external API there" if status == 404 else "too large for the proxy"
        raise Unavailable(f"HTTP {status}: {hint}")
    if 300 <= status < 400:
        raise Unavailable(f"HTTP {status}: a redirect; is the URL right, with https?")
    if status != 200 or kind not in ("text/xml", "application/xml"):
        raise Unavailable(f"HTTP {status} with {kind}: not an answer of Odoo's external API")
    # XML-RPC has neither entities nor comments, and Odoo's is UTF-8: nothing else is parsed.
    if b"<!" in answer.body or b"\0" in answer.body or b"encoding" in answer.body[:100]:
        raise Unavailable("HTTP 200, but not XML-RPC")
    try:
        values, method = xmlrpc.client.loads(answer.body, use_builtin_types=True)
    except xmlrpc.client.Fault as fault:
        return _failure(fault)
    except Exception:  # the parser has no end of exceptions for what is not XML-RPC
        raise Unavailable("HTTP 200, but not XML-RPC") from None
    if method is not None or len(values) != 1:
        raise Unavailable("HTTP 200, but not an XML-RPC answer")
    value: object = values[0]
    return value


def _failure(fault: xmlrpc.client.Fault) -> Failure:
    code, text = fault.faultCode, fault.faultString
    if not isinstance(text, str):
        raise Unavailable("HTTP 200, but not a fault of Odoo's")
    if code == _ACCESS_DENIED:
        return Failure("AccessDenied", "", frozenset())
    if code == _ACCESS_ERROR:
        return Failure("AccessError", text, frozenset())
    if code == _USER_ERROR:
        return Failure("UserError", text, frozenset())
    found = list(_EXCEPTION.finditer(text))
    if code != _APPLICATION or not found:
        raise Unavailable("a fault that says nothing")
    frames = frozenset(_FRAME.findall(text))
    if _CHAINED.search(text):
        return Failure(found[-1][1], "", frames)
    return Failure(found[0][1], text[found[0].end() :], frames)


def _is_denied(result: object) -> bool:
    return isinstance(result, Failure) and result.exception == "AccessDenied"


def lacking_right(failure: Failure) -> str:
    """What the user may not do, without the text of a record."""
    model = _MODEL.search(failure.text)
    return f"its user lacks rights{f' on {model[1]}' if model else ''}"
