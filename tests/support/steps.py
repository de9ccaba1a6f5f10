# SPDX-License-Identifier: GPL-3.0-or-later
"""One step in a record's life: what check mode predicts without writing is what is then done."""

from __future__ import annotations

from typing import Any

from support.machines import Odoo
from support.modules import recorded, run_module

READS = {"authenticate", "version", "fields_get", "search_read", "read_group"}


def step(odoo: Odoo, module: str, changed: bool, **options: Any) -> dict[str, Any]:
    """Run a module in check mode and then for good; return the result, with `calls` as (model, method)."""
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        predicted = run_module(module, {**odoo.connection(), "odoo_url": url, **options}, check=True)
    assert not predicted.get("failed"), predicted
    assert {method for _model, method in calls} <= READS, calls
    with recorded(odoo.url, odoo.ca_file) as (url, calls):
        done = run_module(module, {**odoo.connection(), "odoo_url": url, **options})
    assert not done.get("failed"), done
    assert done["changed"] is changed, done
    for told in ("changed", "changes", "diff"):
        assert predicted.get(told) == done.get(told)
    assert "canary-" not in str({**predicted, "invocation": None}) + str({**done, "invocation": None})
    return {**done, "calls": calls}


def refused(odoo: Odoo, module: str, **options: Any) -> str:
    """Run a module that must fail before anything is written, in check mode as well; return its message."""
    messages = []
    for check in (True, False):
        with recorded(odoo.url, odoo.ca_file) as (url, calls):
            result = run_module(module, {**odoo.connection(), "odoo_url": url, **options}, check=check)
        assert result.get("failed"), result
        assert not result.get("changed"), result
        assert {method for _model, method in calls} <= READS, calls
        messages.append(result["msg"])
    assert messages[0] == messages[1]
    assert "canary-" not in messages[0]
    return str(messages[0])
