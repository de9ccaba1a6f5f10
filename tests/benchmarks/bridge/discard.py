# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge's LMTP side alone: takes every mail and forgets it. Arguments: the loop (asyncio, uvloop), the socket."""

import asyncio
import sys
from collections.abc import Sequence

import uvloop
from odoo_lmtp_bridge.budget import ByteBudget
from odoo_lmtp_bridge.directory import Recipient
from odoo_lmtp_bridge.lmtp import Envelope, Limits, Reply, Session

_GOOD = Reply(250, "2.0.0", "discarded")


class Discard:
    """The `lmtp.Handler` that knows every recipient."""

    def recipient(self, address: str) -> Recipient:
        return Recipient(address, "none")

    async def deliver(self, envelope: Envelope) -> Sequence[Reply]:
        return [_GOOD] * len(envelope.recipients)


async def main(path: str) -> None:
    handler, limits, budget, sessions = Discard(), Limits(50 << 20), ByteBudget(128 << 20), set[Session]()
    server = await asyncio.get_running_loop().create_unix_server(
        lambda: Session(handler, limits, budget, sessions), path
    )
    await server.serve_forever()


if __name__ == "__main__":
    factory = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}[sys.argv[1]]
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main(sys.argv[2]))
