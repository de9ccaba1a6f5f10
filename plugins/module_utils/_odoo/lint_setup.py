# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lint looks at, in one form, whether it comes from a policy or from a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._odoo import mass_mailing, oauth, presets, senders
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import registry as registries
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.alias_domain import ALIAS_DOMAIN
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_parameters import KNOWN
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER, STRICT
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.user_mail import called, login
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import AliasDomain, Mail, Registry

SERIES = range(registries.FIRST, registries.LAST + 1)
# Odoo's own default.
SEQUENCE = 10


@dataclass(frozen=True)
class Outgoing:
    """An outgoing server. `place` names it in findings.

    `from_filter` has the parts as they were given. `encryption` is `none`, `starttls` or `ssl`, empty if not said;
    `verify` is None where there is nothing to verify. `login` is the user name. `owner`: it is a user's own. `provider`
    is the preset that the policy names.
    """

    place: str
    name: str
    host: str = ""
    port: int | None = None
    encryption: str = ""
    verify: bool | None = None
    authentication: str = "login"
    login: str = ""
    from_filter: tuple[str, ...] = ()
    sequence: int = SEQUENCE
    active: bool = True
    owner: bool = False
    purpose: str = ""
    provider: str = ""

    @property
    def known_as(self) -> str:
        """Return the preset's name: what the policy says, or else whose host it is; empty if that is nobody's."""
        return self.provider if self.provider in presets.PRESETS else presets.by_host(self.host)

    @property
    def preset(self) -> presets.Preset | None:
        """Return its preset."""
        return presets.PRESETS.get(self.known_as)

    def at(self, option: str) -> str:
        """Return the place of one of its options."""
        return f"{self.place}.{option}"


@dataclass(frozen=True)
class Placed:
    """A text and where it stands."""

    place: str
    value: str


@dataclass(frozen=True)
class Person:
    """A user in whose name Odoo sends."""

    place: str
    name: str
    email: str


@dataclass(frozen=True)
class Option:
    """An option that a policy gives: of a record in `listed`, such as `servers`."""

    place: str
    listed: str
    name: str
    value: Any


@dataclass(frozen=True)
class Login:
    """A login that the policy makes at a provider, as an address, and the region that it is of."""

    place: str
    name: str
    provider: str
    region: str


@dataclass(frozen=True)
class Setup:
    """Everything the rules go by.

    `series` is 14 to 19; `certain`, whether that is known or only assumed. `stored`: it comes from a database.
    `campaigns`: Email Marketing is in use, and `campaign_server` the name of the server chosen for it, whose setting is
    at `campaign_place`. `options` are all that a policy gives, `logins` those that it makes at providers. `registry`
    and `mails` are what Odoo chooses by and for whom. `policy` is the whole of one that is sound and has a section
    `dns`, with that section in canonical form.
    """

    series: int
    certain: bool = True
    stored: bool = False
    platform: str = ""
    servers: tuple[Outgoing, ...] = ()
    servers_place: str = "odoo.servers"
    alias_domains: tuple[tuple[str, AliasDomain], ...] = ()
    parameters: Mapping[str, Placed] = field(default_factory=dict)
    campaigns: bool = False
    campaign_server: str = ""
    campaign_place: str = f"odoo.{mass_mailing.KEY}"
    people: tuple[Person, ...] = ()
    options: tuple[Option, ...] = ()
    logins: tuple[Login, ...] = ()
    registry: Registry | None = None
    mails: tuple[Mail, ...] = ()
    policy: Mapping[str, Any] | None = None

    @property
    def senders(self) -> list[Outgoing]:
        """Return the servers among which Odoo chooses: active, and no user's own."""
        return [server for server in self.servers if server.active and not server.owner]


def series_of(section: Mapping[str, Any]) -> tuple[int, bool]:
    """Return the version a policy is for, by default the last one, and whether it says so."""
    given = section.get("version")
    if isinstance(given, int) and not isinstance(given, bool) and given in SERIES:
        return given, True
    return registries.LAST, False


def from_policy(section: Mapping[str, Any], logins: Iterable[Login] = (), *, sound: bool) -> Setup:
    """Return what the policy's section `odoo` says, and which `logins` it makes; what is no value of its key's type is
    passed over.

    What becomes of senders can be told only of a `sound` one, and of one that says what the default sender is.
    """
    series, certain = series_of(section)
    platform = _text(section.get("platform"))
    parameters = {
        _text(item.get("key")): Placed(place, str(item.get("value", item.get("secret_value", ""))))
        for place, item in _records(section, "parameters")
    }
    modules = section.get("modules")
    registry = registries.from_policy(section, series) if sound else None
    known = registry is not None and any(domain.default_from_email for domain in registry.alias_domains)
    return Setup(
        series,
        certain,
        platform=platform,
        servers=tuple(
            _declared(place, item, presets.filled(item, platform)) for place, item in _records(section, "servers")
        ),
        alias_domains=tuple((place, _alias_domain(item)) for place, item in _records(section, "alias_domains")),
        parameters=parameters,
        campaigns="mass_mailing" in modules if isinstance(modules, list) else False,
        campaign_server=_text(section.get(mass_mailing.KEY)),
        people=tuple(
            Person(place, called(login(str(item.get("login")))), _text(item["email"]))
            for place, item in _records(section, "users")
            if "email" in item
        ),
        options=tuple(
            Option(f"{place}.{name}", listed, str(name), value)
            for listed in section
            for place, item in _records(section, listed)
            for name, value in item.items()
        ),
        logins=tuple(logins),
        registry=registry,
        mails=tuple(senders.from_policy(section, series)) if known else (),
    )


def _records(section: Mapping[str, Any], listed: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return place and item of each record of a list."""
    items = section.get(listed)
    if not isinstance(items, list):
        return []
    return [(f"odoo.{listed}[{number}]", item) for number, item in enumerate(items) if isinstance(item, Mapping)]


def _declared(place: str, given: Mapping[str, Any], server: Mapping[str, Any]) -> Outgoing:
    authentication = _text(server.get("smtp_authentication")) or "login"
    encryption, login = _text(server.get("encryption")), _text(server.get("smtp_user"))
    parts = server.get("from_filter")
    if parts is None and authentication in oauth.SERVICES and login:
        parts = [login]  # as Odoo's form fills it in
    port, sequence = server.get("smtp_port"), server.get("sequence")
    return Outgoing(
        place,
        _text(server.get("name")),
        host=_text(server.get("smtp_host")),
        port=port if isinstance(port, int) else None,
        encryption=encryption,
        verify=server.get("verify") is not False if _verifiable(encryption, authentication) else None,
        authentication=authentication,
        login=login,
        from_filter=tuple(str(part).strip().lower() for part in parts) if isinstance(parts, list) else (),
        sequence=sequence if isinstance(sequence, int) else SEQUENCE,
        active=server.get("active") is not False,
        owner=bool(server.get("owner")),
        purpose=_text(given.get("purpose")),
        provider=_text(given.get("provider")),
    )


def _verifiable(encryption: str, authentication: str) -> bool:
    return encryption in ("starttls", "ssl") and authentication not in (*oauth.SERVICES, "cli")


def _alias_domain(values: Mapping[str, Any]) -> AliasDomain:
    names = ("name", "bounce_alias", "catchall_alias", "default_from")
    return AliasDomain(*(_text(values.get(name)).strip().lower() for name in names))


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str) else ""


def read(client: OdooClient, platform: str = "") -> Setup:
    """Return what a database holds; raises what the client raises."""
    rows = client.search_read("ir.config_parameter", [("key", "in", list(KNOWN))], ["key", "value"])
    values = {row["key"]: str(row["value"] or "") for row in rows}
    records = MAIL_SERVER.open(client).load([], every=True).current
    chosen = [record for record in records if mass_mailing.is_chosen(record.id, values)]
    servers = tuple(_stored(record.values, bulk=record in chosen) for record in records)
    domains = ALIAS_DOMAIN.open(client).load([], every=True).current
    registry = registries.read(client)
    return Setup(
        registry.series,
        stored=True,
        platform=platform,
        servers=servers,
        servers_place="mail servers",
        alias_domains=tuple(
            (f"alias domain {record.values['name']}", _alias_domain(record.values)) for record in domains
        ),
        parameters={key: Placed(f"system parameter {key}", value) for key, value in values.items()},
        campaigns=bool(client.search_read("ir.model", [("model", "=", "mailing.mailing")], ["model"])),
        campaign_server=str(chosen[0].values["name"]) if chosen else "",
        campaign_place="Email Marketing",
        people=tuple(_people(client)),
        registry=registry,
        mails=tuple(senders.read(client, registry).mails),
    )


def _stored(values: Mapping[str, Any], *, bulk: bool) -> Outgoing:
    encryption = str(values.get("encryption") or "")
    authentication = oauth.kind(values) or str(values.get("smtp_authentication") or "login")
    plain = encryption.removesuffix(STRICT)
    return Outgoing(
        f"mail server {values['name']}",
        str(values["name"]),
        host=str(values.get("smtp_host") or ""),
        port=values.get("smtp_port"),
        encryption=plain,
        verify=encryption != plain if _verifiable(plain, authentication) else None,
        authentication=authentication,
        login=str(values.get("smtp_user") or ""),
        from_filter=tuple(values.get("from_filter") or ()),
        sequence=int(values.get("sequence") or 0),
        active=bool(values.get("active")),
        owner=bool(values.get("owner")),
        purpose="bulk" if bulk else "",
    )


def _people(client: OdooClient) -> list[Person]:
    """Return the administrator and OdooBot."""
    domain = [("module", "=", "base"), ("name", "in", ["user_root", "user_admin"])]
    ids = [row["res_id"] for row in client.search_read("ir.model.data", domain, ["res_id"])]
    users = client.search_read("res.users", [("id", "in", ids)], ["login", "email"])
    named = ((called(user["login"]), str(user["email"] or "")) for user in users)
    return [Person(f"user {name}", name, email) for name, email in named]
