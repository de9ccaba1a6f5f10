# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand aliases cost as many reads as one, and their creations go in batches."""

from __future__ import annotations

import pytest
from support.machines import PROTOCOLS, Odoo
from support.modules import recorded, run_module

pytestmark = pytest.mark.integration

# JSON-RPC logs in once; with an API key the version is asked for first, unless the protocol is given.
FIRST = {"json2": [], "jsonrpc": [("common", "authenticate")]}
READS = [
    ("mail.alias", "fields_get"),
    ("mail.alias.domain", "search_read"),
    ("ir.model", "search_read"),
    ("crm.lead", "fields_get"),
    ("mail.alias", "search_read"),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_thousand_aliases(odoo: Odoo, protocol: str) -> None:
    odoo = odoo.over(protocol)
    domain = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"}
    run_module("alias_domain", {**odoo.connection(), **domain})
    aliases = [
        {"alias_name": f"{protocol}-{number}", "alias_model": "crm.lead", "alias_defaults": {"type": "lead"}}
        for number in range(1000)
    ]

    def run(count: int, **change: str) -> tuple[bool, list[tuple[str, str]]]:
        given = [{**alias, **change} for alias in aliases[:count]]
        with recorded(odoo.url, odoo.ca_file) as (url, calls):
            result = run_module("mail_aliases", {**odoo.connection(), "odoo_url": url, "aliases": given})
        assert not result.get("failed"), result
        return result["changed"], calls

    reads = [*FIRST[odoo.protocol], *READS]
    assert run(1) == (True, [*reads, ("mail.alias", "create")])
    assert run(1000) == (True, [*reads, ("mail.alias", "create"), ("mail.alias", "create")])
    assert run(1000) == (False, reads)
    assert run(1000, alias_contact="partners") == (True, [*reads, ("mail.alias", "write"), ("mail.alias", "write")])
