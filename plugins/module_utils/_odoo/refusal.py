# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Odoo's own errors as ours, the same for every protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._core import errors
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import redact_text


def explained(what: str, name: str, message: object, secrets: Sequence[str], user: str) -> errors.MailopsError:
    """Return the error for a call Odoo refused.

    `what` is the call, `name` the Python exception's full name, `user` who called, to begin a sentence with.
    """
    text = " ".join(redact_text(str(message or "no text"), secrets).split())
    told = f"Odoo refused {what}: {text}"
    short = name.rsplit(".", 1)[-1]
    if short in ("AccessDenied", "AccessError", "Forbidden"):
        return errors.AuthenticationError(told, f"{user} needs Settings rights in Odoo.")
    if short == "MissingError":
        return errors.NotFoundError(told)
    if short in ("UniqueViolation", "IntegrityError"):
        return errors.ConflictError(told)
    if short in ("OperationalError", "SerializationFailure", "LockNotAvailable"):
        return errors.TemporaryError(told, "Run it again.")
    if short == "NotFound" or (short == "UserError" and "doesn't exist" in text):
        return errors.NotFoundError(told, "Is the app that brings this model installed?")
    return errors.ValidationError(told)


def missing_database(message: str, base_url: str) -> errors.MailopsError | None:
    """Return the error for PostgreSQL's message that a database cannot be used, or None for another message."""
    found = re.search(r'database "([^"]*)" (does not exist|is not currently accepting)', message)
    return no_database(base_url, found.group(1)) if found else None


def no_database(base_url: str, database: str) -> errors.MailopsError:
    """Return the error for a database that this server does not offer."""
    return errors.NotFoundError(f"the Odoo at {base_url} has no usable database {database!r}", "Check odoo_database.")
