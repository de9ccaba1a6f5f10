# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing servers: `ir.mail_server`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Reference
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import (
    addresses,
    neutralized,
    oauth,
    pem,
    server_guards,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, OdooResource, OdooSide
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.server_test import ServerTest

# Ports whose encryption is fixed: 465 is implicit TLS (RFC 8314 section 3.3), 587 and 2525 upgrade by STARTTLS.
ENCRYPTION_OF_PORT = {465: "ssl", 587: "starttls", 2525: "starttls"}
STRICT = "_strict"
# What Odoo's conditions on a server are about.
CONDITIONS = {
    "smtp_authentication", "encryption", "smtp_user", "smtp_pass", "smtp_ssl_certificate", "smtp_ssl_private_key",
    "from_filter", "owner",
}  # fmt: skip


def _port(value: int) -> int:
    if not 1 <= value <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return value


def _size(value: float) -> float | None:
    """Return a size in MiB; 0 is Odoo's way to say that none is set."""
    if value < 0:
        raise ValueError("a size in MiB cannot be negative")
    return float(value) or None


def port_trouble(port: int | None, encryption: str | None) -> tuple[str, str]:
    """Return in what a port does not fit its encryption, strict or not, and what does; two empty texts if it fits."""
    expected = ENCRYPTION_OF_PORT.get(port) if port is not None else None
    if encryption is None or expected is None or encryption.removesuffix(STRICT) == expected:
        return "", ""
    return (
        f"port {port} does not go with encryption {encryption}",
        f"Port {port} takes {expected}; 465 is for ssl, 587 and 2525 are for starttls.",
    )


def _check_port(item: Mapping[str, Any], place: str) -> None:
    reason, remedy = port_trouble(item.get("smtp_port"), item.get("encryption"))
    if reason:
        raise ValidationError(f"{place}: {reason}", remedy)


def _check_certificate(record: Mapping[str, Any], place: str) -> None:
    """Check what authentication by certificate needs, which Odoo would refuse (encryption: 18 and later only)."""
    if record.get("smtp_authentication") != "certificate":
        return
    missing = [name for name in ("smtp_ssl_certificate", "smtp_ssl_private_key") if not record.get(name)]
    if missing:
        raise ValidationError(f"{place}: smtp_authentication certificate needs {' and '.join(missing)}")
    if record.get("encryption") == "none":
        raise ValidationError(f"{place}: smtp_authentication certificate needs encryption starttls or ssl")


def _check_owner(record: Mapping[str, Any], place: str) -> None:
    """Check that Odoo would take the server for its owner's: it compares both with the owner's address (19)."""
    if record.get("owner") and record.get("from_filter") != [str(record.get("smtp_user")).lower()]:
        raise ValidationError(
            f"{place}: a server with an owner needs the owner's address as smtp_user and as its only from_filter"
        )


def _filter_from_wire(value: str) -> list[str]:
    """Return a stored filter as a list; parts that match nothing are shown as they are."""
    return sorted({part.strip().lower() for part in value.split(",") if part.strip()})


class MailServer(OdooResource):
    """What holds between a server's options, and how a version expresses them."""

    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Check what can be told without knowing the server as it is."""
        encryption, authentication = item.get("encryption"), item.get("smtp_authentication", "")
        _check_port(item, place)
        if item.get("verify") is not None and encryption not in ("starttls", "ssl"):
            raise ValidationError(f"{place}.verify needs encryption starttls or ssl beside it")
        if authentication in oauth.SERVICES:
            if item.get("verify"):
                raise ValidationError(f"{place}.verify: Odoo has no verification for {authentication}")
            # What is not given may be right in Odoo.
            oauth.check({"encryption": "starttls", "smtp_user": "in Odoo", **item}, place)
            _check_login(item, place)

    def check_change(self, given: Mapping[str, Any], record: Mapping[str, Any], place: str) -> None:
        """Check the server as a whole, as Odoo will have it."""
        if "smtp_port" in given or "encryption" in given:
            _check_port(record, place)
        if CONDITIONS & given.keys():
            _check_certificate(record, place)
            oauth.check(record, place)
            _check_owner(record, place)

    def complete(self, item: Mapping[str, Any], record: Mapping[str, Any] | None) -> Record:
        """Put in what a change to OAuth brings with it."""
        return oauth.complete(item, record)

    def needed(self, item: Mapping[str, Any]) -> list[str]:
        """Return nothing for a server that takes all from odoo.conf."""
        return [] if item.get("smtp_authentication") == "cli" else super().needed(item)

    def prunable(self, record: Mapping[str, Any]) -> bool:
        """Leave alone the servers that users have set up for themselves."""
        return not record.get("owner")

    def prepare(self, item: Record, known: Known) -> tuple[Record, list[str]]:
        """Say it as this version does."""
        prepared = dict(item)
        self._prepare_authentication(prepared, known)
        self._prepare_filter(prepared, known)
        return prepared, self._prepare_encryption(prepared, known)

    def _prepare_authentication(self, prepared: Record, known: Known) -> None:
        """Up to 15 (and late 14) OAuth is a boolean of its own; 14 has no field for the authentication at all."""
        given = prepared.get("smtp_authentication")
        if given is None:
            return
        for name, service in oauth.SERVICES.items():
            if known.has(self.field(service.flag)):
                prepared[service.flag] = given == name
                if given == name:
                    prepared["smtp_authentication"] = "login"
        if prepared["smtp_authentication"] == "login" and not known.has(self.field("smtp_authentication")):
            del prepared["smtp_authentication"]

    def _prepare_filter(self, prepared: Record, known: Known) -> None:
        """15 and 16 compare the filter as a whole. They are known by lacking cli, which came with lists (17)."""
        parts = prepared.get("from_filter") or []
        authentication = self.field("smtp_authentication")
        if len(parts) > 1 and known.has(authentication) and "cli" not in known.choices(authentication):
            raise ValidationError(
                f"{self.label} {prepared['name']}: from_filter has {len(parts)} parts ({', '.join(parts)}), "
                "and this Odoo knows no list there (17 and later do): it would match nothing",
                "Make one server for each.",
            )

    def _prepare_encryption(self, prepared: Record, known: Known) -> list[str]:
        """Turn encryption and verify into Odoo's one value: `*_strict` verifies the certificate, where it exists."""
        verify = prepared.pop("verify", None)
        encryption = prepared.get("encryption")
        if encryption not in ("starttls", "ssl") or verify is False or oauth.kind(prepared):
            return []
        if encryption + STRICT in known.choices(self.field("encryption")):
            prepared["encryption"] = encryption + STRICT
            return []
        return [f"{prepared['name']}: this version of Odoo does not verify the SMTP server's certificate"]

    def exported(self, record: Record, known: Known) -> Record | None:
        """Turn what the version says back into the options; a user's own server is no matter of a policy."""
        item = super().exported(record, known)
        if item is None or record.get("owner"):
            return None
        service = oauth.kind(record)
        if service:
            item["smtp_authentication"] = service
            return item
        encryption = str(record["encryption"]).removesuffix(STRICT)
        item["encryption"] = encryption
        if encryption + STRICT in known.choices(self.field("encryption")):
            item["verify"] = record["encryption"] != encryption
        return item

    def domain(self, items: Sequence[Record]) -> list[Any]:
        """Also read what may be the same server under another name; Odoo's search would mind the letters' case."""
        named = super().domain(items)
        completed = [self.complete(item, None) for item in items]
        ports = sorted({item["smtp_port"] for item in completed if item.get("smtp_port")})
        return ["|", *named, ("smtp_port", "in", ports)] if ports else named

    def options(self) -> dict[str, dict[str, Any]]:
        """Return what the modules take beside the servers."""
        return {
            "test": {"type": "str", "choices": ["on_change", "always", "never"], "default": "on_change"},
            "adopt": {"type": "bool"},
            "force": {"type": "bool", "default": False},
            **neutralized.OPTION,
        }

    def guard(self, client: OdooClient, changes: Sequence[Change], options: Mapping[str, Any]) -> list[str]:
        """Refuse what would stop mail, or make a copy of a database send it."""
        if not options["force"]:
            server_guards.refuse_if_used(client, changes)
        if options["neutralized"] == "refuse":
            server_guards.refuse_to_revive(client, changes)
        server_guards.refuse_second_server_of_owner(client, changes)
        return server_guards.without_consent(changes)

    def settle(
        self, client: OdooClient, side: OdooSide, outcome: Outcome, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Run Odoo's connection test."""
        if options["test"] == "never" or options.get("state") == "absent":
            return {}
        test = ServerTest(client, side, outcome)
        test.changed()
        if options["test"] == "always":
            given = options.get(self.plural, [options])
            test.others([{"name": item["name"]} for item in given])
        return {"tests": test.results}


def _check_login(item: Mapping[str, Any], place: str) -> None:
    try:
        if item.get("smtp_user"):
            addresses.address(item["smtp_user"])
    except ValueError as error:
        raise ValidationError(f"{place}.smtp_user is {item['smtp_user']!r}: {error}") from None


def _file(name: str, **how: Any) -> Field:
    return Field(name, to_wire=pem.to_wire, from_wire=pem.from_wire, **how)


def _oauth_fields() -> tuple[Field, ...]:
    return tuple(
        field
        for service in oauth.SERVICES.values()
        for field in (
            Field(service.consent, secret=True),
            Field(service.access, secret=True, internal=True),
            Field(service.flag, "bool", internal=True),
        )
    )


MAIL_SERVER = MailServer(
    model="ir.mail_server",
    label="mail server",
    plural="servers",
    key=("name",),
    twin=("smtp_host", "smtp_port", "smtp_user", "owner"),
    fields=(
        Field("name"),
        Field("sequence", "int"),
        Field("active", "bool", default=True),
        Field("smtp_host", required=True),
        Field("smtp_port", "int", required=True, normalize=_port),
        Field("encryption", wire="smtp_encryption", choices=("none", "starttls", "ssl"), required=True),
        Field("verify", "bool", option_only=True, default=True),
        Field("smtp_authentication", choices=("login", "certificate", "cli", "gmail", "outlook"), default="login"),
        Field("smtp_user"),
        Field("smtp_pass", secret=True),
        _file("smtp_ssl_certificate", normalize=pem.certificate),
        _file("smtp_ssl_private_key", normalize=pem.private_key, secret=True),
        *_oauth_fields(),
        Field(
            "from_filter",
            "list",
            elements="str",
            normalize=addresses.from_filter,
            to_wire=",".join,
            from_wire=_filter_from_wire,
        ),
        Field("max_email_size", "float", clear=0, normalize=_size, from_wire=_size),
        Field("smtp_debug", "bool", default=False),
        Field("owner", wire="owner_user_id", reference=Reference("res.users", "login")),
    ),
)
