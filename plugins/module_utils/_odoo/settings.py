# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All mail settings of a database as one: planned and checked as a whole, then carried out in order, and reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.odoo.plugins.module_utils._core import module as glue
from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, difference, plan
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import (
    mass_mailing,
    registry,
    senders,
    server_guards,
    unmanaged,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.catalogue import CATALOGUE
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.modules import given_list, list_spec
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource, OdooSide, make
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.shadow import Shadow, shadows

# In the order in which they are applied: Email Marketing's server is one of the servers.
KEYS = tuple(key for listed in CATALOGUE for key in ((listed, mass_mailing.KEY) if listed == "servers" else (listed,)))


# What a module takes of a policy's section.
SPEC: Mapping[str, Any] = {
    **{key: list_spec(resource) for key, resource in CATALOGUE.items()},
    mass_mailing.KEY: {"type": "str"},
}


def given(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a module was given of a policy's section, as Settings takes it.

    An empty list says nothing, as if it were left out. Raises ValidationError for a wrong item.
    """
    wanted: dict[str, Any] = {
        key: given_list(resource, params, key) for key, resource in CATALOGUE.items() if params[key]
    }
    if glue.given(mass_mailing.KEY):
        wanted[mass_mailing.KEY] = params[mass_mailing.KEY]
    return wanted


@dataclass(frozen=True)
class Part:
    """One setting (a key of the policy's section `odoo`), and what must change in it.

    `missing` has the secrets that its records will lack then (`name: option`), `further` more results of the module.
    """

    key: str
    resource: OdooResource
    side: OdooSide
    changes: Sequence[Change]
    warnings: Sequence[str] = ()
    missing: Sequence[str] = ()
    further: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What was done of a part, and further results of the module, such as those of tests."""

    part: Part
    outcome: Outcome
    further: Mapping[str, Any] = field(default_factory=dict)


class Settings:
    """The mail settings that a database shall have.

    `wanted` has, of the policy's section `odoo`, what shall be so: by the catalogue's keys lists of checked items, and
    the name of Email Marketing's server. What it does not name is left alone. `options` are the module's.
    """

    def __init__(self, client: OdooClient, wanted: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self._client = client
        self._wanted = wanted
        self._options = options

    def plan(self) -> list[Part]:
        """Return everything that must change, in the order in which it must; raise a MailopsError if some of it cannot.

        A record that is referred to may be one that the run makes, so it is taken for granted as in check mode.
        """
        parts = [self._part(key, check_mode=True) for key in KEYS if key in self._wanted]
        if "servers" in self._wanted and self._options[unmanaged.KEY] != "ignore":
            # What is to go goes last, when what takes its place is there and has passed its test.
            parts.append(self._unmanaged({part.key: part.changes for part in parts}))
        return parts

    def carry_out(self, planned: Sequence[Part]) -> list[Done]:
        """Make the changes; stop at the first error."""
        done: list[Done] = []
        changing = False
        for part in planned:
            changing = changing or bool(part.changes)
            try:
                # Read again: now what an earlier part made is there to be referred to.
                again = changing and part.key != unmanaged.KEY
                fresh = self._part(part.key, check_mode=False) if again else part
            except MailopsError as error:
                return [*done, Done(part, Outcome(error=error))]
            options = options_for(part.resource, self._options)
            outcome, further = make(part.resource, self._client, fresh.side, fresh.changes, options)
            done.append(Done(fresh, outcome, further))
            if outcome.error:
                break
        return done

    def _part(self, key: str, *, check_mode: bool) -> Part:
        if key == mass_mailing.KEY:
            return Part(
                key, mass_mailing.PARAMETER, *mass_mailing.plan_server(self._client, self._wanted[key], check_mode)
            )
        resource = CATALOGUE[key]
        side = resource.open(self._client)
        loaded = side.load(self._wanted[key], check_mode=check_mode)
        changes = plan(resource, loaded.desired, loaded.current, adopt=self._options["adopt"])
        told = resource.guard(self._client, changes, options_for(resource, self._options))
        return Part(key, resource, side, changes, loaded.warnings + told)

    def _unmanaged(self, changes: Mapping[str, Sequence[Change]]) -> Part:
        """Return what becomes of the servers that are not wanted, given the other changes: one of them may be adopted.

        Two reads; where such a server is active, also those that tell whose mail it takes.
        """
        resource = unmanaged.OUTGOING
        side, found = unmanaged.read(self._client, resource, [item["name"] for item in self._wanted["servers"]])
        adopted = {change.id for change in changes["servers"]}
        servers = [server for server in found if server.id not in adopted]
        shown = unmanaged.told(servers, self._shadows(changes) if any(one.values["active"] for one in servers) else [])
        further = {unmanaged.KEY: shown}
        if self._options[unmanaged.KEY] == "report":
            return Part(unmanaged.KEY, resource, side, [], unmanaged.warnings(shown), further=further)
        archived = unmanaged.archive(servers)
        server_guards.refuse_if_used(
            self._client, archived, "Give them another server first, or name this one in the policy."
        )
        return Part(unmanaged.KEY, resource, side, archived, further=further)

    def _shadows(self, changes: Mapping[str, Sequence[Change]]) -> list[Shadow]:
        """Return which of the senders that the database knows undeclared servers take, once these changes are made."""
        now = registry.read(self._client)
        then = unmanaged.planned(now, changes["servers"], changes.get("alias_domains", ()))
        declared = {item["name"] for item in self._wanted["servers"]}
        return shadows(then, declared, senders.read(self._client, now).mails)


def options_for(resource: OdooResource, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the resource's own modules: the defaults, but for those given."""
    return {**{name: spec.get("default") for name, spec in resource.options().items()}, **options}


def report(module: AnsibleModule, planned: Sequence[Part], done: Sequence[Done] | None, **further: Any) -> None:
    """Leave the module with its result; `done` is None in check mode."""
    if done is None:
        steps: list[tuple[Part, Sequence[Change]]] = [(part, part.changes) for part in planned]
    else:
        steps = [(one.part, one.outcome.applied) for one in done]
        # What was planned again knows better what holds now.
        again = {one.part.key: one.part for one in done}
        planned = [again.get(part.key, part) for part in planned]
        further.update({name: value for one in done for name, value in one.further.items()})
    for part in planned:
        further.update(part.further)
    for warning in dict.fromkeys(warning for part in planned for warning in part.warnings):
        module.warn(warning)
    sides = [difference(part.resource, changes) for part, changes in steps]
    result = {
        **further,
        "changed": any(changes for _part, changes in steps),
        "changes": [
            {"setting": part.key, **change.shown(part.resource)} for part, changes in steps for change in changes
        ],
        "diff": {side: "".join(one[side] for one in sides) for side in ("before", "after")},
    }
    broken = next((one for one in done or () if one.outcome.error), None)
    if broken is None or broken.outcome.error is None:
        module.exit_json(**result)
        return
    error, failed = broken.outcome.error, broken.outcome.failed
    at = f"{broken.part.resource.label} {failed.name}: " if failed else ""
    applied = [(part.key, change.name) for part, changes in steps for change in changes]
    wanted = [(part.key, change.name) for part in planned for change in part.changes]
    module.fail_json(
        msg=f"{at}{error.text()} {len(applied)} of {len(wanted)} changes were made; running again makes the rest.",
        error=error.kind,
        remaining=[": ".join(step) for step in wanted if step not in applied],
        **result,
    )
