# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports let mail out: from where Odoo runs to its servers, from the gateway to where it relays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._checks.check import Check, failed, passed, skipped, unseen
from ansible_collections.mailops.odoo.plugins.module_utils._checks.place import CHECK_MODE, Place, Policy
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import presets
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.presets import Preset

# For each step of a probe: of what is sent by, and of what is looked at in passing and may well be blocked.
SECONDS, GLANCE = 3.0, 1.5
# What hosting platforms block, and what they leave open (DigitalOcean's limits of droplets).
OFTEN_BLOCKED = (25, 465, 587)
USUALLY_OPEN = 2525
ASKED_AGAIN = "Ask the platform to open it, or send by a provider that takes mail at port 2525, as Mailgun does."
OWN_MACHINE = ("localhost", "127.0.0.1", "::1")
RELAY_PORT = 25


@dataclass(frozen=True)
class Way:
    """A server's port. `used` says what there sends by it, '' if nothing does."""

    host: str
    port: int
    encryption: str
    used: str = ""
    verify: bool = True
    preset: Preset | None = None
    seconds: float = SECONDS

    def target(self) -> dict[str, Any]:
        """Return what the module smtp_probe is to try."""
        return {
            "host": self.host,
            "port": self.port,
            "encryption": self.encryption,
            "verify": self.verify,
            "timeout": self.seconds,
        }


def ways(policy: Policy, place: Place) -> list[Way]:
    """Return what is to be tried from a host, each port once: what is used there first."""
    found: dict[tuple[str, int], Way] = {}
    tried = [*_of_servers(policy, place), *_of_relays(policy, place), *_alternatives(policy)]
    for way in sorted(tried, key=lambda one: (not one.used, -one.seconds)):
        found.setdefault((way.host, way.port), way)
    return list(found.values())


def _of_servers(policy: Policy, place: Place) -> Iterator[Way]:
    for written, server in policy.servers:
        host, port = server.get("smtp_host"), server.get("smtp_port")
        # A server that takes all from odoo.conf has neither; an archived one is not sent by.
        if not host or not isinstance(port, int) or server.get("active") is False:
            continue
        if host in OWN_MACHINE and not place.runs_odoo:
            continue
        used = f"server {server['name']}" if place.runs_odoo else ""
        yield Way(
            host,
            port,
            str(server.get("encryption") or "none"),
            used,
            verify=server.get("verify") is not False,
            preset=_preset(written, host),
            seconds=SECONDS if used else GLANCE,
        )


def _of_relays(policy: Policy, place: Place) -> Iterator[Way]:
    if place.is_gateway and not policy.trouble:
        for domain in policy.given["inbound"].get("domains", []):
            if domain.get("relay_host"):
                host, _colon, port = str(domain["relay_host"]).partition(":")
                # Postfix insists on TLS and the certificate, or takes what is offered.
                encryption = "starttls" if place.relay_tls_verify else "none"
                yield Way(host, int(port or RELAY_PORT), encryption, f"relay of {domain['name']}")


def _alternatives(policy: Policy) -> Iterator[Way]:
    """Yield the servers' other ports which the platform, if the policy names it, leaves open."""
    platform = "" if policy.trouble else policy.given["odoo"].get("platform", "")
    for written, server in policy.servers:
        host = server.get("smtp_host")
        preset = _preset(written, host)
        if platform and host and preset:
            for port in presets.open_ports(preset, platform):
                yield Way(host, port, preset.ports[port], preset=preset)


def _preset(written: Mapping[str, Any], host: Any) -> Preset | None:
    return presets.PRESETS.get(written.get("provider") or presets.by_host(str(host)))


def checks(policy: Policy, place: Place, result: Any) -> list[Check]:
    """Return the checks of a host's ports; `result` is that of smtp_probe."""
    name = f"PORT.{place.host}"
    out = place.left_out("ports")
    if out:
        return [skipped(name, place.host, out, asked=False)]
    if place.check_mode:
        return [skipped(name, place.host, CHECK_MODE)]
    if policy.trouble:
        return [skipped(name, place.host, policy.trouble)]
    tried = ways(policy, place)
    if not tried:
        return [skipped(name, place.host, "the policy names no server to send by from here", asked=False)]
    lacking = unseen(name, place.host, result, "results", "The host needs Python 3.9 or later.")
    if lacking:
        return [lacking]
    platform = policy.given["odoo"].get("platform", "")
    outcomes = list(zip(tried, result["results"], strict=True))
    opened = {(way.host, way.port) for way, outcome in outcomes if not outcome["problem"]}
    return [_check(place.host, way, outcome, platform, opened) for way, outcome in outcomes]


def _check(host: str, way: Way, outcome: Mapping[str, Any], platform: str, opened: set[tuple[str, int]]) -> Check:
    name, used = f"PORT.{host}.{way.host}:{way.port}", way.used or "nothing here sends by it"
    if not outcome["problem"]:
        told = "TLS, certificate valid" if way.encryption != "none" and way.verify else way.encryption
        return passed(name, host, f"open ({'no TLS' if told == 'none' else told}; {used})")
    known = presets.PLATFORMS.get(platform)
    left_open = known is not None and way.port not in known.blocked
    closed = f"{outcome['problem']} ({used})"
    if not way.used and not left_open:
        # It says what a server moved here could do, and keeps no mail from going today.
        blocked = f", which {known.title} blocks" if known else ""
        return skipped(name, host, f"closed{blocked}: {closed}", asked=False)
    return failed(name, host, closed, _fix(way, outcome, known, opened))


def _fix(way: Way, outcome: Mapping[str, Any], platform: presets.Platform | None, opened: set[tuple[str, int]]) -> str:
    if outcome["reachable"]:
        return "It answers, but not as the policy has it: compare host, port and encryption with what the server says."
    if way.port not in OFTEN_BLOCKED:
        return "Check that the host name is right, and that no firewall on the way closes the port."
    who = f"{platform.title} blocks" if platform and way.port in platform.blocked else "DigitalOcean and others block"
    why = f"{who} ports {', '.join(str(port) for port in OFTEN_BLOCKED)}."
    if way.preset is None or USUALLY_OPEN not in way.preset.ports:
        return f"{why} {ASKED_AGAIN}"
    seen = ", which is open from here" if (way.host, USUALLY_OPEN) in opened else ""
    return f"{why} Use smtp_port: {USUALLY_OPEN} with encryption: {way.preset.ports[USUALLY_OPEN]}{seen}."
