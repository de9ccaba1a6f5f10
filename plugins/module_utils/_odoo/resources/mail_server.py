# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing servers: `ir.mail_server`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, OdooResource

# Ports whose encryption is fixed: 465 is implicit TLS (RFC 8314 section 3.3), 587 and 2525 upgrade by STARTTLS.
ENCRYPTION_OF_PORT = {465: "ssl", 587: "starttls", 2525: "starttls"}
STRICT = "_strict"


def _port(value: int) -> int:
    if not 1 <= value <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return value


def _check_port(item: Mapping[str, Any], place: str) -> None:
    """Raise ValidationError if the port does not fit the encryption, strict or not."""
    port, encryption = item.get("smtp_port"), item.get("encryption")
    expected = ENCRYPTION_OF_PORT.get(port) if port is not None else None
    if encryption is not None and expected is not None and encryption.removesuffix(STRICT) != expected:
        raise ValidationError(
            f"{place}: port {port} does not go with encryption {encryption}",
            f"Port {port} takes {expected}; 465 is for ssl, 587 and 2525 are for starttls.",
        )


def _filter_from_wire(value: str) -> list[str]:
    """Return a stored filter as a list; parts that match nothing are shown as they are."""
    return sorted({part.strip().lower() for part in value.split(",") if part.strip()})


class MailServer(OdooResource):
    """What holds between a server's options, and how a version expresses encryption."""

    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Check that the port fits the encryption, and that `verify` has something to verify."""
        encryption = item.get("encryption")
        _check_port(item, place)
        if item.get("verify") is not None and encryption not in ("starttls", "ssl"):
            raise ValidationError(f"{place}.verify needs encryption starttls or ssl beside it")

    def check_change(self, given: Mapping[str, Any], record: Mapping[str, Any], place: str) -> None:
        """Check a port or an encryption given alone against the other one as Odoo has it."""
        if "smtp_port" in given or "encryption" in given:
            _check_port(record, place)

    def prepare(self, item: Record, known: Known) -> tuple[Record, list[str]]:
        """Turn encryption and verify into Odoo's one value: `*_strict` verifies the certificate, where it exists."""
        prepared = dict(item)
        verify = prepared.pop("verify", None)
        encryption = prepared.get("encryption")
        if encryption not in ("starttls", "ssl"):
            return prepared, []
        choices = known.choices(self.field("encryption"))
        if verify is False:
            return prepared, []
        if encryption + STRICT in choices:
            prepared["encryption"] = encryption + STRICT
            return prepared, []
        return prepared, [f"{item['name']}: this version of Odoo does not verify the SMTP server's certificate"]


MAIL_SERVER = MailServer(
    model="ir.mail_server",
    label="mail server",
    plural="servers",
    key=("name",),
    fields=(
        Field("name"),
        Field("sequence", "int"),
        Field("active", "bool"),
        Field("smtp_host", required=True),
        Field("smtp_port", "int", required=True, normalize=_port),
        Field("encryption", wire="smtp_encryption", choices=("none", "starttls", "ssl"), required=True),
        Field("verify", "bool", option_only=True),
        Field("smtp_authentication", choices=("login", "cli")),
        Field("smtp_user"),
        Field("smtp_pass", secret=True),
        Field(
            "from_filter",
            "list",
            elements="str",
            normalize=addresses.from_filter,
            to_wire=",".join,
            from_wire=_filter_from_wire,
        ),
    ),
)
