# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside `odoo shell` (14 and 19): writes one registry after the other, sends mails by each, and undoes it all."""

from __future__ import annotations

import contextlib
import json
from typing import Any

COMPANIES = ["First Company", "Second Company"]
# Login → name and address.
AUTHORS = {
    "admin": ("Administrator", "Sales@acme.example"),
    "__system__": ("OdooBot, with a name that is rather long", "info@Shop.Example"),
}
RECIPIENT = "somebody@customer.example"


class Undone(Exception):
    """Raised to roll back to a savepoint."""


def main(env: Any, cases: list[dict[str, Any]], host: str, configured_port: int) -> None:
    """Print for each case the mails' numbers and states, as one line of JSON."""
    from odoo.tools import config

    config["smtp_server"], config["smtp_port"] = host, configured_port
    world = World(env, host)
    print("SENT " + json.dumps([world.outcome(case, config) for case in cases]))
    env.cr.rollback()


class World:
    """The companies, users and records that all cases have."""

    def __init__(self, env: Any, host: str) -> None:
        self.env, self.host = env, host
        self.domains = "mail.alias.domain" in env
        self.personal = "owner_user_id" in env["ir.mail_server"]._fields
        env["ir.mail_server"].with_context(active_test=False).search([]).unlink()
        self.set("mail.server.personal.limit.minutes", "100000")
        first = env.ref("base.main_company")
        first.name = COMPANIES[0]
        self.companies = {COMPANIES[0]: first, COMPANIES[1]: env["res.company"].create({"name": COMPANIES[1]})}
        self.records = {
            name: env["res.partner"].create({"name": f"Record of {name}", "company_id": company.id})
            for name, company in self.companies.items()
        }
        self.users = {"admin": env.ref("base.user_admin"), "__system__": env.ref("base.user_root")}
        for login, user in self.users.items():
            user.name, user.email = AUTHORS[login]
        if self.domains:
            env["res.company"].search([]).write({"alias_domain_id": False})
            env["mail.alias"].search([]).write({"alias_domain_id": False})
            env["mail.alias.domain"].search([]).unlink()

    def set(self, parameter: str, value: str | None) -> None:
        """Write a system parameter; None removes it."""
        self.env["ir.config_parameter"].sudo().set_param(parameter, value or False)

    def outcome(self, case: dict[str, Any], config: Any) -> list[dict[str, Any]]:
        """Return what became of a case's mails, in their order."""
        config["email_from"] = case["configuration"]["email_from"]
        config["from_filter"] = case["configuration"]["from_filter"]
        result: list[dict[str, Any]] = []
        try:
            with self.env.cr.savepoint():
                result = self._send(case)
                raise Undone
        except Undone:
            # What the savepoint's end undoes in the database stays in the cache of parameters.
            registry = self.env.registry
            registry.clear_all_caches() if hasattr(registry, "clear_all_caches") else registry.clear_caches()
        return result

    def _send(self, case: dict[str, Any]) -> list[dict[str, Any]]:
        env = self.env
        for parameter, value in case["parameters"].items():
            self.set(parameter, value)
        for values in case["alias_domains"]:
            env["mail.alias.domain"].create(values)
        for name, domain in case["companies"].items() if self.domains else ():
            self.companies[name].alias_domain_id = env["mail.alias.domain"].search([("name", "=", domain)])
        servers = {values["name"]: self._server(values) for values in case["servers"]}
        mails = self._mails(case["mails"], servers, case["company"])
        for author in self.users:
            sent = [mails[place].id for place, values in enumerate(case["mails"]) if values["author"] == author]
            self._model(author, case["company"]).browse(filter(None, sent)).send()
        return [{"id": mail.id, "state": mail.state or "not created", "reason": mail.failure_reason} for mail in mails]

    def _server(self, values: dict[str, Any]) -> Any:
        known = self.env["ir.mail_server"]._fields
        owner = self.users[values["owner"]].id if values["owner"] else False
        wanted = {**values, "smtp_host": self.host, "smtp_encryption": "none", "owner_user_id": owner}
        # Odoo takes a personal server only for the owner's own address.
        wanted["smtp_user"] = AUTHORS[values["owner"]][1] if owner else False
        return self.env["ir.mail_server"].create({name: value for name, value in wanted.items() if name in known})

    def _model(self, author: str, company: str) -> Any:
        """Return mail.mail as a user has it, whose company it is."""
        return self.env["mail.mail"].with_user(self.users[author]).with_company(self.companies[company]).sudo()

    def _mails(self, given: list[dict[str, Any]], servers: dict[str, Any], company: str) -> list[Any]:
        """Return new mails, an empty one where Odoo does not let the user demand the server."""
        from odoo.exceptions import ValidationError

        mails = [self.env["mail.mail"]] * len(given)
        for author in self.users:
            model = self._model(author, company)
            places = [place for place, values in enumerate(given) if values["author"] == author]
            together = [place for place in places if not given[place]["server"]]
            for place, mail in enumerate(model.create([self._values(given[place], servers) for place in together])):
                mails[together[place]] = mail
            for place in places:
                if given[place]["server"]:
                    with contextlib.suppress(ValidationError), self.env.cr.savepoint():
                        mails[place] = model.create(self._values(given[place], servers))
        return mails

    def _values(self, given: dict[str, Any], servers: dict[str, Any]) -> dict[str, Any]:
        values = {
            "email_from": given["email_from"],
            "email_to": RECIPIENT,
            "subject": given["subject"],
            "body_html": "<p>x</p>",
            "mail_server_id": servers[given["server"]].id if given["server"] else False,
        }
        if given["record_of"]:
            domain = self.companies[given["record_of"]].alias_domain_id
            record = self.records[given["record_of"]]
            values.update(model="res.partner", res_id=record.id, record_alias_domain_id=domain.id)
        return values
