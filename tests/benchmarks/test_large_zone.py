# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the mail records of one domain in a zone of 20,000, beside what transferring the zone takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import dns.query
import dns.zone
import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import connect, record_sets
from ansible_collections.mailops.odoo.plugins.module_utils._dns.publish import publish
from support.bind import Bind, bind
from support.dns_proxy import proxied
from support.machines import Internet

RECORDS = 20_000
RUNS = 5
MOST_SECONDS = 0.3
# What a domain that sends through two providers has.
MAIL: list[tuple[str, str, list[str]]] = [
    ("acme.example", "TXT", ["v=spf1 mx include:zoho.com include:mailgun.org ~all"]),
    ("acme.example", "MX", ["10 mx.provider.test", "20 mx2.provider.test"]),
    ("_dmarc.acme.example", "TXT", ["v=DMARC1; p=none; rua=mailto:postmaster@acme.example"]),
    ("zoho._domainkey.acme.example", "TXT", ["v=DKIM1; k=rsa; p=" + "A" * 392]),
    ("pdk1._domainkey.acme.example", "CNAME", ["pdk1.provider.test"]),
    ("pdk2._domainkey.acme.example", "CNAME", ["pdk2.provider.test"]),
    ("email.acme.example", "CNAME", ["mailgun.org"]),
]


def seconds(what: Callable[[], Any]) -> float:
    started = time.monotonic()
    what()
    return time.monotonic() - started


def transferred(server: Bind) -> dns.zone.Zone:
    return dns.zone.from_xfr(dns.query.xfr(server.address, "acme.example", port=server.port))


def test_planning_does_not_depend_on_the_size_of_the_zone(
    internet: Internet, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "".join(f"host{number} A 192.0.2.{number % 256}\n" for number in range(RECORDS))
    with bind(internet, {"acme.example": text}) as server:
        defaults = {name: spec.get("default") for name, spec in connect.connection_spec().items()}
        params = {**defaults, **server.connection()}
        wishes = [
            record_sets.wish({"name": name, "type": kind, "values": wanted, "state": "present", "ttl": None})
            for name, kind, wanted in MAIL
        ]

        def plan() -> list[Any]:
            return publish(connect.backend(params), wishes, check_mode=True).applied

        rows = []
        for what, changes in (("nothing is there", len(MAIL)), ("all is there", 0)):
            assert len(plan()) == changes
            took = statistics.median(seconds(plan) for _run in range(RUNS))
            with proxied(server.address, server.port) as proxy:
                publish(connect.backend({**params, "server": "127.0.0.1", "port": proxy.port}), wishes, check_mode=True)
                questions = len(proxy.calls)
            rows.append((f"planned where {what}, {questions} questions", took))
            if changes:
                rows.append(("published", seconds(lambda: publish(connect.backend(params), wishes, check_mode=False))))
        assert "AXFR" not in server.log()
        assert len(transferred(server).nodes) > RECORDS
        rows.append(("for comparison: the zone transferred", seconds(lambda: transferred(server))))
    with capsys.disabled():
        print()
        for label, figure in rows:
            print(f"  {label:<60} {figure:8.3f} s")
    assert all(figure <= MOST_SECONDS for label, figure in rows if label.startswith("planned"))
