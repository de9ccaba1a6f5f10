# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts at Mailgun: their domains as Mailgun sees them, and whether their logins let mail in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check, failed, passed, skipped, unseen
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import CHECK_MODE, Place, Policy, Unknown
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun.region import REGIONS

KEY = "MAILGUN_API_KEY"
SECONDS = 3.0  # for each step of a login
PORT, IMPLICIT_TLS = 2525, 465
APPLY = "Run site.yml --tags mailgun."
LOOP_VARIABLE = "verify_domain"
NO_ACCOUNT = "the policy names no account at Mailgun (providers)"


@dataclass(frozen=True)
class Domain:
    """A domain of an account; `account` is its number in the policy's section. `no_key` says why it cannot be asked."""

    name: str
    region: str
    inbound_routes: bool
    account: int
    no_key: str = ""

    def item(self) -> dict[str, Any]:
        """Return what the playbook asks the module mailgun_domain_info for."""
        return {
            "name": self.name,
            "region": self.region,
            "inbound_routes": self.inbound_routes,
            "account": self.account,
        }


@dataclass(frozen=True)
class Login:
    """A login of a domain; the password may be empty or Unknown."""

    login: str
    password: str
    region: str

    def target(self, place: Place) -> dict[str, Any]:
        """Return what the module smtp_probe is to try."""
        smtp = place.smtp or {}
        port = int(smtp.get("port") or PORT)
        return {
            "host": smtp.get("host") or REGIONS[self.region].smtp_host,
            "port": port,
            "encryption": "ssl" if port == IMPLICIT_TLS else "starttls",
            "login": self.login,
            "password": self.password,
            "ca_file": smtp.get("ca_file") or "",
            "timeout": SECONDS,
        }

    @property
    def unknown(self) -> str:
        """Return why the password is not known, '' if it is."""
        if isinstance(self.password, Unknown):
            return self.password.reason
        return "" if self.password else "it is empty, as before the first run of site.yml"


def domains(policy: Policy, place: Place) -> list[Domain]:
    """Return the domains of all accounts."""
    return [
        Domain(
            str(domain["name"]).lower(),
            account["region"],
            bool(domain.get("inbound_routes")),
            number,
            _no_key(account, place),
        )
        for number, account in enumerate(policy.accounts)
        for domain in account["domains"]
    ]


def _no_key(account: Mapping[str, Any], place: Place) -> str:
    key = account.get("api_key")
    if isinstance(key, Unknown):
        return f"there is no API key: {key.reason}"
    return "" if key or KEY in place.environment else f"there is no API key (api_key, or the environment's {KEY})"


def logins(policy: Policy) -> list[Login]:
    """Return the logins of all domains."""
    return [
        Login(one["login"], one["password"], account["region"])
        for account in policy.accounts
        for domain in account["domains"]
        for one in domain.get("credentials", [])
    ]


def asked(policy: Policy, place: Place) -> list[Domain]:
    """Return the domains that Mailgun is to be asked about: for itself, or for the records it wants in DNS."""
    wanted = not place.check_mode and not (place.left_out("mailgun") and place.left_out("dns"))
    return [domain for domain in domains(policy, place) if wanted and not domain.no_key]


def tried(policy: Policy, place: Place) -> list[Login]:
    """Return the logins that are to be tried."""
    wanted = not place.check_mode and not place.left_out("mailgun")
    return [login for login in logins(policy) if wanted and not login.unknown]


def answers(policy: Policy, place: Place, result: Any) -> dict[str, Any]:
    """Return for each domain that was asked for what the module returned; `result` is that of the playbook's loop."""
    items = result.get("results") if isinstance(result, Mapping) else None
    if items is None:  # the loop itself did not come about
        return dict.fromkeys((domain.name for domain in asked(policy, place)), result)
    return {str(one[LOOP_VARIABLE]["name"]): one for one in items}


def shown(answer: Any) -> Mapping[str, Any]:
    """Return a domain as Mailgun's module shows it, nothing if it did not."""
    found = answer.get("domains") if isinstance(answer, Mapping) else None
    return found[0] if found else {}


def is_new(found: Mapping[str, Any]) -> bool:
    """Whether Mailgun has yet to verify a domain for the first time."""
    return bool(found) and found["domain"]["state"] == "unverified"


def checks(policy: Policy, place: Place, domain_result: Any, login_result: Any) -> list[Check]:
    """Return the checks of all accounts; the results are those of mailgun_domain_info and smtp_probe."""
    out = place.left_out("mailgun")
    if out:
        return [skipped("MAILGUN", place.host, out, asked=False)]
    if place.check_mode:
        return [skipped("MAILGUN", place.host, CHECK_MODE)]
    if policy.trouble:
        return [skipped("MAILGUN", place.host, policy.trouble)]
    if not policy.accounts:
        return [skipped("MAILGUN", place.host, NO_ACCOUNT, asked=False)]
    told = answers(policy, place, domain_result)
    found = [check for domain in domains(policy, place) for check in _domain(domain, told.get(domain.name))]
    return [*found, *_logins(policy, place, login_result)]


def _domain(domain: Domain, answer: Any) -> list[Check]:
    name = f"MAILGUN.{domain.name}"
    if domain.no_key:
        fix = f"Give one in the vault or in {KEY}; or leave Mailgun out: --skip-tags mailgun,dns."
        return [skipped(f"{name}.{what}", domain.name, domain.no_key, fix) for what in ("state", "records")]
    fix = "Check api_key and region, and that this machine reaches Mailgun's API."
    lacking = unseen(f"{name}.state", domain.name, answer, "domains", fix)
    if lacking:
        why = "Mailgun did not tell, see the state"
        return [lacking, skipped(f"{name}.records", domain.name, why)]
    if not answer["domains"]:
        there = f"Mailgun has no such domain in the account's region {domain.region}"
        return [
            failed(f"{name}.state", domain.name, there, f"{APPLY} Or is another region or account meant?"),
            skipped(f"{name}.records", domain.name, "there is no such domain, see the state"),
        ]
    found = shown(answer)
    return [_state(f"{name}.state", found["domain"]), _records(f"{name}.records", domain, found)]


def _state(name: str, found: Mapping[str, Any]) -> Check:
    domain, state = found["name"], found["state"]
    if found["is_disabled"]:
        why = found["disabled_because"] or "Mailgun does not say why"
        return failed(name, domain, f"disabled: {why}", "Ask Mailgun's support; nothing is sent for it.")
    if state != "active":
        told = f"{state}: Mailgun does not send for it"
        return failed(name, domain, told, f"Publish its records. {APPLY}", state == "unverified")
    return passed(name, domain, f"active in region {found['region']}")


def _records(name: str, domain: Domain, found: Mapping[str, Any]) -> Check:
    """Return what Mailgun says of the records. Those for receiving count only where the policy says inbound_routes."""
    receiving = found["receiving_records"] if domain.inbound_routes else []
    awaited = [
        *found["domain"]["awaited"],
        *(f"{record['name']} {record['type']}" for record in receiving if not record["valid"]),
    ]
    if awaited:
        return failed(
            name,
            domain.name,
            f"Mailgun has not found: {', '.join(awaited)}",
            f"Publish them as the DNS checks say. Mailgun looks again by itself, or at once: {APPLY}",
            is_new(found),
        )
    kinds = "sending and receiving" if domain.inbound_routes else "sending"
    return passed(name, domain.name, f"all that are needed for {kinds} are valid for Mailgun")


def _logins(policy: Policy, place: Place, result: Any) -> list[Check]:
    found = []
    outcomes = iter(result.get("results", []) if isinstance(result, Mapping) else [])
    for login in logins(policy):
        name = f"MAILGUN.{login.login}.auth"
        if login.unknown:
            found.append(skipped(name, login.login, f"the password is not known: {login.unknown}", APPLY))
            continue
        lacking = unseen(name, login.login, result, "results", "Correct the login in the policy.")
        found.append(lacking or _login(name, login, next(outcomes)))
    return found


def _login(name: str, login: Login, outcome: Mapping[str, Any]) -> Check:
    at = f"{outcome['host']}:{outcome['port']}"
    if outcome["authenticated"]:
        return passed(name, login.login, f"{at} takes the policy's password")
    if outcome["authenticated"] is False:
        fix = f"{APPLY} It gives the login the policy's password, or makes the login."
        return failed(name, login.login, f"{at}: {outcome['problem']}", fix)
    if outcome["reachable"]:
        fix = "It answers, but not as Mailgun's server does: see what it says. No password was refused."
        return failed(name, login.login, f"{at}: {outcome['problem']}", fix)
    return skipped(name, login.login, f"from here {at} cannot be asked: {outcome['problem']}")
