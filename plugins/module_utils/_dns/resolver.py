# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the world sees: names looked up through resolvers, aliases followed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import cast

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import TemporaryError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.question import Questions, Trouble

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.rcode
except ImportError:
    # Told by values.
    pass

# All that a receiver should take for one mail's look-ups, in seconds (RFC 7208, 4.6.4).
BUDGET = 20.0


class Resolver:
    """Looks names up; each question is put once. It is what spf.Resolve wants.

    `addresses` are those of resolvers, of which the next is asked where one has no answer. `timeout` is in seconds, for
    each question; after `budget` seconds nothing is asked any more. ValidationError if an address is none.
    """

    def __init__(self, addresses: Sequence[str], timeout: float = 3.0, port: int = 53, budget: float = BUDGET) -> None:
        for address in addresses:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise ValidationError(f"resolver {address!r} is no address", "Name it by its IP address.") from None
        if not 0 < timeout <= 300:
            raise ValidationError(f"timeout is {timeout:g} s", "It must be more than 0 and at most 300.")
        self._addresses = addresses
        self._questions = Questions(timeout, budget, port)
        self._known: dict[tuple[dns.name.Name, str], tuple[str, ...]] = {}

    def __call__(self, name: str, record_type: str) -> tuple[str, ...]:
        """Return the values at a name, in canonical form, none if it has none or is no name.

        TemporaryError if no resolver has an answer.
        """
        try:
            at = values.name(name)
        except ValueError:
            return ()
        if (at, record_type) not in self._known:
            self._known[at, record_type] = self._asked(at, record_type)
        return self._known[at, record_type]

    def _asked(self, at: dns.name.Name, record_type: str) -> tuple[str, ...]:
        troubles = []
        for address in self._addresses:
            try:
                answer = self._questions.ask(address, at, record_type, recursive=True)
                code = dns.rcode.to_text(answer.rcode())
                if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                    troubles.append(f"resolver {address} answers {code}")
                    continue
                found = cast("dns.message.QueryMessage", answer).resolve_chaining().answer
                if found or _is_no(answer):
                    return tuple(sorted({values.found(rdata) for rdata in found or ()}))
                troubles.append(f"resolver {address}: it does not resolve for this machine ({code})")
            except Trouble as trouble:
                troubles.append(f"resolver {address}: {trouble.detail}")
            except dns.exception.DNSException as error:
                troubles.append(f"resolver {address}: no usable answer ({type(error).__name__})")
        raise TemporaryError(
            f"{values.shown(at)} {record_type} could not be looked up: {'; '.join(troubles) or 'no resolver is named'}"
        )


def _is_no(answer: dns.message.Message) -> bool:
    """Whether an answer without the records says that there are none, and is no reference to other servers."""
    of_the_name = answer.flags & dns.flags.AA and not answer.answer
    return bool(answer.flags & dns.flags.RA or of_the_name)
