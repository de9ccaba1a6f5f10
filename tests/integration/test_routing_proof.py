# SPDX-License-Identifier: GPL-3.0-or-later
"""What the router predicts is what Odoo does: mails of chance by registries of chance, really sent, 14 and 19.

MAILOPS_ROUTING_REGISTRIES and MAILOPS_ROUTING_SEED make the run longer and another one.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from email.headerregistry import Address

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import mail_address
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import STEPS, Registry, Route, Router
from support.machines import Odoo
from support.routing_cases import MOST_SERVERS, Outcome, cases, sent_by_odoo
from support.smtp_sink import SmtpSink

REGISTRIES = int(os.environ.get("MAILOPS_ROUTING_REGISTRIES", "24"))
SEED = int(os.environ.get("MAILOPS_ROUTING_SEED", "1"))
MAILS = 4
NEVER = {14: set(STEPS) - {"first", "forced", "configuration"}, 19: {"first", "several"}}


def test_the_router_predicts_what_odoo_does(any_odoo: Odoo, capsys: pytest.CaptureFixture[str]) -> None:
    series = 14 if any_odoo.name == "odoo14" else 19
    given = cases(series, REGISTRIES, MAILS, SEED)
    with SmtpSink(any_odoo.ip, MOST_SERVERS + 1) as sink:
        sent = sent_by_odoo(any_odoo, given, sink)
        differences, steps = [], Counter[str]()
        for case, outcomes in zip(given, sent, strict=True):
            router = Router(case.registry)
            for mail, record, outcome in zip(case.mails, case.records, outcomes, strict=True):
                route = router.route(mail)
                steps[route.step] += 1
                wrong = list(differing(route, outcome, case.registry, sink.ports, bool(record)))
                if wrong:
                    differences.append((case.registry, route, outcome, wrong))
    with capsys.disabled():
        print(f"\n  Odoo {series}: {len(differences)} of {steps.total()} mails differ; steps: {dict(steps)}")
    shown = "\n\n".join("\n".join(map(str, one)) for one in differences[:5])
    assert not differences, shown
    # Chance reached every rule there is.
    assert set(steps) == set(STEPS) - NEVER[series]


def differing(
    route: Route, outcome: Outcome, registry: Registry, ports: list[int], about_a_record: bool
) -> Iterable[str]:
    """Yield what Odoo did otherwise than predicted."""
    received = outcome.received
    if route.step == "refused":
        if received or outcome.state not in ("exception", "not created"):
            yield f"sent, though predicted to be refused: {outcome.state}"
        return
    if not received:
        yield f"not sent: {outcome.state} {outcome.reason}"
        return
    possible = [route.server]
    if any("same sequence" in warning for warning in route.warnings):
        assert route.server
        possible = [one for one in registry.servers if one.sequence == route.server.sequence]
    wanted = [ports[one.id] if one and one.authentication != "cli" else ports[0] for one in possible]
    if received.port not in wanted:
        yield f"port {received.port} and not one of {wanted}"
    envelope = route.envelope_from.replace("<id>", str(outcome.number))
    if received.sender != envelope:
        yield f"envelope sender {received.sender} and not {envelope}"
    if addresses(received.message["From"].addresses) != mail_address.split(route.email_from):
        yield f"From {received.message['From']} and not {route.email_from}"
    reply_to, predicted = addresses(received.message["Reply-To"].addresses), mail_address.split(route.reply_to)
    if about_a_record and registry.series < 19:
        reply_to, predicted = [address for _name, address in reply_to], [address for _name, address in predicted]
    if reply_to != predicted:
        yield f"Reply-To {received.message['Reply-To']} and not {route.reply_to}"


def addresses(header: Iterable[Address]) -> tuple[tuple[str, str], ...]:
    """Return the names and addresses of a header that was received."""
    return tuple((one.display_name, f"{one.username}@{one.domain}") for one in header)
