# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers that `/metrics` shows (Prometheus). docs/bridge.md lists them."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from . import __version__
from .health import PARTS

_PREFIX = "odoo_lmtp_bridge"
# Odoo takes some 60 ms for a mail; the bridge gives up after 300 s.
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """One process's numbers, in a registry of their own. Labels: `database` is the configured
    name, `code` an LMTP answer, `result` an HTTP status."""

    def __init__(self, databases: Iterable[str] = ()) -> None:
        """Those of `databases` are there from the start, so that a rate is known at the first."""
        self.registry = CollectorRegistry()
        self._databases = tuple(databases)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"{_PREFIX}_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"{_PREFIX}_{name}", text, labels, registry=self.registry)

        # Mail
        self.recipients = counter(
            "recipients", "Answers after DATA, one per recipient", "database", "code"
        )
        self.refused = counter("refused_recipients", "Answers to RCPT other than 250", "code")
        self.delivery_seconds = Histogram(
            f"{_PREFIX}_delivery_seconds",
            "From the end of DATA to Odoo's answer, waiting included",
            ["database"],
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.post_failures = counter(
            "post_failures", "Posts without a usable answer of Odoo", "database"
        )
        self.quarantined = counter("quarantined", "Messages put into quarantine", "database")
        self.quarantine_messages = gauge("quarantine_messages", "Messages in quarantine")
        self.quarantine_bytes = gauge("quarantine_bytes", "Bytes in quarantine")
        # Connections
        self.sessions = gauge("sessions", "Open LMTP connections")
        self.deliveries = gauge("deliveries", "Messages being delivered")
        self.held_bytes = gauge("held_bytes", "Bytes of mail held in memory")
        self.limited = counter(
            "connection_limit_reached", "Times that new LMTP connections had to wait for old ones"
        )
        # Lists and maps
        self.addresses = gauge("addresses", "Addresses in use", "database")
        self.list_contact = gauge(
            "list_contact_timestamp_seconds",
            "When Odoo last gave or confirmed its list",
            "database",
        )
        self.list_failures = counter("list_failures", "Polls without a usable list", "database")
        self.lists_refused = gauge(
            "list_refused", "1 while a list is refused that shrank too much", "database"
        )
        self.maps_written = gauge(
            "maps_written_timestamp_seconds", "When Postfix's maps were last written"
        )
        self.map_failures = counter("map_failures", "Maps that could not be written")
        self.webhook = counter("webhook_requests", "Requests to the webhook", "result")
        # The process
        self.ready = gauge(
            "ready",
            "1 if nothing is wrong with the part: a database, the maps, the quarantine",
            "part",
        )
        self.info = gauge("info", "1; what runs", "version", "loop")

        for database in self._databases:
            for labelled in (self.post_failures, self.quarantined, self.list_failures):
                labelled.labels(database)

    def started(self, loop: str) -> None:
        """Names the event loop that this process has."""
        self.info.labels(__version__, loop).set(1)

    def show(self, problems: Mapping[str, str]) -> None:
        """Takes part → reason over into `ready`, before the numbers are read."""
        for part in (*self._databases, *PARTS):
            self.ready.labels(part).set(part not in problems)
