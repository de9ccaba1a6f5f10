# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module does around the engine: which options were given, and how a run is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule, _load_params, missing_required_lib
from ansible_collections.mailops.odoo.plugins.module_utils._core import http
from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, difference
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record, Resource


def make_module(spec: Mapping[str, Any], **rules: Any) -> AnsibleModule:
    """Return the AnsibleModule for an argument spec and rules, after checking that requests is there."""
    module = AnsibleModule(argument_spec=dict(spec), supports_check_mode=True, **rules)
    if http.IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("requests"), exception=http.IMPORT_ERROR)
    return module


def given_item(resource: Resource, params: Mapping[str, Any]) -> Record:
    """Return the options of a singular module that the task gave; an explicit null is kept as None.

    AnsibleModule sets omitted options to None, so which ones were given is read from the task's own arguments.
    """
    return _given(resource, params, _load_params())


def given_items(resource: Resource, params: Mapping[str, Any], option: str) -> list[Record]:
    """Return the same for each item of an option that is a list."""
    raw = _load_params().get(option)
    items = params[option]
    if not isinstance(raw, list) or len(raw) != len(items):
        raw = [None] * len(items)
    return [_given(resource, item, given) for item, given in zip(items, raw, strict=True)]


def given(option: str) -> bool:
    """Whether the task gave the option, be it as null."""
    return option in _load_params()


def _given(resource: Resource, params: Mapping[str, Any], raw: Any) -> Record:
    names = [field.name for field in resource.given]
    explicit = raw if isinstance(raw, dict) else {}
    return {name: params[name] for name in names if params[name] is not None or name in explicit}


def report(
    module: AnsibleModule,
    resource: Resource,
    changes: Sequence[Change],
    outcome: Outcome,
    further: Mapping[str, Any] | None = None,
) -> None:
    """Leave the module with its result: truthful about what was applied when something failed."""
    result: dict[str, Any] = {
        **(further or {}),
        "changed": bool(changes),
        "changes": [change.shown(resource) for change in changes],
        "diff": difference(resource, changes),
    }
    if outcome.error is None:
        module.exit_json(**result)
        return
    done = [change.name for change in outcome.applied]
    left = [change.name for change in outcome.remaining]
    at = f"{resource.label} {outcome.failed.name}: " if outcome.failed else ""
    result.update(
        changed=bool(done),
        changes=[change.shown(resource) for change in outcome.applied],
        diff=difference(resource, outcome.applied),
        applied=done,
        failed_name=outcome.failed.name if outcome.failed else None,
        uncertain=[change.name for change in outcome.uncertain],
        remaining=left,
    )
    summary = f" {len(done)} of {len(changes)} changes were applied."
    if outcome.uncertain:
        summary += f" Of {len(outcome.uncertain)} it is not known; running again finds out before it writes."
    module.fail_json(msg=at + outcome.error.text() + summary, error=outcome.error.kind, **result)


def fail(module: AnsibleModule, error: MailopsError) -> None:
    """Leave the module with an error that arose before anything was written."""
    module.fail_json(msg=f"{error.text()} Nothing was written.", error=error.kind, changed=False, changes=[])
