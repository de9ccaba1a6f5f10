# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of zones of chance, with wildcards at every level, is what is in them."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import dns.name
import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import connect, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import Key
from support.bind import bind
from support.machines import Internet

pytestmark = pytest.mark.integration

LABELS = ("a", "b", "*")
ABOVE, BELOW = "acme.example", "b.acme.example"
DATA = {"TXT": ("x", '"x"'), "A": ("192.0.2.1", "192.0.2.1"), "MX": ("10 mx.test", "10 mx.test.")}
ALIAS = "elsewhere.test"
VIEW = "view all {{ check-names primary ignore; minimal-responses {minimal}; {zones} }};"
ZONE = 'zone "{0}" {{ type primary; file "FOLDER/{0}.zone"; allow-update {{ key mailops; }}; }};'

# The types at each name.
Names = dict[dns.name.Name, list[str]]


def zone_of_chance(chance: random.Random, zone: str, depth: int) -> Names:
    """Return what a zone has. The one above has nothing at and under the name of the one below."""
    found = {}
    for labels in (each for length in range(1, depth + 1) for each in product(LABELS, repeat=length)):
        name = dns.name.from_text(".".join([*labels, zone]))
        if chance.random() < 0.25 and (zone == BELOW or not name.is_subdomain(dns.name.from_text(BELOW))):
            found[name] = ["CNAME"] if chance.random() < 0.2 else chance.sample(sorted(DATA), chance.randint(1, 3))
    return found


def written(names: Names) -> str:
    return "".join(
        f"{name} {kind} {f'{ALIAS}.' if kind == 'CNAME' else DATA[kind][1]}\n"
        for name, kinds in names.items()
        for kind in kinds
    )


def expected(key: Key, zones: dict[str, Names]) -> tuple[Any, ...]:
    """Return values, alias, zone and the types of the wildcard that answers, by RFC 4592 from all that is there."""
    zone = BELOW if key.name.is_subdomain(dns.name.from_text(BELOW)) else ABOVE
    names = zones[zone]
    there = [*names, dns.name.from_text(zone), dns.name.from_text(f"ns.{zone}")]

    def exists(name: dns.name.Name) -> bool:
        return any(one.is_subdomain(name) for one in there)

    covered: list[str] = []
    if not exists(key.name):
        encloser = key.name
        while not exists(encloser):
            encloser = encloser.parent()
        covered = names.get(dns.name.Name((b"*", *encloser.labels)), [])
    kinds = names.get(key.name, [])
    text = ALIAS if key.type == "CNAME" else DATA[key.type][0]
    alias = ALIAS if "CNAME" in kinds and key.type != "CNAME" else ""
    return (text,) if key.type in kinds else (), alias, zone, tuple(sorted(covered))


@pytest.mark.parametrize("minimal", ["no-auth-recursive", "yes"])
def test_what_is_read_is_what_is_there(internet: Internet, minimal: str) -> None:
    """Where the server names the zone beside what it finds, and where it does not."""
    configuration = VIEW.format(minimal=minimal, zones=" ".join(ZONE.format(zone) for zone in (ABOVE, BELOW)))
    defaults = {name: spec.get("default") for name, spec in connect.connection_spec().items()}
    names = [".".join([*labels, ABOVE]) for length in range(1, 5) for labels in product(LABELS, repeat=length)]
    kinds = [*DATA, "CNAME"]
    seen = 0
    for seed in range(3):
        chance = random.Random(seed)
        zones = {zone: zone_of_chance(chance, zone, depth) for zone, depth in ((ABOVE, 3), (BELOW, 2))}
        texts = {zone: written(found) for zone, found in zones.items()}
        with bind(internet, texts, configuration) as server:
            keys = [Key(dns.name.from_text(name), kind) for name in names for kind in chance.sample(kinds, 2)]
            # Many at once, and each alone: what one question tells of others must not matter.
            for group in (keys, *([key] for key in chance.sample(keys, 20))):
                read = connect.backend({**defaults, **server.connection()}).read(group)
                for key, has in read.items():
                    found = (has.values, has.alias, values.shown(has.zone), has.covered)
                    assert found == expected(key, zones), (seed, key.shown())
                    seen += bool(has.covered)
    assert seen > 100
