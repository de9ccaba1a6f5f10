# SPDX-License-Identifier: GPL-3.0-or-later
"""The service of a simulated DNS provider: its API with TLS, and the port for its command."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pathlib
import ssl

from .. import systemd
from .dns_server import DnsServer
from .tokens import Token
from .zones import Zones

CERTIFICATE = pathlib.Path("/etc/sandbox/tls.pem")
STATE = pathlib.Path("/var/lib/sandbox")


def run(kind: type[DnsServer], name: str, port: int, control: tuple[str, int]) -> None:
    """Serve until the process is ended. The tokens and zones are in the credential `<name>.json` of the unit."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    asyncio.run(_serve(kind, name, port, control))


async def _serve(kind: type[DnsServer], name: str, port: int, control: tuple[str, int]) -> None:
    given = pathlib.Path(os.environ["CREDENTIALS_DIRECTORY"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, given / "tls.key")
    configuration = json.loads((given / f"{name}.json").read_bytes())
    zones = Zones(STATE / f"{name}.json", [(zone["name"], zone["account"]) for zone in configuration["zones"]])
    server = kind(zones, [Token(**token) for token in configuration["tokens"]])
    await server.start("", "0.0.0.0", port, context)
    await server.start_control(*control)
    systemd.notify_ready()
    await asyncio.Event().wait()
