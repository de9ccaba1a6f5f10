# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of outgoing mail: `mail.mail`. A mail is acted on, not declared, so it has no Resource.

Bodies are never read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from email.utils import getaddresses
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    MailopsError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import LARGEST
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient

MODEL = "mail.mail"
STATES = ("outgoing", "sent", "received", "exception", "cancel")
# Action → the states it acts on, the state it leads to (Odoo's own buttons do the same), Odoo's method.
ACTIONS = {
    "retry": (("exception",), "outgoing", "mark_outgoing"),
    "cancel": (("outgoing", "exception"), "cancel", "cancel"),
    "send": (("outgoing",), "sent", "send"),
}
# Sending takes as long as the mail servers do, and a call must end within the connection's time-out.
SEND_CHUNK = 20
FIELDS = [
    "state", "create_date", "email_from", "email_to", "email_cc", "recipient_ids", "subject", "mail_server_id",
    "failure_reason",
]  # fmt: skip
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
ADDRESS = re.compile(r"[^\s<>@,;:'\"()]+@[^\s<>@,;:'\"()]+")
MOMENT = "%Y-%m-%d %H:%M:%S"
SHOWN_CHARACTERS = 300

Domain = list[Any]
Mail = dict[str, Any]


def filter_spec() -> dict[str, dict[str, Any]]:
    """Return the argument spec of the filter; the doc fragment `mailops.odoo.mail_queue` describes it."""
    return {
        "states": {"type": "list", "elements": "str", "choices": list(STATES)},
        "older_than": {"type": "str"},
        "changed_since": {"type": "str"},
        "failure": {"type": "str"},
        "server": {"type": "str"},
        "email_from": {"type": "str"},
        "email_to": {"type": "str"},
        "limit": {"type": "int", "default": 100},
    }


def check(params: Mapping[str, Any]) -> None:
    """Raise ValidationError for a filter that leaves nothing out, or a limit that is none."""
    if not 0 <= params["limit"] <= LARGEST:
        raise ValidationError(f"limit is {params['limit']}", f"It must be a whole number from 0 to {LARGEST}.")
    if params["states"] == []:
        raise ValidationError("states is empty", "Name at least one, or leave it out.")
    for name in ("email_from", "email_to", "failure"):
        if params[name] is not None and not params[name].strip():
            raise ValidationError(f"{name} is empty, which every mail matches", "Leave it out if that is meant.")


def domain(client: OdooClient, params: Mapping[str, Any]) -> Domain:
    """Return the filter as Odoo's search takes it; at most one read, for the server's name.

    Raises ValidationError for an age or a moment that cannot be read, NotFoundError for a server that is not there.
    """
    terms: Domain = []
    if params["states"] is not None:
        terms.append(("state", "in", params["states"]))
    if params["older_than"] is not None:
        terms.append(("create_date", "<", _before(params["older_than"]).strftime(MOMENT)))
    if params["changed_since"] is not None:
        terms.append(("write_date", ">=", _moment(params["changed_since"])))
    if params["failure"] is not None:
        terms.append(("failure_reason", "ilike", _literally(params["failure"])))
    if params["email_from"] is not None:
        terms.append(("email_from", "ilike", _literally(params["email_from"])))
    if params["email_to"] is not None:
        part = _literally(params["email_to"])
        terms += ["|", "|", *((name, "ilike", part) for name in ("email_to", "email_cc", "recipient_ids.email"))]
    if params["server"] is not None:
        found = client.search_read("ir.mail_server", [("name", "=", params["server"])], ["name"])
        if not found:
            raise NotFoundError(f"this database has no mail server {params['server']!r}")
        terms.append(("mail_server_id", "in", [record["id"] for record in found]))
    return terms


def counts(client: OdooClient, terms: Domain) -> dict[str, int]:
    """Return state → number of the mails that match."""
    return {str(group): count for group, count in _grouped(client, terms, "state")}


def failures(client: OdooClient, terms: Domain) -> list[dict[str, Any]]:
    """Return the reasons of the failed mails that match as {reason, count}, the commonest first.

    Addresses in a reason are left out, so that one cause is one reason.
    """
    found: dict[str, int] = {}
    for group, count in _grouped(client, [*terms, ("state", "=", "exception")], "failure_reason"):
        reason = _reason(group)
        found[reason] = found.get(reason, 0) + count
    ordered = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"reason": reason, "count": count} for reason, count in ordered]


def mails(client: OdooClient, terms: Domain, limit: int) -> list[Mail]:
    """Return the oldest `limit` mails that match; two reads."""
    if limit == 0:  # which Odoo takes for no limit
        return []
    records = client.call(MODEL, "search_read", [], domain=terms, fields=FIELDS, limit=limit, order="id")
    partners = sorted({number for record in records for number in record["recipient_ids"]})
    addresses = {
        record["id"]: record["email"] or ""
        for record in client.search_read("res.partner", [("id", "in", partners)], ["email"])
    }
    return [
        {
            "id": record["id"],
            "state": record["state"],
            "created": record["create_date"],
            "email_from": record["email_from"] or None,
            "recipients": _recipients(record, addresses),
            "subject": record["subject"] or None,
            "server": record["mail_server_id"][1] if record["mail_server_id"] else None,
            "failure_reason": record["failure_reason"] or None,
        }
        for record in records
    ]


def selected(client: OdooClient, action: str, params: Mapping[str, Any]) -> list[Mail]:
    """Return the mails on which the action would act.

    Raises ValidationError if the filter's states are none of the action's, or if there are more than `limit`.
    """
    check(params)
    eligible = ACTIONS[action][0]
    wanted = [state for state in params["states"] or eligible if state in eligible]
    if not wanted:
        raise ValidationError(
            f"states is {', '.join(params['states'])}, and {action} acts on {' and '.join(eligible)} only"
        )
    terms = domain(client, {**params, "states": wanted})
    if action == "send":
        # What is to leave later is left to Odoo's queue manager.
        now = datetime.now(timezone.utc).strftime(MOMENT)
        terms += ["|", ("scheduled_date", "=", False), ("scheduled_date", "<=", now)]
    total = sum(counts(client, terms).values())
    if total > params["limit"]:
        raise ValidationError(
            f"{action} would act on {total} mails, more than limit ({params['limit']})",
            "Narrow the filter, or raise limit if all of them are meant.",
        )
    return mails(client, terms, params["limit"])


def predicted(action: str, chosen: Sequence[Mail]) -> list[Mail]:
    """Return the mails as they would be afterwards, if all goes well."""
    return [{**mail, "state": ACTIONS[action][1]} for mail in chosen]


def act(client: OdooClient, action: str, chosen: Sequence[Mail]) -> tuple[list[Mail], MailopsError | None]:
    """Carry out the action; return the mails as they are afterwards, and the error that stopped it.

    A mail that is gone was sent: Odoo deletes those that nobody needs any more. Raises MailopsError if it cannot be
    found out what became of them.
    """
    ids = [mail["id"] for mail in chosen]
    error: MailopsError | None = None
    try:
        _call(client, action, ids)
    except MailopsError as problem:
        error = problem
    found = client.search_read(MODEL, [("id", "in", ids)], ["state", "failure_reason"])
    now = {record["id"]: record for record in found}
    gone = {"state": ACTIONS[action][1], "failure_reason": None}
    after: list[Mail] = []
    for mail in chosen:
        record = now.get(mail["id"], gone)
        after.append({**mail, "state": record["state"], "failure_reason": record["failure_reason"] or None})
    return after, error


def reasons(after: Sequence[Mail]) -> list[str]:
    """Return why those of the mails failed that did, each reason once."""
    return sorted({_reason(mail["failure_reason"]) for mail in after if mail["state"] == "exception"})


def difference(before: Sequence[Mail], after: Sequence[Mail]) -> dict[str, str]:
    """Return Ansible's `diff`: one line a mail."""
    return {
        side: "".join(f"mail {mail['id']} to {', '.join(mail['recipients'])}: {mail['state']}\n" for mail in listed)
        for side, listed in (("before", before), ("after", after))
    }


def _call(client: OdooClient, action: str, ids: Sequence[int]) -> None:
    method = ACTIONS[action][2]
    if action != "send":
        client.call(MODEL, method, ids)
        return
    for start in range(0, len(ids), SEND_CHUNK):
        # Each mail's state is committed as soon as it has left, so that nothing Odoo repeats sends it twice.
        client.call(MODEL, method, ids[start : start + SEND_CHUNK], auto_commit=True)


def _grouped(client: OdooClient, terms: Domain, field: str) -> list[tuple[Any, int]]:
    # Deprecated in 19 and there; its successor is not in 14 to 18.
    groups = client.call(MODEL, "read_group", [], domain=terms, fields=[field], groupby=[field])
    return [(group[field], group[f"{field}_count"]) for group in groups]


def _reason(text: str | None) -> str:
    return ADDRESS.sub("(address)", " ".join((text or "no reason").split()))[:SHOWN_CHARACTERS]


def _recipients(record: Mapping[str, Any], addresses: Mapping[int, str]) -> list[str]:
    written = getaddresses([record["email_to"] or "", record["email_cc"] or ""])
    known = [addresses.get(number, "") for number in record["recipient_ids"]]
    return [address for address in [*(address for _name, address in written), *known] if address]


def _before(age: str) -> datetime:
    """Return the moment that lies so long ago."""
    found = re.fullmatch(r"([0-9]+)\s*([smhdw])", age.strip())
    try:
        if found:
            return datetime.now(timezone.utc) - timedelta(seconds=int(found.group(1)) * UNITS[found.group(2)])
    except (OverflowError, ValueError):
        pass  # before the calendar begins, or more digits than Python reads
    raise ValidationError(f"older_than is {age!r}", "It is a number and a unit: s, m, h, d or w, such as 2h.")


def _moment(text: str) -> str:
    try:
        return datetime.strptime(text.strip(), MOMENT).strftime(MOMENT)
    except ValueError:
        raise ValidationError(f"changed_since is {text!r}", "Write it as YYYY-MM-DD HH:MM:SS, in UTC.") from None


def _literally(part: str) -> str:
    """Return text for ilike to find as it stands: % and _ would match anything."""
    return re.sub(r"([\\%_])", r"\\\1", part)
