# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The singular, the plural and the `_info` module of a resource, from its one declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import plan
from ansible_collections.mailops.odoo.plugins.module_utils._core.redact import redact_record
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import connect, connection_spec
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource, make

STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
# What a module takes beside the records, by what it may do to them.
WITH_STATE: Mapping[str, Any] = {"state": STATE}
WITH_PRUNE: Mapping[str, Any] = {
    "prune": {"type": "bool", "default": False},
    "prune_limit": {"type": "int", "default": 10},
}


def run_one(resource: OdooResource) -> None:
    """Run the singular module: the record's options at top level, and `state`."""
    extent = {} if resource.standing else WITH_STATE
    module = glue.make_module({**connection_spec(), **resource.item_spec(), **resource.options(), **extent})
    try:
        item = resource.check(glue.given_item(resource, module.params), resource.label)
    except MailopsError as error:
        glue.fail(module, error)
        return
    _run(module, resource, [item])


def run_many(resource: OdooResource, extent: Mapping[str, Any] | None = None) -> None:
    """Run the plural module: a list of records, and the options of `extent` for the whole list, `prune` by default."""
    if extent is None:
        extent = {} if resource.standing else WITH_PRUNE
    module = glue.make_module(
        {
            **connection_spec(),
            resource.plural: {**list_spec(resource), "required": True},
            **resource.options(),
            **extent,
        }
    )
    try:
        items = given_list(resource, module.params, resource.plural)
    except MailopsError as error:
        glue.fail(module, error)
        return
    _run(module, resource, items)


def list_spec(resource: OdooResource) -> dict[str, Any]:
    """Return the argument spec of a list of records."""
    return {"type": "list", "elements": "dict", "options": resource.item_spec()}


def given_list(resource: OdooResource, params: Mapping[str, Any], option: str) -> list[Record]:
    """Return the items of an option that is a list of records, in canonical form; ValidationError for a wrong one."""
    given = glue.given_items(resource, params, option)
    return [resource.check(item, f"{option}[{number}]") for number, item in enumerate(given)]


def run_info(resource: OdooResource) -> None:
    """Run the `_info` module: every record, or those with the given names."""
    names = {"type": "list", "elements": "str"}
    module = glue.make_module({**connection_spec(), "names": names})
    key = resource.key[0]
    try:
        wanted = [
            resource.check({key: name}, f"names[{number}]")[key]
            for number, name in enumerate(module.params["names"] or [])
        ]
        loaded = resource.open(connect(module.params)).load([], every=True)
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    for warning in loaded.warnings:
        module.warn(warning)
    records = [
        {"id": record.id, **redact_record(record.values, resource.secrets)}
        for record in loaded.current
        if module.params["names"] is None or record.values[key] in wanted
    ]
    module.exit_json(changed=False, records=records)


def _run(module: AnsibleModule, resource: OdooResource, items: Sequence[Record]) -> None:
    params = module.params
    prune = params.get("prune", False)
    absent = params.get("state") == "absent"
    if absent:
        # What else is said of a record that goes is no matter, even if this Odoo could not express it.
        items = [{name: item[name] for name in resource.key if name in item} for item in items]
    try:
        client = connect(params)
        side = resource.open(client)
        loaded = side.load(items, every=prune, check_mode=module.check_mode)
        changes = plan(
            resource,
            loaded.desired,
            loaded.current,
            absent=absent,
            prune=prune,
            prune_limit=params.get("prune_limit", 0),
            adopt=params.get("adopt"),
        )
        warnings = loaded.warnings + resource.guard(client, changes, params)
        if changes and not module.check_mode:
            # Imported only here: it knows every resource, and most runs change nothing.
            from ansible_collections.mailops.odoo.plugins.module_utils._odoo import snapshot

            snapshot.before_writing(client, params)
    except MailopsError as error:
        glue.fail(module, error)
        return
    for warning in warnings:
        module.warn(warning)
    if module.check_mode:
        glue.report(module, resource, changes, Outcome())
        return
    outcome, further = make(resource, client, side, changes, params)
    glue.report(module, resource, changes, outcome, further)
