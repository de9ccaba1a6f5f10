# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into the headers of a JSON-2 call: a bad value is told before anything is sent, and never shown."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import AuthenticationError, NotFoundError
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.json2 import Json2Client


@pytest.mark.parametrize("key", ["canary\n", " canary", "canary canary", "canaryä", "canary€"])
def test_a_key_that_no_header_can_hold_is_not_shown(key: str) -> None:
    with pytest.raises(AuthenticationError, match="odoo_api_key") as caught:
        Json2Client(Http("https://odoo.example.com"), "prod", key).fields_get("res.users")
    assert "canary" not in caught.value.text()


@pytest.mark.parametrize("database", ["prod\n", " prod", "bücher", "prod€"])
def test_a_database_that_no_header_can_hold_is_not_there(database: str) -> None:
    with pytest.raises(NotFoundError, match="has no usable database"):
        Json2Client(Http("https://odoo.example.com"), database, "key").fields_get("res.users")
