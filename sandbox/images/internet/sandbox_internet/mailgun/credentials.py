# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls for SMTP credentials."""

from __future__ import annotations

import itertools

from ..api.replies import Reply
from . import passwords
from .calls import Call, ok, page, refused
from .simulator import Simulator, domain_of
from .state import Credential, Domain

NOTE = "Please store this password securely, as it cannot be shown again."


async def listed(simulator: Simulator, call: Call) -> Reply:
    """GET /v3/domains/{name}/credentials"""
    credentials = list(domain_of(simulator, call).credentials.values())
    items = [
        {"mailbox": one.login, "login": one.login, "created_at": one.created_at, "size_bytes": None}
        for one in credentials[page(call)]
    ]
    return ok(total_count=len(credentials), items=items)


async def created(simulator: Simulator, call: Call) -> Reply:
    """POST /v3/domains/{name}/credentials; several logins and passwords make several pairs"""
    domain = domain_of(simulator, call)
    given = call.form.get("login") or call.form.get("mailbox") or []
    if not given:
        raise refused(400, "Parameter 'login' is missing")
    pairs = {
        _login(domain, login): password
        for login, password in itertools.zip_longest(given, call.form.get("password", [])[: len(given)])
    }
    for login, password in pairs.items():
        if login in domain.credentials:
            raise refused(400, f"Credentials for {login} already exists")
        if password is not None and (problem := passwords.problem(password)):
            raise refused(400, problem)
    made = {login: passwords.generated() for login, password in pairs.items() if password is None}
    for login, password in pairs.items():
        domain.add_credential(login, made[login] if password is None else password)
    simulator.state.save()
    return _told(f"Created {len(pairs)} credentials pair(s)", made)


async def changed(simulator: Simulator, call: Call) -> Reply:
    """PUT /v3/domains/{name}/credentials/{login}"""
    domain = domain_of(simulator, call)
    credential = _credential(domain, call)
    given = call.field("password")
    made = {} if given is not None else {credential.login: passwords.generated()}
    simulator.set_password(domain, credential.login, made[credential.login] if given is None else given)
    simulator.state.save()
    return _told("Password changed", made)


async def deleted(simulator: Simulator, call: Call) -> Reply:
    """DELETE /v3/domains/{name}/credentials/{login}"""
    domain = domain_of(simulator, call)
    credential = _credential(domain, call)
    if credential.system:
        raise refused(400, f"Cannot delete system mailbox: {credential.login}")
    del domain.credentials[credential.login]
    simulator.state.save()
    return ok("Credentials have been deleted", spec=credential.login)


async def all_deleted(simulator: Simulator, call: Call) -> Reply:
    """DELETE /v3/domains/{name}/credentials"""
    domain = domain_of(simulator, call)
    mortal = [login for login, credential in domain.credentials.items() if not credential.system]
    for login in mortal:
        del domain.credentials[login]
    simulator.state.save()
    return ok("All domain credentials have been deleted", count=len(mortal))


def _told(message: str, made: dict[str, str]) -> Reply:
    """Return a success; passwords that were made are in it, this once."""
    return ok(message, note=NOTE, credentials=made) if made else ok(message)


def _credential(domain: Domain, call: Call) -> Credential:
    credential = domain.credentials.get(_login(domain, call.path["login"]))
    if credential is None:
        raise refused(404, "Credentials not found")
    return credential


def _login(domain: Domain, text: str) -> str:
    """Return the login that a local part or a whole address means."""
    local, _at, name = text.lower().partition("@")
    if not local or name not in ("", domain.name):
        raise refused(400, f"Invalid login: {text}")
    return f"{local}@{domain.name}"
