# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls for DKIM keys."""

from __future__ import annotations

from typing import Any

from ..api.replies import Reply
from . import records
from .calls import Call, ok, refused
from .simulator import Simulator, domain_of, found
from .state import DkimKey, Domain

MOST = 3


async def listed(simulator: Simulator, call: Call) -> Reply:
    """GET /v1/dkim/keys: of the whole account, one page"""
    domains = simulator.state.all(call.region, call.account)
    items = [shown for domain in domains for shown in _all_shown(domain)]
    for name in ("signing_domain", "selector"):
        items = [item for item in items if call.query.get(name, item[name]) == item[name]]
    here = "/v1/dkim/keys"
    return ok(items=items, paging={"previous": here, "first": here, "next": here, "last": here})


async def created(simulator: Simulator, call: Call) -> Reply:
    """POST /v1/dkim/keys"""
    domain = found(simulator, call, call.field("signing_domain") or "")
    selector, bits = call.field("selector") or "", call.field("bits") or "1024"
    if not selector or bits not in ("1024", "2048"):
        raise refused(400, "selector is required, and bits must be 1024 or 2048")
    if any(key.selector == selector for key in domain.keys):
        raise refused(400, f"domain key {selector} already exists")
    if len(domain.keys) == MOST:
        raise refused(400, f"cannot create domain key: at most {MOST} are allowed")
    key = DkimKey(selector, records.public_key(int(bits)), active=False)
    domain.keys.append(key)
    simulator.state.save()
    return Reply(200, _shown(domain, key))


async def deleted(simulator: Simulator, call: Call) -> Reply:
    """DELETE /v1/dkim/keys"""
    domain = found(simulator, call, call.query.get("signing_domain", ""))
    key = _key(domain, call.query.get("selector", ""))
    _keep_one_active(domain, key, "delete")
    domain.keys.remove(key)
    simulator.state.save()
    return ok("success")


async def of_domain(simulator: Simulator, call: Call) -> Reply:
    """GET /v4/domains/{name}/keys"""
    return ok(items=_all_shown(domain_of(simulator, call)))


async def activated(simulator: Simulator, call: Call) -> Reply:
    """PUT /v4/domains/{name}/keys/{selector}/activate"""
    domain = domain_of(simulator, call)
    key = _key(domain, call.path["selector"])
    record = records.key_record(domain, key)
    await simulator.resolver.check(domain, [record])
    if domain.valid[record.key] != "valid":
        simulator.state.save()
        raise refused(400, "cannot activate domain key: its DNS record is not valid")
    return _switched(simulator, domain, key, True)


async def deactivated(simulator: Simulator, call: Call) -> Reply:
    """PUT /v4/domains/{name}/keys/{selector}/deactivate"""
    domain = domain_of(simulator, call)
    key = _key(domain, call.path["selector"])
    _keep_one_active(domain, key, "deactivate")
    return _switched(simulator, domain, key, False)


def _switched(simulator: Simulator, domain: Domain, key: DkimKey, active: bool) -> Reply:
    key.active = active
    simulator.state.save()
    message = f"domain key {'activated' if active else 'deactivated'}"
    return ok(message, authority=domain.name, selector=key.selector, active=active)


def _key(domain: Domain, selector: str) -> DkimKey:
    for key in domain.keys:
        if key.selector == selector:
            return key
    raise refused(404, "domain key not found")


def _keep_one_active(domain: Domain, key: DkimKey, verb: str) -> None:
    if [one for one in domain.keys if one.active] == [key]:
        raise refused(400, f"cannot {verb} domain key: must have at least one active domain key")


def _all_shown(domain: Domain) -> list[dict[str, Any]]:
    return [_shown(domain, key) for key in domain.keys]


def _shown(domain: Domain, key: DkimKey) -> dict[str, Any]:
    (record,) = records.shown(domain, [records.key_record(domain, key)])
    return {"signing_domain": domain.name, "selector": key.selector, "dns_record": record}
