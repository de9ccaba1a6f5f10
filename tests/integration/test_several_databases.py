# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with several databases, told apart by name alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", autouse=True)
def neighbour(common_odoo: Odoo) -> Iterator[None]:
    """A second database on the same Odoo."""
    other = Odoo(f"{common_odoo.database}_other", "admin", machine="odoo14")
    other.clone()
    yield
    other.drop()


@pytest.mark.parametrize("common_odoo", ["odoo14"], ids=["14"], indirect=True, scope="module")
def test_what_odoo_14_says_is_heard(common_odoo: Odoo) -> None:
    """Its refusals are bare 500s then, until the session says which database is meant."""
    server = {"name": "New", "smtp_host": "mail.zoho.com", "smtp_port": 26, "encryption": "none"}
    with recorded(common_odoo.url, common_odoo.ca_file) as (url, calls):
        result = run_module("mail_server", {**common_odoo.connection(), "odoo_url": url, **server})
    # Once: a method may have done a part of its work before it was refused.
    assert calls.count(("ir.mail_server", "test_smtp_connection")) == 1
    assert "Odoo refused ir.mail_server.test_smtp_connection: " in result["msg"], result["msg"]
    assert common_odoo.call("ir.mail_server", "search_count", [["name", "=", "New"]]) == 0
