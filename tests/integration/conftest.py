# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests that want this checkout's addon, rather than the one that site.yml placed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.addon import addon_odoo as started
from support.machines import Odoo

# The files that take longest, the longest first. Each file goes to one of the processes that run the tests: one of
# these that came last would be waited for while the other process has nothing left to do.
LONG = (
    "test_rotation_of_tokens",
    "test_rotation_of_logins_killed",
    "test_rotation_in_place_killed",
    "test_rotation_of_keys_killed",
    "test_role_credential_rotation",
    "test_rotation_of_several",
    "test_role_lmtp_bridge",
    "test_role_postfix",
    "test_role_odoo_addons",
    "test_role_mailgun",
    "test_import_and_restore",
    "test_bridge_in_gateway_image",
    "test_verify_and_document",
    "test_odoo_module",
    "test_addon_push",
    "test_addon_in_odoo",
    "test_restore",
    "test_bad_input",
    "test_bridge_back_ends",
    "test_mailgun_modules",
    "test_vault_value",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the files that take long begin; the others, and the tests within a file, stay in their order.

    xdist keeps to it with --no-loadscope-reorder: by itself it begins with the files of many tests, and long ones have
    few.
    """
    places = {name: place for place, name in enumerate(LONG)}
    # This is called with all tests of a run, those of other folders too.
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="module", params=["odoo", "odoo14"], ids=["19", "14"])
def addon_odoo(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """A fresh database of this test module's own in an Odoo of its own that has the addon; once with each version."""
    name = "t_" + request.module.__name__.rpartition(".")[2].removeprefix("test_")
    with started(name, request.param) as odoo:
        yield odoo
