# SPDX-License-Identifier: GPL-3.0-or-later
"""sandbox-digitalocean, sandbox-cloudflare: what the simulated DNS provider was asked, and what it is to do wrong."""

from __future__ import annotations

import sys

from . import cloudflare, digitalocean
from .api.command import Command
from .cloudflare.faults import FORMS as OF_CLOUDFLARE
from .digitalocean.faults import FORMS as OF_DIGITALOCEAN

PROVIDERS = {
    "cloudflare": ("Cloudflare", OF_CLOUDFLARE, cloudflare.CONTROL),
    "digitalocean": ("DigitalOcean", OF_DIGITALOCEAN, digitalocean.CONTROL),
}


def main() -> None:
    """Print, or let something happen; exit with the reason if that cannot be. The first argument is the provider."""
    provider = sys.argv.pop(1)
    shown, forms, (host, port) = PROVIDERS[provider]
    name = f"sandbox-{provider}"
    description = f"{name}: what the simulated {shown} was asked, and what it is to do wrong."
    Command(name, description, forms, f"http://{host}:{port}").run()


if __name__ == "__main__":
    main()
