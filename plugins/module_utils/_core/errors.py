# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed errors: raised where a failure is understood, turned into one fail_json at the edge."""

from __future__ import annotations


class MailopsError(Exception):
    """A failure an administrator can act on.

    `message` says what was tried and what came back, `remedy` what to do; neither holds a secret.
    `definite` is true when it is certain that nothing was written by the failed call.
    """

    kind = "error"
    definite = True

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def text(self) -> str:
        """Return message and remedy as sentences of one line, for fail_json."""
        return f"{self.message.rstrip('.')}. {self.remedy}".strip()


class AuthenticationError(MailopsError):
    """The credentials were refused, or may not do this."""

    kind = "authentication"


class NotFoundError(MailopsError):
    """What was named does not exist."""

    kind = "not_found"


class ValidationError(MailopsError):
    """A value is wrong, or cannot be expressed by this version."""

    kind = "validation"


class ConflictError(MailopsError):
    """Two things claim the same place."""

    kind = "conflict"


class UnreachableError(MailopsError):
    """No connection could be made, so nothing was sent."""

    kind = "unreachable"


class CertificateError(UnreachableError):
    """The server's TLS certificate was not accepted."""

    kind = "certificate"


class TemporaryError(MailopsError):
    """The call may work later; whether it was carried out is not known."""

    kind = "temporary"
    definite = False


class ProtocolError(MailopsError):
    """An answer came that is not of the expected form; whether the call was carried out is not known.

    `status` is its HTTP status code, 0 where there is none.
    """

    kind = "protocol"
    definite = False

    def __init__(self, message: str, remedy: str = "", status: int = 0) -> None:
        super().__init__(message, remedy)
        self.status = status
