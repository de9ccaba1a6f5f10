# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside `odoo shell` (14 and 19): writes registries one after the other, sends mails by each, and undoes it all."""

from __future__ import annotations

import json
from typing import Any

COMPANIES = ["First Company", "Second Company", "Third Company"]
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
        others = [env["res.company"].create({"name": name}) for name in COMPANIES[1:]]
        self.companies = dict(zip(COMPANIES, [first, *others]))
        self.records = {
            name: env["res.partner"].create({"name": f"Record of {name}", "company_id": company.id})
            for name, company in self.companies.items()
        }
        admin = env.ref("base.user_admin")
        admin.name = "Administrator"
        second = {"name": "Second Author", "login": "second", "email": "second@acme.example"}
        self.users = {
            "admin": admin,
            "second": env["res.users"].with_context(no_reset_password=True).create(second),
        }
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
        mails = [self._mail(values, servers, case["company"]) for values in case["mails"]]
        for author in self.users:
            sent = [mail for mail, values in zip(mails, case["mails"]) if mail and values["author"] == author]
            self._mails(author, case["company"]).browse([mail.id for mail in sent]).send()
        return [
            {"id": mail.id, "state": mail.state, "reason": mail.failure_reason}
            if mail
            else {"id": 0, "state": "not created", "reason": ""}
            for mail in mails
        ]

    def _server(self, values: dict[str, Any]) -> Any:
        known = self.env["ir.mail_server"]._fields
        owner = self.users[values["owner"]].id if values["owner"] else False
        wanted = {**values, "smtp_host": self.host, "smtp_encryption": "none", "owner_user_id": owner}
        return self.env["ir.mail_server"].create({name: value for name, value in wanted.items() if name in known})

    def _mails(self, author: str, company: str) -> Any:
        """Return mail.mail as a user uses it, whose company it is."""
        return self.env["mail.mail"].with_user(self.users[author]).with_company(self.companies[company]).sudo()

    def _mail(self, values: dict[str, Any], servers: dict[str, Any], company: str) -> Any:
        """Return a new mail, None if Odoo does not let the user demand the server."""
        from odoo.exceptions import ValidationError

        wanted = {
            "email_to": RECIPIENT,
            "body_html": "<p>x</p>",
            **{key: values[key] for key in ("email_from", "subject")},
        }
        wanted["mail_server_id"] = servers[values["server"]].id if values["server"] else False
        if values["record_of"]:
            domain = self.companies[values["record_of"]].alias_domain_id
            record = self.records[values["record_of"]]
            wanted.update(model="res.partner", res_id=record.id, record_alias_domain_id=domain.id)
        try:
            with self.env.cr.savepoint():
                return self._mails(values["author"], company).create(wanted)
        except ValidationError:
            return None
