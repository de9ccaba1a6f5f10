# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys: PEM text for people, base64 on the wire (Odoo's binary fields)."""

from __future__ import annotations

import base64
import binascii


def certificate(value: str) -> str:
    """Return a certificate's PEM text with one newline at its end; ValueError if it is none, or not only that."""
    if "PRIVATE KEY" in value:
        raise ValueError("there is a private key in it, which belongs in smtp_ssl_private_key and is not shown there")
    return _pem(value, "CERTIFICATE-----", "certificate")


def private_key(value: str) -> str:
    """Return a private key's PEM text; ValueError if it is none, or one that needs a passphrase."""
    if "ENCRYPTED" in value:
        raise ValueError("the key is encrypted, and Odoo has no passphrase for it: give it unencrypted")
    return _pem(value, "PRIVATE KEY-----", "private key")


def _pem(value: str, mark: str, what: str) -> str:
    text = "\n".join(line.strip() for line in value.strip().splitlines())
    if not text.startswith("-----BEGIN ") or mark not in text:
        raise ValueError(f"this is no {what} in PEM form, which begins with -----BEGIN")
    return text + "\n"


def to_wire(value: str) -> str:
    """Return the text as Odoo takes a file's content."""
    return base64.b64encode(value.encode()).decode()


def from_wire(value: str) -> str:
    """Return a stored file as text in canonical form, whatever it is."""
    try:
        text = base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value
    return "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"
