# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses with names, read and written as Odoo does (odoo/tools/mail.py): nothing here refuses a value."""

from __future__ import annotations

from email.utils import getaddresses
from functools import lru_cache


@lru_cache(maxsize=1024)
def split(text: str) -> tuple[tuple[str, str], ...]:
    """Return the (name, address) of each address in a header's text; what has no @ is left out."""
    return tuple((name, address) for name, address in getaddresses([text]) if "@" in address)


def normalize(text: str) -> str:
    """Return the one address in a text as Odoo compares it, or '' where there is none or more than one."""
    found = split(text)
    return lower(found[0][1]) if len(found) == 1 else ""


def lower(address: str) -> str:
    """Return an address in lower case; a local part that is not ASCII stays, an IDN is not turned into xn--."""
    local, at, domain = address.rpartition("@")
    return (local.lower() if local.isascii() else local) + at + domain.lower()


def domain_of(address: str) -> str:
    """Return what follows the @ of a normalized address, '' for none."""
    return address.rpartition("@")[2]


def formatted(name: str, address: str) -> str:
    r"""Return `"name" <address>` with \ and " escaped, or the address alone where there is no name."""
    if not name:
        return address
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'


def renamed(sender: str, address: str) -> str:
    """Return another address with the sender's name, or with its local part where it has none."""
    name, old = split(sender)[0]
    return formatted(name or old.partition("@")[0], address)


def on_the_wire(text: str) -> str:
    """Return the last address in a text as SMTP carries it: the domain's labels in their xn-- form (RFC 5890)."""
    local, _at, domain = split(text)[-1][1].rpartition("@")
    labels = (
        label if label.isascii() else f"xn--{label.lower().encode('punycode').decode()}" for label in domain.split(".")
    )
    return f"{local}@{'.'.join(labels)}"
