# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether passwords are in force, shown by logging in: they cannot be read back."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.mailops.odoo.plugins.module_utils._core.calls import Clock
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._smtp.probe import Proof, Target, authenticates, check

AT_ONCE = 8
IMPLICIT_TLS = 465
# A new password takes a moment to reach the submission servers: seconds between tries, and how long in all.
SPREADING = (0.3, 1.0, 2.0, 4.0)
SPREADING_SECONDS = 30.0


class Prover:
    """Logs in at a submission server, over TLS: from the start at port 465, by STARTTLS at others."""

    def __init__(self, host: str, port: int, ca_file: str | None, clock: Clock) -> None:
        self.host, self.port = host, port
        self._encryption = "ssl" if port == IMPLICIT_TLS else "starttls"
        self._ca_file = ca_file or ""
        self._clock = clock
        try:
            check(Target(host, port, self._encryption, ca_file=self._ca_file))
        except ValueError as error:
            raise ValidationError(f"smtp_{error}") from None

    def prove(self, passwords: Mapping[str, str]) -> dict[str, Proof]:
        """Return for each login whether its password is taken, None where the server cannot be asked.

        Where it cannot be asked for the first, the others are not tried: each may cost a time-out.
        """
        if not passwords:
            return {}
        first, *others = passwords
        proofs = {first: self._try(first, passwords[first])}
        if proofs[first].authenticated is None:
            return dict.fromkeys(passwords, proofs[first])
        with ThreadPoolExecutor(AT_ONCE) as pool:
            proofs.update(zip(others, pool.map(lambda login: self._try(login, passwords[login]), others), strict=True))
        return proofs

    def settle(self, passwords: Mapping[str, str]) -> dict[str, Proof]:
        """Return the same for passwords that were set just now: a refusal counts only when it lasts."""
        proofs = self.prove(passwords)
        begun, tries = self._clock.now(), 0
        while True:
            refused = {login: passwords[login] for login, proof in proofs.items() if proof.authenticated is False}
            if not refused or self._clock.now() - begun >= SPREADING_SECONDS:
                return proofs
            self._clock.sleep(SPREADING[min(tries, len(SPREADING) - 1)])
            tries += 1
            proofs.update(self.prove(refused))

    def _try(self, login: str, password: str) -> Proof:
        return authenticates(self.host, self.port, self._encryption, login, password, self._ca_file)
