# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server takes a mail, and with which addresses it leaves: Odoo's own choice (14 to 19) as a pure function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import mail_address
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import routing_words as words
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing_rules import RULES
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing_words import STEPS

__all__ = ["STEPS", "AliasDomain", "Mail", "Registry", "Route", "Router", "Server"]


@dataclass(frozen=True)
class Server:
    """An outgoing server (`ir.mail_server`), as far as its choice goes.

    `from_filter` is the text that Odoo stores. `id` breaks ties from 17 on; 0 for a server that is not in Odoo yet.
    `owner` is a login (19): the server is for that user's mail alone. Odoo refuses it when it is no longer the user's
    `outgoing_mail_server_id`, because the user's address is another by now: `in_use` is False then.
    """

    name: str
    sequence: int = 10
    from_filter: str = ""
    active: bool = True
    id: int = 0
    authentication: str = "login"
    owner: str = ""
    in_use: bool = True


@dataclass(frozen=True)
class AliasDomain:
    """An alias domain (17 and later), or what the parameters `mail.*` say (up to 16). What is not set is empty."""

    name: str
    bounce_alias: str = ""
    catchall_alias: str = ""
    default_from: str = ""

    @property
    def bounce_email(self) -> str:
        """Return the address at which failures come back."""
        return f"{self.bounce_alias}@{self.name}" if self.bounce_alias and self.name else ""

    @property
    def catchall_email(self) -> str:
        """Return the address at which replies come back."""
        return f"{self.catchall_alias}@{self.name}" if self.catchall_alias and self.name else ""

    @property
    def default_from_email(self) -> str:
        """Return the sender that Odoo uses when no server takes the real one; a whole address stays as it is."""
        if "@" in self.default_from:
            return self.default_from
        return f"{self.default_from}@{self.name}" if self.default_from and self.name else ""


@dataclass(frozen=True)
class Registry:
    """Everything by which one Odoo chooses.

    `series` is 14 to 19. `companies` has company → name of its alias domain (17 and later); `company` is that of the
    user in whose name Odoo sends. `configuration` holds what odoo.conf says (`from_filter`, `email_from`,
    `smtp_server`), as far as it is known. `default_from_filter` is the parameter `mail.default.from_filter`, None where
    it is not set.
    """

    series: int
    servers: tuple[Server, ...] = ()
    alias_domains: tuple[AliasDomain, ...] = ()
    companies: Mapping[str, str] = field(default_factory=dict)
    company: str = ""
    configuration: Mapping[str, str] = field(default_factory=dict)
    default_from_filter: str | None = None
    personal_servers: bool = True


@dataclass(frozen=True)
class Mail:
    """A mail that Odoo is to send.

    `email_from` is an address, with a name or without. `alias_domain` is that of the record the mail is about (17 and
    later; empty for none). `author` is the login of the user who writes it, `author_name` that user's name, where it is
    known. `server` is the name of the server that a template, a mailing or Email Marketing's setting demands; `what`
    says in a word or two what kind of sender it is. `chosen`: somebody gave the template or mailing this very sender.
    """

    email_from: str
    alias_domain: str = ""
    author: str = ""
    server: str = ""
    what: str = ""
    author_name: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Route:
    """How a mail leaves. `server` is None for the one of odoo.conf or the command line.

    `email_from` is the header From as the recipient sees it, `envelope_from` the sender that bounces go to; on 14 that
    is `bounce+<id>@domain`, where Odoo puts the mail's number for `<id>`, and for a mail about a record `-model-id`
    after it. `reply_to` is the header of a mail that is not about a record: the catchall address with the company's
    name (19: the author's, if the mail has it; else without a name), or the sender where there is no catchall. About a
    record, Odoo puts the record's own alias there if it has one, and up to 18 the record's name after the company's.

    `step` says which of Odoo's rules decided (`STEPS`), `reason` the same as a sentence; `warnings` what is amiss with
    it; `tied` are other servers that Odoo might take as well. Where Odoo refuses to send (`refused`) the addresses are
    empty.
    """

    mail: Mail
    server: Server | None
    email_from: str
    envelope_from: str
    reply_to: str
    step: str
    reason: str
    warnings: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Filter:
    """A from_filter, parsed; an empty one matches every address."""

    text: str
    addresses: frozenset[str]
    domains: frozenset[str]

    @classmethod
    def parse(cls, text: str, is_list: bool) -> _Filter:
        parts = [part.strip() for part in text.split(",")] if is_list else [text]
        # What begins with @ is neither, and never matches.
        addresses = {mail_address.normalize(part) for part in parts if part.find("@") > 0}
        domains = {part.lower() for part in parts if "@" not in part}
        return cls(text, frozenset(addresses - {""}), frozenset(domains - {""}))

    def matches(self, address: str) -> bool:
        """Whether it takes a normalized address."""
        return not self.text or address in self.addresses or mail_address.domain_of(address) in self.domains


@dataclass(frozen=True)
class _Candidate:
    server: Server
    filter: _Filter


class _Servers:
    """Servers in their order, looked up by what their filters have; each look-up gives all that match."""

    def __init__(self, candidates: Iterable[_Candidate]) -> None:
        self.all = list(candidates)
        self.by_address: dict[str, list[_Candidate]] = defaultdict(list)
        self.by_domain: dict[str, list[_Candidate]] = defaultdict(list)
        for one in self.all:
            for address in one.filter.addresses:
                self.by_address[address].append(one)
            for domain in one.filter.domains:
                self.by_domain[domain].append(one)
        self.without_filter = [one for one in self.all if not one.filter.text]
        self.without_address = [one for one in self.all if not one.filter.addresses]


@dataclass(frozen=True)
class _Choice:
    """The servers that match, of which the first is taken (none: odoo.conf's), and the sender that Odoo gives it."""

    matching: Sequence[_Candidate]
    sender: str
    step: str

    @property
    def candidate(self) -> _Candidate | None:
        return self.matching[0] if self.matching else None


class Router:
    """Predicts for one registry how mails leave, without Odoo; ValidationError for a series that it does not know."""

    def __init__(self, registry: Registry) -> None:
        if registry.series not in RULES:
            raise ValidationError(
                f"how Odoo {registry.series} chooses a server is not known here", "14 to 19 are known"
            )
        self._registry = registry
        self._rules = RULES[registry.series]
        self._domains = {domain.name: domain for domain in registry.alias_domains}
        self._own_names = {name.lower() for name in self._domains}
        conf = registry.configuration
        self._configured_filter = self._parsed(registry.default_from_filter or conf.get("from_filter") or "")
        self._company_domain = self._domain_of_company()
        default_from = self._company_domain.default_from_email or conf.get("email_from") or ""
        self._company_notification = mail_address.normalize(default_from)

        ordered = sorted(registry.servers, key=lambda server: (server.sequence, server.id))
        every = [_Candidate(server, self._parsed(server.from_filter)) for server in ordered]
        self._by_name = {one.server.name: one for one in reversed(every)}
        usable = [one for one in every if one.server.active]
        self._common = _Servers(one for one in usable if not one.server.owner)
        owners = {one.server.owner for one in usable} - {""}
        allowed = owners if self._rules.personal and registry.personal_servers else set()
        self._of_owner = {
            owner: _Servers(one for one in usable if one.server.owner in ("", owner)) for owner in allowed
        }

    def route(self, mail: Mail) -> Route:
        """Return how this mail leaves; ValidationError if its sender is no address or it names what is not there."""
        senders = mail_address.split(mail.email_from)
        if not senders or not all(all(address.rpartition("@")) for _name, address in senders):
            raise ValidationError(f"{mail.email_from!r} is no sender: an address is needed, with a name or without")
        header = mail.email_from
        if self._rules.first_sender:
            name, address = senders[0]
            header = mail_address.formatted(name, mail_address.lower(address))
        domain = self._domain_of(mail)
        notification = (domain.default_from_email if mail.alias_domain else "") or self._company_notification

        if mail.server:
            choice = _Choice([self._demanded(mail.server)], header, "forced")
        else:
            choice = self._choose(header, notification, mail.author)
        server = choice.candidate.server if choice.candidate else None
        if refusal := self._refusal(choice, mail):
            return Route(mail, server, "", "", "", "refused", refusal, (refusal,))

        final = self._header(header, choice.sender, mail_address.normalize(notification))
        given = choice.candidate.filter if choice.candidate else self._configured_filter
        bounce = self._bounce(domain)
        # Without a bounce address Odoo tries the sender as it was, not as the header has it.
        wanted = bounce or header
        envelope = mail_address.on_the_wire(wanted if given.matches(mail_address.normalize(wanted)) else final)
        warnings = self._warnings(choice, given, bounce, envelope, final)
        if self._rules.bounce_per_mail and domain.bounce_email:
            envelope = envelope.replace("@", "+<id>@", 1)
        reason = self._reason(choice, mail_address.normalize(header) or header, notification)
        reply_to, tied = self._reply_to(mail, domain), tuple(self._tied(choice))
        return Route(mail, server, final, envelope, reply_to, choice.step, reason, warnings, tied)

    # What the registry says

    def _parsed(self, from_filter: str) -> _Filter:
        return _Filter.parse(from_filter if self._rules.filters else "", self._rules.filter_list)

    def _domain_of_company(self) -> AliasDomain:
        domains = self._registry.alias_domains
        if not self._rules.domain_of_record:
            return domains[0] if domains else AliasDomain("")
        return self._domains.get(self._registry.companies.get(self._registry.company, ""), AliasDomain(""))

    def _domain_of(self, mail: Mail) -> AliasDomain:
        """Return the alias domain of the record, or else of the company."""
        if not mail.alias_domain or not self._rules.domain_of_record:
            return self._company_domain
        if mail.alias_domain not in self._domains:
            raise ValidationError(
                f"there is no alias domain {mail.alias_domain!r}, which a mail from {mail.email_from!r} has"
            )
        return self._domains[mail.alias_domain]

    def _bounce(self, domain: AliasDomain) -> str:
        """Return the address at which failures should come back, '' if there is none."""
        if bounce := domain.bounce_email or self._company_domain.bounce_email:
            return bounce
        if self._rules.default_bounce and domain.name:
            return f"{self._rules.default_bounce}@{domain.name}"
        return self._registry.configuration.get("email_from") or "" if self._rules.configured_bounce else ""

    def _reply_to(self, mail: Mail, domain: AliasDomain) -> str:
        address = domain.catchall_email
        if not address:
            return mail.email_from
        name = mail.author_name if self._rules.reply_name == "author" else self._company_with(domain)
        reply = mail_address.formatted(name, address)
        return address if 0 < self._rules.longest_reply < len(reply) else reply

    def _company_with(self, domain: AliasDomain) -> str:
        """Return the company that has this alias domain, the sending user's before others; '' if several others do."""
        if domain is self._company_domain:
            return self._registry.company
        having = [company for company, name in self._registry.companies.items() if name == domain.name]
        return having[0] if len(having) == 1 else ""

    # Odoo's choice

    def _choose(self, header: str, notification: str, author: str) -> _Choice:
        """Return what ir.mail_server._find_mail_server does."""
        common = self._common
        if not self._rules.filters:
            return _Choice(common.all, header, "first" if common.all else "configuration")
        own = self._of_owner.get(author, common)
        sender = mail_address.normalize(header)
        if not sender and own.without_address:
            return _Choice(own.without_address, header, "several")
        if found := own.by_address.get(sender):
            return _Choice(found, header, "address")
        if found := own.by_domain.get(mail_address.domain_of(sender)):
            return _Choice(found, header, "domain")
        # Compared as the alias domain has it: with capitals, the whole address never matches.
        if found := common.by_address.get(notification):
            return _Choice(found, notification, "notification_address")
        if found := common.by_domain.get(mail_address.domain_of(mail_address.normalize(notification))):
            return _Choice(found, notification, "notification_domain")
        fallback = (self._rules.notification_fallback and notification) or header
        if common.without_filter:
            return _Choice(common.without_filter, fallback, "no_filter")
        if common.all:
            return _Choice(common.all, fallback, "mismatch")
        # Odoo chooses twice here; the second time it knows nothing of the record.
        once = self._by_configuration(header, notification)
        return _Choice([], self._by_configuration(once, self._company_notification), "configuration")

    def _by_configuration(self, sender: str, notification: str) -> str:
        """Return the sender of a mail that leaves by odoo.conf's server."""
        for address in filter(None, (sender, notification)):
            if self._configured_filter.matches(mail_address.normalize(address)):
                return address
        return (self._rules.notification_fallback and notification) or sender

    def _header(self, header: str, sender: str, notification: str) -> str:
        """Return the header From: the notification address gets the name of the sender for whom it stands in."""
        if not notification or mail_address.normalize(sender) != notification:
            return sender
        if mail_address.normalize(header) != notification:
            return mail_address.renamed(header, notification)
        return sender if self._rules.own_name_lost else header

    def _demanded(self, name: str) -> _Candidate:
        if name not in self._by_name:
            raise ValidationError(f"there is no outgoing server {name!r}, which a mail demands")
        return self._by_name[name]

    def _refusal(self, choice: _Choice, mail: Mail) -> str:
        """Return why Odoo does not send by the server it chose or was told to take; '' if it does."""
        if not choice.candidate:
            return ""
        server, text = choice.candidate.server, ""
        if not server.active and self._rules.archived_refused:
            text = words.REFUSED_ARCHIVED
        elif server.owner and not self._registry.personal_servers:
            text = words.REFUSED_OFF
        elif server.owner and server.owner != mail.author:
            text = words.REFUSED_OTHER
        elif server.owner and server.from_filter != mail_address.normalize(choice.sender):
            text = words.REFUSED_FILTER
        elif server.owner and not server.in_use:
            text = words.REFUSED_ADDRESS
        return text.format(server=server.name, owner=server.owner, filter=server.from_filter)

    # What an administrator is told

    def _reason(self, choice: _Choice, sender: str, notification: str) -> str:
        return words.REASONS[choice.step].format(
            server=choice.candidate.server.name if choice.candidate else "",
            sender=sender,
            notification=words.NOTIFICATION.format(notification) if notification else words.NO_NOTIFICATION,
        ) + (words.BY_CLI if choice.candidate and choice.candidate.server.authentication == "cli" else "")

    def _warnings(self, choice: _Choice, given: _Filter, bounce: str, envelope: str, final: str) -> tuple[str, ...]:
        """Return what is amiss with a route; `given` is the filter of its server."""
        said = []
        name = choice.candidate.server.name if choice.candidate else words.CONFIGURED
        if choice.step == "mismatch":
            said.append(words.MISMATCH.format(server=name))
        if not bounce:
            said.append(words.NO_BOUNCE)
        elif not given.matches(mail_address.normalize(bounce)):
            said.append(words.OTHER_ENVELOPE.format(filter=given.text, server=name, bounce=bounce, envelope=envelope))
        address = mail_address.lower(mail_address.split(final)[-1][1])
        domain = mail_address.domain_of(address)
        if not given.matches(address):
            said.append(words.SPOOFED.format(address=address, filter=given.text, server=name))
        elif not given.text and domain not in self._own_names:
            said.append(words.SPOOFED_UNFILTERED.format(address=address, domain=domain, server=name))
        if others := self._tied(choice):
            said.append(words.TIE.format(server=name, others=", ".join(others), series=self._registry.series))
        return tuple(said)

    def _tied(self, choice: _Choice) -> list[str]:
        """Return the other servers that Odoo might take as well."""
        if self._rules.ties_by_id or not choice.candidate:
            return []
        sequence = choice.candidate.server.sequence
        tied = takewhile(lambda other: other.server.sequence == sequence, choice.matching[1:])
        return [other.server.name for other in tied]
