# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP with typed errors: one keep-alive session, TLS verified, redirects refused."""

from __future__ import annotations

import ssl
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    CertificateError,
    ProtocolError,
    TemporaryError,
    UnreachableError,
    ValidationError,
)

try:
    import requests
    import urllib3

    IMPORT_ERROR: str | None = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

SHOWN_CHARACTERS = 160


@dataclass(frozen=True)
class Answer:
    """What a server said, whatever its status. `headers` are looked up whatever their case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    parsed: Any = None  # the body as JSON
    is_json: bool = False

    def json(self) -> Any:
        """Return the body; ProtocolError if it is not JSON."""
        if not self.is_json:
            raise ProtocolError(
                f"{self.url} answered HTTP {self.status} and not JSON: {self.excerpt!r}",
                "Check that the URL is that of the server itself, without a path, and what a proxy before it does.",
                self.status,
            )
        return self.parsed

    @property
    def excerpt(self) -> str:
        """Return the beginning of the body, in one line."""
        return " ".join(self.body[: 8 * SHOWN_CHARACTERS].decode(errors="replace").split())[:SHOWN_CHARACTERS]


class Http:
    """A session with one server.

    `base_url` is `https://host[:port]`; `ca_file` a PEM file to trust instead of the system's; `timeout` is in
    seconds, for connecting and for each wait on the answer; `login` is a user and password for HTTP Basic. `options` is
    what the names of the module's options for these begin with, for messages.
    """

    def __init__(
        self,
        base_url: str,
        ca_file: str | None = None,
        timeout: float = 60.0,
        *,
        login: tuple[str, str] | None = None,
        options: str = "odoo_",
    ) -> None:
        if not _usable(base_url):
            # What stands before an @ is perhaps a password.
            shown = f"(hidden)@{base_url.rpartition('@')[2]}" if "@" in base_url else base_url
            raise ValidationError(
                f"{shown!r} is no usable URL", "It must look like https://host.example.com, without a login."
            )
        if timeout <= 0:
            raise ValidationError(f"the time-out is {timeout:g} s", f"It must be more than 0 ({options}timeout).")
        self._ca_option = f"{options}ca_file"
        if ca_file:
            _check_ca_file(ca_file, self._ca_option)
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self.session = requests.Session()
        # Without one requests puts a login from ~/.netrc in the place of our Authorization header.
        self.session.auth = login or _as_it_is
        # Given with each request: an environment variable for a CA bundle overrides the session's attribute.
        self.verify = ca_file or True

    def post_json(self, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """POST `body` as JSON; return the status code and the decoded answer.

        Raises what `request` raises, and ProtocolError when the answer is not JSON.
        """
        answer = self.request("POST", path, json=body, headers=headers)
        return answer.status, answer.json()

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> Answer:
        """Send a request, its body being requests' `json`, `data` (a form) or `params` (the query); return the answer.

        Raises CertificateError or UnreachableError when nothing was sent, TemporaryError when the connection broke or
        timed out after that.
        """
        url = self.base_url + path
        try:
            answer = self.session.request(
                method,
                url,
                headers=headers,
                timeout=self.timeout,
                verify=self.verify,
                allow_redirects=False,
                **body,
            )
        except requests.exceptions.SSLError as error:
            if not isinstance(_innermost(error), ssl.SSLCertVerificationError):
                # The connection may have broken after the request was sent.
                raise TemporaryError(f"{url}: TLS failed: {_cause(error)}") from None
            raise CertificateError(
                f"{self.base_url}: its TLS certificate was not accepted: {_cause(error)}",
                f"If it is signed by your own CA, name its file in {self._ca_option}; check the host name in the URL.",
            ) from None
        except requests.exceptions.ConnectTimeout:
            raise UnreachableError(
                f"{self.base_url} did not accept a connection within {self.timeout:g} s", _REACH
            ) from None
        except requests.exceptions.ReadTimeout:
            raise TemporaryError(f"{url} did not answer within {self.timeout:g} s", "Look at its log.") from None
        except requests.exceptions.ConnectionError as error:
            cause = _cause(error)
            reason = getattr(error.args[0], "reason", None) if error.args else None
            if isinstance(reason, urllib3.exceptions.NewConnectionError):
                raise UnreachableError(f"{self.base_url} cannot be reached: {cause}", _REACH) from None
            raise TemporaryError(f"{url}: the connection broke: {cause}") from None
        except requests.exceptions.RequestException as error:
            # An answer that was cut short, for one: the call may well have been carried out.
            raise TemporaryError(f"{url}: no whole answer: {_cause(error)}") from None
        except OSError as error:
            # requests raises a bare OSError for a CA file that does not exist, which an environment variable may name.
            raise CertificateError(f"{self.base_url}: {error}", "Check REQUESTS_CA_BUNDLE.") from None
        try:
            return Answer(url, answer.status_code, answer.headers, answer.content, answer.json(), is_json=True)
        except (ValueError, RecursionError):  # the second for one that is nested without end
            return Answer(url, answer.status_code, answer.headers, answer.content)

    def visit(self, path: str) -> bool:
        """GET a page for the cookies it sets; return whether the server had it."""
        try:
            answer = self.session.get(
                self.base_url + path, timeout=self.timeout, verify=self.verify, allow_redirects=False
            )
        except (requests.exceptions.RequestException, OSError):
            return False
        return answer.status_code < 400


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        labels = (parts.hostname or "").removesuffix(".").split(".")
        named = all(0 < len(label) < 64 for label in labels)
        # Reading the port checks it.
        return parts.scheme in ("http", "https") and named and "@" not in url and parts.port != 0
    except ValueError:
        return False


def _check_ca_file(path: str, option: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:
        raise CertificateError(f"{path} holds no CA certificates: {error}", f"Check {option}.") from None


_REACH = "Check host name, port and firewall, and that the service runs."


def _innermost(error: BaseException) -> BaseException:
    """Return the exception that requests and urllib3 wrapped."""
    current = error
    while True:
        inner = getattr(current, "reason", None) or (current.args[0] if current.args else None)
        if not isinstance(inner, BaseException):
            return current
        current = inner


def _cause(error: BaseException) -> str:
    """Return the text of the innermost exception."""
    text = str(_innermost(error))
    # urllib3 puts the connection's name or address in memory first.
    return (
        text.split(": ", 1)[1]
        if text.startswith(("<", "HTTPConnection(", "HTTPSConnection(")) and ": " in text
        else text
    )
