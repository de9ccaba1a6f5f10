# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls for domains and their tracking."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from ..api.replies import Refused, Reply
from . import passwords, records
from .calls import Call, boolean, invalid, ok, page, refused
from .simulator import Simulator, domain_of
from .state import DkimKey, Domain

NAME = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\Z")
ATOM = re.compile(r"[A-Za-z0-9_-]+\Z")
SELECTOR, BITS = "mx", "1024"
DEFAULTS = {
    "spam_action": "disabled",
    "web_prefix": "email",
    "web_scheme": "http",
    "wildcard": False,
    "require_tls": False,
    "skip_verification": False,
    "use_automatic_sender_security": False,
    "encrypt_incoming_message": False,
    "message_ttl": 259200,
}
CREATION_ONLY = ("encrypt_incoming_message",)
CHOICES = {"spam_action": ("disabled", "block", "tag"), "web_scheme": ("http", "https")}
FOOTERS = {
    "html_footer": '<br>\n<p><a href="%unsubscribe_url%">unsubscribe</a></p>\n',
    "text_footer": "\n\nTo unsubscribe click: <%unsubscribe_url%>\n\n",
}
TRACKING: dict[str, dict[str, Any]] = {
    "open": {"active": False, "place_at_the_top": False},
    "click": {"active": False},
    "unsubscribe": {"active": False, **FOOTERS},
}


def added(
    simulator: Simulator,
    name: str,
    region: str,
    account: str,
    password: str,
    key: DkimKey | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Domain:
    """Return a new domain, which is now in the state; `password` is its system mailbox's."""
    key = key or DkimKey(SELECTOR, records.public_key(int(BITS)))
    tracked = {kind: dict(values) for kind, values in TRACKING.items()}
    domain = Domain(name, region, account, [key], {**DEFAULTS, **(settings or {})}, tracked)
    domain.add_credential(domain.postmaster, password, system=True)
    simulator.state.put(domain)
    return domain


async def listed(simulator: Simulator, call: Call) -> Reply:
    """GET /v4/domains"""
    domains = simulator.state.all(call.region, call.account)
    state, search = call.query.get("state"), call.query.get("search", "")
    if state:
        domains = [domain for domain in domains if _state(domain) == state]
    domains = [domain for domain in domains if search.lower() in domain.name]
    return ok(total_count=len(domains), items=[_shown(domain) for domain in domains[page(call)]])


async def created(simulator: Simulator, call: Call) -> Reply:
    """POST /v4/domains"""
    name = (call.field("name") or "").lower()
    if not NAME.match(name):
        raise invalid("name", f"'{name}' is not a valid domain name")
    password = call.field("smtp_password") or passwords.generated()
    if problem := passwords.problem(password):
        raise Refused(Reply(400, {"Reason": problem}))
    taken = simulator.state.find(call.region, name)
    if taken:
        mine = taken.account == call.account
        raise refused(400, f"Domain {name} already exists" if mine else "This domain name is already taken")
    domain = added(simulator, name, call.region, call.account, password, _first_key(call), _settings(call, DEFAULTS))
    simulator.state.save()
    return _with_records(domain, "Domain DNS records have been created")


async def read(simulator: Simulator, call: Call) -> Reply:
    """GET /v4/domains/{name}"""
    return _with_records(domain_of(simulator, call))


async def updated(simulator: Simulator, call: Call) -> Reply:
    """PUT /v4/domains/{name}"""
    domain = domain_of(simulator, call)
    changed = _settings(call, [name for name in DEFAULTS if name not in CREATION_ONLY])
    password = call.field("smtp_password")
    if password is not None:
        simulator.set_password(domain, domain.postmaster, password)
    security = "use_automatic_sender_security"
    if changed.get(security, domain.settings[security]) != domain.settings[security]:
        # Other records now prove who owns the domain.
        domain.state = "unverified"
    domain.settings.update(changed)
    simulator.state.save()
    return _with_records(domain, "Domain has been updated")


async def verified(simulator: Simulator, call: Call) -> Reply:
    """PUT /v4/domains/{name}/verify"""
    domain = domain_of(simulator, call)
    wait = domain.looked_up_at + simulator.verify_interval - time.time()
    if wait > 0:
        raise refused(429, "Too many requests", **{"retry-seconds": math.ceil(wait)})
    domain.looked_up_at = time.time()
    await simulator.resolver.check(domain, [*records.sending(domain), *records.receiving(domain)])
    domain.state = "active" if records.proved(domain) else "unverified"
    simulator.state.save()
    return _with_records(domain, "Domain DNS records have been updated")


async def deleted(simulator: Simulator, call: Call) -> Reply:
    """DELETE /v3/domains/{name}"""
    domain = domain_of(simulator, call)
    domain.gone_at = domain.gone_at or time.time() + simulator.deletion_time
    simulator.state.save()
    return ok("Domain will be deleted in the background")


async def tracking(simulator: Simulator, call: Call) -> Reply:
    """GET /v3/domains/{name}/tracking"""
    domain = domain_of(simulator, call)
    return ok(tracking={**domain.tracking, "web_scheme": domain.settings["web_scheme"]})


async def tracked(simulator: Simulator, call: Call) -> Reply:
    """PUT /v3/domains/{name}/tracking/{kind}"""
    domain, kind = domain_of(simulator, call), call.path["kind"]
    values = domain.tracking[kind]
    changed: dict[str, Any] = {}
    for name in set(values) & set(call.form):
        text = call.field(name) or ""
        is_text = name in FOOTERS or (kind == "click" and text == "htmlonly")
        changed[name] = text if is_text else boolean(name, text)
    values.update(changed)
    simulator.state.save()
    return ok("Domain tracking settings have been updated", **{kind: values})


def _settings(call: Call, allowed: Iterable[str]) -> dict[str, Any]:
    """Return those settings of the form that this call may change, each as the API shows it."""
    return {name: _setting(name, call.field(name) or "") for name in allowed if name in call.form}


def _setting(name: str, text: str) -> Any:
    if name in CHOICES and text not in CHOICES[name]:
        raise invalid(name, f"invalid value for '{name}': must be one of {', '.join(CHOICES[name])}")
    if name == "web_prefix" and not ATOM.match(text):
        raise invalid(name, f"invalid value for '{name}': must be a valid atom")
    if name == "message_ttl":
        if not text.isdecimal():
            raise invalid(name, f"invalid value for '{name}': must be a number")
        return int(text)
    return boolean(name, text) if isinstance(DEFAULTS[name], bool) else text


def _first_key(call: Call) -> DkimKey:
    selector, bits = call.field("dkim_selector") or SELECTOR, call.field("dkim_key_size") or BITS
    if not ATOM.match(selector):
        raise invalid("dkim_selector", "invalid value for 'dkim_selector': must be a valid atom")
    if bits not in ("1024", "2048"):
        raise invalid("dkim_key_size", "invalid value for 'dkim_key_size': must be either 1024 or 2048")
    return DkimKey(selector, records.public_key(int(bits)))


def _state(domain: Domain) -> str:
    return "disabled" if domain.disabled else domain.state


def _shown(domain: Domain) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "created_at": domain.created_at,
        "id": domain.id,
        "is_disabled": domain.disabled is not None,
        "name": domain.name,
        "smtp_login": domain.postmaster,
        "state": _state(domain),
        "type": "custom",
        **domain.settings,
    }
    return {**facts, "disabled": domain.disabled} if domain.disabled else facts


def _with_records(domain: Domain, message: str = "") -> Reply:
    return ok(
        message,
        domain=_shown(domain),
        receiving_dns_records=records.shown(domain, records.receiving(domain)),
        sending_dns_records=records.shown(domain, records.sending(domain)),
    )
