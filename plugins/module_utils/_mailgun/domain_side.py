# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains in a Mailgun account: read, written, verified and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    MailopsError,
    NotFoundError,
    ProtocolError,
    TemporaryError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.client import Mailgun, at
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.domain import (
    describe,
    form,
    record_of,
    tracking_form,
    tracking_of,
)

OWNED = (
    "If running again does not find it, another account (or a subaccount, or this account in Mailgun's other region) "
    "owns it. Remove it there, ask Mailgun's support to release it, or take another subdomain."
)
# Seconds between looks; the last is repeated.
VERIFY = (2.0, 4.0, 8.0, 16.0, 30.0)
DELETE = (0.2, 1.0, 2.0, 4.0)
# How long Mailgun may take to delete a domain in the background.
DELETE_SECONDS = 120.0


class NotVerifiedError(TemporaryError):
    """Mailgun does not find a domain's records in DNS yet."""

    kind = "not_verified"
    definite = True


class DomainSide:
    """One domain of an account.

    Reads: the domain, and its tracking if it exists. `region` and `inbound` are for what is shown.
    """

    def __init__(self, client: Mailgun, name: str, region: str, inbound: bool = False) -> None:
        self.waited = 0.0
        self._client = client
        self._name = name
        self._region = region
        self._inbound = inbound
        self._answer: dict[str, Any] = {}
        self._tracking: dict[str, Any] = {}

    def load(self) -> list[Existing]:
        """Read the domain; return it for the plan, nothing where it does not exist."""
        try:
            self._see(self._client.get(at("/v4/domains", self._name)))
        except NotFoundError:
            return []
        self.read_tracking()
        return [Existing(0, record_of(self.shown(), self._tracking))]

    def read_tracking(self) -> None:
        """Read what is tracked, if that is not known: a new domain's is read after its creation was counted."""
        if not self._tracking:
            self._tracking = tracking_of(self._client.get(at("/v3/domains", self._name, "tracking")))

    @property
    def exists(self) -> bool:
        """Whether the domain was seen."""
        return bool(self._answer)

    def shown(self) -> dict[str, Any]:
        """Return the results that show the domain as it was last seen."""
        return describe(self._answer, self._tracking, self._region, self._inbound)

    def guard(self, changes: Sequence[Change]) -> str:
        """Return the other region if a domain that is not here is there.

        ConflictError if it is to be created, TemporaryError if it is and the other region does not say.
        """
        other = "" if self.exists else self._client.region_of(self._name, certain=bool(changes))
        if other and changes:
            raise ConflictError(
                f"domain {self._name} is in region {other} and not in {self._region}",
                f"Say region: {other}, or delete it there first.",
            )
        return other

    def carry_out(self, step: Change, verify_timeout: float) -> bool:
        """Make one step's call, if there is still something to do; return whether there was."""
        if step.action == "create":
            self._create(step.values)
            return True
        if step.action == "delete":
            return self._delete()
        if "verified" in step.values:
            return self._verify(verify_timeout)
        if "tracking" in step.values:
            return self._track(step.values["tracking"])
        current = record_of(self.shown(), self._tracking)
        differing = {option: value for option, value in step.values.items() if value != current.get(option)}
        if differing:
            self._see(self._client.put(at("/v4/domains", self._name), form(differing)))
        return bool(differing)

    def _see(self, answer: dict[str, Any]) -> None:
        """Take over the domain in an answer; ProtocolError if there is none."""
        domain = answer.get("domain")
        if not isinstance(domain, Mapping) or not {"name", "state"} <= set(domain):
            raise ProtocolError(
                "Mailgun answered without the domain", "Check api_url, and what a proxy on the way does."
            )
        self._answer = answer

    def _create(self, values: Mapping[str, Any]) -> None:
        try:
            self._see(self._client.post("/v4/domains", form(values)))
        except ConflictError as error:
            error.remedy = OWNED
            raise

    def _track(self, wanted: Mapping[str, Any]) -> bool:
        self.read_tracking()
        differing = {option: value for option, value in wanted.items() if value != self._tracking[option]}
        for option, value in differing.items():
            self._client.put(at("/v3/domains", self._name, "tracking", option), tracking_form(option, value))
            self._tracking[option] = value
        return bool(differing)

    def _verify(self, seconds: float) -> bool:
        """Ask for verification until the domain is verified; NotVerifiedError after so many seconds."""
        self.read_tracking()
        if self.shown()["domain"]["verified"]:
            return False
        clock, path = self._client.clock, at("/v4/domains", self._name, "verify")
        begun, looks = clock.now(), 0
        while True:
            self._see(self._client.put(path, {}))
            self.waited = clock.now() - begun
            domain = self.shown()["domain"]
            if domain["verified"]:
                return True
            if domain["is_disabled"] or self.waited >= seconds:
                raise self._not_verified()
            clock.sleep(min(VERIFY[min(looks, len(VERIFY) - 1)], seconds - self.waited))
            looks += 1

    def _not_verified(self) -> NotVerifiedError:
        domain = self.shown()["domain"]
        records = {f"{record['name']} {record['type']}": record for record in self.shown()["sending_records"]}
        missing = ", ".join(f"{label} ({records[label]['state']})" for label in domain["awaited"])
        why = f"it does not find the right {missing}" if missing else f"its state is {domain['state']}"
        if domain["is_disabled"]:
            why += f"; it is disabled: {domain['disabled_because']}"
        return NotVerifiedError(
            f"Mailgun has not verified the domain after {self.waited:.0f} s: {why}",
            "Publish dns_records as they are returned; running again goes on with it.",
        )

    def _delete(self) -> bool:
        """Delete the domain and wait until it is gone; return whether it was still there."""
        try:
            self._client.delete(at("/v3/domains", self._name))
        except NotFoundError:
            return False
        try:
            self._await_deletion()
        except MailopsError as error:
            error.definite = False  # the deletion was taken
            raise
        return True

    def _await_deletion(self) -> None:
        """Wait until Mailgun, which deletes in the background, does not know the domain any more."""
        clock, path = self._client.clock, at("/v4/domains", self._name)
        begun, looks = clock.now(), 0
        while True:
            try:
                self._client.get(path)
            except NotFoundError:
                return
            finally:
                self.waited = clock.now() - begun
            if self.waited >= DELETE_SECONDS:
                raise TemporaryError(
                    f"Mailgun took the deletion and still has the domain after {DELETE_SECONDS:.0f} s",
                    "It deletes in the background; running again looks at it first.",
                )
            clock.sleep(DELETE[min(looks, len(DELETE) - 1)])
            looks += 1
