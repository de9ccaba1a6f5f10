# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries and mails made by chance from a seed, and what becomes of them in a real Odoo."""

from __future__ import annotations

import inspect
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain, Mail, Registry, Server

from support import send_in_odoo
from support.machines import Odoo
from support.send_in_odoo import AUTHORS, COMPANIES
from support.smtp_sink import Received, SmtpSink

MOST_SERVERS = 7
DOMAINS = ["acme.example", "sub.acme.example", "Shop.Example", "münchen.example", "other.example"]
LOCAL_PARTS = ["sales", "notifications", "Info", "no-reply"]
NAMES = ["", "", "Sales", "Jörg Müller", "Müller, Jörg", 'The "Best" Shop', "ACME (Sales)", "O'Brien \\ Sons"]


@dataclass(frozen=True)
class Case:
    """A registry and mails to send by it; `records` has for each mail the company of its record, '' for none."""

    registry: Registry
    mails: list[Mail]
    records: list[str]


@dataclass(frozen=True)
class Outcome:
    """What became of a mail: its number in Odoo, its state there, and what arrived."""

    number: int
    state: str
    reason: str
    received: Received | None


def cases(series: int, registries: int, mails: int, seed: int) -> list[Case]:
    """Return that many registries with that many mails each; the same for the same seed."""
    return [_case(series, mails, random.Random(f"{series} {seed} {number}")) for number in range(registries)]


def _case(series: int, mails: int, chance: random.Random) -> Case:
    domains = _alias_domains(series, chance)
    companies = {name: chance.choice(domains).name for name in COMPANIES if domains and chance.random() < 0.8}
    registry = Registry(
        series,
        _servers(series, domains, chance),
        domains,
        companies if series >= 17 else {},
        chance.choice(COMPANIES),
        {
            "email_from": chance.choice(["", "", "Conf@acme.example", "conf@other.example"]),
            "from_filter": chance.choice(["", _filter(chance), _filter(chance)]),
        },
        chance.choice([None, None, _filter(chance) or None]),
        chance.random() < 0.8,
    )
    made = [_mail(registry, chance) for _number in range(mails)]
    return Case(registry, [mail for mail, _record in made], [record for _mail, record in made])


def _alias_domains(series: int, chance: random.Random) -> tuple[AliasDomain, ...]:
    """Return none to three, up to 16 one, of which parts may be missing."""
    default = ["", "notifications", "no-reply@other.example"]
    if series < 17:
        name = chance.choice(["", "acme.example", "acme.example", "Shop.Example"])
        return (AliasDomain(name, *(chance.choice(["", word, word]) for word in ("bounce", "catchall", "news"))),)
    names = chance.sample(["acme.example", "sub.acme.example", "Shop.Example", "other.example"], chance.randint(0, 3))
    return tuple(AliasDomain(name, "bounce", "catchall", chance.choice(default)) for name in names)


def _servers(series: int, domains: Iterable[AliasDomain], chance: random.Random) -> tuple[Server, ...]:
    owners = list(AUTHORS) if series >= 19 else []
    chance.shuffle(owners)
    known = [domain.default_from_email.lower() for domain in domains if domain.default_from_email]
    count = chance.choice([0, 0, *range(1, MOST_SERVERS + 1)])
    return tuple(_server(series, number, owners, known, chance) for number in range(1, count + 1))


def _server(series: int, number: int, owners: list[str], known: list[str], chance: random.Random) -> Server:
    owner = owners.pop() if owners and chance.random() < 0.3 else ""
    own = AUTHORS[owner][1].lower() if owner else ""
    from_filter = own if owner and chance.random() < 0.7 else "" if chance.random() < 0.15 else _filter(chance, known)
    return Server(
        f"S{number}",
        chance.choice([5, 10, 10, 20]),
        from_filter,
        chance.random() < 0.8,
        number,
        "cli" if series >= 17 and not owner and chance.random() < 0.1 else "login",
        owner,
        from_filter == own,
    )


def _address(chance: random.Random) -> str:
    return f"{chance.choice(LOCAL_PARTS)}@{chance.choice(DOMAINS)}"


def _filter(chance: random.Random, known: Iterable[str] = ()) -> str:
    """Return a from_filter: mostly one part or two, in any case, and now and then what Odoo does not understand."""
    kinds = [*known, _address(chance), _address(chance).lower(), chance.choice(DOMAINS), chance.choice(DOMAINS).lower()]
    odd = ["@acme.example", " ", "xn--mnchen-3ya.example", "acme.example ", f"Name <{_address(chance)}>"]
    parts = [
        chance.choice(odd if chance.random() < 0.1 else kinds) for _number in range(chance.choice([1, 1, 1, 2, 3]))
    ]
    return chance.choice([",", ", "]).join(parts)


def _mail(registry: Registry, chance: random.Random) -> tuple[Mail, str]:
    address, name = _address(chance), chance.choice(NAMES)
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    sender = f'"{quoted}" <{address}>' if name else address
    if chance.random() < 0.08:
        sender = f"{address}, {_address(chance)}"
    with_domain = [name for name in registry.companies if chance.random() < 0.3]
    record = chance.choice(with_domain) if with_domain else ""
    names = [server.name for server in registry.servers]
    author = chance.choice(list(AUTHORS))
    if chance.random() < 0.15:
        sender = AUTHORS[author][1]
    return Mail(
        sender,
        registry.companies[record] if record else "",
        author,
        chance.choice(names) if names and chance.random() < 0.15 else "",
        author_name=AUTHORS[author][0],
    ), record


def sent_by_odoo(odoo: Odoo, given: Iterable[Case], sink: SmtpSink) -> list[list[Outcome]]:
    """Send all mails in one run of Odoo's shell; the first of the sink's ports is that of odoo.conf's server."""
    given = list(given)
    wire = [_wire(case, number, sink.ports[1:]) for number, case in enumerate(given)]
    call = f"main(env, json.loads({json.dumps(wire)!r}), {sink.host!r}, {sink.ports[0]})\n"
    shell = [
        "odoo",
        "shell",
        "--config",
        "/etc/odoo/odoo.conf",
        "-d",
        odoo.database,
        "--no-http",
        "--log-level=critical",
    ]
    done = odoo.run("runuser", "-u", "odoo", "--", *shell, input=inspect.getsource(send_in_odoo) + call, check=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("SENT ")]
    arrived = {one.message["Subject"]: one for one in sink.received}
    return [
        [
            Outcome(mail["id"], mail["state"], mail["reason"], arrived.get(_subject(number, place)))
            for place, mail in enumerate(mails)
        ]
        for number, mails in enumerate(json.loads(line.removeprefix("SENT ")))
    ]


def _subject(case: int, mail: int) -> str:
    return f"case {case} mail {mail}"


def _wire(case: Case, number: int, ports: list[int]) -> dict[str, Any]:
    """Return a case as Odoo's records have it."""
    registry = case.registry
    parameters: dict[str, str | None] = {
        "mail.default.from_filter": registry.default_from_filter,
        "mail.disable_personal_mail_servers": None if registry.personal_servers else "True",
    }
    domains = registry.alias_domains
    if registry.series < 17:
        parameters["mail.catchall.domain"] = domains[0].name
        parameters["mail.bounce.alias"] = domains[0].bounce_alias
        parameters["mail.catchall.alias"] = domains[0].catchall_alias
        parameters["mail.default.from"] = domains[0].default_from
    return {
        "parameters": parameters,
        "configuration": dict(registry.configuration),
        "alias_domains": [vars(domain) for domain in domains] if registry.series >= 17 else [],
        "companies": {name: registry.companies.get(name, "") for name in COMPANIES},
        "company": registry.company,
        "servers": [
            {
                "name": server.name,
                "sequence": server.sequence,
                "from_filter": server.from_filter,
                "active": server.active,
                "smtp_authentication": server.authentication,
                "smtp_port": port,
                "owner": server.owner,
            }
            for server, port in zip(registry.servers, ports, strict=False)
        ],
        "mails": [
            {
                "email_from": mail.email_from,
                "subject": _subject(number, place),
                "author": mail.author,
                "server": mail.server,
                "record_of": record,
            }
            for place, (mail, record) in enumerate(zip(case.mails, case.records, strict=True))
        ],
    }
