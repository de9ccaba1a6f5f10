# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the lint, each a small function over one form of the settings (`lint_setup.Setup`).

A rule's ID never changes. docs/lint.md explains each; a test keeps the two together.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence

from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses, mail_address, presets
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.lint_setup import Outgoing, Setup
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources import mail_parameters
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import port_trouble
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import Route, Router

ERROR, WARNING, INFO = "error", "warning", "info"
FIRST_WITH_FILTER, FIRST_WITH_LISTS, FIRST_TO_VERIFY = 15, 17, 19
FROM_FILTER = "mail.default.from_filter"
# Options of a policy → the first version that has them (ir.mail_server and others, seen on 14 to 19).
SINCE: Mapping[tuple[str, str], int] = {
    ("servers", "from_filter"): 15,
    ("servers", "smtp_ssl_certificate"): 15,
    ("servers", "smtp_ssl_private_key"): 15,
    ("servers", "max_email_size"): 18,
    ("servers", "owner"): 19,
    ("alias_domains", "companies"): 17,
    ("alias_domains", "sequence"): 17,
    ("companies", "alias_domain"): 17,
    ("aliases", "alias_incoming_local"): 17,
    ("allowed_senders", "email"): 16,
}
VALUES_SINCE: Mapping[tuple[str, str, str], int] = {
    ("servers", "smtp_authentication", "certificate"): 15,
    ("servers", "smtp_authentication", "cli"): 17,
}
# Option → the first version without it.
UNTIL: Mapping[tuple[str, str], int] = {("aliases", "alias_user"): 17}

Findings = Iterator[tuple[str, str, str, str]]  # severity, place, message, fix
Rule = Callable[[Setup], Findings]
RULES: dict[str, Rule] = {}


def _rule(number: str) -> Callable[[Rule], Rule]:
    def registered(function: Rule) -> Rule:
        RULES[number] = function
        return function

    return registered


@_rule("A10")
def _equal_sequences(setup: Setup) -> Findings:
    groups: dict[int, list[Outgoing]] = {}
    for server in setup.senders:
        groups.setdefault(server.sequence, []).append(server)
    first = "the one that was made first" if setup.series >= FIRST_WITH_LISTS else "either"
    for sequence, (one, *others) in groups.items():
        if others:
            yield (
                WARNING,
                one.at("sequence"),
                f"{_names([one, *others])} have the same sequence, {sequence}: among equals Odoo takes {first}",
                "Give each a sequence of its own.",
            )


@_rule("A16")
def _domain_of_odoo(setup: Setup) -> Findings:
    for place, domain in setup.alias_domains:
        if domain.name.endswith(".odoo.com") and setup.senders:
            yield (
                ERROR,
                f"{place}.name",
                f"{domain.name} belongs to Odoo S.A., so nothing in its DNS lets {_names(setup.senders)} send for it",
                "Use a domain of your own.",
            )


@_rule("A19")
def _filter_without_effect(setup: Setup) -> Findings:
    given = setup.parameters.get(FROM_FILTER)
    if given and setup.senders and setup.series >= FIRST_WITH_FILTER:
        yield (
            WARNING,
            given.place,
            f"{FROM_FILTER} counts only while there is no outgoing mail server, but there are: {_names(setup.senders)}",
            "Delete it, and give the servers their from_filter.",
        )


@_rule("A21")
def _unfit_provider(setup: Setup) -> Findings:
    for server in setup.senders:
        purpose = "bulk" if server.name == setup.campaign_server else server.purpose
        if server.preset and purpose in presets.PURPOSES and purpose not in server.preset.suitable_for:
            fit = [name for name, preset in presets.PRESETS.items() if purpose in preset.suitable_for]
            yield (
                WARNING,
                server.place,
                f"{server.preset.title} is not meant for {purpose} mail: {server.preset.limit}",
                f"Such mail can go by {', '.join(fit)}.",
            )


@_rule("B01")
def _no_filter(setup: Setup) -> Findings:
    for server in setup.senders:
        demanded = server.preset is not None and server.preset.senders  # B04
        if setup.series >= FIRST_WITH_FILTER and not (server.from_filter or demanded or _is_bulk(setup, server)):
            yield (
                WARNING,
                server.at("from_filter"),
                f"{server.name} has no from_filter, so it gets whatever no other server's filter matches",
                "Name the addresses and domains that it may send for.",
            )


@_rule("B02")
def _dead_filter(setup: Setup) -> Findings:
    for server in setup.servers:
        for part in server.from_filter:
            try:
                # What is beyond ASCII may be an address as Odoo has it.
                part.isascii() and addresses.filter_part(part)
            except ValueError as error:
                reason, _colon, remedy = str(error).partition(": write ")
                fix = f"Write {remedy}." if remedy else "Name addresses and domains only."
                reason = reason if part in reason else f"{part!r} never matches in Odoo: {reason}"
                yield ERROR, server.at("from_filter"), reason, fix
        if len(server.from_filter) > 1 and FIRST_WITH_FILTER <= setup.series < FIRST_WITH_LISTS:
            parts = ", ".join(server.from_filter)
            yield (
                ERROR,
                server.at("from_filter"),
                f"it has {len(server.from_filter)} parts ({parts}), and Odoo {setup.series} knows no list there "
                "(17 and later do): it would match nothing",
                "Make one server for each.",
            )


@_rule("B04")
def _unmet_demand(setup: Setup) -> Findings:
    for server in setup.senders:
        preset = server.preset
        if preset is None or not preset.senders or setup.series < FIRST_WITH_FILTER:
            continue
        # What a bulk server without a filter does is C05.
        if not server.from_filter and _is_bulk(setup, server):
            continue
        told = _unmet(server, preset) if server.from_filter else _DEMANDS[preset.senders]
        if told:
            # An administrator who names the provider has said what the server is to keep to.
            severity = ERROR if server.provider and not server.from_filter else WARNING
            yield severity, server.at("from_filter"), f"{preset.title} {told[0]}", told[1]


_DEMANDS = {
    "login": ("sends only as the account that logs in", "Set from_filter to its address."),
    "mailbox": ("sends only as the mailbox that logs in", "Set from_filter to its addresses."),
    "domain": ("sends only for what is verified there", "Set from_filter to the domains that are."),
}


def _unmet(server: Outgoing, preset: presets.Preset) -> tuple[str, str] | None:
    domains = [part for part in server.from_filter if "@" not in part]
    if preset.senders in ("login", "mailbox") and domains:
        reason, _fix = _DEMANDS[preset.senders]
        return f"{reason}, not as any address at {', '.join(domains)}", "Name the addresses in its place."
    login = server.login.strip().lower()
    if preset.senders == "login" and "@" in login and login not in server.from_filter:
        return f"sends as {login}, which is not in the filter", f"Add {login}."
    return None


@_rule("B11")
def _whole_default_from(setup: Setup) -> Findings:
    for place, domain in setup.alias_domains:
        local, _at, where = domain.default_from.rpartition("@")
        if where and local and setup.series >= FIRST_WITH_FILTER:
            yield (
                WARNING,
                f"{place}.default_from",
                f"{domain.default_from} is a whole address: all mail that no server takes under its own sender leaves "
                "as it, whatever the alias domain",
                f"Write {local} alone, unless one sender for everything is what you want.",
            )


@_rule("B18")
def _placeholder(setup: Setup) -> Findings:
    for person in setup.people:
        if addresses.is_placeholder(person.email):
            yield (
                WARNING,
                person.place,
                f"the e-mail address of {person.name} is {person.email or 'empty'}, no real one; "
                "Odoo sends mail in its name",
                "Set one that somebody reads.",
            )


@_rule("B19")
def _uncovered_senders(setup: Setup) -> Findings:
    if setup.registry is None:
        return
    router = Router(setup.registry)
    routes = [router.route(mail) for mail in setup.mails]
    if lost := [route for route in routes if route.step == "mismatch"]:
        yield (
            WARNING,
            setup.servers_place,
            f"no server's filter has {_senders(lost)}; Odoo takes the first server all the same",
            "Name them, or their domains, in the filter of a server that may send for them.",
        )
    changed = [route for route in routes if route.step.startswith("notification_") and route.mail.chosen]
    if changed:
        yield (
            WARNING,
            setup.servers_place,
            f"no server's filter has {_senders(changed)}; Odoo sends as "
            f"{mail_address.normalize(changed[0].email_from)} in its place",
            "Name the sender, or its domain, in the filter of a server that may send for it.",
        )


def _senders(routes: Sequence[Route]) -> str:
    """Return the senders, the first of each address and no more than five."""
    found = {mail_address.normalize(route.mail.email_from): route.mail.what for route in reversed(routes)}
    shown = [f"{address} ({what})" for address, what in sorted(found.items())]
    more = [f"{len(shown) - 5} more"] if len(shown) > 5 else []
    return ", ".join([*shown[:5], *more])


@_rule("C02")
def _bulk_goes_first(setup: Setup) -> Findings:
    others = [server for server in setup.senders if not _is_bulk(setup, server)]
    # Where nobody says what each is for, one of them has to go before.
    rivals = [server for server in others if server.purpose == "transactional"] or sorted(
        others, key=lambda server: server.sequence
    )[:1]
    for server in setup.senders:
        behind = [rival for rival in rivals if rival.sequence >= server.sequence]
        if behind and _is_bulk(setup, server):
            yield (
                WARNING,
                server.at("sequence"),
                f"{server.name} is for bulk mail and does not come after {_names(behind)}: where filters match alike, "
                "or none does, ordinary mail leaves by it",
                f"Give it a sequence above {max(rival.sequence for rival in behind)}.",
            )


@_rule("C03")
def _no_server_for_campaigns(setup: Setup) -> Findings:
    bulk = [server for server in setup.senders if server.purpose == "bulk"]
    if (bulk or (setup.campaigns and setup.senders)) and not setup.campaign_server:
        fit = f"Choose {bulk[0].name}." if bulk else "Choose one for bulk mail."
        yield (
            WARNING,
            setup.campaign_place,
            "no server is chosen for Email Marketing, so campaigns leave like any other mail",
            fit,
        )
    for server in setup.senders:
        if server.name == setup.campaign_server and server.purpose not in ("", "bulk"):
            yield (
                WARNING,
                setup.campaign_place,
                f"campaigns leave by {server.name}, which is for {server.purpose} mail",
                "Choose a server for bulk mail.",
            )


@_rule("C05")
def _bulk_catches_all(setup: Setup) -> Findings:
    for server in setup.senders:
        if server.purpose == "bulk" and not server.from_filter and server.name != setup.campaign_server:
            yield (
                WARNING,
                server.at("from_filter"),
                f"{server.name} is for bulk mail, has no from_filter and is not chosen for Email Marketing: "
                "it only gets mail that is not meant for it",
                "Choose it for Email Marketing, or give it a from_filter.",
            )


@_rule("D16")
def _hidden_bounces(setup: Setup) -> Findings:
    if setup.series < FIRST_WITH_FILTER:
        return
    domains = [domain for _place, domain in setup.alias_domains if domain.bounce_email]
    for server in setup.senders:
        parts = set(server.from_filter)
        where = {part.rpartition("@")[2] for part in parts}
        own = [domain for domain in domains if domain.name in where]
        hidden = [domain for domain in own or domains if not {domain.bounce_email, domain.name} & parts]
        # Which domain a mail from elsewhere belongs to is not known: one that comes back is enough.
        if not parts or not hidden or (not own and len(hidden) < len(domains)):
            continue
        bounces = ", ".join(domain.bounce_email for domain in hidden)
        one = f"Make it {hidden[0].name}: Odoo {setup.series} takes one item there."
        yield (
            WARNING,
            server.at("from_filter"),
            f"it lacks {bounces}, so what {server.name} sends has the sender as its envelope sender too, "
            "and Odoo never learns of a bounce",
            f"Add {bounces}." if setup.series >= FIRST_WITH_LISTS else one,
        )


@_rule("L01")
def _unverified(setup: Setup) -> Findings:
    for server in setup.senders:
        if server.verify is None:
            continue
        if setup.series < FIRST_TO_VERIFY:
            yield (
                INFO,
                server.at("encryption"),
                f"Odoo {setup.series} does not verify the certificate of {server.host or server.name}",
                "Odoo 19 does; before, a relay of your own can.",
            )
        elif not server.verify:
            yield (
                WARNING,
                server.at("encryption"),
                f"the certificate of {server.host or server.name} is not verified: whoever answers gets the password",
                "Say verify: true.",
            )


@_rule("M01")
def _login_of_another_region(setup: Setup) -> Findings:
    logins = {login.name: login for login in setup.logins}
    for server in setup.servers:
        login = logins.get(server.login.strip().lower())
        preset = presets.PRESETS[login.provider] if login else None
        region = next((name for name, host in preset.regions.items() if host == server.host), "") if preset else ""
        if login and preset and region not in ("", login.region):
            yield (
                ERROR,
                server.at("smtp_host"),
                f"{server.host} is of {preset.title}'s region {region}, and {login.name} of its region {login.region} "
                f"({login.place}): the login is not known there",
                f"Use {preset.regions[login.region]}, or say region: {region} in the place of the login.",
            )


@_rule("M08")
def _login_and_server_apart(setup: Setup) -> Findings:
    if not setup.servers:
        return  # they are not the policy's matter
    used = {server.login.strip().lower() for server in setup.servers}
    for login in setup.logins:
        if login.name not in used:
            yield (
                WARNING,
                login.place,
                f"no server logs in as {login.name}",
                "Let one do so, or leave the login out.",
            )
    made = {login.name for login in setup.logins}
    domains = {name.rpartition("@")[2] for name in made}
    for server in setup.servers:
        name = server.login.strip().lower()
        if name not in made and name.rpartition("@")[2] in domains:
            yield (
                WARNING,
                server.at("smtp_user"),
                f"{name} is not among the logins that the policy makes for its domain",
                "Add it there, or let the server use one of them.",
            )


@_rule("R01")
def _port_25(setup: Setup) -> Findings:
    if setup.platform in presets.PLATFORMS:
        return  # R02 knows better
    for server in setup.senders:
        if server.port == 25 and server.known_as != "relay" and not _near(server.host):
            yield (
                WARNING,
                server.at("smtp_port"),
                "port 25 is for mail between servers, and many networks let nobody connect to it",
                f"Use {_alternatives(server, setup.platform)}.",
            )


@_rule("R02")
def _blocked_port(setup: Setup) -> Findings:
    platform = presets.PLATFORMS.get(setup.platform)
    for server in setup.senders:
        if platform and server.port in platform.blocked and not _near(server.host):
            yield (
                ERROR,
                server.at("smtp_port"),
                f"{platform.title} blocks port {server.port}: Odoo there does not reach {server.host or server.name}",
                f"Use {_alternatives(server, setup.platform)}.",
            )


@_rule("R04")
def _unfit_encryption(setup: Setup) -> Findings:
    for server in setup.servers:
        reason, remedy = port_trouble(server.port, server.encryption or None)
        if reason:
            yield ERROR, server.place, reason, remedy
        elif server.provider not in ("", "relay") and server.preset and server.port is not None:
            ports = server.preset.ports
            if server.encryption != ports.get(server.port):
                listed = ", ".join(f"{port} ({encryption})" for port, encryption in ports.items())
                reason = (
                    f"{server.preset.title} is not known to take {server.encryption or 'mail'} on port {server.port}"
                )
                yield WARNING, server.place, reason, f"It has {listed}."


@_rule("X02")
def _dead_setting(setup: Setup) -> Findings:
    # Our modules refuse what a version does not have; what is in a database already only misleads.
    severity = ERROR if setup.certain and not setup.stored else WARNING
    seen, odoo = mail_parameters.signs(setup.series), f"Odoo {setup.series}"
    for key, given in setup.parameters.items():
        if key in mail_parameters.KNOWN:
            reason, remedy = mail_parameters.trouble(key, given.value, seen, odoo)
            if reason:
                yield severity, given.place, f"{key} {reason}", remedy
    for option in setup.options:
        where = (option.listed, option.name)
        value = option.value if isinstance(option.value, str) else ""
        since = max(SINCE.get(where, 0), VALUES_SINCE.get((*where, value), 0))
        what = f"{option.name} {value}" if (*where, value) in VALUES_SINCE else option.name
        if setup.series < since:
            yield (
                severity,
                option.place,
                f"{odoo} has no {what}, which came with {since}",
                "Leave it out for this version.",
            )
        elif setup.series >= UNTIL.get(where, setup.series + 1):
            yield severity, option.place, f"{odoo} has no {what} any more", "Leave it out for this version."


def _names(servers: list[Outgoing]) -> str:
    return ", ".join(server.name for server in servers)


def _is_bulk(setup: Setup, server: Outgoing) -> bool:
    return server.purpose == "bulk" or (not server.purpose and _for_campaigns(setup, server))


def _for_campaigns(setup: Setup, server: Outgoing) -> bool:
    return bool(server.name) and server.name == setup.campaign_server


def _near(host: str) -> bool:
    """Whether a host is in one's own network, as far as its name tells."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host


def _alternatives(server: Outgoing, platform: str) -> str:
    """Return the ports that are left, as text."""
    if server.preset and server.known_as != "relay":
        ports = [port for port in presets.open_ports(server.preset, platform) if port not in (25, server.port)]
        if not ports:
            return f"another provider: {server.preset.title} has no port that is open there"
        return " or ".join(f"{port} ({server.preset.ports[port]})" for port in ports)
    blocked = presets.PLATFORMS[platform].blocked if platform in presets.PLATFORMS else frozenset()
    return " or ".join(str(port) for port in (587, 465, 2525) if port not in blocked) + ", if the provider has it"
