# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify.yml was told about a host and its run, and the policy as far as it can be read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import line
from ansible_collections.mailops.odoo.plugins.module_utils._policy import expand, problems

# The tags that ask for all of it, and those of its parts.
WHOLE = ("all", "tagged", "verify")
PARTS = ("dns", "mailgun", "odoo", "document", "ports", "gateway")
CHECK_MODE = "check mode: what it is about is perhaps not applied yet"


class Unknown(str):
    """Stands where the inventory has a variable that is not defined: a text that passes for a password.

    `reason` is what Ansible says of it.
    """

    reason: str

    @classmethod
    def because(cls, error: Exception) -> Unknown:
        """Return one for an error."""
        made = cls("undefined")
        made.reason = line(error)
        return made


def known(value: Any) -> Any:
    """Return a value of the inventory as plain data, with Unknown in the place of what cannot be templated.

    From ansible-core 2.19 on variables are templated when they are looked at, which raises an error.
    """
    if isinstance(value, Mapping):
        return {str(name): _known_part(value, name) for name in value}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_known_part(value, number) for number in range(len(value))]
    # What a vault has is decrypted when it is made a text.
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _known_part(whole: Any, key: Any) -> Any:
    try:
        return known(whole[key])
    # Whatever it is: a variable that is not there, a vault that is not open, a template that fails.
    except Exception as error:
        return Unknown.because(error)


def unknowns(value: Any) -> list[str]:
    """Return why parts of a value are Unknown, each reason once."""
    if isinstance(value, Unknown):
        return [value.reason]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return list(dict.fromkeys(reason for part in inner for reason in unknowns(part)))


@dataclass(frozen=True)
class Place:
    """Where the look is taken from, and what is asked for.

    `groups` are the host's groups, `run` and `skip` the run's tags. `environment` names the variables of the
    environment that are set. `smtp` may have host, port and ca_file of a submission server in place of Mailgun's.
    `relay_tls_verify` is the variable postfix_relay_tls_verify of the role postfix. `active` has the logins that are
    active in place of those that the policy names.
    """

    host: str
    groups: Collection[str] = ()
    run: Collection[str] = ("all",)
    skip: Collection[str] = ()
    check_mode: bool = False
    environment: Collection[str] = ()
    smtp: Mapping[str, Any] | None = None
    relay_tls_verify: bool = True
    active: Mapping[str, str] | None = None

    @classmethod
    def of(cls, here: Mapping[str, Any], environment: Mapping[str, str]) -> Place:
        """Return the place that the playbook's variables tell of; an empty variable of the environment is none."""
        return cls(
            str(here["host"]),
            [str(name) for name in here["groups"]],
            [str(tag) for tag in here["run_tags"]],
            [str(tag) for tag in here["skip_tags"]],
            bool(here["check_mode"]),
            [name for name, value in environment.items() if value],
            here.get("smtp"),
            bool(here.get("relay_tls_verify", True)),
            here.get("active_logins"),
        )

    @property
    def is_database(self) -> bool:
        """Whether the host stands for a database."""
        return "odoo_databases" in self.groups

    @property
    def is_gateway(self) -> bool:
        """Whether it is a mail gateway."""
        return "mail_gateways" in self.groups

    @property
    def runs_odoo(self) -> bool:
        """Whether Odoo runs there."""
        return "odoo_hosts" in self.groups

    def left_out(self, part: str) -> str:
        """Return by which option a part was left out, '' if it is asked for."""
        if part in self.skip:
            return f"left out by --skip-tags {part}"
        if {*WHOLE, part} & set(self.run):
            return ""
        return f"left out by --tags {','.join(self.run)}"

    @property
    def asks_for_nothing(self) -> str:
        """Return why no part at all is asked for, '' if one is: --tags misspelt, say."""
        if {*WHOLE, *PARTS} & set(self.run):
            return ""
        return f"--tags {','.join(self.run)} name no part of it, which are {', '.join(PARTS)}"


@dataclass(frozen=True)
class Policy:
    """The policy as it is applied; `given` is as it is written. `trouble` says why nothing can be looked at by it.

    `active` has the logins that are active in place of those that it names.
    """

    given: Mapping[str, Any]
    trouble: str = ""
    unsound: bool = False
    active: Mapping[str, str] | None = None

    @property
    def applied(self) -> dict[str, Any]:
        """Return it with what presets say, and whole addresses as logins; empty if there is trouble."""
        return {} if self.trouble else expand(self.given, self.active)

    @property
    def servers(self) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Return each outgoing server as it is written, and as Odoo is to have it."""
        if self.trouble:
            return []
        written = self.given["odoo"].get("servers", [])
        return list(zip(written, self.applied["odoo"].get("servers", []), strict=True))

    @property
    def accounts(self) -> list[Mapping[str, Any]]:
        """Return the accounts at providers."""
        return list(self.applied.get("providers", []))


def policy_of(given: Any, active: Mapping[str, str] | None = None) -> Policy:
    """Return the policy; `given` is the variable mail_policy, None if it is not defined.

    `active` has the logins that are active in place of those that it names.
    """
    if given is None:
        # Up to ansible-core 2.18 it is not defined either where a variable in it is not.
        return Policy({}, "mail_policy is not defined, or names a variable that is not")
    plain = known(given)
    found = problems(plain)
    if not found:
        return Policy(plain, active=active)
    undefined = unknowns(plain)
    if undefined:
        return Policy({}, f"mail_policy cannot be read: {'; '.join(undefined)}")
    return Policy({}, f"mail_policy is unsound: {'; '.join(found)}", unsound=True)
