# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps mail from its database now, for `/readyz` and the metrics."""

from collections.abc import Iterable, Mapping

# What is no database.
PARTS = ("maps", "quarantine")


class Health:
    """The last word on each part: databases by their name, and `PARTS`. A part of which nothing
    was heard yet is a problem."""

    def __init__(self, parts: Iterable[str]) -> None:
        self._problems: dict[str, str | None] = dict.fromkeys(parts, "not known yet")

    def well(self, part: str) -> None:
        self._problems[part] = None

    def failed(self, part: str, reason: str) -> None:
        """`reason` is one line without secrets or mail content."""
        self._problems[part] = reason

    @property
    def problems(self) -> Mapping[str, str]:
        """Part → reason, of those that fail."""
        return {part: reason for part, reason in self._problems.items() if reason}
