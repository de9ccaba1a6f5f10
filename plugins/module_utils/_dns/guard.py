# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mail of a policy a DMARC policy would harm (RFC 7489). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._dns import alignment, dmarc, sending, spf
from ansible_collections.mailops.odoo.plugins.module_utils._dns.sending import Path
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import mail_address

KEYS = "._domainkey."
SHOWN = 3


def failing(policy: Mapping[str, Any], item: Mapping[str, Any], ways: Iterable[Path]) -> list[str]:
    """Return by which servers a domain's DMARC policy would have mail quarantined or rejected, a sentence each.

    `item` is an entry of `dns.domains` in canonical form. Mail passes where what SPF or DKIM stand for is aligned with
    From (RFC 7489, 3.1); a signature counts if the provider is known to make it, or if its key is among the domain's
    `records`. What is not known fails.
    """
    tags = item["dmarc"]
    own = {str(one["name"]) for one in _domains(policy) if "dmarc" in one}
    judged = []
    for path in ways:
        if not path.from_domain:
            continue
        if path.from_domain != item["name"]:
            # Mail from a name below without a record of its own falls to the organisational domain's (6.6.3).
            if path.from_domain in own or alignment.organizational(path.from_domain) != item["name"]:
                continue
            asked = tags.get("sp", tags["p"])
        else:
            asked = tags["p"]
        if asked != dmarc.POLICIES[0]:
            judged.append(path)
    return unaligned(policy, tags, judged)


def unaligned(policy: Mapping[str, Any], tags: Mapping[str, Any], ways: Iterable[Path]) -> list[str]:
    """Return by which servers mail goes on these ways that fails DMARC, a sentence each; `tags` are the record's."""
    keys = declared_keys(policy)
    senders: dict[tuple[str, str], list[str]] = {}
    for path in ways:
        if not _passes(path, tags, keys):
            senders.setdefault((path.server, _why(path)), []).append(mail_address.normalize(path.sender))
    return [f"{server} sends for {_few(named)}, and {why}" for (server, why), named in senders.items()]


def _few(named: Iterable[str]) -> str:
    """Return the first of several senders, each once."""
    each = list(dict.fromkeys(named))
    more = [f"{len(each) - SHOWN} more"] if len(each) > SHOWN else []
    return ", ".join([*each[:SHOWN], *more])


def _passes(path: Path, tags: Mapping[str, Any], keys: set[str]) -> bool:
    strict = {tag: tags.get(tag) == "s" for tag in ("adkim", "aspf")}
    by_spf = _is_let_in(path) and alignment.aligned(path.from_domain, path.spf_domain, strict["aspf"])
    signers = [path.signed_by] if path.signed_by else sorted(keys)
    return by_spf or any(alignment.aligned(path.from_domain, one, strict["adkim"]) for one in signers)


def _is_let_in(path: Path) -> bool:
    """Whether SPF passes where it is looked up: with `?` or `~` before any of the terms, or without any, it may not."""
    return bool(path.terms) and all(spf.term(one).result == "+" for one in path.terms or ())


def _why(path: Path) -> str:
    if path.terms is None:
        return "neither what lets it send nor who signs its mail is known"
    signed = f"it is signed by {path.signed_by}" if path.signed_by else "who signs it is not known"
    if path.spf_domain and not path.terms:
        return f"no term of SPF lets it send, and {signed}"
    if path.terms and not _is_let_in(path):
        return f"SPF has it as {', '.join(path.terms)}, which is no pass, and {signed}"
    at = (
        f"SPF is looked up at {path.spf_domain}" if path.spf_domain else "SPF is looked up at the provider's own domain"
    )
    return f"{at} and {signed}: neither is aligned with {path.from_domain}"


def declared_keys(policy: Mapping[str, Any]) -> set[str]:
    """Return the domains for which the policy's further records have a DKIM key."""
    records = [record for item in _domains(policy) for record in item.get("records") or []]
    names = [str(record["name"]) for record in records if not sending.is_odoos_key(record)]
    return {name.partition(KEYS)[2] for name in names if KEYS in name}


def _domains(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((policy.get("dns") or {}).get("domains") or [])
