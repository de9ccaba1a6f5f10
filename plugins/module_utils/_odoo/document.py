# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as a document for people: which server is for what, who sends by which, and the rules behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.markdown import NOTHING, code, codes, table, text
from ansible_collections.mailops.odoo.plugins.module_utils._dns.wanted import wanted
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import policy as mailgun
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import oauth, presets, registry, senders
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.document_rules import to_know
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.routing import Router

Items = Sequence[Mapping[str, Any]]
NOTICE = (
    "This file is generated from `mail_policy`. Change the policy, run the playbook `mailops.odoo.document`, and "
    "commit both; what is changed here by hand is overwritten."
)


def render(policy: Mapping[str, Any]) -> str:
    """Return the document of a sound policy, as the administrator wrote it; the same text for the same policy.

    Of its values only those named here are shown: no password, no parameter, no key. Raises ValidationError as
    `registry.from_policy` does.
    """
    odoo = policy.get("odoo", {})
    series = int(odoo.get("version") or registry.LAST)
    servers = _filled(odoo)
    parts = [
        _head(odoo, series),
        _servers(servers, odoo.get("mass_mailing_server")),
        _routes(odoo, series),
        _sending_domains(policy.get("providers", [])),
        _dns(policy),
        _alias_domains(odoo.get("alias_domains", [])),
        _aliases(odoo.get("aliases", []), odoo.get("alias_domains", [])),
        _incoming(odoo.get("incoming_servers", [])),
        _inbound(policy.get("inbound", {}).get("domains", [])),
        ["## Rules to know", "", *(f"- {rule}" for rule in to_know(series, odoo.get("unmanaged_servers") or "report"))],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _filled(odoo: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the servers with what their presets say, and still with what they say only to the policy."""
    platform = str(odoo.get("platform") or "")
    return [{**item, **presets.filled(item, platform)} for item in odoo.get("servers", [])]


def _head(odoo: Mapping[str, Any], series: int) -> list[str]:
    names = [text(item["name"]) for item in odoo.get("alias_domains", [])]
    where = f" at {', '.join(names)}" if names else ""
    return [f"# How mail flows{where}", "", f"> {NOTICE}", "", f"Its routes and rules are those of Odoo {series}."]


def _servers(servers: Items, bulk: str | None) -> list[str]:
    if not servers:
        return ["## Outgoing servers", "", "The policy names none: Odoo keeps those it has."]
    head = ["Sequence", "Server", "Purpose", "Host", "Encryption", "Login", "Senders (filter)", "Intent"]
    ordered = sorted(servers, key=lambda item: (_sequence(item), str(item["name"])))
    lines = ["## Outgoing servers", "", *table(head, (_server(item) for item in ordered))]
    if bulk:
        lines += ["", f"Email Marketing sends by {text(bulk)}, whatever the sender."]
    return lines


def _sequence(item: Mapping[str, Any]) -> int:
    """Return the sequence, or what Odoo gives a new server."""
    return int(item["sequence"]) if item.get("sequence") is not None else 10


def _server(item: Mapping[str, Any]) -> list[str]:
    name = text(item["name"])
    if item.get("owner"):
        name += f" (for {text(item['owner'])} alone)"
    if not item.get("active", True):
        name += " (archived: never used)"
    return [
        str(_sequence(item)),
        name,
        text(item.get("purpose")),
        _host(item),
        _encryption(item),
        _login(item),
        codes(sorted(str(part).strip().lower() for part in item.get("from_filter") or [])),
        text(item.get("intent")),
    ]


def _host(item: Mapping[str, Any]) -> str:
    if item.get("smtp_authentication") == "cli":
        return "that of `odoo.conf`"
    return _place(item.get("smtp_host"), item.get("smtp_port"))


def _place(host: Any, port: Any) -> str:
    return code(f"{host}:{port}" if host and port else host)


def _encryption(item: Mapping[str, Any]) -> str:
    unverified = ", certificate not verified" if item.get("verify") is False else ""
    return text(item.get("encryption")) + unverified


def _login(item: Mapping[str, Any]) -> str:
    how = item.get("smtp_authentication")
    if how == "certificate":
        return "client certificate"
    return code(item.get("smtp_user")) + (f" (OAuth, {how})" if how in oauth.SERVICES else "")


def _routes(odoo: Mapping[str, Any], series: int) -> list[str]:
    if not odoo.get("servers"):
        return []
    purposes = {str(item["name"]): item.get("purpose") for item in odoo["servers"]}
    router = Router(registry.from_policy(odoo, series))
    routes = [router.route(mail) for mail in senders.from_policy(odoo, series)]
    head = ["Sender", "What", "Leaves by", "Purpose", "From", "Envelope sender", "Reply to"]
    rows = [
        [
            code(route.mail.email_from),
            text(route.mail.what),
            text(route.server.name) if route.server else "that of `odoo.conf`",
            text(purposes[route.server.name] if route.server else None),
            code(route.email_from),
            code(route.envelope_from),
            code(route.reply_to),
        ]
        for route in routes
    ]
    amiss = [f"- {code(route.mail.email_from)}: {text(warning)}" for route in routes for warning in route.warnings]
    warned = ["", "What is amiss with these:", "", *dict.fromkeys(amiss)] if amiss else []
    return ["## Who sends by which server", "", *table(head, rows), *warned]


def _sending_domains(accounts: Items) -> list[str]:
    rows = sorted(
        [
            code(str(domain["name"])),
            f"{presets.PRESETS[account['provider']].title}, {account['region']}",
            codes(sorted(one["login"] for one in domain["credentials"])),
            _tracked(domain.get("tracking", {})),
            "yes" if domain.get("inbound_routes") else "no",
        ]
        for account in map(mailgun.filled, accounts)
        for domain in account["domains"]
    )
    head = ["Domain", "At", "Logins", "Tracked", "Receives mail"]
    return ["## Sending domains at providers", "", *table(head, rows)] if rows else []


def _tracked(tracking: Mapping[str, Any]) -> str:
    """Return what the provider puts into mail; what the policy does not say is left as it is there."""
    if not tracking:
        return NOTHING
    words = {"open": "opening", "click": "links", "unsubscribe": "unsubscribing"}
    return ", ".join(words[kind] for kind in words if tracking.get(kind) not in (None, False, "no")) or "nothing"


def _dns(policy: Mapping[str, Any]) -> list[str]:
    """Return what each domain is to have in DNS; what only a provider knows is not in it."""
    if "dns" not in policy:
        return []
    head = ["Domain", "Published in", "SPF has", "DMARC", "MX", "Other records"]
    names = sorted(str(domain["name"]) for account in policy.get("providers", []) for domain in account["domains"])
    keys = ["", f"Which keys sign the mail of {codes(names)}, Mailgun says."] if names else []
    return ["## What DNS says", "", *table(head, map(_entry, wanted(policy))), *keys]


def _entry(entry: Mapping[str, Any]) -> list[str]:
    spf, mx = entry["spf"] or {}, entry["mx"]
    terms = [*spf.get("terms", []), *([spf["all"]] if spf.get("all") else [])]
    tags = entry["dmarc"] or {}
    keys = [{**key, "values": [key["value"]]} for key in entry["dkim"]]
    others = [record for record in [*keys, *entry["records"]] if record.get("state") != "absent"]
    return [
        code(entry["domain"]),
        code(entry["zone"]) if entry["zone"] else "elsewhere: only looked at",
        codes(terms),
        codes(f"{tag}={','.join(value) if isinstance(value, list) else value}" for tag, value in tags.items()),
        "none" if mx == [] else codes(mx or []),
        codes(f"{record['name']} {record['type']} {' '.join(record['values'])}" for record in others),
    ]


def _alias_domains(domains: Items) -> list[str]:
    if not domains:
        return []
    head = ["Domain", "Failures come back to", "Replies come back to", "Default sender", "Companies", "Former domains"]
    return ["## Where answers come back", "", *table(head, (_alias_domain(item) for item in domains))]


def _alias_domain(item: Mapping[str, Any]) -> list[str]:
    name = str(item["name"]).lower()

    def address(option: str) -> str:
        local = str(item.get(option) or "").lower()
        return code(local if "@" in local or not local else f"{local}@{name}")

    return [
        code(name),
        address("bounce_alias"),
        address("catchall_alias"),
        address("default_from"),
        ", ".join(text(company) for company in sorted(item.get("companies") or [])) or NOTHING,
        codes(sorted(item.get("former_names") or [])),
    ]


def _aliases(aliases: Items, domains: Items) -> list[str]:
    if not aliases:
        return []
    only = str(domains[0]["name"]) if len(domains) == 1 else ""
    rows = sorted(_alias(item, only) for item in aliases)
    return ["## Addresses that make records", "", *table(["Address", "Makes", "With", "Who may write"], rows)]


def _alias(item: Mapping[str, Any], only_domain: str) -> list[str]:
    name, domain = str(item["alias_name"]).lower(), str(item.get("alias_domain") or only_domain).lower()
    values = item.get("alias_defaults") or {}
    return [
        code(f"{name}@{domain}" if domain else name),
        code(item.get("alias_model")),
        codes(f"{field}: {values[field]}" for field in sorted(values)),
        text(item.get("alias_contact") or "everyone"),
    ]


def _incoming(servers: Items) -> list[str]:
    if not servers:
        return []
    rows = sorted(
        [
            text(item["name"]),
            text(item.get("server_type")),
            _place(item.get("server"), item.get("port")),
            code(item.get("user")),
            code(item.get("object_id")),
        ]
        for item in servers
    )
    head = ["Server", "Type", "Host", "Login", "Mail to no alias makes"]
    return ["## Mailboxes that Odoo fetches", "", *table(head, rows)]


def _inbound(domains: Items) -> list[str]:
    if not domains:
        return []
    rows = sorted(
        [
            code(item["name"]),
            f"passed on to {code(item['relay_host'])}" if item.get("others") == "relay" else "refused (550)",
        ]
        for item in domains
    )
    head = ["Domain", "Mail to an address that Odoo does not have is"]
    return ["## What the gateway accepts", "", *table(head, rows)]
