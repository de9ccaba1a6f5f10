# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confirming incoming servers: Odoo logs in (`button_confirm_login`), and what it cannot log in to is put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome, Store
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import redact_text
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Resource
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient

# What a login does not depend on; a change of anything else is confirmed.
INDIFFERENT = {"name", "object_id", "attach", "original", "priority"}


class OAuth(NamedTuple):
    """A type whose login is a token: Odoo's host for it, its flag on 15 (and late 14), what consent leaves."""

    host: str
    flag: str
    token: str


OAUTH = {
    "gmail": OAuth("imap.gmail.com", "use_google_gmail_service", "google_gmail_refresh_token"),
    "outlook": OAuth("imap.outlook.com", "use_microsoft_outlook_service", "microsoft_outlook_refresh_token"),
}


def oauth_of(record: Mapping[str, Any]) -> OAuth | None:
    """Return what is known of a server's OAuth type, whichever way its version says it."""
    return next(
        (kind for name, kind in OAUTH.items() if record.get("server_type") == name or record.get(kind.flag)), None
    )


def lacks_consent(record: Mapping[str, Any]) -> bool:
    """Whether nobody could log in, because somebody must press Connect in Odoo first."""
    kind = oauth_of(record)
    return kind is not None and not record.get(kind.token)


def fetches(record: Mapping[str, Any]) -> bool:
    """Whether Odoo is to fetch: not for an archived server, a local one, or one that waits for consent."""
    archived = record.get("active", True) is False
    return not archived and record.get("server_type") != "local" and not lacks_consent(record)


def fetching(record: Mapping[str, Any]) -> bool:
    """Whether Odoo does fetch from this server."""
    return bool(record) and fetches(record) and bool(record.get("confirmed"))


def confirm(resource: Resource, client: OdooClient, store: Store, outcome: Outcome) -> None:
    """Make Odoo log in to every server whose applied change a login depends on.

    A server that fails goes back to its former values, or is deleted if it is new, and is taken out of
    `outcome.applied`; `outcome.error` says what was tried and what the server said.
    """
    failures: list[tuple[Change, MailopsError, str]] = []
    for change in list(outcome.applied):
        if change.action == "delete" or not fetches({**change.before, **change.values}):
            continue
        if set(change.values) <= INDIFFERENT:
            continue
        try:
            client.call(resource.model, "button_confirm_login", [change.id])
        except MailopsError as error:
            failures.append((change, error, _undone(change, store, outcome)))
    if failures:
        _report(resource, failures, outcome)


def _undone(change: Change, store: Store, outcome: Outcome) -> str:
    """Undo the change; return how that went as a sentence."""
    former = {name: change.before.get(name) for name in change.values if name != "confirmed"}
    try:
        if change.action == "create":
            store.delete([change.id])
        elif former:
            store.write([change.id], former)
    except MailopsError as error:
        return f"It could not be put back and stays changed: {error.message}"
    outcome.applied.remove(change)
    if change.action == "create":
        return "It was deleted again."
    return "It has its former values again." if former else "It stays unconfirmed."


def _report(resource: Resource, failures: list[tuple[Change, MailopsError, str]], outcome: Outcome) -> None:
    texts = [f"{_tried(resource, change, error)}. {undone}" for change, error, undone in failures]
    named = [f"{resource.label} {change.name}: {text}" for (change, *_how), text in zip(failures, texts, strict=True)]
    if outcome.error is not None:
        outcome.error.message = f"{outcome.error.message.rstrip('.')}. {' '.join(named)}"
        return
    outcome.failed, cause, _how = failures[0]
    outcome.error = type(cause)(" ".join([texts[0], *named[1:]]))


def _tried(resource: Resource, change: Change, error: MailopsError) -> str:
    record = {**change.before, **change.values}
    secrets = [source.get(name) for name in resource.secrets for source in (change.before, change.values)]
    where = f"{record.get('server')}:{record.get('port')}"
    how = f"{record['server_type']}, {'TLS' if record.get('is_ssl') else 'no TLS'}"
    said = redact_text(error.message, secrets).rstrip(".")
    return f"Odoo could not log in to {where} ({how}) as {record.get('user')}: {said}"
