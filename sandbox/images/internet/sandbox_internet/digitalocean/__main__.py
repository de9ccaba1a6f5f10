# SPDX-License-Identifier: GPL-3.0-or-later
"""The service."""

from __future__ import annotations

from ..api import service
from . import CONTROL, PORT
from .api import DigitalOcean

if __name__ == "__main__":
    service.run(DigitalOcean, "digitalocean", PORT, CONTROL)
