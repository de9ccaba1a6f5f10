# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may not be done to outgoing servers without being told so.

Odoo 16 and later refuse to archive a server that is in use; no version refuses to delete one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import neutralized, oauth
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient

MODEL = "ir.mail_server"
MAILINGS = "mailing.mailing"
DEDICATED = "mass_mailing.mail_server_id"
SHOWN = 5
USE_ANOTHER = "Give them another server first, or say force: true to leave them to Odoo's choice."
# The host of the server that Odoo (16-19) puts into a neutralised database, lest mail leave by odoo.conf's.
PLACEHOLDER_HOST = "invalid"


def active_before(change: Change) -> bool:
    """Whether the server could send until now."""
    return bool(change.before.get("active"))


def active_after(change: Change) -> bool:
    """Whether the server can send once the change is made; a new one is active unless told otherwise."""
    return change.action != "delete" and bool(change.values.get("active", change.before.get("active", True)))


def refuse_if_used(client: OdooClient, changes: Sequence[Change], remedy: str = USE_ANOTHER) -> None:
    """Raise ConflictError if a server that would be deleted, archived or made a user's own is in use, naming its users.

    Reads, whatever the number of servers: templates, queued mail, parameters, whether Email Marketing is there, and
    its mailings. A mailing counts until it is done, a mail until it is sent or cancelled.
    """
    removed = [change for change in changes if change.action == "delete" or _archives(change) or _gives_away(change)]
    if not removed:
        return
    users = _users(client, [change.id for change in removed])
    told = []
    for change in removed:
        owner = change.before.get("owner")
        uses = ([f"its owner {owner}"] if owner else []) + users[change.id]
        if uses:
            told.append(f"mail server {change.before['name']} is used by {', '.join(uses)}")
    if told:
        raise ConflictError("; ".join(told), remedy)


def _archives(change: Change) -> bool:
    return active_before(change) and not active_after(change)


def _gives_away(change: Change) -> bool:
    """Whether the server is a user's own from now on: Odoo 19 refuses to send anybody else's mail by it."""
    return bool(change.before) and not change.before.get("owner") and bool(change.values.get("owner"))


def _users(client: OdooClient, ids: Sequence[int]) -> dict[int, list[str]]:
    users: dict[int, list[str]] = {number: [] for number in ids}

    def named(model: str, what: str, name: str, *further: Any) -> None:
        found: dict[int, list[str]] = {}
        for record in client.search_read(model, [("mail_server_id", "in", ids), *further], [name, "mail_server_id"]):
            found.setdefault(record["mail_server_id"][0], []).append(f"{record[name]!r}")
        for number, names in found.items():
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            users[number].append(f"{what} {', '.join(names[:SHOWN])}{more}")

    named("mail.template", "mail template", "name")
    if client.search_read("ir.model", [("model", "=", MAILINGS)], ["model"]):
        named(MAILINGS, "mailing", "subject", ("state", "!=", "done"), ("active", "=", True))
    waiting = [("mail_server_id", "in", ids), ("state", "in", ("outgoing", "exception"))]
    mails = client.search_read("mail.mail", waiting, ["mail_server_id"])
    for number, count in Counter(mail["mail_server_id"][0] for mail in mails).items():
        users[number].append(f"{count} mail{'s' if count > 1 else ''} in the queue")
    for parameter in client.search_read("ir.config_parameter", [("key", "=", DEDICATED)], ["value"]):
        for number in ids:
            if parameter["value"] == str(number):
                users[number].append(f"Email Marketing as its dedicated server (system parameter {DEDICATED})")
    return users


def refuse_to_revive(client: OdooClient, changes: Sequence[Change]) -> None:
    """Raise ConflictError if a change would make a neutralised database send mail; one read, where one might.

    That is a server which is or becomes active, and the end of the placeholder that Odoo put in their place.
    """
    for change in changes:
        if active_after(change):
            what = f"leave the mail server {change.name!r} active"
        elif active_before(change) and change.before.get("smtp_host") == PLACEHOLDER_HOST:
            what = f"remove {change.name!r}, without which Odoo sends by its configuration file"
        else:
            continue
        neutralized.refuse_if_neutralized(client, what)
        return


def refuse_second_server_of_owner(client: OdooClient, changes: Sequence[Change]) -> None:
    """Raise ConflictError if a user would own two servers, which Odoo's database refuses; one read, where one might."""
    owners: dict[str, str] = {}
    for change in changes:
        owner = change.values.get("owner")
        if owner is None:
            continue
        if owner in owners:
            raise ConflictError(f"{owner} would own two mail servers: {owners[owner]!r} and {change.name!r}")
        owners[owner] = change.name
    if not owners:
        return
    freed = [change.id for change in changes if change.action == "delete" or "owner" in change.values]
    domain = [("owner_user_id.login", "in", sorted(owners)), ("id", "not in", freed)]
    for record in client.search_read(MODEL, domain, ["name", "owner_user_id"]):
        raise ConflictError(
            f"{record['owner_user_id'][1]} already owns the mail server {record['name']!r}, and Odoo allows one each",
            "Change or delete that one.",
        )


def without_consent(changes: Sequence[Change]) -> list[str]:
    """Return a warning for each changed server that waits for somebody's consent in the browser."""
    return [
        f"{change.name}: it cannot send before its account is connected: open it in Odoo and press Connect"
        for change in changes
        if active_after(change) and oauth.lacks_consent({**change.before, **change.values})
    ]
