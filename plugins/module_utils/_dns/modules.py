# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that change DNS have in common: the connection, the run, the result."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import connect, values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.publish import Outcome, publish
from ansible_collections.mailops.odoo.plugins.module_utils._dns.records import (
    Change,
    Key,
    RecordSet,
    Wish,
    difference,
    shadows,
)


def make_module(spec: dict[str, Any], **rules: Any) -> AnsibleModule:
    """Return the AnsibleModule for a module's own options and the connection, after checking that dnspython is there.

    An `api_token` that is left out is taken from the environment.
    """
    module = glue.make_module({**connect.connection_spec(), **spec}, **rules)
    if values.IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("dnspython"), exception=values.IMPORT_ERROR)
    token = os.environ.get(connect.TOKENS.get(module.params["backend"], ""), "")
    if token and not module.params["api_token"]:
        module.params["api_token"] = token
        module.no_log_values.add(token)
    return module


def run(module: AnsibleModule, make_wishes: Callable[[], Sequence[Wish]]) -> None:
    """Fulfil wishes and leave the module with its result. `make_wishes` may raise MailopsErrors."""
    try:
        wishes = make_wishes()
        outcome = publish(connect.backend(module.params), wishes, module.check_mode)
    except MailopsError as error:
        glue.fail(module, error)
        return
    for warning in shadows(outcome.applied):
        module.warn(warning)
    report(module, outcome)


def report(module: AnsibleModule, outcome: Outcome) -> None:
    """Leave the module with its result: truthful about what was applied when something failed."""
    changes = outcome.applied
    result: dict[str, Any] = {
        "changed": bool(changes),
        "changes": [change.shown() for change in changes],
        "diff": difference(changes),
        "records": [_shown(key, has) for key, has in outcome.there.items()],
    }
    if outcome.error is None:
        module.exit_json(**result)
        return
    done, left = _names(changes), _names(outcome.remaining)
    summary = f" {len(done)} of {len(done) + len(left)} record sets were changed."
    if not outcome.error.definite:
        summary += " Of the others it is not known; running again finds out before it writes."
    module.fail_json(
        msg=outcome.error.text() + summary, error=outcome.error.kind, applied=done, remaining=left, **result
    )


def _names(changes: Sequence[Change]) -> list[str]:
    return [change.key.shown() for change in changes]


def _shown(key: Key, has: RecordSet) -> dict[str, Any]:
    return {"name": values.shown(key.name), "type": key.type, "values": list(has.values), "ttl": has.ttl}
