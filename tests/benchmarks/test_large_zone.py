# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the mail records of a domain, and 100 record sets, in a zone of 20,000, beside transferring the zone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
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
HUNDRED: list[tuple[str, str, list[str]]] = [(f"s{number}.acme.example", "TXT", ["x"]) for number in range(100)]


def seconds(what: Callable[[], Any]) -> float:
    started = time.monotonic()
    what()
    return time.monotonic() - started


def transferred(server: Bind) -> dns.zone.Zone:
    return dns.zone.from_xfr(dns.query.xfr(server.address, "acme.example", port=server.port))


def figures(what: str, records: Sequence[tuple[str, str, list[str]]], server: Bind) -> Iterator[tuple[str, float]]:
    """Publish record sets of which none is there; yield labels and seconds, of planning the median."""
    defaults = {name: spec.get("default") for name, spec in connect.connection_spec().items()}
    params = {**defaults, **server.connection()}
    wishes = [
        record_sets.wish({"name": name, "type": kind, "values": wanted, "state": "present", "ttl": None})
        for name, kind, wanted in records
    ]

    def run(check_mode: bool = True, **connection: Any) -> int:
        return len(publish(connect.backend({**params, **connection}), wishes, check_mode).applied)

    for there, changes in (("nothing is", len(records)), ("all is", 0)):
        assert run() == changes
        took = statistics.median(seconds(run) for _run in range(RUNS))
        with proxied(server.address, server.port) as proxy:
            run(server="127.0.0.1", port=proxy.port)
            yield f"{what} planned where {there} there, {len(proxy.calls)} questions", took
        if changes:
            yield f"{what} published", seconds(partial(run, check_mode=False))


def test_planning_does_not_depend_on_the_size_of_the_zone(
    internet: Internet, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "".join(f"host{number} A 192.0.2.{number % 256}\n" for number in range(RECORDS))
    with bind(internet, {"acme.example": text}) as server:
        mail = list(figures("a domain's mail records", MAIL, server))
        rows = [*mail, *figures("100 record sets", HUNDRED, server)]
        assert "AXFR" not in server.log()
        assert len(transferred(server).nodes) > RECORDS
        rows.append(("for comparison: the zone transferred", seconds(lambda: transferred(server))))
    with capsys.disabled():
        print()
        for label, figure in rows:
            print(f"  {label:<65} {figure:8.3f} s")
    assert all(figure <= MOST_SECONDS for label, figure in mail if "planned" in label)
