# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calling Mailgun's API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ansible_collections.mailops.odoo.plugins.module_utils._core.calls import Calls, Clock
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    MailopsError,
    ProtocolError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import answers
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.region import REGIONS

PAGE = 1000
# A page that is exactly as long as the API's default may have been cut there, whatever was asked for.
DEFAULT_PAGE = 100


@dataclass(frozen=True)
class Elsewhere:
    """The other region, asked only to say why something is not in this one."""

    region: str
    http: Http

    def has(self, path: str) -> bool | None:
        """Whether a GET succeeds there; None if it does not say."""
        try:
            answer = self.http.request("GET", path)
        except MailopsError:
            return None
        if answer.status == 200 and isinstance(answer.parsed, Mapping):
            return True
        return False if answer.status in (401, 403, 404) else None


class Mailgun:
    """One region's API with one key.

    Every method may raise a MailopsError; what is given as `secrets` to a call is hidden in it, as the key is.
    """

    def __init__(
        self, http: Http, key: str, patience: float, elsewhere: Elsewhere | None = None, clock: Clock | None = None
    ) -> None:
        self._calls = Calls(http, answers.Manners(), patience, clock, secrets=[key])
        self.clock = self._calls.clock
        self._elsewhere = elsewhere

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return the object at a path."""
        return self._call("GET", path, params=query)

    def post(self, path: str, form: Mapping[str, str], *secrets: str) -> dict[str, Any]:
        """Send a form; return the answer."""
        return self._call("POST", path, *secrets, data=dict(form))

    def put(self, path: str, form: Mapping[str, str], *secrets: str) -> dict[str, Any]:
        """Send a form; return the answer."""
        return self._call("PUT", path, *secrets, data=dict(form))

    def delete(self, path: str) -> dict[str, Any]:
        """Delete what is at a path."""
        return self._call("DELETE", path)

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield all items of a list, in pages as large as the API lets them be."""
        seen, before = 0, None
        while True:
            answer = self.get(path, limit=PAGE, skip=seen)
            if not isinstance(answer.get("items", ""), (list, type(None))):
                raise ProtocolError(f"GET {path} was answered without items", "Check api_url, and what a proxy does.")
            page = [item for item in answer["items"] or [] if isinstance(item, dict)]
            if page == before:  # `skip` is not heeded: there is but this page
                return
            yield from page
            before = page
            seen += len(page)
            total = answer.get("total_count")
            more = len(page) in (PAGE, DEFAULT_PAGE) or (isinstance(total, int) and seen < total)
            if not (page and more):
                return

    def region_of(self, domain: str, *, certain: bool = False) -> str:
        """Return the other region if the domain is there, '' otherwise; the one call is made only where it can help.

        Where the other region does not say, that is a TemporaryError if `certain`, and '' if not.
        """
        other = self._elsewhere
        if other is None:
            return ""
        found = other.has(at("/v4/domains", domain))
        if found is None and certain:
            raise TemporaryError(
                f"whether domain {domain} is in region {other.region} could not be asked",
                "Try again later. With api_url set to that of the region the other one is not asked.",
            )
        return other.region if found else ""

    def _call(self, method: str, path: str, *secrets: str, **body: Any) -> dict[str, Any]:
        try:
            return dict(self._calls.call(method, path, *secrets, **body).parsed)
        except answers.KeyRefusedError as error:
            error.remedy = f"{error.remedy} {self._key_elsewhere()}"
            raise

    def _key_elsewhere(self) -> str:
        if self._elsewhere is None:
            return "Keys and domains belong to a region: check that api_url is that of the key's."
        region, takes = self._elsewhere.region, self._elsewhere.has("/v4/domains?limit=1")
        if takes is None:
            return f"Whether region {region} takes it could not be asked."
        return (
            f"Region {region} takes this key: say region: {region}."
            if takes
            else f"Region {region} does not take it either."
        )


def at(*parts: str) -> str:
    """Return a path: the first part as it is, the others quoted."""
    return "/".join([parts[0], *(quote(part, safe="@") for part in parts[1:])])


def connection_spec() -> dict[str, dict[str, Any]]:
    """Return the argument spec of the connection; the doc fragment `mailops.odoo.mailgun` describes it."""
    from ansible.module_utils.basic import env_fallback

    return {
        "api_key": {
            "type": "str",
            "required": True,
            "no_log": True,
            "fallback": (env_fallback, ["MAILGUN_API_KEY"]),
        },
        "region": {"type": "str", "choices": list(REGIONS), "default": "us"},
        "api_url": {"type": "str"},
        "ca_file": {"type": "path"},
        "timeout": {"type": "int", "default": 30},
        "rate_limit_timeout": {"type": "int", "default": 120},
    }


def connect(params: Mapping[str, Any]) -> Mailgun:
    """Return a client for the connection options of a module; nothing is sent yet. Raises ValidationError."""
    key, region = params["api_key"].strip(), params["region"]
    if not key or not key.isascii() or not key.isprintable():
        raise ValidationError("api_key is empty, or has what no key has", answers.KEY)

    def http(url: str) -> Http:
        return Http(url, params["ca_file"], params["timeout"], login=("api", key), options="")

    elsewhere = None
    if not params["api_url"]:
        other = next(name for name in REGIONS if name != region)
        elsewhere = Elsewhere(other, http(REGIONS[other].api))
    return Mailgun(
        http(params["api_url"] or REGIONS[region].api), key, params["rate_limit_timeout"], elsewhere=elsewhere
    )
