# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests that want this checkout's addon, rather than the one that site.yml placed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.addon import addon_odoo as started
from support.machines import Odoo


@pytest.fixture(scope="module", params=["odoo", "odoo14"], ids=["19", "14"])
def addon_odoo(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """A fresh database of this test module's own in an Odoo of its own that has the addon; once with each version."""
    name = "t_" + request.module.__name__.rpartition(".")[2].removeprefix("test_")
    with started(name, request.param) as odoo:
        yield odoo
