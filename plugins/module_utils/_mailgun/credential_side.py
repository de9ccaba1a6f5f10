# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credentials of a domain at Mailgun: listed once, proved, and written one call each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome, apply_each
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    MailopsError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import HIDDEN
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import proof as proving
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.client import Mailgun, at
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.proof import Prover
from ansible_collections.mailops.odoo.plugins.module_utils._smtp.probe import Proof

SAME = "cannot be the same as old"


class RefusedAfterChangeError(MailopsError):
    """The submission server does not take a password that the API took."""

    kind = "not_proved"


class CredentialSide:
    """The credentials of one domain; `update` is the option update_secret.

    `proofs` has for each login what is known of its password: Proof(True, …) that it is in force, Proof(False, …) that
    this could not be proved, and why; Proof(None, …) that it was not tried.
    """

    def __init__(self, client: Mailgun, prover: Prover, domain: str, update: str) -> None:
        self.proofs: dict[str, Proof] = {}
        self.warnings: list[str] = []
        self._same: set[str] = set()  # of which Mailgun said that they have the password already
        self._client = client
        self._prover = prover
        self._domain = domain
        self._update = update
        self._path = at("/v3/domains", domain, "credentials")

    def load(self, items: Sequence[Record], *, absent: bool = False, check_mode: bool = False) -> list[Existing]:
        """Return the credentials for the plan: a password that is not to be changed counts as the one wanted.

        Raises NotFoundError if there is no such domain, unless the items are to be `absent`; in check mode an earlier
        task may have been to create it.
        """
        try:
            logins = [login for login in map(_login, self._client.items(self._path)) if login]
        except NotFoundError as error:
            other = self._client.region_of(self._domain)
            if other:
                error.remedy = f"The domain is in region {other}: say region: {other}."
                raise
            error.remedy = "The module mailgun_domain creates the domain; check domain and region."
            if not (absent or check_mode):
                raise
            granted = (
                "it has no credentials then" if absent else "check mode takes it for granted that it would be there"
            )
            self.warnings.append(f"{error.message}; {granted}")
            logins = []
        wanted = {item["login"]: item["password"] for item in items if item.get("password") and not absent}
        standing = self._standing({login: wanted[login] for login in logins if login in wanted}, check_mode)
        return [Existing(0, {"login": login, "password": standing.get(login, HIDDEN)}) for login in logins]

    def _standing(self, wanted: Mapping[str, str], check_mode: bool) -> dict[str, str]:
        """Return the passwords of existing logins that are not to be written."""
        if self._update == "on_create":
            self.proofs.update(
                dict.fromkeys(wanted, Proof(None, "not tried: it exists, and update_secret is on_create"))
            )
            return dict(wanted)
        proofs = self._prover.prove(wanted)
        self.proofs.update({login: Proof(bool(proof.authenticated), proof.reason) for login, proof in proofs.items()})
        unknown = {login: proof for login, proof in proofs.items() if proof.authenticated is None}
        always = self._update == "always"
        if not always or check_mode:  # what is written is proved again, and warned of then
            self._warn(unknown, "update_secret is always: they are written" if always else "they are left as they are")
        kept = (True,) if always else (True, None)
        return {login: wanted[login] for login, proof in proofs.items() if proof.authenticated in kept}

    def _warn(self, unproved: Mapping[str, Proof], done: str) -> None:
        if unproved:
            reason = next(iter(unproved.values())).reason
            self.warnings.append(
                f"that these have the wanted password could not be proved at {self._prover.host}:{self._prover.port}: "
                f"{', '.join(unproved)}: {reason}; {done}"
            )

    def make(self, changes: Sequence[Change]) -> Outcome:
        """Carry out the changes; what goes goes last, when the new passwords were proved."""
        written = [change for change in changes if change.action != "delete"]
        deletions = [change for change in changes if change.action == "delete"]
        outcome = apply_each(written, self._carry_out)
        refused = self._settle([change for change in written if change not in _not_done(outcome)])
        if refused and outcome.error:
            self.warnings.append(refused.text())
        outcome.error = outcome.error or refused
        if outcome.error:
            outcome.remaining.extend(deletions)
            return outcome
        gone = apply_each(deletions, self._carry_out)
        gone.applied = outcome.applied + gone.applied
        return gone

    def _carry_out(self, change: Change) -> bool:
        if change.action == "delete":
            return self._delete(change.name)
        password = change.values["password"]
        if change.action == "create":
            self._client.post(self._path, {"login": change.name, "password": password}, password)
            return True
        try:
            self._client.put(at(self._path, change.name), {"password": password}, password)
        except ValidationError as error:
            if SAME not in error.message.lower():
                raise
            self._same.add(change.name)
            return False
        return True

    def _delete(self, login: str) -> bool:
        try:
            self._client.delete(at(self._path, login))
        except NotFoundError:
            return False
        return True

    def _settle(self, done: Sequence[Change]) -> MailopsError | None:
        """Prove what was written; return the error if a password is refused."""
        passwords = {change.name: change.values["password"] for change in done}
        proofs = self._prover.settle(passwords)
        for login in self._same:
            if proofs[login].authenticated is None:
                proofs[login] = Proof(True, "by Mailgun's API it is the password already")
        self.proofs.update({login: Proof(bool(proof.authenticated), proof.reason) for login, proof in proofs.items()})
        self._warn({login: proof for login, proof in proofs.items() if proof.authenticated is None}, "they are written")
        refused = [login for login, proof in proofs.items() if proof.authenticated is False]
        if not refused:
            return None
        server = f"{self._prover.host}:{self._prover.port}"
        return RefusedAfterChangeError(
            f"Mailgun's API took the new passwords of {', '.join(refused)}, and {server} still refuses them after "
            f"{proving.SPREADING_SECONDS:.0f} s: {proofs[refused[0]].reason}",
            "By the API the new passwords are in force and the old ones are not. Check that smtp_host is that of the "
            "domain's region, then run again, which tries them first.",
        )

    def shown(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of a credential's password, as results show it."""
        why = "the password is not written" if item.get("password") else "no password was given or set"
        proof = self.proofs.get(item["login"], Proof(None, f"not tried: {why}"))
        return {"login": item["login"], "proved": proof.authenticated, "reason": proof.reason}


def _login(item: Mapping[str, Any]) -> str:
    return str(item.get("login") or item.get("mailbox") or "").lower()


def _not_done(outcome: Outcome) -> list[Change]:
    return [*([outcome.failed] if outcome.failed else []), *outcome.uncertain, *outcome.remaining]
