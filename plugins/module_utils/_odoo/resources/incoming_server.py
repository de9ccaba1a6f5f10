# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incoming servers: `fetchmail.server` (module `fetchmail` on Odoo 14 and 15, `mail` from 16 on).

Odoo does not set a confirmed server back to draft when it is written (read in 14 and 19): it goes on fetching with
whatever it was given. So Odoo is made to log in after every change of what a login depends on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import NotFoundError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Reference
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import confirmation, neutralized
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, OdooResource, OdooSide
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.store import OdooStore

# Ports with a fixed meaning (RFC 8314 sections 3.2 and 3.3, RFC 9051, RFC 1939): protocol, TLS from the start.
PORTS = {143: ("imap", False), 993: ("imap", True), 110: ("pop", False), 995: ("pop", True)}


def _port(value: int) -> int:
    if not 1 <= value <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return value


def _protocol(server_type: str | None) -> str | None:
    return "imap" if server_type in confirmation.OAUTH else server_type


def _tls(item: Mapping[str, Any]) -> bool:
    """Return whether TLS is asked for, or what the port stands for; yes if neither says."""
    return bool(item.get("is_ssl", PORTS.get(item.get("port") or 0, ("", True))[1]))


def _check_port(record: Mapping[str, Any], place: str) -> None:
    """Raise ValidationError if a well-known port goes with another protocol, or the wrong use of TLS."""
    known = PORTS.get(record.get("port") or 0)
    given = (_protocol(record.get("server_type")), record.get("is_ssl"))
    if known and any(value is not None and value != meant for value, meant in zip(given, known, strict=True)):
        raise ValidationError(
            f"{place}: port {record['port']} is for server_type {known[0]} with is_ssl {str(known[1]).lower()}",
            "imap takes 993 with is_ssl and 143 without, pop takes 995 and 110.",
        )


class IncomingServers(OdooStore):
    """The servers in Odoo, where being confirmed is no value that can be written."""

    def write(self, ids: Sequence[int], values: Record) -> None:
        """Write the values, if there is one besides the confirmation."""
        if set(values) - {"confirmed"}:
            super().write(ids, values)

    def _encode(self, values: Mapping[str, Any]) -> dict[str, Any]:
        wire = super()._encode({name: value for name, value in values.items() if name != "confirmed"})
        for kind in confirmation.OAUTH.values():
            if kind.token in wire:
                # With the access token Odoo got for the former one a login would prove nothing.
                wire[kind.token.replace("refresh", "access")] = False
        return wire


def _completed(item: Mapping[str, Any]) -> Record:
    """Return a new server with what Odoo's form, but not its API, puts in; TLS unless the port says otherwise."""
    server_type = item.get("server_type")
    if server_type in (None, "local"):
        return dict(item)
    tls = _tls(item)
    port = next(port for port, meant in PORTS.items() if meant == (_protocol(server_type), tls))
    oauth = confirmation.oauth_of(item)
    return {**({"server": oauth.host} if oauth else {}), "port": port, **item, "is_ssl": tls}


class IncomingServer(OdooResource):
    """What holds between a server's options, and what a version calls them."""

    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Check that the port fits, and that an OAuth type has TLS and no password, as Odoo itself demands."""
        _check_port(item, place)
        if item.get("server_type") in confirmation.OAUTH:
            if item.get("is_ssl") is False:
                raise ValidationError(f"{place}: server_type {item['server_type']} needs is_ssl")
            if item.get("password"):
                raise ValidationError(
                    f"{place}: server_type {item['server_type']} logs in with a token, not a password"
                )

    def check_change(self, given: Mapping[str, Any], record: Mapping[str, Any], place: str) -> None:
        """Check a port, type or use of TLS given alone against the others as Odoo has them."""
        if {"port", "server_type", "is_ssl"} & set(given):
            _check_port(record, place)

    def prepare(self, item: Record, known: Known) -> tuple[Record, list[str]]:
        """Turn the OAuth types into IMAP and a flag where the version has it so (15, late 14)."""
        prepared, warnings = dict(item), []
        server_type = item.get("server_type")
        for name, kind in confirmation.OAUTH.items():
            if server_type is not None and known.has(self.field(kind.flag)):
                prepared[kind.flag] = server_type == name
                if server_type == name:
                    prepared["server_type"] = "imap"
        if server_type == "pop":
            warnings.append(
                f"{item['name']}: POP fetches the mailbox's whole history and deletes it there; IMAP fetches unread "
                "mail and leaves it"
            )
        if not _tls(item) and server_type != "local":
            warnings.append(
                f"{item['name']}: without is_ssl Odoo sends the password in clear; it knows no STARTTLS here"
            )
        return prepared, warnings

    def exported(self, record: Record, known: Known) -> Record | None:
        """Turn what the version says back into the type."""
        item = super().exported(record, known)
        oauth = next((name for name, kind in confirmation.OAUTH.items() if record.get(kind.flag)), None)
        return item and {**item, **({"server_type": oauth} if oauth else {})}

    def check_with(self, client: OdooClient, items: Sequence[Record]) -> None:
        """Check that mail can become records of the models named: Odoo itself would fail only when mail arrives."""
        named = sorted({item["object_id"] for item in items if item.get("object_id")})
        if not named:
            return
        found = client.search_read("ir.model", [("model", "in", named)], ["model", "is_mail_thread"])
        unfit = [record["model"] for record in found if not record["is_mail_thread"]]
        if unfit:
            raise NotFoundError(
                f"object_id: mail cannot become records of {', '.join(unfit)}, which has no mail thread"
            )

    def complete(self, item: Mapping[str, Any], record: Mapping[str, Any] | None) -> Record:
        """Return a new server complete, and one that is to fetch confirmed."""
        completed = _completed(item) if record is None else dict(item)
        token = "microsoft_outlook_refresh_token"
        if completed.get(token) and (record or {}).get(token):
            # Odoo replaces it with every access token it gets, so ours is an older one.
            del completed[token]
        if confirmation.fetches({**(record or {}), **completed}):
            completed["confirmed"] = True
        return completed

    def needed(self, item: Mapping[str, Any]) -> list[str]:
        """Return what the type needs to log in."""
        if item.get("server_type") == "local":
            return ["server_type"]
        return ["server_type", "server", "user", *([] if confirmation.oauth_of(item) else ["password"])]

    def options(self) -> dict[str, dict[str, Any]]:
        """Return what to do about the same server under another name, and about a neutralised copy."""
        return {"adopt": {"type": "bool"}, **neutralized.OPTION}

    def domain(self, items: Sequence[Record]) -> list[Any]:
        """Also read what may be the same mailbox under another name; Odoo's search would mind the letters' case."""
        named = super().domain(items)
        ports = sorted({completed["port"] for completed in map(_completed, items) if completed.get("port")})
        return ["|", *named, ("port", "in", ports)] if ports else named

    def open(self, client: OdooClient) -> OdooSide:
        """Return the servers."""
        return IncomingServers(client, self)

    def guard(self, client: OdooClient, changes: Sequence[Change], options: Mapping[str, Any]) -> list[str]:
        """Refuse to let a neutralised copy fetch, and so take the mail away from the live database."""
        begins: list[str] = []
        warnings: list[str] = []
        for change in changes:
            record = {**change.before, **change.values}
            if change.action == "delete":
                continue
            if confirmation.fetching(record) and not confirmation.fetching(change.before):
                begins.append(change.name)
            if confirmation.lacks_consent(record):
                warnings.append(
                    f"{change.name} cannot log in before somebody has opened it in Odoo and pressed Connect"
                )
        if begins and options["neutralized"] == "refuse":
            neutralized.refuse_if_neutralized(client, f"let it fetch from {', '.join(begins)}")
        return warnings

    def settle(
        self, client: OdooClient, side: OdooSide, outcome: Outcome, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Confirm what was changed by logging in; put back what Odoo cannot log in to."""
        confirmation.confirm(self, client, side, outcome)
        return {}


INCOMING_SERVER = IncomingServer(
    model="fetchmail.server",
    label="incoming server",
    plural="incoming_servers",
    key=("name",),
    twin=("server", "port", "user"),
    fields=(
        Field("name"),
        Field("active", "bool", default=True),
        Field("server_type", choices=("imap", "pop", "local", "gmail", "outlook"), required=True),
        Field("server"),
        Field("port", "int", clear=0, normalize=_port, from_wire=lambda port: port or None),
        Field("is_ssl", "bool"),
        Field("user"),
        Field("password", secret=True),
        Field("google_gmail_refresh_token", secret=True),
        Field("microsoft_outlook_refresh_token", secret=True),
        Field("object_id", reference=Reference("ir.model", "model")),
        Field("attach", "bool", default=True),
        Field("original", "bool", default=False),
        Field("priority", "int", default=5),
        *(Field(kind.flag, "bool", internal=True) for kind in confirmation.OAUTH.values()),
        Field("confirmed", "bool", wire="state", internal=True, from_wire=lambda state: state == "done"),
    ),
)
