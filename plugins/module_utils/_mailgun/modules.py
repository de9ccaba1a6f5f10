# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Mailgun modules do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome, apply_each
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    MailopsError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import plan
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import credential
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import domain as domains
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.client import connect, connection_spec
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.credential_side import CredentialSide
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.domain_side import DomainSide
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.proof import Prover
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.region import REGIONS

STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
INBOUND = {"type": "bool", "default": False}
PROOF: Mapping[str, Any] = {
    "domain": {"type": "str", "required": True},
    "update_secret": {
        "type": "str",
        "choices": ["if_changed", "always", "on_create"],
        "default": "if_changed",
        "no_log": False,
    },
    "smtp_host": {"type": "str"},
    "smtp_port": {"type": "int", "default": 2525},
    "smtp_ca_file": {"type": "path"},
}


def run_domain() -> None:
    """Run mailgun_domain."""
    module = glue.make_module(
        {
            **connection_spec(),
            **domains.DOMAIN.item_spec(),
            "state": STATE,
            "verify": {"type": "bool", "default": False},
            "verify_timeout": {"type": "int", "default": 300},
            "inbound_routes": INBOUND,
        }
    )
    params = module.params
    absent, verify = params["state"] == "absent", params["verify"]
    try:
        item = domains.DOMAIN.check(glue.given_item(domains.DOMAIN, params), "domain")
        if verify and not absent:
            item["verified"] = True
        side = DomainSide(connect(params), item["name"], params["region"], params["inbound_routes"])
        current = side.load()
        changes = plan(domains.DOMAIN, [item], current, absent=absent)
        other = side.guard(changes)
    except MailopsError as error:
        glue.fail(module, error)
        return
    if other:
        module.warn(f"domain {item['name']} is in region {other}, where it stays")
    outcome, steps = Outcome(), []
    if not module.check_mode:
        steps = [step for change in changes for step in domains.steps(change, verify)]
        outcome = apply_each(steps, lambda step: side.carry_out(step, params["verify_timeout"]))
        if side.exists and outcome.error is None:
            try:
                side.read_tracking()
            except MailopsError as error:
                outcome.error = error
        if not outcome.applied:
            changes = []  # somebody else did it meanwhile, or there is an error
    there = side.exists and (module.check_mode or not absent)
    shown = side.shown() if there else domains.NOTHING
    if there and shown["domain"]["is_disabled"]:
        module.warn(f"Mailgun has disabled {item['name']}: {shown['domain']['disabled_because']}")
    further = {**shown, "waited": round(side.waited, 1)}
    glue.report(module, domains.DOMAIN, steps if outcome.error else changes, outcome, further)


def run_domain_info() -> None:
    """Run mailgun_domain_info."""
    module = glue.make_module({**connection_spec(), "name": {"type": "str"}, "inbound_routes": INBOUND})
    params = module.params
    try:
        client = connect(params)
        if params["name"] is None:
            names = [str(item["name"]) for item in client.items("/v4/domains") if item.get("name")]
        else:
            names = [domains.DOMAIN.check({"name": params["name"]}, "domain")["name"]]
        sides = [DomainSide(client, name, params["region"], params["inbound_routes"]) for name in names]
        found = [side.shown() for side in sides if side.load()]
        if params["name"] is not None and not found and (other := client.region_of(names[0])):
            module.warn(f"domain {names[0]} is in region {other}")
    except MailopsError as error:
        module.fail_json(msg=error.text(), error=error.kind)
        return
    module.exit_json(changed=False, domains=found)


def run_credential() -> None:
    """Run mailgun_credential."""
    module = glue.make_module({**connection_spec(), **PROOF, **credential.of("").item_spec(), "state": STATE})
    try:
        resource = _resource(module)
        item = resource.check(glue.given_item(resource, module.params), "credential")
    except MailopsError as error:
        glue.fail(module, error)
        return
    _run_credentials(module, resource, [item], lambda side: side.shown(item))


def run_credentials() -> None:
    """Run mailgun_credentials."""
    items_spec = {"type": "list", "elements": "dict", "required": True, "options": credential.of("").item_spec()}
    prune = {"prune": {"type": "bool", "default": False}, "prune_limit": {"type": "int", "default": 10}}
    module = glue.make_module({**connection_spec(), **PROOF, "credentials": items_spec, **prune})
    try:
        resource = _resource(module)
        given = glue.given_items(resource, module.params, "credentials")
        items = [resource.check(item, f"credentials[{number}]") for number, item in enumerate(given)]
    except MailopsError as error:
        glue.fail(module, error)
        return
    _run_credentials(module, resource, items, lambda side: {"credentials": [side.shown(item) for item in items]})


def _resource(module: AnsibleModule) -> credential.Credential:
    try:
        return credential.of(domains.name(module.params["domain"]))
    except ValueError as error:
        raise ValidationError(f"domain is {module.params['domain']!r}: {error}") from None


def _run_credentials(
    module: AnsibleModule,
    resource: credential.Credential,
    items: list[Record],
    shown: Callable[[CredentialSide], dict[str, Any]],
) -> None:
    params = module.params
    try:
        client = connect(params)
        host = params["smtp_host"] or REGIONS[params["region"]].smtp_host
        prover = Prover(host, params["smtp_port"], params["smtp_ca_file"], client.clock)
        side = CredentialSide(client, prover, resource.domain, params["update_secret"])
        absent = params.get("state") == "absent"
        current = side.load(items, absent=absent, check_mode=module.check_mode)
        changes = plan(
            resource,
            items,
            current,
            absent=absent,
            prune=params.get("prune", False),
            prune_limit=params.get("prune_limit", 0),
        )
        credential.check_deletions(changes)
    except MailopsError as error:
        glue.fail(module, error)
        return
    outcome = Outcome()
    if not module.check_mode:
        outcome = side.make(changes)
        if outcome.error is None:
            # Without the ones of which Mailgun said that it is the password already.
            changes = outcome.applied
    for warning in side.warnings:
        module.warn(warning)
    glue.report(module, resource, changes, outcome, shown(side))
