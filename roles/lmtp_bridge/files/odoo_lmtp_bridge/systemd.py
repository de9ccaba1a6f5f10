# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd and the service tell each other: sd_listen_fds(3), sd_notify(3)."""

import asyncio
import os
import socket

_FIRST_DESCRIPTOR = 3


def inherited_sockets() -> list[socket.socket]:
    """The listening sockets that the socket unit holds; empty without one."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    return [
        socket.socket(fileno=descriptor)
        for descriptor in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + count)
    ]


def notify(state: str) -> None:
    """Sends `state`, such as ``READY=1``, to systemd; nothing without it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as client:
        client.sendto(state.encode(), address)


async def feed_watchdog() -> None:
    """Tells the watchdog that this event loop turns, until cancelled."""
    interval = int(os.environ.get("WATCHDOG_USEC", "0")) / 2_000_000
    while interval:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval)
