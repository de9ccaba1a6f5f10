# SPDX-License-Identifier: GPL-3.0-or-later
"""The service: the API of both regions with TLS, and the port for `sandbox-mailgun`."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pathlib
import ssl

from .. import systemd
from . import state
from .api import Api
from .keys import ApiKey
from .records import Resolver
from .simulator import Simulator

CERTIFICATE = pathlib.Path("/etc/sandbox/tls.pem")
PORTS = {"us": 443, "eu": 8443}
CONTROL = ("127.0.0.1", 8025)

log = logging.getLogger(__name__)


def opened(file: pathlib.Path) -> state.State:
    """Return the state that an earlier run left, or an empty one, which is in the file then."""
    if file.exists():
        return state.State.read(file)
    fresh = state.State(file)
    fresh.save()
    return fresh


async def serve() -> None:
    """Listen on all ports, tell systemd, and serve until the process is ended."""
    given = pathlib.Path(os.environ["CREDENTIALS_DIRECTORY"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, given / "tls.key")
    configuration = json.loads((given / "mailgun.json").read_bytes())
    simulator = Simulator(opened(state.FILE), Resolver())
    api = Api(simulator, [ApiKey(**key) for key in configuration["keys"]])
    for region, port in PORTS.items():
        await api.start(region, "0.0.0.0", port, context)
    await api.start_control(*CONTROL)
    systemd.notify_ready()
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    asyncio.run(serve())
