# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sends mail: every sender that a database knows, or that a policy names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._odoo import facts, mail_address, mass_mailing
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import registry as registries
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.user_mail import ODOOBOT, called, login
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain, Mail, Registry

# Somebody outside, whose mail Odoo passes on to the followers of a record.
CUSTOMER = Mail("customer@example.org", what="a customer, passed on")
# Odoo's own reports of mail that it could not take come from its bounce address under this name.
DAEMON = "MAILER-DAEMON"
PLACEHOLDERS = ("{{", "${")  # 15 and later, 14
# The two kinds of address that the senders of Odoo's own templates are made of: `object.user_id.email_formatted or …`.
USUAL = re.compile(r"\b(?:(?P<user>user|\w*user_id|\w*_uid)|\w*company(?:_id)?)\.(?:partner_id\.)?email")
MAILING = "mailing.mailing"


@dataclass(frozen=True)
class Senders:
    """The mails that can be routed, and a sentence for each sender that cannot be told beforehand."""

    mails: list[Mail]
    unknown: list[str]


def read(client: OdooClient, known: Registry) -> Senders:
    """Return every sender that the database knows, in a constant number of reads; `known` is what it chooses by.

    These are the default senders, OdooBot, companies, internal users, templates, mailings that are not done, and a
    customer whose mail is passed on. For a template that sends as a user or a company, the first one stands.
    """
    found = facts.models(client, [MAILING])
    people = _People(client, known.series >= registries.FIRST_WITH_ALIAS_DOMAINS)
    own = _of_domains(known.alias_domains)
    result = Senders([*own, *people.mails], [])
    result.unknown.extend(people.unknown)
    _add_templates(client, people, result)
    if MAILING in found:
        _add_mailings(client, people, result)
        _add_new_mailing(client, people, result, own[:1])
    result.mails.append(replace(CUSTOMER, alias_domain=people.company.alias_domain))
    return result


def _of_domains(domains: Iterable[AliasDomain]) -> list[Mail]:
    """Return what Odoo sends in its own name: as the default sender, and as the bounce address."""
    mails = []
    for domain in domains:
        if domain.default_from_email:
            mails.append(Mail(domain.default_from_email, domain.name, what="default sender"))
        if domain.bounce_email:
            sender = mail_address.formatted(DAEMON, domain.bounce_email)
            mails.append(Mail(sender, domain.name, what="Odoo's own failure reports"))
    return mails


class _People:
    """Companies and users. `company` and `user` are the first of each that has an address, to stand for the others."""

    def __init__(self, client: OdooClient, has_alias_domains: bool) -> None:
        own = ["alias_domain_id"] if has_alias_domains else []
        records = client.search_read("res.company", [], ["name", "email", *own])
        self._domains = {record["id"]: facts.label(record.get("alias_domain_id")) for record in records}
        internal = ["&", ("share", "=", False), ("active", "=", True)]
        users = client.search_read(
            "res.users", ["|", ("login", "=", ODOOBOT), *internal], ["login", "name", "email", "company_id"]
        )
        self.unknown: list[str] = []
        companies = self._mails(records, self._company)
        bots = self._mails([user for user in users if user["login"] == ODOOBOT], self._user)
        people = self._mails([user for user in users if user["login"] != ODOOBOT], self._user)
        self.mails = [*bots, *companies, *people]
        nobody = Mail("")
        self.company = companies[0] if companies else nobody
        self.user = people[0] if people else nobody

    def _mails(self, records: Iterable[Mapping[str, Any]], made: Callable[[Mapping[str, Any]], Mail]) -> list[Mail]:
        mails = []
        for record in records:
            mail = made(record)
            if _is_address(record["email"]):
                mails.append(mail)
            else:
                self.unknown.append(f"{mail.what}: its e-mail address is {record['email'] or 'empty'}.")
        return mails

    def _company(self, record: Mapping[str, Any]) -> Mail:
        return Mail(_formatted(record), self._domains[record["id"]], what=f"company {record['name']}")

    def _user(self, record: Mapping[str, Any]) -> Mail:
        bot = record["login"] == ODOOBOT
        return Mail(
            _formatted(record),
            self._domains.get(record["company_id"][0], ""),
            author="" if bot else str(record["login"]),
            author_name=str(record["name"]),
            what=_user(record["login"]),
        )


def _add_templates(client: OdooClient, people: _People, result: Senders) -> None:
    fields = client.fields_get("mail.template")
    active = [("active", "=", True)] if "active" in fields else []
    for template in client.search_read("mail.template", active, ["name", "email_from", "mail_server_id"]):
        what, sender = f"template {template['name']}", str(template["email_from"] or "")
        server = facts.label(template["mail_server_id"])
        if not any(mark in sender for mark in PLACEHOLDERS) and sender:
            if _is_address(sender):
                result.mails.append(Mail(sender, people.company.alias_domain, server=server, what=what, chosen=True))
            else:
                result.unknown.append(f"{what}: its sender {sender!r} is no address.")
            continue
        mail, kind = _usual(sender, people)
        if mail.email_from:
            result.mails.append(replace(mail, server=server, what=f"{what} ({kind})"))
        else:
            result.unknown.append(f"{what}: its sender depends on the record: {sender}")


def _usual(sender: str, people: _People) -> tuple[Mail, str]:
    """Return the mail of whom a placeholder usually means, and what it is; one without an address for none."""
    usual = USUAL.search(sender)
    if not sender or (usual and usual["user"]):
        return people.user, "a user's address"
    return (people.company, "the company's address") if usual else (Mail(""), "")


def _add_mailings(client: OdooClient, people: _People, result: Senders) -> None:
    domain = [("state", "!=", "done"), ("mailing_type", "=", "mail"), ("active", "=", True)]
    for mailing in client.search_read(MAILING, domain, ["subject", "email_from", "mail_server_id"]):
        what, sender = f"mailing {mailing['subject']}", str(mailing["email_from"] or "")
        if _is_address(sender):
            server = facts.label(mailing["mail_server_id"])
            result.mails.append(Mail(sender, people.company.alias_domain, server=server, what=what, chosen=True))
        else:
            result.unknown.append(f"{what}: its sender is {sender or 'empty'}.")


def _add_new_mailing(client: OdooClient, people: _People, result: Senders, default: Sequence[Mail]) -> None:
    """Add what a new mailing is given: Email Marketing's dedicated server, and its writer as sender.

    Where the server's filter takes the default sender only, that is the mailing's (_compute_email_from, 15 to 19).
    """
    number = facts.read_parameters(client, [mass_mailing.SERVER]).get(mass_mailing.SERVER, "")
    if not (number.isdigit() and people.user.email_from):
        return
    fields = ["name", *({"from_filter"} & client.fields_get("ir.mail_server").keys())]
    for server in client.search_read("ir.mail_server", [("id", "=", int(number)), ("active", "=", True)], fields):
        text = str(server.get("from_filter") or "")
        mail, kind = people.user, "a user's address"
        if not _takes(text, mail) and default and _takes(text, default[0]):
            mail, kind = default[0], "the default sender"
        result.mails.append(replace(mail, server=str(server["name"]), what=f"a new mailing ({kind})"))


def _takes(from_filter: str, mail: Mail) -> bool:
    address = mail_address.normalize(mail.email_from)
    parts = {part.strip().lower() for part in from_filter.split(",")}
    return not from_filter or bool(parts & {address, mail_address.domain_of(address)})


def _user(login: str) -> str:
    return called(login) if login == ODOOBOT else f"user {login}"


def _formatted(record: Mapping[str, Any]) -> str:
    return mail_address.formatted(str(record["name"]), str(record["email"] or ""))


def _is_address(text: Any) -> bool:
    """Whether a text has an address in it, and nothing beside addresses has an @."""
    found = mail_address.split(str(text or ""))
    return bool(found) and all(all(address.rpartition("@")[::2]) for _name, address in found)


def from_policy(section: Mapping[str, Any], series: int, every_company: bool = False) -> list[Mail]:
    """Return a mail for every sender that the policy's section `odoo` names or has a server for.

    A filter that is a domain stands for any address there. People write about records of their company, for which the
    first alias domain stands; with `every_company` there is a mail with each that a company has, as people may have
    several. Raises ValidationError for a value that cannot be.
    """
    said = registries.from_policy(section, series)
    companies = registries.company_domains(section)
    first = said.alias_domains[0].name if said.alias_domains else ""
    theirs = list(dict.fromkeys(said.companies.values())) if every_company and said.companies else [first]
    mails = _of_domains(said.alias_domains)
    for item in section.get("users") or []:
        if item.get("email"):
            name = login(str(item["login"]))
            author = "" if name == ODOOBOT else name
            mails.extend(Mail(str(item["email"]), domain, author, what=_user(name)) for domain in theirs)
    for item in section.get("companies") or []:
        if item.get("email"):
            name = str(item["name"])
            sender = mail_address.formatted(name, str(item["email"]))
            mails.append(Mail(sender, companies[name], what=f"company {name}"))
    owners = {server.owner for server in said.servers} - {""}
    for server in said.servers:
        # Where a user has a server of his own, Odoo's mail in his name goes by another.
        others = [mail for mail in mails if mail.author == server.owner or mail.author not in owners]
        parts = [part for part in server.from_filter.split(",") if part]
        for domain in theirs:
            known = [mail for mail in others if mail.alias_domain == domain] if every_company else others
            mails.extend(_of_filter(parts, f"filter of {server.name}", domain, server.owner, known))
            if server.name == section.get(mass_mailing.KEY):
                mails.extend(_of_campaign(parts, domain, server.name))
    return [*mails, *(replace(CUSTOMER, alias_domain=domain) for domain in theirs)]


def _of_filter(parts: Sequence[str], what: str, alias_domain: str, owner: str, known: Iterable[Mail]) -> list[Mail]:
    """Return the senders a filter is for, without the addresses that are known already."""
    named = {mail_address.normalize(mail.email_from) for mail in known}
    senders = [part if "@" in part else f"anybody@{part}" for part in parts]
    return [Mail(sender, alias_domain, owner, what=what) for sender in senders if sender not in named]


def _of_campaign(parts: Sequence[str], alias_domain: str, server: str) -> list[Mail]:
    """Return a campaign's sender: one at a domain of the dedicated server's filter, or else of its addresses.

    Without a filter it is whoever writes it, for whom one at the alias domain stands.
    """
    domains = [part for part in parts or [alias_domain] if part and "@" not in part]
    senders = [f"anybody@{domain}" for domain in domains] or list(parts)
    return [Mail(sender, alias_domain, server=server, what="a campaign") for sender in senders[:1]]
