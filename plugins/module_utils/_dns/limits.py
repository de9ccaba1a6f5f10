# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an SPF record may cost receivers, before it is published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    ConflictError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._dns import spf, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key, Wish


@dataclass(frozen=True)
class SpfLimit:
    """A wish that changes nothing: the SPF record that comes of those before it does not cost receivers too much.

    What cannot be looked up now is told to `warn`, and stops nobody: whether it costs too much is not known.
    """

    key: Key
    resolve: spf.Resolve
    warn: Callable[[str], None]
    ttl: int | None = None

    def after(self, there: Sequence[str]) -> Sequence[str]:
        """Return the values as they are; ValidationError if receivers would give up over the SPF record."""
        for record in filter(spf.is_spf, there):
            self._check(record)
        return there

    def _check(self, record: str) -> None:
        at = f"{self.key.shown()}, the SPF record {record!r}"
        try:
            cost = spf.cost(record, values.shown(self.key.name), self.resolve)
        except ValueError as error:
            raise ValidationError(f"{at}: {error}") from None
        except TemporaryError as error:
            self.warn(f"{at}: what it costs receivers could not be counted: {error.message}")
            return
        too_much = excess(cost)
        if too_much:
            raise ValidationError(
                f"{at}: it {too_much}", "Have removed what does not send any more, or send from a subdomain."
            )


def excess(cost: spf.Cost) -> str:
    """Return over what of a record's cost receivers give up, empty if they do not."""
    for found, most, does in (
        (cost.lookups, spf.MOST_LOOKUPS, "makes receivers ask"),
        (cost.voids, spf.MOST_VOID, "names what is not in DNS"),
    ):
        if len(found) > most:
            more = " or more" if len(found) >= spf.ENOUGH else ""
            return (
                f"{does} {len(found)}{more} times, and after {most} they give up "
                f"(RFC 7208, section 4.6.4): {', '.join(found)}"
            )
    return ""


class Planned:
    """What names will have: as a resolver says, with wishes fulfilled. It is what spf.Resolve wants."""

    def __init__(self, wishes: Sequence[Wish], resolve: spf.Resolve) -> None:
        self._wishes: dict[tuple[str, str], list[Wish]] = {}
        for wish in wishes:
            self._wishes.setdefault((values.shown(wish.key.name), wish.key.type), []).append(wish)
        self._resolve = resolve

    def __call__(self, name: str, record_type: str) -> Sequence[str]:
        """Return the values at a name, in canonical form. MailopsError if that is not known.

        A name that is about to get addresses or mail servers is not asked for: resolvers would remember for a while
        that it has none.
        """
        wishes = self._wishes.get((name.lower().rstrip("."), record_type), [])
        planned: Sequence[str] = ()
        if record_type != "TXT":
            for wish in wishes:
                planned = wish.after(planned)
            if planned:
                return planned
        found = self._resolve(name, record_type)
        for wish in wishes:
            try:
                found = wish.after(found)
            except (ConflictError, ValidationError):
                # A cache may have what the zone has not any more, and that was planned before this is asked.
                found = wish.after(())
        return found
