# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with several databases, told apart by name alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", autouse=True)
def neighbour(odoo14: Odoo) -> Iterator[None]:
    """A second database on the same Odoo."""
    other = Odoo("t_several_databases_other", "admin", machine="odoo14")
    other.clone()
    yield
    other.drop()


def test_what_odoo_14_says_is_heard(odoo14: Odoo) -> None:
    """Its refusals are bare 500s then, until the session says which database is meant."""
    server = {"name": "New", "smtp_host": "mail.zoho.com", "smtp_port": 26, "encryption": "none"}
    with recorded(odoo14.url, odoo14.ca_file) as (url, calls):
        result = run_module("mail_server", {**odoo14.connection(), "odoo_url": url, **server})
    # Once: a method may have done a part of its work before it was refused.
    assert calls.count(("ir.mail_server", "test_smtp_connection")) == 1
    assert "Odoo refused ir.mail_server.test_smtp_connection: " in result["msg"], result["msg"]
    assert odoo14.call("ir.mail_server", "search_count", []) == 0
