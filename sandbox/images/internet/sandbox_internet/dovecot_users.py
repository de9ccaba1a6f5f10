# SPDX-License-Identifier: GPL-3.0-or-later
"""dovecot_users FILE: write the accounts for Dovecot's passwd-file driver into a file that is there already."""

from __future__ import annotations

import base64
import pathlib
import sys

from . import accounts


def main() -> None:
    # A password may hold a colon; base64 does not.
    lines = [
        f"{login}:{{PLAIN.b64}}{base64.b64encode(password.encode()).decode()}\n"
        for login, password in accounts.read().items()
    ]
    pathlib.Path(sys.argv[1]).write_text("".join(lines))


if __name__ == "__main__":
    main()
