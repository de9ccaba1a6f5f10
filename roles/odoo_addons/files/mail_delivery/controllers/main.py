# SPDX-License-Identifier: LGPL-3.0-or-later
import functools
import hashlib
import hmac
import json
import logging
import re

from odoo import SUPERUSER_ID, http
from odoo.http import request
from werkzeug.http import parse_etags

from ..series import SERIES

_logger = logging.getLogger(__name__)

# The second is accepted beside the first while the token is exchanged.
TOKEN_PARAMETERS = ["mail_delivery.token", "mail_delivery.token_pending"]
NEXTHOP = re.compile(r"[!-~]+")
# Odoo reads recipients as a header: what separates or quotes addresses there would turn one
# recipient into others. No such address is in the list that recipients are accepted by.
ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff,;:<>()\[\]\"\\@]+@[\w.-]+")


def _json_response(content, status=200):
    return http.Response(json.dumps({"version": 1, **content}), status=status, content_type="application/json")


def _cached_response(body, content_type):
    """Answer 304 if the caller has this very content, 200 with its ETag otherwise."""
    etag = hashlib.sha256(body.encode()).hexdigest()
    headers = [("ETag", f'"{etag}"')]
    # Weak comparison: a proxy that compresses makes the tag a weak one.
    if parse_etags(request.httprequest.headers.get("If-None-Match")).contains_weak(etag):
        return http.Response(status=304, headers=headers)
    return http.Response(body, headers=headers, content_type=content_type)


def _map_response(entries):
    """Answer with a Postfix map of the entries, a dictionary."""
    lines = [f"{address} {value}\n" for address, value in sorted(entries.items())]
    return _cached_response("".join(lines), "text/plain; charset=utf-8")


def _superuser_environment():
    # Odoo writes what is pending as the user of the request's own environment. Where that can
    # be changed it has to be: as nobody, a lead of a sales team's alias fails.
    if hasattr(request, "update_env"):
        request.update_env(user=SUPERUSER_ID, context={}, su=True)
        return request.env
    return request.env(user=SUPERUSER_ID, context={}, su=True)


def _is_authorized(env):
    given = request.httprequest.headers.get("X-Mail-Token", "").encode()
    rows = env["ir.config_parameter"].search_read([("key", "in", TOKEN_PARAMETERS)], ["value"])
    expected = [(row["value"] or "").strip().encode() for row in rows]
    return any(hmac.compare_digest(given, token) for token in expected if token)


def _endpoint(path, method):
    """Declare a route that the token guards; the function gets a superuser's environment."""

    def decorate(function):
        @http.route(
            path,
            type="http",
            auth="none",
            methods=[method],
            csrf=False,
            save_session=False,
            readonly=False,
        )
        @functools.wraps(function)
        def guarded(self, **kwargs):
            env = _superuser_environment()
            if not _is_authorized(env):
                return _json_response({"error": "forbidden"}, status=403)
            return function(self, env, **kwargs)

        # Odoo passes the parameters that the signature names; the wrapped one begins with env.
        del guarded.__wrapped__
        return guarded

    return decorate


def _json_header(name):
    """Return the value of a request header that holds JSON, None if it is missing or wrong."""
    try:
        return json.loads(request.httprequest.headers.get(name, "null"))
    except ValueError:
        return None


def _envelope():
    """Return (sender, recipients) of the request; raises ValueError saying what is wrong."""
    recipients = _json_header("X-Mail-Recipients")
    if not (
        isinstance(recipients, list)
        and recipients
        and all(isinstance(r, str) and ADDRESS.fullmatch(r) for r in recipients)
    ):
        raise ValueError("X-Mail-Recipients is not a JSON list of addresses")
    sender = _json_header("X-Mail-Sender")
    if not isinstance(sender, str):
        raise ValueError("X-Mail-Sender is not a JSON string")
    return sender, recipients


class MailDeliveryController(http.Controller):
    @_endpoint("/mail_delivery/aliases", "GET")
    def aliases(self, env, **parameters):
        shape = parameters.get("format", "json")
        if shape not in ("json", "map"):
            return _json_response({"error": "format is not json or map"}, status=400)
        env["mail.delivery.bridge"]._seen(_json_header("X-Mail-Bridge"))
        addresses = env["mail.alias"]._mail_delivery_addresses()
        former = env["mail.alias"]._mail_delivery_former_addresses(addresses)
        if shape == "map":
            return _map_response({**former, **{address: address for address in addresses}})
        entries = [{"address": address, "kind": kind} for address, kind in addresses.items()]
        entries += [{"address": old, "kind": "former", "rewrite": new} for old, new in former.items()]
        content = {
            "version": 1,
            "series": SERIES,
            "database": env.cr.dbname,
            "addresses": sorted(entries, key=lambda entry: entry["address"]),
        }
        return _cached_response(json.dumps(content), "application/json")

    @_endpoint("/mail_delivery/transport", "GET")
    def transport(self, env, nexthop="", **parameters):
        shape = parameters.get("format", "map")
        if shape not in ("json", "map"):
            return _json_response({"error": "format is not json or map"}, status=400)
        if not NEXTHOP.fullmatch(nexthop):
            return _json_response({"error": "nexthop is not a Postfix next hop"}, status=400)
        transport = dict.fromkeys(env["mail.alias"]._mail_delivery_addresses(), nexthop)
        if shape == "map":
            return _map_response(transport)
        content = {"version": 1, "database": env.cr.dbname, "transport": transport}
        return _cached_response(json.dumps(content, sort_keys=True), "application/json")

    @_endpoint("/mail_delivery/pipe", "POST")
    def pipe(self, env, **_unused):
        message = request.httprequest.get_data()
        try:
            sender, recipients = _envelope()
            if not message:
                raise ValueError("the message is empty")
        except ValueError as error:
            return _json_response({"error": str(error)}, status=400)
        message_id, results = env["mail.delivery"]._deliver(message, recipients)
        if not any(result["code"] == 250 for result in results):
            # Nothing of this attempt may stay, the ledger's row included.
            env.cr.rollback()
        env["mail.delivery.error"]._enter(message_id, results)
        _logger.info(
            "%s from %s: %s",
            message_id,
            json.dumps(sender),
            ", ".join(f"{r['recipient']} {r['code']} {r['enhanced']} {r['text']}" for r in results),
        )
        return _json_response({"message_id": message_id, "results": results})
