# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which back end a zone is changed by, as the options of a module say; the doc fragment `dns` describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends import cloudflare, digitalocean, rfc2136
from ansible_collections.mailops.odoo.plugins.module_utils._dns.backends.by_record import ByRecord
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Backend

# The environment variables that hold the token where the option is left out.
TOKENS = {"digitalocean": "DIGITALOCEAN_TOKEN", "cloudflare": "CLOUDFLARE_API_TOKEN"}
NEEDED = {
    "rfc2136": ("server", "key_name", "key_secret"),
    "digitalocean": ("api_token",),
    "cloudflare": ("api_token",),
}


def connection_spec() -> dict[str, dict[str, Any]]:
    """Return the argument spec of the connection."""
    return {
        "backend": {"type": "str", "choices": list(NEEDED), "required": True},
        "zone": {"type": "str"},
        "server": {"type": "str"},
        "port": {"type": "int", "default": 53},
        "key_name": {"type": "str", "no_log": False},
        "key_secret": {"type": "str", "no_log": True},
        "key_algorithm": {
            "type": "str",
            "choices": list(rfc2136.ALGORITHMS),
            "default": "hmac-sha256",
            "no_log": False,
        },
        "api_token": {"type": "str", "no_log": True},
        "api_url": {"type": "str"},
        "ca_file": {"type": "path"},
        "timeout": {"type": "float", "default": 10},
    }


def backend(params: Mapping[str, Any]) -> Backend:
    """Return the back end for the connection options of a module; nothing is sent yet. Raises ValidationError."""
    kind = params["backend"]
    missing = [option for option in NEEDED[kind] if not (params[option] or "").strip()]
    if missing:
        raise ValidationError(f"backend {kind} needs {', '.join(missing)}")
    if not 0 < params["timeout"] <= 300:
        raise ValidationError(f"timeout is {params['timeout']:g} s", "It must be more than 0 and at most 300.")
    return MAKERS[kind](params, _zone(params["zone"]))


def _zone(text: str | None) -> Any:
    """Return the zone as an absolute name; None if it is to be found."""
    if text is None:
        return None
    try:
        return values.name(text)
    except ValueError as error:
        raise ValidationError(f"zone: {error}") from None


def _rfc2136(params: Mapping[str, Any], zone: Any) -> Backend:
    primary = rfc2136.Primary(
        params["server"].strip(),
        params["port"],
        rfc2136.key(params["key_name"], params["key_secret"], params["key_algorithm"]),
        params["timeout"],
    )
    return rfc2136.Rfc2136(primary, zone)


def _digitalocean(params: Mapping[str, Any], zone: Any) -> Backend:
    return ByRecord(digitalocean.DigitalOcean(_http(params, digitalocean.API), _token(params)), zone)


def _cloudflare(params: Mapping[str, Any], zone: Any) -> Backend:
    return ByRecord(cloudflare.Cloudflare(_http(params, cloudflare.API), _token(params)), zone)


def _http(params: Mapping[str, Any], default: str) -> Http:
    return Http(params["api_url"] or default, params["ca_file"], params["timeout"], options="")


def _token(params: Mapping[str, Any]) -> str:
    token = str(params["api_token"]).strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValidationError("api_token has what no token has", "It is one word, without `Bearer` before it.")
    return token


MAKERS: dict[str, Callable[[Mapping[str, Any], Any], Backend]] = {
    "rfc2136": _rfc2136,
    "digitalocean": _digitalocean,
    "cloudflare": _cloudflare,
}
