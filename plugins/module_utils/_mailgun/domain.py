# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sending domain at Mailgun: its options, and how they look in the API. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ProtocolError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field, Record, Resource
from ansible_collections.mailops.odoo.plugins.module_utils._mailgun import records
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses

TRACKING: dict[str, dict[str, Any]] = {
    "open": {"type": "bool"},
    "click": {"type": "str", "choices": ["yes", "no", "htmlonly"]},
    "unsubscribe": {"type": "bool"},
}
# A DKIM selector and a web prefix are one label each.
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
AT_CREATION = ("dkim_key_size", "dkim_selector")
SETTINGS = (
    "use_automatic_sender_security",
    "web_prefix",
    "web_scheme",
    "wildcard",
    "spam_action",
    "require_tls",
    "skip_verification",
)


def name(value: str) -> str:
    """Return a domain's name in lower case, without the last dot; ValueError if it is none."""
    return addresses.domain(value.strip().removesuffix("."))


def _label(value: str) -> str:
    lowered = value.strip().lower()
    if not LABEL.fullmatch(lowered):
        raise ValueError("this is no label of a domain name: use letters, digits and - only")
    return lowered


def _tracking(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of tracking; an option without a value says nothing."""
    said = {option: value for option, value in given.items() if value is not None}
    for option, value in said.items():
        if option not in TRACKING:
            raise ValueError(f"{option} is no option; there are: {', '.join(TRACKING)}")
        if option == "click":
            # In YAML 1.1 yes and no without quotes are true and false.
            said[option] = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
            if said[option] not in TRACKING["click"]["choices"]:
                raise ValueError("click must be one of: yes, no, htmlonly")
        elif not isinstance(value, bool):
            raise ValueError(f"{option} must be true or false")
    return said


class Domain(Resource):
    """What is particular about a domain: what is said only once, and tracking, which may be given in part."""

    def item_spec(self) -> dict[str, dict[str, Any]]:
        """Return the argument spec, with tracking's own options."""
        spec = super().item_spec()
        spec["tracking"]["options"] = TRACKING
        return spec

    def check_item(self, item: Mapping[str, Any], place: str) -> None:
        """Refuse null: there is nothing about a domain that can be cleared."""
        for option, value in item.items():
            if value is None:
                raise ValidationError(f"{place}.{option} cannot be empty", "Leave it out to leave it as it is.")

    def complete(self, item: Mapping[str, Any], record: Mapping[str, Any] | None) -> Record:
        """Return what is wanted of a domain, all of its tracking included; the DKIM key of one that exists stays."""
        if record is None:
            return dict(item)
        wanted = {option: value for option, value in item.items() if option not in AT_CREATION}
        if "tracking" in wanted:
            wanted["tracking"] = {**record["tracking"], **wanted["tracking"]}
        return wanted


DOMAIN = Domain(
    model="domain",
    label="domain",
    plural="domains",
    key=("name",),
    fields=(
        Field("name", normalize=name),
        Field("use_automatic_sender_security", "bool"),
        Field("dkim_key_size", "int", choices=(1024, 2048)),
        Field("dkim_selector", normalize=_label),
        Field("web_prefix", normalize=_label),
        Field("web_scheme", choices=("http", "https")),
        Field("wildcard", "bool"),
        Field("spam_action", choices=("disabled", "block", "tag")),
        Field("require_tls", "bool"),
        Field("skip_verification", "bool"),
        Field("tracking", "dict", normalize=_tracking),
        # Asked for by `verify`: Mailgun sends for the domain.
        Field("verified", "bool", internal=True),
    ),
)


def form(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as a form has them."""
    return {option: _text(value) for option, value in values.items()}


def tracking_form(option: str, value: Any) -> dict[str, str]:
    """Return the form that sets one kind of tracking: true, false and htmlonly."""
    return {"active": _text(value if option != "click" else {"yes": True, "no": False}.get(value, value))}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def tracking_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return tracking as the options have it, from the API's answer: active is a boolean or a word.

    Raises ProtocolError if the answer is another.
    """
    said = answer.get("tracking")
    if not isinstance(said, Mapping) or not all(isinstance(said.get(option), Mapping) for option in TRACKING):
        raise ProtocolError("Mailgun answered without the tracking", "Check api_url, and what a proxy on the way does.")
    return {option: _active(option, said[option].get("active")) for option in TRACKING}


def _active(option: str, active: Any) -> Any:
    word = str(active).lower()
    if option == "click" and word == "htmlonly":
        return word
    on = word in ("true", "yes")
    return ("yes" if on else "no") if option == "click" else on


def record_of(shown: Mapping[str, Any], tracking: Mapping[str, Any]) -> Record:
    """Return the domain's record for the plan, from what `describe` returns."""
    domain = shown["domain"]
    return {
        "name": domain["name"].lower(),
        **{option: domain[option] for option in SETTINGS if domain[option] is not None},
        "tracking": dict(tracking),
        "verified": domain["verified"],
    }


def describe(answer: Mapping[str, Any], tracking: Mapping[str, Any], region: str, inbound: bool) -> dict[str, Any]:
    """Return the results that show a domain: what it is, its records, what is to be published, its tracking.

    `answer` is that of the API to a read or a write of the domain; its SMTP password, which some have, is left out.
    `tracking` is empty where it is not known.
    """
    domain = answer["domain"]
    sending = records.shaped(answer.get("sending_dns_records"), domain["name"])
    receiving = records.shaped(answer.get("receiving_dns_records"), domain["name"])
    tracked = any(value not in (False, "no") for value in tracking.values())
    # An inactive key's record is published before the key is used; until then it is nobody's business.
    active = [
        entry for entry in answer.get("sending_dns_records") or [] if entry and entry.get("is_active") is not False
    ]
    awaited = records.awaited(
        records.shaped(active, domain["name"]), domain.get("web_prefix") or "email", domain["name"], tracked
    )
    return {
        "domain": {
            "name": domain["name"],
            "state": domain["state"],
            "region": region,
            "type": domain.get("type"),
            "created_at": domain.get("created_at"),
            "is_disabled": bool(domain.get("is_disabled")),
            "disabled_because": (domain.get("disabled") or {}).get("reason"),
            **{option: domain.get(option) for option in SETTINGS},
            "verified": domain["state"] == "active" and not awaited,
            "awaited": [f"{record['name']} {record['type']}" for record in awaited],
        },
        "sending_records": sending,
        "receiving_records": receiving,
        "dns_records": records.published(sending, receiving, inbound),
        "tracking": dict(tracking) or None,
    }


NOTHING: dict[str, Any] = {
    "domain": None,
    "sending_records": [],
    "receiving_records": [],
    "dns_records": [],
    "tracking": None,
}


def steps(change: Change, verify: bool) -> Iterator[Change]:
    """Yield the calls that a change takes, each a change of its own: a failure half-way says what was done.

    The domain is verified after everything else, whatever it was before: other settings may need other DNS records.
    """
    if change.action == "delete":
        yield change
        return
    if change.action == "create":
        later = ("tracking", "verified")
        yield Change("create", change.name, {key: value for key, value in change.values.items() if key not in later})
    settings = {option: value for option, value in change.values.items() if option in SETTINGS}
    if settings:
        # After a creation this finds nothing to do, unless the API left something out.
        yield Change("update", change.name, settings, change.before)
    tracking = dict(change.before.get("tracking", {}))
    for option, value in change.values.get("tracking", {}).items():
        if value != tracking.get(option):
            tracking[option] = value
            yield Change("update", change.name, {"tracking": dict(tracking)}, change.before)
    if verify:
        yield Change("update", change.name, {"verified": True}, change.before)
