# SPDX-License-Identifier: GPL-3.0-or-later
"""sandbox-mailgun: what the simulated Mailgun was asked, and what it is to do wrong."""

from __future__ import annotations

from .api.command import Command
from .mailgun.faults import FORMS

CONTROL = "http://127.0.0.1:8025"


def main() -> None:
    """Print, or let something happen; exit with the reason if that cannot be."""
    command = Command("sandbox-mailgun", __doc__ or "", FORMS, CONTROL)
    for verb in ("disable", "enable"):
        switch = command.commands.add_parser(verb, help=f"{verb} a domain, as Mailgun's staff does")
        switch.add_argument("name", metavar="DOMAIN")
        switch.add_argument("--region", default="us", choices=["us", "eu"])
    command.commands.choices["disable"].add_argument("--reason", default="for testing", help="(default: for testing)")
    asked = command.run()
    if asked:
        command.ask("POST", "/disabled", {"reason": "", **asked})


if __name__ == "__main__":
    main()
