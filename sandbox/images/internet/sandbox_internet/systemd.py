# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling systemd that a service is ready (sd_notify(3))."""

from __future__ import annotations

import os
import socket


def notify_ready() -> None:
    """Say that all ports listen; without systemd nothing is said."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notification:
            notification.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
            notification.send(b"READY=1")
