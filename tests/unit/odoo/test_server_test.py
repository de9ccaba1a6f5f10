# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection tests while the connection to Odoo itself fails: what was applied is told all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import TemporaryError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER


class Gone:
    """An Odoo that answers nothing any more."""

    def load(self, items: Sequence[Record]) -> Any:
        raise TemporaryError("no answer")


def test_servers_that_cannot_be_read_any_more() -> None:
    applied = Change("update", "A", {"sequence": 2}, {"name": "A", "active": True}, 1)
    outcome = Outcome([applied])
    gone = cast(Any, Gone())
    told = MAIL_SERVER.settle(gone, gone, outcome, {"test": "always", "servers": [{"name": "A"}]})
    assert outcome.applied == [applied]
    assert outcome.error
    assert outcome.error.text() == "The servers could not be read, so those not changed were not tested: no answer."
    assert told == {"tests": []}
