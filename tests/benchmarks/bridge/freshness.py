# SPDX-License-Identifier: GPL-3.0-or-later
"""A second bridge beside the gateway's own, which learns of new addresses by its webhook alone.

Runs on the gateway as root. Arguments: Odoo's URL, the database, the webhook's port. The first line of standard input
is the token; each further one is an address, and the answer is when (seconds since 1970) RCPT accepted it and when
Postfix's map had it.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bridge.daemon import bridge_of
from benchmarks.bridge.lmtp_load import connect
from benchmarks.bridge.processes import until


def accepted(path: Path, address: str) -> bool:
    """Whether the bridge takes mail for the address."""
    with connect(str(path)) as client, client.makefile("rb") as answers:
        client.sendall(f"MAIL FROM:<>\r\nRCPT TO:<{address}>\r\n".encode())
        return [answers.readline()[:3] for _command in range(2)][1] == b"250"


def mapped(maps: Path, address: str) -> bool:
    """Whether Postfix finds the address."""
    command = ["postmap", "-q", address, f"lmdb:{maps}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main(url: str, database: str, port: str) -> None:
    token = sys.stdin.readline().strip()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name, "bridge")
        settings = {"poll_interval": 3600, "webhook": f"0.0.0.0:{port}"}
        with bridge_of(directory, url, database, token, **settings) as daemon:
            aliases = directory / "state" / "maps" / "aliases"
            print("ready", flush=True)
            for line in sys.stdin:
                address = line.strip()
                until(lambda address=address: accepted(daemon.socket, address), f"{address} at RCPT")  # type: ignore[misc]
                at_rcpt = time.time()
                until(lambda address=address: mapped(aliases, address), f"{address} in the map")  # type: ignore[misc]
                print(json.dumps([at_rcpt, time.time()]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
